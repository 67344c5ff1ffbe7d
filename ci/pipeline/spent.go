package pipeline

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// Ran is when a stage ran: what `operator-release stage` leaves for its runner, beside the report. It is no input of
// any stage.
type Ran struct {
	Begun   time.Time `json:"begun"`
	Seconds float64   `json:"seconds"`
}

// RanFile is the name of the file that holds Ran as JSON.
const RanFile = "ran.json"

// Spent is what a call of a runner that caches spent: each stage with how it was answered, and seconds. It is safe for
// concurrent use.
type Spent struct {
	Now   func() time.Time // the clock; time.Now where it is nil
	begun time.Time

	mu    sync.Mutex
	notes []string
	steps []spentStep
}

type spentStep struct {
	name, how string
	took      time.Duration // from the question to the answer, with the start of a container
	own       string        // of these in the stage itself, for people
}

// NewSpent begins a call.
func NewSpent() *Spent { return &Spent{begun: time.Now()} }

func (s *Spent) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Note adds a line for people below the table.
func (s *Spent) Note(note string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if note != "" {
		s.notes = append(s.notes, note)
	}
}

// Add adds a stage that was asked at the time asked, and has answered now. Ran is the content of RanFile; a stage
// that ran before the call began is cached. Without it the table does not say whether the stage was cached.
func (s *Spent) Add(stage Stage, subject string, asked time.Time, ran string) {
	step := spentStep{strings.TrimSpace(string(stage) + " " + subject), "not known", s.now().Sub(asked), ""}
	var r Ran
	if json.Unmarshal([]byte(ran), &r) == nil && !r.Begun.IsZero() {
		step.how = "cached"
		if !r.Begun.Before(s.begun) {
			step.how, step.own = "run", fmt.Sprintf("%.1f s in the stage itself", r.Seconds)
		}
	}
	s.add(step)
}

// AddStep adds what is no stage, such as the compilation of the tool, and how it was done: run, cached, or another
// word.
func (s *Spent) AddStep(name, how string, asked time.Time) {
	s.add(spentStep{name, how, s.now().Sub(asked), ""})
}

func (s *Spent) add(step spentStep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, step)
}

// CachedSince tells how a step was answered that left the time when it began, in Unix seconds.
func (s *Spent) CachedSince(begun string) string {
	var seconds int64
	if _, err := fmt.Sscan(begun, &seconds); err != nil {
		return "not known"
	}
	if seconds < s.begun.Unix() {
		return "cached"
	}
	return "run"
}

// Table is the text: a heading with the time of the call and its seconds, and a line for each step. A report that
// holds it may be cached itself: then it tells of the call that made it.
func (s *Spent) Table() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "\nCall of %s: %s; stages ran side by side\n", s.begun.UTC().Format("2006-01-02 15:04:05 UTC"),
		seconds(s.now().Sub(s.begun)))
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, step := range s.steps {
		own := ""
		if step.own != "" {
			own = "\t" + step.own
		}
		fmt.Fprintf(w, "  %s\t%s\t%s%s\n", step.name, step.how, seconds(step.took), own)
	}
	_ = w.Flush() // to memory
	for _, note := range s.notes {
		fmt.Fprintf(&b, "  ! %s\n", note)
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
