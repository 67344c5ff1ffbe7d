package upgrade

import (
	"slices"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/markdown"
)

// Back is Markdown for users of a version that was rolled back: how to go back to the one before, whether its custom
// resources allow that, and what is lost. From is the version before, To the one that was rolled back.
func Back(o Options, because string) string {
	g := &guide{Options: o}
	g.line("# %s: back from %s to %s", markdown.Escape(o.Name), o.To, o.From)
	g.line("%s is %s: %s.", o.To, journal.RolledBack, markdown.Escape(because))
	g.line("Nothing of %s was deleted: if you pinned it, you still run it. Tags that move lead to %s now, and pods that pull them get it at their next start.", o.To, o.From)
	g.line("## Before you go back")
	lines := g.save("values-now.yaml")
	if len(o.Charts) > 0 {
		lines = append([]string{"helm history RELEASE --namespace NAMESPACE"}, lines...)
	}
	if len(lines) > 0 {
		g.shell(lines...)
	}
	g.resources()
	g.lost()
	g.line("## Going back")
	if len(g.Charts) > 0 {
		g.line("Go back to the revision before, with the values that it had:")
		g.shell("helm rollback RELEASE REVISION --namespace NAMESPACE --wait")
	}
	for _, c := range g.Charts {
		g.placed(c, o.From)
		g.line("If you installed %s first, install the chart `%s` of %s:", o.To, c.Name, o.From)
		g.shell("helm upgrade RELEASE " + g.place(c, o.From) + " --version " + o.From.SemVer() + " --namespace NAMESPACE --values values-now.yaml --wait")
		if c.Digest != "" {
			g.line("`helm pull %s --version %s` prints its digest, which is `%s`.", c.reference(), o.From.SemVer(), c.Digest)
		}
	}
	g.apply(o.From)
	if len(g.Images) > 0 {
		g.line("If you name the images yourself, these are the images of %s:", o.From)
		g.text.WriteString("\n")
		g.images(o.From)
	}
	g.after()
	return g.text.String()
}

// resources says whether the custom resources allow going back.
func (g *guide) resources() {
	g.line("## Custom resources")
	forward := g.of(func(f compare.Finding) bool { return f.Forward && f.Subject == compare.CRD })
	switch {
	case len(g.crds()) == 0:
		g.line("The CRDs are the same in both versions, so you can go back.")
	case len(forward) == 0:
		g.line("The CRDs differ. %s takes every object that %s takes, so you can go back. Keep the CRDs of %s.", g.From, g.To, g.To)
	default:
		g.keepCRDs()
		g.line("%s does not know the following. Take it out of your objects before you go back:", g.From)
		g.list(forward)
	}
}

// keepCRDs says how to keep the newer CRDs in the cluster.
func (g *guide) keepCRDs() {
	crds := g.crds()
	byHelm := slices.ContainsFunc(crds, func(f compare.Finding) bool {
		return f.Reach.Way == compare.ByTemplate || f.Reach.Way == compare.ByValue
	})
	if !byHelm {
		g.line("Keep the CRDs of %s: with them, stored objects stay as they are. Helm does not touch them.", g.To)
		return
	}
	g.line("The chart's templates hold the CRDs, so Helm puts the older ones in place. Objects then lose every field that the "+
		"older CRDs do not have. Save the objects first: %s.", names(crds))
}

// lost says what goes with the version.
func (g *guide) lost() {
	g.line("## What you lose")
	others := g.of(func(f compare.Finding) bool { return f.Subject != compare.CRD && f.Severity != compare.Info })
	if len(others) == 0 {
		g.line("You lose nothing but what %s fixed.", g.To)
		return
	}
	g.line("These changes of %s are taken back:", g.To)
	g.list(others)
	if len(g.Charts) > 0 {
		g.line("%s does not know values that only %s has: it ignores or refuses them. Take them out of `values-now.yaml`.", g.From, g.To)
	}
}
