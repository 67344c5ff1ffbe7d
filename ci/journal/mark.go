package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Marks is where marks are on the git remote: a chain of commits for each version that ever had one, the newest mark first.
const Marks = "refs/withdrawals/"

// MarkRef is where a version's marks are.
func MarkRef(v version.Version) string { return Marks + v.String() }

// State is what a version is marked as.
type State string

// A version is good until it is marked. Withdrawn: nobody should begin to use it. Rolled back: floating tags and indexes lead elsewhere, too.
const (
	Good       State = "good"
	Withdrawn  State = "withdrawn"
	RolledBack State = "rolled back"
	Unreadable State = "marked unreadably" // somebody marked it, and nobody can tell as what; nothing writes this one
)

// Mark is what somebody said about a published version.
type Mark struct {
	State   State     `json:"state"`
	Because string    `json:"because"`
	By      string    `json:"by"` // who said it: NAME <EMAIL>
	Time    time.Time `json:"time"`
	ID      string    `json:"id"` // of the commit that says it; empty for a version that was never marked
}

// Warning is what users of the version have to know; empty where it is good.
func (m Mark) Warning(v version.Version) string {
	if m.State == Good || m.State == "" {
		return ""
	}
	return fmt.Sprintf("%s is %s: %s", v, m.State, m.Because)
}

// maxBecause bounds a reason, in bytes: it is shown in notes and lists.
const maxBecause = 2000

// Reason is the text with spaces made single; one that is empty, too long or holds control characters is refused.
func Reason(text string) (string, error) {
	reason := strings.Join(strings.Fields(text), " ")
	switch {
	case reason == "":
		return "", refusal.New("mark a version: why? say it with --because TEXT; users will read it")
	case len(reason) > maxBecause:
		return "", refusal.New("mark a version: the reason has %d bytes, at most %d are taken; link to the rest", len(reason), maxBecause)
	case strings.ContainsFunc(reason, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar
	}):
		return "", refusal.New("mark a version: the reason %q holds control characters, or is no UTF-8; leave them out", reason)
	}
	return reason, nil
}

// message is the text of a mark's commit. The reason is one line, so nothing in it can pass for the state.
func (m Mark) message(v version.Version) string {
	return fmt.Sprintf("%s is %s\n\n%s\n\nstate: %s\n", v, m.State, m.Because, m.State)
}

// readMark reads a mark's commit.
func readMark(c git.Commit, v version.Version) (Mark, error) {
	m := Mark{By: fmt.Sprintf("%s <%s>", c.Author.Name, c.Author.Email), Time: c.Author.Time.UTC(), ID: c.ID}
	parts := strings.Split(strings.TrimSpace(c.Message), "\n\n")
	if len(parts) == 3 {
		m.Because, m.State = parts[1], State(strings.TrimPrefix(parts[2], "state: "))
	}
	if !slices.Contains([]State{Good, Withdrawn, RolledBack}, m.State) || strings.TrimSpace(m.message(v)) != strings.TrimSpace(c.Message) {
		return m, refusal.New("read the mark of %s in commit %s: it says %q, which this tool did not write; look at who did, and take it off with: git push REMOTE :%s", v, c.ID, c.Message, MarkRef(v))
	}
	return m, nil
}

// FindMark reads a version's newest mark from a git remote; that of one without marks is Good.
func FindMark(ctx context.Context, remote *git.Remote, v version.Version) (Mark, error) {
	refs, err := remote.Refs(ctx, MarkRef(v))
	if err != nil {
		return Mark{}, err
	}
	marks, err := read(ctx, remote, refs)
	if m, ok := marks[v]; ok || err != nil {
		return m, err
	}
	return Mark{State: Good}, nil
}

// read brings the commits that refs of marks point to, and reads them.
func read(ctx context.Context, remote *git.Remote, refs map[string]string) (map[version.Version]Mark, error) {
	names := slices.Sorted(maps.Keys(refs))
	if len(names) > 0 {
		if err := remote.Fetch(ctx, names...); err != nil {
			return nil, err
		}
	}
	return readMarks(ctx, remote.Local(), refs)
}

