package change

import (
	"regexp"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
)

// The subjects of the merges of pull requests.
var (
	githubMerge    = regexp.MustCompile(`^Merge pull request #([0-9]+) from (\S+)\s*$`)
	giteaMerge     = regexp.MustCompile(`^Merge pull request '(.+)' \(#([0-9]+)\) from (\S+) into \S+\s*$`)
	bitbucketMerge = regexp.MustCompile(`^Merged in (\S+) \(pull request #([0-9]+)\)\s*$`)
	stashMerge     = regexp.MustCompile(`^Merge pull request #([0-9]+) in \S+ from (\S+) to \S+\s*$`)
	gitlabMerge    = regexp.MustCompile(`^Merge branch '(\S+)' into '\S+'\s*$`)
	gitlabNumber   = regexp.MustCompile(`(?m)^See merge request \S*!([0-9]+)\s*$`)
	branchMerge    = regexp.MustCompile(`(?i)^merge[ds]?\b`)
)

// mergedPull is what the message of a merge says of the pull request.
type mergedPull struct {
	number, title string
	head          string // its branch
	body          string // behind the title
}

// readMerge reads the message that a forge writes when it merges a pull request: GitHub, Gitea, GitLab or Bitbucket.
func readMerge(message string) (mergedPull, bool) {
	subject, body, _ := strings.Cut(message, "\n")
	if f := giteaMerge.FindStringSubmatch(subject); f != nil {
		return mergedPull{number: f[2], title: f[1], head: f[3], body: body}, true
	}
	var m mergedPull
	if f := githubMerge.FindStringSubmatch(subject); f != nil {
		m = mergedPull{number: f[1], head: f[2]}
	} else if f := bitbucketMerge.FindStringSubmatch(subject); f != nil {
		m = mergedPull{number: f[2], head: f[1]}
	} else if f := stashMerge.FindStringSubmatch(subject); f != nil {
		m = mergedPull{number: f[1], head: f[2]}
	} else if f := gitlabMerge.FindStringSubmatch(subject); f != nil {
		if n := gitlabNumber.FindStringSubmatch(body); n != nil {
			m = mergedPull{number: n[1], head: f[1]}
		}
	}
	if m.number == "" {
		return m, false
	}
	m.title, m.body, _ = strings.Cut(strings.TrimLeft(body, "\n"), "\n")
	if m.title == "" || gitlabNumber.MatchString(m.title) {
		m.title = strings.TrimSpace(subject)
	}
	return m, true
}

// standsFor gives the subject that a message stands for: of a pull request's merge the request's title and number.
func standsFor(message string) (subject, body, head string) {
	message = strings.ReplaceAll(message, "\r\n", "\n")
	if m, ok := readMerge(message); ok {
		return m.title + " (#" + m.number + ")", m.body, m.head
	}
	subject, body, _ = strings.Cut(message, "\n")
	return subject, body, ""
}

// Title is the first line that a message stands for.
func Title(message string) string {
	subject, _, _ := standsFor(message)
	return subject
}

// mergesPull tells whether a commit merges a pull request: the forge says so, or the subject is a title, as forges can
// be set to write. A subject that begins with "Merge" otherwise is git's own, of a branch.
func mergesPull(c git.Commit) bool {
	if len(c.Parents) < 2 {
		return false
	}
	message := strings.ReplaceAll(c.Message, "\r\n", "\n")
	_, ok := readMerge(message)
	return ok || !branchMerge.MatchString(message)
}
