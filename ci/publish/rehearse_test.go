package publish

import (
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/git"
)

// TestARehearsalWritesWhatAPublicationDoes: the same bundle is rehearsed, and published to a registry with a prefix, another git remote, another repository of a forge and another branch for the
// chart index. Addresses aside, both report the same writes, the forge was asked for the same, and shows the same.
func TestARehearsalWritesWhatAPublicationDoes(t *testing.T) {
	ctx, source := t.Context(), repository(t)
	if _, err := source.Git(ctx, "tag", "v1.4.0"); err != nil {
		t.Fatal(err)
	}
	b := releaseOf(t, source, "v1.5.0", "v1.5.0\n", "linux/amd64")
	var rehearsed *hub.Hub
	rehearsal, err := Rehearse(WithForge(ctx, func(served http.Handler) http.Handler {
		rehearsed = served.(*hub.Hub)
		return forgetest.Hold(t, served)
	}), b, source, t.TempDir())
	if err != nil || !rehearsal.Again {
		t.Fatal(rehearsal.Again, err)
	}

	to, published, plain := elsewhere(t, source)
	report, err := Publish(ctx, b, to)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range report.Writes {
		report.Writes[i].Target = plain.Replace(w.Target)
	}
	if len(report.Notes) != 1 || !strings.Contains(report.Notes[0], "branch charts") || len(rehearsal.Notes) > 0 {
		t.Errorf("a new index is told: %q; one that is thrown away is not: %q", report.Notes, rehearsal.Notes)
	}
	report.Notes = nil
	if !reflect.DeepEqual(report, rehearsal.Report) {
		t.Errorf("published: %+v\nrehearsed: %+v", report, rehearsal.Report)
	}
	asked := published.Writes()
	for i, r := range asked {
		asked[i].Path = plain.Replace(r.Path)
	}
	if want := rehearsed.Writes(); !reflect.DeepEqual(asked, want) || len(want) == 0 {
		t.Errorf("the forge was asked for\n%v\nin the rehearsal for\n%v", asked, want)
	}
	if got, want := published.Snapshot(), rehearsed.Snapshot(); !reflect.DeepEqual(got, want) {
		t.Errorf("the forge shows\n%+v\nin the rehearsal\n%+v", got, want)
	}
}

// elsewhere are destinations of the kinds of a rehearsal's, with the forge among them, and what makes their addresses those of a rehearsal's report.
func elsewhere(t *testing.T, source *git.Repository) (Destinations, *hub.Hub, *strings.Replacer) {
	t.Helper()
	ctx := t.Context()
	remote, err := git.Init(ctx, filepath.Join(t.TempDir(), "spark.git"), git.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := source.Git(ctx, "push", "-q", "--tags", remote.Dir(), "main"); err != nil {
		t.Fatal(err)
	}
	registry, err := serveRegistry(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { registry.close() })
	h, _, address := forgetest.Start(t, hub.Options{Repository: "acme/spark", Git: remote, Immutable: true, Users: []hub.User{{Login: "robot", Token: "secret", Role: hub.Write}}})
	client, err := forge.NewGitHub("acme/spark", forge.Options{URL: address, Token: forge.Token("secret"), Patience: hasty})
	if err != nil {
		t.Fatal(err)
	}
	to := Destinations{
		Registry: &Registry{Prefix: registry.address + "/mirror"}, Remote: &Remote{URL: remote.Dir(), Source: source},
		Forge: &Forge{Client: client, Name: "acme/spark"}, Index: &Index{Branch: "charts"}, Patience: hasty,
	}
	return to, h, strings.NewReplacer(to.Registry.Prefix+"/", "", "acme/spark release ", "throwaway/release release ", "/repos/acme/spark/", "/repos/throwaway/release/", "refs/heads/charts", "refs/heads/gh-pages",
		"refs/chart-indexes/charts", "refs/chart-indexes/gh-pages")
}
