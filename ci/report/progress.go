package report

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Progress says what is running. On a terminal a live line names it with its time; elsewhere each step is one line when it ends.
type Progress struct {
	w    io.Writer
	page *Page
	live bool

	mu      sync.Mutex
	running []*Step
	stop    chan struct{}
	stopped chan struct{}
}

// Step is something that runs.
type Step struct {
	progress *Progress
	name     string
	begun    time.Time
}

// NewProgress writes to w, usually standard error. Close ends it.
func NewProgress(w io.Writer) *Progress {
	p := &Progress{w: w, page: New(w), live: Terminal(w), stop: make(chan struct{}), stopped: make(chan struct{})}
	if !p.live {
		close(p.stopped)
		return p
	}
	go p.tick()
	return p
}

// Close takes the live line away.
func (p *Progress) Close() {
	close(p.stop)
	<-p.stopped
}

// Begin says that a step runs.
func (p *Progress) Begin(name string) *Step {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &Step{progress: p, name: clean(name), begun: time.Now()}
	p.running = append(p.running, s)
	return s
}

// End says that it ended, and how.
func (s *Step) End(err error) {
	p := s.progress
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.running {
		if other == s {
			p.running = append(p.running[:i], p.running[i+1:]...)
			break
		}
	}
	mark := Done
	if err != nil {
		mark = Fail
	}
	p.clear()
	p.page.Line(mark, "%s  %s", s.name, took(time.Since(s.begun)))
}

// Say writes a line between the steps.
func (p *Progress) Say(mark Mark, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.page.Line(mark, format, args...)
}

func (p *Progress) clear() {
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

func (p *Progress) tick() {
	defer close(p.stopped)
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-p.stop:
			p.mu.Lock()
			p.clear()
			p.mu.Unlock()
			return
		case <-ticker.C:
		}
		p.mu.Lock()
		if len(p.running) > 0 {
			names := make([]string, len(p.running))
			for i, s := range p.running {
				names[i] = s.name
			}
			line := []rune(fmt.Sprintf("  %s %s  %s", spinner[i%len(spinner)], strings.Join(names, ", "), took(time.Since(p.running[0].begun))))
			fmt.Fprintf(p.w, "\r\x1b[K%s", string(line[:min(len(line), 100)]))
		}
		p.mu.Unlock()
	}
}

func took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
