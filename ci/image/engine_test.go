package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/refusal"
)

// TestAgainstEngine builds the same Dockerfiles in process and by a Dagger engine, that is by
// BuildKit's own conversion, and compares what comes out: config and all files. Left out is what the
// engine does otherwise than BuildKit itself: it gives a folder that is there, and none that COPY
// makes without a slash, the owner of --chown. It needs an engine:
//
//	OPERATOR_RELEASE_ENGINE=1 [OPERATOR_RELEASE_MIRROR=127.0.0.1:5000] go test -run TestAgainstEngine ./ci/image
func TestAgainstEngine(t *testing.T) {
	if os.Getenv("OPERATOR_RELEASE_ENGINE") == "" {
		t.Skip("OPERATOR_RELEASE_ENGINE is not set; this test wants a Dagger engine")
	}
	how, ok := EngineReachable()
	if !ok {
		t.Fatal("no engine is in reach")
	}
	t.Logf("through %s", how)
	tree := map[string]string{
		"f": "F", "g!": "G", "d/x": "X", "d/e/y!": "Y", "d/up": "-> ../f", "to-f": "-> f", "to-d": "-> d", "ignored/i": "I", "ignored/kept": "K",
		".dockerignore": "ignored\n!ignored/kept\nbin\nDockerfile\n.dockerignore\n",
	}
	for name, text := range map[string]string{
		"scratch": `FROM scratch
ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT
ARG VERSION=dev
ENV V=$VERSION P=$TARGETPLATFORM
LABEL a="b $V" org.opencontainers.image.version=wrong
COPY bin/$TARGETOS/$TARGETARCH/operator /usr/bin/
WORKDIR /srv
WORKDIR app
COPY --chown=5:6 --chmod=0700 f /srv/app/f
COPY g ./
COPY --chown=7 d /data/
COPY d/e to-f /n/e/
COPY to-d /n/m/
COPY f /n/m
COPY ignored /k
USER 5:6
WORKDIR mine
EXPOSE 80 53/udp 7000-7002
ENTRYPOINT ["a", "b"]
CMD c d
`,
		"whole context": "FROM scratch\nCOPY . /src\nCOPY . .\n",
		"variables": `ARG A=sc
ARG B=${A}ratch
FROM ${B}
ARG A
ARG C=${A:-x}y D='$A' E="$A"\ z
ENV F=${C%y} G=${D} H=${E:+set} I=${NOTHING:-none} J=$NOTHING K=\$C
ENV C=env
ARG C=arg
LABEL c=$C "k $A"='v $A'
COPY f /$A/${C}/
ENV OLD form of it
CMD ["$A"]
`,
		"base": `FROM debian:bookworm-slim
ENV PATH=$PATH:/opt/bin
COPY f /bin/
COPY g /usr/local/bin
COPY --chown=9:9 d /opt/d/
COPY f /var/run/f
WORKDIR /tmp
WORKDIR /new/one
ENTRYPOINT run it
`,
	} {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(tree)
			files["Dockerfile"] = text
			o := options(t, files)
			if mirror := os.Getenv("OPERATOR_RELEASE_MIRROR"); mirror != "" {
				o.Mirrors = map[string]string{"docker.io": mirror}
			}
			if strings.Contains(text, "ARG VERSION") {
				o.Args = map[string]string{"VERSION": "1.5.0"}
			}
			o.Labels = map[string]string{"org.opencontainers.image.version": "v1.5.0"}
			if !strings.Contains(text, "FROM debian") {
				if _, err := byEngine(t, o); !refusal.Is(err) || !strings.Contains(err.Error(), "where linux/arm64 was asked") {
					t.Errorf("FROM scratch for another platform than the engine's: %v", err)
				}
				o.Platforms = o.Platforms[:1] // the engine's own
			}
			ours := made(t, o)
			archive, err := byEngine(t, o)
			if err != nil {
				t.Fatal(err)
			}
			theirs := o
			theirs.Archive, theirs.Layout = archive, newLayout(t)
			engines := made(t, theirs)
			for _, p := range o.Platforms {
				a, b := unpack(t, o.Layout, ours, p), unpack(t, theirs.Layout, engines, p)
				if diff := cmp.Diff(b.files, a.files); diff != "" {
					t.Errorf("%s: files, - the engine's, + ours:\n%s", p, diff)
				}
				//lint:ignore SA1019 BuildKit sets it, so it must be taken out of the comparison
				b.config.Config.ArgsEscaped = false // a field for Windows that BuildKit sets everywhere
				if diff := cmp.Diff(b.config.Config, a.config.Config); diff != "" {
					t.Errorf("%s: config, - the engine's, + ours:\n%s", p, diff)
				}
				if diff := cmp.Diff(b.config.Platform, a.config.Platform); diff != "" {
					t.Errorf("%s: platform:\n%s", p, diff)
				}
			}
		})
	}
}

