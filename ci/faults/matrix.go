package faults

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// The faults of a matrix: the process is killed; the connection is cut in mid-body; the server answers 429 or 500, or never; its disk is full; it
// rejects what it understood; the token has expired. Before a write it is not carried out, after it it is.
const (
	Killed   = "killed"
	Cut      = "cut"
	Busy     = "429"
	Broken   = "500"
	Silent   = "timeout"
	Full     = "disk full"
	Rejected = "rejected"
	Expired  = "expired"
)

// Columns are the faults in the order of a table.
var Columns = []string{Killed, Cut, Busy, Broken, Silent, Full, Rejected, Expired}

// Write is one write of a publication. It has the same server, kind, name and number in every run.
type Write struct {
	Server string
	Kind   string // writes of one kind are alike
	Name   string
	Number int // among writes of this name, from 1
}

func (w Write) String() string {
	s := w.Server + ": " + w.Kind
	if w.Name != "" {
		s += " " + w.Name
	}
	if w.Number > 1 {
		s += fmt.Sprintf(" (%d)", w.Number)
	}
	return s
}

// Server is a destination that is written to over HTTP, in one cell of a matrix.
type Server struct {
	Name string
	*Proxy
	// Write names a request that changes something; of others the kind is empty. It may read of the body what it puts back.
	Write func(r *http.Request) (kind, name string)
	// Own are the faults that this server has in its own way, before and after a write.
	Own map[string][2]Strike
}

// Strike is a fault that lasts: what befalls the write that it is about, and what befalls everything later that fits.
type Strike struct {
	First, Then Action
	Reads       bool // it befalls what only reads, too
}

// lasting is the same from the first write on.
func lasting(do Action) Strike { return Strike{First: do, Then: do} }

// LastingAnswer is a server that answers everything that writes in one way, without carrying it out, or having done so.
func LastingAnswer(answer Action) [2]Strike {
	return [2]Strike{lasting(answer), lasting(Instead(answer))}
}

// Expire is a token that has expired: 401 to everything, with a challenge.
func Expire(challenge string) [2]Strike {
	pair := LastingAnswer(Answer(http.StatusUnauthorized, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, "WWW-Authenticate", challenge))
	pair[0].Reads, pair[1].Reads = true, true
	pair[1].Then = pair[0].Then
	return pair
}

