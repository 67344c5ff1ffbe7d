// Package followup is the stage "followup": what the development branch is to have of a final version once that is out. Its section of the changelog, which else
// would be on the release branch only, and the version that the development branch carries from then on. It makes objects in a quarantine and moves no ref.
package followup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/operator-release/operator-release/ci/changelog"
	"github.com/operator-release/operator-release/ci/committer"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/surface"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/version"
)

// Options are what is carried, and where.
type Options struct {
	Repository *git.Repository // with a quarantine, where objects go
	Config     config.Config
	Version    version.Version
	Next       version.Version // what the development branch says then; empty: Version, where it says an older one
}

// Followup is a commit on top of the development branch.
type Followup struct {
	Version version.Version `json:"version"`
	Onto    string          `json:"onto"`             // the development branch
	Tip     string          `json:"tip"`              // where it is
	Branch  string          `json:"branch,omitempty"` // that holds the commit; empty where there is nothing to carry
	Commit  string          `json:"commit,omitempty"`
	Says    version.Version `json:"says"`              // what the surfaces say then; empty where they stay
	Edits   []string        `json:"edits"`             // files, sorted
	Notices []string        `json:"notices,omitempty"` // what one should know
}

// Make makes the commit. A version that is no final, or not tagged, is refused.
func Make(ctx context.Context, o Options) (Followup, error) {
	f := Followup{Version: o.Version, Onto: o.Config.Development, Edits: []string{}}
	if _, candidate := o.Version.Candidate(); candidate {
		return f, refusal.New("follow up %s: it is a candidate, and its final rolls it up; follow that up", o.Version)
	}
	if !o.Next.IsZero() && o.Next.Compare(o.Version) <= 0 {
		return f, refusal.New("follow up %s with %s: that does not come after it", o.Version, o.Next)
	}
	tagged, err := tags.Read(ctx, o.Repository)
	if err != nil {
		return f, err
	}
	released, ok := tagged[o.Version]
	if !ok {
		return f, refusal.New("follow up %s: there is no tag of it here; publish it first, or fetch it: git fetch --tags", o.Version)
	}
	if f.Tip, err = o.Repository.DevelopmentTip(ctx, f.Onto); err != nil {
		return f, fmt.Errorf("follow up %s: %w", o.Version, err)
	}
	edits, err := o.edits(ctx, &f, released)
	if err != nil || len(edits) == 0 {
		return f, err
	}
	tip, err := o.Repository.Commit(ctx, f.Tip)
	if err != nil {
		return f, err
	}
	by := committer.Of(o.Config, tip)
	message := by.Message(fmt.Sprintf("chore(release): carry %s to %s\n", o.Version, f.Onto))
	made, err := o.Repository.NewCommit(ctx, tip, edits, by.Person, message)
	if err != nil {
		return f, err
	}
	f.Branch, f.Commit = "followup/"+o.Version.String(), made.ID
	return f, nil
}

// edits are the contents of the files to change on the development branch.
func (o Options) edits(ctx context.Context, f *Followup, released string) (map[string][]byte, error) {
	tree, err := o.Repository.Tree(ctx, f.Tip)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	places, err := surface.Rewrite(tree, o.Config, o.says(), surface.Before{Versions: []version.Version{o.Version},
		Tree: func(version.Version) (surface.Tree, error) { return o.Repository.Tree(ctx, released) }})
	if err != nil {
		return nil, err
	}
	edits := places.Edits
	f.Says = o.says()
	for _, at := range places.Follow {
		now, _, ok := surface.Parse(at.Text)
		if ok && now.Compare(f.Says) > 0 {
			f.Notices = append(f.Notices, fmt.Sprintf("%s says %s already, in %s: versions there stay", f.Onto, now, at.Path))
			f.Says, edits = version.Version{}, map[string][]byte{}
			break
		}
	}
	if file := o.Config.ChangelogOf(o.Version); file != "" {
		if err := o.carry(ctx, f, tree, released, file, edits); err != nil {
			return nil, err
		}
	}
	f.Edits = slices.AppendSeq(f.Edits, maps.Keys(edits))
	slices.Sort(f.Edits)
	return edits, nil
}

func (o Options) says() version.Version {
	if o.Next.IsZero() {
		return o.Version
	}
	return o.Next
}

// carry puts the version's section into the development branch's changelog.
func (o Options) carry(ctx context.Context, f *Followup, tree *git.Tree, released, file string, edits map[string][]byte) error {
	then, err := o.Repository.Tree(ctx, released)
	if err != nil {
		return err
	}
	defer then.Close()
	content, err := then.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	section := changelog.Section(content, o.Version)
	if section == "" {
		f.Notices = append(f.Notices, fmt.Sprintf("%s of %s has no section of it, so there is none to carry; operator-release notes %s prints one", file, o.Version, o.Version))
		return nil
	}
	now, err := tree.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if e, ok := tree.Entry(file); ok && e.Mode == "120000" {
		return refusal.New("edit changelog %s: it is a symbolic link; name the file itself (changelog: PATH in %s)", file, config.File)
	}
	if after := changelog.Enter(changelog.Drop(now, section), o.Version, section); string(after) != string(now) {
		edits[file] = after
	}
	return nil
}
