package surface

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// wholeFile is a file whose one line is the version.
func wholeFile(content []byte) ([]Value, error) {
	text := bytes.TrimSpace(content)
	if len(text) == 0 || bytes.ContainsAny(text, " \t\r\n") {
		return nil, errors.New("it does not hold one word; write the version, and nothing else, on its first line")
	}
	start := bytes.Index(content, text)
	return []Value{{Name: "version", Start: start, End: start + len(text), Form: formOf(string(text))}}, nil
}

// chartVersion is the key of a chart's own version. Its tag is the same, so a released chart always follows.
const chartVersion = "version"

// chartVersions are version (without v, as Helm asks) and appVersion (the image tag) of a Chart.yaml. appVersion is
// optional (https://helm.sh/docs/topics/charts/#the-appversion-field).
func chartVersions(content []byte) ([]Value, error) {
	root, err := document(content)
	if err != nil {
		return nil, err
	}
	var values []Value
	for _, key := range []struct {
		name  string
		form  Form
		like  string
		badge string
	}{{chartVersion, SemVer, "0.0.0", "Version"}, {"appVersion", Tag, "v0.0.0", "AppVersion"}} {
		node := child(root, key.name)
		if node == nil && key.name != chartVersion {
			continue
		}
		if node == nil {
			return nil, fmt.Errorf("it has no %s; add a line such as %s: %s", key.name, key.name, key.like)
		}
		value, err := scalar(content, node, key.name, key.form)
		if err != nil {
			return nil, err
		}
		value.Always, value.Image, value.Badge = key.name == chartVersion, key.name != chartVersion, key.badge
		values = append(values, value)
	}
	return values, nil
}

// chartVersionAlone is the version of a Chart.yaml, without its appVersion.
func chartVersionAlone(content []byte) ([]Value, error) {
	values, err := chartVersions(content)
	return slices.DeleteFunc(values, func(v Value) bool { return !v.Always }), err
}

// newTags are the newTag values of a kustomization's images whose name, or new name, is a released repository.
func newTags(repositories []string) func([]byte) ([]Value, error) {
	released := familiars(repositories)
	return func(content []byte) ([]Value, error) {
		root, err := document(content)
		if err != nil {
			return nil, err
		}
		images := child(root, "images")
		if images == nil || images.Kind != yaml.SequenceNode {
			return nil, nil
		}
		var values []Value
		for _, image := range images.Content {
			tag, repository := child(image, "newTag"), child(image, "newName")
			if repository == nil {
				repository = child(image, "name")
			}
			if tag == nil || repository == nil || !released[familiar(repository.Value)] {
				continue
			}
			value, err := scalar(content, tag, "newTag of "+repository.Value, Tag)
			if err != nil {
				return nil, err
			}
			value.Image = true
			values = append(values, value)
		}
		return values, nil
	}
}

// familiar is a repository without Docker Hub's registry, which most files leave out.
func familiar(repository string) string {
	return strings.TrimPrefix(strings.TrimPrefix(repository, "docker.io/"), "library/")
}

// badge is what helm-docs writes at the head of a chart's README, for Version and AppVersion.
var badge = regexp.MustCompile(`!\[(AppVersion|Version): ([^\]\s]+)\]\(https://img\.shields\.io/badge/(?:AppVersion|Version)-([^?)\s]+?)-[A-Za-z]+\?`)

func badges(content []byte) []Value {
	var values []Value
	for _, m := range badge.FindAllSubmatchIndex(content, -1) {
		name := string(content[m[2]:m[3]])
		text, address := SemVer, Badge
		if name == "AppVersion" {
			text, address = Tag, TagBadge
		}
		values = append(values,
			Value{Name: "badge " + name, Start: m[4], End: m[5], Form: text, Image: text.V, Badge: name},
			Value{Name: "address of badge " + name, Start: m[6], End: m[7], Form: address, Image: text.V, Badge: name})
	}
	return values
}

var dunderVersion = regexp.MustCompile(`(?m)^__version__[ \t]*(?::[ \t]*str[ \t]*)?=[ \t]*(?:"([^"\n]*)"|'([^'\n]*)')`)

// pythonVersion is a __version__. PEP 440 reads 1.5.0-rc.0 as 1.5.0rc0, so a place may have either form.
func pythonVersion(content []byte) ([]Value, error) {
	m := dunderVersion.FindSubmatchIndex(content)
	if m == nil {
		return nil, nil
	}
	start, end := m[2], m[3]
	if start < 0 {
		start, end = m[4], m[5]
	}
	return []Value{{Name: "__version__", Start: start, End: end, Form: formOf(string(content[start:end]))}}, nil
}

// document parses the one YAML document of a file, a mapping.
func document(content []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("it is empty")
		}
		return nil, err
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("it holds more than one YAML document; keep one")
	}
	if root := doc.Content[0]; root.Kind == yaml.MappingNode {
		return root, nil
	}
	return nil, errors.New("it is no mapping of keys to values")
}

func child(node *yaml.Node, key string) *yaml.Node {
	if node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// scalar finds the bytes of a scalar on one line, plain or quoted, without its quotes.
func scalar(content []byte, node *yaml.Node, name string, form Form) (Value, error) {
	refuse := func() (Value, error) {
		return Value{}, fmt.Errorf("line %d: the value of %s is no plain or quoted scalar on one line; write it as one", node.Line, name)
	}
	if node.Kind != yaml.ScalarNode || node.Value == "" {
		return refuse()
	}
	start := offset(content, node.Line, node.Column)
	if start < 0 {
		return refuse()
	}
	if node.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		start++
	}
	end := start + len(node.Value)
	if end > len(content) || string(content[start:end]) != node.Value {
		return refuse()
	}
	return Value{Name: name, Start: start, End: end, Form: form}, nil
}

// offset is the byte at a line and column, both counted from 1, columns in characters; -1 where there is none.
func offset(content []byte, line, column int) int {
	at := 0
	for range line - 1 {
		n := bytes.IndexByte(content[at:], '\n')
		if n < 0 {
			return -1
		}
		at += n + 1
	}
	for range column - 1 {
		if at >= len(content) {
			return -1
		}
		_, size := utf8.DecodeRune(content[at:])
		at += size
	}
	return at
}
