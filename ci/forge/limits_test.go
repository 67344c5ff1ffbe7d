package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
)

const canary = "ghp_canary0123456789"

// against opens a server whose clock is the client's, and stands still but for the client's waits.
func against(t *testing.T, serve func(w http.ResponseWriter, r *http.Request, now time.Time)) (g *GitHub, waits *[]time.Duration, told *[]string, address string) {
	t.Helper()
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		serve(w, r, now)
	}))
	t.Cleanup(server.Close)
	waits, told = new([]time.Duration), new([]string)
	g, err := NewGitHub("acme/spark", Options{
		URL: server.URL, Token: Token(canary), Patience: registry.Patience{Tries: 3, First: time.Millisecond, Longest: time.Second, Answer: 5 * time.Second, Stall: time.Second},
		Waiting: func(why string, until time.Time) { *told = append(*told, why+" until "+until.Format("15:04:05")) },
	})
	if err != nil {
		t.Fatal(err)
	}
	g.now = func() time.Time { return now }
	g.sleep = func(_ context.Context, d time.Duration) error {
		*waits, now = append(*waits, d), now.Add(d)
		return nil
	}
	return g, waits, told, server.URL
}

// TestLimitsAreWaitedFor: the limits that GitHub documents, each once or more, and then the answer; also where the request was a write.
func TestLimitsAreWaitedFor(t *testing.T) {
	header := func(name, value string) func(http.Header, time.Time) {
		return func(h http.Header, _ time.Time) { h.Set(name, value) }
	}
	used := func(left time.Duration, skew time.Duration) func(http.Header, time.Time) {
		return func(h http.Header, now time.Time) {
			h.Set("X-RateLimit-Remaining", "0")
			h.Set("X-RateLimit-Reset", fmt.Sprint(now.Add(left+skew).Unix()))
			h.Set("Date", now.Add(skew).Format(http.TimeFormat))
		}
	}
	const message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
	for name, c := range map[string]struct {
		status  int
		head    func(http.Header, time.Time)
		message string
		times   int
		waits   []time.Duration
		says    string // of an error
	}{
		"used up":                     {403, used(5*time.Minute, 0), "API rate limit exceeded", 1, []time.Duration{5*time.Minute + time.Second}, ""},
		"used up, another clock":      {429, used(5*time.Minute, time.Hour), "API rate limit exceeded", 1, []time.Duration{5*time.Minute + time.Second}, ""},
		"used up, back already":       {403, used(-time.Minute, 0), "API rate limit exceeded", 1, []time.Duration{time.Second}, ""},
		"come back":                   {403, header("Retry-After", "40"), message, 2, []time.Duration{40 * time.Second, 40 * time.Second}, ""},
		"too many":                    {429, header("Retry-After", "2"), "", 1, []time.Duration{2 * time.Second}, ""},
		"secondary, no word how long": {403, func(http.Header, time.Time) {}, message, 3, []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute}, ""},
		"by its documentation":        {403, func(http.Header, time.Time) {}, `x", "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits`, 1, []time.Duration{time.Minute}, ""},
		"longer than allowed":         {403, used(20*time.Minute, 0), "API rate limit exceeded", 1, nil, "until 12:20:01 UTC on 1 July, which is longer than the 15m0s that a request may wait; run it again then"},
		"longer in all":               {429, header("Retry-After", "400"), "", 9, []time.Duration{400 * time.Second, 400 * time.Second}, "until 12:20:00 UTC"},
		"no limit":                    {403, func(http.Header, time.Time) {}, "Resource not accessible by integration", 9, nil, "403 Resource not accessible by integration; give the token the permission pull requests: write"},
	} {
		t.Run(name, func(t *testing.T) {
			refused, bodies := 0, []string{}
			g, waits, told, _ := against(t, func(w http.ResponseWriter, r *http.Request, now time.Time) {
				if r.Method == http.MethodGet {
					io.WriteString(w, `[]`)
					return
				}
				body, _ := io.ReadAll(r.Body)
				bodies = append(bodies, string(body))
				if refused < c.times {
					refused++
					c.head(w.Header(), now)
					w.WriteHeader(c.status)
					fmt.Fprintf(w, `{"message": "%s"}`, c.message)
					return
				}
				w.WriteHeader(http.StatusCreated)
				io.WriteString(w, `{"id": 1}`)
			})
			_, err := g.Comment(t.Context(), 1, "key", "text")
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
			if fmt.Sprint(*waits) != fmt.Sprint(c.waits) || len(*told) != len(c.waits) {
				t.Errorf("waited %v, told %q, want %v", *waits, *told, c.waits)
			}
			for _, body := range bodies {
				if body != bodies[0] || !strings.Contains(body, "text") {
					t.Errorf("sent %q", bodies)
				}
			}
			var limited *Limited
			if strings.Contains(c.says, "until") != errors.As(err, &limited) {
				t.Errorf("%T", err)
			}
		})
	}
}

func TestAWaitEndsWithTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	g, _, _, _ := against(t, func(w http.ResponseWriter, _ *http.Request, _ time.Time) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
		cancel()
	})
	g.sleep = sleep
	if _, _, err := g.Pull(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestServersThatLeadAstray are refused, once, and no token leaves for anywhere else.
func TestServersThatLeadAstray(t *testing.T) {
	var strayed []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		strayed = append(strayed, r.URL.Path+r.Header.Get("Authorization"))
	}))
	defer other.Close()
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("f"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := Release{Tag: "v1.5.0", Commit: strings.Repeat("c", 40), Identity: digest.FromString("x"), Files: []File{{Name: "f", Path: file, Size: 1, Digest: digest.FromString("f")}}}
	pages := func(ctx context.Context, g *GitHub) error { _, _, err := g.Prepare(ctx, r); return err }
	comment := func(ctx context.Context, g *GitHub) error { _, err := g.Comment(ctx, 1, "key", "text"); return err }
	for name, c := range map[string]struct {
		serve func(w http.ResponseWriter, r *http.Request, address string)
		do    func(context.Context, *GitHub) error
		says  string
	}{
		"uploads to another host": {func(w http.ResponseWriter, r *http.Request, _ string) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/tags/v1.5.0"):
				http.NotFound(w, r)
			case r.Method == http.MethodGet:
				io.WriteString(w, `[]`)
			default:
				io.WriteString(w, `{"id": 1, "tag_name": "v1.5.0", "draft": true, "target_commitish": "`+strings.Repeat("c", 40)+`", "body": "`+`\n\n<!-- operator-release: `+digest.FromString("x").String()+` -->", "upload_url": "`+other.URL+`/x{?name,label}"}`)
			}
		}, pages, "which is not GitHub's; nothing was sent there"},
		"redirects to another host": {func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Redirect(w, r, other.URL+"/x", http.StatusTemporaryRedirect)
		}, comment, "which is not its API; nothing was sent there"},
		"redirects to plain HTTP": {func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Redirect(w, r, "http://example.com/x", http.StatusTemporaryRedirect)
		}, comment, "redirects to http://example.com"},
		"redirects in a circle": {func(w http.ResponseWriter, r *http.Request, address string) {
			http.Redirect(w, r, address+"/x", http.StatusTemporaryRedirect)
		}, comment, "more than ten times"},
		"makes a read of a write": {func(w http.ResponseWriter, r *http.Request, address string) {
			if r.Method == http.MethodGet {
				io.WriteString(w, `[]`)
				return
			}
			http.Redirect(w, r, address+"/moved", http.StatusMovedPermanently)
		}, comment, "a way that makes a read of it"},
		"lists in a circle": {func(w http.ResponseWriter, r *http.Request, address string) {
			w.Header().Set("Link", `<`+address+`/x?page=1>; rel="next"`)
			io.WriteString(w, `[]`)
		}, comment, "leads in a circle"},
		"lists without an end": {func(w http.ResponseWriter, r *http.Request, address string) {
			var page int
			fmt.Sscan(r.URL.Query().Get("page"), &page)
			w.Header().Set("Link", fmt.Sprintf(`<%s/x?page=%d>; rel="next"`, address, page+1))
			io.WriteString(w, `[]`)
		}, comment, "more than 100 pages"},
		"answers without an end": {func(w http.ResponseWriter, r *http.Request, _ string) {
			zeros := make([]byte, 1<<20)
			for range maxAnswer>>20 + 2 {
				if _, err := w.Write(zeros); err != nil {
					return
				}
			}
		}, comment, "more than 64 MiB"},
		"tells the token": {func(w http.ResponseWriter, r *http.Request, _ string) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprintf(w, `{"message": "bad \u001b[31m%s\u202e"}`, r.Header.Get("Authorization"))
		}, comment, "422 bad"},
		"answers with another page": {func(w http.ResponseWriter, r *http.Request, _ string) { io.WriteString(w, `{"tag_name": "v1.4.0"}`) }, pages, "GitHub gave another one, of v1.4.0"},
		"answers with no JSON":      {func(w http.ResponseWriter, r *http.Request, _ string) { io.WriteString(w, `<html>`) }, comment, "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			var address string
			asked := 0
			g, _, _, address := against(t, func(w http.ResponseWriter, r *http.Request, _ time.Time) {
				asked++
				c.serve(w, r, address)
			})
			err := c.do(t.Context(), g)
			if err == nil || !strings.Contains(err.Error(), c.says) || strings.ContainsAny(err.Error(), "\x1b\u202e") {
				t.Errorf("%v, want %q", err, c.says)
			}
			if strings.Contains(fmt.Sprint(err), canary) {
				t.Errorf("the token is told: %v", err)
			}
			if asked > 101 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
	if len(strayed) != 0 {
		t.Errorf("another host was asked %q", strayed)
	}
}

