package bundle_test

import (
	"maps"
	"testing"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/config"
)

// TestLackedImages: an image that the bundle has for some of its platforms only is lacked, too.
func TestLackedImages(t *testing.T) {
	images := []config.Image{{Repository: "r/a"}, {Repository: "r/b"}, {Repository: "r/c"}, {Repository: "r/d"}}
	amd64, arm64 := bundle.PlatformImage{Platform: "linux/amd64"}, bundle.PlatformImage{Platform: "linux/arm64"}
	r := bundle.Record{Config: config.Config{Images: images}, Platforms: []string{"darwin/arm64", "linux/amd64", "linux/arm64"},
		Omitted:   []bundle.Omission{{Kind: bundle.KindImage, Name: "r/c", Because: "no builder"}},
		Artifacts: []bundle.Artifact{{Kind: bundle.KindImage, Repository: "r/a", Platforms: []bundle.PlatformImage{amd64, arm64}}, {Kind: bundle.KindImage, Repository: "r/b", Platforms: []bundle.PlatformImage{amd64}}}}
	want := map[string]string{"r/b": "it has no image for linux/arm64", "r/c": "no builder", "r/d": "the record names no such image"}
	if got := r.LackedImages(); !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
