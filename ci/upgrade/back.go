package upgrade

import (
	"path"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/markdown"
)

// Back is Markdown for those who run a version that was rolled back: what they have to do to go back to the one before, whether its custom resources allow that, and what
// is lost. From is the version before, To the one that was rolled back.
func Back(o Options, because string) string {
	g := &guide{Options: o}
	g.line("# %s: back from %s to %s", markdown.Escape(o.Name), o.To, o.From)
	g.line("%s is %s: %s.", o.To, journal.RolledBack, markdown.Escape(because))
	g.line("Who has pinned %s goes on with it: nothing of it is deleted. Tags that move lead to %s, and pods that pull them take it when they start again.", o.To, o.From)
	g.line("## Before")
	lines := []string{"helm history RELEASE --namespace NAMESPACE", "helm get values RELEASE --namespace NAMESPACE --output yaml > values-now.yaml"}
	for _, crd := range g.crds() {
		lines = append(lines, "kubectl get "+crd+" --all-namespaces --output yaml > "+crd+".yaml")
	}
	g.shell(lines...)
	g.resources()
	g.lost()
	g.line("## Going back")
	g.line("The revision before, as it was installed, with the values that it had:")
	g.shell("helm rollback RELEASE REVISION --namespace NAMESPACE --wait")
	for _, c := range g.Charts {
		reference := "oci://" + path.Join(c.Repository, c.Name)
		g.line("Or the chart `%s` of %s, also where %s was installed first:", c.Name, o.From, o.To)
		g.shell("helm upgrade RELEASE " + reference + " --version " + o.From.SemVer() + " --namespace NAMESPACE --values values-now.yaml --wait")
		if c.Digest != "" {
			g.line("`helm pull %s --version %s` prints its digest, which is `%s`.", reference, o.From.SemVer(), c.Digest)
		}
	}
	if len(g.Images) > 0 {
		g.line("Images of %s, for those who name them themselves:", o.From)
		g.text.WriteString("\n")
		g.images(o.From)
	}
	g.line("## After")
	g.shell("kubectl rollout status deployment --selector app.kubernetes.io/instance=RELEASE --namespace NAMESPACE")
	return g.text.String()
}

// resources says whether the custom resources allow going back.
func (g *guide) resources() {
	g.line("## Custom resources")
	forward := g.of(func(f compare.Finding) bool { return f.Forward && f.Subject == compare.CRD })
	switch {
	case len(g.crds()) == 0:
		g.line("They are the same in both versions: nothing stands against going back.")
	case len(forward) == 0:
		g.line("They differ, and every object that %s takes is one that %s takes, too. Leave the definitions as they are.", g.To, g.From)
	default:
		g.line("%s takes what %s does not know. Leave the definitions of %s in place: Helm does not touch them, and with them objects stay as they are stored. Those of %s must not be applied before no object uses any of this:", g.To, g.From, g.To, g.From)
		g.list(forward)
	}
}

// lost says what goes with the version.
func (g *guide) lost() {
	g.line("## What is lost")
	others := g.of(func(f compare.Finding) bool { return f.Subject != compare.CRD && f.Severity != compare.Info })
	if len(others) == 0 {
		g.line("Nothing but what %s fixed.", g.To)
		return
	}
	g.line("What %s changed is as it was. Values that it alone knows have no effect, or are refused; take them out of `values-now.yaml`:", g.To)
	g.list(others)
}
