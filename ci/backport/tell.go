package backport

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/markdown"
)

// Told is what was said on the pull request that a commit came by.
type Told struct {
	Line     string `json:"line"`
	Number   int    `json:"number"`
	Conflict bool   `json:"conflict"` // else that there is none any more
	Changed  bool   `json:"changed"`
}

// Tell comments on the pull requests whose commits conflict, once for each line: what conflicts, and the ways on. The same comment is edited by a later run, also when nothing
// conflicts any more; where nothing ever did, nothing is said.
func (p Pulls) Tell(ctx context.Context, lines []Line, results []Result, opened []Opened, sources map[string]Source) ([]Told, error) {
	var told []Told
	for _, line := range lines {
		bySource := map[int][]Result{}
		var numbers []int
		for _, r := range results {
			source, ok := sources[r.Commit]
			if r.Line != line.Name || !ok {
				continue
			}
			if bySource[source.Number] == nil {
				numbers = append(numbers, source.Number)
			}
			bySource[source.Number] = append(bySource[source.Number], r)
		}
		for _, number := range numbers {
			key := "backport " + line.Name
			conflict := slices.ContainsFunc(bySource[number], func(r Result) bool { return r.Outcome == Conflict })
			if !conflict {
				if said, err := p.Forge.Commented(ctx, number, key); err != nil {
					return told, err
				} else if !said {
					continue
				}
			}
			changed, err := p.Forge.Comment(ctx, number, key, comment(line, bySource[number], opened))
			if err != nil {
				return told, err
			}
			told = append(told, Told{Line: line.Name, Number: number, Conflict: conflict, Changed: changed})
		}
	}
	return told, nil
}

// comment says what came of the commits on a line.
func comment(line Line, results []Result, opened []Opened) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**Backport to %s**\n", markdown.Code(line.Branch))
	for _, r := range results {
		fmt.Fprintf(&b, "\n%s %s: ", r.Commit, markdown.Escape(r.Subject))
		switch r.Outcome {
		case Conflict:
			b.WriteString("conflicts.\n\n")
			for _, c := range r.Conflicts {
				fmt.Fprintf(&b, "- %s\n", markdown.Escape(Where(r, c)))
			}
			for _, n := range r.Needs {
				fmt.Fprintf(&b, "- it needs commit %s first%s: %s\n", n.Commit, n.warning(), markdown.Escape(n.Subject))
			}
			fmt.Fprintf(&b, "\nBy hand:\n\n```sh\ngit fetch origin\n%s\n```\n", strings.Join(ByHand(line, r, "origin/"), "\n"))
		case There:
			fmt.Fprintf(&b, "is on the line already, as %s (recognized by its %s).\n", r.Found, r.By)
		case Empty:
			b.WriteString("changes nothing on the line.\n")
		default:
			at := slices.IndexFunc(opened, func(o Opened) bool { return o.Branch == r.Branch })
			if at < 0 { // of several together, another one conflicts
				b.WriteString("applies.\n")
				continue
			}
			fmt.Fprintf(&b, "applies: #%d.\n", opened[at].Number)
		}
	}
	return b.String()
}

// warning is what one should know before a prerequisite is taken along.
func (n Needed) warning() string {
	if n.Feature {
		return ", which brings a feature into the line"
	}
	return ""
}

// Where says where and why a pick conflicts.
func Where(r Result, c git.Conflict) string {
	switch {
	case len(r.Failed) > 0: // git's own words name the path, a command's do not
		return c.Path + ": " + c.Why
	case c.Why != "":
		return c.Why
	}
	return c.Path
}

// ByHand are the commands that pick what conflicts by hand; from is what stands before a branch that is at origin only.
func ByHand(line Line, r Result, from string) []string {
	pick := "git cherry-pick -x "
	if r.Merge {
		pick += "-m 1 "
	}
	if r.SignOff {
		pick += "--signoff "
	}
	return append([]string{
		fmt.Sprintf("git switch -c backport/%s-%s %s%s", short(r.Commit), r.Line, from, line.Branch),
		pick + short(r.Commit),
	}, r.Failed...)
}
