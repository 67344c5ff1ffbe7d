package publish

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/bundle/bundletest"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// list is what a layout's folder holds: names and sizes.
func list(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	if err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		names = append(names, strings.TrimPrefix(path, dir)+" "+string(rune(len(content))))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, "\n")
}

// TestLossDrill: published with two backups, the registry and the remote's tags are lost, and each backup brings all of it back.
func TestLossDrill(t *testing.T) {
	ctx, source := t.Context(), repository(t)
	b := release(t, source, "v1.5.0\n")
	first := newThrowaway(t)
	kept := newThrowaway(t)
	folder, repository := t.TempDir(), kept.Registry+"/backups/spark"
	for _, backup := range []*Backup{ParseBackup(folder, nil), ParseBackup(repository, nil)} {
		d := first.Destinations(source)
		d.Backup = backup
		if _, err := Publish(ctx, b, d); err != nil {
			t.Fatal(err)
		}
		again, err := Publish(ctx, b, d)
		if err != nil || again.Changed() {
			t.Errorf("again: %+v, %v", again.Writes, err)
		}
	}
	first.Close()
	back, err := FetchBackup(ctx, repository+":v1.5.0", nil, filepath.Join(t.TempDir(), "back"))
	if err != nil {
		t.Fatal(err)
	}
	fromFolder, err := bundle.Load(filepath.Join(folder, "v1.5.0"))
	if err != nil {
		t.Fatal(err)
	}
	if list(t, back.Layout.Dir()) != list(t, b.Layout.Dir()) || list(t, fromFolder.Layout.Dir()) != list(t, b.Layout.Dir()) {
		t.Errorf("the backups hold\n%s\nand\n%s\nof\n%s", list(t, back.Layout.Dir()), list(t, fromFolder.Layout.Dir()), list(t, b.Layout.Dir()))
	}
	for _, restored := range []bundle.Bundle{back, fromFolder} {
		second := newThrowaway(t)
		r, err := Publish(ctx, restored, second.Destinations(source))
		second.Close()
		if err != nil || r.Identity != b.Identity.Digest.String() {
			t.Errorf("restored %s, %v; want %s", r.Identity, err, b.Identity.Digest)
		}
	}
	other := release(t, source, "v1.5.0 other\n")
	for _, backup := range []*Backup{ParseBackup(folder, nil), ParseBackup(repository, nil)} {
		if _, err := Publish(ctx, other, Destinations{Backup: backup}); !refusal.Is(err) || !strings.Contains(err.Error(), "it is there with other content") {
			t.Errorf("other content in a backup: %v", err)
		}
	}
}

