package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Picker applies changes to commits in memory. Nothing but objects is written: no index, no work tree, no ref. The git process that takes commits stays up, for
// most of the time of a pick would go into starting one. It is for one goroutine.
type Picker struct {
	repository *Repository
	neutral    *neutral
	dir        string // where commits lie until git has taken them
	commits    *conversation
	ours       func(path string) bool       // where a conflict is no conflict: it stays as onto has it
	own        map[string]map[string]Change // by commit
}

// Picker starts one; Close ends its process. What commits change (see ChangesOf) may be known already.
func (r *Repository) Picker(ctx context.Context, known map[string]map[string]Change) (*Picker, error) {
	dir, err := os.MkdirTemp("", "release-pick-")
	if err != nil {
		return nil, err
	}
	p := &Picker{repository: r, dir: dir, own: maps.Clone(known)}
	if p.own == nil {
		p.own = map[string]map[string]Change{}
	}
	if p.neutral, err = r.neutral(ctx, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if p.commits, err = r.converse(ctx, "hash-object", "-w", "-t", "commit", "--no-filters", "--stdin-paths"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

// KeepOurs makes conflicts at some paths none: these stay as the commit has them that is picked onto.
func (p *Picker) KeepOurs(ours func(path string) bool) { p.ours = ours }

// Close ends the process.
func (p *Picker) Close() error {
	return errors.Join(p.commits.close(), os.RemoveAll(p.dir))
}

// Pick applies what commit changed, relative to its first parent, onto another one. Renames are followed. Attributes
// such as merge=union are those that onto has, as git cherry-pick takes them on that branch.
//
// Paths that keep names (nil: none) are not merged and do not conflict: they stay as onto has them. Only those that the change adds, and onto
// lacks, are added, and those that it deletes are deleted. What is a file on one side and a folder or link on the other conflicts all the same.
func (p *Picker) Pick(ctx context.Context, onto, commit Commit, keep func(path string) bool) (Picked, error) {
	picked, err := p.PickEach(ctx, onto, []Commit{commit}, keep)
	if err != nil {
		return Picked{}, err
	}
	return picked[0], nil
}

// PickEach is Pick of each commit onto the same one, by one process.
func (p *Picker) PickEach(ctx context.Context, onto Commit, commits []Commit, keep func(path string) bool) ([]Picked, error) {
	if len(commits) == 0 {
		return nil, nil
	}
	for _, c := range commits {
		if len(c.Parents) == 0 {
			return nil, fmt.Errorf("pick commit %s: it is a root commit, so it changes nothing that another branch could have", c.ID)
		}
	}
	// Git reads files of all three trees where it looks for renames.
	if err := p.repository.Complete(ctx, append(withParents(commits), onto.Tree)...); err != nil {
		return nil, err
	}
	type sides struct{ ours, theirs string }
	var all []sides
	var asked strings.Builder
	for _, c := range commits {
		// merge-tree takes its base from history: a commit with the tree of onto, whose parent is that of the change.
		ours, err := p.store(Commit{Tree: onto.Tree, Parents: c.Parents[:1], Author: scratchPerson,
			Committer: scratchPerson, Message: "onto\n"})
		if err != nil {
			return nil, err
		}
		theirs := c
		if len(c.Parents) > 1 { // a merge: what it brought to its first parent
			if theirs, err = p.store(Commit{Tree: c.Tree, Parents: c.Parents[:1], Author: scratchPerson,
				Committer: scratchPerson, Message: "merged\n"}); err != nil {
				return nil, err
			}
		}
		all = append(all, sides{ours.ID, theirs.ID})
		asked.WriteString(ours.ID + " " + theirs.ID + "\n")
	}
	if err := p.neutral.show(ctx, onto.Tree); err != nil {
		return nil, fmt.Errorf("read the attributes of %s: %w", onto.ID, err)
	}
	out, err := p.neutral.run(ctx, asked.String(), "merge-tree", "--stdin", "--name-only")
	if err != nil {
		return nil, fmt.Errorf("pick %d commits, the first of them %s: %w; git 2.39 or newer is needed", len(commits), commits[0].ID, err)
	}
	in := bufio.NewReader(bytes.NewReader(out))
	var picked []Picked
	for i, c := range commits {
		tree, conflicts, err := readMerge(in)
		if err != nil {
			return nil, fmt.Errorf("pick commit %s: %w", c.ID, err)
		}
		for j := range conflicts { // git speaks of the commits that it was given
			conflicts[j].Why = strings.NewReplacer(all[i].ours, onto.ID[:12], all[i].theirs, c.ID[:12]).Replace(conflicts[j].Why)
		}
		keeps := func(path string) bool { return keep != nil && keep(path) }
		conflicts, kept := sortOut(conflicts, func(path string) bool { return keeps(path) || p.ours != nil && p.ours(path) },
			all[i].ours, all[i].theirs)
		solved := slices.DeleteFunc(slices.Clone(kept), keeps)
		one := Picked{Tree: tree}
		stays := func(path string) bool { return keeps(path) || slices.Contains(solved, path) }
		switch {
		case len(conflicts) > 0:
			one = Picked{Conflicts: conflicts}
		case keep != nil || len(solved) > 0:
			if one, err = p.keep(ctx, onto, c, tree, stays, kept); err != nil {
				return nil, err
			}
			one.Kept = slices.DeleteFunc(one.Kept, func(path string) bool { return slices.Contains(solved, path) })
			one.Ours = solved
		}
		picked = append(picked, one)
	}
	return picked, nil
}

// scratchPerson makes the commits that a pick is computed with, and that no ref ever leads to. Git 2.40 and newer
// refuse dates before 1970.
var scratchPerson = Person{Name: "pick", Email: "pick", Time: time.Unix(0, 0).UTC()}

// changes are the paths that a commit changes; they are asked for once.
func (p *Picker) changes(ctx context.Context, c Commit) (map[string]Change, error) {
	if own, ok := p.own[c.ID]; ok {
		return own, nil
	}
	own, err := p.repository.Changes(ctx, c.Parents[0], c.ID)
	p.own[c.ID] = own
	return own, err
}

// Commit commits a picked tree on top of parent: author, date and encoding are the change's own, the committer is by.
func (p *Picker) Commit(parent Commit, tree string, change Commit, by Person, message string) (Commit, error) {
	return p.store(Commit{Tree: tree, Parents: []string{parent.ID}, Author: change.Author, Committer: by, Encoding: change.Encoding, Message: message})
}

// store writes a commit, and gives it with its id.
func (p *Picker) store(c Commit) (Commit, error) {
	file := filepath.Join(p.dir, "commit")
	if err := os.WriteFile(file, c.content(), 0o600); err != nil {
		return c, err
	}
	err := p.commits.ask(file, func(in *bufio.Reader) error {
		line, err := in.ReadString('\n')
		c.ID = strings.TrimSpace(line)
		return err
	})
	if err != nil {
		return c, fmt.Errorf("store a commit on %s: %w", strings.Join(c.Parents, ", "), err)
	}
	return c, nil
}

// conversation is a git process that answers line by line.
type conversation struct {
	cmd    *exec.Cmd
	args   []string
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *bytes.Buffer
}

func (r *Repository) converse(ctx context.Context, args ...string) (*conversation, error) {
	c := &conversation{cmd: r.command(ctx, nil, args...), args: args, stderr: &bytes.Buffer{}}
	c.cmd.Stderr = c.stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.in, c.out = in, bufio.NewReader(out)
	return c, c.cmd.Start()
}

// ask says a line, and has the answer read.
func (c *conversation) ask(line string, read func(*bufio.Reader) error) error {
	_, err := io.WriteString(c.in, line+"\n")
	if err == nil {
		err = read(c.out)
	}
	if err == nil {
		return nil
	}
	// It ended, or says what nobody expects: its last words tell why.
	c.in.Close()
	return errors.Join(fmt.Errorf("git %s: %w", strings.Join(c.args, " "), err), c.ended())
}

func (c *conversation) close() error {
	if c.cmd.ProcessState != nil {
		return nil // asked in vain, and said so
	}
	c.in.Close()
	return c.ended()
}

func (c *conversation) ended() error {
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("git %s: %w: %s", strings.Join(c.args, " "), err, strings.TrimSpace(c.stderr.String()))
	}
	return nil
}
