// Package faults is a proxy before real registries and git servers that fails as told: a request is refused, cut off on the way
// there or back, delayed, or answered with other bytes. It is a tool for tests.
//
// It invents no server of its own: what it lets through is answered by the real one.
package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// Action is what happens to a request.
type Action func(p *Proxy, w http.ResponseWriter, r *http.Request)

// Fault befalls the requests that Match (METHOD PATH?QUERY, as a regular expression) fits: those from number First, counted
// from 1, and Times in all (0: every one).
type Fault struct {
	Match string
	First int
	Times int
	Do    Action

	expr *regexp.Regexp
	seen int
}

// Proxy stands before a server.
type Proxy struct {
	next http.Handler

	mu     sync.Mutex
	faults []*Fault
	log    []string
}

// New stands before the server at an address such as http://127.0.0.1:5000.
func New(address string) (*Proxy, error) {
	to, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	// Upload locations lead to the server itself, past the proxy, unless the host that the client named is kept.
	reverse := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}, FlushInterval: -1, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { hangUp(w) }}
	return &Proxy{next: reverse}, nil
}

// Around stands before a handler.
func Around(next http.Handler) *Proxy { return &Proxy{next: next} }

// Start serves on loopback; the address is HOST:PORT.
func (p *Proxy) Start() (server *httptest.Server, address string) {
	server = httptest.NewServer(p)
	return server, server.Listener.Addr().String()
}

// Add arranges a fault.
func (p *Proxy) Add(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f.expr = regexp.MustCompile(f.Match)
	p.faults = append(p.faults, &f)
}

// Clear takes all faults away and forgets what was asked.
func (p *Proxy) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults, p.log = nil, nil
}

// Requests are what was asked, in order: METHOD PATH.
func (p *Proxy) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.log...)
}

// ServeHTTP lets a request through, or has the first fault that fits befall it.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if do := p.fault(r); do != nil {
		do(p, w, r)
		return
	}
	p.next.ServeHTTP(w, r)
}

func (p *Proxy) fault(r *http.Request) Action {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := r.Method + " " + r.URL.RequestURI()
	p.log = append(p.log, line)
	for _, f := range p.faults {
		if !f.expr.MatchString(line) {
			continue
		}
		f.seen++
		if first := max(f.First, 1); f.seen >= first && (f.Times == 0 || f.seen < first+f.Times) {
			return f.Do
		}
	}
	return nil
}

// Status answers with a code, and Retry-After where it is positive, without asking the server.
func Status(code int, retryAfter time.Duration) Action {
	return func(_ *Proxy, w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
		}
		w.WriteHeader(code)
	}
}

// Before hangs up without asking the server.
func Before(_ *Proxy, w http.ResponseWriter, _ *http.Request) { hangUp(w) }

// After asks the server, and hangs up instead of passing its answer on: what was to happen has happened.
func After(p *Proxy, w http.ResponseWriter, r *http.Request) {
	p.next.ServeHTTP(httptest.NewRecorder(), r)
	hangUp(w)
}

// CutRequest passes n bytes of the request's body on and hangs up.
func CutRequest(n int64) Action {
	return func(p *Proxy, w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		cut := r.Clone(ctx)
		cut.Body = io.NopCloser(&breaking{r: io.LimitReader(r.Body, n)})
		p.next.ServeHTTP(httptest.NewRecorder(), cut)
		hangUp(w)
	}
}

// breaking ends with an error where its reader ends well.
type breaking struct{ r io.Reader }

func (b *breaking) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF {
		err = fmt.Errorf("cut off")
	}
	return n, err
}

// CutResponse passes the head and n bytes of the answer on and hangs up.
func CutResponse(n int) Action {
	return func(p *Proxy, w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		p.next.ServeHTTP(answer, r)
		copyHeader(w, answer)
		body := answer.Body.Bytes()
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(answer.Code)
		w.Write(body[:min(n, len(body))])
		http.NewResponseController(w).Flush() // so that what was written leaves before the end
		hangUp(w)
	}
}

// Lie passes the answer on with one byte of its body changed.
func Lie(p *Proxy, w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	p.next.ServeHTTP(answer, r)
	body := bytes.Clone(answer.Body.Bytes())
	if len(body) > 0 {
		body[len(body)/2] ^= 1
	}
	copyHeader(w, answer)
	w.WriteHeader(answer.Code)
	w.Write(body)
}

// Swell passes the answer on with n bytes more than the server gave, and no length that would tell.
func Swell(n int) Action {
	return func(p *Proxy, w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		p.next.ServeHTTP(answer, r)
		copyHeader(w, answer)
		w.Header().Del("Content-Length")
		w.WriteHeader(answer.Code)
		w.Write(answer.Body.Bytes())
		w.Write(make([]byte, n))
	}
}

// Delay waits, then lets the request through.
func Delay(d time.Duration) Action {
	return func(p *Proxy, w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(d):
			p.next.ServeHTTP(w, r)
		}
	}
}

// Call runs something, such as ending the program under test, and lets the request through.
func Call(do func()) Action {
	return func(p *Proxy, w http.ResponseWriter, r *http.Request) {
		do()
		p.next.ServeHTTP(w, r)
	}
}

func copyHeader(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
}

// hangUp resets the connection, so that the client does not take the end for an answer's.
func hangUp(w http.ResponseWriter) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
