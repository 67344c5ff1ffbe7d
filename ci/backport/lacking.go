package backport

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/git"
)

// lacking finds the fixes, of those that a line does not have, that repair code which it does not have either: by
// commit, one path of that code. Each file that such a fix repairs conflicts when it is picked, and is not on the line.
// Of a Go file on the line, no declaration that the fix changes is in the package. Git follows renames. The repository
// needs a quarantine.
func (b book) lacking(ctx context.Context, r *git.Repository, fixes []change.Change, keep func(path string) bool) (
	lacking map[string]string, err error) {
	var commits []git.Commit
	for _, c := range fixes {
		if len(c.Commit.Parents) > 0 {
			commits = append(commits, c.Commit)
		}
	}
	tip, err := r.Commit(ctx, b.tip)
	if err != nil || len(commits) == 0 {
		return nil, err
	}
	known, err := r.ChangesOf(ctx, commits)
	if err != nil {
		return nil, err
	}
	picker, err := r.Picker(ctx, known)
	if err != nil {
		return nil, err
	}
	defer picker.Close()
	picked, err := picker.PickEach(ctx, tip, commits, keep)
	if err != nil {
		return nil, err
	}
	tree, err := r.Tree(ctx, tip.Tree)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	lacking = map[string]string{}
	for i, c := range commits {
		if len(picked[i].Conflicts) == 0 { // it applies
			continue
		}
		changes, ok := known[c.ID]
		if !ok {
			if changes, err = r.Changes(ctx, c.Parents[0], c.ID); err != nil {
				return nil, err
			}
		}
		var repaired []string
		for _, name := range slices.Sorted(maps.Keys(changes)) {
			if changes[name].From.Mode != "" && !change.Inward([]string{name}) && !(keep != nil && keep(name)) {
				repaired = append(repaired, name)
			}
		}
		there := len(repaired) == 0
		for _, name := range repaired {
			conflicts := slices.ContainsFunc(picked[i].Conflicts, func(o git.Conflict) bool { return o.Path == name })
			if there = there || !conflicts; there {
				break
			}
			if there, err = hasCode(ctx, r, tree, c, name); err != nil {
				return nil, fmt.Errorf("see what %.12s repairs: %w", c.ID, err)
			}
		}
		if !there {
			lacking[c.ID] = repaired[0]
		}
	}
	return lacking, nil
}

// hasCode tells whether a line's tree has what a commit changes in a file: the file, and of a Go file a declaration in
// the package. Where it cannot be told, it has.
func hasCode(ctx context.Context, r *git.Repository, line *git.Tree, c git.Commit, file string) (bool, error) {
	_, there := line.Entry(file)
	if path.Ext(file) != ".go" {
		return there, nil
	}
	changed, err := changedDeclarations(ctx, r, c, file)
	if err != nil || len(changed) == 0 {
		return there, err
	}
	entries, err := fs.ReadDir(line, path.Dir(file))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if path.Ext(e.Name()) != ".go" || !e.Type().IsRegular() {
			continue
		}
		content, err := line.ReadFile(path.Join(path.Dir(file), e.Name()))
		if err != nil {
			return false, err
		}
		declared, ok := declarations(content)
		if !ok {
			return true, nil
		}
		for name := range changed {
			if _, has := declared[name]; has {
				return true, nil
			}
		}
	}
	return false, nil
}

// changedDeclarations are those of a Go file before a commit that the commit changes or takes out. Without some, the
// file is no Go that can be read, or the commit only adds.
func changedDeclarations(ctx context.Context, r *git.Repository, c git.Commit, file string) (map[string]bool, error) {
	var sides []map[string]string
	for _, commit := range []string{c.Parents[0], c.ID} {
		tree, err := r.Tree(ctx, commit)
		if err != nil {
			return nil, err
		}
		content, err := tree.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			content, err = []byte("package gone\n"), nil
		}
		if err = errors.Join(err, tree.Close()); err != nil {
			return nil, err
		}
		declared, ok := declarations(content)
		if !ok {
			return nil, nil
		}
		sides = append(sides, declared)
	}
	changed := map[string]bool{}
	for name, text := range sides[0] {
		if sides[1][name] != text {
			changed[name] = true
		}
	}
	return changed, nil
}

// declarations are the texts of what a Go file declares at its top level, by name; of methods with the type's name.
func declarations(content []byte) (map[string]string, bool) {
	positions := token.NewFileSet()
	parsed, err := parser.ParseFile(positions, "", content, parser.SkipObjectResolution)
	if err != nil {
		return nil, false
	}
	text := func(n ast.Node) string {
		return string(content[positions.Position(n.Pos()).Offset:positions.Position(n.End()).Offset])
	}
	found := map[string]string{}
	for _, d := range parsed.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil && len(d.Recv.List) > 0 {
				name = strings.TrimLeft(text(d.Recv.List[0].Type), "*") + "." + name
			}
			found[name] = text(d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					found[spec.Name.Name] = text(spec)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						found[name.Name] = text(spec)
					}
				}
			}
		}
	}
	return found, true
}
