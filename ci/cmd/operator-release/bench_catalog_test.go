package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/bundle/bundletest"
	"github.com/operator-release/operator-release/ci/demo"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/version"
)

// BenchmarkCatalog makes the site of 200 versions on 10 lines from records in a folder: the demo's tree at every version, audited, drawn and written.
func BenchmarkCatalog(b *testing.B) {
	dir := b.TempDir()
	repository, backups := filepath.Join(dir, "repository"), filepath.Join(dir, "backups")
	if err := demo.Repository(b.Context(), repository); err != nil {
		b.Fatal(err)
	}
	manyVersions(b, repository, 10, 20)
	r, err := git.Open(b.Context(), repository)
	if err != nil {
		b.Fatal(err)
	}
	keepMany(b, r, backups)
	b.ResetTimer()
	for b.Loop() {
		a := newApp(nil)
		cmd := a.command()
		cmd.SetArgs([]string{"catalog", "--quiet", "--json", "--source", repository, "--backup", backups, "-o", filepath.Join(dir, "site")})
		if err := cmd.ExecuteContext(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	largest := int64(0)
	err = filepath.WalkDir(filepath.Join(dir, "site"), func(name string, e fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".html" {
			info, err := e.Info()
			if err != nil {
				return err
			}
			largest = max(largest, info.Size())
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(largest), "page-bytes")
}

// manyVersions replaces a repository's tags by those of lines with so many versions each: a candidate, a final and patches, each on a commit of its line with a fix picked from main.
func manyVersions(b *testing.B, dir string, lines, each int) {
	b.Helper()
	run := func(in string, args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Stdin = strings.NewReader(in)
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("git %s: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	for tag := range strings.FieldsSeq(run("", "tag", "--list")) {
		run("", "tag", "--delete", tag)
	}
	run("", "branch", "--delete", "--force", "release-1.4")
	base := run("", "rev-parse", "main")
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var stream bytes.Buffer
	mark := 0
	commit := func(branch, from, message string) int {
		mark++
		at = at.Add(5 * time.Hour)
		fmt.Fprintf(&stream, "commit refs/heads/%s\nmark :%d\ncommitter Ada <ada@example.com> %d +0000\ndata %d\n%s\n", branch, mark, at.Unix(), len(message), message)
		if from != "" {
			fmt.Fprintf(&stream, "from %s\n", from)
		}
		fmt.Fprintf(&stream, "M 100644 inline notes/%d\ndata %d\n%s\n\n", mark, len(message), message)
		return mark
	}
	main := base
	for line := range lines {
		branch := fmt.Sprintf("release-2.%d", line)
		first := main
		for n := range each {
			text := fmt.Sprintf("fix(cluster): number %d of line 2.%d no longer fails on large clusters (#%d)", n, line, 1000+line*100+n)
			main = fmt.Sprintf(":%d", commit("main", main, text))
			fix := commit(branch, first, text)
			first = ""
			v := fmt.Sprintf("v2.%d.%d", line, max(0, n-1))
			if n == 0 {
				v += "-rc.0"
			}
			fmt.Fprintf(&stream, "tag %s\nfrom :%d\ntagger Ada <ada@example.com> %d +0000\ndata %d\n%s\n", v, fix, at.Unix(), len(v), v)
		}
	}
	run(stream.String(), "fast-import", "--quiet", "--force")
}

// keepMany keeps a bundle of every tagged version in a folder of backups.
func keepMany(b *testing.B, r *git.Repository, backups string) {
	b.Helper()
	ctx := b.Context()
	out, err := r.Git(ctx, "for-each-ref", "--format=%(refname:short) %(objectname) %(*objectname) %(*tree)", "refs/tags/")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		v := version.MustParse(f[0])
		p := bundletest.Pieces(b, "linux/amd64", "linux/arm64")
		p.Record.Version, p.Record.Tag, p.Record.Commit, p.Record.Tree = v, f[1], f[2], f[3]
		p.Record.Line = fmt.Sprintf("%d.%d", v.Major(), v.Minor())
		p.Record.Branch = "release-" + p.Record.Line
		for i := range p.Files {
			if p.Files[i].Kind == bundle.KindNotes {
				if err := os.WriteFile(p.Files[i].Path, []byte("## "+v.String()+"\n\n### Fixes\n\n"+strings.Repeat("- **cluster:** what failed on large clusters works ([#1000](https://github.com/acme/spark/pull/1000), Ada)\n", 20)), 0o600); err != nil {
					b.Fatal(err)
				}
			}
		}
		p.Charts = []bundle.Chart{bundletest.Chart(b, p.Images[0].From, v.SemVer())}
		kept, err := bundle.Assemble(filepath.Join(backups, v.String()), p)
		if err != nil {
			b.Fatal(err)
		}
		bundletest.Tested(b, kept)
		claim := journal.Claim{Identity: kept.Identity.Digest, Repository: kept.Record.Config.Artifacts}
		id, err := r.NewTag(ctx, "releases/"+v.String(), f[2], git.Person{Name: "Ada", Email: "ada@example.com", Time: p.Record.Time}, claim.Message("spark", v))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Git(ctx, "update-ref", journal.ClaimRef(v), id); err != nil {
			b.Fatal(err)
		}
	}
}
