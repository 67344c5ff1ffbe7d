package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/operator-release/operator-release/ci/output"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

// local runs every stage in this process. A folder is a path.
type local struct {
	dir string // where stages' folders go
	n   atomic.Int64
	log io.Writer

	secrets *redact.Secrets
}

// Run gives the stage what a container would be given: the spec as JSON, and its folders.
func (l *local) Run(ctx context.Context, stage pipeline.Stage, in pipeline.Inputs[string]) (pipeline.Outputs[string], error) {
	spec, err := json.Marshal(in.Spec)
	if err != nil {
		return pipeline.Outputs[string]{}, err
	}
	out := filepath.Join(l.dir, fmt.Sprintf("%02d-%s", l.n.Add(1), stage))
	if err := os.MkdirAll(out, 0o755); err != nil {
		return pipeline.Outputs[string]{}, err
	}
	trees := map[string]string{}
	for name, folder := range in.Trees {
		trees[name] = filepath.Join(folder.Tree, filepath.FromSlash(folder.Path))
	}
	return runStage(ctx, stage, call{spec: spec, trees: trees, out: out, log: l.log, secrets: l.secrets})
}

// runStage calls a stage by its name: what the runner in this process and the subcommand `stage` share.
func runStage(ctx context.Context, stage pipeline.Stage, c call) (pipeline.Outputs[string], error) {
	run, ok := stages[stage]
	if !ok {
		return pipeline.Outputs[string]{}, refusal.New("run stage %q: there is none of that name", stage)
	}
	said, err := run(ctx, c)
	if err != nil {
		return pipeline.Outputs[string]{}, err
	}
	content, err := json.Marshal(said)
	return pipeline.Outputs[string]{Report: content, Tree: c.out}, err
}

// telling says what runs, and runs it by another runner.
type telling struct {
	pipeline.Runner[string]
	progress *report.Progress
}

func (t telling) Run(ctx context.Context, stage pipeline.Stage, in pipeline.Inputs[string]) (pipeline.Outputs[string], error) {
	step := t.progress.Begin(strings.TrimSpace(fmt.Sprintf("%-8s %s", stage, in.Subject)))
	out, err := t.Runner.Run(ctx, stage, in)
	step.End(err)
	var said struct{ Note string }
	if (stage == pipeline.Claim || stage == pipeline.Kept) && err == nil && json.Unmarshal(out.Report, &said) == nil && said.Note != "" {
		t.progress.Say(report.Note, "%s", said.Note)
	}
	return out, err
}

// work is a run's scratch folder and runner.
type work struct {
	dir      string
	made     string // topmost folder that had to be made for it
	runner   pipeline.Runner[string]
	progress *report.Progress
}

// repository is the folder of the repository that is released, as an input.
func (a *app) repository() map[string]pipeline.Folder[string] {
	return map[string]pipeline.Folder[string]{pipeline.Repository: pipeline.Whole(a.source)}
}

// alone runs one stage in a scratch folder of its own and reads what it says into said.
func (a *app) alone(ctx context.Context, stage pipeline.Stage, in pipeline.Inputs[string], said any) error {
	return a.then(ctx, stage, in, said, func(string) error { return nil })
}

// asked is then, of a stage that looks at the repository with its settings.
func (a *app) asked(ctx context.Context, stage pipeline.Stage, subject string, spec func(settings *string) any, said any, do func(made string) error) error {
	settings, err := a.configContent()
	if err != nil {
		return err
	}
	return a.then(ctx, stage, pipeline.Inputs[string]{Subject: subject, Spec: spec(settings), Trees: a.repository()}, said, do)
}

// then is alone, and does the rest while the folder that the stage made is there.
func (a *app) then(ctx context.Context, stage pipeline.Stage, in pipeline.Inputs[string], said any, do func(made string) error) error {
	return a.beside(ctx, "", stage, in, said, do)
}

// beside is then, where the folder lies beside its target, to be moved there.
func (a *app) beside(ctx context.Context, target string, stage pipeline.Stage, in pipeline.Inputs[string], said any, do func(made string) error) error {
	w, err := a.begin(target)
	if err != nil {
		return err
	}
	defer w.end()
	out, err := w.runner.Run(ctx, stage, in)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out.Report, said); err != nil {
		return fmt.Errorf("read what the stage %s says: %w", stage, err)
	}
	return do(out.Tree)
}

// flowing runs stages of a flow over the repository in a scratch folder.
func (a *app) flowing(do func(*pipeline.Flow[string]) error) error {
	w, err := a.begin("")
	if err != nil {
		return err
	}
	defer w.end()
	return do(&pipeline.Flow[string]{Runner: w.runner, Repository: a.source})
}

// begin makes a scratch folder: beside target, on the same file system, so that what is made appears there by rename;
// without a target where temporary files go.
func (a *app) begin(target string) (*work, error) {
	w := &work{}
	parent := os.TempDir()
	if target != "" {
		at, err := place(target)
		if err != nil {
			return nil, err
		}
		parent = filepath.Dir(at)
		for dir := parent; ; dir = filepath.Dir(dir) {
			if _, err := os.Stat(dir); err == nil {
				break
			}
			w.made = dir
		}
		if err := os.MkdirAll(parent, 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	if w.dir, err = os.MkdirTemp(parent, output.Scratch); err != nil {
		return nil, err
	}
	var to io.Writer = a.stderr
	if a.quiet {
		to = io.Discard
	}
	w.progress = report.NewProgress(to)
	w.runner = telling{&local{dir: w.dir, log: io.Discard, secrets: a.secrets}, w.progress}
	return w, nil
}

// end takes the scratch folder away, and the folders above it that were made for it and stayed empty.
func (w *work) end() {
	w.progress.Close()
	os.RemoveAll(w.dir)
	for dir := filepath.Dir(w.dir); w.made != "" && os.Remove(dir) == nil && dir != w.made; {
		dir = filepath.Dir(dir)
	}
}

// place is where a folder is, or will be: whatever is written behind its name, and where a symbolic link of that name leads.
func place(target string) (string, error) {
	at, err := filepath.Abs(target)
	if err != nil {
		return "", err
	}
	if resolved, err := filepath.EvalSymlinks(at); err == nil {
		return resolved, nil
	}
	return at, nil
}
