package git

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// neutral is a folder where git compares and merges objects of a repository, and writes new objects. The clone's
// settings, attributes and checked out files have no effect there. Git would else read attributes from the work tree,
// and a pick would depend on the checked out branch.
type neutral struct {
	repository *Repository
	files      string // the only files that git sees: the attributes of a tree
	shown      string // that tree
}

// attributeFiles are all that git reads attributes from in a tree.
const attributeFiles = ":(top,glob)**/.gitattributes"

// neutral makes one below the folder dir, which is the caller's to remove.
func (r *Repository) neutral(ctx context.Context, dir string) (*neutral, error) {
	s, err := r.Scratch(ctx, filepath.Join(dir, "scratch.git"))
	if err != nil {
		return nil, err
	}
	s.completion = r.completion
	if s.objects, _, err = r.storage(ctx); err != nil {
		return nil, err
	}
	n := &neutral{repository: s, files: filepath.Join(dir, "attributes")}
	return n, os.Mkdir(n.files, 0o755)
}

// inNeutral runs git once in a neutral place, where it sees the attributes of a tree, or none where the tree is empty.
func (r *Repository) inNeutral(ctx context.Context, tree, stdin string, args ...string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "release-neutral-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	n, err := r.neutral(ctx, dir)
	if err != nil {
		return nil, err
	}
	if tree != "" {
		if err := n.show(ctx, tree); err != nil {
			return nil, err
		}
	}
	return n.run(ctx, stdin, args...)
}

// show makes git see the attributes of a tree. Without a tree there are none.
func (n *neutral) show(ctx context.Context, tree string) error {
	if tree == n.shown {
		return nil
	}
	if err := n.repository.CompleteTrees(ctx, tree); err != nil {
		return err
	}
	before := n.shown
	if before == "" {
		before = ID("tree", nil, tree)
	}
	out, err := n.repository.Git(ctx, "diff-tree", "-r", "-z", "--raw", "--no-renames", before, tree, "--", attributeFiles)
	if err != nil {
		return err
	}
	if out != "" {
		if err := n.showAll(ctx, tree); err != nil {
			return err
		}
	}
	n.shown = tree
	return nil
}

// showAll writes the attribute files of a tree.
func (n *neutral) showAll(ctx context.Context, tree string) error {
	if err := os.RemoveAll(n.files); err != nil {
		return err
	}
	if err := os.Mkdir(n.files, 0o755); err != nil {
		return err
	}
	t, err := n.repository.Tree(ctx, tree)
	if err != nil {
		return err
	}
	defer t.Close()
	for _, e := range t.Entries() {
		if filepath.Base(e.Path) != ".gitattributes" || !strings.HasPrefix(e.Mode, "100") { // git follows no link there
			continue
		}
		content, err := t.ReadFile(e.Path)
		if err != nil {
			return err
		}
		file := filepath.Join(n.files, filepath.FromSlash(e.Path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// run runs git there.
func (n *neutral) run(ctx context.Context, stdin string, args ...string) ([]byte, error) {
	cmd := n.repository.command(ctx, []string{"GIT_DIR=" + n.repository.dir, "GIT_WORK_TREE=" + n.files}, args...)
	cmd.Dir = n.files
	return output(cmd, strings.NewReader(stdin), slices.Clone(args))
}
