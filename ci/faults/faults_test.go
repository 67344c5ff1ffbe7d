package faults

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
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
		"status":        {Status(http.StatusTooManyRequests, time.Second), 429, "", false, 0},
		"before":        {Before, 0, "", true, 0},
		"after":         {After, 0, "", true, 1},
		"cut request":   {CutRequest(3), 0, "", true, 0},
		"cut response":  {CutResponse(3), 200, "the", true, 1},
		"lie":           {Lie, 200, "the aoswer", false, 1},
		"swell":         {Swell(2), 200, "the answer\x00\x00", false, 1},
		"answer":        {Answer(403, "no", "X-A", "b"), 403, "no", false, 0},
		"instead":       {Instead(Answer(500, "no")), 500, "no", false, 1},
		"half request":  {HalfRequest, 0, "", true, 0},
		"half response": {HalfResponse, 0, "", true, 1},
		"delay":         {Delay(time.Millisecond), 200, "the answer", false, 1},
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
	full, err := GitOnAFullDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	fullServer, fullAddress := Around(full).Start()
	defer fullServer.Close()
	script := "git init -q --bare " + filepath.Join(root, "r.git") + " && git init -q . && git -c user.name=A -c user.email=a@b commit -q --allow-empty -m x && " +
		"! git push -q http://" + fullAddress + "/r.git HEAD:refs/heads/main && test -z \"$(git ls-remote http://" + fullAddress + "/r.git)\" && " +
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

func TestWritesHaveNames(t *testing.T) {
	const d = "sha256:0123456789abcdef"
	for request, want := range map[string]string{
		"HEAD /v2/cell/a/b/manifests/v1":                          " ",
		"GET /v2/cell/a/b/blobs/" + d:                             " ",
		"POST /v2/cell/a/b/blobs/uploads/":                        "upload begins a/b",
		"POST /v2/cell/a/b/blobs/uploads/?mount=" + d + "&from=c": "upload begins a/b",
		"PATCH /v2/cell/a/b/blobs/uploads/7":                      "upload PATCH a/b",
		"PUT /v2/cell/a/b/blobs/uploads/7?digest=" + d:            "blob a/b@sha256:0123456789ab",
		"PUT /v2/cell/a/b/manifests/" + d:                         "manifest a/b@sha256:0123456789ab",
		"PUT /v2/cell/a/b/manifests/sha256-0123456789abcdef":      "referrers list a/b:sha256-0123456789ab",
		"PUT /v2/cell/a/b/manifests/v1":                           "tag a/b:v1",
		"DELETE /v2/cell/a/b/manifests/v1":                        "DELETE manifest a/b:v1",
	} {
		method, path, _ := strings.Cut(request, " ")
		kind, name := RegistryWrite("cell/")(httptest.NewRequest(method, path, nil))
		if got := kind + " " + name; got != want {
			t.Errorf("%s is %q; want %q", request, got, want)
		}
	}
	zero := strings.Repeat("0", 40)
	push := httptest.NewRequest(http.MethodPost, "/r.git/git-receive-pack", strings.NewReader("00b4"+zero+" "+zero+" refs/heads/main\x00 report-status"))
	if kind, name := GitWrite(push); kind != "push" || name != "refs/heads/main" {
		t.Errorf("a push is %s %s", kind, name)
	}
	if body, err := io.ReadAll(push.Body); err != nil || !strings.HasPrefix(string(body), "00b4") {
		t.Errorf("its body is %q, %v", body, err)
	}
	if kind, _ := GitWrite(httptest.NewRequest(http.MethodPost, "/r.git/git-upload-pack", nil)); kind != "" {
		t.Errorf("a fetch is %s", kind)
	}
}

// TestAFaultLasts: it begins at its write, of which there may be more than one of the same name, and befalls what writes from then on.
func TestAFaultLasts(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "done") })
	s := &Server{Name: "s", Proxy: Around(next), Write: RegistryWrite("")}
	server, address := s.Start()
	defer server.Close()
	requests := []string{"PUT /v2/a/manifests/v1", "GET /v2/a/manifests/v1", "PUT /v2/a/manifests/v1", "GET /v2/a/manifests/v1", "PUT /v2/a/manifests/v2"}
	run := func() (codes []int) {
		for _, request := range requests {
			method, path, _ := strings.Cut(request, " ")
			code, _, err := ask(t, method, "http://"+address+path, "")
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, code)
		}
		return codes
	}
	writes := s.Record()
	run()
	second := Write{"s", "tag", "a:v1", 2}
	if got := writes(); len(got) != 3 || got[1] != second {
		t.Fatalf("writes %v", got)
	}
	for column, want := range map[string][]int{Rejected: {200, 200, 403, 200, 403}, Expired: {200, 200, 401, 401, 401}} {
		struck := s.Arm(second, column, false, nil)
		if got := run(); !slices.Equal(got, want) || !struck() {
			t.Errorf("%s: answered %v; want %v", column, got, want)
		}
	}
	table := NewTable(writes())
	table.Set(second, Rejected, true, Resumed)
	if text := table.String(); !strings.Contains(text, "s: tag a:v1 (2)") || !strings.Contains(text, ".+") || !strings.Contains(text, "3 writes, 1 cells run") {
		t.Error(text)
	}
}
