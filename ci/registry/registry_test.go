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

// TestSilenceEnds: a server that never answers, one that stops taking a body and one that stops giving one.
func TestSilenceEnds(t *testing.T) {
	asked := make(chan string, 20)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		switch r.URL.Path {
		case "/mute":
			io.Copy(io.Discard, r.Body)
		case "/half":
			w.Header().Set("Content-Length", "10")
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-time.After(time.Second): // where the body is not read, the server does not see that the client is gone
		}
	}))
	t.Cleanup(server.Close)
	c, err := NewPatient(Patience{Tries: 3, First: time.Millisecond, Longest: time.Second, Answer: 100 * time.Millisecond, Stall: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		path string
		body io.Reader
		says string
		asks int
	}{
		"no answer":             {"/mute", nil, "no answer came for 100ms; given up (tried 3 times)", 3},
		"no answer to a stream": {"/mute", stream{strings.NewReader("stream")}, "no answer came for 100ms; given up", 3},
		"an upload stalls":      {"/deaf", stream{endless{}}, "no byte was taken for 50ms; given up", 3},
		"a download stalls":     {"/half", nil, "no byte came for 50ms; given up", 3},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			err := c.Again(t.Context(), func() error {
				req, err := http.NewRequest(http.MethodPut, server.URL+test.path, test.body)
				if err != nil {
					return err
				}
				resp, err := c.auth.Client.Do(req)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				_, err = io.ReadAll(resp.Body)
				return err
			})
			if err == nil || !strings.HasSuffix(err.Error(), test.says) || len(asked) != test.asks {
				t.Errorf("%v, asked %d times; want %q, asked %d times", err, len(asked), test.says, test.asks)
			}
			if took := time.Since(begun); took > 4*time.Second {
				t.Errorf("it took %s", took)
			}
			for len(asked) > 0 {
				<-asked
			}
		})
	}
}

// stream hides what could be read twice.
type stream struct{ io.Reader }

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