// TestEngineRuns takes over what an engine makes of a Dockerfile that needs one.
func TestEngineRuns(t *testing.T) {
	if os.Getenv("OPERATOR_RELEASE_ENGINE") == "" {
		t.Skip("OPERATOR_RELEASE_ENGINE is not set; this test wants a Dagger engine")
	}
	o := options(t, map[string]string{"docker/Dockerfile": `FROM debian:bookworm-slim AS build
ARG VERSION
RUN echo "v$VERSION" > /version && test -d /etc
FROM debian:bookworm-slim
COPY --from=build /version /version
COPY --chmod=755 ctx bin/operator /opt/
`, "sub/ctx": "C", "sub/.dockerignore": "*\n!ctx"})
	o.Context, o.Dockerfile, o.Args = "sub", "docker/Dockerfile", map[string]string{"VERSION": "1.5.0"}
	o.Labels = map[string]string{"org.opencontainers.image.version": "v1.5.0"}
	archive, err := byEngine(t, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Archive = archive
	img := made(t, o)
	for _, p := range o.Platforms {
		u := unpack(t, o.Layout, img, p)
		if got := u.files["version"]; !strings.Contains(got, "1.5.0") {
			t.Errorf("%s: /version is %s", p, got)
		}
		if got := u.files["opt/operator"]; got != "file 755 0:0 operator for "+p {
			t.Errorf("%s: /opt/operator is %s", p, got)
		}
		if got := u.config.Config.Labels["org.opencontainers.image.version"]; got != "v1.5.0" || u.files["opt/ctx"] == "" {
			t.Errorf("%s: label %q, files %v", p, got, u.files["opt/ctx"])
		}
	}
	if got := read[ocispec.Manifest](t, o.Layout, img.Platforms[0].Manifest).Annotations["org.opencontainers.image.version"]; got != "v1.5.0" {
		t.Errorf("annotation %q", got)
	}
	if err := os.WriteFile(filepath.Join(o.Tree, "docker", "Dockerfile"), []byte("FROM debian:bookworm-slim\nRUN echo reason >&2; exit 7"), 0o644); err != nil {
		t.Fatal(err)
	}
	o.Args = nil
	if _, err := byEngine(t, o); err == nil || refusal.Is(err) || !strings.Contains(err.Error(), "build image docker.io/kubeflow/spark-operator for ") || !strings.Contains(err.Error(), "reason") {
		t.Errorf("a RUN that fails: %v", err)
	}
}

// byEngine has the image built by an engine, and gives its archive.
func byEngine(t *testing.T, o Options) (string, error) {
	t.Helper()
	e := EngineOptions{Repository: o.Repository, Contexts: map[string]string{}, Args: o.Args, Target: o.Target, Labels: o.Labels, Archive: filepath.Join(t.TempDir(), "image.tar")}
	if o.Context == "" {
		o.Context = "."
	}
	if o.Dockerfile == "" {
		o.Dockerfile = "Dockerfile"
	}
	for _, platform := range o.Platforms {
		dir := checkout(t, o.Tree)
		context, dockerfile, err := PrepareContext(ContextOptions{Tree: dir, Context: o.Context, Dockerfile: o.Dockerfile, Platform: platform, Binaries: o.Binaries[platform]})
		if err != nil {
			t.Fatal(err)
		}
		e.Contexts[platform], e.Dockerfile = filepath.Join(dir, context), dockerfile
	}
	return e.Archive, BuildWithDagger(t.Context(), e)
}

type unpacked struct {
	config imageConfig
	files  map[string]string
}

// unpack lays the layers of an image over each other.
func unpack(t *testing.T, l *bundle.Layout, img Image, platform string) unpacked {
	t.Helper()
	for _, p := range img.Platforms {
		if p.Platform != platform {
			continue
		}
		m := read[ocispec.Manifest](t, l, p.Manifest)
		u := unpacked{read[imageConfig](t, l, m.Config), map[string]string{}}
		for _, d := range m.Layers {
			u.layer(t, l, d)
		}
		return u
	}
	t.Fatalf("no %s", platform)
	return unpacked{}
}

func (u *unpacked) layer(t *testing.T, l *bundle.Layout, d ocispec.Descriptor) {
	t.Helper()
	f, err := os.Open(l.Path(d.Digest))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content, err := decompress(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(content); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if base := path.Base(name); strings.HasPrefix(base, ".wh.") {
			t.Fatalf("a whiteout: %s", name)
		}
		if name == "" {
			continue
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, ok := u.files[dir]; !ok {
				u.files[dir] = "folder 755 0:0"
			}
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch h.Typeflag {
		case tar.TypeDir:
			u.files[name] = fmt.Sprintf("folder %o %d:%d", h.Mode, h.Uid, h.Gid)
		case tar.TypeSymlink:
			u.files[name] = fmt.Sprintf("link %d:%d -> %s", h.Uid, h.Gid, h.Linkname)
		default:
			text := string(body)
			if len(text) > 40 {
				text = fmt.Sprintf("%d bytes", len(text))
			}
			u.files[name] = fmt.Sprintf("file %o %d:%d %s", h.Mode, h.Uid, h.Gid, text)
		}
	}
}
