package publish

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/registry"
	"github.com/operator-release/operator-release/ci/sign"
)

var (
	matrix   = flag.Bool("matrix", false, "run all cells of the fault matrix, not a sample")
	external = flag.String("external", "", "HOST:PORT of a running registry without referrers API, to run the matrix of its writes against")
)

// impatient is the patience of a run whose server will never answer, hurried that of one that meets another fault: it lasts, so trying
// often does not help.
var (
	impatient = registry.Patience{Tries: 2, First: time.Millisecond, Longest: 10 * time.Millisecond, Answer: 500 * time.Millisecond, Stall: 500 * time.Millisecond}
	hurried   = registry.Patience{Tries: 2, First: time.Millisecond, Longest: 10 * time.Millisecond, Answer: time.Minute, Stall: time.Minute}
)

// scenario is a set of destinations, and what of their writes are rows.
type scenario struct {
	places []place
	rows   map[int][]string // by the index of a place the kinds of writes; none: all
}

type place = func(*world) (destination, error)

// invisible are the kinds of writes that make nothing visible.
var invisible = []string{"upload begins", "blob", "manifest", "referrers list"}

// scenarios are those of the whole matrix, or of the sample. Git takes most of the time: where a scenario has no git remote the rows are what comes
// before the claim, and the whole has the same kinds of rows once more with one.
func scenarios(whole bool, external string) []*scenario {
	if external != "" {
		return []*scenario{{[]place{atRegistry(false, external), atGit(false)}, map[int][]string{0: nil}}}
	}
	all := []*scenario{
		{[]place{backupInFolder, atRegistry(true, "")}, map[int][]string{0: nil, 1: invisible}},
		{[]place{backupInFolder, atRegistry(true, ""), atGit(false)}, map[int][]string{1: {"image tag", "chart tag", "floating tag"}}},
	}
	if whole {
		return append(all,
			&scenario{[]place{backupAtRegistry, atRegistry(false, ""), atGit(false)}, map[int][]string{0: nil, 1: nil}},
			&scenario{[]place{backupInFolder, atGit(false), atForge}, map[int][]string{2: nil}},
			&scenario{[]place{atGit(true), atForge}, map[int][]string{0: {"chart index", "record of the index"}}},
			&scenario{[]place{backupInFolder, atRegistry(true, ""), atGit(true)}, map[int][]string{2: nil}})
	}
	return append(all,
		&scenario{[]place{backupInFolder, atGit(false), atForge}, map[int][]string{2: nil}},
		&scenario{[]place{backupAtRegistry, atRegistry(false, "")}, map[int][]string{0: nil, 1: invisible}},
		&scenario{[]place{backupInFolder, atGit(true)}, map[int][]string{1: nil}})
}

// cell is one fault at one write.
type cell struct {
	scenario *scenario
	write    faults.Write
	column   string
	after    bool
}

func (c cell) String() string {
	return fmt.Sprintf("%s, %s, %s", c.write, c.column, map[bool]string{false: "before", true: "after"}[c.after])
}

// TestMatrix runs a publication with a fault before and after each of its writes, and then again without: the end is that of a run that was left
// alone, and nobody saw a pointer before what it stands on.
func TestMatrix(t *testing.T) {
	of := toRelease(t)
	var cells []cell
	var rows []faults.Write
	want := map[*scenario]string{}
	for _, s := range scenarios(*matrix, *external) {
		writes, listing := leftAlone(t, of, s)
		want[s] = listing
		rows = append(rows, writes...)
		for _, w := range writes {
			for _, column := range faults.Columns {
				for _, after := range []bool{false, true} {
					cells = append(cells, cell{s, w, column, after})
				}
			}
		}
	}
	table := faults.NewTable(rows)
	var run []cell
	for _, c := range cells {
		switch {
		case c.write.Server == folderServer && c.column != faults.Killed && c.column != faults.Full:
			table.Set(c.write, c.column, c.after, faults.None)
		case *matrix || sampled(cells, c):
			run = append(run, c)
		}
	}
	// Those that wait for time to pass come first.
	slices.SortStableFunc(run, func(a, b cell) int {
		return strings.Compare(fmt.Sprint(a.column != faults.Silent), fmt.Sprint(b.column != faults.Silent))
	})
	next := make(chan cell, len(run))
	for _, c := range run {
		next <- c
	}
	close(next)
	var workers sync.WaitGroup
	for range 5 * runtime.GOMAXPROCS(0) { // some wait for time to pass
		workers.Go(func() {
			for c := range next {
				t.Run(c.String(), func(t *testing.T) {
					mark, err := c.run(t.Context(), of, want[c.scenario], impatient.Answer)
					if err != nil {
						t.Error(err)
					}
					table.Set(c.write, c.column, c.after, mark)
				})
			}
		})
	}
	workers.Wait()
	t.Logf("\n%s", table)
}