// TestResumeFromTheClaim: another machine, without the bundle, finds the claim, fetches the bytes and completes.
func TestResumeFromTheClaim(t *testing.T) {
	ctx, source := t.Context(), repository(t)
	b := release(t, source, "v1.5.0\n")
	destination := newThrowaway(t)
	if _, err := Publish(ctx, b, destination.Destinations(source)); err != nil {
		t.Fatal(err)
	}
	// The git tag is lost, as if the run had been stopped before it.
	if _, err := source.Git(ctx, "push", "-q", destination.Remote, ":refs/tags/v1.5.0"); err != nil {
		t.Fatal(err)
	}
	scratch, err := source.Scratch(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	claim, ok, err := journal.FindClaim(ctx, scratch.Remote(destination.Remote), version.MustParse("v1.5.0"))
	if err != nil || !ok || claim.Identity != b.Identity.Digest || claim.Repository != bundletest.Repository {
		t.Fatalf("%+v %v %v", claim, ok, err)
	}
	d := destination.Destinations(source)
	fetched, err := Fetch(ctx, d.Registry, claim, filepath.Join(t.TempDir(), "fetched"))
	if err != nil {
		t.Fatal(err)
	}
	if list(t, fetched.Layout.Dir()) != list(t, b.Layout.Dir()) {
		t.Errorf("fetched\n%s\nof\n%s", list(t, fetched.Layout.Dir()), list(t, b.Layout.Dir()))
	}
	r, err := Publish(ctx, fetched, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range r.Writes {
		if want := map[bool]string{true: Written, false: There}[w.Target == "refs/tags/v1.5.0"]; w.Outcome != want {
			t.Errorf("%+v; want %s", w, want)
		}
	}
	if _, ok, err := journal.FindClaim(ctx, scratch.Remote(destination.Remote), version.MustParse("v1.6.0")); ok || err != nil {
		t.Errorf("a claim of v1.6.0: %v, %v", ok, err)
	}
}

func TestTheGateMustHavePassed(t *testing.T) {
	ctx, source := t.Context(), repository(t)
	tested := release(t, source, "v1.5.0\n")
	untested, err := bundle.Assemble(filepath.Join(t.TempDir(), "b"), bundletest.Pieces(t, "linux/amd64"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Publish(ctx, untested, Destinations{}); !refusal.Is(err) || !strings.Contains(err.Error(), "its gate was never asked") {
		t.Errorf("%v", err)
	}
	// A result about another identity is none.
	borrowed := untested
	borrowed.Identity = tested.Identity
	if err := borrowed.Layout.Copy(tested.Layout, tested.Identity); err != nil {
		t.Fatal(err)
	}
	bundletest.Tested(t, borrowed)
	if _, err := Publish(ctx, untested, Destinations{}); !refusal.Is(err) || !strings.Contains(err.Error(), "its gate passed on another identity") {
		t.Errorf("%v", err)
	}
	if err := untested.Attest(bundle.TestResultPredicate, bundle.TestResult{Result: "FAILED", FailedTests: []string{"command: go test"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := Publish(ctx, untested, Destinations{}); !refusal.Is(err) || !strings.Contains(err.Error(), "its gate did not pass") {
		t.Errorf("%v", err)
	}
	if _, err := Publish(ctx, tested, Destinations{Remote: &Remote{URL: filepath.Join(t.TempDir(), "none.git"), Source: source}}); err == nil || !strings.Contains(err.Error(), "check address and credentials") {
		t.Errorf("a remote that is none: %v", err)
	}
}

// TestABackupInAFolder is a copy of its own; it goes on where a killed run stopped, whatever that left; and two publishers at once both end well.
func TestABackupInAFolder(t *testing.T) {
	ctx, source := t.Context(), repository(t)
	b := release(t, source, "v1.5.0\n")
	folder := filepath.Join(t.TempDir(), "new")
	half := filepath.Join(folder, ".backup-v1.5.0-"+b.Identity.Digest.Encoded())
	left, err := bundle.Create(half)
	if err != nil {
		t.Fatal(err)
	}
	// An archive's blob has its size and other bytes, as after a loss of power, and a name of its own; the others were not begun.
	archive := b.Record.OfKind(bundle.KindArchive)[0]
	for _, path := range []string{left.Path(archive.Digest), filepath.Join(half, bundle.FilesDir, archive.File), filepath.Join(half, ".blob-1"), filepath.Join(half, bundle.FilesDir, ".copy-1")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, archive.Size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	failed := make(chan error)
	for range 2 {
		go func() {
			_, err := Publish(ctx, b, Destinations{Backup: &Backup{Dir: folder}})
			failed <- err
		}()
	}
	for range 2 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Fatalf("the folder holds %v, %v", entries, err)
	}
	kept, err := bundle.Load(filepath.Join(folder, "v1.5.0"))
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Verify(); err != nil {
		t.Error(err)
	}
	if list(t, kept.Layout.Dir()) != list(t, b.Layout.Dir()) {
		t.Errorf("the backup holds\n%s\nof\n%s", list(t, kept.Layout.Dir()), list(t, b.Layout.Dir()))
	}
	for _, a := range b.Record.Artifacts {
		one, err := os.Stat(b.Layout.Path(a.Digest))
		if err != nil {
			t.Fatal(err)
		}
		if two, err := os.Stat(kept.Layout.Path(a.Digest)); err != nil || os.SameFile(one, two) {
			t.Errorf("%s is the same file in bundle and backup: %v", a.Name, err)
		}
	}
	// Killed while it added a referrer that came later: the blob is there and not listed.
	if err := b.Attest("https://example.com/seen/v1", map[string]string{"seen": "later"}); err != nil {
		t.Fatal(err)
	}
	roots, err := b.Layout.Roots()
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range roots {
		if err := kept.Layout.Copy(b.Layout, root); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(kept.Layout.Dir(), ".write-1"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if r, err := Publish(ctx, b, Destinations{Backup: &Backup{Dir: folder}}); err != nil || !r.Changed() || list(t, kept.Layout.Dir()) != list(t, b.Layout.Dir()) {
		t.Errorf("%+v, %v; the backup holds\n%s\nof\n%s", r.Writes, err, list(t, kept.Layout.Dir()), list(t, b.Layout.Dir()))
	}
}
