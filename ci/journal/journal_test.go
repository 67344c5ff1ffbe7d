package journal

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// remote is a bare repository, reached from an empty one.
func remote(t *testing.T) (*git.Remote, string) {
	t.Helper()
	dir := t.TempDir()
	if _, err := git.Init(t.Context(), filepath.Join(dir, "remote.git"), git.SHA1); err != nil {
		t.Fatal(err)
	}
	return from(t, filepath.Join(dir, "remote.git")), filepath.Join(dir, "remote.git")
}

func from(t *testing.T, url string) *git.Remote {
	t.Helper()
	local, err := git.Init(t.Context(), t.TempDir(), git.SHA1)
	if err != nil {
		t.Fatal(err)
	}
	return local.Remote(url)
}

var (
	ada = git.Person{Name: "Ada", Email: "ada@example.com", Time: time.Unix(1767225600, 0).UTC()}
	v   = version.MustParse("v1.5.1")
)

func TestMarksFollowEachOther(t *testing.T) {
	ctx := t.Context()
	r, url := remote(t)
	m, err := FindMark(ctx, r, v)
	if err != nil || m.State != Good || m.ID != "" {
		t.Fatalf("a version without marks: %+v, %v", m, err)
	}
	for i, next := range []Mark{{State: Withdrawn, Because: "it crashes"}, {State: RolledBack, Because: "it crashes, always"}, {State: Good, Because: "it was the cluster"}} {
		by := ada
		by.Time = by.Time.Add(time.Duration(i) * time.Hour)
		if m, err = Add(ctx, r, v, m, next, by); err != nil {
			t.Fatal(err)
		}
		there, err := FindMark(ctx, from(t, url), v) // another machine
		if err != nil || there != m || there.State != next.State || there.Because != next.Because || there.By != "Ada <ada@example.com>" || !there.Time.Equal(by.Time) {
			t.Errorf("found %+v, %v; added %+v", there, err, m)
		}
	}
	out, err := exec.Command("git", "--git-dir", url, "log", "--format=%s", MarkRef(v)).Output()
	if err != nil || string(out) != "v1.5.1 is good\nv1.5.1 is rolled back\nv1.5.1 is withdrawn\n" {
		t.Errorf("the chain is %q, %v", out, err)
	}
	for _, ref := range []string{"refs/tags/v1.5.1", "refs/tags/v1.5.0-rc.0", "refs/tags/other"} {
		if err := r.Create(ctx, ref, m.ID); err != nil {
			t.Fatal(err)
		}
	}
	versions, all, err := Out(ctx, from(t, url))
	if err != nil || len(all) != 1 || all[v] != m || len(versions) != 2 {
		t.Errorf("what is out: %s, %+v, %v", versions, all, err)
	}
}

// TestTwoMarkAtOnce: who says the same is told that it is said; who says something else is refused.
func TestTwoMarkAtOnce(t *testing.T) {
	ctx := t.Context()
	r, url := remote(t)
	first, err := Add(ctx, r, v, Mark{}, Mark{State: Withdrawn, Because: "it crashes"}, ada)
	if err != nil {
		t.Fatal(err)
	}
	bob := git.Person{Name: "Bob", Email: "bob@example.com", Time: ada.Time.Add(time.Minute)}
	if same, err := Add(ctx, from(t, url), v, Mark{}, Mark{State: Withdrawn, Because: "it crashes"}, bob); err != nil || same != first {
		t.Errorf("the same: %+v, %v", same, err)
	}
	_, err = Add(ctx, from(t, url), v, Mark{}, Mark{State: RolledBack, Because: "it burns"}, bob)
	if !refusal.Is(err) || !strings.Contains(err.Error(), "meanwhile Ada <ada@example.com> marked it as withdrawn (it crashes)") {
		t.Errorf("something else: %v", err)
	}
}

// TestABadMarkTakesNoOtherAway: what is withdrawn must not look good because of another version's mark, nor does that other version.
func TestABadMarkTakesNoOtherAway(t *testing.T) {
	ctx := t.Context()
	r, _ := remote(t)
	for name, message := range map[string]string{"v1.5.0": "hello\n", "v1.5.1": "v1.5.1 is withdrawn\n\nwhy\n\nstate: withdrawn\n", "v1.5.2": "bye\n"} {
		id, err := r.Local().NewNote(ctx, nil, ada, message)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Local().Git(ctx, "update-ref", Marks+name, id); err != nil {
			t.Fatal(err)
		}
	}
	marks, err := LocalMarks(ctx, r.Local())
	bad := marks[version.MustParse("v1.5.0")]
	if len(marks) != 3 || marks[v].State != Withdrawn || bad.State != Unreadable || !strings.Contains(bad.Because, "take it off with") {
		t.Errorf("marks are %+v", marks)
	}
	if !refusal.Is(err) || !strings.Contains(err.Error(), "mark of v1.5.0") || !strings.Contains(err.Error(), "mark of v1.5.2") {
		t.Error(err)
	}
}

func TestAMarkThatNobodyHereWroteIsRefused(t *testing.T) {
	ctx := t.Context()
	r, url := remote(t)
	for _, message := range []string{"hello\n", "v1.5.1 is withdrawn\n\nwhy\n\nstate: eaten\n", "v1.5.0 is withdrawn\n\nwhy\n\nstate: withdrawn\n", "v1.5.1 is good\n\nwhy\n\nmore\n\nstate: good\n"} {
		id, err := r.Local().NewNote(ctx, nil, ada, message)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Create(ctx, MarkRef(v), id); err != nil {
			t.Fatal(err)
		}
		if m, err := FindMark(ctx, r, v); !refusal.Is(err) {
			t.Errorf("%q gave %+v, %v", message, m, err)
		}
		if out, err := exec.Command("git", "--git-dir", url, "update-ref", "-d", MarkRef(v)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

func TestReason(t *testing.T) {
	for in, want := range map[string]string{
		" it  crashes\n on start ":   "it crashes on start",
		"state: good\n\nstate: good": "state: good state: good",
		"":                           "", "  ": "", "a\x1b[31m": "", "a\u202eb": "", "a\xffb": "", strings.Repeat("a", 2001): "",
	} {
		got, err := Reason(in)
		if got != want || (err != nil) != (want == "") || err != nil && !refusal.Is(err) {
			t.Errorf("%q gave %q, %v", in, got, err)
		}
	}
}

func TestClaimIsReadAsItWasWritten(t *testing.T) {
	ctx := t.Context()
	r, url := remote(t)
	if _, ok, err := FindClaim(ctx, r, v); ok || err != nil {
		t.Fatalf("there is none: %v, %v", ok, err)
	}
	commit, err := r.Local().NewNote(ctx, nil, ada, "release\n")
	if err != nil {
		t.Fatal(err)
	}
	c := Claim{Identity: digest.FromString("x"), Repository: "docker.io/acme/spark"}
	id, err := r.Local().NewTag(ctx, "releases/v1.5.1", commit, ada, c.Message("spark", v))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Create(ctx, ClaimRef(v), id); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := FindClaim(ctx, from(t, url), v); err != nil || !ok || got != c {
		t.Errorf("%+v, %v, %v", got, ok, err)
	}
	if _, err := parseClaim("spark v1.5.1\n\nidentity: sha256:abc\nrepository: x\n"); !refusal.Is(err) {
		t.Errorf("a broken digest: %v", err)
	}
}
