package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/operator-release/operator-release/ci/refusal"
)

// carrying is an image that compiled a binary, replaced it, and links to it.
func carrying(t *testing.T, p v1.Platform) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image,
		tarLayer(t, "./", "usr/", "usr/bin/", "usr/bin/op = older", "bin -> usr/bin", "usr/bin/gone = x", "opt/"),
		tarLayer(t, "bin/op = for "+p.Architecture, "opt/hard => usr/bin/op", "opt/soft -> hard", "opt/dir/", "usr/bin/.wh.gone", "opt/a -> b", "opt/b -> a"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = p.OS, p.Architecture
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

var carryingPlatforms = []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}

func TestBinariesAreTakenOut(t *testing.T) {
	archive := tarOf(t, layoutOf(t, false, func(p v1.Platform) v1.Image { return carrying(t, p) }, carryingPlatforms...))
	for _, at := range []string{"/usr/bin/op", "/bin/op", "/opt/hard", "/opt/soft"} {
		o := archived(t, archive)
		o.Platforms, o.Take, o.TakeTo = []string{"linux/amd64", "linux/arm64"}, map[string]string{"op": at, "other": "/usr/bin/op"}, t.TempDir()
		img := made(t, o)
		for _, p := range img.Platforms {
			arch := strings.TrimPrefix(p.Platform, "linux/")
			taken := filepath.Join(o.TakeTo, "linux-"+arch, "op")
			content, err := os.ReadFile(taken)
			if err != nil || string(content) != "for "+arch || !slices.Equal(p.Binaries, []string{"op", "other"}) {
				t.Errorf("%s of %s: %q, %v; it carries %v", at, p.Platform, content, err, p.Binaries)
			}
			if info, err := os.Stat(taken); err != nil || info.Mode() != 0o755 {
				t.Errorf("%v, %v", info, err)
			}
		}
	}
}

func TestOnlyWhatIsThereIsTakenOut(t *testing.T) {
	archive := tarOf(t, layoutOf(t, false, func(p v1.Platform) v1.Image { return carrying(t, p) }, carryingPlatforms...))
	for at, why := range map[string]string{
		"/usr/bin/other": "there is no file /usr/bin/other", "/usr/bin/gone": "there is no file", "/opt/dir": "/opt/dir is a folder",
		"/usr/bin/op/x": "is a file in the image", "/opt/a": "lead in circles",
	} {
		o := archived(t, archive)
		o.Platforms, o.Take, o.TakeTo = []string{"linux/amd64"}, map[string]string{"op": at}, t.TempDir()
		_, err := Build(t.Context(), o)
		if !refusal.Is(err) || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "take the binary op out of it for linux/amd64") {
			t.Errorf("%s: %v", at, err)
		}
	}
	// A platform that is not released is carried, and nothing is taken out of it.
	o := archived(t, archive)
	o.Platforms, o.Take, o.TakeTo = []string{"linux/arm64"}, map[string]string{"op": "/bin/op"}, t.TempDir()
	img := made(t, o)
	if entries, err := os.ReadDir(o.TakeTo); err != nil || len(entries) != 1 || len(img.Platforms) != 2 {
		t.Errorf("%v, %v, %+v", entries, err, img.Platforms)
	}
}
