package publish

import (
	"context"
	"errors"
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
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/git"
)

// Throwaway are destinations in a folder: a registry and a forge on loopback, and a bare repository. They are for rehearsals and for looking at.
type Throwaway struct {
	Registry string // HOST:PORT
	Remote   string // path of the bare repository
	Forge    string // http://HOST:PORT
	GitHub   string // its one repository: OWNER/REPO
	Index    string // branch of the chart index
	Hub      *hub.Hub
	folder   string // of the registry
	registry *server
	forge    *server
	client   forge.Forge
}

// ThrowawayToken is what the throwaway forge takes as GITHUB_TOKEN.
const ThrowawayToken = "token-of-the-throwaway-forge"

// server serves on loopback until it is closed.
type server struct {
	http.Server
	address string // HOST:PORT
	done    chan struct{}
}

func serve(h http.Handler) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{Server: http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}, address: listener.Addr().String(), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		_ = s.Serve(listener) // ends with ErrServerClosed
	}()
	return s, nil
}

// serveRegistry serves a registry whose content lies in a folder.
func serveRegistry(folder string) (*server, error) {
	layout, err := bundle.Create(folder)
	if err != nil {
		return nil, err
	}
	inner := registry.New(
		registry.WithBlobHandler(registry.NewDiskBlobHandler(filepath.Join(folder, "blobs"))),
		registry.WithReferrersSupport(true),
		registry.Logger(log.New(io.Discard, "", 0)),
	)
	return serve(&kept{Handler: inner, layout: layout, tags: map[string]ocispec.Descriptor{}})
}

func (s *server) close() error {
	err := s.Close()
	<-s.done
	return err
}

type forgeKey struct{}

// WithForge gives a context in which the forge of each throwaway, also of a rehearsal's, is served by what around makes of it: a test looks there at what passes.
func WithForge(ctx context.Context, around func(forge http.Handler) http.Handler) context.Context {
	return context.WithValue(ctx, forgeKey{}, around)
}

// NewThrowaway starts a registry whose content lies in dir/registry, an OCI image layout that any tool reads, and a forge that keeps what it is given in memory, and
// makes the bare repository dir/remote.git with a format of objects, unless it is there. Close ends the servers and
// leaves the files.
func NewThrowaway(ctx context.Context, dir string, format git.ObjectFormat) (*Throwaway, error) {
	t := &Throwaway{Remote: filepath.Join(dir, "remote.git"), GitHub: "throwaway/release", Index: "gh-pages", folder: filepath.Join(dir, "registry")}
	if _, err := os.Stat(filepath.Join(t.Remote, "HEAD")); err != nil {
		if _, err := git.Init(ctx, t.Remote, format); err != nil {
			return nil, err
		}
	}
	repository, err := git.Open(ctx, t.Remote)
	if err != nil {
		return nil, err
	}
	if t.registry, err = serveRegistry(t.folder); err != nil {
		return nil, err
	}
	t.Hub = hub.New(hub.Options{Repository: t.GitHub, Git: repository, Immutable: true, Users: []hub.User{{Login: "throwaway", Token: ThrowawayToken, Role: hub.Admin}}})
	var served http.Handler = t.Hub
	if around, ok := ctx.Value(forgeKey{}).(func(http.Handler) http.Handler); ok {
		served = around(served)
	}
	if t.forge, err = serve(served); err != nil {
		return nil, errors.Join(err, t.registry.close())
	}
	t.Registry, t.Forge = t.registry.address, "http://"+t.forge.address
	t.client, err = forge.NewGitHub(t.GitHub, forge.Options{URL: t.Forge, Token: forge.Token(ThrowawayToken)})
	return t, err
}

// Close ends the servers.
func (t *Throwaway) Close() error { return errors.Join(t.registry.close(), t.forge.close()) }

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
	return Destinations{
		Registry: &Registry{Prefix: t.Registry}, Remote: &Remote{URL: t.Remote, Source: source, Throwaway: true},
		Forge: &Forge{Client: t.client, Name: t.GitHub}, Index: &Index{Branch: t.Index},
	}
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
