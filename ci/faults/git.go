package faults

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strings"
)

// Git serves the bare repositories below a folder by git's own HTTP server program; anybody may push.
func Git(root string) (http.Handler, error) { return gitServer(root) }

// GitOnAFullDisk is Git where no file can be written: its program runs under a limit of file size of 0, and learns of it by an error, as on a disk
// that is full.
func GitOnAFullDisk(root string) (http.Handler, error) {
	h, err := gitServer(root)
	if err != nil {
		return nil, err
	}
	h.Args = []string{"-c", `trap "" XFSZ; ulimit -f 0; exec "$0"`, h.Path}
	h.Path = "/bin/sh"
	return h, nil
}

func gitServer(root string) (*cgi.Handler, error) {
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("find git's programs: %w", err)
	}
	return &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env: []string{
			"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=tester",
			"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=http.receivepack", "GIT_CONFIG_VALUE_0=true",
			"GIT_CONFIG_KEY_1=safe.directory", "GIT_CONFIG_VALUE_1=*",
		},
		InheritEnv: []string{"PATH"},
	}, nil
}
