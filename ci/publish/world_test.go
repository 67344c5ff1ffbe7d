package publish

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/floating"
	"github.com/operator-release/operator-release/ci/git"
)

// released is the bundle that all cells publish, and the repository that it was made from.
type released struct {
	test   testing.TB // that is told where a cell asks the forge for what GitHub's description does not allow
	bundle bundle.Bundle
	source *git.Repository
	remote string // a bare repository that holds the release's base, to be copied
}

// destination is one place that a publication writes to, in one cell. Whoever adds a destination to Publish adds one here.
type destination struct {
	set     func(d *Destinations) // has Publish write to it
	server  *faults.Server        // over HTTP; nil for a folder
	folder  string                // of a backup, else empty
	looks   []look
	listing func() string // all that it holds
	healed  func()        // takes away what a fault has left at the server itself; may be nil
}

// look is how the observer sees one pointer, or content, past the proxy. What has a higher rank stands on all that has a lower one.
type look struct {
	rank  int
	what  string
	there func() bool
}

// Ranks are the steps of rule 5: nothing is there before all of the ranks below it.
const (
	rankBackupContent = iota
	rankBackup
	rankContent
	rankClaim
	rankBranch
	rankImage
	rankChart
	rankModule
	rankTag
	rankPage
	rankIndex
	rankFloating
)

// world is all destinations of one cell, with an observer.
type world struct {
	released
	dir          string
	destinations []destination
	registry     *store
	forgeURL     string
	looks        []look // the highest rank first

	mu      sync.Mutex
	certain map[string]bool // what was seen once; nothing is ever taken away
	accused string
	cleanup []func()
}

// newWorld makes the destinations named below dir: registry, registry without referrers API, git, backup at a registry, backup in a folder.
func newWorld(of released, dir string, places ...func(*world) (destination, error)) (*world, error) {
	w := &world{released: of, dir: dir, certain: map[string]bool{}}
	for _, f := range places {
		d, err := f(w)
		if err != nil {
			w.close()
			return nil, err
		}
		w.destinations = append(w.destinations, d)
		w.looks = append(w.looks, d.looks...)
		if d.server != nil {
			d.server.Watch(w.look)
		}
	}
	slices.SortStableFunc(w.looks, func(a, b look) int { return b.rank - a.rank })
	return w, nil
}

func (w *world) close() {
	for _, f := range slices.Backward(w.cleanup) {
		f()
	}
}

// kinds calls pointers what they are here.
func (w *world) kinds(write func(*http.Request) (kind, name string)) func(*http.Request) (kind, name string) {
	record := w.bundle.Record
	is := map[string]string{
		"refs/releases/" + record.Version.String(): "claim", "refs/heads/" + record.Branch: "branch", "refs/tags/" + record.Version.String(): "git tag",
		"refs/heads/gh-pages": "chart index", "refs/chart-indexes/gh-pages": "record of the index",
	}
	for _, m := range record.Modules {
		is[m.Ref()] = "module tag"
	}
	for _, kind := range []string{bundle.KindImage, bundle.KindChart} {
		for _, a := range record.OfKind(kind) {
			is[a.Repository+":"+a.Tag] = kind + " tag"
		}
	}
	for _, a := range record.OfKind(bundle.KindImage) {
		for _, tag := range floating.Tags(record.Config.Floating, record.Version) {
			is[a.Repository+":"+tag] = "floating tag"
		}
	}
	return func(r *http.Request) (kind, name string) {
		kind, name = write(r)
		if pointer, ok := is[name]; ok {
			kind = pointer
		}
		return kind, name
	}
}

// serve starts a server's proxy and gives its address.
func (w *world) serve(p *faults.Proxy) string {
	server, address := p.Start()
	w.cleanup = append(w.cleanup, server.Close)
	return address
}

// look reads every surface, what is visible last first. Because nothing is taken away, what is seen now and stands on something that is not there a
// moment later was there too early, however long reading takes.
func (w *world) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	above := ""
	for i, l := range w.looks {
		if i > 0 && l.rank < w.looks[i-1].rank { // what was seen of the ranks above counts from here on
			for _, higher := range w.looks[:i] {
				if above == "" && w.certain[higher.what] {
					above = higher.what
				}
			}
		}
		if above == "" && (l.rank == rankContent || l.rank == rankBackupContent) {
			continue // it may be half there as long as nothing leads to it
		}
		if !w.certain[l.what] {
			w.certain[l.what] = l.there()
		}
		if above != "" && !w.certain[l.what] && w.accused == "" {
			w.accused = fmt.Sprintf("%s is there, %s is not", above, l.what)
		}
	}
}

// observe looks again and again until it is stopped, and tells what was wrong.
func (w *world) observe() (stop func() string) {
	ctx, cancel := context.WithCancel(context.Background())
	var polls sync.WaitGroup
	polls.Go(func() {
		for ctx.Err() == nil {
			w.look()
			time.Sleep(3 * time.Millisecond)
		}
	})
	return func() string {
		cancel()
		polls.Wait()
		w.look()
		return w.accused
	}
}

// listing is all that the destinations hold.
func (w *world) listing() string {
	var b strings.Builder
	for _, d := range w.destinations {
		b.WriteString(d.listing())
	}
	return b.String()
}

func (w *world) to() Destinations {
	d := Destinations{Patience: hasty}
	for _, destination := range w.destinations {
		destination.set(&d)
	}
	return d
}