// strike is the fault of a column for this server; kill ends the process under test.
func (s *Server) strike(column string, side int, kill func()) Strike {
	if own, ok := s.Own[column]; ok {
		return own[side]
	}
	switch column {
	case Killed:
		last := func(_ *Proxy, w http.ResponseWriter, _ *http.Request) {
			kill()
			hangUp(w)
		}
		if side == 1 {
			return Strike{Instead(last), Before, true}
		}
		return Strike{last, Before, true}
	case Cut:
		return [2]Strike{lasting(HalfRequest), lasting(HalfResponse)}[side]
	case Busy:
		return LastingAnswer(Answer(http.StatusTooManyRequests, `{"errors":[{"code":"TOOMANYREQUESTS","message":"rate limit"}]}`, "Retry-After", "1"))[side]
	case Broken:
		return LastingAnswer(Answer(http.StatusInternalServerError, "internal server error"))[side]
	case Silent:
		return LastingAnswer(Never)[side]
	case Full:
		return LastingAnswer(Answer(http.StatusInsufficientStorage, `{"errors":[{"code":"UNKNOWN","message":"no space left on device"}]}`))[side]
	case Rejected:
		return LastingAnswer(Answer(http.StatusForbidden, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`))[side]
	case Expired:
		return Strike{First: s.expired(side), Then: s.expired(0), Reads: true}
	}
	panic("no fault is called " + column)
}

// expired names the proxy itself as the place that gives tokens, where there are none any more.
func (s *Server) expired(side int) Action {
	return func(p *Proxy, w http.ResponseWriter, r *http.Request) {
		if side == 1 {
			p.next.ServeHTTP(httptest.NewRecorder(), r)
		}
		io.Copy(io.Discard, r.Body)
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="registry"`, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// numbered counts writes.
type numbered struct {
	mu   sync.Mutex
	seen map[string]int
}

func (n *numbered) next(s *Server, r *http.Request) (w Write, ok bool) {
	kind, name := s.Write(r)
	if kind == "" {
		return w, false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seen == nil {
		n.seen = map[string]int{}
	}
	n.seen[kind+" "+name]++
	return Write{s.Name, kind, name, n.seen[kind+" "+name]}, true
}

// Record notes the writes of a run that is left alone, in order.
func (s *Server) Record() (writes func() []Write) {
	var mu sync.Mutex
	var n numbered
	var all []Write
	s.Intercept(func(r *http.Request) Action {
		if w, ok := n.next(s, r); ok {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, w)
		}
		return nil
	})
	return func() []Write {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// Arm has a fault befall a write and all that comes later, until Clear. Kill ends the process under test. Struck tells whether it came to that.
func (s *Server) Arm(w Write, column string, after bool, kill func()) (struck func() bool) {
	side := 0
	if after {
		side = 1
	}
	strike := s.strike(column, side, kill)
	var mu sync.Mutex
	var n numbered
	hit := false
	s.Intercept(func(r *http.Request) Action {
		found, writes := n.next(s, r)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case hit && (writes || strike.Reads):
			return strike.Then
		case !hit && writes && found == w:
			hit = true
			return strike.First
		}
		return nil
	})
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		return hit
	}
}

// Mark is what came of a cell.
type Mark byte

// Marks of cells.
const (
	NotRun   Mark = '.'
	None     Mark = '-' // the fault does not apply
	Resumed  Mark = '+' // the run failed, the next one completed it
	Outlived Mark = '=' // the run ended well all the same
	Wrong    Mark = 'X'
)

// Table is what came of all cells, before and after each write.
type Table struct {
	rows  []Write
	mu    sync.Mutex
	marks map[Write]map[string]*[2]Mark
}

// NewTable has a row for each write.
func NewTable(rows []Write) *Table {
	t := &Table{rows: rows, marks: map[Write]map[string]*[2]Mark{}}
	for _, row := range rows {
		t.marks[row] = map[string]*[2]Mark{}
		for _, column := range Columns {
			t.marks[row][column] = &[2]Mark{NotRun, NotRun}
		}
	}
	return t
}

// Set marks a cell.
func (t *Table) Set(w Write, column string, after bool, m Mark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	side := 0
	if after {
		side = 1
	}
	t.marks[w][column][side] = m
}

// String is the table with its legend and the number of cells.
func (t *Table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	width := 0
	for _, row := range t.rows {
		width = max(width, len(row.String()))
	}
	fmt.Fprintf(&b, "%-*s", width, "write")
	for _, column := range Columns {
		fmt.Fprintf(&b, "  %-*s", max(2, len(column)), column)
	}
	b.WriteString("\n")
	count := map[Mark]int{}
	for _, row := range t.rows {
		fmt.Fprintf(&b, "%-*s", width, row)
		for _, column := range Columns {
			marks := t.marks[row][column]
			count[marks[0]]++
			count[marks[1]]++
			fmt.Fprintf(&b, "  %-*s", max(2, len(column)), string([]byte{byte(marks[0]), byte(marks[1])}))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "Two marks a cell: the fault before the write, and after it. %c the run failed and the next one completed it (%d), %c the run ended well all the same (%d), %c wrong (%d), %c the fault does not apply (%d), %c not run (%d).\n",
		Resumed, count[Resumed], Outlived, count[Outlived], Wrong, count[Wrong], None, count[None], NotRun, count[NotRun])
	fmt.Fprintf(&b, "%d writes, %d cells run\n", len(t.rows), count[Resumed]+count[Outlived]+count[Wrong])
	return b.String()
}