// sampled picks, of the writes of a kind, one for each fault, another one each time, before and after in turn. Writes share their code: each kind meets every eighth fault, and the
// next kinds the rest.
func sampled(all []cell, c cell) bool {
	var alike []faults.Write
	var kinds []string
	for _, other := range all {
		if other.write.Kind == c.write.Kind && (len(alike) == 0 || alike[len(alike)-1] != other.write) {
			alike = append(alike, other.write)
		}
		if !slices.Contains(kinds, other.write.Kind) {
			kinds = append(kinds, other.write.Kind)
		}
	}
	i, kind := slices.Index(faults.Columns, c.column), slices.Index(kinds, c.write.Kind)
	if c.write.Server != folderServer && (i+kind)%8 != 0 {
		return false
	}
	return alike[i*7%len(alike)] == c.write && c.after == ((i/2+kind)%2 == 0)
}

func toRelease(t *testing.T) released {
	t.Helper()
	of := released{test: t, source: repository(t), remote: filepath.Join(t.TempDir(), "remote.git")}
	of.bundle = releaseOf(t, of.source, "v1.5.0", "v1.5.0\n", "linux/amd64")
	signedTag(t, of.bundle, "b3Vycw==")
	if *matrix {
		signed(t, of.bundle)
	}
	for _, args := range [][]string{{"init", "-q", "--bare", "--template=", of.remote}, {"--git-dir", of.remote, "config", "receive.autogc", "false"}, {"-C", of.source.Dir(), "push", "-q", of.remote, "HEAD:refs/heads/main"}} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args, err, out)
		}
	}
	return of
}

// signed signs everything in a bundle, by a key that is made on the spot.
func signed(t *testing.T, b bundle.Bundle) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := sign.Key(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sign.Bundle(t.Context(), b, key, bundle.Run{}); err != nil {
		t.Fatal(err)
	}
}

// leftAlone is a run without a fault: its writes, in order, and what it leaves.
func leftAlone(t *testing.T, of released, s *scenario) (writes []faults.Write, listing string) {
	t.Helper()
	w, err := newWorld(of, t.TempDir(), s.places...)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	recorded := make([]func() []faults.Write, len(w.destinations))
	for i := range s.rows {
		if server := w.destinations[i].server; server != nil {
			recorded[i] = server.Record()
		}
	}
	stop := w.observe()
	r, err := Publish(t.Context(), of.bundle, w.to())
	if accused := stop(); err != nil || accused != "" || !r.Changed() {
		t.Fatalf("a run that was left alone: %v; %s", err, accused)
	}
	for _, l := range w.looks {
		if !w.certain[l.what] {
			t.Fatalf("the observer does not see %s", l.what)
		}
	}
	for i, d := range w.destinations {
		kinds, ok := s.rows[i]
		if !ok {
			continue
		}
		var all []faults.Write
		if d.server != nil {
			all = recorded[i]()
		} else {
			all = folderWrites(filepath.Join(d.folder, of.bundle.Record.Version.String()))
		}
		for _, write := range all {
			if len(kinds) == 0 || slices.Contains(kinds, write.Kind) {
				writes = append(writes, write)
			}
		}
	}
	return writes, w.listing()
}

