package publish

import (
	"context"
	"fmt"
	"slices"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// mostConfigured is how many earlier versions are asked whether their settings name the index.
const mostConfigured = 10

// checkConfigured refuses an index whose branch does not exist if the settings of an earlier version name it, and that
// version was published to this remote. It is for versions that were published before indexes had records.
func (p *publication) checkConfigured(ctx context.Context) error {
	if p.to.Remote.Throwaway || p.to.Remote.Again {
		return nil
	}
	refs, err := p.remote.Refs(ctx, p.index.ref(), journal.ClaimRefs+"*")
	if err != nil || refs[p.index.ref()] != "" {
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
		names, err := p.namesIndex(ctx, "refs/tags/"+v.String())
		if err != nil {
			return err
		}
		if !names {
			continue
		}
		url, branch := p.remote.URL, p.index.Branch
		return refusal.New("publish %s to the chart index on branch %s of %s: the branch does not exist, and the settings "+
			"of %s, which is published there, name it; push the branch again from a clone that has it; if there never was "+
			"one, begin it: git push %s \"$(git commit-tree -m 'chore: a chart index' \"$(git mktree </dev/null)\")\":%s",
			p.version, branch, url, v, url, p.index.ref())
	}
	return nil
}

// namesIndex tells whether the settings of a version, in the tree of its tag, release charts to the index.
func (p *publication) namesIndex(ctx context.Context, tag string) (bool, error) {
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
	return err == nil && len(c.Charts) > 0 && c.Destinations != nil && c.Destinations.Index == p.index.Branch, err
}
