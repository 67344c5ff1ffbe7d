package change

import (
	"crypto/sha1"
	"fmt"
	"testing"

	"github.com/operator-release/operator-release/ci/git"
)

// TestUnmarked: a forge that squashes one commit drops what a bot or Kubernetes' script wrote before its subject.
func TestUnmarked(t *testing.T) {
	by := func(name, message string) git.Commit {
		return git.Commit{ID: fmt.Sprintf("%x", sha1.Sum([]byte(name+message))), Message: message,
			Author: git.Person{Name: name, Email: name + "@example.com"}}
	}
	const robot, co = "k8s-infra-cherrypick-robot", "\n\nCo-authored-by: Ada <ada@example.com>\n"
	set := Of([]git.Commit{by("Ada", "Keep the status of a queue (#12)"),
		by("Ada", "Fix typo (#13)"),
		by("Ada", "Run the tests of all (#14)"), by("Ada", "Run the tests of all (#15)"),
		by("Ada", "Tell what the webhook refuses")})
	for _, c := range []struct{ name, message, want string }{
		{"Ada", "Keep the status of a queue (#20)", ByTitle},
		{robot, "Keep the status of a queue (#20)" + co, ByTitle},
		{robot, "Keep the status of a queue (#20)", ""},                  // it does not say who made it
		{"Ben", "Keep the status of a queue (#20)", ""},                  // another person may mean another change
		{"Ada", "Keep the status of a queue", ""},                        // no pull request
		{"Ada", "fix: Keep the status of a queue (#20)", ""},             // another title
		{"Ada", "Fix typo (#21)", ""},                                    // a title that many changes have
		{"Ada", "Run the tests of all (#22)", ""},                        // one of two
		{"Ada", "Tell what the webhook refuses (#23)", ""},               // a push
		{"Ben", "[release-1.0] Keep the status of a queue", ByTitle},     // it says so
		{"Ben", "Keep the status of a queue (#12) (#20)", ByRequest},     // by its number
		{"Ada", "Revert \"Keep the status of a queue (#12)\" (#24)", ""}, // its opposite
	} {
		if got, _ := set.FindCommit(by(c.name, c.message), nil); got != c.want {
			t.Errorf("%s: %s: by %q, not %q", c.name, c.message, got, c.want)
		}
	}
}