// run runs one cell. An error says what is wrong. Answer is how long the run with the fault waits for a server that does not answer.
func (c cell) run(ctx context.Context, of released, want string, answer time.Duration) (faults.Mark, error) {
	dir, err := os.MkdirTemp("", "matrix-")
	if err != nil {
		return faults.Wrong, err
	}
	defer os.RemoveAll(dir)
	w, err := newWorld(of, dir, c.scenario.places...)
	if err != nil {
		return faults.Wrong, err
	}
	defer w.close()
	stop := w.observe()
	failed, struck, err := c.strike(ctx, w, answer)
	if err != nil {
		return faults.Wrong, errors.Join(err, accusation(stop()))
	}
	for _, d := range w.destinations {
		if d.server != nil {
			d.server.Clear()
		}
		if d.healed != nil {
			d.healed()
		}
	}
	_, err = Publish(ctx, of.bundle, w.to())
	accused := accusation(stop())
	if err != nil {
		return faults.Wrong, fmt.Errorf("the run after it: %w; the run before it: %v", err, failed)
	}
	if accused != nil {
		return faults.Wrong, accused
	}
	if got := w.listing(); got != want {
		return faults.Wrong, fmt.Errorf("the end differs from that of a run that was left alone (- is missing, + is too much):\n%s\nthe run with the fault: %v", difference(want, got), failed)
	}
	// On a busy machine a server looks silent, or the moment at a folder goes by: once more, with more time.
	late := c.write.Server == folderServer && (!struck || failed == nil && c.write.Kind != "folder appears")
	if (late || !struck && c.column == faults.Silent) && answer < 30*time.Second {
		return c.run(ctx, of, want, 4*answer)
	}
	if !struck {
		return faults.Wrong, fmt.Errorf("the fault found nothing to befall: %v", failed)
	}
	if failed == nil {
		return faults.Outlived, nil
	}
	return faults.Resumed, nil
}

func accusation(s string) error {
	if s == "" {
		return nil
	}
	return errors.New("out of order: " + s)
}

// strike runs the publication with the fault. Failed is how it ended; an error is one of the test.
func (c cell) strike(ctx context.Context, w *world, answer time.Duration) (failed error, struck bool, err error) {
	if c.write.Server == folderServer {
		return c.strikeFolder(w)
	}
	var server *faults.Server
	for _, d := range w.destinations {
		if d.server != nil && d.server.Name == c.write.Server {
			server = d.server
		}
	}
	if c.column != faults.Killed {
		d := w.to()
		if d.Patience = hurried; c.column == faults.Silent {
			d.Patience = impatient
			d.Patience.Answer = answer
		}
		if !*matrix {
			d.Patience.Tries = 1
		}
		if w.forgeURL != "" {
			setForge(&d, w.forgeURL)
		}
		hit := server.Arm(c.write, c.column, c.after, nil)
		_, failed = Publish(ctx, w.bundle, d)
		return failed, hit(), nil
	}
	var cmd *exec.Cmd
	started := make(chan struct{})
	hit := server.Arm(c.write, c.column, c.after, func() {
		<-started
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	})
	cmd, out, err := w.process(nil)
	if err != nil {
		return nil, false, err
	}
	close(started)
	if err := cmd.Wait(); err != nil {
		failed = fmt.Errorf("%w %s", err, out)
	}
	return failed, hit() && killed(cmd), nil
}

