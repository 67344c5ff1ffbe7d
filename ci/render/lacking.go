package render

import (
	"context"
	"fmt"
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
	Foreign []string          // repositories of images that are not made here, whatever their tag
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

// Lacking gives those of the uses in an object that name an image which the bundle should have, and lacks. That is an
// image of the settings, and every other one that carries the release's version and is not foreign. by is the object,
// for people.
func (i Images) Lacking(by string, uses []Use) []Lacking {
	lacks, others := map[string]string{}, map[string]bool{}
	for repository, why := range i.Lacks {
		lacks[ParseReference(repository).Repository] = why
	}
	for _, repository := range slices.Concat(i.Has, i.Foreign) {
		others[ParseReference(repository).Repository] = true
	}
	var found []Lacking
	for _, u := range uses {
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

// Lacking gives what the chart lacks of the images that it runs with its default values, for every version of
// Kubernetes that it is rendered for.
func (s *Source) Lacking(ctx context.Context, images Images) ([]Lacking, error) {
	kubernetes, err := KubernetesOf(s.KubeVersion())
	if err != nil {
		return nil, refusal.New("render chart %s: %w", s.dir, err)
	}
	var found []Lacking
	for _, version := range kubernetes.Versions() {
		rendered, err := s.Render(ctx, version, nil)
		if err != nil {
			return nil, refusal.New("render chart %s for Kubernetes %s: %w", s.dir, version, err)
		}
		for _, doc := range rendered.Documents {
			if strings.Contains(doc.Text, "\nkind: CustomResourceDefinition\n") {
				continue // large, and it runs nothing
			}
			var object map[string]any
			if yaml.Unmarshal([]byte(doc.Text), &object) != nil {
				continue // the gate says what is wrong with it
			}
			meta, _ := object["metadata"].(map[string]any)
			for _, l := range images.Lacking(fmt.Sprintf("%s: %v %v", doc.File, object["kind"], meta["name"]), Uses(object)) {
				if !slices.Contains(found, l) {
					found = append(found, l)
				}
			}
		}
	}
	return found, nil
}
