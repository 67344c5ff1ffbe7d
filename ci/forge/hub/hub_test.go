package hub_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/forge/hub"
)

const repo = "/api/v3/repos/acme/spark"

// ask gives the answer to a request, which is held to GitHub's description.
func ask(t *testing.T, h *hub.Hub, token, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Host = "hub.example.com"
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	answer := httptest.NewRecorder()
	forgetest.Hold(t, h).ServeHTTP(answer, req)
	return answer
}

func open(o hub.Options) *hub.Hub {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	o.Repository = "acme/spark"
	o.Users = []hub.User{{Login: "ada", Token: "of-ada", Role: hub.Write}, {Login: "bob", Token: "of-bob", Role: hub.Triage}, {Login: "eve", Token: "of-eve"}, {Login: "app[bot]", Token: "of-app", Role: hub.Write, Bot: true}}
	if o.Clock == nil {
		o.Clock = func() time.Time { return now }
	}
	return hub.New(o)
}

// step is a request and what is expected of the answer: its status, and a part of its body or, with NAME:, of a header.
type step struct {
	token, method, path, body string
	status                    int
	says                      string
}

func run(t *testing.T, h *hub.Hub, steps []step) {
	t.Helper()
	for i, s := range steps {
		answer := ask(t, h, s.token, s.method, s.path, s.body)
		got := answer.Body.String()
		if name, says, ok := strings.Cut(s.says, ": "); ok && answer.Header().Get(name) != "" {
			got, s.says = answer.Header().Get(name), says
		}
		if answer.Code != s.status || !strings.Contains(got, s.says) {
			t.Errorf("%d: %s %s as %q: %d %s, want %d %q", i, s.method, s.path, s.token, answer.Code, got, s.status, s.says)
		}
	}
}

func TestWhoMay(t *testing.T) {
	draft := `{"tag_name": "v1.5.0", "draft": true}`
	h := open(hub.Options{})
	number := h.AddPull(hub.Pull{Title: "x", Author: "ada", Head: "x", Base: "main"})
	pull, issue := fmt.Sprintf("%s/pulls/%d", repo, number), fmt.Sprintf("%s/issues/%d", repo, number)
	run(t, h, []step{
		{"", "POST", repo + "/releases", draft, 401, "Requires authentication"},
		{"wrong", "GET", repo + "/releases", "", 401, "Bad credentials"},
		{"of-eve", "POST", repo + "/releases", draft, 403, "Resource not accessible"},
		{"of-bob", "POST", repo + "/releases", draft, 403, "X-Accepted-Github-Permissions: contents=write"},
		{"of-ada", "POST", repo + "/releases", draft, 201, `"draft":true`},
		{"", "GET", repo + "/releases", "", 200, "[]"},
		{"of-bob", "GET", repo + "/releases", "", 200, "[]"},
		{"of-ada", "GET", repo + "/releases", "", 200, `"tag_name":"v1.5.0"`},
		{"of-bob", "GET", repo + "/releases/2", "", 404, "Not Found"},
		{"of-ada", "GET", repo + "/releases/2", "", 200, "untagged-2"},
		{"of-ada", "GET", repo + "/releases/tags/v1.5.0", "", 404, "Not Found"},
		{"of-ada", "GET", repo + "/releases/latest", "", 404, "Not Found"},
		{"of-bob", "POST", issue + "/labels", `{"labels": ["bug", {"name": "other"}]}`, 200, `"name":"other"`},
		{"of-bob", "PATCH", pull, `{"title": "y"}`, 403, "X-Accepted-Github-Permissions: pull_requests=write"},
		{"of-eve", "POST", issue + "/labels", `{"labels": ["x"]}`, 403, "X-Accepted-Github-Permissions: issues=write"},
		{"", "POST", issue + "/comments", `{"body": "hello"}`, 401, "Requires authentication"},
		{"of-eve", "POST", issue + "/comments", `{"body": "hello"}`, 201, `"author_association":"NONE"`},
		{"of-app", "POST", issue + "/comments", `{"body": "beep"}`, 201, `"type":"Bot"`},
		{"of-bob", "PATCH", repo + "/issues/comments/6", `{"body": "mine now"}`, 403, "Must have"},
		{"of-ada", "PATCH", repo + "/issues/comments/6", `{"body": "edited"}`, 200, "edited"},
		{"", "GET", "/api/v3/user", "", 401, "Requires authentication"},
		{"of-ada", "GET", "/api/v3/user", "", 200, `"login":"ada"`},
		{"of-app", "GET", "/api/v3/user", "", 403, "by integration"},
		{"of-ada", "GET", "/api/v3/repos/acme/other/releases", "", 404, "Not Found"},
	})
}