func killed(cmd *exec.Cmd) bool {
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// folderServer is the name of the backup's folder in the table, where no server is.
const folderServer = "backup in a folder"

// folderWrites are what appears in a folder: file by file in a hidden one, its whole index, and the folder itself.
func folderWrites(dir string) (writes []faults.Write) {
	n := countFiles(dir)
	names := len(entries(filepath.Join(dir, bundle.FilesDir)))
	for i := 1; i <= n; i++ {
		kind := "file of a blob"
		switch {
		case i <= 2:
			kind = "empty layout"
		case i > n-names:
			kind = "file by name"
		}
		writes = append(writes, faults.Write{Server: folderServer, Kind: kind, Name: fmt.Sprintf("%d of %d", i, n), Number: 1})
	}
	return append(writes, faults.Write{Server: folderServer, Kind: "index", Number: 1}, faults.Write{Server: folderServer, Kind: "folder appears", Number: 1})
}

// entries are the names in a folder, without hidden ones; temporary files are hidden.
func entries(dir string) (names []string) {
	all, _ := os.ReadDir(dir) // none where it is not there
	for _, e := range all {
		if !strings.HasPrefix(e.Name(), ".") && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// countFiles counts the files of a layout.
func countFiles(dir string) int {
	return len(entries(dir)) + len(entries(filepath.Join(dir, "blobs", "sha256"))) + len(entries(filepath.Join(dir, bundle.FilesDir)))
}

// folderStrike watches a backup's folder from within the publishing process, which nobody can stop at a write from outside, and at one moment
// kills it or has the disk full. It sees the moment a little late; what counts is that there is one at each write.
type folderStrike struct {
	Folder, Version, Kind string
	Files, Number, Roots  int
	After, Kill           bool
}

func (c cell) strikeFolder(w *world) (failed error, struck bool, err error) {
	roots, err := w.bundle.Layout.Roots()
	if err != nil {
		return nil, false, err
	}
	s := &folderStrike{Version: w.bundle.Record.Version.String(), Kind: c.write.Kind, Roots: len(roots), After: c.after, Kill: c.column == faults.Killed}
	for _, d := range w.destinations {
		if d.folder != "" {
			s.Folder = d.folder
		}
	}
	s.Files = countFiles(w.bundle.Layout.Dir())
	if c.write.Name != "" {
		if _, err := fmt.Sscanf(c.write.Name, "%d of", &s.Number); err != nil {
			return nil, false, err
		}
	}
	cmd, out, err := w.process(s)
	if err != nil {
		return nil, false, err
	}
	if err := cmd.Wait(); err != nil {
		failed = fmt.Errorf("%w %s", err, out)
	}
	if s.Kill {
		return failed, killed(cmd), nil
	}
	return failed, strings.Contains(out.String(), struckMessage), nil
}

const struckMessage = "the disk is full from here on"

// wait strikes at its moment.
func (s *folderStrike) wait() {
	for !s.now() {
		runtime.Gosched()
	}
	if s.Kill {
		syscall.Kill(0, syscall.SIGKILL) // itself, and what it started
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{}); err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, struckMessage)
}

func (s *folderStrike) now() bool {
	if _, err := os.Stat(filepath.Join(s.Folder, s.Version)); err == nil {
		return true
	}
	halves, _ := filepath.Glob(filepath.Join(s.Folder, ".backup-*"))
	if len(halves) == 0 || s.Kind == "folder appears" && s.After {
		return false
	}
	half := halves[0]
	n := countFiles(half)
	switch s.Kind {
	case "index", "folder appears":
		if s.Kind == "index" && !s.After {
			return n >= s.Files
		}
		content, err := os.ReadFile(filepath.Join(half, "index.json"))
		var index struct{ Manifests []json.RawMessage }
		return err == nil && json.Unmarshal(content, &index) == nil && len(index.Manifests) == s.Roots
	}
	if n >= s.Number || s.After {
		return n >= s.Number
	}
	return n == s.Number-1 && temporary(half)
}

// temporary tells whether a file is being written.
func temporary(half string) bool {
	all, _ := os.ReadDir(half)
	for _, e := range all {
		if strings.HasPrefix(e.Name(), ".") {
			return true
		}
	}
	return false
}

// difference shows lines that only one of two texts has.
func difference(want, got string) string {
	var b strings.Builder
	has := func(text string) map[string]bool {
		lines := map[string]bool{}
		for line := range strings.Lines(text) {
			lines[line] = true
		}
		return lines
	}
	in, out := has(want), has(got)
	for _, line := range sorted(in) {
		if !out[line] {
			b.WriteString("- " + line)
		}
	}
	for _, line := range sorted(out) {
		if !in[line] {
			b.WriteString("+ " + line)
		}
	}
	return b.String()
}
