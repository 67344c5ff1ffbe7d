package image

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	godigest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/refusal"
)

// hub is a real registry, over HTTP on loopback, that tests name as the mirror of docker.io.
type hub struct {
	*httptest.Server
	host  string
	mu    sync.Mutex
	asked map[string]int
	fault func(http.ResponseWriter, *http.Request) bool
}

func newHub(t testing.TB) *hub {
	h := &hub{asked: map[string]int{}}
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.asked[r.Method+" "+r.URL.Path]++
		broken := h.fault
		h.mu.Unlock()
		if broken == nil || !broken(w, r) {
			handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(h.Close)
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	h.host = strings.TrimPrefix(h.URL, "http://")
	return h
}

// pushed is an image or an index of go-containerregistry.
type pushed interface {
	RawManifest() ([]byte, error)
	MediaType() (types.MediaType, error)
}

// push puts an image, or an index with its images, into the registry under REPOSITORY:TAG.
func (h *hub) push(t testing.TB, repositoryAndTag string, v pushed) godigest.Digest {
	t.Helper()
	repository, tag, _ := strings.Cut(repositoryAndTag, ":")
	repo, err := remote.NewRepository(h.host + "/" + repository)
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	return h.pushTo(t, repo, tag, v)
}

func (h *hub) pushTo(t testing.TB, repo *remote.Repository, tag string, v pushed) godigest.Digest {
	t.Helper()
	ctx := context.Background()
	fatal := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	blob := func(d v1.Hash, open func() (io.ReadCloser, error), size int64) {
		r, err := open()
		fatal(err)
		defer r.Close()
		fatal(repo.Blobs().Push(ctx, ocispec.Descriptor{Digest: godigest.Digest(d.String()), Size: size}, r))
	}
	switch v := v.(type) {
	case v1.ImageIndex:
		m, err := v.IndexManifest()
		fatal(err)
		for _, d := range m.Manifests {
			img, err := v.Image(d.Digest)
			fatal(err)
			h.pushTo(t, repo, "", img)
		}
	case v1.Image:
		layers, err := v.Layers()
		fatal(err)
		for _, l := range layers {
			d, err := l.Digest()
			fatal(err)
			size, err := l.Size()
			fatal(err)
			blob(d, l.Compressed, size)
		}
		config, err := v.RawConfigFile()
		fatal(err)
		d, err := v.ConfigName()
		fatal(err)
		blob(d, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(config)), nil }, int64(len(config)))
	}
	raw, err := v.RawManifest()
	fatal(err)
	mediaType, err := v.MediaType()
	fatal(err)
	desc := ocispec.Descriptor{MediaType: string(mediaType), Digest: godigest.FromBytes(raw), Size: int64(len(raw))}
	if tag == "" {
		tag = desc.Digest.String()
	}
	fatal(repo.Manifests().PushReference(ctx, desc, bytes.NewReader(raw), tag))
	return desc.Digest
}

