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
	says map[Stage]string // instead of the spec

	mu    sync.Mutex
	runs  map[string][]string // stage and subject -> names of folders
	specs map[string]string
	last  []Stage
}

func (r *recorder) Run(_ context.Context, stage Stage, in Inputs[string]) (Outputs[string], error) {
	spec, err := json.Marshal(in.Spec)
	if err != nil {
		return Outputs[string]{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := string(stage) + " " + in.Subject
	var seen []string
	for name, folder := range in.Trees {
		if folder.Path != "" {
			name += "/" + folder.Path
		}
		seen = append(seen, name)
	}
	slices.Sort(seen)
	r.runs[key], r.specs[key] = seen, string(spec)
	r.last = append(r.last, stage)
	if stage == r.fail {
		return Outputs[string]{}, errors.New("failed as told")
	}
	report := spec
	switch {
	case stage == Plan:
		report = []byte(r.plan)
	case r.says[stage] != "":
		report = []byte(r.says[stage])
	}
	return Outputs[string]{Report: report, Tree: key}, nil
}

const planReport = `{"version":"v1.5.0","line":"1.5","commit":"0123456789abcdef","time":"2026-01-01T00:00:00Z","toolchain":"go1.26.8",
"platforms":["darwin/arm64","linux/amd64","linux/arm64"],
"config":{"name":"spark","binaries":[{"name":"op","main":"./cmd/op","ldflags":"-X v={version} -X c={commit}"}],
  "images":[{"repository":"a/b","dockerfile":"Dockerfile","args":{"VERSION":"{semver}"}},{"repository":"a/c","dockerfile":"D"}],
  "charts":[{"path":"charts/spark","repository":"a/charts"}],"gate":["go test"]},
"images":[{"repository":"a/b","how":"in process"},{"repository":"a/c","how":"left out"}]}`

func flow(r *recorder) *Flow[string] {
	r.runs, r.specs = map[string][]string{}, map[string]string{}
	return &Flow[string]{Runner: r, Repository: "repo", Plan: PlanSpec{Version: "v1.5.0"}, Host: "linux/amd64", Archives: map[string]string{}}
}

func TestEachStageSeesOnlyItsInputs(t *testing.T) {
	r := &recorder{plan: planReport}
	out, err := flow(r).Release(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"plan v1.5.0":          "repository",
		"source 0123456789ab":  "planned repository",
		"build darwin/arm64":   "tree/go",
		"build linux/amd64":    "tree/go",
		"build linux/arm64":    "tree/go",
		"archive darwin/arm64": "build-darwin-arm64/bin tree/all",
		"archive linux/amd64":  "build-linux-amd64/bin tree/all",
		"archive linux/arm64":  "build-linux-arm64/bin tree/all",
		"chart charts/spark":   "tree/all",
		"image a/b":            "build-darwin-arm64/bin build-linux-amd64/bin build-linux-arm64/bin tree/all",
		"test v1.5.0":          "build-darwin-arm64/bin build-linux-amd64/bin build-linux-arm64/bin planned repository",
		"bundle v1.5.0":        "archive-darwin-arm64 archive-linux-amd64 archive-linux-arm64 chart-0 image-0 planned",
		"rehearse v1.5.0":      "bundled repository",
	}
	for key, trees := range want {
		if got := strings.Join(r.runs[key], " "); got != trees {
			t.Errorf("%s got %q, want %q", key, got, trees)
		}
	}
	if len(r.runs) != len(want) {
		t.Errorf("ran %v", slices.Sorted(maps.Keys(r.runs)))
	}
	if out.Bundled != "bundle v1.5.0" || !strings.Contains(r.specs["build linux/amd64"], `-X v=v1.5.0 -X c=0123456789abcdef`) || !strings.Contains(string(out.Bundle), `\"VERSION\":\"1.5.0\"`) && !strings.Contains(string(out.Bundle), `"VERSION":"1.5.0"`) {
		t.Errorf("bundled %s of %s", out.Bundled, out.Bundle)
	}
	if first, last := r.last[0], r.last[len(r.last)-1]; first != Plan || last != Rehearse {
		t.Errorf("from %s to %s", first, last)
	}
}

func TestBuildAsksNoGate(t *testing.T) {
	r := &recorder{plan: planReport}
	if _, err := flow(r).Build(t.Context()); err != nil || slices.Contains(r.last, Test) || slices.Contains(r.last, Rehearse) {
		t.Errorf("%v: ran %v", err, r.last)
	}
}

func TestAFailureEndsIt(t *testing.T) {
	for _, stage := range []Stage{Plan, Source, Build, Archive, Test, Image, Chart, Bundle, Rehearse} {
		r := &recorder{plan: planReport, fail: stage}
		if _, err := flow(r).Release(t.Context()); err == nil || !strings.Contains(err.Error(), "failed as told") {
			t.Errorf("%s failed: %v", stage, err)
		}
		for _, after := range map[Stage][]Stage{Plan: {Source}, Source: {Build, Chart}, Build: {Archive, Image, Test}, Archive: {Bundle}, Test: {Bundle}, Image: {Bundle}, Chart: {Image}, Bundle: {Rehearse}}[stage] {
			if slices.Contains(r.last, after) {
				t.Errorf("%s ran after %s had failed", after, stage)
			}
		}
	}
}

func TestWhatSpeaksAgainstItRefuses(t *testing.T) {
	r := &recorder{plan: strings.Replace(planReport, `"line"`, `"against":["a gap","dirty"],"line"`, 1)}
	_, err := flow(r).Release(t.Context())
	if !refusal.Is(err) || err.Error() != "release v1.5.0: a gap\n  also: dirty" || len(r.last) != 1 {
		t.Errorf("%v after %v", err, r.last)
	}
}

func TestArchiveAndCharts(t *testing.T) {
	r := &recorder{plan: strings.Replace(planReport, "left out", "by archive", 1)}
	f := flow(r)
	f.Archives["a/c"] = "archive"
	if _, err := f.Build(t.Context()); err != nil || !slices.Contains(r.runs["image a/c"], Archived) || slices.Contains(r.runs["image a/b"], Archived) {
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
	if err != nil || string(out.Bundle) != `{"parts":["part-000","part-001","part-002"]}` {
		t.Errorf("%s, %v", out.Bundle, err)
	}
}

const carrying = `{"repository":"a/b","how":"by engine","carries":{"op":"/usr/bin/op"}}`

// TestTakenOutOfTheImageThatCompiledIt: what an image's Dockerfile compiles is not built; archives and gate wait for the image.
func TestTakenOutOfTheImageThatCompiledIt(t *testing.T) {
	r := &recorder{plan: strings.Replace(planReport, `{"repository":"a/b","how":"in process"}`, carrying, 1),
		says: map[Stage]string{Context: `{"dockerfile":"over/Dockerfile"}`}}
	if _, err := flow(r).Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	for key, trees := range map[string]string{
		"build darwin/arm64":   "tree/go",
		"context a/b":          "build-darwin-arm64/bin planned repository",
		"engine a/b":           "context-linux-amd64/context-linux-amd64 context-linux-arm64/context-linux-arm64",
		"image a/b":            "archived build-darwin-arm64/bin tree/all",
		"archive darwin/arm64": "build-darwin-arm64/bin tree/all",
		"archive linux/amd64":  "image-0-linux-amd64/bin/linux-amd64 tree/all",
		"test v1.5.0":          "build-darwin-arm64/bin image-0-linux-amd64/bin/linux-amd64 image-0-linux-arm64/bin/linux-arm64 planned repository",
	} {
		if got := strings.Join(r.runs[key], " "); got != trees {
			t.Errorf("%s got %q, want %q", key, got, trees)
		}
	}
	if _, ok := r.runs["build linux/amd64"]; ok {
		t.Error("what the image brings was built")
	}
	before := func(a, b Stage) bool { return slices.Index(r.last, a) < slices.Index(r.last, b) }
	if !before(Context, Engine) || !before(Engine, Image) || !before(Image, Test) {
		t.Errorf("ran %v", r.last)
	}
	// A reader that does not say where the Dockerfile is gives no image.
	r.says[Context] = "no JSON"
	if _, err := flow(r).Build(t.Context()); err == nil || !strings.Contains(err.Error(), "what the context of a/b holds") {
		t.Errorf("%v", err)
	}
}

func TestClaimedAndKeptAreNotBuilt(t *testing.T) {
	there := `{"note":"n","plan":{"of":"record"},"test":{"t":1},"bundle":{"identity":"i"}}`
	r := &recorder{plan: planReport, says: map[Stage]string{Claim: there}}
	f := flow(r)
	f.Claim = &ClaimSpec{Version: "v1.5.0"}
	out, err := f.Release(t.Context())
	if err != nil || string(out.Bundle) != `{"identity":"i"}` || string(out.Plan) != `{"of":"record"}` || out.Bundled != "claim v1.5.0" || !slices.Equal(r.last, []Stage{Claim, Rehearse}) {
		t.Errorf("%+v, %v: ran %v", out, err, r.last)
	}
	r = &recorder{plan: planReport, says: map[Stage]string{Claim: "{}", Kept: there}}
	f = flow(r)
	kept := "dist"
	f.Claim, f.Kept = &ClaimSpec{Version: "v1.5.0"}, &kept
	out, err = f.Release(t.Context())
	if err != nil || string(out.Plan) != planReport || out.Bundled != "dist" || !slices.Equal(r.last, []Stage{Claim, Plan, Kept, Rehearse}) {
		t.Errorf("%+v, %v: ran %v", out, err, r.last)
	}
	r = &recorder{plan: planReport, says: map[Stage]string{Claim: "{}", Kept: "{}"}}
	f = flow(r)
	f.Claim, f.Kept = &ClaimSpec{Version: "v1.5.0"}, &kept
	if out, err = f.Release(t.Context()); err != nil || out.Bundled != "bundle v1.5.0" {
		t.Errorf("%+v, %v", out, err)
	}
	for _, stage := range []Stage{Claim, Kept} {
		r = &recorder{plan: planReport, fail: stage, says: map[Stage]string{Claim: "{}"}}
		f = flow(r)
		f.Claim, f.Kept = &ClaimSpec{Version: "v1.5.0"}, &kept
		if _, err = f.Release(t.Context()); err == nil || slices.Contains(r.last, Build) {
			t.Errorf("%s failed: %v, ran %v", stage, err, r.last)
		}
	}
}

func TestPublishBundles(t *testing.T) {
	r := &recorder{plan: strings.Replace(planReport, `"line"`, `"hash":"sha256:1","line"`, 1)}
	f := flow(r)
	to := Destinations{Registry: "r"}
	said, err := f.Publish(t.Context(), "dist", to, "")
	if err != nil || string(said) != `{"to":{"registry":"r"}}` || !slices.Equal(r.runs["publish v1.5.0"], []string{Bundled, Repository}) || len(r.last) != 1 {
		t.Errorf("%s, %v, %v", said, err, r.runs)
	}
	if said, err = f.Publish(t.Context(), "dist", to, "sha256:1"); err != nil || !strings.Contains(string(said), `"commit":"0123456789abcdef"`) {
		t.Errorf("%s, %v", said, err)
	}
	if _, err = f.Publish(t.Context(), "dist", to, "sha256:2"); !refusal.Is(err) || !strings.Contains(err.Error(), "the plan is sha256:1 now") {
		t.Errorf("%v", err)
	}
	if _, err = f.Restore(t.Context(), FetchSpec{Reference: "r/b:v1.5.0"}, to); err != nil || !slices.Contains(r.last, Fetch) || r.last[len(r.last)-1] != Publish {
		t.Errorf("%v, ran %v", err, r.last)
	}
	r = &recorder{says: map[Stage]string{TestBundle: `{"test":{"t":1},"bundle":{"identity":"i"}}`}}
	tested, err := flow(r).TestBundle(t.Context(), "joined")
	if err != nil || string(tested.Test) != `{"t":1}` || tested.Bundled != "test-bundle v1.5.0" || !slices.Equal(r.runs["test-bundle v1.5.0"], []string{Bundled, Repository}) {
		t.Errorf("%+v, %v, %v", tested, err, r.runs)
	}
}
