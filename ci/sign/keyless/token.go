//go:build keyless

package keyless

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/redact"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
)

// TokenSource gives an OIDC identity token whose audience is sigstore: a new one each time, where there is a way to get one.
type TokenSource func(ctx context.Context) (string, error)

// maxToken bounds an answer with a token, in bytes.
const maxToken = 1 << 20

// Tokens finds where a CI gives identity tokens, by its environment: SIGSTORE_ID_TOKEN holds one (GitLab's id_tokens, and whoever else sets it); GitHub Actions gives one at
// ACTIONS_ID_TOKEN_REQUEST_URL to jobs with the permission id-token: write. Each token is made known to secrets. It is nil where there is neither.
func Tokens(getenv func(string) string, secrets *redact.Secrets) TokenSource {
	if token := strings.TrimSpace(getenv("SIGSTORE_ID_TOKEN")); token != "" {
		secrets.Add(token)
		return func(context.Context) (string, error) { return token, nil }
	}
	address, bearer := getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	if address == "" || bearer == "" {
		return nil
	}
	secrets.Add(bearer)
	return func(ctx context.Context) (string, error) {
		token, err := request(ctx, address, bearer)
		if err != nil {
			return "", fmt.Errorf("ask for an identity token at ACTIONS_ID_TOKEN_REQUEST_URL: %w", err)
		}
		secrets.Add(token)
		return token, nil
	}
}

// request asks GitHub's token service: https://docs.github.com/en/actions/reference/security/oidc.
func request(ctx context.Context, address, bearer string) (string, error) {
	at, err := secure("token service", address)
	if err != nil {
		return "", err
	}
	query := at.Query()
	query.Set("audience", "sigstore")
	at.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	client := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("it answers %s; the job needs the permission id-token: write", res.Status)
	}
	var answer struct{ Value string }
	if err := json.NewDecoder(io.LimitReader(res.Body, maxToken)).Decode(&answer); err != nil || answer.Value == "" {
		return "", fmt.Errorf("its answer holds no token")
	}
	return answer.Value, nil
}

// secure reads an address to which secrets, or what becomes public for ever, may be sent: plain HTTP is for loopback only.
func secure(what, address string) (*url.URL, error) {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.User != nil || at.Scheme != "https" && at.Scheme != "http" {
		return nil, refusal.New("sign without a key: the address of the %s is none; write it as https://HOST", what)
	}
	if at.Scheme == "http" && !registry.PlainHTTP(at.Host, nil) {
		return nil, refusal.New("sign without a key: %s, the address of the %s, is plain HTTP; it has to be https", at.Host, what)
	}
	return at, nil
}
