package forgetest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
)

// Complainer is told what is wrong; a testing.TB is one.
type Complainer interface {
	Helper()
	Errorf(format string, args ...any)
}

// Hold stands before a server of GitHub's API: requests below /api/v3 and /api/uploads, and the answers to them, are held to the description. What is wrong is told, and
// passed on all the same; what else the server serves passes unseen.
func Hold(t Complainer, server http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, "/api/v3")
		if !ok {
			if path, ok = strings.CutPrefix(r.URL.Path, "/api/uploads"); !ok {
				server.ServeHTTP(w, r)
				return
			}
		}
		place := r.Method + " " + r.URL.RequestURI()
		complain := func(format string, args ...any) {
			t.Helper()
			t.Errorf("GitHub's description does not allow it: %s: %s", place, fmt.Sprintf(format, args...))
		}
		d, err := load()
		if err != nil {
			t.Errorf("read GitHub's description: %v", err)
			return
		}
		op, values, known := d.find(r.Method, path)
		if !known {
			complain("no such operation is among those used")
			server.ServeHTTP(w, r)
			return
		}
		for _, wrong := range op.parameters(values, r.URL.Query()) {
			complain("the request: %s", wrong)
		}
		if !op.file {
			body, err := io.ReadAll(r.Body)
			switch {
			case err != nil: // cut off on the way: the server sees the same
				r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), &broken{err}))
			case op.body == nil && len(body) > 0:
				complain("the request: a body is not described")
			case len(body) == 0 && op.needsBody:
				complain("the request: a body is missing")
			case len(body) > 0:
				for _, wrong := range validate(op.body, body) {
					complain("the request: %s: %s", wrong, short(body))
				}
			}
			if err == nil {
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
		}
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		schema, named := op.answers[answer.Code]
		if schema == nil && len(body) > 0 {
			schema = d.generic[answer.Code]
		}
		switch _, generic := everywhere[answer.Code]; {
		case !named && !generic:
			complain("the answer: status %d is not known", answer.Code)
		case schema == nil && len(body) > 0:
			complain("the answer: status %d has no body: %s", answer.Code, short(body))
		case schema != nil && !strings.HasPrefix(answer.Header().Get("Content-Type"), "application/json"):
			complain("the answer: its content type is %q", answer.Header().Get("Content-Type"))
		case schema != nil:
			for _, wrong := range validate(schema, body) {
				complain("the answer %d: %s: %s", answer.Code, wrong, short(body))
			}
		}
		for name, values := range answer.Header() {
			w.Header()[name] = slices.Clone(values)
		}
		w.WriteHeader(answer.Code)
		w.Write(body)
	})
}

// broken is the rest of a body that was cut off.
type broken struct{ err error }

func (b *broken) Read([]byte) (int, error) { return 0, b.err }

func short(body []byte) string {
	if len(body) > 400 {
		return fmt.Sprintf("%s… (%d bytes)", body[:400], len(body))
	}
	return string(body)
}
