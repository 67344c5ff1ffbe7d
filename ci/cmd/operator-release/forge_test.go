package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/git"
)

const forgeToken = "token-of-the-forge"

// forge NAME REMOTE: the release pages of acme/pi-operator, whose tags are those of a bare repository. Their address is in the variable NAME, and who has the token in GITHUB_TOKEN may write.
func forgeOf(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		repository, err := git.Open(context.Background(), ts.MkAbs(args[1]))
		ts.Check(err)
		h := hub.New(hub.Options{Repository: "acme/pi-operator", Git: repository, Users: []hub.User{{Login: "ada", Token: forgeToken, Role: hub.Write}}})
		server := httptest.NewServer(forgetest.Hold(t, h))
		ts.Defer(server.Close)
		ts.Setenv(args[0], server.URL)
		ts.Setenv("GITHUB_TOKEN", forgeToken)
	}
}

// page URL draft | gone | FILE=CONTENT: somebody edits the newest release page at a forge: it is a draft again, or is deleted, or a file has other content.
func page(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: page URL draft | gone | FILE=CONTENT")
	}
	ask := func(method, path, body string) []byte {
		req, err := http.NewRequest(method, args[0]+"/api"+path, strings.NewReader(body))
		ts.Check(err)
		req.Header.Set("Authorization", "Bearer "+forgeToken)
		resp, err := http.DefaultClient.Do(req)
		ts.Check(err)
		defer resp.Body.Close()
		content, err := io.ReadAll(resp.Body)
		ts.Check(err)
		if resp.StatusCode >= http.StatusMultipleChoices {
			ts.Fatalf("%s %s: %s: %s", method, path, resp.Status, content)
		}
		return content
	}
	const releases = "/repos/acme/pi-operator/releases"
	var pages []struct {
		ID     int64
		Assets []struct {
			ID   int64
			Name string
		}
	}
	ts.Check(json.Unmarshal(ask("GET", "/v3"+releases, ""), &pages))
	at := fmt.Sprintf("%s/%d", releases, pages[0].ID)
	name, content, isFile := strings.Cut(args[1], "=")
	switch {
	case isFile:
		for _, a := range pages[0].Assets {
			if a.Name == name {
				ask("DELETE", fmt.Sprintf("/v3%s/assets/%d", releases, a.ID), "")
			}
		}
		ask("POST", "/uploads"+at+"/assets?name="+name, content)
	case name == "draft":
		ask("PATCH", "/v3"+at, `{"draft": true}`)
	default:
		ask("DELETE", "/v3"+at, "")
	}
}
