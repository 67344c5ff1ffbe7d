package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
)

// child is a publication in a process of its own.
type child struct {
	Bundle, Source, Registry, Remote, BackupRepository, BackupDir string
	ForgeURL                                                      string
	Strike                                                        *folderStrike
}

const childVariable = "OPERATOR_RELEASE_TEST_PUBLISH"

func TestMain(m *testing.M) {
	if asked := os.Getenv(childVariable); asked != "" {
		if err := publishAsked(asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// The user's own git asks nobody here.
	for name, value := range map[string]string{"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ASKPASS": "false"} {
		os.Setenv(name, value)
	}
	os.Exit(m.Run())
}

func publishAsked(asked string) error {
	var c child
	if err := json.Unmarshal([]byte(asked), &c); err != nil {
		return err
	}
	ctx := context.Background()
	b, err := bundle.Load(c.Bundle)
	if err != nil {
		return err
	}
	d := Destinations{Patience: hasty}
	if c.Registry != "" {
		d.Registry = &Registry{Prefix: c.Registry}
	}
	if c.Remote != "" {
		source, err := git.Open(ctx, c.Source)
		if err != nil {
			return err
		}
		d.Remote = &Remote{URL: c.Remote, Source: source}
	}
	if c.BackupRepository != "" || c.BackupDir != "" {
		d.Backup = &Backup{Repository: c.BackupRepository, Dir: c.BackupDir}
	}
	if c.ForgeURL != "" {
		setForge(&d, c.ForgeURL)
	}
	if c.Strike != nil {
		signal.Ignore(syscall.SIGXFSZ) // a full disk is an error, no signal
		go c.Strike.wait()
	}
	_, err = Publish(ctx, b, d)
	return err
}

// process is Publish to these destinations as a process, with its own folder for temporary files; a kill takes what it started with it, as the end of
// a machine or of a job does.
func (w *world) process(strike *folderStrike) (*exec.Cmd, *bytes.Buffer, error) {
	d := w.to()
	c := child{Bundle: w.bundle.Layout.Dir(), Source: w.source.Dir(), ForgeURL: w.forgeURL, Strike: strike}
	if d.Registry != nil {
		c.Registry = d.Registry.Prefix
	}
	if d.Remote != nil {
		c.Remote = d.Remote.URL
	}
	if d.Backup != nil {
		c.BackupRepository, c.BackupDir = d.Backup.Repository, d.Backup.Dir
	}
	asked, err := json.Marshal(c)
	if err != nil {
		return nil, nil, err
	}
	temporary := filepath.Join(w.dir, "tmp")
	if err := os.MkdirAll(temporary, 0o755); err != nil {
		return nil, nil, err
	}
	var out bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+string(asked), "TMPDIR="+temporary)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, &out, cmd.Start()
}
