package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// written is what comes out where a text is written in pieces of n bytes.
func written(t *testing.T, s *Secrets, text string, n int) string {
	t.Helper()
	var out bytes.Buffer
	w := s.Writer(&out)
	for len(text) > 0 {
		n := min(n, len(text))
		if _, err := io.WriteString(w, text[:n]); err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRecognized(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte("ada:secret"))
	for text, want := range map[string]string{
		"fetch https://ada:secret@example.com/a.git: no":          "fetch https://***@example.com/a.git: no",
		"'https://ada:se%40cr%2Fet@example.com/':":                "'https://***@example.com/':",
		"https://ghp_1234@example.com":                            "https://***@example.com",
		"https://a:b@c@example.com:8443/x@v1":                     "https://***@example.com:8443/x@v1",
		"https://a:b@one https://c:d@two\nhttp://e:f@three":       "https://***@one https://***@two\nhttp://***@three",
		"HTTPS://A:B@EXAMPLE.COM":                                 "HTTPS://***@EXAMPLE.COM",
		"to=https%3A%2F%2Fada%3Asecret%40example.com%2Fa&x=y":     "to=https%3A%2F%2F***%40example.com%2Fa&x=y",
		"to=https%3a%2f%2fada%3asecret%40example.com%2fa":         "to=https%3a%2f%2f***%40example.com%2fa",
		"ssh://git@example.com/a git@example.com:a/b.git":         "ssh://git@example.com/a git@example.com:a/b.git",
		"ssh://git:secret@example.com/a":                          "ssh://***@example.com/a",
		"https://example.com/@scope/x@v1 https://example.com":     "https://example.com/@scope/x@v1 https://example.com",
		"https://example.com, ada@example.com":                    "https://example.com, ada@example.com",
		"https://***@example.com":                                 "https://***@example.com",
		"> Authorization: Basic " + basic + "\n> Host: a":         "> Authorization: ***\n> Host: a",
		"proxy-authorization: whatever\r\n":                       "proxy-authorization: ***\r\n",
		`{"Authorization":"Bearer x.y.z","a":"b"}`:                `{"Authorization":"***","a":"b"}`,
		"map[Authorization:[Basic " + basic + "]]":                "map[Authorization:[***",
		"rbac.authorization.k8s.io/v1, --authorization-mode=RBAC": "rbac.authorization.k8s.io/v1, --authorization-mode=RBAC",
		"curl -H bearer  abc123def456, done":                      "curl -H bearer  ***, done",
		"Basic " + basic + " was refused":                         "Basic *** was refused",
		"basic authentication, bearer realm=\"x\", bearer token":  "basic authentication, bearer realm=\"x\", bearer token",
		"forbearer abc123def456":                                  "forbearer abc123def456",
		"":                                                        "",
	} {
		for _, n := range []int{1, 2, 3, 7, 1000} {
			if got := written(t, &Secrets{}, text, n); got != want {
				t.Errorf("%q in pieces of %d: %q, not %q", text, n, got, want)
			}
		}
	}
}

func TestKnown(t *testing.T) {
	secret := "s3cr3t/with \"quotes\"+\n& äöü"
	var s Secrets
	s.Add(secret)
	s.Add("short") // is not looked for
	forms := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.ToLower(url.QueryEscape("s3cr3t/with \"quotes\"+")),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)), quoted(secret), `s3cr3t/with "quotes"+`,
	}
	for _, form := range forms {
		for _, n := range []int{1, 5, 1000} {
			if got, want := written(t, &s, "a short one: "+form+" end s3cr3", n), "a short one: *** end s3cr3"; got != want {
				t.Errorf("%q in pieces of %d: %q", form, n, got)
			}
		}
	}
	for _, user := range []string{"a", "ab", "abc", "abcd"} {
		encoded := base64.StdEncoding.EncodeToString([]byte(user + ":" + secret + "!"))
		got := s.Redact("auth " + encoded)
		if !strings.Contains(got, Mark) || len(got) > len("auth ")+len(Mark)+12 {
			t.Errorf("%s: %q of %q", user, got, encoded)
		}
	}
}

func TestEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a-file-that-is-there")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:from-the-header"))
	var s Secrets
	s.Environment([]string{
		"GITHUB_TOKEN=from-the-token", "MY_PASSWORD_2=from-the-password", "deploy_key=from-the-key", "API_KEY_FILE=" + file, "TOKEN_FILE=" + file, "TOKEN=1234567", "PLAIN=from-nothing",
		"HTTPS_PROXY=http://ada:from-the-proxy@proxy:3128", "GIT_CONFIG_KEY_0=http.https://example.com/.extraheader", "GIT_CONFIG_VALUE_0=AUTHORIZATION: basic " + basic, "TOKEN_EMPTY",
	})
	s.Learn("--remote=https://ada:from%2Dthe%2Dargument@example.com/x")
	s.Learn("https://from-the-user:x-oauth-basic@example.com https://ada:from/the/slashes@example.com/x http://127.0.0.1:5000/a-repository@sha256")
	s.Learn("https://example.com/a-folder/@scope ssh://a-long-name@example.com/")
	got := s.Redact("from-the-token from-the-password from-the-key from-the-proxy from-the-header from-the-argument from%2Dthe%2Dargument from-the-user from/the/slashes " + basic)
	if got != strings.TrimSpace(strings.Repeat("*** ", 10)) {
		t.Errorf("got %q", got)
	}
	for _, kept := range []string{file, "1234567", "from-nothing", "http.https://example.com/.extraheader", "5000/a-repository", "example.com/a-folder/", "a-long-name"} {
		if got := s.Redact(kept); got != kept {
			t.Errorf("%q became %q", kept, got)
		}
	}
}

