package bundle

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

func TestProvenance(t *testing.T) {
	base := Base{Reference: "docker.io/library/debian:12", Digest: digest.FromString("debian")}
	image := Artifact{Kind: KindImage, Name: "docker.io/acme/spark:v1.5.0", Bases: []Base{base, base}}
	whole := Record{
		Version: version.MustParse("v1.5.0"), Base: "b", Commit: "c", Tool: "v0.1.0", Toolchain: "go1.26.8", Platforms: []string{"linux/amd64"},
		Config: config.Config{Name: "spark", URL: "https://example.com/spark"}, Artifacts: []Artifact{image, image},
	}
	for _, test := range []struct {
		name   string
		change func(*Record)
		run    Run
		want   string
	}{
		{"the whole record", func(*Record) {}, Run{}, `{
			"buildDefinition": {
				"buildType": "https://github.com/operator-release/operator-release#provenance",
				"externalParameters": {
					"version": "v1.5.0", "repository": "https://example.com/spark", "platforms": ["linux/amd64"],
					"settings": {"digest": {"sha256": "` + digest.FromString(`{"name":"spark","url":"https://example.com/spark"}`).Encoded() + `"}}
				},
				"resolvedDependencies": [
					{"name": "source", "uri": "git+https://example.com/spark@refs/tags/v1.5.0", "digest": {"gitCommit": "c"}},
					{"name": "base", "uri": "git+https://example.com/spark", "digest": {"gitCommit": "b"}},
					{"name": "toolchain", "uri": "https://go.dev/dl/#go1.26.8"},
					{"name": "base image", "uri": "oci://docker.io/library/debian:12", "digest": {"sha256": "` + base.Digest.Encoded() + `"}}
				]
			},
			"runDetails": {
				"builder": {"id": "https://github.com/operator-release/operator-release", "version": {"operator-release": "v0.1.0"}},
				"byproducts": [{"name": "release.json", "digest": {"sha256": "` + digest.FromString("record").Encoded() + `"}}]
			}
		}`},
		{"little, and a run", func(r *Record) {
			*r = Record{Version: r.Version, Base: "c", Commit: "c", Tool: "devel", Platforms: r.Platforms, Given: true, Accepted: []Accepted{{"a", "b"}}}
		}, Run{Builder: "https://example.com/ci", Invocation: "https://example.com/ci/7", Started: time.Unix(1767225600, 5).In(time.FixedZone("", 3600))}, `{
			"buildDefinition": {
				"buildType": "https://github.com/operator-release/operator-release#provenance",
				"externalParameters": {
					"version": "v1.5.0", "platforms": ["linux/amd64"], "given": true, "accepted": [{"id": "a", "because": "b"}],
					"settings": {"digest": {"sha256": "` + digest.FromString(`{}`).Encoded() + `"}}
				},
				"resolvedDependencies": [{"name": "source", "digest": {"gitCommit": "c"}}]
			},
			"runDetails": {
				"builder": {"id": "https://example.com/ci", "version": {"operator-release": "devel"}},
				"metadata": {"invocationId": "https://example.com/ci/7", "startedOn": "2026-01-01T00:00:00Z"},
				"byproducts": [{"name": "release.json", "digest": {"sha256": "` + digest.FromString("record").Encoded() + `"}}]
			}
		}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			record := whole
			test.change(&record)
			p, err := record.Provenance(digest.FromString("record"), test.run)
			if err != nil {
				t.Fatal(err)
			}
			content, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			var found, want any
			if err := json.Unmarshal(content, &found); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, found); diff != "" {
				t.Error(diff)
			}
		})
	}

	whole.Artifacts[0].Bases = []Base{{Reference: "debian", Digest: "none"}}
	if _, err := whole.Provenance(digest.FromString("record"), Run{}); !refusal.Is(err) || !strings.Contains(err.Error(), `base image debian is "none"`) {
		t.Errorf("a base image without digest: %v", err)
	}
}
