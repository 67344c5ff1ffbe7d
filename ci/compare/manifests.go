package compare

import (
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/render"
)

// Kustomization is kubebuilder's folder of what users apply, where they take no chart.
const Kustomization = "config/default"

// Manifests are what users of a version apply who take no chart: the folder of a kustomization, or files.
type Manifests struct {
	Kustomization string
	Files         []string
}

// applied are kinds that an operator is installed with. Examples of its own kinds do not count.
var applied = []string{
	"Deployment", "DaemonSet", "StatefulSet", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ServiceAccount",
	"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "Service",
}

// examples are folders of what users write themselves.
var examples = []string{"example", "examples", "sample", "samples", "docs", "hack", "make", "ci", ".github"}

// tag is a tag of an image (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests).
var tag = regexp.MustCompile(`^[\w][\w.-]{0,127}`)

var (
	// kindField is how an object says its kind, in YAML, in JSON, and in a list.
	kindField = regexp.MustCompile(`(?m)(?:^(?:- |  )?|[{,]\s*)["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z]+)`)
	// plainKind is a kind at the beginning of a line.
	plainKind = regexp.MustCompile(`(?m)^kind:`)
	// ownGroup is how an object says that it is of Kubernetes itself.
	ownGroup = regexp.MustCompile(`(?m)(?:^(?:- |  )?|[{,]\s*)["']?apiVersion["']?[ \t]*:[ \t]*["']?` +
		`(?:(?:apps|batch|autoscaling|policy|(?:rbac\.authorization|networking|storage|scheduling|` +
		`admissionregistration|coordination|node|flowcontrol\.apiserver|apiregistration)\.k8s\.io)/)?v1\w*["'\s,}]`)
)

// kinds are those that a text names, also inside of objects.
func kinds(text string) (all []string) {
	for _, m := range kindField.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// isPatch tells whether a text has nothing but workloads without a selector and without an image, as for kubectl patch.
func isPatch(text string) bool {
	docs, err := render.Split("", text)
	if err != nil {
		return false
	}
	patches := 0
	for _, doc := range docs {
		var o struct {
			Kind string
			Spec struct {
				Selector any
				Template struct {
					Spec struct{ InitContainers, Containers []struct{ Image string } }
				}
			}
		}
		if yaml.Unmarshal([]byte(doc.Text), &o) != nil || !slices.Contains(workloads, o.Kind) || o.Spec.Selector != nil {
			return false
		}
		for _, c := range slices.Concat(o.Spec.Template.Spec.InitContainers, o.Spec.Template.Spec.Containers) {
			if c.Image != "" {
				return false
			}
		}
		patches++
	}
	return patches > 0
}

// workloads are the kinds of which a server requires a selector.
var workloads = []string{"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet"}

// Applied finds what users apply of a version that releases no chart. It gives nothing where a chart is released.
func Applied(tree fs.FS, c config.Config) (Manifests, error) {
	var m Manifests
	if len(c.Charts) > 0 {
		return m, nil
	}
	if render.IsKustomization(tree, Kustomization) {
		m.Kustomization = Kustomization
		return m, nil
	}
	found, _, err := installers(tree, c)
	if err != nil {
		return m, err
	}
	// Parts of a kustomization, such as patches, are nothing that users apply beside whole manifests.
	m.Files = slices.DeleteFunc(slices.Clone(found), func(file string) bool {
		folder := owner(tree, file)
		return folder != "" && render.IsKustomization(tree, folder)
	})
	if len(m.Files) == 0 {
		m.Files = found
	}
	return m, nil
}

// installers are the manifests of the operator: files with kinds that an operator is installed with. Those in folders
// of examples count if they run an image of the release. others are the remaining files with objects of Kubernetes'
// own kinds, templates and patches among them.
func installers(tree fs.FS, c config.Config) (found, others []string, err error) {
	err = fs.WalkDir(tree, ".", func(file string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && file == ".git" {
			return fs.SkipDir
		}
		if err != nil || !e.Type().IsRegular() || !isManifest(file) {
			return err
		}
		content, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		text := string(content)
		installs := (ownGroup.MatchString(text) || plainKind.MatchString(text)) &&
			slices.ContainsFunc(kinds(text), func(kind string) bool { return slices.Contains(applied, kind) })
		switch {
		case !installs && !holdsObjects(text):
		case !installs, strings.Contains(text, placeholder), isPatch(text), isExample(file) && tagIn(c, text) == "":
			others = append(others, file)
		default:
			found = append(found, file)
		}
		return nil
	})
	return found, others, err
}

// holdsObjects tells whether a text has objects of Kubernetes' own kinds. A Config of v1 is a file of kubectl.
func holdsObjects(text string) bool {
	return ownGroup.MatchString(text) &&
		slices.ContainsFunc(kinds(text), func(kind string) bool { return kind != "Config" })
}

// isExample tells whether a file lies in a folder of what users write themselves.
func isExample(file string) bool {
	return slices.ContainsFunc(strings.Split(path.Dir(file), "/"), func(folder string) bool {
		return slices.Contains(examples, folder)
	})
}

// Installers are all manifests of a tree that users may apply beside its charts: kustomizations that no other takes,
// kubebuilder's, and files that are in no folder of a kustomization or of a chart. unread are the files and
// kustomizations that are left out: templates, patches, those of examples, charts that are not released, and files
// without a kind that an operator is installed with.
func Installers(tree fs.FS, c config.Config) (kustomizations, files, unread []string, err error) {
	all, err := render.Kustomizations(tree)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, dir := range all {
		switch file := path.Join(dir, "kustomization.yaml"); {
		case !InRelease(file):
		case isExample(file):
			unread = append(unread, dir)
		default:
			kustomizations = append(kustomizations, dir)
		}
	}
	if render.IsKustomization(tree, Kustomization) && !slices.Contains(kustomizations, Kustomization) {
		kustomizations = append(kustomizations, Kustomization)
	}
	var released []string
	for _, chart := range c.Charts {
		released = append(released, render.Folders(tree, chart.Path)...)
	}
	found, others, err := installers(tree, c)
	if err != nil {
		return nil, nil, nil, err
	}
	for i, file := range slices.Concat(found, others) {
		switch folder := owner(tree, file); {
		case slices.Contains(released, folder), folder != "" && render.IsKustomization(tree, folder):
		case folder != "" || i >= len(found) || substituted(tree, file):
			unread = append(unread, file)
		default:
			files = append(files, file)
		}
	}
	slices.Sort(unread)
	return kustomizations, files, unread, nil
}

// variable is what envsubst, configure scripts and their like replace.
var variable = regexp.MustCompile(`\$\{[A-Za-z_]\w*\}|@[A-Za-z_]\w*@`)

// substituted tells whether variables are filled in before users apply a file.
func substituted(tree fs.FS, file string) bool {
	content, err := fs.ReadFile(tree, file)
	return err == nil && variable.Match(content)
}

// owner is the folder of the chart or the kustomization that a file is a part of; empty if it is part of none. A chart
// within a chart is a part of it.
func owner(tree fs.FS, file string) (folder string) {
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if _, err := fs.Stat(tree, path.Join(dir, "Chart.yaml")); err == nil {
			folder = dir
		} else if folder == "" && render.IsKustomization(tree, dir) {
			return dir
		}
	}
	return folder
}

