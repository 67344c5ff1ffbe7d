package support

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"oras.land/oras-go/v2"

	"github.com/operator-release/operator-release/ci/registry"
)

func TestLook(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/golang.org/toolchain/@v/list" {
			http.NotFound(w, r)
			return
		}
		for _, v := range []string{"1.24.13", "1.25.11", "1.26.1", "1.26.8", "1.26.10", "1.27rc1"} {
			fmt.Fprintf(w, "v0.0.1-go%s.linux-amd64\nv0.0.1-go%s.windows-amd64\n", v, v)
		}
	}))
	defer proxy.Close()
	server := httptest.NewServer(ggcr.New())
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	client, err := registry.New()
	if err != nil {
		t.Fatal(err)
	}
	spark, err := client.Open(host + "/apache/spark")
	if err != nil {
		t.Fatal(err)
	}
	image, err := oras.PackManifest(t.Context(), spark, oras.PackManifestVersion1_1, "application/vnd.example", oras.PackManifestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"4.0.1", "4.0.4", "4.0.10", "4.1.0", "4.0.11-java17", "4.0", "latest"} {
		if err := spark.Tag(t.Context(), image, tag); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Proxy: proxy.URL + "/", Mirrors: map[string]string{"docker.io": host}, Registry: client}
	said, err := Look(t.Context(), o, []Line{
		{Name: "2.5", Toolchain: "go1.26.8", Bases: []string{"docker.io/apache/spark:4.0.1@sha256:00", "apache/spark:4.1.0", "docker.io/library/debian:bookworm-slim", "docker.io/apache/gone:1.0.0"}},
		{Name: "2.4", Toolchain: "go1.24.13"}, {Name: "2.3", Toolchain: "go1.25.11"}, {Name: "2.2"},
	})
	if err != nil {
		t.Fatal(err)
	}
	short := func(s State) string { return fmt.Sprint(s.Newest, " ", s.Behind, " ", s.Note) }
	var got []string
	for _, s := range said {
		if s.Go != nil {
			got = append(got, short(*s.Go))
		}
		for _, i := range s.Images {
			got = append(got, short(i))
		}
	}
	for i, want := range []string{"go1.26.10 true ", "4.0.10 true ", "4.1.0 false ", " false its tag has no number", " false its registry could not be asked", "go1.24.13 true go1.24 gets no patches any more; go1.26 does", "go1.25.11 false "} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("%d: %q, not %q", i, got, want)
		}
	}
	if !said[0].Behind() || !said[1].Behind() || said[2].Behind() || said[3].Behind() {
		t.Errorf("%+v", said)
	}
	// Without a proxy nothing is said to be in order.
	for _, proxy := range []string{"", proxy.URL + "/elsewhere"} {
		o.Proxy = proxy
		if said, err = Look(t.Context(), o, []Line{{Toolchain: "go1.26.8"}}); err != nil || said[0].Go.Newest != "" || !strings.Contains(said[0].Go.Note, "could not be asked") {
			t.Errorf("%+v, %v", said, err)
		}
	}
}
