// Package upgrade writes the guide from one version to another, for users of the operator. It turns findings, and what
// explains them, into text. It compares nothing itself, and asks no cluster.
package upgrade

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/version"
)

// Options are all that a guide is made of.
type Options struct {
	Name      string // the project's
	From, To  version.Version
	Findings  []compare.Finding
	Texts     map[string]string // what explains findings, by id
	Said      []Said            // what commits say that they break
	Behaviour []Said            // commits that touch webhooks, validation or defaults, and what they touch
	Charts    []Chart
	Foreign   Foreign
	Manifests compare.Manifests // what users apply where no chart is released
	Images    []string          // repositories
	ImageTag  string            // of the images; empty: the version
	Digests   map[string]string // of images, by repository, as far as they are known
	Warning   string            // what has to be said before everything else, if anything
}

// Foreign tells which versions this tool did not publish. Where their charts lie is not known.
type Foreign struct{ From, To bool }

// Said is what a commit says.
type Said struct {
	Title string // the commit's
	Text  string
}

// Chart is a released chart.
type Chart struct {
	Name       string
	Repository string // the chart's name is added to it
	Digest     string // of its manifest, where it is known; only Back asks
}

func (c Chart) reference() string { return "oci://" + path.Join(c.Repository, c.Name) }

// place is what a command names for a chart of a version: where it is published, or CHART.
func (g *guide) place(c Chart, v version.Version) string {
	if c.Repository == "" || v == g.To && g.Foreign.To || v == g.From && g.Foreign.From {
		return "CHART"
	}
	return c.reference()
}

// placed says what CHART stands for in the commands for a version.
func (g *guide) placed(c Chart, v version.Version) {
	if g.place(c, v) == "CHART" {
		g.line("CHART is the place from where you installed the chart `%s`, such as REPOSITORY/%s.", c.Name, c.Name)
	}
}

// Guide is Markdown: what to do before, during and after the upgrade, and how to go back.
func Guide(o Options) string {
	g := &guide{Options: o}
	g.line("# %s: from %s to %s", markdown.Escape(o.Name), o.From, o.To)
	if o.Warning != "" {
		g.line("> **%s**", markdown.Escape(o.Warning))
	}
	breaking := g.of(func(f compare.Finding) bool { return f.Severity == compare.Breaking })
	g.summary(len(breaking))
	g.before(breaking)
	g.during()
	g.after()
	g.back()
	g.everything()
	return g.text.String()
}

// summary says in short whether the upgrade can break something.
func (g *guide) summary(breaking int) {
	unread := g.notCompared()
	switch {
	case breaking == 1:
		g.line("One change can break what you run.")
	case breaking > 1:
		g.line("%d changes can break what you run.", breaking)
	case len(unread) > 0:
		g.line("Not everything could be compared. In the rest, nothing is known to break.")
	case len(g.Behaviour) > 0:
		g.line("No interface changed in a way that is known to break. The behaviour of webhooks, validation or defaults changed.")
	default:
		g.line("Nothing is known to break.")
	}
	if len(unread) > 0 {
		g.line("### Not compared")
		g.text.WriteString("\n")
		for _, f := range unread {
			fmt.Fprintf(&g.text, "- %s\n", markdown.Escape(f.What))
		}
	}
}

