package git

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Person is an author or committer at a time. Zone is kept, as git keeps it.
type Person struct {
	Name  string
	Email string
	Time  time.Time
}

// Commit is what a commit object says.
type Commit struct {
	ID        string
	Tree      string
	Parents   []string
	Author    Person
	Committer Person
	Encoding  string // of Message, where it is not UTF-8
	Message   string
}

// content is the commit as an object.
func (c Commit) content() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", c.Tree)
	for _, parent := range c.Parents {
		fmt.Fprintf(&b, "parent %s\n", parent)
	}
	for _, role := range []struct {
		name string
		by   Person
	}{{"author", c.Author}, {"committer", c.Committer}} {
		fmt.Fprintf(&b, "%s %s <%s> %d %s\n", role.name, role.by.Name, role.by.Email, role.by.Time.Unix(), role.by.Time.Format("-0700"))
	}
	if c.Encoding != "" {
		fmt.Fprintf(&b, "encoding %s\n", c.Encoding)
	}
	b.WriteString("\n" + c.Message)
	return b.Bytes()
}

// Commit reads the commit that a revision names; one that names none is refused.
func (r *Repository) Commit(ctx context.Context, revision string) (Commit, error) {
	all, err := r.Commits(ctx, []string{revision})
	if err != nil {
		return Commit{}, err
	}
	return all[0], nil
}

// Commits reads the commits that revisions name, in their order; one that names none is refused.
func (r *Repository) Commits(ctx context.Context, revisions []string) ([]Commit, error) {
	var asked strings.Builder
	for _, revision := range revisions {
		if strings.ContainsAny(revision, "\n\x00") || strings.HasPrefix(revision, "-") {
			return nil, refusal.New("read commit %q of %s: that is no revision", revision, r.dir)
		}
		asked.WriteString(revision + "^{commit}\n")
	}
	out, err := r.run(ctx, strings.NewReader(asked.String()), nil, "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	return parseCommits(out, func(header string) error {
		name, _, _ := strings.Cut(header, "^{commit}")
		return refusal.New("read commit %q of %s: there is none; fetch it first", name, r.dir)
	})
}

// parseCommits reads what cat-file --batch prints of commits; other tells what is wrong with a header that is none of a commit.
func parseCommits(out []byte, other func(header string) error) ([]Commit, error) {
	var commits []Commit
	for len(out) > 0 {
		header, rest, _ := bytes.Cut(out, []byte("\n"))
		var id string
		var size int
		if n, _ := fmt.Sscanf(string(header), "%s commit %d", &id, &size); n != 2 || size >= len(rest) {
			return nil, other(string(header))
		}
		commits, out = append(commits, parseCommit(id, string(rest[:size]))), rest[size+1:]
	}
	return commits, nil
}

func parseCommit(id, content string) Commit {
	c := Commit{ID: id, Author: parsePerson(""), Committer: parsePerson("")}
	header, message, _ := strings.Cut(content, "\n\n")
	c.Message = message
	for line := range strings.Lines(header) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "tree":
			c.Tree = value
		case "parent":
			c.Parents = append(c.Parents, value)
		case "author":
			c.Author = parsePerson(value)
		case "committer":
			c.Committer = parsePerson(value)
		case "encoding":
			c.Encoding = value
		}
	}
	return c
}

// parsePerson reads an author or committer line as git does, also one that git would not write. The result can be
// stored again. A time that is missing, too large or before 1970 becomes 1970. An invalid time zone becomes UTC.
func parsePerson(s string) Person {
	p := Person{Name: s, Time: time.Unix(0, 0).UTC()}
	name, rest, found := strings.Cut(s, "<")
	if found {
		p.Name, p.Email = name, rest
		if at := strings.IndexByte(rest, '>'); at >= 0 {
			p.Email = rest[:at]
		}
		s = rest[strings.LastIndexByte(rest, '>')+1:]
	}
	fields := strings.Fields(s)
	if n := len(fields); n >= 2 {
		if seconds, err := strconv.ParseInt(fields[n-2], 10, 64); err == nil {
			if !found { // the time is no part of the name
				p.Name = strings.TrimSuffix(p.Name, fields[n-2]+" "+fields[n-1])
			}
			p.Time = time.Unix(max(0, seconds), 0).In(parseZone(fields[n-1]))
		}
	}
	clean := strings.NewReplacer("<", "", ">", "", "\n", "", "\x00", "")
	p.Name, p.Email = strings.TrimSpace(clean.Replace(p.Name)), strings.TrimSpace(clean.Replace(p.Email))
	return p
}