// Documents are the documents of the manifests: what the kustomization builds to, then those of the files.
func (m Manifests) Documents(tree fs.FS) (docs []render.Document, err error) {
	if m.Kustomization != "" {
		if docs, err = render.Kustomize(tree, m.Kustomization); err != nil {
			return nil, err
		}
	}
	for _, file := range m.Files {
		content, err := fs.ReadFile(tree, file)
		if err != nil {
			return nil, err
		}
		more, err := render.Split(file, string(content))
		if err != nil {
			return nil, err
		}
		docs = append(docs, more...)
	}
	return docs, nil
}

// rendering gives the objects of the manifests, as a chart renders its own. Of several objects of one name the first
// counts, by file. CRDs are another comparison's business.
func (s Side) rendering(m Manifests) (render.Rendering, error) {
	var r render.Rendering
	docs, err := m.Documents(s.Tree)
	if err != nil {
		return r, err
	}
	seen := map[string]bool{}
	for _, doc := range docs {
		var object struct {
			APIVersion, Kind string
			Metadata         struct{ Name, Namespace string }
		}
		if err := yaml.Unmarshal([]byte(doc.Text), &object); err != nil {
			continue // no server takes it
		}
		label := strings.Join([]string{object.APIVersion, object.Kind, object.Metadata.Namespace, object.Metadata.Name}, " ")
		if object.Kind == "" || object.Metadata.Name == "" || seen[label] {
			continue
		}
		seen[label] = true
		r.AppVersion = cmp.Or(r.AppVersion, tagIn(s.Config, doc.Text))
		r.Documents = append(r.Documents, doc)
	}
	return r, nil
}

// tagIn is the tag of an image of the release that a manifest names; empty if it names none.
func tagIn(c config.Config, text string) string {
	for _, i := range c.Images {
		name := strings.TrimPrefix(i.Repository, "docker.io/")
		if _, after, ok := strings.Cut(text, name+":"); ok {
			return tag.FindString(after)
		}
	}
	return ""
}

// manifests compares what users apply of two versions that release no chart.
func (c *comparison) manifests() error {
	var made []render.Rendering
	looked := len(c.older.Config.Charts)+len(c.newer.Config.Charts) > 0
	for _, side := range []struct {
		Side
		name string
	}{{c.older, olderSide}, {c.newer, newerSide}} {
		m, err := Applied(side.Tree, side.Config)
		if err != nil {
			return err
		}
		if m.Kustomization == "" && len(m.Files) == 0 {
			continue
		}
		looked = true
		r, err := side.rendering(m)
		if err := c.add(Objects, "what users apply", "manifests")(nil, of(side.name, err)); err != nil {
			return err
		}
		if err == nil {
			made = append(made, r)
		}
	}
	if !looked {
		f := New(Info, Objects, "none", "not-compared")
		f.What, f.NotCompared = "no chart and no manifest of the operator was found, so no values, objects and permissions are compared", true
		c.findings = append(c.findings, f)
	}
	if len(made) < 2 {
		return nil
	}
	return c.add(Objects, "what users apply", "manifests")(ChartObjects(made[0], made[1]))
}
