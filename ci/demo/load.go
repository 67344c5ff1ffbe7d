package demo

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strings"
)

// load writes the commits into a repository, with their branches and tags.
func (g gitCommand) load(ctx context.Context, gitDir string, commits []commit) error {
	cmd := g.command(ctx, "--git-dir="+gitDir, "fast-import", "--quiet", "--done", "--date-format=raw")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return failure(ctx, cmd, err, &stderr)
	}
	loader := &loader{stream: bufio.NewWriter(stdin), answers: bufio.NewReader(stdout), ids: map[string]string{}}
	err = loader.load(commits)
	stdin.Close()
	if waitErr := cmd.Wait(); waitErr != nil {
		// Why git ended says more than that the pipe to it broke.
		return failure(ctx, cmd, waitErr, &stderr)
	}
	return err
}

// loader speaks with git fast-import.
type loader struct {
	stream  *bufio.Writer
	answers *bufio.Reader
	ids     map[string]string // By a commit's number, which is its mark as well.
}

func (l *loader) load(commits []commit) error {
	for _, c := range commits {
		if err := l.commit(c); err != nil {
			return fmt.Errorf("give the commit %s to git fast-import: %w", c.number, err)
		}
	}
	fmt.Fprintln(l.stream, "done")
	return l.stream.Flush()
}

func (l *loader) commit(c commit) error {
	message := placeholder.ReplaceAllStringFunc(c.message, func(found string) string {
		return l.ids[placeholder.FindStringSubmatch(found)[1]]
	})
	fmt.Fprintf(l.stream, "commit refs/heads/%s\nmark :%s\nauthor %s\ncommitter %s\n", c.branch, c.number, c.author, c.committer)
	l.data(message)
	if c.parent != "" {
		fmt.Fprintf(l.stream, "from :%s\n", c.parent)
	}
	for _, path := range c.deletes {
		fmt.Fprintf(l.stream, "D %s\n", path)
	}
	for _, file := range c.files {
		mode := "100644"
		if strings.HasSuffix(file.Name, ".sh") {
			mode = "100755"
		}
		fmt.Fprintf(l.stream, "M %s inline %s\n", mode, file.Name)
		l.data(string(file.Data))
	}

	// A later message may name this commit by its id. git answers at once, as the stream holds nothing further.
	fmt.Fprintf(l.stream, "get-mark :%s\n", c.number)
	if err := l.stream.Flush(); err != nil {
		return err
	}
	id, err := l.answers.ReadString('\n')
	if err != nil {
		return err
	}
	l.ids[c.number] = strings.TrimSpace(id)

	if c.tag != "" {
		fmt.Fprintf(l.stream, "tag %s\nfrom :%s\ntagger %s\n", c.tag, c.number, c.committer)
		l.data("pi-operator " + c.tag + "\n")
	}
	return nil
}

// data writes a message or a file's content.
func (l *loader) data(content string) {
	fmt.Fprintf(l.stream, "data %d\n%s\n", len(content), content)
}
