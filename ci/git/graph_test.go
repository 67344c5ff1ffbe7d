package git

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestGraph: about histories that branch and merge at random the graph says what git says.
func TestGraph(t *testing.T) {
	ctx := t.Context()
	r, err := Init(ctx, t.TempDir(), SHA1)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var stream strings.Builder
	for n := 1; n <= 20; n++ {
		fmt.Fprintf(&stream, "commit refs/heads/c%d\nmark :%d\ncommitter Ada <ada@example.com> %d +0000\ndata 0\n", n, n, 1767225600+n)
		if parent := random.IntN(n); parent > 0 {
			fmt.Fprintf(&stream, "from :%d\n", parent)
			if other := random.IntN(n); other > 0 && other != parent && n%3 == 0 {
				fmt.Fprintf(&stream, "merge :%d\n", other)
			}
		}
		stream.WriteString("\n")
	}
	if _, err := r.run(ctx, strings.NewReader(stream.String()), nil, "fast-import", "--quiet"); err != nil {
		t.Fatal(err)
	}
	refs, err := r.Refs(ctx, "refs/heads/")
	if err != nil {
		t.Fatal(err)
	}
	var tips []string
	for _, id := range refs {
		tips = append(tips, id)
	}
	g, err := r.Graph(ctx, tips)
	if err != nil {
		t.Fatal(err)
	}
	commits, err := r.History(ctx, tips)
	if err != nil || len(commits) != 20 {
		t.Fatalf("%d commits, %v", len(commits), err)
	}
	ofCommits := NewGraph(commits)
	for name, tip := range refs {
		out, err := r.Git(ctx, "rev-list", tip)
		if err != nil {
			t.Fatal(err)
		}
		history := g.History(tip)
		for _, other := range tips {
			want := strings.Contains(out, other)
			if got := g.Descends(tip, other); got != want || ofCommits.Descends(tip, other) != want || g.Has(history, other) != want {
				t.Errorf("%s descends from %s: %t, not %t", name, other, got, want)
			}
		}
	}
	if g.Descends(tips[0], strings.Repeat("0", 40)) || g.Has(g.History("none"), tips[0]) {
		t.Error("a commit that is not there has relatives")
	}
	if _, err := r.Graph(ctx, []string{tips[0], "", tips[1]}); err == nil {
		t.Error("an empty revision passes, and ends what is read")
	}
	if none, err := r.History(ctx, nil); err != nil || none != nil {
		t.Errorf("the history of nothing: %d commits, %v", len(none), err)
	}
	if empty, err := r.Graph(ctx, nil); err != nil || empty.Descends(tips[0], tips[0]) {
		t.Errorf("a graph of nothing: %v", err)
	}
}
