package render

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"

	"github.com/operator-release/operator-release/ci/config"
)

// TestFetch: a dependency that is not committed is fetched by the digest that the settings name, and by no other.
func TestFetch(t *testing.T) {
	c, err := loader.LoadFiles([]*archive.BufferedFile{
		{Name: "Chart.yaml", Data: []byte("apiVersion: v2\nname: redis\nversion: 2.1.0\n")},
		{Name: "templates/r.yaml", Data: []byte("kind: Redis\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	file, err := chartutil.Save(c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/redis-2.1.0.tgz", "/v2/charts/redis/blobs/" + digest:
			http.ServeContent(w, r, "", c.ModTime, strings.NewReader(string(content)))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	const chart = "-- charts/pi/Chart.yaml --\napiVersion: v2\nname: pi\nversion: 1.5.0\ndependencies: [{name: redis, version: 2.x, repository: https://r.example.com}]\n"
	wrong := "sha256:" + strings.Repeat("0", 64)
	oci := "oci://" + strings.TrimPrefix(server.URL, "http://") + "/charts/redis"
	for name, test := range map[string]struct {
		packages []config.Package
		err      string
	}{
		"by an address":          {[]config.Package{{Name: "redis", Version: "2.1.0", From: server.URL + "/redis-2.1.0.tgz", Digest: digest}}, ""},
		"from an OCI registry":   {[]config.Package{{Name: "redis", Version: "2.1.0", From: oci, Digest: digest}}, ""},
		"nothing is named":       {nil, "the dependency redis 2.x (https://r.example.com) is not in charts/pi/charts of the commit"},
		"another version":        {[]config.Package{{Name: "redis", Version: "3.0.0", From: server.URL, Digest: digest}}, "is not in charts/pi/charts of the commit"},
		"another digest":         {[]config.Package{{Name: "redis", Version: "2.1.0", From: server.URL + "/redis-2.1.0.tgz", Digest: wrong}}, "its digest is " + digest + " where the settings say " + wrong},
		"another version in it":  {[]config.Package{{Name: "redis", Version: "2.0.0", From: server.URL + "/redis-2.1.0.tgz", Digest: digest}}, "the package is redis 2.1.0; correct fetch in the settings"},
		"an address without one": {[]config.Package{{Name: "redis", Version: "2.1.0", From: server.URL + "/none.tgz", Digest: wrong}}, "404"},
		"plain HTTP":             {[]config.Package{{Name: "redis", Version: "2.1.0", From: "http://r.example.com/redis-2.1.0.tgz", Digest: wrong}}, "it is plain HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			fetched.Clear()
			s, err := Read(t.Context(), treeOf(chart), "charts/pi", test.packages)
			if err == nil {
				err = s.Check()
			}
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v\nwant %s", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Render(t.Context(), "v1.30.0", nil)
			if err != nil || len(r.Documents) != 1 || r.Documents[0].File != "charts/pi/charts/redis/templates/r.yaml" {
				t.Errorf("%+v, %v", r.Documents, err)
			}
		})
	}
	stale := treeOf(strings.Replace(chart, "https://r.example.com", "file://../../redis", 1),
		"-- redis/Chart.yaml --\napiVersion: v2\nname: redis\nversion: 2.2.0\n-- redis/templates/r.yaml --\nkind: New\n")
	stale["charts/pi/charts/redis-2.1.0.tgz"] = &fstest.MapFile{Data: content}
	stale["charts/pi/charts/redis-2.1.0.tgz.prov"] = &fstest.MapFile{Data: []byte("signed")}
	s, err := Read(t.Context(), stale, "charts/pi", nil)
	if err != nil || s.Check() != nil || strings.Join(s.Replaced, " ") != "charts/pi/charts/redis-2.1.0.tgz" {
		t.Fatalf("%v, %v, replaced %s", err, s.Check(), s.Replaced)
	}
	if made, err := s.Chart(); err != nil || len(made.Dependencies()) != 1 || made.Dependencies()[0].Metadata.Version != "2.2.0" || len(made.Files) != 0 {
		t.Errorf("%+v, %v", made, err)
	}
	asked = 0
	committed := chart + "-- charts/pi/charts/redis/Chart.yaml --\napiVersion: v2\nname: redis\nversion: 2.0.0\n"
	if _, err := Read(t.Context(), treeOf(committed), "charts/pi", []config.Package{{Name: "redis", Version: "2.1.0", From: oci, Digest: digest}}); err != nil || asked > 0 {
		t.Errorf("%v; what is committed was fetched %d times", err, asked)
	}
}