// tarLayer is a layer with these entries: "d/" is a folder, "l -> x" a symbolic link, "l => x" a hard one, "f = x" a file with content.
func tarLayer(t testing.TB, entries ...string) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e, Mode: 0o755, Typeflag: tar.TypeReg}
		if at, to, ok := strings.Cut(e, " -> "); ok {
			h.Name, h.Linkname, h.Typeflag = at, to, tar.TypeSymlink
		} else if strings.HasSuffix(e, "/") {
			h.Typeflag = tar.TypeDir
		}
		content := ""
		if at, to, ok := strings.Cut(e, " => "); ok {
			h.Name, h.Linkname, h.Typeflag = at, to, tar.TypeLink
		} else if at, text, ok := strings.Cut(e, " = "); ok {
			h.Name, h.Size, content = at, int64(len(text)), text
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// debian is something like a base image of one platform, in Docker's media types.
func debian(t testing.TB, p v1.Platform) v1.Image {
	t.Helper()
	img, err := mutate.Append(empty.Image,
		mutate.Addendum{Layer: tarLayer(t, "./", "usr/", "usr/bin/", "usr/bin/sh", "bin -> usr/bin", "tmp/", "gone/", "gone/x", "opt/", "opt/old", "opt/"+p.Architecture), History: v1.History{CreatedBy: "debootstrap"}},
		mutate.Addendum{Layer: tarLayer(t, ".wh.gone", "opt/.wh..wh..opq", "opt/new"), History: v1.History{CreatedBy: "rm"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = p.OS, p.Architecture, p.Variant
	config.Author = "them"
	config.Config = v1.Config{
		Env: []string{"PATH=/usr/bin", "LANG=C"}, Entrypoint: []string{"/usr/bin/sh"}, Cmd: []string{"-l"}, User: "root", WorkingDir: "/opt",
		Labels: map[string]string{"base": "yes", "org.opencontainers.image.title": "debian"}, Volumes: map[string]struct{}{"/data": {}}, StopSignal: "SIGINT",
		Shell: []string{"/bin/bash", "-c"}, Healthcheck: &v1.HealthConfig{Test: []string{"NONE"}}, ExposedPorts: map[string]struct{}{"1/tcp": {}},
	}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

var debianPlatforms = []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64", Variant: "v8"}, {OS: "linux", Architecture: "arm", Variant: "v6"}}

// pushDebian pushes an index of all platforms, in Docker's media types or in OCI's.
func pushDebian(t testing.TB, h *hub, repository string, index types.MediaType) godigest.Digest {
	t.Helper()
	all := mutate.IndexMediaType(empty.Index, index)
	for _, p := range debianPlatforms {
		img := debian(t, p)
		if index == types.OCIImageIndex {
			img = mutate.ConfigMediaType(mutate.MediaType(img, types.OCIManifestSchema1), types.OCIConfigJSON)
		}
		all = mutate.AppendManifests(all, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &p}})
	}
	return h.push(t, repository, all)
}

// onDebian are options for a Dockerfile upon it.
func onDebian(t testing.TB, h *hub, dockerfile string) Options {
	o := options(t, map[string]string{"Dockerfile": dockerfile, "f": "F", "d/bin/x": "X", "d/srv/y": "Y"})
	o.Mirrors = map[string]string{"docker.io": h.host}
	return o
}

func TestBaseImage(t *testing.T) {
	h := newHub(t)
	for _, test := range []struct {
		repository, from string
		index            types.MediaType
	}{{"library/debian:12", "debian:12", types.DockerManifestList}, {"apache/spark:latest", "docker.io/apache/spark", types.OCIImageIndex}} {
		digest := pushDebian(t, h, test.repository, test.index)
		o := onDebian(t, h, "FROM "+test.from+`
ENV LANG=de PATH=$PATH:/opt
LABEL base=$LANG
COPY bin/operator /bin/
COPY --chown=5:6 d/srv /srv/data
COPY f /opt
COPY f /gone/
WORKDIR /opt
WORKDIR work
ENTRYPOINT operator run
`)
		o.Platforms = append(o.Platforms, "linux/arm/v7")
		o.Labels = map[string]string{"org.opencontainers.image.title": "operator"}
		img := made(t, o)
		if diff := cmp.Diff([]Base{{test.from, digest}}, img.Bases); diff != "" {
			t.Error(diff)
		}
		annotations := read[ocispec.Index](t, o.Layout, img.Index).Annotations
		if annotations[ocispec.AnnotationBaseImageDigest] != digest.String() || annotations[ocispec.AnnotationBaseImageName] != "docker.io/"+test.repository || annotations["org.opencontainers.image.title"] != "operator" {
			t.Errorf("index has annotations %v", annotations)
		}
		config, layers := platformOf(t, o.Layout, img, "linux/arm64")
		if diff := cmp.Diff([]string{
			"usr/bin/operator 755 0:0 operator for linux/arm64", // through /bin -> usr/bin, and without its parents
			"srv/data/ 755 5:6\nsrv/data/y 644 5:6 Y",
			"opt/f 644 0:0 F", // a folder of the base
			"gone/f 644 0:0 F",
			"opt/work/ 755 0:0",
		}, layers[2:]); diff != "" {
			t.Error(diff)
		}
		want := containerConfig{ImageConfig: ocispec.ImageConfig{
			User: "root", ExposedPorts: map[string]struct{}{"1/tcp": {}}, Env: []string{"PATH=/usr/bin:/opt", "LANG=de"}, Entrypoint: []string{"/bin/bash", "-c", "operator run"},
			Volumes: map[string]struct{}{"/data": {}}, WorkingDir: "/opt/work", Labels: map[string]string{"base": "de", "org.opencontainers.image.title": "operator"}, StopSignal: "SIGINT",
		}, Healthcheck: []byte(`{"Test":["NONE"]}`), Shell: []string{"/bin/bash", "-c"}}
		if diff := cmp.Diff(want, config.Config); diff != "" {
			t.Error(diff)
		}
		if config.Variant != "" || config.Author != "them" || config.History[0].CreatedBy != "debootstrap" || len(config.History) != 2+9 {
			t.Errorf("config %+v", config)
		}
		for _, p := range img.Platforms {
			m := read[ocispec.Manifest](t, o.Layout, p.Manifest)
			if m.Config.MediaType != ocispec.MediaTypeImageConfig || m.Layers[0].MediaType != ocispec.MediaTypeImageLayerGzip {
				t.Errorf("%s has %s and %s", p.Platform, m.Config.MediaType, m.Layers[0].MediaType)
			}
		}
	}
	for path, n := range h.asked {
		if strings.HasPrefix(path, "GET ") && strings.Contains(path, "/blobs/") && n > 1 {
			t.Errorf("%s was asked %d times", path, n)
		}
	}
}

func TestBaseByDigest(t *testing.T) {
	h := newHub(t)
	digest := pushDebian(t, h, "library/debian:12", types.OCIImageIndex)
	o := onDebian(t, h, "ARG B=debian\nFROM $B:13@"+digest.String()+"\nCOPY f /")
	o.Mirrors = map[string]string{"index.docker.io": h.host + "/"}
	if img := made(t, o); img.Bases[0].Reference != "debian:13@"+digest.String() || img.Bases[0].Digest.String() != digest.String() {
		t.Errorf("got %+v", img.Bases)
	}
	// The registry answers with another image under this digest.
	h.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, digest.String()) {
			w.Header().Set("Content-Type", string(types.OCIImageIndex))
			fmt.Fprint(w, `{"schemaVersion":2,"manifests":[]}`)
			return true
		}
		return false
	}
	o.Layout = newLayout(t)
	if _, err := Build(context.Background(), o); err == nil || !strings.Contains(err.Error(), "pull base image debian:13@"+digest.String()+" from "+h.host+"/library/debian: manifest "+digest.String()+": ") {
		t.Errorf("other bytes were taken: %v", err)
	}
}

func TestBaseWithPrefixedMirrorAndOwnRegistry(t *testing.T) {
	h := newHub(t)
	pushDebian(t, h, "proxy/library/debian:latest", types.OCIImageIndex)
	o := onDebian(t, h, "FROM debian\nCOPY f /")
	o.Mirrors = map[string]string{"docker.io": h.host + "/proxy"}
	made(t, o)
	o = onDebian(t, h, "FROM "+h.host+"/proxy/library/debian\nCOPY f /")
	o.Mirrors = nil
	made(t, o)
}

func TestSinglePlatformBase(t *testing.T) {
	h := newHub(t)
	img := debian(t, debianPlatforms[0])
	h.push(t, "library/one:1", img)
	o := onDebian(t, h, "FROM one:1\nCOPY f /")
	refusedWith(t, o, "base image docker.io/library/one:1: it is an image for linux/amd64, and linux/arm64 is being built")
	o.Platforms = []string{"linux/amd64"}
	made(t, o)
}

func TestBaseRefused(t *testing.T) {
	h := newHub(t)
	pushDebian(t, h, "library/debian:latest", types.OCIImageIndex)
	change := func(tag string, f func(*v1.ConfigFile)) {
		img := debian(t, debianPlatforms[0])
		config, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config = config.DeepCopy()
		f(config)
		if img, err = mutate.ConfigFile(img, config); err != nil {
			t.Fatal(err)
		}
		h.push(t, "library/"+tag+":latest", img)
	}
	change("onbuild", func(c *v1.ConfigFile) { c.Config.OnBuild = []string{"RUN x"} })
	change("swapped", func(c *v1.ConfigFile) {
		c.RootFS.DiffIDs[0], c.RootFS.DiffIDs[1] = c.RootFS.DiffIDs[1], c.RootFS.DiffIDs[0]
	})
	change("short", func(c *v1.ConfigFile) { c.RootFS.DiffIDs = c.RootFS.DiffIDs[:1] })
	change("unsaid", func(c *v1.ConfigFile) { c.History = nil })
	foreign, err := mutate.Append(debian(t, debianPlatforms[0]), mutate.Addendum{Layer: tarLayer(t, "x"), MediaType: types.DockerForeignLayer})
	if err != nil {
		t.Fatal(err)
	}
	h.push(t, "library/foreign:latest", foreign)
	for dockerfile, want := range map[string]string{
		"FROM debian\nCOPY d /":                    "Dockerfile:2: COPY d /: /bin is a file or symbolic link in the image, and a folder is to be there",
		"FROM debian\nCOPY f /usr":                 "",
		"FROM debian\nCOPY f /bin/sh/":             "/bin/sh is a file in the image",
		"FROM debian\nUSER app\nWORKDIR /home/app": "would belong to USER app",
		"FROM debian\nUSER app\nWORKDIR /opt":      "",
		"FROM onbuild\nCOPY f /":                   "base image docker.io/library/onbuild:latest: it has 1 ONBUILD instructions, which are not carried out",
		"FROM swapped\nCOPY f /":                   "base image swapped for linux/amd64: layer sha256:",
		"FROM short\nCOPY f /":                     "its manifest for linux/amd64 has 2 layers and its config 1",
		"FROM foreign\nCOPY f /":                   "is of the type application/vnd.docker.image.rootfs.foreign.diff.tar.gzip, which cannot be carried along",
		"FROM unsaid\nCOPY f /":                    "",
		"FROM Debian\nCOPY f /":                    `base image "Debian": this is no image reference`,
		"FROM debian@sha256:1\nCOPY f /":           `base image "debian@sha256:1": this is no image reference`,
	} {
		o := onDebian(t, h, dockerfile)
		o.Platforms = []string{"linux/amd64"}
		if want != "" {
			refusedWith(t, o, want)
			continue
		}
		config, _ := platformOf(t, o.Layout, made(t, o), "linux/amd64")
		layers := 0
		for _, e := range config.History {
			if !e.EmptyLayer {
				layers++
			}
		}
		if layers != len(config.RootFS.DiffIDs) {
			t.Errorf("%q: history of %d layers, and there are %d", dockerfile, layers, len(config.RootFS.DiffIDs))
		}
	}
	o := onDebian(t, h, "FROM debian\nCOPY f /")
	o.Platforms = []string{"linux/s390x"}
	refusedWith(t, o, "base image docker.io/library/debian:latest: it has no image for linux/s390x, only for linux/amd64, linux/arm64, linux/arm/v6")
	o = onDebian(t, h, "FROM debian\nCOPY f /")
	o.Mirrors = map[string]string{"docker.io": "http://" + h.host}
	refusedWith(t, o, "mirror docker.io=http://"+h.host+": name the registry as HOST[:PORT][/PREFIX]")
}

func TestRegistryAnswers(t *testing.T) {
	h := newHub(t)
	pushDebian(t, h, "library/debian:latest", types.OCIImageIndex)
	secure := httptest.NewTLSServer(h.Config.Handler)
	defer secure.Close()
	for name, test := range map[string]struct {
		answer  func(http.ResponseWriter, *http.Request) bool
		mirrors map[string]string
		want    string
	}{
		"missing": {func(w http.ResponseWriter, r *http.Request) bool { http.NotFound(w, r); return true }, nil,
			"pull base image debian from HUB/library/debian: manifest latest: HUB/library/debian:latest: not found; check the name in FROM, and that the mirror holds this image"},
		"denied": {func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"errors":[{"code":"DENIED","message":"not for you"}]}`)
			return true
		}, nil, "response status code 403: denied: not for you; log in (docker login HUB), or where HUB is out of reach, name a registry that has the image: --mirror docker.io=REGISTRY"},
		"nobody there": {nil, map[string]string{"docker.io": "127.0.0.1:1"}, "dial tcp 127.0.0.1:1: connect: connection refused; where 127.0.0.1:1 is out of reach, name a registry that has the image: --mirror docker.io=REGISTRY"},
		"layer changed": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") || r.URL.Query().Get("x") != "" {
				return false
			}
			var b bytes.Buffer
			answer := httptest.NewRecorder()
			answer.Body = &b
			q := r.URL.Query()
			q.Set("x", "1")
			r.URL.RawQuery = q.Encode()
			h.Config.Handler.ServeHTTP(answer, r)
			content := b.Bytes()
			if content[0] == 0x1f {
				content[len(content)-1]++
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content)
			return true
		}, nil, "mismatched digest"},
		"leads to plain HTTP": {func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, "/blobs/") {
				http.Redirect(w, r, "http://blobs.example.com/x", http.StatusTemporaryRedirect)
				return true
			}
			return false
		}, nil, "it redirects to blobs.example.com, which is plain HTTP; allow it by --plain-http blobs.example.com"},
		"another type": {func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/latest") {
				w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
				fmt.Fprint(w, `{"schemaVersion":2,"mediaType":"`+ocispec.MediaTypeImageIndex+`"}`)
				return true
			}
			return false
		}, nil, "is sent as " + ocispec.MediaTypeImageManifest + " and calls itself " + ocispec.MediaTypeImageIndex},
		"no image": {func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/latest") {
				w.Header().Set("Content-Type", "application/vnd.docker.distribution.manifest.v1+json")
				fmt.Fprint(w, `{"schemaVersion":1}`)
				return true
			}
			return false
		}, nil, "is of the type application/vnd.docker.distribution.manifest.v1+json, and no image"},
	} {
		t.Run(name, func(t *testing.T) {
			h.mu.Lock()
			h.fault = test.answer
			h.mu.Unlock()
			o := onDebian(t, h, "FROM debian\nCOPY f /")
			if test.mirrors != nil {
				o.Mirrors = test.mirrors
			}
			_, err := Build(context.Background(), o)
			if want := strings.ReplaceAll(test.want, "HUB", h.host); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			if err != nil && refusal.Is(err) != strings.Contains(test.want, "type") && name != "another type" {
				t.Errorf("refused is %v: %v", refusal.Is(err), err)
			}
			blobs, _ := filepath.Glob(filepath.Join(o.Layout.Dir(), ".blob-*"))
			if len(blobs) > 0 {
				t.Errorf("it left %v", blobs)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	h := newHub(t)
	pushDebian(t, h, "library/debian:latest", types.OCIImageIndex)
	h.fault = func(w http.ResponseWriter, r *http.Request) bool {
		if user, password, _ := r.BasicAuth(); user == "me" && password == "secret" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	o := onDebian(t, h, "FROM debian\nCOPY f /")
	if _, err := Build(context.Background(), o); err == nil || !strings.Contains(err.Error(), "docker login "+h.host) {
		t.Errorf("without credentials: %v", err)
	}
	config := `{"auths":{"` + h.host + `":{"auth":"bWU6c2VjcmV0"}}}`
	if err := os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	made(t, o)
}
