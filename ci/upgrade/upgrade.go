// Package upgrade is the stage "upgrade": the guide from one version to another, for those who run the operator. It is text made of findings and of what explains
// them; it compares nothing itself, and asks no cluster.
package upgrade

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/version"
)

// Options are all that a guide is made of.
type Options struct {
	Name     string // the project's
	From, To version.Version
	Findings []compare.Finding
	Texts    map[string]string // what explains findings, by id
	Said     []Said            // what commits say that they break
	Charts   []Chart
	Images   []string          // repositories
	ImageTag string            // of the images; empty: the version
	Digests  map[string]string // of images, by repository, as far as they are known
	Warning  string            // what has to be said before everything else, if anything
}

// Said is what a commit says that it breaks.
type Said struct {
	Title string // the commit's
	Text  string // what one has to do
}

// Chart is a released chart.
type Chart struct {
	Name       string
	Repository string // the chart's name is added to it
	CRDs       bool   // it has a folder of them, which Helm installs once
	Digest     string // of its manifest, where it is known; only Back asks
}

// Guide is Markdown: what to do before, during and after, and whether and how one can go back.
func Guide(o Options) string {
	g := &guide{Options: o}
	g.line("# %s: from %s to %s", markdown.Escape(o.Name), o.From, o.To)
	if o.Warning != "" {
		g.line("> **%s**", markdown.Escape(o.Warning))
	}
	breaking := g.of(func(f compare.Finding) bool { return f.Severity == compare.Breaking })
	switch n := len(breaking); n {
	case 0:
		g.line("Nothing is known to break.")
	case 1:
		g.line("One difference may ask for your hand.")
	default:
		g.line("%d differences may ask for your hand.", n)
	}
	g.before(breaking)
	g.during()
	g.after()
	g.back()
	g.everything()
	return g.text.String()
}

type guide struct {
	Options
	text strings.Builder
}

// line is a paragraph of its own.
func (g *guide) line(format string, args ...any) {
	if g.text.Len() > 0 {
		g.text.WriteString("\n")
	}
	fmt.Fprintf(&g.text, format+"\n", args...)
}

func (g *guide) shell(lines ...string) {
	g.line("```sh\n%s\n```", strings.Join(lines, "\n"))
}

func (g *guide) of(belongs func(compare.Finding) bool) []compare.Finding {
	return slices.DeleteFunc(slices.Clone(g.Findings), func(f compare.Finding) bool { return !belongs(f) })
}

// list is findings one by one, with what explains them.
func (g *guide) list(findings []compare.Finding) {
	g.text.WriteString("\n")
	for _, f := range findings {
		change := ""
		switch {
		case f.Was != "" && f.Now != "":
			change = ": " + markdown.Code(f.Was) + " is now " + markdown.Code(f.Now)
		case f.Was != "":
			change = ": it was " + markdown.Code(f.Was)
		case f.Now != "":
			change = ": " + markdown.Code(f.Now)
		}
		object := ""
		if f.Object != "" && !strings.Contains(f.What, f.Object) {
			object = markdown.Escape(f.Object) + ": "
		}
		fmt.Fprintf(&g.text, "- %s%s%s (%s)\n", object, markdown.Escape(f.What), change, markdown.Code(f.ID))
		if text := g.Texts[f.ID]; text != "" {
			fmt.Fprintf(&g.text, "\n  %s\n", markdown.Escape(text))
		}
	}
}

// headingBefore is over what has to be done before the upgrade.
const headingBefore = "Before"