// parseZone reads a time zone such as -0730.
func parseZone(s string) *time.Location {
	n, err := strconv.Atoi(s)
	if err != nil || len(s) != len("+0000") || s[0] != '+' && s[0] != '-' {
		return time.UTC
	}
	return time.FixedZone("", (n/100*60+n%100)*60)
}

// Head is the commit that is checked out, and its branch: empty where HEAD is detached.
func (r *Repository) Head(ctx context.Context) (Commit, string, error) {
	c, err := r.Commit(ctx, "HEAD")
	if refusal.Is(err) {
		return c, "", refusal.New("read HEAD of %s: no commit is checked out; "+
			"commit the files, or check out a branch: git switch BRANCH", r.dir)
	}
	if err != nil {
		return c, "", fmt.Errorf("read HEAD of %s: %w", r.dir, err)
	}
	branch, err := r.Git(ctx, "symbolic-ref", "--quiet", "--short", "HEAD")
	if exitCode(err) == 1 {
		return c, "", nil
	}
	return c, branch, err
}

// Shallow tells whether history was cut off when the repository was cloned.
func (r *Repository) Shallow(ctx context.Context) (bool, error) {
	out, err := r.Git(ctx, "rev-parse", "--is-shallow-repository")
	return out == "true", err
}

// Refs are the commits under a prefix such as refs/tags/, by the name after it. Tags are followed to their commits.
func (r *Repository) Refs(ctx context.Context, prefix string) (map[string]string, error) {
	out, err := r.Git(ctx, "for-each-ref", "--format=%(objectname) %(*objecttype) %(*objectname) %(refname)", prefix)
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
		id, name := fields[0], strings.TrimPrefix(fields[3], prefix)
		if fields[2] != "" {
			id = fields[2]
		}
		if fields[1] == "tag" { // a tag of a tag: git before 2.45 follows one of them
			if id, err = r.Git(ctx, "rev-parse", "--verify", id+"^{}"); err != nil {
				return nil, err
			}
		}
		refs[name] = id
	}
	return refs, nil
}

// Created is when the refs under a prefix such as refs/tags/ were made, by the name after it: an annotated tag says so itself, else it is when its commit was.
func (r *Repository) Created(ctx context.Context, prefix string) (map[string]time.Time, error) {
	out, err := r.Git(ctx, "for-each-ref", "--format=%(creatordate:unix) %(refname)", prefix)
	if err != nil {
		return nil, err
	}
	created := map[string]time.Time{}
	for line := range strings.Lines(out) {
		date, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if seconds, err := strconv.ParseInt(date, 10, 64); err == nil { // a tag of a tree or a blob has none
			created[strings.TrimPrefix(name, prefix)] = time.Unix(seconds, 0).UTC()
		}
	}
	return created, nil
}

// NearestTag is the nearest tag in a commit's history that is none of those to pass over; empty where there is none.
func (r *Repository) NearestTag(ctx context.Context, commit string, passOver []string) (string, error) {
	args := []string{"describe", "--tags", "--abbrev=0"}
	for _, tag := range passOver {
		args = append(args, "--exclude", tag)
	}
	tag, err := r.Git(ctx, append(args, commit)...)
	if exitCode(err) == 128 && !strings.Contains(err.Error(), "Not a valid object") {
		return "", nil // nothing to describe it by
	}
	return tag, err
}

// Descends tells whether commit has ancestor in its history, or is it.
func (r *Repository) Descends(ctx context.Context, commit, ancestor string) (bool, error) {
	_, err := r.Git(ctx, "merge-base", "--is-ancestor", ancestor, commit)
	if exitCode(err) == 1 {
		return false, nil
	}
	return err == nil, err
}

// Newest is the commit that a branch is at, here or at the default remote as last fetched: the one that is ahead.
// It is empty where there is no such branch. Where neither contains the other it is refused.
func (r *Repository) Newest(ctx context.Context, branch string) (string, error) {
	tips, remote, err := r.tips(ctx, branch)
	switch {
	case err != nil:
		return "", err
	case len(tips) == 0:
		return "", nil
	case len(tips) == 1 || tips[0] == tips[1]:
		return tips[0], nil
	}
	for i, tip := range tips {
		ahead, err := r.Descends(ctx, tip, tips[1-i])
		if err != nil {
			return "", err
		}
		if ahead {
			return tip, nil
		}
	}
	return "", refusal.New("read branch %s: %.12s here and %.12s at %s have diverged; merge or rebase one first",
		branch, tips[0], tips[1], remote)
}

