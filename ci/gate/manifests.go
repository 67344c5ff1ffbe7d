package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/compare"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/render"
)

// manifests are what the commit holds beside the released charts.
type manifests struct {
	definitions []compare.Definition
	builds      []built
	unreadCRDs  []string // files whose CRDs were not read, or only in part
	unread      []string // files and folders of other objects that were not read
}

// built is what a kustomization builds to, or what a plain file holds.
type built struct {
	subject string
	folder  string // of the kustomization
	plain   bool
	docs    []render.Document
	err     error
}

// readManifests reads the CRDs of all files of the tree, and what users may apply beside the charts.
func (o Options) readManifests() (m manifests, err error) {
	root, err := os.OpenRoot(o.Tree)
	if err != nil {
		return m, err
	}
	defer root.Close()
	tree, c := root.FS(), o.settings()

	var folders, files []string
	for _, chart := range c.Charts {
		for _, folder := range render.Folders(tree, chart.Path) {
			for _, rendered := range []string{"templates", "crds", "charts"} { // checked where the chart is rendered
				folders = append(folders, path.Join(folder, rendered))
			}
		}
	}
	err = fs.WalkDir(tree, ".", func(file string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (file == ".git" || slices.Contains(folders, file) || !compare.InRelease(path.Join(file, "x"))):
			return fs.SkipDir
		case e.Type().IsRegular():
			files = append(files, file)
		}
		return nil
	})
	if err != nil {
		return m, err
	}
	if m.definitions, m.unreadCRDs, err = compare.Definitions(tree, files); err != nil {
		return m, err
	}
	kustomizations, installers, unread, err := compare.Installers(tree, c)
	if err != nil {
		return m, err
	}
	m.unread = unread
	for _, dir := range kustomizations {
		b := built{subject: "kustomize build " + dir, folder: dir}
		b.docs, b.err = render.Kustomize(tree, dir)
		m.builds = append(m.builds, b)
	}
	for _, file := range files {
		if b, ok := ofBundle(tree, file); ok {
			m.builds = append(m.builds, b)
		}
	}
	for _, file := range installers {
		b := built{subject: file, plain: true}
		b.docs, b.err = compare.Manifests{Files: []string{file}}.Documents(tree)
		m.builds = append(m.builds, b)
	}
	return m, nil
}

// clusterServiceVersion is the part of OLM's object that lists the deployments of an operator.
type clusterServiceVersion struct {
	Kind string
	Spec struct {
		Install struct {
			Spec struct {
				Deployments []struct {
					Name  string            `json:"name"`
					Label map[string]string `json:"label"`
					Spec  map[string]any    `json:"spec"`
				}
			}
		}
	}
}

// ofBundle gives the deployments that OLM makes of a file; ok is false for a file without an object that lists them.
// Its error says that the file cannot be read.
func ofBundle(tree fs.FS, file string) (b built, ok bool) {
	if !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(file)) {
		return b, false
	}
	content, err := fs.ReadFile(tree, file)
	if err != nil || !ofOLM.Match(content) {
		return b, false
	}
	b = built{subject: file, plain: true}
	docs, err := render.Split(file, string(content))
	if err != nil {
		return built{subject: file, err: err}, true
	}
	for _, doc := range docs {
		var csv clusterServiceVersion
		if !ofOLM.MatchString(doc.Text) {
			continue
		}
		if err := yaml.Unmarshal([]byte(doc.Text), &csv); err != nil { // such as a template
			return built{subject: file, err: err}, true
		}
		if csv.Kind != "ClusterServiceVersion" {
			continue
		}
		for _, d := range csv.Spec.Install.Spec.Deployments {
			text, err := json.Marshal(map[string]any{"apiVersion": "apps/v1", "kind": "Deployment",
				"metadata": map[string]any{"name": d.Name, "labels": d.Label}, "spec": d.Spec})
			if err != nil {
				return built{subject: file, err: err}, true
			}
			b.docs = append(b.docs, render.Document{File: file, Text: string(text)})
		}
	}
	return b, len(b.docs) > 0
}

// ofOLM is how an object says that it is a ClusterServiceVersion.
var ofOLM = regexp.MustCompile(`(?m)(?:^|[{,]\s*)["']?kind["']?[ \t]*:[ \t]*["']?ClusterServiceVersion\b`)

// settings are those of the charts and images of the release.
func (o Options) settings() (c config.Config) {
	for _, dir := range chartDirs(o.Charts) {
		c.Charts = append(c.Charts, config.Chart{Path: dir})
	}
	for _, repository := range slices.Concat(slices.Sorted(maps.Keys(o.Images)), slices.Sorted(maps.Keys(o.Lacks))) {
		c.Images = append(c.Images, config.Image{Repository: repository})
	}
	return c
}

