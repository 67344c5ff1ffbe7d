package publish

import (
	"context"
	"fmt"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/gomodule"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign/gittag"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/version"
)

// moduleRefs are the refs of the tags of Go modules below the root.
func (p *publication) moduleRefs() []string {
	var refs []string
	for _, m := range p.bundle.Record.Modules {
		refs = append(refs, m.Ref())
	}
	return refs
}

// acceptModule refuses what the remote has under a module's tag unless it leads to the release commit: the record's own
// tag object, or a tag that a person pushed.
func (p *publication) acceptModule(ctx context.Context, m bundle.Module, found string) error {
	if found == m.Object {
		return nil
	}
	if err := p.remote.Fetch(ctx, m.Ref()); err != nil {
		return err
	}
	objects, err := p.scratch.Objects(ctx, found)
	if err != nil {
		return fmt.Errorf("read the tag %s of %s: %w; run it again", m.Tag, p.remote.URL, err)
	}
	if _, err := gittag.Accept(m.Tag, p.bundle.Record.Commit, objects[0]); err != nil {
		return refusal.New("publish %s to %s: the tag %s of Go module %s is there with other content: %w; "+
			"a version never changes: release the next one. If the tag was pushed by mistake "+
			"and nothing of the version is published, delete it (git push %s :%s) and publish again",
			p.version, p.remote.URL, m.Tag, m.Path, err, p.remote.URL, m.Ref())
	}
	return nil
}

// otherModules refuses where the remote has tags of the modules with other content.
func (p *publication) otherModules(ctx context.Context) error {
	for _, m := range p.bundle.Record.Modules {
		if found := p.refs[m.Ref()]; found != "" {
			if err := p.acceptModule(ctx, m, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// moduleTags makes the tags of Go modules. They come before the version's own tag: the root's go.mod may require them.
func (p *publication) moduleTags(ctx context.Context) error {
	if p.remote == nil {
		return nil
	}
	for _, m := range p.bundle.Record.Modules {
		what := "annotated tag on " + p.bundle.Record.Commit[:12]
		if found := p.refs[m.Ref()]; found != "" { // otherModules has accepted it
			p.wrote(6, m.Ref(), what, There)
			continue
		}
		taken, err := p.create(ctx, 6, m.Ref(), m.Object, what)
		if err != nil {
			return err
		}
		if taken != "" {
			if err := p.acceptModule(ctx, m, taken); err != nil {
				return err
			}
			p.wrote(6, m.Ref(), what, There)
		}
	}
	return nil
}

// readModules compares what the remote's tags of Go modules point at with the bundle.
func (p *publication) readModules(ctx context.Context, refs map[string]string) error {
	for _, m := range p.bundle.Record.Modules {
		found := refs[m.Ref()]
		if found == "" {
			return fmt.Errorf("read back %s of %s: it is not there", m.Ref(), p.remote.URL)
		}
		if err := p.acceptModule(ctx, m, found); err != nil {
			return fmt.Errorf("read back %s: %w", m.Ref(), err)
		}
		p.report.Read++
	}
	return nil
}

// missingModules describes the tags of Go modules that the remote has and the clone does not: the bundle was then built
// without them.
func (p *publication) missingModules(ctx context.Context, there tags.Remote, pattern version.Pattern,
	line string) (string, error) {
	tree, err := p.scratch.Tree(ctx, p.bundle.Record.Commit)
	if err != nil {
		return "", err
	}
	defer tree.Close()
	modules, err := gomodule.Find(tree)
	if err != nil {
		return "", err
	}
	known, err := tags.ReadModules(ctx, p.to.Remote.Source)
	if err != nil {
		return "", err
	}
	return there.MissingModules(known, gomodule.Prefixes(modules), pattern, line), nil
}