// tips are the commits that a branch is at: here, and at the default remote as last fetched.
func (r *Repository) tips(ctx context.Context, branch string) (commits []string, remote string, err error) {
	remote, prefix, err := r.Tracking(ctx)
	if err != nil {
		return nil, "", err
	}
	refs, err := r.Git(ctx, "for-each-ref", "--format=%(objectname)", "refs/heads/"+branch, prefix+branch)
	return strings.Fields(refs), remote, err
}

// Between are the commits that to has in its history and from has not, the oldest first. Without from it is all of to's history.
func (r *Repository) Between(ctx context.Context, from, to string) ([]Commit, error) {
	tips := []string{to}
	if from != "" {
		tips = append(tips, "^"+from)
	}
	return r.History(ctx, tips)
}

// revList is what git tells of the histories of tips, what others descend from first.
func (r *Repository) revList(ctx context.Context, tips []string, args ...string) ([]byte, error) {
	if slices.Contains(tips, "") { // to git it is the end of the input: what comes behind it would be left out, and nothing said
		return nil, fmt.Errorf("read the history of %d revisions of %s: one of them is empty", len(tips), r.dir)
	}
	return r.run(ctx, strings.NewReader(strings.Join(tips, "\n")+"\n"), nil, append([]string{"rev-list", "--reverse", "--topo-order", "--stdin"}, args...)...)
}

// History are the commits that tips have in their histories, but for those of tips with a ^ before them; what others descend from comes first. Without tips there are none.
func (r *Repository) History(ctx context.Context, tips []string) ([]Commit, error) {
	if len(tips) == 0 {
		return nil, nil
	}
	ids, err := r.revList(ctx, tips)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	out, err := r.run(ctx, bytes.NewReader(ids), nil, "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	return parseCommits(out, func(header string) error {
		return fmt.Errorf("read the history of %s: git answered %q; is the clone complete?", strings.Join(tips[:min(3, len(tips))], " "), header)
	})
}

// Fork is the last commit that a branch has in common with all of the others; ok is false where their histories are apart.
func (r *Repository) Fork(ctx context.Context, branch string, others ...string) (id string, ok bool, err error) {
	id, err = r.Git(ctx, append([]string{"merge-base", "--octopus", branch}, others...)...)
	if exitCode(err) == 1 {
		return "", false, nil
	}
	id, _, _ = strings.Cut(id, "\n") // of several, which criss-cross merges leave, any
	return id, err == nil, err
}

// Outside are those of the commits that a branch has not in its history.
func (r *Repository) Outside(ctx context.Context, branch string, commits []string) (map[string]bool, error) {
	args := []string{"rev-list", "--stdin"}
	out, err := r.run(ctx, strings.NewReader(strings.Join(commits, "\n")+"\n^"+branch+"\n"), nil, args...)
	if err != nil {
		return nil, err
	}
	all := map[string]bool{}
	for id := range strings.FieldsSeq(string(out)) {
		all[id] = true
	}
	outside := map[string]bool{}
	for _, id := range commits {
		outside[id] = all[id]
	}
	return outside, nil
}

// MergeBase is the last commit that two have in common; ok is false where their histories are apart.
func (r *Repository) MergeBase(ctx context.Context, a, b string) (id string, ok bool, err error) {
	id, err = r.Git(ctx, "merge-base", a, b)
	if exitCode(err) == 1 {
		return "", false, nil
	}
	return id, err == nil, err
}

// Grep lists the places of a tree's text files, outside of the paths to exclude, that hold one of the words.
func (r *Repository) Grep(ctx context.Context, tree string, words, exclude []string) ([]Place, error) {
	if err := r.Complete(ctx, tree); err != nil {
		return nil, err
	}
	args := []string{"grep", "-n", "-I", "-w", "-z", "--full-name", "-F"}
	for _, word := range words {
		args = append(args, "-e", word)
	}
	args = append(args, tree, "--", ".")
	for _, pattern := range exclude {
		args = append(args, ":(exclude,top,glob)"+pattern)
	}
	out, err := r.inNeutral(ctx, tree, "", args...)
	if exitCode(err) == 1 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var places []Place
	for line := range strings.Lines(string(out)) {
		// TREE:PATH NUL LINE NUL TEXT
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), "\x00", 3)
		if len(fields) != 3 {
			continue
		}
		n, err := strconv.Atoi(fields[1])
		if err != nil {
			continue
		}
		places = append(places, Place{Path: strings.TrimPrefix(fields[0], tree+":"), Line: n, Text: fields[2]})
	}
	return places, nil
}

// Place is a line of a file.
type Place struct {
	Path string
	Line int
	Text string
}