func TestJSONStaysJSON(t *testing.T) {
	var s Secrets
	s.Add("12345678")
	s.Add(`a"quoted\secret`)
	s.Add(`","name":"`)
	content, err := json.MarshalIndent(map[string]any{
		"size": 12345678, "text": "the 12345678", "url": "https://a:b@c/", "odd": `a"quoted\secret`, "name": "x", "list": []string{"https://a.com", "b@c"}, "html": "<&>\u2028", "auth": "Authorization: x",
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := s.Writer(&out)
	io.WriteString(w, "https://held")
	if err := w.WriteJSON(content); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(bytes.TrimPrefix(out.Bytes(), []byte("https://held")), &got); err != nil {
		t.Fatalf("%v in\n%s", err, &out)
	}
	again, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"auth":"Authorization: ***","html":"\u003c\u0026\u003e\u2028","list":["https://a.com","b@c"],"name":"x","odd":"***","size":12345678,"text":"the ***","url":"https://***@c/"}`
	if string(again) != want {
		t.Errorf("got  %s\nwant %s", again, want)
	}
	for _, broken := range []string{`"`, `"\`, `{"a`, ``, "a", `"\x"`} {
		if got := s.JSON([]byte(broken)); string(got) != broken {
			t.Errorf("%q became %q", broken, got)
		}
	}
}

// TestAtOnce: a live line has no line break, and is seen all the same.
func TestAtOnce(t *testing.T) {
	var s Secrets
	s.Add("tremendous-secret")
	var out bytes.Buffer
	w := s.Writer(&out)
	for _, step := range []struct{ write, seen string }{
		{"\r\x1b[K  ⠋ build  1.2 s", "\r\x1b[K  ⠋ build  1.2 s"},
		{"\rsee https://exam", "\rsee https://"},
		{"ple.com ", "example.com "},
		{"tremendous-", ""},
		{"\n", "tremendous-\n"},
		{"tremendous-secre", ""},
		{"t.", "***."},
		{"Authorization: Basic x", "Authorization: "},
		{"\n", "***\n"},
		{strings.Repeat("x", 1<<20), strings.Repeat("x", 1<<20)},
	} {
		out.Reset()
		io.WriteString(w, step.write)
		if out.String() != step.seen {
			t.Errorf("%.60q gave %.60q, not %.60q", step.write, &out, step.seen)
		}
	}
	// What never ends is not kept for ever.
	for range 1 << 10 {
		io.WriteString(w, strings.Repeat("Authorization: ", 100))
	}
	if held := len(w.text); held > 4*longestHeld {
		t.Errorf("%d bytes are held", held)
	}
	if strings.Contains(w.secrets.Redact("x"), Mark) || w.Fd() != ^uintptr(0) || s.Writer(os.Stdout).Fd() != os.Stdout.Fd() {
		t.Error("the file descriptor is another one")
	}
}

func TestSeveralGoroutines(t *testing.T) {
	var s Secrets
	s.Add("the-known-secret")
	var out bytes.Buffer
	w := s.Writer(&out)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				io.WriteString(w, "a the-known-secret https://a:b@c/d\n")
				s.Add("another-secret")
			}
		})
	}
	wait.Wait()
	if got := out.String(); got != strings.Repeat("a *** https://***@c/d\n", 400) {
		t.Errorf("got %q", got)
	}
}

// FuzzPieces: however a text is cut into writes, what comes out is the same, and nothing of it is a secret of a URL.
func FuzzPieces(f *testing.F) {
	f.Add("a https://ada:", "se%20cret", "@example.com/x", uint8(1))
	f.Add("Authorization: Bearer ", "abc123def", "\n", uint8(3))
	f.Add("https%3A%2F%2Fa%3A", "b", "%40c%2F", uint8(2))
	f.Add("the-known-the-known-", "secret", " Basic YTpi ", uint8(4))
	f.Fuzz(func(t *testing.T, before, secret, after string, n uint8) {
		if len(before)+len(secret)+len(after) > 2000 {
			return
		}
		var s Secrets
		s.Add("the-known-secret")
		s.Add("the-known-the")
		text := before + secret + after
		whole := s.Redact(text)
		if got := written(t, &s, text, int(n)+1); got != whole {
			t.Errorf("%q in pieces of %d: %q, at once %q", text, int(n)+1, got, whole)
		}
		if again := s.Redact(whole); strings.Count(again, Mark) < strings.Count(whole, Mark) {
			t.Errorf("%q became %q", whole, again)
		}
		if json.Valid([]byte(text)) && !json.Valid(s.JSON([]byte(text))) {
			t.Errorf("%q is no JSON any more: %q", text, s.JSON([]byte(text)))
		}
		// A canary as the password of a URL, in whatever surroundings.
		canary := "Kanarienvogel" + url.PathEscape(secret)
		at := "https://ada:" + canary + "@example.com/"
		if got := written(t, &Secrets{}, before+at+after, int(n)+1); strings.Contains(got, "Kanarienvogel") {
			t.Errorf("%q gave %q", before+at+after, got)
		}
	})
}
