// Package branch is the stage "branch": whether a release line may be cut from the development branch, and where. It moves no ref; whoever asks makes the
// branch once the gate has passed.
package branch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/toolchain"
)

// Options are what is cut, of what.
type Options struct {
	Repository *git.Repository
	ConfigName string        // of the settings file that Content is of
	Content    []byte        // nil: the repository's own, at the commit that the line begins with
	Config     config.Config // for the branches' names
	Line       string        // such as 1.5
}

// Cut is a line's branch and where it begins.
type Cut struct {
	Line      string        `json:"line"`
	Branch    string        `json:"branch"`
	From      string        `json:"from"`   // the development branch
	Commit    string        `json:"commit"` // that the line begins with; of a branch that is there already, where it is
	Subject   string        `json:"subject"`
	There     bool          `json:"there"` // with nothing that the development branch has not
	Time      time.Time     `json:"time"`
	Toolchain string        `json:"toolchain"`
	Config    config.Config `json:"config"` // at Commit, for the gate
}

// Plan tells where a line would begin. A line that is there with content of its own, one that comes before or too far behind the newest, and one whose branch is gone
// are refused.
func Plan(ctx context.Context, o Options) (Cut, error) {
	pattern := o.Config.Pattern()
	name, err := pattern.BranchOf(o.Line)
	if err != nil {
		return Cut{}, err
	}
	c := Cut{Line: o.Line, Branch: name, From: o.Config.Development}
	tip, err := o.Repository.DevelopmentTip(ctx, c.From)
	if err != nil {
		return c, fmt.Errorf("cut line %s: %w", o.Line, err)
	}
	there, err := o.Repository.Newest(ctx, name)
	if err != nil {
		return c, err
	}
	if there != "" {
		inside, err := o.Repository.Descends(ctx, tip, there)
		if err != nil {
			return c, err
		}
		if !inside {
			return c, refusal.New("cut line %s: branch %s is there already, at %.12s, with commits that %s has not; a line is cut once", o.Line, name, there, c.From)
		}
		c.There, tip = true, there
	} else if err := o.order(ctx, name); err != nil {
		return c, err
	}
	return c, o.describe(ctx, &c, tip)
}

// order refuses a line that has versions or may not follow the newest one.
func (o Options) order(ctx context.Context, name string) error {
	pattern := o.Config.Pattern()
	tagged, err := tags.Read(ctx, o.Repository)
	if err != nil {
		return err
	}
	var lines []string
	for _, v := range tagged.Versions() { // the newest first
		if pattern.Line(v) == o.Line {
			return refusal.New("cut line %s: %s was released from it, and its branch %s is not in this clone; "+
				"fetch it, or, if it is gone, make it: git branch %s %s", o.Line, v, name, name, v)
		}
		lines = append(lines, pattern.Line(v))
	}
	branches, err := o.Repository.Branches(ctx)
	if err != nil {
		return err
	}
	for _, branch := range branches.Names() {
		if line, ok := pattern.LineOf(branch); ok {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return pattern.FollowLine(slices.Compact(lines), o.Line)
}

func (o Options) describe(ctx context.Context, c *Cut, commit string) error {
	at, err := o.Repository.Commit(ctx, commit)
	if err != nil {
		return err
	}
	tree, err := o.Repository.Tree(ctx, commit)
	if err != nil {
		return err
	}
	defer tree.Close()
	c.Commit, c.Time = at.ID, at.Committer.Time.UTC()
	c.Subject, _, _ = strings.Cut(at.Message, "\n")
	if c.Config, err = config.Read(tree, o.ConfigName, o.Content); err != nil {
		return err
	}
	c.Toolchain, err = toolchain.Named(tree)
	return err
}
