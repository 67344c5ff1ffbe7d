package faults

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ask gives what a client sees: the code and body, or the error.
func ask(t *testing.T, method, url, body string) (code int, answer string, err error) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(content), err
}

func TestActions(t *testing.T) {
	served := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil {
			served++
		}
		io.WriteString(w, "the answer")
	}))
	defer server.Close()
	for name, c := range map[string]struct {
		do     Action
		code   int
		answer string
		fails  bool
		served int
	}{
		"status":       {Status(http.StatusTooManyRequests, time.Second), 429, "", false, 0},
		"before":       {Before, 0, "", true, 0},
		"after":        {After, 0, "", true, 1},
		"cut request":  {CutRequest(3), 0, "", true, 0},
		"cut response": {CutResponse(3), 200, "the", true, 1},
		"lie":          {Lie, 200, "the aoswer", false, 1},
		"swell":        {Swell(2), 200, "the answer\x00\x00", false, 1},
		"delay":        {Delay(time.Millisecond), 200, "the answer", false, 1},
	} {
		p, err := New(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		proxy, address := p.Start()
		p.Add(Fault{Match: "^PUT /a", First: 2, Times: 1, Do: c.do})
		for i, want := range []struct {
			path   string
			struck bool
		}{{"/a", false}, {"/b", false}, {"/a", true}, {"/a", false}} {
			served = 0
			code, answer, err := ask(t, http.MethodPut, "http://"+address+want.path, "the question")
			if !want.struck {
				if code != 200 || answer != "the answer" || err != nil || served != 1 {
					t.Errorf("%s, request %d: %d %q %v, served %d", name, i, code, answer, err, served)
				}
				continue
			}
			if code != c.code || (err != nil) != c.fails || served != c.served || answer != c.answer {
				t.Errorf("%s: %d %q %v, served %d", name, code, answer, err, served)
			}
		}
		if got := len(p.Requests()); got != 4 {
			t.Errorf("%s: %d requests were seen", name, got)
		}
		proxy.Close()
	}
}

func TestGitTakesAPush(t *testing.T) {
	root := t.TempDir()
	handler, err := Git(root)
	if err != nil {
		t.Fatal(err)
	}
	p := Around(handler)
	server, address := p.Start()
	defer server.Close()
	script := "git init -q --bare " + filepath.Join(root, "r.git") + " && git init -q . && git -c user.name=A -c user.email=a@b commit -q --allow-empty -m x && " +
		"git push -q http://" + address + "/r.git HEAD:refs/heads/main && git ls-remote http://" + address + "/r.git"
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "refs/heads/main") {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(strings.Join(p.Requests(), "\n"), "POST /r.git/git-receive-pack") {
		t.Errorf("requests %q", p.Requests())
	}
}
