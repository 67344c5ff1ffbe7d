package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"oras.land/oras-go/v2/registry/remote/errcode"
	"oras.land/oras-go/v2/registry/remote/retry"
)

// Patience is how long a client bears with a server: how often it tries, how long it pauses, and when it takes silence for the end.
type Patience struct {
	Tries   int           // how often a request, or a copy that is made of requests, is tried in all
	First   time.Duration // the pause before the second try; each later one is twice as long, give or take a tenth
	Longest time.Duration // no pause is longer, whatever the server asks for by Retry-After
	Answer  time.Duration // how long a server may take to answer a request that it has been sent in full
	Stall   time.Duration // how long no byte of a body may move, on the way there or back
}

// Usual is the patience of everything but tests: 6 tries with pauses of 0.25 s, 0.5 s, 1 s, 2 s, 4 s, and of a minute where a registry asks for that
// or more (limits on requests are counted by the minute). An answer may take 3 minutes, because registries move a layer of gigabytes within
// their storage before they answer to its upload; load balancers before them give up no later. A body may stand still for 2 minutes,
// which outlives a failover of either. So a server that never answers costs at most 19 minutes.
var Usual = Patience{Tries: 6, First: 250 * time.Millisecond, Longest: time.Minute, Answer: 3 * time.Minute, Stall: 2 * time.Minute}

// Wait pauses after a try that failed, counted from 0. It ends early with the context, whose error it gives.
func (p Patience) Wait(ctx context.Context, try int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(min(retry.ExponentialBackoff(p.First, 2, 0.1)(try, nil), p.Longest)):
		return nil
	}
}

// policy repeats what failed on the way (timeouts, resets) or was answered by 408, 429 or 5xx.
func (p Patience) policy() retry.Policy {
	return &retry.GenericPolicy{
		Retryable: passes, Backoff: retry.ExponentialBackoff(p.First, 2, 0.1), MinWait: p.First, MaxWait: p.Longest, MaxRetry: p.Tries - 1,
	}
}

// passes tells of one request whether it may end better when it is made again.
func passes(resp *http.Response, err error) (bool, error) {
	if err != nil && (errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE)) {
		return true, nil
	}
	return retry.DefaultPredicate(resp, err)
}

// Again repeats what failed on the way: a connection that broke in a stream, or an upload that was answered by 408, 429 or 5xx. A request
// that could be repeated alone was repeated already, and is not here again.
func (c *Client) Again(ctx context.Context, do func() error) error {
	for try := 0; ; try++ {
		err := do()
		if err == nil || try+1 >= c.Patience.Tries || ctx.Err() != nil || !passing(err) {
			return err
		}
		if err := c.Patience.Wait(ctx, try); err != nil {
			return err
		}
	}
}

// passing tells whether an error may be gone when a copy begins anew.
func passing(err error) bool {
	var over *gaveUp
	if errors.As(err, &over) {
		return false
	}
	var answer *errcode.ErrorResponse
	if errors.As(err, &answer) {
		stream := answer.Method == http.MethodPut && strings.Contains(answer.URL.Path, "/blobs/uploads/")
		return stream && (answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusRequestTimeout)
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// gaveUp is the error of a request that was tried as often as patience allows.
type gaveUp struct {
	tries int
	last  error
}

func (g *gaveUp) Error() string { return fmt.Sprintf("%v (tried %d times)", g.last, g.tries) }
func (g *gaveUp) Unwrap() error { return g.last }

// patient repeats requests. It waits as long as a registry asks for also where the request itself cannot be repeated, because its body is a
// stream: whoever sends the stream again then comes at the right time.
type patient struct {
	http.RoundTripper
	Patience
}

func (p patient) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := p.RoundTripper.RoundTrip(req)
	repeated := req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
	if err != nil {
		if again, _ := passes(nil, err); again && repeated && req.Context().Err() == nil {
			err = &gaveUp{p.Tries, err}
		}
		return nil, err
	}
	if repeated || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return resp, nil
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds <= 0 {
		return resp, nil
	}
	select {
	case <-req.Context().Done():
	case <-time.After(min(time.Duration(seconds)*time.Second, p.Longest)):
	}
	return resp, nil
}

// silence is the error of a server that said nothing for too long.
type silence struct {
	what string
	d    time.Duration
}

func (s *silence) Error() string { return fmt.Sprintf("%s for %s; given up", s.what, s.d) }

// Timeout and Temporary make it a net.Error.
func (s *silence) Timeout() bool   { return true }
func (s *silence) Temporary() bool { return true }

// Watch ends requests whose server is silent: for clients that repeat requests by rules of their own.
func (p Patience) Watch(base http.RoundTripper) http.RoundTripper { return watched{base, p} }

// watched ends requests whose server is silent.
type watched struct {
	http.RoundTripper
	Patience
}

func (w watched) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	watch := &watch{cancel: cancel}
	watch.expect("no answer came", w.Answer)
	out := req.WithContext(ctx)
	if req.Body != nil && req.Body != http.NoBody {
		out.Body = &sending{req.Body, watch, w.Patience}
		if req.GetBody != nil {
			out.GetBody = func() (io.ReadCloser, error) {
				body, err := req.GetBody()
				return &sending{body, watch, w.Patience}, err
			}
		}
	}
	resp, err := w.RoundTripper.RoundTrip(out)
	watch.stop()
	if err != nil {
		err = watch.explain(ctx, err)
		cancel(nil)
		return nil, err
	}
	resp.Body = &receiving{ReadCloser: resp.Body, ctx: ctx, cancel: cancel, stall: w.Stall}
	return resp, nil
}

// watch cancels a request unless something happens in time.
type watch struct {
	cancel context.CancelCauseFunc
	mu     sync.Mutex
	timer  *time.Timer
	over   bool
}

func (w *watch) expect(what string, within time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	if !w.over {
		w.timer = time.AfterFunc(within, func() { w.cancel(&silence{what, within}) })
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.timer.Stop()
}

// explain gives the silence that ended a request instead of the cancellation that the transport knows of.
func (w *watch) explain(ctx context.Context, err error) error {
	var s *silence
	if errors.As(context.Cause(ctx), &s) {
		return s
	}
	return err
}

// sending is the body of a request.
type sending struct {
	io.ReadCloser
	watch *watch
	Patience
}

func (s *sending) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil {
		s.watch.expect("no answer came", s.Answer)
	} else {
		s.watch.expect("no byte was taken", s.Stall)
	}
	return n, err
}

// receiving is the body of an answer; the time in which nobody reads does not count.
type receiving struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	stall  time.Duration
}

func (r *receiving) Read(p []byte) (int, error) {
	timer := time.AfterFunc(r.stall, func() { r.cancel(&silence{"no byte came", r.stall}) })
	n, err := r.ReadCloser.Read(p)
	timer.Stop()
	if err != nil && err != io.EOF {
		var s *silence
		if errors.As(context.Cause(r.ctx), &s) {
			err = s
		}
	}
	return n, err
}

func (r *receiving) Close() error {
	err := r.ReadCloser.Close()
	r.cancel(nil)
	return err
}
