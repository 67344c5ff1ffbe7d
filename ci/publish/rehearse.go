package publish

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
)

// Throwaway are destinations in a folder: a registry on loopback and a bare repository. They are for rehearsals and for looking at.
type Throwaway struct {
	Registry string // HOST:PORT
	Remote   string // path of the bare repository
	folder   string // of the registry
	server   *http.Server
	listener net.Listener
	done     chan struct{}
}

// NewThrowaway starts a registry whose content lies in dir/registry, an OCI image layout that any tool reads, and
// makes the bare repository dir/remote.git unless it is there. Close ends the server and leaves the files.
func NewThrowaway(ctx context.Context, dir string) (*Throwaway, error) {
	t := &Throwaway{Remote: filepath.Join(dir, "remote.git"), done: make(chan struct{})}
	if _, err := os.Stat(filepath.Join(t.Remote, "HEAD")); err != nil {
		if _, err := git.Init(ctx, t.Remote); err != nil {
			return nil, err
		}
	}
	t.folder = filepath.Join(dir, "registry")
	layout, err := bundle.Create(t.folder)
	if err != nil {
		return nil, err
	}
	if t.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	t.Registry = t.listener.Addr().String()
	inner := registry.New(
		registry.WithBlobHandler(registry.NewDiskBlobHandler(filepath.Join(dir, "registry", "blobs"))),
		registry.WithReferrersSupport(true),
		registry.Logger(log.New(io.Discard, "", 0)),
	)
	t.server = &http.Server{Handler: &kept{Handler: inner, layout: layout, tags: map[string]ocispec.Descriptor{}}, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(t.done)
		_ = t.server.Serve(t.listener) // ends with ErrServerClosed
	}()
	return t, nil
}

// Close ends the server.
func (t *Throwaway) Close() error {
	err := t.server.Close()
	<-t.done
	return err
}

// Tags are the registry's, each with its digest, in order.
func (t *Throwaway) Tags() ([]string, error) {
	layout, err := bundle.Open(t.folder)
	if err != nil {
		return nil, err
	}
	roots, err := layout.Roots()
	var tags []string
	for _, root := range roots {
		tags = append(tags, root.Annotations[ocispec.AnnotationRefName]+"@"+root.Digest.String())
	}
	return tags, err
}

// Destinations are the throwaway's, for a release of the repository source.
func (t *Throwaway) Destinations(source *git.Repository) Destinations {
	return Destinations{Registry: &Registry{Prefix: t.Registry}, Remote: &Remote{URL: t.Remote, Source: source}}
}

// kept writes the manifests that a registry accepts to an OCI layout: the registry itself keeps them in memory.
type kept struct {
	http.Handler
	layout *bundle.Layout
	mu     sync.Mutex
	tags   map[string]ocispec.Descriptor
}

const maxManifest = 4 << 20 // as the distribution specification asks registries to accept

func (k *kept) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	repository, reference, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"), "/manifests/")
	if !ok || r.Method != http.MethodPut {
		k.Handler.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifest))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	answer := &status{ResponseWriter: w, code: http.StatusOK}
	k.Handler.ServeHTTP(answer, r)
	if answer.code != http.StatusCreated {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	desc, err := k.layout.Put(r.Header.Get("Content-Type"), strings.NewReader(string(body)))
	if err != nil || strings.Contains(reference, ":") { // by digest: content, no name
		return
	}
	name := repository + ":" + reference
	desc.Annotations = map[string]string{ocispec.AnnotationRefName: name}
	k.tags[name] = desc
	roots := make([]ocispec.Descriptor, 0, len(k.tags))
	for _, d := range k.tags {
		roots = append(roots, d)
	}
	_ = k.layout.SetRoots(roots) // for looking at; what is served does not depend on it
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Rehearsal is a publication to throwaway destinations, made twice: the second must find nothing to do.
type Rehearsal struct {
	Report
	Again bool `json:"again"` // the second run found everything there
}

// Rehearse publishes the bundle to new throwaway destinations below dir, whose remote starts with the objects of source and its other
// versions' tags and marks, as the real one does: what is pushed is what is new.
func Rehearse(ctx context.Context, b bundle.Bundle, source *git.Repository, dir string) (Rehearsal, error) {
	remote, err := source.Scratch(ctx, filepath.Join(dir, "remote.git"))
	if err != nil {
		return Rehearsal{}, err
	}
	if _, err := remote.Git(ctx, "fetch", "--quiet", "--no-tags", "--", source.Dir(), "refs/tags/v*:refs/tags/v*", journal.Marks+"*:"+journal.Marks+"*",
		"^refs/tags/"+b.Record.Version.String()); err != nil {
		return Rehearsal{}, fmt.Errorf("rehearse %s: bring the other versions' tags: %w", b.Record.Version, err)
	}
	t, err := NewThrowaway(ctx, dir)
	if err != nil {
		return Rehearsal{}, err
	}
	defer t.Close()
	first, err := Publish(ctx, b, t.Destinations(source))
	if err != nil {
		return Rehearsal{Report: first}, err
	}
	second, err := Publish(ctx, b, t.Destinations(source))
	// The throwaway's address is chance; what is reported is the same on every machine.
	for i := range first.Writes {
		first.Writes[i].Target = strings.TrimPrefix(first.Writes[i].Target, t.Registry+"/")
	}
	return Rehearsal{Report: first, Again: err == nil && !second.Changed()}, err
}
