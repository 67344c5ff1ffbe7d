package image

import (
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/operator-release/operator-release/ci/refusal"
	ociregistry "github.com/operator-release/operator-release/ci/registry"
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
	client  *ociregistry.Client
}

func newRegistries(mirrors map[string]string, plain []string) (*registries, error) {
	r := &registries{mirrors: map[string]string{}}
	for from, to := range mirrors {
		if to = strings.TrimSuffix(to, "/"); to == "" || strings.Contains(to, "://") {
			return nil, refusal.New("mirror %s=%s: name the registry as HOST[:PORT][/PREFIX]; one that is spoken to by plain HTTP is named by --plain-http HOST too", from, to)
		}
		if from == "index.docker.io" {
			from = dockerHub
		}
		r.mirrors[from] = to
	}
	var err error
	r.client, err = ociregistry.New(plain...)
	return r, err
}

// repository opens the repository of ref, at its registry's mirror where it has one.
func (r *registries) repository(ref reference) (*remote.Repository, error) {
	at := ref.registry
	if mirror, ok := r.mirrors[at]; ok {
		at = mirror
	}
	repo, err := r.client.Open(at + "/" + ref.repository)
	if err != nil {
		return nil, refusal.New("base image %s: %w", ref, err)
	}
	return repo, nil
}
