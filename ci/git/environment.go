package git

import (
	"errors"
	"os"
	"slices"
	"strings"
)

// noGrafts names a file that does not exist. For an empty file, git would warn that grafts are deprecated.
const noGrafts = "GIT_GRAFT_FILE=" + os.DevNull + "/grafts"

// asStored makes git read history as it is stored: replacements and grafts of a clone are switched off.
var asStored = []string{"GIT_NO_REPLACE_OBJECTS=1", noGrafts}

// redirecting are the variables that point git at another repository, index, object folder or history, or change what
// a path means. Git sets some of them for hooks and aliases. The repository is the one that the caller names, so none
// of them is passed on.
//
// They are those of `git rev-parse --local-env-vars`, and some that git passes on to the other side of a local
// remote. The user's settings in GIT_CONFIG_PARAMETERS and GIT_CONFIG_COUNT are not among them: they may hold a proxy
// or a credential helper, and git takes neither core.worktree nor core.bare from there.
var redirecting = []string{
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_DIR", "GIT_GRAFT_FILE",
	"GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NO_REPLACE_OBJECTS",
	"GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
	"GIT_ATTR_SOURCE", "GIT_CEILING_DIRECTORIES", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH", "GIT_GLOB_PATHSPECS",
	"GIT_ICASE_PATHSPECS", "GIT_LITERAL_PATHSPECS", "GIT_NOGLOB_PATHSPECS",
}

// UserEnvironment is this process's environment for a git that uses the user's settings, without the variables that
// point it at another repository. History is read as it is stored.
func UserEnvironment() []string {
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(redirecting, name)
	})
	return append(env, asStored...)
}

// LeaveUserSettings takes the user's settings of git out of this process's environment. It is for a process whose
// remotes are all of its own making.
func LeaveUserSettings() error {
	for _, name := range []string{"GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_ALLOW_PROTOCOL",
		"GIT_PROTOCOL_FROM_USER"} {
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	return errors.Join(os.Setenv("GIT_CONFIG_GLOBAL", os.DevNull), os.Setenv("GIT_CONFIG_NOSYSTEM", "1"))
}

// closedEnvironment is an environment without any setting of this user and this machine. New repositories keep their
// refs in files, so that older gits and other programs read them.
func closedEnvironment() []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "HOME=/nonexistent", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_ATTR_NOSYSTEM=1", "GIT_DEFAULT_REF_FORMAT=files",
		"GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0",
	}, asStored...)
}

// uploadPack and receivePack are the programs on the other side of a local remote. Its owner does not matter, but git
// 2.39 checks it there. Neither -c of this side nor the variables of asStored reach that process.
const (
	uploadPack  = noGrafts + " git -c 'safe.directory=*' upload-pack"
	receivePack = noGrafts + " git -c 'safe.directory=*' receive-pack"
)