// notCompared are the parts of either version that could not be read.
func (g *guide) notCompared() []compare.Finding {
	return g.of(func(f compare.Finding) bool { return f.NotCompared })
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

// save are the commands that keep what users have set and stored.
func (g *guide) save(values string) (lines []string) {
	if len(g.Charts) > 0 {
		lines = append(lines, "helm get values RELEASE --namespace NAMESPACE --output yaml > "+values)
	}
	for _, f := range g.crds() {
		if !strings.HasSuffix(f.ID, "/added") || strings.Count(f.ID, "/") > 2 { // a new CRD has no objects yet
			name := crdName(f)
			lines = append(lines, "kubectl get "+name+" --all-namespaces --output yaml > "+name+".yaml")
		}
	}
	return lines
}

func (g *guide) before(breaking []compare.Finding) {
	lines := g.save("values-before.yaml")
	if len(lines)+len(g.Said)+len(g.Behaviour)+len(breaking) == 0 {
		return
	}
	g.line("## " + headingBefore)
	if len(lines) > 0 {
		what := "values and your objects"
		switch {
		case len(g.Charts) == 0:
			what = "objects"
		case len(lines) == 1:
			what = "values"
		}
		g.line("Save your %s:", what)
		g.shell(lines...)
	}
	g.said("What the authors say", g.Said)
	g.said("Webhooks, validation and defaults", g.Behaviour)
	subjects := []struct{ subject, title string }{
		{compare.Values, "Values to change"}, {compare.CRD, "Custom resources"}, {compare.RBAC, "Permissions that go"},
		{compare.Webhook, "Webhooks"}, {compare.Objects, "Objects"}, {compare.Image, "What is released"}, {compare.Go, "Go"},
		{compare.Flags, "Flags of the command line"},
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
		if s.subject == compare.CRD {
			g.stored()
		}
	}
}

// stored says how to move stored objects out of versions of CRDs that are gone.
func (g *guide) stored() {
	for _, f := range g.Findings {
		s := f.Stored
		if s == nil {
			continue
		}
		g.line("Look whether objects of %s may be stored as %s:", s.CRD, s.Version)
		g.shell("kubectl get crd " + s.CRD + " --output jsonpath='{.status.storedVersions}'")
		if s.Now == "" {
			g.line("%s stores them so. First upgrade to a version that serves %s and stores another version of it. There, write "+
				"all objects again, and set `status.storedVersions`.", g.From, s.Version)
			continue
		}
		g.line("If %s is listed, write all objects again, and take it out of the list:", s.Version)
		g.shell("kubectl get "+s.CRD+" --all-namespaces --output json | kubectl replace --filename -",
			"kubectl patch crd "+s.CRD+` --subresource status --type merge --patch '{"status":{"storedVersions":["`+s.Now+`"]}}'`)
	}
}

// said lists commits under a heading.
func (g *guide) said(title string, commits []Said) {
	if len(commits) == 0 {
		return
	}
	g.line("### %s", title)
	g.text.WriteString("\n")
	for _, s := range commits {
		fmt.Fprintf(&g.text, "- %s\n\n  %s\n", markdown.Escape(s.Title), markdown.Escape(s.Text))
	}
}

// crdName is the name of the CRD that a finding is about.
func crdName(f compare.Finding) string {
	return strings.TrimPrefix(f.Object, "CustomResourceDefinition ")
}

// crds are the CRDs that differ, by name, each with one of its findings: the one that says that it is new or gone, if
// there is one.
func (g *guide) crds() []compare.Finding {
	byName := map[string]compare.Finding{}
	for _, f := range g.Findings {
		if f.Subject != compare.CRD || f.Reach == nil {
			continue
		}
		if _, there := byName[crdName(f)]; !there {
			byName[crdName(f)] = f
		}
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b compare.Finding) int {
		return strings.Compare(crdName(a), crdName(b))
	})
}

// reached are the CRDs of the newer version that differ and come into a cluster in one way.
func (g *guide) reached(way compare.Way) []compare.Finding {
	return slices.DeleteFunc(g.crds(), func(f compare.Finding) bool { return f.Reach.Way != way || f.Gone })
}

// names are the names of CRDs, in a sentence.
func names(crds []compare.Finding) string {
	var all []string
	for _, f := range crds {
		all = append(all, crdName(f))
	}
	return strings.Join(all, ", ")
}

func (g *guide) during() {
	g.line("## Upgrade")
	g.applyCRDs()
	for _, c := range g.Charts {
		g.placed(c, g.To)
		g.line("Upgrade the chart `%s`. Your values stay, and all others become the new defaults:", c.Name)
		g.shell("helm upgrade RELEASE " + g.place(c, g.To) + " --version " + g.To.SemVer() + " --namespace NAMESPACE --reset-then-reuse-values")
	}
	g.apply(g.To)
	if len(g.Images) > 0 {
		g.line("If you name the images yourself, these are the new ones. Their digests are in the release's `release.json`:")
		g.text.WriteString("\n")
		g.images(g.To)
	}
}

