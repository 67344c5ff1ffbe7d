package notes

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/version"
)

func TestMarkdown(t *testing.T) {
	n := Notes{
		Version: version.MustParse("v1.5.0"), Since: "v1.4.1", Time: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), URL: "https://github.com/example/pi",
		Groups: group([]Entry{
			{Kind: change.Feature, Scope: "chart", Text: "drop the hook", Breaking: true, Breaks: []string{"Remove `hook` from your values."}, Requests: []string{"7"}, Author: "Ada", Commit: strings.Repeat("a", 40)},
			{Kind: change.Fix, Text: "answer <b>", Requests: []string{"8"}, Backports: []string{"9"}, Author: "Bob *star*", Commit: strings.Repeat("b", 40)},
			{Kind: change.Other, Text: "tidy up", Commit: strings.Repeat("c", 40)},
			{Kind: change.Fix, Text: "out before", Commit: strings.Repeat("d", 40), Requests: []string{"3"}, AlreadyBy: change.ByOrigin},
		}, "v1.4.1"),
	}
	const want = `## [v1.5.0](https://github.com/example/pi/releases/tag/v1.5.0) (2026-03-01)

Changes since [v1.4.1](https://github.com/example/pi/compare/v1.4.1...v1.5.0).

### Breaking changes

- **chart:** drop the hook ([#7](https://github.com/example/pi/pull/7), Ada)

  Remove ` + "`hook`" + ` from your values.

### Fixes

- answer \<b\> ([#8](https://github.com/example/pi/pull/8), backported by [#9](https://github.com/example/pi/pull/9), Bob \*star\*)

### Other changes

- tidy up ([cccccccccccc](https://github.com/example/pi/commit/cccccccccccccccccccccccccccccccccccccccc))

### Already in v1.4.1

- out before ([#3](https://github.com/example/pi/pull/3))
`
	if got := n.Markdown(); got != want {
		t.Errorf("%s", got)
	}
	n.URL = "https://git.example.com/pi"
	if got := n.Markdown(); strings.Contains(got, "](") || !strings.Contains(got, "(#8, backported by #9, Bob") {
		t.Errorf("elsewhere than on GitHub: %s", got)
	}
	var html bytes.Buffer
	if err := goldmark.Convert([]byte(want), &html); err != nil || strings.Contains(html.String(), "<b>") || strings.Count(html.String(), "<h3>") != 4 {
		t.Errorf("%v: %s", err, html.String())
	}
	if empty := (Notes{Version: version.MustParse("v0.1.0")}).Markdown(); !strings.Contains(empty, "Nothing has changed.") {
		t.Error(empty)
	}
}

// What pull requests say: logins for all, titles where a commit's subject says nothing of what it is.
func TestEnriched(t *testing.T) {
	n := Notes{Version: version.MustParse("v1.5.0"), Groups: group([]Entry{
		{Kind: change.Other, Text: "Update client.go", Requests: []string{"7"}, Backports: []string{"9"}, Author: "Ada", Commit: strings.Repeat("a", 40)},
		{Kind: change.Feature, Text: "b", Requests: []string{"8"}, Author: "Bob", Commit: strings.Repeat("b", 40)},
		{Kind: change.Other, Scope: "docs", Text: "c", Requests: []string{"10"}, Author: "Cy", Commit: strings.Repeat("c", 40)},
		{Kind: change.Dependencies, Text: "bump x", Requests: []string{"11"}, Author: "dependabot[bot]", Commit: strings.Repeat("d", 40)},
		{Kind: change.Fix, Text: "without", Author: "Eve", Commit: strings.Repeat("e", 40)},
		{Kind: change.Fix, Text: "unknown", Requests: []string{"12"}, Author: "Eve", Commit: strings.Repeat("f", 40)},
	}, "")}
	if got := strings.Join(n.Numbers(), " "); got != "8 12 11 7 10" {
		t.Errorf("asked for %s", got)
	}
	got := n.Enriched(map[string]Pull{
		"7": {"fix(client)!: close what is open [again] @all", "ada-l"}, "8": {"fix: not this", "bob_x"}, "10": {"feat: nor this", "Cy2"}, "11": {"chore(deps): bump x", "dependabot[bot]"},
	}).Markdown()
	const want = `## v1.5.0 (0001-01-01)

### Breaking changes

- **client:** close what is open \[again\] ` + "`@all`" + ` (#7, backported by #9, @ada-l)

### Features

- b (#8, @bob_x)

### Fixes

- without (eeeeeeeeeeee, Eve)
- unknown (#12, Eve)

### Dependencies

- bump x (#11, dependabot\[bot\])

### Other changes

- **docs:** c (#10, @Cy2)
`
	if got != want {
		t.Errorf("%s", got)
	}
}