// check validates the CRDs as those of charts, and the other objects. Objects that a server refuses fail a release
// without a chart; beside charts they are a warning.
func (m manifests) check(o Options) []Check {
	checks, definitions := m.checkDefinitions()
	var files []string
	var objects []*object // of plain files in order
	for _, b := range m.builds {
		found, held := b.check(o, definitions)
		if b.plain && len(found) == 1 && found[0].Status == Passed {
			files, objects = append(files, b.subject), append(objects, held...)
			continue
		}
		checks = append(checks, found...)
	}
	if len(files) > 0 {
		checks = append(checks, Check{Name: ObjectsCheck, Subject: "manifests", Status: Passed,
			Details: []string{few(files) + ": " + lookedAt(objects, definitions)}})
	}
	if len(m.unread) > 0 {
		checks = append(checks, Check{Name: ObjectsCheck, Subject: "manifests", Status: NotChecked,
			Details: []string{"templates, patches, examples, charts that are not released, and objects that " +
				"no operator is installed with: " + few(m.unread)}})
	}
	return checks
}

// checkDefinitions validates each CRD once, and gives what they define.
func (m manifests) checkDefinitions() ([]Check, map[schema.GroupKind]*definition) {
	const subject = "CRDs outside of charts' templates"
	files := map[string][]string{} // by content
	var order, problems, warnings, validated []string
	unread := slices.Clone(m.unreadCRDs)
	for _, d := range m.definitions {
		content, err := json.Marshal(d.Object)
		if err != nil || d.FilledIn || d.Old {
			unread = append(unread, d.File)
			continue
		}
		text := string(content)
		if len(files[text]) == 0 {
			order = append(order, text)
		}
		files[text], validated = append(files[text], d.File), append(validated, d.File)
	}
	definitions := map[schema.GroupKind]*definition{}
	for _, text := range order {
		p, also := parse(render.Document{File: files[text][0], Text: text}), ""
		if more := files[text][1:]; len(more) > 0 {
			also = "; it is the same in " + few(more)
		}
		for _, problem := range p.problems {
			problems = append(problems, problem+also)
		}
		for _, warning := range p.warnings {
			warnings = append(warnings, warning+also)
		}
		for _, o := range p.objects {
			if o.crd != nil {
				definitions[o.crd.kind] = o.crd
			}
		}
	}
	var checks []Check
	if len(order) > 0 {
		checks = append(checks, verdict(ObjectsCheck, subject, problems, []string{fmt.Sprintf("%d CRDs validated as API "+
			"servers do: %s", len(order), few(distinct(validated)))}))
	}
	if len(warnings) > 0 {
		checks = append(checks, Check{Name: ObjectsCheck, Subject: subject, Status: Warned, Details: warnings})
	}
	if len(unread) > 0 {
		checks = append(checks, Check{Name: ObjectsCheck, Subject: subject, Status: NotChecked, Details: []string{
			"not validated, or only in part, since templates make them, they are no YAML, or they are of an API before v1: " +
				few(distinct(unread))}})
	}
	return checks, definitions
}

// check validates the objects. A kustomization that takes what the tree does not have, or needs plugins, is not
// checked.
func (b built) check(o Options, definitions map[schema.GroupKind]*definition) ([]Check, []*object) {
	wrong := Failed
	if len(o.Charts) > 0 {
		wrong = Warned
	}
	if b.err != nil {
		status := wrong
		if errors.Is(b.err, render.ErrNotInTree) || !b.plain && b.folder != compare.Kustomization {
			status = NotChecked
		}
		return []Check{{Name: ObjectsCheck, Subject: b.subject, Status: status, Details: lines(b.err.Error())}}, nil
	}
	found, objects := checkObjects(b.subject, render.Newest(), b.docs, memo{}, definitions)
	unknown := Check{Name: ObjectsCheck, Subject: b.subject, Status: NotChecked}
	var checks []Check
	for _, c := range found {
		switch c.Status {
		case NotChecked:
			unknown.Details = append(unknown.Details, strings.TrimPrefix(c.Subject, b.subject+": ")+": "+
				strings.Join(c.Details, ", "))
			continue
		case Failed:
			c.Status = wrong
		case Passed:
			if len(objects) == unknowns(objects, definitions) {
				continue // nothing was looked at
			}
		}
		checks = append(checks, c)
	}
	if len(unknown.Details) > 0 {
		checks = append(checks, unknown)
	}
	return append(checks, removedAPIs(renderedChart{dir: b.subject, renderings: []rendering{
		{kubernetes: render.Newest(), objects: objects}}}, o.Final && wrong == Failed)...), objects
}

// unknowns counts the objects of kinds that nothing defines.
func unknowns(objects []*object, definitions map[schema.GroupKind]*definition) (n int) {
	for _, o := range objects {
		if !o.known && definitions[o.gvk.GroupKind()] == nil {
			n++
		}
	}
	return n
}

// distinct sorts names, each once.
func distinct(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
