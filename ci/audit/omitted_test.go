package audit

import (
	"context"
	"strings"
	"testing"

	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/version"
)

// TestOmitted: an image that was left out, and that the registry does not have, is missing where the chart of a final
// runs it.
func TestOmitted(t *testing.T) {
	dir := t.TempDir()
	shell(t, dir, `git init -q -b main .
mkdir -p charts/spark/templates
printf 'apiVersion: v2\nname: spark\nversion: 1.5.0\nappVersion: v1.5.0\n' > charts/spark/Chart.yaml
printf 'web: {enabled: false}\n' > charts/spark/values.yaml
cat > charts/spark/templates/a.yaml <<'E'
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers: [{name: c, image: "acme/hook:{{ .Chart.AppVersion }}"}]
{{ if .Values.web.enabled }}
  initContainers: [{name: d, image: "acme/web:{{ .Chart.AppVersion }}"}]
{{ end }}
E
git add -A; git commit -q -m base`)
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	head, _, err := r.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.Tree(t.Context(), head.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	throwaway, err := publish.NewThrowaway(context.Background(), t.TempDir(), git.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { throwaway.Close() })
	open := func(repository string) (*remote.Repository, error) {
		return (&publish.Registry{Prefix: throwaway.Registry}).Open(repository)
	}
	for _, test := range []struct {
		version, image string
		files          bool
		state          State
		says           string
	}{
		{"v1.5.0", "docker.io/acme/hook", true, Missing, `no builder; charts run it with their default values: charts/spark/templates/a.yaml: Pod a: container "c"`},
		{"v1.5.0-rc.0", "docker.io/acme/hook", true, "", "(no builder), and charts run it with their default values"},
		{"v1.5.0", "docker.io/acme/web", true, "", "(no builder); not found in the objects that the charts render to with their default values (install and upgrade)"},
		{"v1.5.0", "docker.io/acme/hook", false, Unseen, "no git tag has a tree"},
	} {
		a := &auditor{registries: registries{open: open, down: map[string]error{}}}
		out, at := &Version{}, &tagged{}
		if test.files {
			at.files = tree
		}
		record := bundle.Record{Version: version.MustParse(test.version), Config: config.Config{Charts: []config.Chart{{Path: "charts/spark"}}}}
		a.omitted(t.Context(), record, at, bundle.Omission{Kind: bundle.KindImage, Name: test.image, Because: "no builder"}, out)
		said, state := strings.Join(out.Notes, "\n"), State("")
		for _, s := range out.Surfaces {
			said, state = said+s.Note, s.State
		}
		if state != test.state || !strings.Contains(said, test.says) {
			t.Errorf("%s %s: %s %s", test.version, test.image, state, said)
		}
	}
}
