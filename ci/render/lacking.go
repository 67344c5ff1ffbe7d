package render

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Images are the images of a release.
type Images struct {
	Tag     string
	Has     []string          // repositories of those in the bundle
	Lacks   map[string]string // repositories of those that the settings name and the bundle lacks, and why
	Foreign []string          // repositories of images that are not made here; their tags do not matter
}

// Released tells whether the settings name images.
func (i Images) Released() bool { return len(i.Has)+len(i.Lacks) > 0 }

// Lacking is an image that a chart runs and the bundle lacks, although it is one of the release.
type Lacking struct {
	Repository string // in full
	Image      string // as the chart names it
	By         string // the place that names it
	Because    string // why the bundle lacks it
	Unknown    bool   // the settings do not name it, and it carries the version
}

// Advice is what to do about it.
func (l Lacking) Advice() string {
	if l.Unknown {
		return "add it to images in .release.yaml, run an image of the release in its place, or turn it off by default; if " +
			"it is not made here, add " + l.Repository + " to foreignImages"
	}
	return "build it, hand its archive over by --image " + l.Repository + "=ARCHIVE, or turn it off by default"
}

// Lacking gives the images that an object runs and the bundle should have, and lacks. That is an image of the settings,
// also where any text of the object mentions it, and every other one that carries the release's version and is not
// foreign, also where its tag or registry stands apart. by is the object, for people.
func (i Images) Lacking(by string, object map[string]any) []Lacking {
	uses := Uses(object)
	object = decoded(object)
	for _, part := range partUses(object) {
		if !slices.ContainsFunc(uses, func(u Use) bool { return u.Image == part.Image }) {
			uses = append(uses, part)
		}
	}
	found := i.used(by, uses)
	for _, repository := range slices.Sorted(maps.Keys(i.Lacks)) {
		full := ParseReference(repository).Repository
		if slices.ContainsFunc(found, func(l Lacking) bool { return l.Repository == full }) {
			continue // a use says it better
		}
		mentionsOf(full).in(object, "", func(path, image string) {
			found = append(found, Lacking{Repository: full, Image: image, By: by + ": " + path, Because: i.Lacks[repository]})
		})
	}
	return found
}

// used gives those of the uses that name such an image.
func (i Images) used(by string, uses []Use) []Lacking {
	lacks, others := map[string]string{}, map[string]bool{}
	for repository, why := range i.Lacks {
		lacks[ParseReference(repository).Repository] = why
	}
	for _, repository := range slices.Concat(i.Has, i.Foreign) {
		others[ParseReference(repository).Repository] = true
	}
	var found []Lacking
	for _, u := range uses {
		if scheme, name, ok := strings.Cut(u.Image, "://"); ok && scheme == "docker" {
			u.Image = name
		} else if ok {
			continue // an address, such as that of a chart
		}
		if strings.ContainsAny(strings.TrimSpace(u.Image), " ,;\"'{}") {
			continue // a text with images in it
		}
		named := ParseReference(u.Image)
		l := Lacking{Repository: named.Repository, Image: strings.TrimSpace(u.Image), By: by + ": " + u.Where}
		why, known := lacks[named.Repository]
		switch {
		case known:
			l.Because = why
		case others[named.Repository] || !carries(named.Tag, i.Tag):
			continue
		case i.Released():
			l.Because, l.Unknown = "it carries this version, and the settings name no such image", true
		default:
			l.Because, l.Unknown = "it carries this version, and the settings name no images", true
		}
		found = append(found, l)
	}
	return found
}

// otherVersion begins what makes another version of the number before it, as in v1.5.0-rc.1.
var otherVersion = regexp.MustCompile(`^-(?:alpha|beta|dev|pre|rc|snapshot)[.0-9-]`)

// carries tells whether a tag carries a version: with or without v, alone or with other words, as in debug-v1.5.0.
func carries(tag, version string) bool {
	number := strings.TrimPrefix(version, "v")
	if number == "" {
		return false
	}
	at := strings.Index(tag, number)
	if at < 0 {
		return false
	}
	before, after := strings.TrimSuffix(tag[:at], "v"), strings.ToLower(tag[at+len(number):])
	return (before == "" || strings.ContainsAny(before[len(before)-1:], "-_")) &&
		(after == "" || strings.ContainsAny(after[:1], "-_")) && !otherVersion.MatchString(after+".")
}

// NotNamed says what was looked at where nothing lacks.
const NotNamed = "not found in the objects that the charts render to with their default values (install and upgrade)"

// Lacking gives what the chart lacks of the images that it runs with its default values, for every version of
// Kubernetes that it is rendered for, installed and upgraded, without and with the foreign APIs that its templates ask
// for. Where the chart does not render for an upgrade, unread says so.
func (s *Source) Lacking(ctx context.Context, images Images) (found []Lacking, unread []string, err error) {
	kubernetes, err := s.Kubernetes()
	if err != nil {
		return nil, nil, refusal.New("render chart %s: %w", s.dir, err)
	}
	var documents []Document
	for _, version := range kubernetes.Versions() {
		installed, err := s.Render(ctx, version, nil)
		if err != nil {
			return nil, nil, refusal.New("render chart %s for Kubernetes %s: %w", s.dir, version, err)
		}
		if instead := installed.Instead; instead != nil && len(documents) == 0 {
			unread = append(unread, fmt.Sprintf("chart %s refuses its default values alone, so what it runs with %s was looked "+
				"at", s.dir, instead.File))
		}
		documents = append(documents, installed.Documents...)
		upgrade := *s
		upgrade.upgrade = true
		upgraded, err := upgrade.Render(ctx, version, nil)
		if err != nil { // it may ask for what the installation left in the cluster
			unread = append(unread, fmt.Sprintf("chart %s does not render for an upgrade on Kubernetes %s, so what it runs "+
				"then is not known: %v", s.dir, version, err))
		}
		documents = append(documents, upgraded.Documents...)
		for _, source := range []*Source{s, &upgrade} {
			more, err := source.withForeignAPIs(ctx, version)
			if err != nil {
				return nil, nil, err
			}
			documents = append(documents, more...)
		}
	}
	return images.lackingIn(documents), unread, nil
}

// withForeignAPIs gives what the chart renders to in a cluster that has the foreign APIs that its templates ask for. It
// is nothing where they ask for none, or where the chart does not render there.
func (s *Source) withForeignAPIs(ctx context.Context, kubernetes string) ([]Document, error) {
	ch, err := s.Chart()
	if err != nil {
		return nil, err
	}
	foreign := foreignAPIs(ch)
	if len(foreign) == 0 {
		return nil, nil
	}
	ch, rendered, err := s.renderFor(ctx, kubernetes, nil, foreign)
	if err != nil {
		return nil, nil
	}
	return s.documents(ch, rendered)
}

// lackingIn gives what documents run and the bundle lacks, each once.
func (i Images) lackingIn(documents []Document) []Lacking {
	var found []Lacking
	read := map[Document]bool{}
	for _, doc := range documents {
		if read[doc] {
			continue
		}
		read[doc] = true
		if strings.Contains(doc.Text, "\nkind: CustomResourceDefinition\n") {
			continue // large, and it runs nothing
		}
		var object map[string]any
		if yaml.Unmarshal([]byte(doc.Text), &object) != nil {
			continue // the gate says what is wrong with it
		}
		meta, _ := object["metadata"].(map[string]any)
		for _, l := range i.Lacking(fmt.Sprintf("%s: %v %v", doc.File, object["kind"], meta["name"]), object) {
			if !slices.Contains(found, l) {
				found = append(found, l)
			}
		}
	}
	return found
}
