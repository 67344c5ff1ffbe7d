package backport

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/git"
)

// BenchmarkRun picks 100 commits onto 3 lines, beside git cherry-pick one by one. The trees are the same.
func BenchmarkRun(b *testing.B) {
	dir := b.TempDir()
	var stream strings.Builder
	commit := func(branch, from string, when int, message string, files map[string]string) {
		fmt.Fprintf(&stream, "commit refs/heads/%s\ncommitter Ada <ada@example.com> %d +0000\ndata %d\n%s\n", branch, 1767225600+when, len(message), message)
		if from != "" {
			fmt.Fprintf(&stream, "from refs/heads/%s\n", from)
		}
		for name, content := range files {
			fmt.Fprintf(&stream, "M 100644 inline %s\ndata %d\n%s\n", name, len(content), content)
		}
	}
	content := func(file, line int, with string) string {
		var text strings.Builder
		for i := range 200 {
			if i == line {
				fmt.Fprintln(&text, with)
			} else {
				fmt.Fprintf(&text, "line %d of file %d\n", i, file)
			}
		}
		return text.String()
	}
	all := map[string]string{}
	name := func(i int) string { return fmt.Sprintf("pkg%d/sub%d/file%d", i%20, i%7, i) }
	for i := range 500 {
		all[name(i)] = content(i, -1, "")
	}
	commit("main", "", 0, "feat: begin\n", all)
	lines := []string{"1.3", "1.4", "1.5"}
	for i, line := range lines {
		commit("release-"+line, "main", 1+i, "chore: cut\n", map[string]string{name(400): content(400, i, line)})
	}
	for i := range 100 {
		commit("main", "", 100+i, fmt.Sprintf("fix: number %d (#%d)\n\nSigned-off-by: Ada <ada@example.com>\n", i, i), map[string]string{name(i): content(i, 100, "fixed")})
	}
	run := func(in string, args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(in)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com")
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("", "init", "-q", "-b", "main", ".")
	run(stream.String(), "fast-import", "--quiet")
	commits := strings.Fields(run("", "rev-list", "--reverse", "-100", "main"))
	var onto []Line
	for _, line := range lines {
		onto = append(onto, Line{line, "release-" + line, run("", "rev-parse", "release-"+line)})
	}
	var trees []string
	b.Run("in memory", func(b *testing.B) {
		r, err := git.Open(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			q, err := r.Quarantine(b.Context(), b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			results, err := Run(b.Context(), Options{Repository: q, Commits: commits, Lines: onto, Together: true})
			if err != nil || len(results) != 300 {
				b.Fatal(len(results), err)
			}
			trees = nil
			for i := 0; i < 300; i += 100 {
				tip, err := q.Commit(b.Context(), results[i].Tip)
				if err != nil {
					b.Fatal(err)
				}
				trees = append(trees, tip.Tree)
			}
		}
	})
	b.Run("one branch each", func(b *testing.B) {
		r, err := git.Open(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			q, err := r.Quarantine(b.Context(), b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			if results, err := Run(b.Context(), Options{Repository: q, Commits: commits, Lines: onto}); err != nil || len(results) != 300 {
				b.Fatal(len(results), err)
			}
		}
	})
	b.Run("git cherry-pick", func(b *testing.B) {
		for b.Loop() {
			for i, line := range onto {
				run("", "checkout", "-q", "--detach", line.Branch)
				for _, c := range commits {
					run("", "cherry-pick", "-x", c)
				}
				if tree := run("", "rev-parse", "HEAD^{tree}"); trees != nil && tree != trees[i] {
					b.Errorf("line %s: tree %s in memory, %s by git cherry-pick", line.Name, trees[i], tree)
				}
			}
		}
	})
}
