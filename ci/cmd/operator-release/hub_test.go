package main

import (
	"context"
	"fmt"
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

// hubs are a scenario's API servers of our own, by the name of the variable that holds the address. What they are asked and answer is held to GitHub's description.
type hubs struct {
	t      *testing.T
	mu     sync.Mutex
	byName map[string]*hub.Hub
}

// serve NAME REMOTE: a hub of example/op whose git is the repository REMOTE; ada may write, bob may read, and the token is ada's.
func (h *hubs) serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hub NAME REMOTE")
	}
	repository, err := git.Open(context.Background(), ts.MkAbs(args[1]))
	ts.Check(err)
	made := hub.New(hub.Options{Repository: "example/op", Git: repository, Users: []hub.User{
		{Login: "ada", Token: "the-token-of-ada", Role: hub.Write}, {Login: "bob", Role: hub.Read}, {Login: "eve", Role: hub.Triage},
	}})
	server := httptest.NewServer(forgetest.Hold(h.t, made))
	ts.Defer(server.Close)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.byName[ts.Getenv("WORK")] = made
	ts.Setenv(args[0], server.URL)
	ts.Setenv("GITHUB_TOKEN", "the-token-of-ada")
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