// applyCRDs says how the CRDs that differ come into the cluster.
func (g *guide) applyCRDs() {
	for _, c := range g.Charts {
		crds := slices.DeleteFunc(g.reached(compare.ByFolder), func(f compare.Finding) bool { return f.Reach.Chart != c.Name })
		if len(crds) > 0 {
			g.line("Helm does not upgrade these CRDs. Apply them first: %s.", names(crds))
			g.shell("helm show crds " + g.place(c, g.To) + " --version " + g.To.SemVer() + " | kubectl apply --server-side --force-conflicts --filename -")
		}
	}
	if crds := g.reached(compare.ByTemplate); len(crds) > 0 {
		g.line("The chart upgrades these CRDs: %s.", names(crds))
	}
	if crds := g.reached(compare.ByValue); len(crds) > 0 {
		g.line("The chart upgrades these CRDs where its values say so: %s. Elsewhere, apply them first:", names(crds))
		for _, c := range g.Charts {
			of := slices.DeleteFunc(slices.Clone(crds), func(f compare.Finding) bool { return f.Reach.Chart != c.Name })
			var files []string
			for _, f := range of {
				if _, below, ok := strings.Cut(f.Reach.File, "/templates/"); ok && !slices.Contains(files, "templates/"+below) {
					files = append(files, "templates/"+below)
				}
			}
			if len(files) == 0 {
				continue
			}
			command := "helm template RELEASE " + g.place(c, g.To) + " --version " + g.To.SemVer() + " --set " + strings.Join(of[0].Reach.Values, ",")
			for _, file := range files {
				command += " --show-only " + file
			}
			g.shell(command + " | kubectl apply --server-side --force-conflicts --filename -")
		}
	}
	crds := g.reached(compare.ByFile)
	if len(crds) == 0 || g.Manifests.Kustomization != "" {
		return
	}
	var files []string
	for _, f := range crds {
		if !slices.Contains(files, f.Reach.File) && !slices.Contains(g.Manifests.Files, f.Reach.File) {
			files = append(files, f.Reach.File)
		}
	}
	if len(files) > 0 {
		g.line("In a clone of the repository, apply these CRDs first: %s.", names(crds))
		g.applyFiles(g.To, files)
	}
}

// apply says how to apply the manifests of a version.
func (g *guide) apply(v version.Version) {
	switch {
	case g.Manifests.Kustomization != "":
		g.line("In a clone of the repository, apply what `%s` builds:", g.Manifests.Kustomization)
		g.shell("git checkout "+v.String(), "kubectl apply --server-side --kustomize "+g.Manifests.Kustomization)
	case len(g.Manifests.Files) == 1:
		g.line("In a clone of the repository, apply the manifest:")
		g.applyFiles(v, g.Manifests.Files)
	case len(g.Manifests.Files) > 1:
		g.line("In a clone of the repository, apply the manifests that you installed. They may be alternatives:")
		commands := []string{"git checkout " + v.String()}
		for _, file := range g.Manifests.Files {
			commands = append(commands, "kubectl apply --server-side --filename "+file)
		}
		g.shell(commands...)
	case len(g.Charts) == 0:
		g.line("Install %s in the same way as the version that you run: the settings name no chart, and no manifest was found.", v)
	}
}

// applyFiles are the commands that apply files of a version.
func (g *guide) applyFiles(v version.Version, files []string) {
	command := "kubectl apply --server-side"
	for _, file := range files {
		command += " --filename " + file
	}
	g.shell("git checkout "+v.String(), command)
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
	if len(g.Charts) > 0 {
		g.line("## After")
		g.shell("kubectl rollout status deployment --selector app.kubernetes.io/instance=RELEASE --namespace NAMESPACE")
	}
}

func (g *guide) back() {
	g.line("## Going back")
	forward := g.of(func(f compare.Finding) bool { return f.Forward })
	if len(forward) > 0 {
		g.line("%s does not know the following. If you use it, take it out of your objects before you go back to %s:", g.From, g.From)
		g.list(forward)
	}
	if len(g.of(isNewVersion)) > 0 {
		g.line("Do not go back to the older CRDs: the API server refuses to drop a version in which objects are stored.")
	}
	for _, c := range g.Charts {
		g.placed(c, g.From)
		g.shell("helm upgrade RELEASE " + g.place(c, g.From) + " --version " + g.From.SemVer() + " --namespace NAMESPACE --values values-before.yaml")
	}
	g.apply(g.From)
}

// isNewVersion tells whether a finding is a version of a CRD that the older CRD does not have or does not serve.
func isNewVersion(f compare.Finding) bool {
	end := f.ID[strings.LastIndexByte(f.ID, '/')+1:]
	return f.Subject == compare.CRD && f.Forward && strings.Count(f.ID, "/") == 3 && (end == "added" || end == "served" || end == "changed")
}

func (g *guide) everything() {
	g.line("## All changes")
	if len(g.Findings) == 0 {
		g.line("None was found in CRDs, values, rendered objects, permissions, webhooks, images, flags, Go and its modules.")
		return
	}
	permissions := func(f compare.Finding) bool { return f.Subject == compare.RBAC && f.Severity != compare.Breaking }
	texts := g.Texts
	g.Texts = nil // they are above
	for _, severity := range []compare.Severity{compare.Breaking, compare.Notable, compare.Info} {
		found := g.of(func(f compare.Finding) bool { return f.Severity == severity && !f.NotCompared && !permissions(f) })
		if len(found) > 0 {
			title := string(severity)
			g.line("### %s", strings.ToUpper(title[:1])+title[1:])
			g.list(found)
		}
	}
	if found := g.of(permissions); len(found) > 0 {
		g.line("### Permissions")
		g.list(found)
	}
	g.Texts = texts
}
