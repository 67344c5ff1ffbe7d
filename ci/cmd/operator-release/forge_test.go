package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/git"
)

const forgeToken = "token-of-the-forge"

// hubs are a scenario's API servers of our own, by the name of the variable that holds the address. What they are asked and answer is held to GitHub's description.
type hubs struct {
	t      *testing.T
	mu     sync.Mutex
	byName map[string]*hub.Hub
}

// serve NAME REMOTE: the forge of acme/pi-operator, whose branches and tags are those of a bare repository. Its address is in the variable NAME; ada may write, and the token in
// GITHUB_TOKEN is hers; eve may triage, bob may read.
func (h *hubs) serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: forge NAME REMOTE")
	}
	repository, err := git.Open(context.Background(), ts.MkAbs(args[1]))
	ts.Check(err)
	made := hub.New(hub.Options{Repository: "acme/pi-operator", Git: repository, Users: []hub.User{
		{Login: "ada", Token: forgeToken, Role: hub.Write}, {Login: "bob", Role: hub.Read}, {Login: "eve", Role: hub.Triage},
	}})
	server := httptest.NewServer(forgetest.Hold(h.t, made))
	ts.Defer(server.Close)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.byName[ts.Getenv("WORK")] = made
	ts.Setenv(args[0], server.URL)
	ts.Setenv("GITHUB_TOKEN", forgeToken)
}

func (h *hubs) of(ts *testscript.TestScript) *hub.Hub {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.byName[ts.Getenv("WORK")]
}

// merged NUMBER COMMIT AUTHOR TITLE [LABEL...]: a pull request that brought a commit; COMMIT none is one that is open.
func (h *hubs) merged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: merged NUMBER COMMIT AUTHOR TITLE [LABEL...]")
	}
	number, err := strconv.Atoi(args[0])
	ts.Check(err)
	p := hub.Pull{Number: number, Title: args[3], Author: args[2], Head: "side-" + args[0], Base: "main", MergeCommit: args[1], Labels: args[4:]}
	if args[1] == "none" {
		p.MergeCommit = ""
	}
	h.of(ts).AddPull(p)
}

// closed NUMBER: somebody closes a pull request.
func (h *hubs) closed(ts *testscript.TestScript, neg bool, args []string) {
	number, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Check(h.of(ts).Close(number, ""))
}

// pulls FILE: writes what pull requests and comments there are.
func (h *hubs) pulls(ts *testscript.TestScript, neg bool, args []string) {
	var b strings.Builder
	for _, p := range h.of(ts).Snapshot().Pulls {
		fmt.Fprintf(&b, "#%d %s -> %s %s: %s\n  labels %v, assigned %v, asked %v\n", p.Number, p.Head, p.Base, p.State, p.Title, p.Labels, p.Assignees, p.Reviewers)
		for line := range strings.Lines(p.Body) {
			b.WriteString("  | " + line)
		}
		b.WriteString("\n")
		for _, m := range p.Comments {
			b.WriteString("  " + m.Author + " says:\n")
			for line := range strings.Lines(m.Body) {
				b.WriteString("  > " + line)
			}
			b.WriteString("\n")
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o644))
}

// shown: what the newest release page says.
func (h *hubs) shown(ts *testscript.TestScript, neg bool, args []string) {
	releases := h.of(ts).Snapshot().Releases
	_, err := io.WriteString(ts.Stdout(), releases[len(releases)-1].Body)
	ts.Check(err)
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