// LocalMarks are the newest marks that a repository itself has, as git fetched them: those that can be read, also where there is an error about another.
func LocalMarks(ctx context.Context, r *git.Repository) (map[version.Version]Mark, error) {
	refs, err := r.Refs(ctx, Marks)
	if err != nil {
		return nil, err
	}
	full := map[string]string{}
	for name, id := range refs {
		full[Marks+name] = id
	}
	return readMarks(ctx, r, full)
}

// readMarks reads the commits of marks. One that cannot be read is an error, and takes no other mark away: what is withdrawn stays so, and its own version is Unreadable.
func readMarks(ctx context.Context, r *git.Repository, refs map[string]string) (map[version.Version]Mark, error) {
	marks := map[version.Version]Mark{}
	var errs []error
	for _, ref := range slices.Sorted(maps.Keys(refs)) {
		v, err := version.Parse(strings.TrimPrefix(ref, Marks))
		if err != nil {
			continue // of no version
		}
		var m Mark
		c, err := r.Commit(ctx, refs[ref])
		if err == nil {
			m, err = readMark(c, v)
		}
		if err != nil {
			errs = append(errs, err)
			m = Mark{State: Unreadable, Because: err.Error(), ID: refs[ref]}
		}
		marks[v] = m
	}
	return marks, errors.Join(errs...)
}

// Add puts a mark onto those that a version has: the remote takes it only if before, as FindMark gave it, is still the newest. Where somebody
// said the same meanwhile that is the mark; where somebody said something else it is refused, and what was said is named.
func Add(ctx context.Context, remote *git.Remote, v version.Version, before Mark, m Mark, by git.Person) (Mark, error) {
	local := remote.Local()
	var parents []string
	if before.ID != "" {
		parents = []string{before.ID}
	}
	id, err := local.NewNote(ctx, parents, by, m.message(v))
	if err != nil {
		return m, err
	}
	failed := remote.Swap(ctx, MarkRef(v), before.ID, id)
	now, err := FindMark(ctx, remote, v)
	switch {
	case err != nil:
		return m, errors.Join(failed, err)
	case now.ID == id, now.ID != before.ID && now.State == m.State && now.Because == m.Because:
		return now, nil
	case now.ID == before.ID:
		return m, fmt.Errorf("mark %s as %s at %s: %w", v, m.State, remote.URL, failed)
	}
	return m, refusal.New("mark %s as %s at %s: meanwhile %s marked it as %s (%s); look at it, and say it again if it still holds", v, m.State, remote.URL, now.By, now.State, now.Because)
}

// History are a version's marks up to this one as git stores them, the oldest first. The repository has them.
func History(ctx context.Context, r *git.Repository, m Mark) ([]string, error) {
	var history []string
	for id := m.ID; id != ""; {
		objects, err := r.Objects(ctx, id)
		if err != nil {
			return nil, err
		}
		history = append([]string{string(objects[0].Content)}, history...)
		c, err := r.Commit(ctx, id)
		if err != nil {
			return nil, err
		}
		id = ""
		if len(c.Parents) > 0 {
			id = c.Parents[0]
		}
	}
	return history, nil
}

// Bring gives marks, as History gives them, to a remote that has none of the version; wrote tells whether it had to. What the remote has itself stays.
func Bring(ctx context.Context, remote *git.Remote, v version.Version, history []string) (m Mark, wrote bool, err error) {
	local := remote.Local()
	if _, err := local.Store(ctx, "tree", nil); err != nil {
		return m, false, err
	}
	tip := ""
	for _, content := range history {
		if tip, err = local.Store(ctx, "commit", []byte(content)); err != nil {
			return m, false, refusal.New("bring back the marks of %s: %w", v, err)
		}
	}
	marks, err := readMarks(ctx, local, map[string]string{MarkRef(v): tip})
	if err != nil {
		return m, false, err
	}
	failed := remote.Create(ctx, MarkRef(v), tip)
	m, err = FindMark(ctx, remote, v)
	if err == nil && m.ID == "" {
		err = failed
	}
	return m, failed == nil && m == marks[v], err
}
