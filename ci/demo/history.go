package demo

import (
	"embed"
	"fmt"
	"net/mail"
	"path"
	"regexp"
	"strings"
	"time"

	"golang.org/x/tools/txtar"
)

//go:embed history/*.txtar later/*.txtar
var embedded embed.FS

// commit is one file of the history.
type commit struct {
	number    string // What the file's name starts with.
	author    person
	committer person
	branch    string
	from      string // The number of the commit that the branch starts from, in its first commit.
	parent    string // The number of the commit before; empty for the first of all.
	tag       string
	deletes   []string
	message   string
	files     []txtar.File
}

// person is who did something, and when.
type person struct {
	name, email string
	when        time.Time
}

// String is the person as git writes it into a commit.
func (p person) String() string {
	return fmt.Sprintf("%s <%s> %d %s", p.name, p.email, p.when.Unix(), p.when.Format("-0700"))
}

// history returns the embedded commits in their order.
func history() ([]commit, error) {
	entries, err := embedded.ReadDir("history")
	if err != nil {
		return nil, err
	}
	var commits []commit
	for _, entry := range entries {
		data, err := embedded.ReadFile(path.Join("history", entry.Name()))
		if err != nil {
			return nil, err
		}
		c, err := parse(entry.Name(), data)
		if err != nil {
			return nil, fmt.Errorf("history/%s: %w", entry.Name(), err)
		}
		commits = append(commits, c)
	}
	return commits, link(commits)
}

var placeholder = regexp.MustCompile(`\{\{commit ([0-9]{4})\}\}`)

// link finds each commit's parent, and checks that commits name only such as come before them.
func link(commits []commit) error {
	known, heads := map[string]bool{}, map[string]string{}
	for i := range commits {
		c := &commits[i]
		head, started := heads[c.branch]
		switch {
		case known[c.number]:
			return fmt.Errorf("there are two commits %s", c.number)
		case c.from != "" && started:
			return fmt.Errorf("the commit %s has From, which is for the first one on %s", c.number, c.branch)
		case c.from != "" && !known[c.from]:
			return fmt.Errorf("the commit %s has From: %s, which is none before it", c.number, c.from)
		case c.from == "" && !started && i > 0:
			return fmt.Errorf("the commit %s is the first one on %s and has no From", c.number, c.branch)
		}
		c.parent = head + c.from
		for _, match := range placeholder.FindAllStringSubmatch(c.message, -1) {
			if !known[match[1]] {
				return fmt.Errorf("the message of the commit %s names %s, which is none before it", c.number, match[1])
			}
		}
		known[c.number], heads[c.branch] = true, c.number
	}
	return nil
}

var fileName = regexp.MustCompile(`^([0-9]{4})-[a-z0-9.-]+\.txtar$`)

// parse reads one file of the history.
func parse(name string, data []byte) (commit, error) {
	match := fileName.FindStringSubmatch(name)
	if match == nil {
		return commit{}, fmt.Errorf("the name is not of the form 0010-subject.txtar")
	}
	archive := txtar.Parse(data)
	c := commit{number: match[1], files: archive.Files}
	header, message, ok := strings.Cut(string(archive.Comment), "\n\n")
	if !ok || strings.TrimSpace(message) == "" {
		return commit{}, fmt.Errorf("there is no empty line with a commit message after the header")
	}
	c.message = strings.TrimSpace(message) + "\n"

	seen := map[string]bool{}
	var committer, committed string
	for line := range strings.Lines(header) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !ok || value == "" {
			return commit{}, fmt.Errorf("the header's line %q is not of the form Key: value", line)
		}
		if seen[key] && key != "Delete" {
			return commit{}, fmt.Errorf("the header has %s twice", key)
		}
		seen[key] = true
		var err error
		switch key {
		case "Author":
			err = c.author.setName(value)
		case "Date":
			c.author.when, err = time.Parse(time.RFC3339, value)
		case "Committer":
			committer = value
		case "Committed":
			committed = value
		case "Branch":
			c.branch = value
		case "From":
			c.from = value
		case "Tag":
			c.tag = value
		case "Delete":
			c.deletes = append(c.deletes, value)
		default:
			err = fmt.Errorf("there is no such key")
		}
		if err != nil {
			return commit{}, fmt.Errorf("the header's %s is %q: %w", key, value, err)
		}
	}
	for _, key := range []string{"Author", "Date", "Branch"} {
		if !seen[key] {
			return commit{}, fmt.Errorf("the header lacks %s", key)
		}
	}

	c.committer = c.author
	if committer != "" {
		if err := c.committer.setName(committer); err != nil {
			return commit{}, fmt.Errorf("the header's Committer is %q: %w", committer, err)
		}
	}
	if committed != "" {
		when, err := time.Parse(time.RFC3339, committed)
		if err != nil {
			return commit{}, fmt.Errorf("the header's Committed is %q: %w", committed, err)
		}
		c.committer.when = when
	}
	return c, nil
}

func (p *person) setName(text string) error {
	address, err := mail.ParseAddress(text)
	if err != nil {
		return err
	}
	p.name, p.email = address.Name, address.Address
	return nil
}
