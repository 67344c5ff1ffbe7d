// Package registry opens repositories at OCI registries: credentials from Docker's configuration, TLS except for loopback and hosts that
// were named, no redirect to plain HTTP, bounded retries that honour Retry-After, and an end where a server is silent.
//
// What is pulled and pushed is the stages' business.
package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Client opens repositories. It may be used by several goroutines.
type Client struct {
	Patience Patience // with which it was made
	plain    []string
	auth     *auth.Client
}

// maxMetadata bounds a manifest, in bytes: what the distribution specification asks registries to accept.
const maxMetadata = 4 << 20

// maxPages bounds a list: each page names the next one, and a registry may name pages without end. Docker Hub's pages hold 100 entries or more.
const maxPages = 100

// New speaks plain HTTP to loopback and to the hosts named, and to nobody else. It has the usual patience.
func New(plainHTTP ...string) (*Client, error) { return NewPatient(Usual, plainHTTP...) }

// NewPatient is New with a patience of its own.
func NewPatient(p Patience, plainHTTP ...string) (*Client, error) {
	c := &Client{Patience: p, plain: plainHTTP}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, fmt.Errorf("read Docker's configuration for credentials: %w", err)
	}
	c.auth = &auth.Client{
		Client:     &http.Client{Transport: patient{&retry.Transport{Base: watched{http.DefaultTransport, p}, Policy: p.policy}, p}, CheckRedirect: c.redirect},
		Header:     http.Header{"User-Agent": {"operator-release"}},
		Cache:      auth.NewCache(),
		Credential: credentials.Credential(store),
	}
	return c, nil
}

// Open opens a repository by its full name, such as docker.io/kubeflow/spark-operator.
func (c *Client) Open(name string) (*remote.Repository, error) {
	repo, err := remote.NewRepository(name)
	if err != nil {
		return nil, refusal.New("open repository %s: %w; write it as REGISTRY/NAME", name, err)
	}
	repo.Client = c.auth
	repo.PlainHTTP = c.PlainHTTP(repo.Reference.Host())
	repo.MaxMetadataBytes = maxMetadata
	repo.ReferrerListMaxPages, repo.TagListMaxPages = maxPages, maxPages
	repo.SkipReferrersGC = true // nothing is ever deleted; many registries refuse it
	return repo, nil
}

// PlainHTTP tells whether a host, with or without its port, may be spoken to without TLS.
func (c *Client) PlainHTTP(hostport string) bool { return PlainHTTP(hostport, c.plain) }

// PlainHTTP tells whether a host, with or without its port, may be spoken to without TLS: one of loopback, or one of those named.
func PlainHTTP(hostport string, named []string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	if host == "localhost" || net.ParseIP(strings.Trim(host, "[]")).IsLoopback() {
		return true
	}
	return slices.Contains(named, hostport) || slices.Contains(named, host)
}

// MaxFile bounds what Get and Blob read, in bytes.
const MaxFile = 100 << 20

// Get reads a file at an address, without credentials.
func (c *Client) Get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if req.URL.Scheme != "https" && !c.PlainHTTP(req.URL.Host) {
		return nil, refusal.New("get %s: it is plain HTTP; name an address with https://", req.URL.Redacted())
	}
	answer, err := c.auth.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", req.URL.Redacted(), answer.Status)
	}
	return readAll(answer.Body)
}

// Blob reads a blob of a repository by its digest. The content is not verified.
func (c *Client) Blob(ctx context.Context, repository, digest string) ([]byte, error) {
	repo, err := c.Open(repository)
	if err != nil {
		return nil, err
	}
	desc, err := repo.Blobs().Resolve(ctx, digest)
	if err != nil {
		return nil, err
	}
	body, err := repo.Blobs().Fetch(ctx, desc)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return readAll(body)
}

func readAll(r io.Reader) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err == nil && len(content) > MaxFile {
		err = fmt.Errorf("it has more than %d bytes", MaxFile)
	}
	return content, err
}

// redirect keeps a registry from leading to plain HTTP where that was not allowed.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("it redirects more than ten times")
	}
	if req.URL.Scheme != "https" && !c.PlainHTTP(req.URL.Host) {
		return fmt.Errorf("it redirects to %s, which is plain HTTP; allow it by --plain-http %s", req.URL.Host, req.URL.Host)
	}
	return nil
}
