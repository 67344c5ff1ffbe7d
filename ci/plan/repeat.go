package plan

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/sign/gittag"
)

// checkRepeat compares the commit of an existing tag with the release commit. It accepts a tag on the release commit,
// also one that a person pushed. gittag.Accept has the rule, and publication applies the same rule.
func (m *maker) checkRepeat(ctx context.Context, _ *git.Tree) error {
	p := &m.plan
	m.repeatModules()
	tagged := m.tags[p.Version]
	if there := m.remoteTag(); there != "" && there != p.Commit && there != tagged {
		m.against("%s has a tag %s on commit %s, and this release would be commit %s; %s",
			m.Remote, p.Version, there, p.Commit, m.otherTagAdvice(ctx, there))
	}
	if !m.place.Exists {
		return nil
	}
	if tagged != p.Commit {
		m.against("%s is tagged already, with other content: its tag is on commit %s, this release would be commit %s; %s",
			p.Version, tagged, p.Commit, m.otherTagAdvice(ctx, tagged))
		return nil
	}
	p.Exists = true
	notice := fmt.Sprintf("%s is tagged already, with the same content (commit %s)", p.Version, short(tagged))
	published, err := m.published(ctx)
	if err == nil && !published {
		notice += "; publish keeps the tag of the git remote, or creates one if the remote has none"
		err = m.checkPushedTag(ctx)
	}
	m.notice("%s", notice)
	return err
}

// remoteTag is the commit of the version's tag at the remote, as it answered; empty where it has none.
func (m *maker) remoteTag() string {
	if m.Remote == nil {
		return ""
	}
	return m.Remote.Tags()[m.plan.Version]
}

// otherTagAdvice says what to do about a tag on another commit than the release commit.
func (m *maker) otherTagAdvice(ctx context.Context, tagged string) string {
	p := &m.plan
	if m.Remote != nil && m.Remote.Refs[journal.ClaimRef(p.Version)] != "" {
		return p.Version.String() + " is published, and a published version never changes: release the next one"
	}
	remove := m.removeTag(ctx)
	if tagged != p.Base {
		return fmt.Sprintf("a published version never changes: release the next one; if nothing of %s is published, "+
			"release the tagged commit (git switch --detach %s), or delete the tag (%s)", p.Version, p.Version, remove)
	}
	return fmt.Sprintf("the tagged commit does not contain the version: the release edits %s; "+
		"if nothing of %s is published, delete the tag (%s); publish then creates it; "+
		"or run operator-release prepare %s after that, and tag its commit",
		strings.Join(p.Edits(), ", "), p.Version, remove, p.Version)
}

// removeTag is the command that deletes the version's tag where it is: here, at the remote, or both.
func (m *maker) removeTag(ctx context.Context) string {
	remote, _, err := m.Repository.Tracking(ctx)
	if err != nil { // it is not clear which remote
		return fmt.Sprintf("git tag -d %s, and delete it at the remote that has it", m.plan.Version)
	}
	remove := fmt.Sprintf("git push %s :refs/tags/%s", remote, m.plan.Version)
	if m.place.Exists {
		remove = fmt.Sprintf("git tag -d %s && %s", m.plan.Version, remove)
	}
	return remove
}

// published tells whether the version's tag in this clone is the one that a publication makes, signed or not, or the
// clone has the version's claim.
func (m *maker) published(ctx context.Context) (bool, error) {
	claim, err := m.Repository.Refs(ctx, journal.ClaimRef(m.plan.Version))
	if err != nil || len(claim) > 0 {
		return len(claim) > 0, err
	}
	tag, err := m.tagObject(ctx)
	if err != nil {
		return false, err
	}
	unsigned, _, _ := git.CutSignature(tag.Content)
	return tag.Type == "tag" && git.ID("tag", unsigned, m.plan.Tag) == m.plan.Tag, nil
}

// tagObject is what the version's tag in this clone points at.
func (m *maker) tagObject(ctx context.Context) (git.Object, error) {
	id, err := m.Repository.Git(ctx, "rev-parse", "--verify", "refs/tags/"+m.plan.Version.String())
	if err != nil {
		return git.Object{}, err
	}
	objects, err := m.Repository.Objects(ctx, id)
	if err != nil {
		return git.Object{}, err
	}
	return objects[0], nil
}

// checkPushedTag adds a blocking problem for a tag that publication would refuse. A tag alone publishes nothing: the
// rules for gaps and the policy still apply.
func (m *maker) checkPushedTag(ctx context.Context) error {
	tag, err := m.tagObject(ctx)
	if err != nil {
		return err
	}
	p := &m.plan
	if _, err := gittag.Accept(p.Version.String(), p.Commit, tag); err != nil {
		m.against("%s is tagged already, and publish does not accept the tag: %v; "+
			"delete it (%s), and tag the commit again",
			p.Version, err, m.removeTag(ctx))
	}
	others := maps.Clone(m.tags)
	delete(others, p.Version)
	if _, err := others.Place(ctx, m.Repository, p.Config.Pattern(), p.Version, m.base); refusal.Is(err) {
		m.against("%v", err)
	} else if err != nil {
		return err
	}
	m.applyPolicy()
	p.Against = append(p.Against, m.unfit...)
	return nil
}
