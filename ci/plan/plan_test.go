package plan

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/demo"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/writes"
)

func options(t *testing.T, dir, v string) Options {
	t.Helper()
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Repository: r, Quarantine: t.TempDir(), Version: v,
		Describe: func(_ context.Context, q Described) (Description, error) {
			return Description{Notes: "## " + q.Version.String() + "\n\nSince " + q.Since + ": #7.\n", Requests: []string{"7"}}, nil
		},
		Guide: func(_ fs.FS, p Plan) (string, error) { return "from " + p.From.String() + "\n", nil },
		Examine: func(_ fs.FS, i config.Image) (Examination, error) {
			if i.Dockerfile == "Dockerfile" {
				return Examination{}, nil
			}
			return Examination{Problem: i.Dockerfile + ":12: RUN", WayOut: "bring an archive"}, nil
		}}
}

func repository(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "repository")
	if err := demo.Repository(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTheSameQuestionHasTheSamePlan(t *testing.T) {
	ctx := t.Context()
	o := options(t, repository(t), "v1.5.0-rc.0")
	before, err := o.Repository.Git(ctx, "count-objects", "-v")
	if err != nil {
		t.Fatal(err)
	}
	one, objects, err := Make(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	two, again, err := Make(ctx, options(t, repository(t), "v1.5.0-rc.0"))
	if err != nil || one.Hash != two.Hash || one.Commit != two.Commit || one.Tag != two.Tag || len(objects) != len(again) {
		t.Errorf("%s %s and %s %s, %v", one.Hash, one.Commit, two.Hash, two.Commit, err)
	}
	if after, err := o.Repository.Git(ctx, "count-objects", "-v"); err != nil || after != before {
		t.Errorf("the repository was written to: %s, before %s, %v", after, before, err)
	}
	if one.Previous.String() != "v1.4.1" || one.Branch != "release-1.5" || one.Toolchain != "go1.26.8" || one.Refused() != nil || len(one.Surfaces) != 9 {
		t.Errorf("%+v", one)
	}
	last := 0
	for _, w := range one.Writes {
		if w.Step < last {
			t.Errorf("%+v after step %d", w, last)
		}
		last = w.Step
	}
	if last != writes.GitTags {
		t.Errorf("the last step is %d", last)
	}
}

func TestHowImagesComeToBe(t *testing.T) {
	dir := repository(t)
	const kubectl = "docker.io/example/pi-operator-kubectl"
	for name, c := range map[string]struct {
		change func(*Options)
		how    config.How
	}{
		"nothing is there":    {func(*Options) {}, config.LeftOut},
		"an engine is there":  {func(o *Options) { o.Engine = true }, config.ByEngine},
		"an archive is there": {func(o *Options) { o.Archives = []string{kubectl} }, config.ByArchive},
		"both are there":      {func(o *Options) { o.Engine, o.Archives = true, []string{kubectl} }, config.ByArchive},
	} {
		o := options(t, dir, "v1.5.0-rc.0")
		c.change(&o)
		p, _, err := Make(t.Context(), o)
		if err != nil || p.Images[0].How != config.InProcess || p.Images[1].How != c.how {
			t.Errorf("%s: %+v, %v; want %s", name, p.Images, err, c.how)
		}
	}
	o := options(t, dir, "v1.5.0-rc.0")
	o.Archives = []string{"docker.io/example/other"}
	if _, _, err := Make(t.Context(), o); !refusal.Is(err) || !strings.Contains(err.Error(), "it releases docker.io/example/pi-operator, "+kubectl) {
		t.Errorf("an archive of no image: %v", err)
	}
	// An image that is not optional speaks against the release.
	o = options(t, dir, "v1.5.0-rc.0")
	o.Config = []byte("images: [{dockerfile: docker/Dockerfile.kubectl}]")
	p, _, err := Make(t.Context(), o)
	if err != nil || p.Refused() == nil || !strings.Contains(p.Refused().Error(), "cannot be built here: docker/Dockerfile.kubectl:12: RUN; bring an archive") {
		t.Errorf("%v, %v", p.Against, err)
	}
}

// TestSettingsThatMakeNoDifference: what is said of destinations, linters and generated files is no part of a plan.
func TestSettingsThatMakeNoDifference(t *testing.T) {
	var hashes []string
	for _, more := range []string{"", "lint: [x]\ngenerated: [{paths: [go.mod], command: x}]\ndestinations: {backup: dir}\n"} {
		o := options(t, repository(t), "v1.5.0-rc.0")
		o.Config = []byte("images: []\n" + more)
		p, _, err := Make(t.Context(), o)
		if err != nil || p.Config.Generated != nil || p.Config.Lint != nil || p.Config.Destinations != nil {
			t.Fatalf("%+v, %v", p.Config, err)
		}
		hashes = append(hashes, p.Hash)
	}
	if hashes[0] != hashes[1] {
		t.Errorf("plans %s", hashes)
	}
}

func TestAuthorAndPlatforms(t *testing.T) {
	o := options(t, repository(t), "v1.5.0-rc.0")
	o.Config = []byte("author: {name: Release Bot, email: bot@example.com}\nimages: []\n")
	o.Platforms = []string{"linux/s390x", "linux/amd64", "linux/s390x"}
	p, objects, err := Make(t.Context(), o)
	if err != nil || strings.Join(p.Platforms, " ") != "linux/amd64 linux/s390x" {
		t.Fatalf("%v, %v", p.Platforms, err)
	}
	for _, object := range objects {
		if object.Type == "commit" && strings.Count(string(object.Content), "Release Bot <bot@example.com> ") != 2 {
			t.Errorf("commit\n%s", object.Content)
		}
	}
}

// TestOneBranchAlone: without the tags of other lines a line cannot be opened, but patched.
func TestOneBranchAlone(t *testing.T) {
	ctx := t.Context()
	o := options(t, repository(t), "v1.5.0-rc.0")
	o.Alone = true
	p, _, err := Make(ctx, o)
	if err != nil || !strings.Contains(p.Refused().Error(), "v1.5.0-rc.0 would be the first version of line 1.5") {
		t.Errorf("%v, %v", p.Against, err)
	}
	o.Version, o.Commit = "v1.4.2", "release-1.4"
	if p, _, err = Make(ctx, o); err != nil || p.Refused() != nil {
		t.Fatalf("%v, %v", p.Against, err)
	}
	o.Alone = false
	if whole, _, err := Make(ctx, o); err != nil || whole.Hash != p.Hash {
		t.Errorf("plan %s, with all tags %s; %v", p.Hash, whole.Hash, err)
	}
}
