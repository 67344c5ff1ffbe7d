package publish

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/bundle/bundletest"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
)

// hostile is a real registry with a published bundle, whose owner adds and answers what they like.
type hostile struct {
	t        *testing.T
	bundle   bundle.Bundle
	at       string                      // HOST:PORT
	answers  map[string]http.HandlerFunc // by METHOD-less path, before the registry is asked
	requests atomic.Int64
}

func newHostile(t *testing.T) *hostile {
	t.Helper()
	h := &hostile{t: t, answers: map[string]http.HandlerFunc{}}
	inner := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.requests.Add(1)
		if answer, ok := h.answers[r.URL.Path]; ok {
			answer(w, r)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	h.at = server.Listener.Addr().String()
	source := repository(t)
	h.bundle = release(t, source, "v1.5.0\n")
	if _, err := Publish(t.Context(), h.bundle, Destinations{Registry: &Registry{Prefix: h.at}}); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hostile) path(kind, reference string) string {
	return "/v2/" + bundletest.Repository + "/" + kind + "/" + reference
}

// put gives the registry a manifest, or has it answered where the registry itself refuses such a one.
func (h *hostile) put(mediaType string, v any) ocispec.Descriptor {
	h.t.Helper()
	content, ok := v.([]byte)
	if !ok {
		var err error
		if content, err = json.Marshal(v); err != nil {
			h.t.Fatal(err)
		}
	}
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
	kind := "blobs"
	if bundle.IsManifest(desc) {
		kind = "manifests"
		req, err := http.NewRequest(http.MethodPut, "http://"+h.at+h.path(kind, desc.Digest.String()), bytes.NewReader(content))
		if err != nil {
			h.t.Fatal(err)
		}
		req.Header.Set("Content-Type", mediaType)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			h.t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode == http.StatusCreated {
			return desc
		}
	}
	h.answers[h.path(kind, desc.Digest.String())] = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Header().Set("Docker-Content-Digest", desc.Digest.String())
		if r.Method == http.MethodGet {
			w.Write(content)
		}
	}
	return desc
}

// identity is the release's manifest, changed.
func (h *hostile) identity(change func(m *ocispec.Manifest)) digest.Digest {
	h.t.Helper()
	var m ocispec.Manifest
	if err := h.bundle.Layout.ReadJSON(h.bundle.Identity, &m); err != nil {
		h.t.Fatal(err)
	}
	change(&m)
	return h.put(ocispec.MediaTypeImageManifest, m).Digest
}

// record is a release whose record has one text replaced by another.
func (h *hostile) record(old, new string) digest.Digest {
	h.t.Helper()
	return h.identity(func(m *ocispec.Manifest) {
		content, err := h.bundle.Layout.Read(m.Layers[0])
		if err != nil {
			h.t.Fatal(err)
		}
		changed := bytes.ReplaceAll(content, []byte(old), []byte(new))
		if bytes.Equal(changed, content) {
			h.t.Fatalf("the record has no %s", old)
		}
		annotations := m.Layers[0].Annotations
		m.Layers[0] = h.put(bundle.RecordType, changed)
		m.Layers[0].Annotations = annotations
	})
}

// index is an image index.
func index(manifests ...ocispec.Descriptor) ocispec.Index {
	return ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: manifests}
}

