package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/publish"
)

// canaries are the secrets of a scenario, in the file canaries of its folder.
const canaries = "canaries"

// canary NAME: a secret that nobody has ever seen, in the variable NAME, and URL-encoded in NAME_URL.
func canary(ts *testscript.TestScript, _ bool, args []string) {
	value := "Can/ary+" + rand.Text() + "&"
	ts.Setenv(args[0], value)
	ts.Setenv(args[0]+"_URL", url.QueryEscape(value))
	f, err := os.OpenFile(filepath.Join(ts.Getenv("WORK"), canaries), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	_, err = io.WriteString(f, value+"\n")
	ts.Check(errors.Join(err, f.Close()))
}

// canaryForms are all that the canaries are looked for by, with what each of them is: plain, URL-encoded, and in base64 within something longer.
func canaryForms(ts *testscript.TestScript) map[string]string {
	content, err := os.ReadFile(filepath.Join(ts.Getenv("WORK"), canaries))
	ts.Check(err)
	forms := map[string]string{}
	for value := range strings.SplitSeq(strings.TrimSpace(string(content)), "\n") {
		forms[value], forms[url.QueryEscape(value)], forms[url.PathEscape(value)] = value, value, value
		for before := range 3 {
			encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", before) + value))
			forms[encoded[4:len(encoded)-4]] = value
		}
	}
	return forms
}

// no-canary PATH...: no file there holds one of the canaries, also none that is packed: in gzip, or as an object of git. Negated: each does.
func noCanary(ts *testscript.TestScript, neg bool, args []string) {
	forms := canaryForms(ts)
	read := 0
	search := func(name string, content []byte) {
		read++
		found := ""
		for form, value := range forms {
			if bytes.Contains(content, []byte(form)) {
				found = fmt.Sprintf("%q, which is the canary %q", form, value)
			}
		}
		if found != "" && !neg {
			ts.Fatalf("%s holds %s", name, found)
		}
		if found == "" && neg {
			ts.Fatalf("nothing is found in %s", name)
		}
	}
	for _, arg := range args {
		ts.Check(filepath.WalkDir(ts.MkAbs(arg), func(path string, e os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if e.IsDir() {
				if _, err := os.Stat(filepath.Join(path, "objects", "pack")); err != nil {
					return nil
				}
				objects, err := exec.Command("git", "--git-dir", path, "cat-file", "--batch-all-objects", "--batch").Output()
				if err != nil {
					return err
				}
				search(path, objects)
				if neg {
					return filepath.SkipDir
				}
				return nil
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if gz, err := gzip.NewReader(bytes.NewReader(content)); err == nil {
				plain, err := io.ReadAll(gz)
				if err != nil {
					return err
				}
				content = append(content, plain...)
			}
			search(path, content)
			return nil
		}))
	}
	if read == 0 {
		ts.Fatalf("there is nothing in %q", args)
	}
}

// plant DIR: canaries in every form, each where the search must find it.
func plant(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	n := 0
	for form, value := range canaryForms(ts) {
		n++
		ts.Check(os.WriteFile(filepath.Join(dir, strconv.Itoa(n)), []byte("before"+form+"after"), 0o644))
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("user", n%4) + ":" + value))
		ts.Check(os.WriteFile(filepath.Join(dir, strconv.Itoa(n)+".base64"), []byte(encoded), 0o644))
		var packed bytes.Buffer
		gz := gzip.NewWriter(&packed)
		_, err := io.WriteString(gz, form)
		ts.Check(errors.Join(err, gz.Close()))
		ts.Check(os.WriteFile(filepath.Join(dir, strconv.Itoa(n)+".gz"), packed.Bytes(), 0o644))
	}
	cmd := exec.Command("sh", "-c", `git init -q --bare planted.git && head -n 1 "$1" | git --git-dir planted.git hash-object -w --stdin`, "sh", filepath.Join(ts.Getenv("WORK"), canaries))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Fatalf("%v: %s", err, out)
	}
}

// tells CODE COMMAND...: exits, and what the command printed goes to the folder said.
func tells(ts *testscript.TestScript, neg bool, args []string) {
	exits(ts, neg, args)
	dir := filepath.Join(ts.Getenv("WORK"), "said")
	ts.Check(os.MkdirAll(dir, 0o755))
	said, err := os.ReadDir(dir)
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(dir, strconv.Itoa(len(said))), []byte(ts.ReadFile("stdout")+ts.ReadFile("stderr")), 0o644))
}

// guarded KIND NAME USER PASSWORD: a registry, or the bare repositories of the script's folder, for whoever knows user and password. The address is in the variable NAME.
func guarded(ts *testscript.TestScript, _ bool, args []string) {
	var behind http.Handler
	switch args[0] {
	case "git":
		var err error
		behind, err = faults.Git(ts.Getenv("WORK"))
		ts.Check(err)
	case "registry":
		t, err := publish.NewThrowaway(context.Background(), filepath.Join(ts.Getenv("WORK"), "throwaway-"+args[1]), git.SHA1)
		ts.Check(err)
		ts.Defer(func() { _ = t.Close() })
		behind = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: t.Registry})
			r.Out.Host = r.In.Host
		}}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != args[2] || password != args[3] {
			w.Header().Set("WWW-Authenticate", "Basic realm=guarded")
			http.Error(w, "no: "+r.Header.Get("Authorization"), http.StatusUnauthorized)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[1], server.Listener.Addr().String())
}

// redirecting NAME HOST: a server that sends everybody to plain HTTP at another host.
func redirecting(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+args[1]+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.Listener.Addr().String())
}

// docker-login DIR HOST USER PASSWORD...: Docker's configuration in DIR with what logs in at each host.
func dockerLogin(ts *testscript.TestScript, _ bool, args []string) {
	auths := map[string]any{}
	for login := args[1:]; len(login) > 2; login = login[3:] {
		auths[login[0]] = map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(login[1] + ":" + login[2]))}
	}
	content, err := json.Marshal(map[string]any{"auths": auths})
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o700))
	ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), "config.json"), content, 0o600))
}
