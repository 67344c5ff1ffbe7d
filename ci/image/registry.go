package image

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"

	"github.com/operator-release/operator-release/ci/refusal"
)

// reference is a base image's name with all that Docker leaves out: debian is docker.io/library/debian:latest.
type reference struct {
	registry, repository, tag string
	digest                    digest.Digest // empty where it is not pinned
}

const dockerHub = "docker.io"

// parseReference reads an image name as FROM has it.
func parseReference(name string) (reference, error) {
	rest, pinned, isPinned := strings.Cut(name, "@")
	ref := reference{registry: dockerHub, tag: "latest", digest: digest.Digest(pinned)}
	if host, path, ok := strings.Cut(rest, "/"); ok && (strings.ContainsAny(host, ".:") || host == "localhost") {
		ref.registry, rest = host, path
	}
	if ref.registry == "index.docker.io" {
		ref.registry = dockerHub
	}
	if path, tag, ok := strings.Cut(rest, ":"); ok {
		rest, ref.tag = path, tag
	}
	if ref.registry == dockerHub && !strings.Contains(rest, "/") {
		rest = "library/" + rest
	}
	ref.repository = rest
	full := registry.Reference{Registry: ref.registry, Repository: ref.repository, Reference: ref.tag}
	err := errors.Join(full.ValidateRegistry(), full.ValidateRepository(), full.ValidateReferenceAsTag())
	if err == nil && isPinned {
		if err = ref.digest.Validate(); err == nil && ref.digest.Algorithm() != digest.SHA256 {
			err = fmt.Errorf("its digest is no sha256")
		}
	}
	if err != nil {
		return reference{}, refusal.New("base image %q: this is no image reference (%w); write REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST", name, err)
	}
	return ref, nil
}

func (r reference) String() string {
	name := r.registry + "/" + r.repository + ":" + r.tag
	if r.digest != "" {
		name = r.registry + "/" + r.repository + "@" + r.digest.String()
	}
	return name
}

// normalise writes an image name in full, where it is one.
func normalise(name string) string {
	ref, err := parseReference(name)
	if err != nil {
		return name
	}
	return ref.String()
}

// registries opens repositories to pull from.
type registries struct {
	mirrors map[string]string
	plain   []string
	client  *auth.Client
}

// newRegistries takes credentials from Docker's configuration, as every container tool does.
func newRegistries(mirrors map[string]string, plain []string) (*registries, error) {
	r := &registries{mirrors: map[string]string{}, plain: plain}
	for from, to := range mirrors {
		if to = strings.TrimSuffix(to, "/"); to == "" || strings.Contains(to, "://") {
			return nil, refusal.New("mirror %s=%s: name the registry as HOST[:PORT][/PREFIX]; one that is spoken to by plain HTTP is named by --plain-http HOST too", from, to)
		}
		if from == "index.docker.io" {
			from = dockerHub
		}
		r.mirrors[from] = to
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, fmt.Errorf("read Docker's configuration for credentials: %w", err)
	}
	r.client = &auth.Client{
		Client:     &http.Client{Transport: retry.NewTransport(nil), CheckRedirect: r.redirect},
		Header:     http.Header{"User-Agent": {"operator-release"}},
		Cache:      auth.NewCache(),
		Credential: credentials.Credential(store),
	}
	return r, nil
}

// redirect keeps a registry from leading to plain HTTP where that was not allowed.
func (r *registries) redirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("it redirects more than ten times")
	}
	if req.URL.Scheme != "https" && !r.plainHTTP(req.URL.Host) {
		return fmt.Errorf("it redirects to %s, which is plain HTTP; allow it by --plain-http %s", req.URL.Host, req.URL.Host)
	}
	return nil
}

// plainHTTP tells whether a host may be spoken to without TLS: loopback, and those that were named.
func (r *registries) plainHTTP(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	if host == "localhost" || net.ParseIP(strings.Trim(host, "[]")).IsLoopback() {
		return true
	}
	return slices.Contains(r.plain, hostport) || slices.Contains(r.plain, host)
}

// repository opens the repository of ref, at its registry's mirror where it has one.
func (r *registries) repository(ref reference) (*remote.Repository, error) {
	at := ref.registry
	if mirror, ok := r.mirrors[at]; ok {
		at = mirror
	}
	repo, err := remote.NewRepository(at + "/" + ref.repository)
	if err != nil {
		return nil, refusal.New("base image %s: its mirror %s is no registry: %w", ref, at, err)
	}
	repo.Client = r.client
	repo.PlainHTTP = r.plainHTTP(repo.Reference.Host())
	repo.MaxMetadataBytes = maxManifest
	return repo, nil
}
