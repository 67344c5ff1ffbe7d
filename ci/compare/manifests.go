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

var kindLine = regexp.MustCompile(`(?m)^kind:[ \t]*["']?([A-Za-z]+)`)

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
	err := fs.WalkDir(tree, ".", func(file string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || !isManifest(file) {
			return err
		}
		content, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		text := string(content)
		if strings.Contains(text, placeholder) || !slices.ContainsFunc(kindLine.FindAllStringSubmatch(text, -1), func(found []string) bool {
			return slices.Contains(applied, found[1])
		}) {
			return nil
		}
		inExamples := slices.ContainsFunc(strings.Split(path.Dir(file), "/"), func(folder string) bool {
			return slices.Contains(examples, folder)
		})
		if !inExamples || tagIn(c, text) != "" {
			m.Files = append(m.Files, file)
		}
		return nil
	})
	return m, err
}

// rendering gives the objects of the manifests, as a chart renders its own. Of several objects of one name the first
// counts, by file. CRDs are another comparison's business.
func (s Side) rendering(m Manifests) (render.Rendering, error) {
	var r render.Rendering
	var docs []render.Document
	if m.Kustomization != "" {
		var err error
		if docs, err = render.Kustomize(s.Tree, m.Kustomization); err != nil {
			return r, err
		}
	}
	for _, file := range m.Files {
		content, err := fs.ReadFile(s.Tree, file)
		if err != nil {
			return r, err
		}
		more, err := render.Split(file, string(content))
		if err != nil {
			return r, err
		}
		docs = append(docs, more...)
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
