package clones

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// The versions and branches of the repository that is cloned.
const (
	Next   = "v1.5.0-rc.0" // what is released from main
	Newest = "v1.4.1"      // the newest tag; it lies on branch Line, and a place in its chart names another version
	Line   = "release-1.4"
	ToPick = "fix: count from one (#12)" // the commit of main that Line does not have
)

type commit struct {
	branch, from, subject, tag string
	files                      map[string]string
}

// history is an operator that releases a chart. It has no Go code, so a release takes a fraction of a second.
func history() []commit {
	start := map[string]string{"docs/guide/start.md": "Start twice.\n"}
	end := map[string]string{"docs/guide/end.md": "End well.\n"}
	return []commit{
		{branch: "main", subject: "feat: begin (#1)", tag: "v1.3.0", files: surfaces("1.3.0", "1.3.0", map[string]string{
			".release.yaml": settings, "README.md": "# op\n", "CHANGELOG.md": "# Changelog\n",
			"chart/values.yaml": "replicas: 1\n", "chart/templates/config.yaml": config(1),
			"docs/guide/start.md": "Start.\n", "docs/guide/end.md": "End.\n",
		})},
		{branch: "main", subject: "feat: a second start (#7)", files: start},
		{branch: "main", subject: "chore(release): v1.4.0", tag: "v1.4.0", files: surfaces("1.4.0", "1.4.0", nil)},
		{branch: Line, from: "v1.4.0", subject: "fix: end well (#9)", files: end},
		{branch: Line, subject: "chore(release): v1.4.1", tag: Newest, files: surfaces("1.4.1", "1.4.0", nil)},
		{branch: "main", subject: "fix: end well (#9)", files: end},
		{branch: "main", subject: ToPick, files: map[string]string{"chart/templates/config.yaml": config(2)}},
		{branch: "main", subject: "feat: replicas (#14)", files: map[string]string{"chart/values.yaml": "replicas: 2\n"}},
	}
}

const settings = `name: op
gate: ["git describe --exact-match"]
charts:
- path: chart
  repository: docker.io/example/charts
`

func config(from int) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: op\ndata:\n  from: %q\n", fmt.Sprint(from))
}

// surfaces are the files that carry a version; the chart's appVersion may name another one.
func surfaces(version, app string, more map[string]string) map[string]string {
	files := map[string]string{
		"VERSION":          "v" + version + "\n",
		"chart/Chart.yaml": fmt.Sprintf("apiVersion: v2\nname: op\nversion: %s\nappVersion: v%s\n", version, app),
	}
	for name, content := range more {
		files[name] = content
	}
	return files
}

// Repository makes dir a bare repository with the history, in an object format of git (sha1, sha256).
func (g Git) Repository(ctx context.Context, dir, format string) error {
	init := []string{"init", "--quiet", "--bare", "--initial-branch=main", "--object-format=" + format, dir}
	if _, err := g.Run(ctx, filepath.Dir(dir), init...); err != nil {
		return err
	}
	var stream strings.Builder
	data := func(text string) { fmt.Fprintf(&stream, "data %d\n%s\n", len(text), text) }
	marks := map[string]int{} // of tagged commits
	for i, c := range history() {
		by := fmt.Sprintf("Ada <ada@example.com> %d +0200", 1790000000+3600*i)
		fmt.Fprintf(&stream, "commit refs/heads/%s\nmark :%d\nauthor %s\ncommitter %s\n", c.branch, i+1, by, by)
		data(c.subject + "\n")
		if c.from != "" {
			fmt.Fprintf(&stream, "from :%d\n", marks[c.from])
		}
		for name, content := range c.files {
			fmt.Fprintf(&stream, "M 100644 inline %s\n", name)
			data(content)
		}
		if c.tag != "" {
			marks[c.tag] = i + 1
			fmt.Fprintf(&stream, "tag %s\nfrom refs/heads/%s\ntagger %s\n", c.tag, c.branch, by)
			data("op " + c.tag + "\n")
		}
	}
	if _, err := g.input(ctx, dir, stream.String(), "fast-import", "--quiet"); err != nil {
		return err
	}
	// Servers that offer partial clones are set so.
	for _, name := range []string{"uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"} {
		if _, err := g.Run(ctx, dir, "config", name, "true"); err != nil {
			return err
		}
	}
	return nil
}
