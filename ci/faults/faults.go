// Package faults is a proxy before real registries and git servers that fails as told: a request is refused, cut off on the way
// there or back, delayed, or answered with other bytes. It is a tool for tests.
//
// It invents no server of its own: what it lets through is answered by the real one.
//
// A fault matrix runs a program that makes a list of writes with a fault before and after each of them, and then again without. A Server is a
// destination over HTTP with the names of its writes: Record notes those of a run that is left alone, they are the rows of a Table; Arm has a fault
// befall one of them and, because it lasts, all that comes later. The whole is in ci/publish (world_test.go, matrix_test.go). A further destination
// joins there by a function like atRegistry or atGit, that gives a destination with
//
//   - set: how Publish is told to write to it;
//   - server: a Server around the real server's handler, with a function that names its writes (RegistryWrite and GitWrite do for registries and
//     pushes), and in Own the faults that it has in a way of its own, such as a hook that rejects;
//   - looks: its pointers with their ranks in the order of a publication, read past the proxy;
//   - listing: all that it holds, to be compared with a run that was left alone, without addresses and times;
//
// and by a place in a scenario. Its rows then follow.
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

	mu        sync.Mutex
	faults    []*Fault
	log       []string
	intercept func(*http.Request) Action
	watch     func()
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

// Intercept asks which action is to befall each request, before the faults are; nil lets it through. It may read of the
// body what it puts back.
func (p *Proxy) Intercept(which func(*http.Request) Action) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.intercept = which
}

// Watch calls look before and after each request. Clear leaves it.
func (p *Proxy) Watch(look func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch = look
}

// Clear takes all faults away and forgets what was asked.
func (p *Proxy) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults, p.log, p.intercept = nil, nil, nil
}

// Requests are what was asked, in order: METHOD PATH.
func (p *Proxy) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.log...)
}

// ServeHTTP lets a request through, or has the first fault that fits befall it.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	watch, intercept := p.watch, p.intercept
	p.mu.Unlock()
	if watch != nil {
		watch()
		defer watch()
	}
	do := Action(nil)
	if intercept != nil {
		do = intercept(r)
	}
	if fault := p.fault(r); do == nil {
		do = fault
	}
	if do == nil {
		do = Pass
	}
	do(p, w, r)
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

// Pass lets the request through.
func Pass(p *Proxy, w http.ResponseWriter, r *http.Request) { p.next.ServeHTTP(w, r) }

// Instead asks the server, and answers with something else than it says: what was to happen has happened.
func Instead(answer Action) Action {
	return func(p *Proxy, w http.ResponseWriter, r *http.Request) {
		p.next.ServeHTTP(httptest.NewRecorder(), r)
		answer(p, w, r)
	}
}

// Answer answers with a code, a body and headers (name, value, ...), without asking the server.
func Answer(code int, body string, headers ...string) Action {
	return func(_ *Proxy, w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

// Never takes the request and does not answer; it ends when the client does. Instead(Never) carries it out.
func Never(_ *Proxy, _ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// HalfRequest passes half of the request's body on and hangs up; a request without a body does not arrive.
func HalfRequest(p *Proxy, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || len(body) == 0 {
		hangUp(w)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	CutRequest(int64(len(body)/2))(p, w, r)
}

// HalfResponse asks the server, passes half of its answer on, head and body together, and hangs up.
func HalfResponse(p *Proxy, w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	p.next.ServeHTTP(answer, r)
	var whole bytes.Buffer
	if err := answer.Result().Write(&whole); err != nil {
		hangUp(w)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	conn.Write(whole.Bytes()[:whole.Len()/2])
	conn.Close()
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
		cut.ContentLength = -1 // git-http-backend, told a length, reads on at the end for ever
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
