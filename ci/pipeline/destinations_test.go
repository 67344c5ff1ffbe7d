package pipeline

import (
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
)

// TestDestinations: what a call names replaces all configured destinations; both, or none, is refused.
func TestDestinations(t *testing.T) {
	settings := &config.Destinations{Remote: "up", Backup: "example.com/b", GitHub: "acme/op", Index: "pages"}
	const both, ghe = "; give one or the other", "https://ghe.example"
	for name, c := range map[string]struct {
		call     Destinations
		settings *config.Destinations
		want     string // the resolved destinations, as flags
		err      string
	}{
		"nothing": {
			err: "publish: where to? name --registry, --remote, --backup, or go where the settings say",
		},
		"nothing but ways there": {
			call: Destinations{GitHubURL: ghe, PlainHTTP: []string{"a"}},
			err:  "where to?",
		},
		"a registry": {call: Destinations{Registry: "r"}, settings: settings, want: "--registry=r"},
		"a remote":   {call: Destinations{Remote: "fork"}, settings: settings, want: "--remote=fork"},
		"a backup":   {call: Destinations{Backup: "./b"}, settings: settings, want: "--backup=./b"},
		"pages": {
			call:     Destinations{GitHub: "me/fork"},
			settings: settings, want: "--github=me/fork",
		},
		"an index and its remote": {
			call:     Destinations{Index: "charts", Remote: "fork"},
			settings: settings, want: "--remote=fork --index=charts",
		},
		"configured": {
			call:     Destinations{Configured: true},
			settings: settings, want: "--remote=up --backup=example.com/b --index=pages --github=acme/op --to-configured",
		},
		"configured, and a way": {
			call:     Destinations{Configured: true, GitHubURL: ghe},
			settings: settings,
			want: "--remote=up --backup=example.com/b --index=pages --github=acme/op --github-url=" + ghe +
				" --to-configured",
		},
		"configured, and no setting": {call: Destinations{Configured: true}, want: "--to-configured"},
		"configured and a registry": {
			call:     Destinations{Configured: true, Registry: "r"},
			settings: settings, err: "replace all of them: registry r" + both,
		},
		"configured and a remote": {
			call:     Destinations{Configured: true, Remote: "fork"},
			settings: settings, err: "git remote fork" + both,
		},
		"configured and a backup": {
			call:     Destinations{Configured: true, Backup: "b"},
			settings: settings, err: "backup b" + both,
		},
		"configured and pages": {
			call:     Destinations{Configured: true, GitHub: "me/fork"},
			settings: settings, err: "release pages of me/fork" + both,
		},
		"configured and an index": {
			call:     Destinations{Configured: true, Index: "charts"},
			settings: settings, err: "chart index on branch charts" + both,
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.call.Check("publish")
			if c.err != "" {
				if !refusal.Is(err) || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want a refusal with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(c.call.Resolve(c.settings).Flags(), " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
