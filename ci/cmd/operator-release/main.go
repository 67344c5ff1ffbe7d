// Command operator-release releases a Kubernetes operator: plan, test, build, rehearse, publish.
//
// Each subcommand is a file: flags in, stage called, report out. Results go to standard output, progress to standard error.
// Exit code 0: done, or nothing to do. 1: failed, a rerun may help. 2: refused by a rule, or called wrongly; nothing was written.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

func main() { os.Exit(started(context.Background())) }

// started is the process, until it ends or is interrupted.
func started(ctx context.Context) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:])
}

// run is the whole command; tests call it as programs do.
func run(ctx context.Context, args []string) int {
	a := newApp(args)
	a.routeLogs()
	defer a.flush()
	return a.guarded(func() int { return a.run(ctx, args) })
}

// run runs the command that the arguments name, and gives the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	cmd := a.command()
	cmd.SetArgs(args)
	cmd.SetOut(a.stdout) // help
	cmd.SetErr(a.stderr)
	err := cmd.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		err = errors.New("interrupted; nothing that was written is half written: run it again")
	}
	page := report.New(a.stderr)
	page.Line(report.Fail, "%v", err)
	if refusal.Is(err) || !a.begun { // cobra's own errors come before anything has begun
		return 2
	}
	return 1
}

// app is what all subcommands share.
type app struct {
	secrets        *redact.Secrets
	stdout, stderr *redact.Writer // whatever is printed passes here
	begun          bool           // flags and arguments were right

	source string
	config string
	json   bool
	quiet  bool

	offline bool   // the git remote is not asked what it has
	remark  string // that stands behind what a command prints; empty where there is nothing to remark
}

// learn makes known the passwords that stand in git's settings for the repository: in the URLs of remotes, in what they are replaced by, and in headers.
func (a *app) learn(ctx context.Context) {
	cmd := exec.CommandContext(ctx, "git", "-C", a.source, "-c", "safe.directory=*", "-c", "safe.bareRepository=all",
		"config", "--null", "--get-regexp", `^(remote\..*(url|proxy)|url\..*insteadof|http\..*(extraheader|proxy))$`)
	cmd.Env = git.UserEnvironment()
	out, err := cmd.Output()
	if err != nil {
		return // there is no repository, or no such setting; whoever needs one says so
	}
	for setting := range strings.SplitSeq(string(out), "\x00") {
		key, value, _ := strings.Cut(setting, "\n")
		a.secrets.Learn(key)
		a.secrets.Learn(value)
	}
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:           "operator-release",
		Short:         "Release a Kubernetes operator so that one can trust it",
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRun: func(cmd *cobra.Command, _ []string) {
			a.begun = true
			a.learn(cmd.Context())
		},
		Version: toolVersion,
	}
	root.SetVersionTemplate("operator-release {{.Version}}\n")
	flags := root.PersistentFlags()
	flags.StringVar(&a.source, "source", ".", "the git repository to release")
	flags.StringVar(&a.config, "config", "", "settings file instead of the repository's .release.yaml")
	flags.BoolVar(&a.json, "json", false, "print JSON for programs")
	flags.BoolVar(&a.quiet, "quiet", false, "say nothing of the progress")
	flags.BoolVar(&a.offline, "offline", false, "do not ask the git remote which versions and release lines it has; "+
		"the report says so; publish still asks the remote")
	root.AddCommand(
		a.demoCommand(), a.planCommand(), a.testCommand(), a.signCommand(), a.lintCommand(), a.chartLintCommand(), a.buildCommand(), a.joinCommand(),
		a.rehearseCommand(), a.releaseCommand(), a.publishCommand(), a.restoreCommand(), a.auditCommand(), a.catalogCommand(), a.withdrawCommand(), a.rollbackCommand(),
		a.branchCommand(), a.prepareCommand(), a.followupCommand(), a.backportCommand(), a.notesCommand(), a.upgradeGuideCommand(),
		a.verifyBuildCommand(), a.reportCommand(), a.stageCommand(), versionCommand(a),
	)
	return root
}

// toolVersion is stamped into released binaries. It is part of the record, so it is not taken from build information, which
// differs between `go run` and a container.
var toolVersion = "devel"

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version of this tool", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.stdout, "operator-release "+toolVersion)
			return err
		},
	}
}

// print writes v as JSON where --json is given, else what page writes.
func (a *app) print(v any, page func(*report.Page)) error {
	remark := a.stdout
	if a.json {
		remark = a.stderr // what a program reads is the result alone
	}
	if a.remark != "" {
		defer func() { report.New(remark).Line(report.Note, "%s", a.remark) }()
	}
	if !a.json {
		page(report.New(a.stdout))
		return nil
	}
	var content bytes.Buffer
	encoder := json.NewEncoder(&content)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	return a.stdout.WriteJSON(content.Bytes())
}

// configContent is the settings file that --config names, or nil.
func (a *app) configContent() (*string, error) {
	if a.config == "" {
		return nil, nil
	}
	content, err := os.ReadFile(a.config)
	if err != nil {
		return nil, refusal.New("read the settings that --config names: %w", err)
	}
	text := string(content)
	return &text, nil
}