func TestReleases(t *testing.T) {
	h := open(hub.Options{Immutable: true})
	const uploads = "/api/uploads/repos/acme/spark/releases/"
	run(t, h, []step{
		{"of-ada", "POST", repo + "/releases", `{"tag_name": "v1.5.0", "draft": true, "body": "` + strings.Repeat("x", 125001) + `"}`, 422, "body is too long (maximum is 125000 characters)"},
		{"of-ada", "POST", repo + "/releases", `{"tag_name": "v1.5.0", "draft": true}`, 201, `"upload_url":"http://hub.example.com/api/uploads/repos/acme/spark/releases/1/assets{?name,label}"`},
		{"of-ada", "POST", uploads + "1/assets?name=a.txt", "content", 201, `"digest":"sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"`},
		{"of-ada", "POST", uploads + "1/assets?name=a.txt", "other", 422, `"code":"already_exists"`},
		{"of-ada", "POST", uploads + "1/assets?name=a%20b", "x", 201, `"name":"a.b"`},
		{"of-ada", "POST", uploads + "9/assets?name=a.txt", "x", 404, "Not Found"},
		{"of-ada", "DELETE", repo + "/releases/assets/3", "", 204, ""},
		{"of-ada", "DELETE", repo + "/releases/assets/3", "", 404, "Not Found"},
		{"", "GET", "/acme/spark/releases/download/v1.5.0/a.txt", "", 404, ""},
		{"of-ada", "PATCH", repo + "/releases/1", `{"draft": false, "prerelease": true, "make_latest": "true"}`, 422, "cannot be draft or prerelease"},
		{"of-ada", "PATCH", repo + "/releases/1", `{"draft": false}`, 200, `"immutable":true`},
		{"", "GET", "/acme/spark/releases/download/v1.5.0/a.txt", "", 200, "content"},
		{"", "GET", repo + "/releases/latest", "", 200, `"published_at":"2026-07-01T12:00:00Z"`},
		{"of-ada", "POST", uploads + "1/assets?name=b.txt", "x", 422, "immutable"},
		{"of-ada", "DELETE", repo + "/releases/assets/2", "", 422, "immutable"},
		{"of-ada", "PATCH", repo + "/releases/1", `{"tag_name": "v1.5.1"}`, 422, "immutable"},
		{"of-ada", "PATCH", repo + "/releases/1", `{"body": "withdrawn"}`, 200, "withdrawn"},
		{"of-ada", "POST", repo + "/releases", `{"tag_name": "v1.5.0"}`, 422, `"field":"tag_name"`},
		{"of-ada", "POST", repo + "/releases", `{"tag_name": "v1.5.0", "draft": true}`, 201, "untagged-4"},
		{"of-ada", "PATCH", repo + "/releases/4", `{"draft": false}`, 422, "already_exists"},
		{"of-ada", "DELETE", repo + "/releases/4", "", 204, ""},
	})
	if s := h.Snapshot(); len(s.Releases) != 1 || !s.Releases[0].Latest || s.Releases[0].Body != "withdrawn" || len(s.Releases[0].Assets) != 1 {
		t.Errorf("%+v", s)
	}
	if w := h.Writes(); len(w) != 18 || w[0].Status != 422 || w[17] != (hub.Request{Method: "DELETE", Path: "/repos/acme/spark/releases/{id}", Status: 204}) {
		t.Errorf("%d: %+v", len(w), w)
	}
}

// TestAnUploadThatEndsEarly leaves a starter, which lies there until somebody deletes it.
func TestAnUploadThatEndsEarly(t *testing.T) {
	h := open(hub.Options{})
	run(t, h, []step{{"of-ada", "POST", repo + "/releases", `{"tag_name": "v1.5.0", "draft": true}`, 201, ""}})
	server := httptest.NewServer(forgetest.Hold(t, h))
	defer server.Close()
	req, err := http.NewRequest(http.MethodPost, server.URL+"/api/uploads/repos/acme/spark/releases/1/assets?name=a.txt", io.MultiReader(strings.NewReader("half"), broken{}))
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 8
	req.Header.Set("Authorization", "Bearer of-ada")
	if resp, err := http.DefaultClient.Do(req); err == nil {
		t.Fatal(resp.Status)
	}
	for begun := time.Now(); ; { // the server may hear of it later than we do
		if s := h.Snapshot(); len(s.Releases[0].Assets) == 1 && s.Releases[0].Assets[0].State == "starter" {
			break
		}
		if time.Since(begun) > 5*time.Second {
			t.Fatalf("%+v", h.Snapshot())
		}
	}
	run(t, h, []step{
		{"of-ada", "GET", repo + "/releases/1/assets", "", 200, `"state":"starter"`},
		{"of-ada", "POST", "/api/uploads/repos/acme/spark/releases/1/assets?name=a.txt", "whole", 422, "already_exists"},
		{"of-ada", "DELETE", repo + "/releases/assets/2", "", 204, ""},
		{"of-ada", "POST", "/api/uploads/repos/acme/spark/releases/1/assets?name=a.txt", "whole", 201, `"state":"uploaded"`},
	})
}

