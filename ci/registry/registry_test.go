package registry

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/refusal"
)

func TestPlainHTTP(t *testing.T) {
	c, err := New("registry.lan", "mirror:5000")
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"localhost": true, "localhost:5000": true, "127.0.0.1:80": true, "127.1.2.3": true, "[::1]:5000": true,
		"registry.lan": true, "registry.lan:5000": true, "mirror:5000": true, "mirror:5001": false,
		"127.0.0.1.nip.io": false, "": false, "docker.io": false, "localhost.example.com": false, "10.0.0.1:5000": false,
	} {
		if c.PlainHTTP(host) != want {
			t.Errorf("plain HTTP to %q: %v", host, !want)
		}
	}
}

func TestOpen(t *testing.T) {
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if repo, err := c.Open("127.0.0.1:5000/docker.io/acme/spark"); err != nil || !repo.PlainHTTP {
		t.Errorf("%v, %v", repo, err)
	}
	if _, err := c.Open("not a repository"); !refusal.Is(err) {
		t.Errorf("%v", err)
	}
}

// TestPatience: a request is repeated when the registry says so; a stream, which cannot be, comes back no earlier.
func TestPatience(t *testing.T) {
	var answered []time.Time
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		answered = append(answered, time.Now())
		if len(answered) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer server.Close()
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, server.URL+"/v2/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.auth.Client.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK || len(answered) != 2 || answered[1].Sub(answered[0]) < time.Second {
		t.Errorf("%v, %v, answered at %v", resp, err, answered)
	}
	resp.Body.Close()

	answered = nil
	begun := time.Now()
	req, err = http.NewRequest(http.MethodPut, server.URL+"/v2/", io.NopCloser(strings.NewReader("stream")))
	if err != nil {
		t.Fatal(err)
	}
	resp, err = c.auth.Client.Do(req)
	if err != nil || resp.StatusCode != http.StatusTooManyRequests || len(answered) != 1 || time.Since(begun) < time.Second {
		t.Errorf("%v, %v, answered at %v", resp, err, answered)
	}
	resp.Body.Close()
}
