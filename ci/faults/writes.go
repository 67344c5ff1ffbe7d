package faults

import (
	"bufio"
	"io"
	"net/http"
	"strings"
)

// RegistryWrite names a request to an OCI registry that changes something (distribution-spec v1.1): an upload begun, a blob, a manifest by digest, a
// list of referrers that is a tag, a tag. Of what only reads the kind is empty. Within is a path before all repositories, such as cell-1/,
// that is no part of the name.
func RegistryWrite(within string) func(*http.Request) (kind, name string) {
	return func(r *http.Request) (kind, name string) {
		path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/v2/"), within)
		if repository, _, ok := strings.Cut(path, "/blobs/uploads/"); ok {
			d := r.URL.Query().Get("digest")
			switch {
			case r.Method == http.MethodGet || r.Method == http.MethodHead:
				return "", ""
			case d != "":
				return "blob", repository + "@" + short(d)
			case r.Method == http.MethodPost:
				return "upload begins", repository
			}
			return "upload " + r.Method, repository
		}
		repository, reference, ok := strings.Cut(path, "/manifests/")
		if !ok || r.Method == http.MethodGet || r.Method == http.MethodHead {
			return "", ""
		}
		switch {
		case r.Method != http.MethodPut:
			return r.Method + " manifest", repository + ":" + reference
		case strings.HasPrefix(reference, "sha256:"):
			return "manifest", repository + "@" + short(reference)
		case strings.HasPrefix(reference, "sha256-"):
			return "referrers list", repository + ":" + short(reference)
		}
		return "tag", repository + ":" + reference
	}
}

// short is a digest that a table has room for.
func short(d string) string { return d[:min(len(d), len("sha256:")+12)] }

// GitWrite names a push over HTTP by the first ref that it asks to change; of what only reads the kind is empty.
func GitWrite(r *http.Request) (kind, name string) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/git-receive-pack") {
		return "", ""
	}
	body := bufio.NewReader(r.Body)
	// pkt-line: length, old id, new id, ref, NUL (gitprotocol-pack).
	head, _ := body.Peek(512)
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	line, _, _ := strings.Cut(string(head), "\x00")
	if fields := strings.Fields(line); len(fields) == 3 {
		name = fields[2]
	}
	return "push", name
}