// TestAnUploadSaysItsLength, as GitHub asks for.
func TestAnUploadSaysItsLength(t *testing.T) {
	h := open(hub.Options{})
	run(t, h, []step{{"of-ada", "POST", repo + "/releases", `{"tag_name": "v1.5.0", "draft": true}`, 201, ""}})
	req := httptest.NewRequest("POST", "/api/uploads/repos/acme/spark/releases/1/assets?name=a.txt", io.MultiReader(strings.NewReader("whole")))
	req.Header.Set("Authorization", "Bearer of-ada")
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, req)
	if answer.Code != http.StatusBadRequest || len(h.Snapshot().Releases[0].Assets) != 0 {
		t.Errorf("%d: %s, %+v", answer.Code, answer.Body, h.Snapshot())
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, fmt.Errorf("broken") }

func TestListsHavePages(t *testing.T) {
	h := open(hub.Options{})
	for i := range 5 {
		h.AddPull(hub.Pull{Title: fmt.Sprint(i), Author: "ada", Head: fmt.Sprint("x", i), Base: "main"})
	}
	for query, want := range map[string]struct {
		numbers string
		links   []string
	}{
		"":                            {"5 4 3 2 1", nil},
		"?per_page=2":                 {"5 4", []string{`<http://hub.example.com` + repo + `/pulls?page=2&per_page=2>; rel="next"`, `page=3&per_page=2>; rel="last"`}},
		"?per_page=2&page=2":          {"3 2", []string{`page=1&per_page=2>; rel="prev"`, `page=1&per_page=2>; rel="first"`, `page=3&per_page=2>; rel="next"`}},
		"?per_page=2&page=3":          {"1", []string{`rel="prev"`}},
		"?per_page=2&page=9":          {"", []string{`rel="prev"`}},
		"?head=acme:x3&base=main":     {"4", nil},
		"?head=acme:x3&base=other":    {"", nil},
		"?state=closed&per_page=1000": {"", nil},
	} {
		answer := ask(t, h, "", "GET", repo+"/pulls"+query, "")
		var pulls []struct{ Number int }
		if err := json.Unmarshal(answer.Body.Bytes(), &pulls); err != nil {
			t.Fatal(err)
		}
		var numbers []string
		for _, p := range pulls {
			numbers = append(numbers, fmt.Sprint(p.Number))
		}
		link := answer.Header().Get("Link")
		if got := strings.Join(numbers, " "); got != want.numbers || (link == "") != (want.links == nil) {
			t.Errorf("%s: %s, %s", query, got, link)
		}
		for _, l := range want.links {
			if !strings.Contains(link, l) {
				t.Errorf("%s: links %s, want %s", query, link, l)
			}
		}
	}
}

// TestTheLimit is told by headers, holds, and ends with its hour.
func TestTheLimit(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	h := open(hub.Options{Limit: 2, Clock: func() time.Time { return now }})
	run(t, h, []step{
		{"", "GET", repo + "/pulls", "", 200, "X-Ratelimit-Remaining: 1"},
		{"", "GET", repo + "/pulls", "", 200, "X-Ratelimit-Remaining: 0"},
		{"", "GET", repo + "/pulls", "", 403, "rate limit exceeded"},
		{"", "GET", repo + "/pulls", "", 403, fmt.Sprint("X-Ratelimit-Reset: ", now.Add(time.Hour).Unix())},
	})
	now = now.Add(time.Hour)
	run(t, h, []step{{"", "GET", repo + "/pulls", "", 200, "X-Ratelimit-Remaining: 1"}})
}

func TestWhatIsNotThere(t *testing.T) {
	h := open(hub.Options{})
	for _, err := range []error{h.Close(1, ""), h.Review(1, "ada"), h.Comment(1, "ada", "x")} {
		if err == nil || err.Error() != "there is no pull request #1" {
			t.Errorf("%v", err)
		}
	}
	run(t, h, []step{
		{"", "GET", repo + "/pulls/1", "", 404, "Not Found"},
		{"of-ada", "PATCH", repo + "/pulls/1", `{}`, 404, "Not Found"},
		{"of-ada", "POST", repo + "/pulls/1/requested_reviewers", `{"reviewers": ["bob"]}`, 404, "Not Found"},
		{"", "GET", repo + "/issues/1/comments", "", 404, "Not Found"},
		{"of-ada", "POST", repo + "/issues/1/labels", `{"labels": ["x"]}`, 404, "Not Found"},
		{"of-ada", "PATCH", repo + "/issues/comments/1", `{"body": "x"}`, 404, "Not Found"},
		{"of-ada", "GET", repo + "/collaborators/stranger/permission", "", 404, "Not Found"},
		{"", "GET", repo + "/commits/main/pulls", "", 422, "No commit found for SHA: main"},
	})
}