func (g *guide) before(breaking []compare.Finding) {
	g.line("## " + headingBefore)
	g.line("Keep what you have set, and what is stored:")
	lines := []string{"helm get values RELEASE --namespace NAMESPACE --output yaml > values-before.yaml"}
	for _, crd := range g.crds() {
		lines = append(lines, "kubectl get "+crd+" --all-namespaces --output yaml > "+crd+".yaml")
	}
	g.shell(lines...)
	if len(g.Said) > 0 {
		g.line("### What its makers say")
		g.text.WriteString("\n")
		for _, s := range g.Said {
			fmt.Fprintf(&g.text, "- %s\n\n  %s\n", markdown.Escape(s.Title), markdown.Escape(s.Text))
		}
	}
	subjects := []struct{ subject, title string }{
		{compare.Values, "Values to change"}, {compare.CRD, "Custom resources"}, {compare.RBAC, "Permissions that go"},
		{compare.Webhook, "Webhooks"}, {compare.Objects, "Objects"}, {compare.Image, "What is released"}, {compare.Go, "Go"},
	}
	for _, s := range subjects {
		var found []compare.Finding
		for _, f := range breaking {
			if f.Subject == s.subject {
				found = append(found, f)
			}
		}
		if len(found) > 0 {
			g.line("### %s", s.title)
			g.list(found)
		}
	}
}

// crds are the names of the CRDs that findings are about.
func (g *guide) crds() []string {
	var names []string
	for _, f := range g.Findings {
		if name, ok := strings.CutPrefix(f.Object, "CustomResourceDefinition "); ok && f.Subject == compare.CRD && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (g *guide) during() {
	g.line("## During")
	for _, c := range g.Charts {
		reference := "oci://" + path.Join(c.Repository, c.Name)
		if crds := g.crds(); len(crds) > 0 && c.CRDs {
			g.line("Helm installs CRDs with the first release only, so they are applied before the upgrade: %s.", strings.Join(crds, ", "))
			g.shell("helm show crds " + reference + " --version " + g.To.SemVer() + " | kubectl apply --server-side --force-conflicts --filename -")
		}
		g.line("The chart `%s`, with values that say what they say now and defaults that are the new ones:", c.Name)
		g.shell("helm upgrade RELEASE " + reference + " --version " + g.To.SemVer() + " --namespace NAMESPACE --reset-then-reuse-values")
	}
	if len(g.Images) > 0 {
		g.line("Images, for those who name them themselves; all digests are in the release's `release.json`:")
		g.text.WriteString("\n")
		g.images(g.To)
	}
}

// images lists the images of a version.
func (g *guide) images(v version.Version) {
	for _, repository := range g.Images {
		at := ""
		if digest := g.Digests[repository]; digest != "" {
			at = "@" + digest
		}
		fmt.Fprintf(&g.text, "- `%s:%s%s`\n", repository, cmp.Or(g.ImageTag, v.String()), at)
	}
}

func (g *guide) after() {
	g.line("## After")
	g.shell("kubectl rollout status deployment --selector app.kubernetes.io/instance=RELEASE --namespace NAMESPACE")
	if permissions := g.of(func(f compare.Finding) bool { return f.Subject == compare.RBAC }); len(permissions) > 0 {
		g.line("The operator's permissions come and go:")
		g.list(permissions)
	}
}

func (g *guide) back() {
	g.line("## Going back")
	forward := g.of(func(f compare.Finding) bool { return f.Forward })
	if len(forward) > 0 {
		g.line("%s knows nothing of what follows. Once it is used, going back loses it, or finds objects that %s does not take; take it out of your objects first:", g.From, g.From)
		g.list(forward)
	}
	if len(g.crds()) > 0 {
		g.line("Leave the CRDs as they are: a version that objects are stored in cannot be dropped, and Helm does not touch them.")
	}
	for _, c := range g.Charts {
		g.shell("helm upgrade RELEASE oci://" + path.Join(c.Repository, c.Name) + " --version " + g.From.SemVer() + " --namespace NAMESPACE --values values-before.yaml")
	}
}

func (g *guide) everything() {
	g.line("## All that differs")
	if len(g.Findings) == 0 {
		g.line("Nothing that was looked at: CRDs, values, rendered objects, permissions, webhooks, images, Go and its modules.")
		return
	}
	for _, severity := range []compare.Severity{compare.Breaking, compare.Notable, compare.Info} {
		found := g.of(func(f compare.Finding) bool { return f.Severity == severity })
		if len(found) > 0 {
			title := string(severity)
			g.line("### %s", strings.ToUpper(title[:1])+title[1:])
			texts := g.Texts
			g.Texts = nil // said above
			g.list(found)
			g.Texts = texts
		}
	}
}
