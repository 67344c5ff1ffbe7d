package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	godigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/refusal"
)

// foreignLayout is the files of an OCI layout as another tool writes one: index.json names an index of
// these platforms, or where flat is true the manifests themselves.
func foreignLayout(t testing.TB, flat bool, platforms ...v1.Platform) map[string][]byte {
	t.Helper()
	return layoutOf(t, flat, func(p v1.Platform) v1.Image { return debian(t, p) }, platforms...)
}

// layoutOf is the layout of an image whose platforms are made by make.
func layoutOf(t testing.TB, flat bool, make func(v1.Platform) v1.Image, platforms ...v1.Platform) map[string][]byte {
	t.Helper()
	var all v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range platforms {
		img := mutate.ConfigMediaType(mutate.MediaType(make(p), types.OCIManifestSchema1), types.OCIConfigJSON)
		layers, err := img.Layers()
		if err != nil {
			t.Fatal(err)
		}
		oci := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
		for _, l := range layers {
			if oci, err = mutate.Append(oci, mutate.Addendum{Layer: l, MediaType: types.OCILayer}); err != nil {
				t.Fatal(err)
			}
		}
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if oci, err = mutate.ConfigFile(oci, config); err != nil {
			t.Fatal(err)
		}
		all = mutate.AppendManifests(all, mutate.IndexAddendum{Add: oci, Descriptor: v1.Descriptor{Platform: &p}})
	}
	dir := filepath.Join(t.TempDir(), "oci")
	top := all
	if !flat {
		top = mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{Add: all})
	}
	if _, err := layout.Write(dir, top); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err == nil {
			files[filepath.ToSlash(rel)], err = os.ReadFile(p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// tarOf writes files as a tar archive, these extra entries before them.
func tarOf(t testing.TB, files map[string][]byte, extra ...tar.Header) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range extra {
		h.Mode = 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(files[name])), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func folderOf(t testing.TB, files map[string][]byte) string {
	texts := map[string]string{}
	for name, content := range files {
		texts[name] = string(content)
	}
	return folder(t, texts)
}

func gzipOf(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	gz := archive.NewGzip(&b)
	gz.Write(content)
	gz.Close()
	if err := os.WriteFile(path+".gz", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path + ".gz"
}

// edit decodes a JSON file, changes it, and writes it back; where it is a blob its name follows, and the new name is given.
func edit[T any](t testing.TB, files map[string][]byte, name string, change func(*T)) ocispec.Descriptor {
	t.Helper()
	var v T
	if err := json.Unmarshal(files[name], &v); err != nil {
		t.Fatal(err)
	}
	change(&v)
	content, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d := ocispec.Descriptor{Digest: godigest.FromBytes(content), Size: int64(len(content))}
	if strings.HasPrefix(name, "blobs/") {
		delete(files, name)
		name = "blobs/sha256/" + d.Digest.Encoded()
	}
	files[name] = content
	return d
}

func blobName(d ocispec.Descriptor) string { return "blobs/sha256/" + d.Digest.Encoded() }

// editManifest changes the first manifest of an index.json -> index -> manifests layout, and all digests above it.
func editManifest(t testing.TB, files map[string][]byte, change func(*ocispec.Manifest)) {
	editIndex(t, files, func(index *ocispec.Index) {
		d := edit(t, files, blobName(index.Manifests[0]), change)
		index.Manifests[0].Digest, index.Manifests[0].Size = d.Digest, d.Size
	})
}

func editIndex(t testing.TB, files map[string][]byte, change func(*ocispec.Index)) {
	edit(t, files, "index.json", func(top *ocispec.Index) {
		d := edit(t, files, blobName(top.Manifests[0]), change)
		top.Manifests[0].Digest, top.Manifests[0].Size = d.Digest, d.Size
	})
}

func archived(t testing.TB, path string) Options {
	o := options(t, nil)
	o.Tree, o.Binaries, o.Archive = "", nil, path
	o.Labels = map[string]string{"a": "b"}
	return o
}

func TestArchiveIsCarried(t *testing.T) {
	files := foreignLayout(t, false, debianPlatforms...)
	var top ocispec.Index
	if err := json.Unmarshal(files["index.json"], &top); err != nil {
		t.Fatal(err)
	}
	tarball := tarOf(t, files, tar.Header{Name: "blobs/", Typeflag: tar.TypeDir}, tar.Header{Name: "./blobs/sha256/", Typeflag: tar.TypeDir})
	for name, path := range map[string]string{"tar": tarball, "tar.gz": gzipOf(t, tarball), "folder": folderOf(t, files)} {
		t.Run(name, func(t *testing.T) {
			o := archived(t, path)
			img := made(t, o)
			if img.Index.Digest != top.Manifests[0].Digest || img.Index.Size != top.Manifests[0].Size || img.Index.Annotations != nil {
				t.Errorf("got %+v, want %+v", img.Index, top.Manifests[0])
			}
			var names []string
			for _, p := range img.Platforms {
				names = append(names, p.Platform)
			}
			if diff := cmp.Diff([]string{"linux/amd64", "linux/arm/v6", "linux/arm64"}, names); diff != "" {
				t.Error(diff)
			}
			for blob, content := range files {
				if !strings.HasPrefix(blob, "blobs/") {
					continue
				}
				got, err := os.ReadFile(filepath.Join(o.Layout.Dir(), blob))
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("%s: %v", blob, err)
				}
				if info, err := os.Stat(filepath.Join(o.Layout.Dir(), blob)); err != nil || info.Mode().Perm() != 0o644 {
					t.Errorf("%s has mode %v", blob, info.Mode())
				}
			}
			left, err := filepath.Glob(filepath.Join(o.Layout.Dir(), ".*"))
			if err != nil || len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

func TestArchiveOfManifests(t *testing.T) {
	o := archived(t, tarOf(t, foreignLayout(t, true, debianPlatforms[:2]...)))
	img := made(t, o)
	index := read[ocispec.Index](t, o.Layout, img.Index)
	if len(index.Manifests) != 2 || index.Annotations["a"] != "b" || index.Manifests[1].Platform.Architecture != "arm64" || index.Manifests[1].Platform.Variant != "v8" {
		t.Errorf("index %+v", index)
	}

	// A single manifest whose platform only its config tells.
	files := foreignLayout(t, true, debianPlatforms[0])
	edit(t, files, "index.json", func(top *ocispec.Index) { top.Manifests[0].Platform = nil })
	o = archived(t, tarOf(t, files))
	o.Platforms = o.Platforms[:1]
	img = made(t, o)
	if p := img.Platforms; len(p) != 1 || p[0].Platform != "linux/amd64" || p[0].Manifest.Platform.Architecture != "amd64" {
		t.Errorf("got %+v", p)
	}
}

func TestArchiveOfSeveralImages(t *testing.T) {
	files := foreignLayout(t, false, debianPlatforms[:2]...)
	other := foreignLayout(t, false, debianPlatforms[0])
	for name, content := range other {
		if strings.HasPrefix(name, "blobs/") {
			files[name] = content
		}
	}
	var second ocispec.Index
	if err := json.Unmarshal(other["index.json"], &second); err != nil {
		t.Fatal(err)
	}
	var wanted godigest.Digest
	name := func(first string, annotation string) Options {
		edit(t, files, "index.json", func(top *ocispec.Index) {
			wanted = top.Manifests[0].Digest
			top.Manifests[0].Annotations = map[string]string{annotation: first}
			second.Manifests[0].Annotations = map[string]string{ocispec.AnnotationRefName: "other"}
			top.Manifests = append(top.Manifests[:1], second.Manifests[0])
		})
		return archived(t, tarOf(t, files))
	}
	for _, o := range []Options{name("v1.5.0", ocispec.AnnotationRefName), name("docker.io/kubeflow/spark-operator:v1.5.0", ocispec.AnnotationRefName), name("docker.io/kubeflow/spark-operator:v1.5.0", "io.containerd.image.name")} {
		if img := made(t, o); img.Index.Digest != wanted {
			t.Errorf("took %s, want %s", img.Index.Digest, wanted)
		}
	}
	refusedWith(t, name("latest", ocispec.AnnotationRefName), "image docker.io/kubeflow/spark-operator:v1.5.0 from archive ", "it holds 2 images (sha256:", ` "latest", sha256:`, "name it docker.io/kubeflow/spark-operator:v1.5.0 in the archive")
}

func TestArchiveWithAttestation(t *testing.T) {
	for _, flat := range []bool{false, true} {
		t.Run(map[bool]string{false: "an index", true: "manifests alone"}[flat], func(t *testing.T) { takesAttestation(t, flat) })
	}
}

// takesAttestation takes an image with an attestation, of an archive whose index.json lists an index or, flat,
// manifests.
func takesAttestation(t *testing.T, flat bool) {
	t.Helper()
	files := foreignLayout(t, flat, debianPlatforms[:2]...)
	statement := []byte(`{"_type":"https://in-toto.io/Statement/v1"}`)
	config := []byte(`{"architecture":"unknown","os":"unknown","config":{},"rootfs":{"type":"layers","diff_ids":["` + godigest.FromBytes(statement) + `"]}}`)
	add := func(mediaType string, content []byte) ocispec.Descriptor {
		d := ocispec.Descriptor{MediaType: mediaType, Digest: godigest.FromBytes(content), Size: int64(len(content))}
		files[blobName(d)] = content
		return d
	}
	var attestation ocispec.Descriptor
	list := func(index *ocispec.Index) {
		content, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageManifest, "config": add(ocispec.MediaTypeImageConfig, config), "layers": []any{add("application/vnd.in-toto+json", statement)}})
		if err != nil {
			t.Fatal(err)
		}
		attestation = add(ocispec.MediaTypeImageManifest, content)
		attestation.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
		attestation.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": index.Manifests[0].Digest.String()}
		index.Manifests = append(index.Manifests, attestation)
	}
	if flat {
		edit(t, files, "index.json", list)
	} else {
		editIndex(t, files, list)
	}
	o := archived(t, tarOf(t, files))
	img, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(img.Platforms) != 2 || !o.Layout.Has(attestation) {
		t.Errorf("platforms %+v, attestation carried: %v", img.Platforms, o.Layout.Has(attestation))
	}
	if listed, err := o.Layout.Children(img.Index); err != nil || len(listed) != 3 {
		t.Errorf("the index lists %v (%v)", listed, err)
	}
	if err := o.Layout.Walk(img.Index, func(d ocispec.Descriptor) error { return o.Layout.Verify(d) }); err != nil {
		t.Error(err)
	}
}

func TestArchiveRefused(t *testing.T) {
	pair := debianPlatforms[:2]
	var index ocispec.Index
	first := func(files map[string][]byte) ocispec.Manifest {
		t.Helper()
		var top, all ocispec.Index
		var m ocispec.Manifest
		for _, step := range []func() error{
			func() error { return json.Unmarshal(files["index.json"], &top) },
			func() error { return json.Unmarshal(files[blobName(top.Manifests[0])], &all) },
			func() error { return json.Unmarshal(files[blobName(all.Manifests[0])], &m) },
		} {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		index = all
		return m
	}
	for name, test := range map[string]struct {
		change func(files map[string][]byte)
		extra  []tar.Header
		want   string
	}{
		"no layout":          {func(f map[string][]byte) { delete(f, "oci-layout") }, nil, "it has no oci-layout, so it is no OCI layout"},
		"other layout":       {func(f map[string][]byte) { f["oci-layout"] = []byte(`{"imageLayoutVersion":"2.0"}`) }, nil, `its oci-layout says "{\"imageLayoutVersion\":\"2.0\"}" where version 1.0.0 belongs`},
		"no index":           {func(f map[string][]byte) { delete(f, "index.json") }, nil, "it has no index.json"},
		"index is no JSON":   {func(f map[string][]byte) { f["index.json"] = []byte("{") }, nil, "its index.json is no image index"},
		"index is huge":      {func(f map[string][]byte) { f["index.json"] = bytes.Repeat([]byte(" "), maxManifest+1) }, nil, "index.json has more than 4194304 bytes"},
		"nothing in it":      {func(f map[string][]byte) { f["index.json"] = []byte("{}") }, nil, "it holds 0 images ()"},
		"entry above":        {nil, []tar.Header{{Name: "../etc/passwd"}}, `the entry "../etc/passwd" leads out of the archive`},
		"entry above, below": {nil, []tar.Header{{Name: "blobs/../../x"}}, `the entry "blobs/../../x" leads out of the archive`},
		"absolute entry":     {nil, []tar.Header{{Name: "/etc/passwd"}}, `the entry "/etc/passwd" leads out of the archive`},
		"symbolic link":      {nil, []tar.Header{{Name: "blobs/x", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}}, `the entry "blobs/x" is a link or a special file, and an OCI layout has plain files only; export`},
		"hard link":          {nil, []tar.Header{{Name: "blobs/x", Linkname: "index.json", Typeflag: tar.TypeLink}}, "is a link or a special file"},
		"device":             {nil, []tar.Header{{Name: "null", Typeflag: tar.TypeChar}}, "is a link or a special file"},
		"twice":              {nil, []tar.Header{{Name: "./index.json"}}, `the entry "index.json" comes twice`},
		"blob missing":       {func(f map[string][]byte) { delete(f, blobName(first(f).Layers[0])) }, nil, "(application/vnd.oci.image.layer.v1.tar+gzip) is missing; export the whole image again"},
		"manifest missing":   {func(f map[string][]byte) { first(f); delete(f, blobName(index.Manifests[1])) }, nil, "(application/vnd.oci.image.manifest.v1+json) is missing"},
		"blob changed":       {func(f map[string][]byte) { f[blobName(first(f).Layers[1])][9]++ }, nil, "has other bytes than declared"},
		"blob longer":        {func(f map[string][]byte) { n := blobName(first(f).Layers[1]); f[n] = append(f[n], 0) }, nil, "has other bytes than declared"},
		"blob shorter":       {func(f map[string][]byte) { n := blobName(first(f).Layers[1]); f[n] = f[n][:9] }, nil, "has other bytes than declared"},
		"config changed":     {func(f map[string][]byte) { f[blobName(first(f).Config)][9]++ }, nil, "has other bytes than declared"},
		"manifest changed":   {func(f map[string][]byte) { first(f); f[blobName(index.Manifests[0])][20]++ }, nil, "has other bytes than declared"},
		"larger than said":   {func(f map[string][]byte) { editManifest(t, f, func(m *ocispec.Manifest) { m.Layers[0].Size-- }) }, nil, "has other bytes than declared"},
		"huge manifest":      {func(f map[string][]byte) { editIndex(t, f, func(i *ocispec.Index) { i.Manifests[0].Size = 1 << 40 }) }, nil, "more than 4194304 is none"},
		"huge config":        {func(f map[string][]byte) { editManifest(t, f, func(m *ocispec.Manifest) { m.Config.Size = 1 << 40 }) }, nil, "more than 4194304 is none"},
		"negative size":      {func(f map[string][]byte) { editManifest(t, f, func(m *ocispec.Manifest) { m.Layers[0].Size = -1 }) }, nil, "is no sha256 digest of a blob"},
		"digest is a path": {func(f map[string][]byte) {
			editManifest(t, f, func(m *ocispec.Manifest) { m.Layers[0].Digest = "sha256:../../../index.json" })
		}, nil, `"sha256:../../../index.json" with`},
		"digest is text":    {func(f map[string][]byte) { editManifest(t, f, func(m *ocispec.Manifest) { m.Layers[0].Digest = "x" }) }, nil, `"x" with`},
		"manifest's digest": {func(f map[string][]byte) { editIndex(t, f, func(i *ocispec.Index) { i.Manifests[0].Digest = "x" }) }, nil, `"x" with`},
		"sha512": {func(f map[string][]byte) {
			editManifest(t, f, func(m *ocispec.Manifest) { m.Layers[0].Digest = godigest.SHA512.FromString("x") })
		}, nil, "is no sha256 digest of a blob"},
		"docker manifest": {func(f map[string][]byte) {
			editIndex(t, f, func(i *ocispec.Index) { i.Manifests[0].MediaType = dockerManifest })
		}, nil, `is of the type "` + dockerManifest + `", and no OCI image; export the image as an OCI archive with OCI media types`},
		"docker layer": {func(f map[string][]byte) {
			editManifest(t, f, func(m *ocispec.Manifest) { m.Layers[0].MediaType = "application/vnd.docker.image.rootfs.diff.tar.gzip" })
		}, nil, "which is not carried; export the image as an OCI archive with OCI media types"},
		"docker config": {func(f map[string][]byte) {
			editManifest(t, f, func(m *ocispec.Manifest) { m.Config.MediaType = dockerConfig })
		}, nil, "and none of an OCI image"},
		"foreign layer": {func(f map[string][]byte) {
			editManifest(t, f, func(m *ocispec.Manifest) {
				m.Layers[0].MediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
			})
		}, nil, "which is not carried"},
		"layer elsewhere": {func(f map[string][]byte) {
			editManifest(t, f, func(m *ocispec.Manifest) { m.Layers[0].URLs = []string{"https://x"} })
		}, nil, "with addresses to fetch it from"},
		"artifact": {func(f map[string][]byte) {
			editManifest(t, f, func(m *ocispec.Manifest) { m.Config.MediaType = ocispec.MediaTypeEmptyJSON })
		}, nil, "and none of an OCI image"},
		"self-styled": {func(f map[string][]byte) {
			editManifest(t, f, func(m *ocispec.Manifest) { m.MediaType = ocispec.MediaTypeImageIndex })
		}, nil, "is none: it calls itself"},
		"index of indexes": {func(f map[string][]byte) {
			editIndex(t, f, func(i *ocispec.Index) { i.Manifests[0].MediaType = ocispec.MediaTypeImageIndex })
		}, nil, "only an index of manifests is an image"},
		"layers lost": {func(f map[string][]byte) { editManifest(t, f, func(m *ocispec.Manifest) { m.Layers = m.Layers[:1] }) }, nil, "has 1 layers and its config 2"},
		"other platform": {func(f map[string][]byte) {
			editIndex(t, f, func(i *ocispec.Index) { i.Manifests[0].Platform.Architecture = "s390x" })
		}, nil, "is listed for linux/s390x, and its config is for linux/amd64"},
		"platform twice": {func(f map[string][]byte) {
			editIndex(t, f, func(i *ocispec.Index) { i.Manifests = append(i.Manifests, i.Manifests[0]) })
		}, nil, "it holds two images for linux/amd64"},
		"platform missing": {func(f map[string][]byte) { editIndex(t, f, func(i *ocispec.Index) { i.Manifests = i.Manifests[:1] }) }, nil, "it has no image for linux/arm64, only for linux/amd64; export all platforms"},
		"size twofold": {func(f map[string][]byte) {
			editManifest(t, f, func(m *ocispec.Manifest) { m.Layers[1].Digest = m.Layers[0].Digest })
		}, nil, "is declared with"},
	} {
		t.Run(name, func(t *testing.T) {
			files := foreignLayout(t, false, pair...)
			if test.change != nil {
				test.change(files)
			}
			o := archived(t, tarOf(t, files, test.extra...))
			refusedWith(t, o, test.want)
			if len(test.extra) > 0 {
				return
			}
			o = archived(t, folderOf(t, files))
			refusedWith(t, o, test.want)
		})
	}
}

func TestArchiveIsNone(t *testing.T) {
	text := filepath.Join(folder(t, map[string]string{"x": strings.Repeat("no archive ", 100)}), "x")
	broken := filepath.Join(folder(t, map[string]string{"x": "\x1f\x8bno gzip"}), "x")
	linked := folderOf(t, foreignLayout(t, false, debianPlatforms[:2]...))
	if err := os.Rename(filepath.Join(linked, "blobs"), filepath.Join(linked, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("elsewhere", filepath.Join(linked, "blobs")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/nowhere": "image archive /nowhere: stat /nowhere: no such file or directory; name an OCI archive",
		text:       "it is no tar archive",
		broken:     "image archive " + broken + ": ",
		linked:     "blobs is a symbolic link or no file",
	} {
		refusedWith(t, archived(t, path), want)
	}
}

// FuzzArchive takes any bytes for an archive; whatever is taken over must verify.
func FuzzArchive(f *testing.F) {
	content, err := os.ReadFile(tarOf(f, foreignLayout(f, false, debianPlatforms[0])))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "x.tar")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		o := archived(t, path)
		o.Platforms = []string{"linux/amd64"}
		img, err := Build(context.Background(), o)
		if err != nil {
			if !refusal.Is(err) {
				t.Errorf("not refused: %v", err)
			}
			return
		}
		if err := o.Layout.Walk(img.Index, func(d ocispec.Descriptor) error { return o.Layout.Verify(d) }); err != nil {
			t.Error(err)
		}
	})
}
