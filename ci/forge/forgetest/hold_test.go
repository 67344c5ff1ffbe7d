package forgetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/forge/hub"
)

// complaints are what a test would have been told.
type complaints []string

func (c *complaints) Helper() {}
func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// asked gives what is said about one request to a server, and its answer.
func asked(t *testing.T, server http.Handler, method, path, body string) (complaints, *httptest.ResponseRecorder) {
	t.Helper()
	var said complaints
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer secret-of-ada")
	answer := httptest.NewRecorder()
	Hold(&said, server).ServeHTTP(answer, req)
	return said, answer
}

func ada() hub.Options {
	return hub.Options{Repository: "acme/spark", Users: []hub.User{{Login: "ada", Token: "secret-of-ada", Role: hub.Write}}}
}

const repo = "/api/v3/repos/acme/spark"

// TestItBites: whoever asks or answers what the description does not allow is told so, with place and reason.
func TestItBites(t *testing.T) {
	h := hub.New(ada())
	if said, _ := asked(t, h, "POST", repo+"/releases", `{"tag_name": "v1.5.0", "draft": true}`); said != nil {
		t.Fatalf("what is allowed: %q", said)
	}
	for name, c := range map[string]struct {
		method, path, body string
		says               []string
	}{
		"unknown operation":          {"GET", repo + "/tags", "", []string{"GET /api/v3/repos/acme/spark/tags", "no such operation"}},
		"unknown method":             {"PUT", repo + "/releases/1", "{}", []string{"no such operation"}},
		"missing field":              {"POST", repo + "/releases", `{"name": "x"}`, []string{"the request", "missing property 'tag_name'"}},
		"wrong type":                 {"POST", repo + "/releases", `{"tag_name": "v1", "draft": "yes"}`, []string{"the request", "/draft", "got string, want boolean"}},
		"value that is none":         {"PATCH", repo + "/releases/1", `{"make_latest": "maybe"}`, []string{"/make_latest", "must be one of"}},
		"unknown field":              {"POST", repo + "/releases", `{"tag_name": "v1", "latest": true}`, []string{"'latest' not allowed"}},
		"unknown parameter":          {"GET", repo + "/releases?size=3", "", []string{"knows no parameter size"}},
		"parameter that is no value": {"GET", repo + "/pulls?state=ajar", "", []string{"parameter state", "ajar"}},
		"parameter of the path":      {"GET", repo + "/pulls/first", "", []string{"pull_number", "no number"}},
		"missing parameter":          {"POST", "/api/uploads/repos/acme/spark/releases/1/assets", "x", []string{"parameter name is missing"}},
		"missing body":               {"POST", repo + "/pulls", "", []string{"a body is missing"}},
		"body that nobody described": {"DELETE", repo + "/releases/7", "{}", []string{"a body is not described"}},
		"no JSON":                    {"POST", repo + "/pulls", "{", []string{"no JSON"}},
		"bare list of labels":        {"POST", repo + "/issues/1/labels", `["bug"]`, []string{"the request"}},
	} {
		said, _ := asked(t, h, c.method, c.path, c.body)
		all := strings.Join(said, "\n")
		for _, want := range c.says {
			if !strings.Contains(all, want) {
				t.Errorf("%s: said %q, want %q", name, all, want)
			}
		}
	}
}

func TestItBitesTheAnswer(t *testing.T) {
	h := hub.New(ada())
	_, made := asked(t, h, "POST", repo+"/releases", `{"tag_name": "v1.5.0", "draft": true}`)
	change := func(edit func(release map[string]any)) string {
		var release map[string]any
		if err := json.Unmarshal(made.Body.Bytes(), &release); err != nil {
			t.Fatal(err)
		}
		edit(release)
		content, err := json.Marshal(release)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	for name, c := range map[string]struct {
		status int
		body   string
		kind   string
		says   string
	}{
		"as it is":         {200, made.Body.String(), "application/json", ""},
		"missing field":    {200, change(func(r map[string]any) { delete(r, "upload_url") }), "application/json", "missing property 'upload_url'"},
		"wrong type":       {200, change(func(r map[string]any) { r["id"] = "1" }), "application/json", "/id"},
		"null":             {200, change(func(r map[string]any) { r["draft"] = nil }), "application/json", "/draft"},
		"null where it is": {200, change(func(r map[string]any) { r["body"] = nil }), "application/json", ""},
		"no address":       {200, change(func(r map[string]any) { r["html_url"] = "no address" }), "application/json", "/html_url"},
		"no time":          {200, change(func(r map[string]any) { r["created_at"] = "today" }), "application/json", "/created_at"},
		"within":           {200, change(func(r map[string]any) { r["author"].(map[string]any)["login"] = 7 }), "application/json", "/author/login"},
		"unknown field":    {200, change(func(r map[string]any) { r["digets"] = "x" }), "application/json", "'digets' not allowed"},
		"unknown status":   {206, made.Body.String(), "application/json", "status 206 is not known"},
		"wrong status":     {201, made.Body.String(), "application/json", "status 201 is not known"},
		"not found":        {404, `{"message": "Not Found", "documentation_url": "x", "status": "404"}`, "application/json", ""},
		"error of no form": {422, `{"errors": [{"code": 7}]}`, "application/json", "missing propert"},
		"content type":     {200, made.Body.String(), "text/plain", `its content type is "text/plain"`},
		"no body":          {200, "", "application/json", "no JSON"},
	} {
		said, _ := asked(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}), "GET", repo+"/releases/latest", "")
		if all := strings.Join(said, "\n"); c.says == "" && all != "" || !strings.Contains(all, c.says) {
			t.Errorf("%s: said %q, want %q", name, all, c.says)
		}
	}
}

// TestStart: what passes through is the hub's own answer.
func TestStart(t *testing.T) {
	_, proxy, address := Start(t, ada())
	resp, err := http.Get(address + repo + "/releases")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != "[]" || len(proxy.Requests()) != 1 || resp.Header.Get("X-RateLimit-Limit") != "5000" {
		t.Errorf("%q, %v, %v", body, err, proxy.Requests())
	}
}
