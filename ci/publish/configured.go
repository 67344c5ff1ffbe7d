package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// mostConfigured is how many earlier versions are asked whether their settings name the index.
const mostConfigured = 10

// checkConfigured refuses an index without record that lists none of these charts if the settings of an earlier version
// name it, and that version was published to this remote with one of the charts. The index was emptied, or that version
// was never listed; a record of what the branch is now says so.
func (p *publication) checkConfigured(ctx context.Context, charts []string) error {
	if p.to.Remote.Throwaway || p.to.Remote.Again {
		return nil
	}
	record := journal.IndexRef(p.index.Branch)
	refs, err := p.remote.Refs(ctx, p.index.ref(), record, journal.ClaimRefs+"*")
	if err != nil || refs[record] != "" {
		return err
	}
	tagged, marks, err := journal.Out(ctx, p.remote)
	if err != nil {
		return err
	}
	tagged = slices.DeleteFunc(tagged, func(v version.Version) bool {
		return refs[journal.ClaimRef(v)] == "" || marks[v].State == journal.RolledBack || v.String() == p.version
	})
	slices.SortFunc(tagged, func(a, b version.Version) int { return b.Compare(a) })
	for _, v := range tagged[:min(mostConfigured, len(tagged))] {
		names, err := p.namesIndex(ctx, "refs/tags/"+v.String(), charts)
		if err != nil {
			return err
		}
		if !names {
			continue
		}
		url, branch, tip := p.remote.URL, p.index.Branch, refs[p.index.ref()]
		what := fmt.Sprintf("it lists no version of chart %s, and", strings.Join(charts, ", "))
		bring := fmt.Sprintf("bring %s back from a clone that has it", indexFile)
		begin := fmt.Sprintf("%s:%s", tip, record)
		if tip == "" {
			what, bring = "the branch does not exist, and", "push the branch again from a clone that has it"
			begin = fmt.Sprintf("$c:%s $c:%s", p.index.ref(), record)
		}
		way := fmt.Sprintf("git push %s %s", url, begin)
		if tip == "" {
			way = "c=$(git commit-tree -m 'chore: a chart index' \"$(git mktree </dev/null)\"); " + way
		}
		return refusal.New("publish %s to the chart index on branch %s of %s: %s the settings of %s, which is published "+
			"there, name it; %s; if the index begins anew, say so: %s", p.version, branch, url, what, v, bring, way)
	}
	return nil
}

// namesIndex tells whether the settings of a version, in the tree of its tag, release one of these charts to the index.
func (p *publication) namesIndex(ctx context.Context, tag string, charts []string) (bool, error) {
	refs, err := p.remote.Refs(ctx, tag)
	if err != nil || refs[tag] == "" {
		return false, err
	}
	if err := p.remote.Fetch(ctx, tag); err != nil {
		return false, err
	}
	commit, err := p.scratch.Git(ctx, "rev-parse", "--verify", refs[tag]+"^{commit}")
	if err != nil {
		return false, fmt.Errorf("read %s of %s: %w", tag, p.remote.URL, err)
	}
	tree, err := p.scratch.Tree(ctx, commit)
	if err != nil {
		return false, err
	}
	defer tree.Close()
	c, err := config.Load(tree, "", nil)
	if refusal.Is(err) {
		return false, nil // they name nothing that could be read
	}
	if err != nil || c.Destinations == nil || c.Destinations.Index != p.index.Branch {
		return false, err
	}
	for _, chart := range c.Charts {
		content, err := tree.ReadFile(path.Join(chart.Path, "Chart.yaml"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		var meta struct {
			Name string `yaml:"name"`
		}
		if yaml.Unmarshal(content, &meta) == nil && slices.Contains(charts, meta.Name) {
			return true, nil
		}
	}
	return false, nil
}