// TestSilenceEnds: a server that never answers, or stops within.
func TestSilenceEnds(t *testing.T) {
	for _, half := range []bool{false, true} {
		g, _, _, _ := against(t, func(w http.ResponseWriter, r *http.Request, _ time.Time) {
			if half {
				io.WriteString(w, `[`)
				http.NewResponseController(w).Flush()
			}
			<-r.Context().Done()
		})
		p := registry.Patience{Tries: 2, First: time.Millisecond, Longest: time.Second, Answer: 30 * time.Millisecond, Stall: 30 * time.Millisecond}
		h, err := NewGitHub("acme/spark", Options{URL: g.options.URL, Patience: p})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.Pull(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "for 30ms; given up") {
			t.Errorf("half %v: %v", half, err)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string
		says   string
	}{
		"not logged in": {401, nil, `{"message": "Bad credentials"}`, "list the comments on pull request #1 at acme/spark of 127.0.0.1:PORT: GitHub says 401 Bad credentials; the token is missing, wrong or expired: give one with the permission pull requests: read"},
		"not allowed": {403, http.Header{"X-Accepted-GitHub-Permissions": {"issues=read; pull_requests=read"}}, `{"message": "Resource not accessible by integration"}`,
			"GitHub says 403 Resource not accessible by integration; give the token the permission issues: read; pull_requests: read"},
		"single sign-on": {403, http.Header{"X-GitHub-SSO": {"required; url=x"}}, `{"message": "x"}`, "and authorize it for the organization's single sign-on"},
		"not there":      {404, nil, `{"message": "Not Found"}`, "404 Not Found; there is none, or the token may not see it: it needs the permission pull requests: read"},
		"not possible":   {422, nil, `{"message": "Validation Failed", "errors": [{"code": "missing_field", "field": "title"}, {"code": "custom", "message": "No commits"}]}`, "422 Validation Failed; title is missing field; No commits"},
		"in trouble":     {502, nil, `<html>`, "502 Bad Gateway; tried 3 times; run it again later"},
		"long":           {422, nil, `{"message": "` + strings.Repeat("x", 9000) + `"}`, strings.Repeat("x", 500) + "…"},
	} {
		g, _, _, address := against(t, func(w http.ResponseWriter, r *http.Request, _ time.Time) {
			for key, values := range c.header {
				w.Header()[http.CanonicalHeaderKey(key)] = values
			}
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		})
		_, err := g.Comment(t.Context(), 1, "key", "text")
		_, port, _ := strings.Cut(strings.TrimPrefix(address, "http://"), ":")
		var answered *Error
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), ":"+port, ":PORT"), c.says) || refusal.Is(err) || !errors.As(err, &answered) || answered.Status != c.status || len(err.Error()) > 900 {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// TestTokens: a token is asked for with each request, and one that is not had ends it.
func TestTokens(t *testing.T) {
	var sent []string
	g, _, _, _ := against(t, func(w http.ResponseWriter, r *http.Request, _ time.Time) {
		sent = append(sent, r.Header.Get("Authorization")+" "+r.Header.Get("User-Agent"))
		io.WriteString(w, `{"permission": "write", "role_name": "releasers"}`)
	})
	tokens := []string{"one", "two ", ""}
	g.options.Token = func(context.Context) (string, error) {
		if len(tokens) == 0 {
			return "", errors.New("the key is gone")
		}
		token := tokens[0]
		tokens = tokens[1:]
		return token, nil
	}
	for range 3 {
		if p, err := g.Permission(t.Context(), "ada"); err != nil || p != Write { // by an organization's own role
			t.Errorf("%q, %v", p, err)
		}
	}
	if _, err := g.Permission(t.Context(), "ada"); err == nil || !strings.HasSuffix(err.Error(), "get a token: the key is gone") {
		t.Errorf("%v", err)
	}
	if fmt.Sprintf("%q", sent) != `["Bearer one operator-release" "Bearer two operator-release" " operator-release"]` {
		t.Errorf("sent %q", sent)
	}
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"": "https://api.github.com/", "https://api.github.com": "https://api.github.com/", "https://git.example.com": "https://git.example.com/api/v3/", "https://git.example.com/api/v3": "https://git.example.com/api/v3/",
		"http://127.0.0.1:8080": "http://127.0.0.1:8080/api/v3/", "http://hub.lan": "http://hub.lan/api/v3/", "https://api.acme.ghe.com/": "https://api.acme.ghe.com/",
	} {
		if g, err := NewGitHub("acme/spark", Options{URL: address, PlainHTTP: []string{"hub.lan"}}); err != nil || g.base.String() != want || g.api.BaseURL() != want {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, address := range []string{"http://git.example.com", "ftp://git.example.com", "https://robot:secret@git.example.com", "https://", "git.example.com", "https://git.example.com/?x", ":"} {
		if _, err := NewGitHub("acme/spark", Options{URL: address}); !refusal.Is(err) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, name := range []string{"", "spark", "acme/", "/spark", "acme/spark/x", "acme/..", "a b/c", "acme/spark?x"} {
		if _, err := NewGitHub(name, Options{}); !refusal.Is(err) {
			t.Errorf("%q: %v", name, err)
		}
	}
	g, err := NewGitHub("acme/spark", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"https://api.github.com/x": true, "https://uploads.github.com/x": true, "https://API.github.com:443/x": true, "http://api.github.com/x": false, "https://github.com/x": false,
		"https://uploads.github.com.example.com/x": false, "https://api.github.com:8443/x": false, "https://example.com/api.github.com": false,
	} {
		req, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if g.ours(req.URL) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
}

func TestTexts(t *testing.T) {
	for _, text := range []string{"", "a", "a\r\nb\r\n", "a <!-- operator-release: x --> b", "a\n\n<!-- operator-release: other -->"} {
		body, err := mark(text, "key of mine")
		if err != nil {
			t.Fatal(err)
		}
		if plain, key := unmark(strings.ReplaceAll(lines(body), "\n", "\r\n") + "\n"); plain != lines(text) || key != "key of mine" {
			t.Errorf("%q came back as %q, %q", text, plain, key)
		}
	}
	if plain, key := unmark("text\n\n<!-- operator-release: x --> more"); key != "" || plain != "text\n\n<!-- operator-release: x --> more" {
		t.Errorf("%q, %q", plain, key)
	}
	for most := 60; most < 200; most++ {
		short := fit(strings.Repeat("ä line\n```\ncode\n```\n", 20), most, "The rest is there.")
		if n := len([]rune(short)); n > most || !strings.HasSuffix(short, "\n\nThe rest is there.") || strings.Count(short, "```")%2 != 0 {
			t.Errorf("%d: %d characters: %q", most, n, short)
		}
	}
}
