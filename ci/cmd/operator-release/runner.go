package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/catalog"
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
	if w.dir, err = os.MkdirTemp(parent, ".operator-release-"); err != nil {
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

// product is a kind of folder that a command makes. An older one of the kind is told by a file in it, and by what stands at the begin of this file.
type product struct{ name, mark, says string }

var (
	bundles = product{"bundle", ocispec.ImageLayoutFile, `"imageLayoutVersion"`}
	sites   = product{"catalog", catalog.JSONFile, `"` + path.Dir(catalog.Schema) + "/"} // whatever its version; other tools have files of this name, too
)

// replaces tells whether there is one that a new one takes the place of. A folder that holds anything else is refused.
func (p product) replaces(target string) (bool, error) {
	if filepath.Clean(target) == "." {
		return false, refusal.New("write %s to %q: that is the folder in which the command runs; name another with -o", p.name, target)
	}
	entries, err := os.ReadDir(target)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return false, nil
	}
	if err != nil {
		return false, refusal.New("write %s to %s: it is no folder that can be read: %w; name another with -o", p.name, target, err)
	}
	begin, err := readBegin(filepath.Join(target, p.mark), 512)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("write %s to %s: find out what is there: %w", p.name, target, err)
	}
	if !bytes.Contains(begin, []byte(p.says)) {
		return false, refusal.New("write %s to %s: the folder is not empty and holds no %s; name another with -o", p.name, target, p.name)
	}
	if _, err := os.Lstat(filepath.Join(target, ".git")); err == nil {
		return false, refusal.New("write %s to %s: the folder is a work tree of git, which would be lost; name another with -o, and copy it there", p.name, target)
	}
	return true, nil
}

// readBegin reads the first bytes of a file, at most so many.
func readBegin(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// deliver moves a finished folder to where it was asked for. Only one of its kind, or an empty folder, is replaced.
func (p product) deliver(from, target string) error {
	if from == target {
		return nil // kept
	}
	replaces, err := p.replaces(target)
	if err != nil {
		return err
	}
	if target, err = place(target); err != nil {
		return err
	}
	if !replaces {
		if err := os.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return os.Rename(from, target)
	}
	old := filepath.Join(filepath.Dir(from), "replaced")
	if err := os.Rename(target, old); err != nil {
		return fmt.Errorf("put the old %s in %s aside: %w", p.name, target, err)
	}
	if err := os.Rename(from, target); err != nil {
		return errors.Join(err, os.Rename(old, target))
	}
	return nil
}

// ignored are the folders of the work tree that this run writes to, relative to the repository.
func ignored(source string, folders ...string) []string {
	top, err := filepath.Abs(source)
	if err != nil {
		return nil
	}
	if resolved, err := filepath.EvalSymlinks(top); err == nil {
		top = resolved
	}
	var inside []string
	for _, folder := range folders {
		abs, err := filepath.Abs(folder)
		if err != nil {
			continue
		}
		if rel, err := filepath.Rel(top, abs); err == nil && filepath.IsLocal(rel) && rel != "." {
			inside = append(inside, filepath.ToSlash(rel))
		}
	}
	return inside
}
