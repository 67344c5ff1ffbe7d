package git

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Git runs for a remote in a scratch repository, which has no settings of its own. So the settings of the clone that
// it was made of are passed on in the environment: those of the clone itself, of its work tree, and of the files that
// they include. The user's own files apply to the scratch repository anyway. But a file that they include only for
// the clone (includeIf) does not, so its settings are passed on, too.

// setting is one value in the settings of git, and the file level that it stands on: system, global, local, worktree
// or command.
type setting struct{ scope, key, value string }

// reaching begins the keys that decide how git reaches a remote, and as whom:
//   - what speaks with the server: http (also headers with a token), ssh, core.sshCommand, core.gitProxy;
//   - who the user is: credential, core.askPass, user, committer, gpg (for signed pushes);
//   - which address is meant, and which are allowed: url, protocol.
//
// Others are not passed on. Hooks run for the work tree of a person. Defaults of push and fetch would change which
// refs are written. core.worktree, core.bare and extensions describe the clone.
var reaching = []string{
	"http.", "ssh.", "core.sshcommand", "core.gitproxy", "credential.", "core.askpass", "user.", "committer.", "gpg.",
	"url.", "protocol.",
}

// reachingByName are the last parts of the keys remote.NAME.KEY that decide how git reaches the remote.
var reachingByName = []string{"proxy", "proxyauthmethod", "uploadpack", "receivepack", "vcs"}

// cloneSettings are the settings to pass on for the remote, which this call of git names by name. They come in git's
// order. env is what git runs with for the remote without them.
func (m *Remote) cloneSettings(ctx context.Context, name string, env []string) ([]setting, error) {
	clone := m.from.clone
	if clone == nil || m.closed { // git runs in the clone itself, or nothing of the user's applies
		return nil, nil
	}
	m.reading.Do(func() { m.passed, m.unread = m.readCloneSettings(ctx, clone, env) })
	passed := slices.Clone(m.passed)
	for i := range passed {
		if key, ok := strings.CutPrefix(passed[i].key, "remote."); ok {
			passed[i].key = "remote." + name + key[strings.LastIndexByte(key, '.'):]
		}
	}
	return passed, m.unread
}

func (m *Remote) readCloneSettings(ctx context.Context, clone *Repository, env []string) ([]setting, error) {
	here, err := listSettings(ctx, clone.dir, UserEnvironment())
	if err != nil {
		return nil, fmt.Errorf("reach %s: read the git settings of the clone %s: %w", m.URL, clone.dir, err)
	}
	known := map[setting]int{} // what applies to the scratch repository anyway
	conditional := func(s setting) bool { return strings.HasPrefix(s.key, "includeif.") }
	if slices.ContainsFunc(here, func(s setting) bool { return !s.ofClone() && conditional(s) }) {
		there, err := listSettings(ctx, m.from.dir, append(env, "GIT_DIR="+m.from.dir))
		if err != nil {
			return nil, fmt.Errorf("reach %s: read the user's git settings: %w", m.URL, err)
		}
		for _, s := range there {
			known[s]++
		}
	} else {
		for _, s := range here {
			if !s.ofClone() {
				known[s]++
			}
		}
	}
	named := m.nameIn(here, clone)
	var passed []setting
	for _, s := range here {
		ofRemote, isOfRemote := strings.CutPrefix(s.key, "remote."+named+".")
		switch {
		case named != "" && isOfRemote && slices.Contains(reachingByName, ofRemote):
			passed = append(passed, s)
		case !slices.ContainsFunc(reaching, func(begin string) bool { return strings.HasPrefix(s.key, begin) }):
		case s.ofClone():
			passed = append(passed, s)
		case known[s] > 0:
			known[s]--
		case s.scope != "command":
			passed = append(passed, s)
		}
	}
	return passed, nil
}

// ofClone tells whether a setting stands in the clone's own files, or in what they include.
func (s setting) ofClone() bool { return s.scope == "local" || s.scope == "worktree" }

// nameIn is the name of the remote in settings of the clone: the first remote with its URL. It is empty if there is
// none.
func (m *Remote) nameIn(settings []setting, clone *Repository) string {
	for _, s := range settings {
		name, isRemote := strings.CutPrefix(s.key, "remote.")
		name, isURL := strings.CutSuffix(name, ".url")
		if isRemote && isURL && (s.value == m.URL || filepath.Join(clone.dir, s.value) == m.URL) {
			return name
		}
	}
	return ""
}

// listSettings are all settings that apply in a folder, in git's order.
func listSettings(ctx context.Context, dir string, env []string) ([]setting, error) {
	args := []string{"config", "--list", "--includes", "--show-scope", "--null"}
	out, err := asUser(ctx, dir, env, args...)
	if err != nil {
		return nil, err
	}
	var all []setting
	parts := strings.Split(out, "\x00") // scope, setting, scope, setting, nothing
	for i := 0; i+1 < len(parts); i += 2 {
		key, value, ok := strings.Cut(parts[i+1], "\n")
		if !ok { // a key without a value means true
			value = "true"
		}
		all = append(all, setting{parts[i], key, value})
	}
	return all, nil
}

// asUser runs git in a folder with an environment that holds the user's settings. Its owner does not matter, because
// the user names the folder.
func asUser(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	safe := []string{"-c", "safe.directory=*", "-c", "safe.bareRepository=all"}
	cmd := exec.CommandContext(ctx, "git", append(safe, args...)...)
	cmd.Dir, cmd.Env = dir, append(slices.Clip(env), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	out, err := output(cmd, nil, args)
	return string(out), err
}

// cutEnvironmentSettings takes the settings of GIT_CONFIG_COUNT out of an environment, so that others can come before
// them. Numbers that git would not take are refused.
func cutEnvironmentSettings(env []string) (rest []string, settings []setting, err error) {
	count := os.Getenv("GIT_CONFIG_COUNT")
	if count == "" {
		return env, nil, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return nil, nil, refusal.New("the environment's GIT_CONFIG_COUNT is %q and no number; correct it", count)
	}
	for i := range n {
		key, value := fmt.Sprintf("GIT_CONFIG_KEY_%d", i), fmt.Sprintf("GIT_CONFIG_VALUE_%d", i)
		for _, variable := range []string{key, value} {
			if _, ok := os.LookupEnv(variable); !ok {
				return nil, nil, refusal.New("the environment's GIT_CONFIG_COUNT is %s, but %s is not set; set it", count, variable)
			}
		}
		settings = append(settings, setting{"command", os.Getenv(key), os.Getenv(value)})
	}
	return slices.DeleteFunc(slices.Clone(env), func(variable string) bool {
		return strings.HasPrefix(variable, "GIT_CONFIG_COUNT=") || strings.HasPrefix(variable, "GIT_CONFIG_KEY_") ||
			strings.HasPrefix(variable, "GIT_CONFIG_VALUE_")
	}), settings, nil
}

// withSettings is an environment with settings that git reads from it. No process has them as arguments.
func withSettings(env []string, settings []setting) []string {
	env = slices.Clip(env)
	for i, s := range settings {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, s.key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, s.value))
	}
	return append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(settings)))
}
