package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/operator-release/operator-release/ci/refusal"
)

// recorder is a runner whose folders are names; it answers the plan and writes down what each stage was given.
type recorder struct {
	plan string
	fail Stage

	mu   sync.Mutex
	runs map[string][]string // stage and subject -> names of folders
	last []Stage
}

func (r *recorder) Run(_ context.Context, stage Stage, in Inputs[string]) (Outputs[string], error) {
	spec, err := json.Marshal(in.Spec)
	if err != nil {
		return Outputs[string]{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := string(stage) + " " + in.Subject
	r.runs[key] = slices.Sorted(maps.Keys(in.Trees))
	r.last = append(r.last, stage)
	if stage == r.fail {
		return Outputs[string]{}, errors.New("failed as told")
	}
	report := spec
	if stage == Plan {
		report = []byte(r.plan)
	}
	return Outputs[string]{Report: report, Tree: key}, nil
}

const planned = `{"version":"v1.5.0","line":"1.5","commit":"0123456789abcdef","time":"2026-01-01T00:00:00Z","toolchain":"go1.26.8",
"platforms":["darwin/arm64","linux/amd64","linux/arm64"],
"config":{"name":"spark","binaries":[{"name":"op","main":"./cmd/op","ldflags":"-X v={version} -X c={commit}"}],
  "images":[{"repository":"a/b","dockerfile":"Dockerfile","args":{"VERSION":"{semver}"}},{"repository":"a/c","dockerfile":"D"}],
  "charts":[{"path":"charts/spark","repository":"a/charts"}],"gate":["go test"]},
"images":[{"repository":"a/b","how":"in process"},{"repository":"a/c","how":"left out"}]}`

func flow(r *recorder) *Flow[string] {
	r.runs = map[string][]string{}
	return &Flow[string]{Runner: r, Repository: "repo", Plan: PlanSpec{Version: "v1.5.0"}, Host: "linux/amd64", Archives: map[string]string{}}
}

func TestEachStageSeesOnlyItsInputs(t *testing.T) {
	r := &recorder{plan: planned}
	out, err := flow(r).Release(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"plan v1.5.0":         "repository",
		"source 0123456789ab": "plan repository",
		"build darwin/arm64":  "tree",
		"build linux/amd64":   "tree",
		"build linux/arm64":   "tree",
		"chart charts/spark":  "tree",
		"image a/b":           "build-darwin-arm64 build-linux-amd64 build-linux-arm64 tree",
		"test v1.5.0":         "build-linux-amd64 plan repository",
		"bundle v1.5.0":       "build-darwin-arm64 build-linux-amd64 build-linux-arm64 chart-0 image-0 plan",
		"rehearse v1.5.0":     "bundle repository",
	}
	for key, trees := range want {
		if got := strings.Join(r.runs[key], " "); got != trees {
			t.Errorf("%s got %q, want %q", key, got, trees)
		}
	}
	if len(r.runs) != len(want) {
		t.Errorf("ran %v", slices.Sorted(maps.Keys(r.runs)))
	}
	if out.Bundled != "bundle v1.5.0" || !strings.Contains(string(out.Bundle), `-X v=v1.5.0 -X c=0123456789abcdef`) || !strings.Contains(string(out.Bundle), `\"VERSION\":\"1.5.0\"`) && !strings.Contains(string(out.Bundle), `"VERSION":"1.5.0"`) {
		t.Errorf("bundled %s of %s", out.Bundled, out.Bundle)
	}
	if first, last := r.last[0], r.last[len(r.last)-1]; first != Plan || last != Rehearse {
		t.Errorf("from %s to %s", first, last)
	}
}

func TestBuildAsksNoGate(t *testing.T) {
	r := &recorder{plan: planned}
	if _, err := flow(r).Build(t.Context()); err != nil || slices.Contains(r.last, Test) || slices.Contains(r.last, Rehearse) {
		t.Errorf("%v: ran %v", err, r.last)
	}
}

func TestAFailureEndsIt(t *testing.T) {
	for _, stage := range []Stage{Plan, Source, Build, Test, Image, Chart, Bundle, Rehearse} {
		r := &recorder{plan: planned, fail: stage}
		if _, err := flow(r).Release(t.Context()); err == nil || !strings.Contains(err.Error(), "failed as told") {
			t.Errorf("%s failed: %v", stage, err)
		}
		for _, after := range map[Stage][]Stage{Plan: {Source}, Source: {Build, Chart}, Build: {Image, Test}, Test: {Bundle}, Image: {Bundle}, Chart: {Image}, Bundle: {Rehearse}}[stage] {
			if slices.Contains(r.last, after) {
				t.Errorf("%s ran after %s had failed", after, stage)
			}
		}
	}
}

func TestWhatSpeaksAgainstItRefuses(t *testing.T) {
	r := &recorder{plan: strings.Replace(planned, `"line"`, `"against":["a gap","dirty"],"line"`, 1)}
	_, err := flow(r).Release(t.Context())
	if !refusal.Is(err) || err.Error() != "release v1.5.0: a gap\n  also: dirty" || len(r.last) != 1 {
		t.Errorf("%v after %v", err, r.last)
	}
}

func TestArchiveAndCharts(t *testing.T) {
	r := &recorder{plan: strings.Replace(planned, "left out", "by archive", 1)}
	f := flow(r)
	f.Archives["a/c"] = "archive"
	if _, err := f.Build(t.Context()); err != nil || !slices.Contains(r.runs["image a/c"], Archive) || slices.Contains(r.runs["image a/b"], Archive) {
		t.Errorf("%v: %v", err, r.runs)
	}
	charts, err := f.Charts(t.Context())
	if err != nil || len(charts) != 1 || charts[0].Tree != "chart charts/spark" {
		t.Errorf("%v, %v", charts, err)
	}
}

func TestJoinOrder(t *testing.T) {
	r := &recorder{}
	f := flow(r)
	parts := map[string]string{}
	for i := range 3 {
		parts[fmt.Sprintf("part-%03d", i)] = "x"
	}
	out, err := f.Join(t.Context(), parts)
	if err != nil || string(out.Report) != `{"parts":["part-000","part-001","part-002"]}` {
		t.Errorf("%s, %v", out.Report, err)
	}
}