// TestHostileRegistry: what a registry gives is refused where it cannot be right, within bounds, and nothing is written but to the folder that was named.
func TestHostileRegistry(t *testing.T) {
	h := newHostile(t)
	// Titles of layers are no names of files: those of the record are.
	titled := h.identity(func(m *ocispec.Manifest) {
		for i := range m.Layers {
			m.Layers[i].Annotations = map[string]string{ocispec.AnnotationTitle: "../../../x"}
		}
	})
	parent := t.TempDir()
	if _, err := Fetch(t.Context(), &Registry{Prefix: h.at}, journal.Claim{Identity: titled, Repository: bundletest.Repository}, filepath.Join(parent, "a", "fetched")); err != nil {
		t.Error(err)
	}
	if found, err := os.ReadDir(filepath.Join(parent, "a")); err != nil || len(found) != 1 {
		t.Errorf("%v beside the folder, %v", found, err)
	}

	original := maps.Clone(h.answers)
	image := h.bundle.Record.OfKind(bundle.KindImage)[0]
	referrers := h.path("referrers", h.bundle.Identity.Digest.String())
	// listed answers the question for referrers with one page, which names the next.
	listed := func(next string, manifests ...ocispec.Descriptor) digest.Digest {
		content, err := json.Marshal(index(manifests...))
		if err != nil {
			t.Fatal(err)
		}
		h.answers[referrers] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
			if next != "" {
				w.Header().Set("Link", "<"+next+`>; rel="next"`)
			}
			w.Write(content)
		}
		return h.bundle.Identity.Digest
	}
	many := func(n int) []ocispec.Descriptor {
		return slices.Repeat([]ocispec.Descriptor{{MediaType: ocispec.MediaTypeImageManifest, Digest: image.Digest, Size: 1}}, n)
	}
	// nested is an image that is an index of indexes, each of which names the next one several times.
	nested := func(deep, wide int) digest.Digest {
		desc := h.put(ocispec.MediaTypeImageIndex, index())
		for range deep {
			desc = h.put(ocispec.MediaTypeImageIndex, index(slices.Repeat([]ocispec.Descriptor{desc}, wide)...))
		}
		return h.record(image.Digest.String(), desc.Digest.String())
	}
	for name, c := range map[string]struct {
		make     func() digest.Digest
		says     string
		code     int
		requests int64
	}{
		"a manifest of 5 MiB": {func() digest.Digest {
			return h.identity(func(m *ocispec.Manifest) { m.Annotations["x"] = strings.Repeat("x", 5<<20) })
		}, "at most 4194304 bytes is taken", 2, 5},
		"a negative size": {func() digest.Digest { return h.identity(func(m *ocispec.Manifest) { m.Layers[1].Size = -1 }) }, "with -1 bytes is no sha256 digest of a blob", 2, 10},
		"a huge size": {func() digest.Digest {
			return h.identity(func(m *ocispec.Manifest) { m.Layers[1].Size = 1 << 60 })
		}, "1152921504606846976 bytes; only what has a digest", 2, 10},
		"a huge record": {func() digest.Digest {
			return h.identity(func(m *ocispec.Manifest) { m.Layers[0].Size = 15 << 30 })
		}, "", 0, 30},
		"sha512": {func() digest.Digest {
			return h.identity(func(m *ocispec.Manifest) { m.Layers[1].Digest = digest.SHA512.FromString("x") })
		}, "is no sha256 digest of a blob", 2, 10},
		"a digest that is a path": {func() digest.Digest {
			return h.identity(func(m *ocispec.Manifest) { m.Layers[1].Digest = "sha256:../../../../etc/passwd" })
		}, `digest "sha256:../../../../etc/passwd" with`, 2, 10},
		"a digest without algorithm": {func() digest.Digest { return h.identity(func(m *ocispec.Manifest) { m.Config.Digest = "passwd" }) }, `digest "passwd" with`, 2, 10},
		"a file name that leads up":  {func() digest.Digest { return h.record(`"SHA256SUMS"`, `"../../SHA256SUMS"`) }, `"../../SHA256SUMS" is no plain file name`, 2, 40},
		"a file name from the root":  {func() digest.Digest { return h.record(`"SHA256SUMS"`, `"/etc/SHA256SUMS"`) }, `"/etc/SHA256SUMS" is no plain file name`, 2, 40},
		"a file name of two lines":   {func() digest.Digest { return h.record(`"SHA256SUMS"`, `"SHA256\nSUMS"`) }, `"SHA256\nSUMS" is no plain file name`, 2, 40},
		"the record's own name":      {func() digest.Digest { return h.record(`"SHA256SUMS"`, `"release.json"`) }, `artifact "release.json" comes twice`, 2, 40},
		"deep indexes":               {func() digest.Digest { return nested(20, 1) }, "more than 8 manifests deep", 2, 60},
		"wide indexes":               {func() digest.Digest { return nested(6, 1000) }, "", 2, 80}, // 10^18 ways lead to the last one
		"wider than deep": {func() digest.Digest {
			return h.record(image.Digest.String(), h.put(ocispec.MediaTypeImageIndex, index(many(60_000)...)).Digest.String())
		}, "at most 4194304 bytes is taken", 2, 40},
		"100,000 referrers":       {func() digest.Digest { return listed("", many(100_000)...) }, "at most 4194304 bytes a page", 1, 60},
		"2,000 referrers":         {func() digest.Digest { return listed("", many(2_000)...) }, "the registry names more than 1000", 2, 60},
		"referrers without end":   {func() digest.Digest { return listed(referrers, many(100)...) }, "the registry names more than 1000", 2, 80},
		"empty pages without end": {func() digest.Digest { return listed(referrers) }, "exceeded 100 pages", 1, 160},
		"a referrer that is a path": {func() digest.Digest {
			return listed("", ocispec.Descriptor{MediaType: "a/b", Digest: "sha256:../../../../etc/passwd", Size: 1})
		}, "etc/passwd", 2, 60},
		"a referrer without algorithm": {func() digest.Digest {
			return listed("", ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: "x", Size: -1})
		}, "only what has a digest", 2, 60},
	} {
		t.Run(name, func(t *testing.T) {
			h.t, h.answers = t, maps.Clone(original)
			claim := journal.Claim{Identity: c.make(), Repository: bundletest.Repository}
			parent := t.TempDir()
			h.requests.Store(0)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b, err := Fetch(t.Context(), &Registry{Prefix: h.at}, claim, filepath.Join(parent, "fetched"))
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.says) || c.code == 2 && !refusal.Is(err) || c.code == 1 && refusal.Is(err) {
				t.Errorf("got %s, %v", b.Identity.Digest, err)
			}
			if n := h.requests.Load(); n > c.requests {
				t.Errorf("%d requests", n)
			}
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 200 {
				t.Errorf("%d MiB were allocated", used)
			}
			if found, err := os.ReadDir(parent); err != nil || len(found) > 1 {
				t.Errorf("%v beside the folder, %v", found, err)
			}
		})
	}
}

// TestATagThatMoves: a tag is asked for once, and what it named then is fetched.
func TestATagThatMoves(t *testing.T) {
	h := newHostile(t)
	b := h.bundle
	names := []digest.Digest{b.Identity.Digest, b.Record.OfKind(bundle.KindImage)[0].Digest}
	asked := 0
	tag := h.path("manifests", "v9")
	h.answers[tag] = func(w http.ResponseWriter, r *http.Request) {
		name := names[min(asked, 1)]
		asked++
		http.Redirect(w, r, h.path("manifests", name.String()), http.StatusTemporaryRedirect)
	}
	back, err := FetchBackup(t.Context(), h.at+"/"+bundletest.Repository+":v9", nil, filepath.Join(t.TempDir(), "back"))
	if asked != 1 || err == nil && back.Identity.Digest != b.Identity.Digest {
		t.Errorf("asked %d times: %s, %v", asked, back.Identity.Digest, err)
	}
}
