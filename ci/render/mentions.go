package render

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// mentions finds the name of one image in texts.
type mentions struct {
	name     string           // without a registry
	patterns []*regexp.Regexp // group 1 is the name as it is written, with tag or digest
}

// mentionsOf makes what finds an image's repository. Docker Hub's are found in all forms that runtimes take.
func mentionsOf(repository string) mentions {
	_, short, _ := strings.Cut(repository, "/")
	name := regexp.QuoteMeta(repository)
	if strings.HasPrefix(repository, "docker.io/") {
		name = `(?:(?:index\.|registry-1\.)?docker\.io/)?` + regexp.QuoteMeta(short)
	}
	scheme := `(?:docker|oci)://`
	tag := `[:@](?:[A-Za-z0-9._:-]|\$\{?[A-Za-z_]|\}|\{\{[^}]*\}\}|%[a-z])+`
	return mentions{short, []*regexp.Regexp{
		regexp.MustCompile(`(?:^|[^A-Za-z0-9._/-]|` + scheme + `)(` + name + tag + `)`),
		// Without a tag, a word in prose is none: it is assigned, or it is the value of a flag,
		regexp.MustCompile(`(?m)(?:[=:][ \t]*|(?:^|\s)--?[A-Za-z][\w-]*\s+|` + scheme + `)["']?(` + name + `)(?:["',;\])}\s]|$)`),
		// or an item on its own.
		regexp.MustCompile("(?m)(?:^[ \\t]*|[,;|\\[({\"'`][ \\t]*|(?:^|\\s)-[ \\t]+)[\"']?(" + name + ")[ \\t]*(?:[\"'`,;|\\])}]|$)"),
	}}
}

// in calls back with every mention in a value, in the order of keys, with its path. A text that is YAML or JSON is
// read as such. A map that has the registry beside the repository names an image by both.
func (m mentions) in(value any, at string, each func(path, image string)) {
	switch v := value.(type) {
	case string:
		if !strings.Contains(v, path.Base(m.name)) {
			return
		}
		if within := structured(v); len(within) > 0 {
			for _, inner := range within {
				m.in(inner, at, each)
			}
			return
		}
		for _, pattern := range m.patterns {
			if image := pattern.FindStringSubmatch(v); image != nil {
				each(at, image[1])
				return
			}
		}
	case []any:
		for n, item := range v {
			m.in(item, fmt.Sprintf("%s[%d]", at, n), each)
		}
	case map[string]any:
		registry, _ := v["registry"].(string)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			item := v[key]
			if text, ok := item.(string); ok && registry != "" && imageNames[key] {
				item = inRegistry(registry, text)
			}
			m.in(item, strings.TrimPrefix(at+"."+key, "."), each)
		}
	}
}

// imageNames are the keys of an image's name beside the key registry.
var imageNames = map[string]bool{"repository": true, "name": true, "image": true}

// inRegistry joins a registry and the name of an image, which may have one itself.
func inRegistry(registry, name string) string {
	if host, _, found := strings.Cut(name, "/"); found && strings.ContainsAny(host, ".:") {
		return name
	}
	return strings.TrimSuffix(registry, "/") + "/" + name
}

// structured gives the lists and maps of a text that is nothing else, in YAML or JSON.
func structured(text string) []any {
	docs, err := Split("", text)
	if err != nil {
		return nil
	}
	var within []any
	for _, doc := range docs {
		var value any
		if yaml.Unmarshal([]byte(doc.Text), &value) != nil || !isWhole(doc.Text) {
			return nil
		}
		switch value.(type) {
		case map[string]any, []any:
			within = append(within, value)
		case nil:
		default:
			return nil
		}
	}
	return within
}

// isWhole tells whether a text is one YAML document. Else a reader takes its beginning, such as a heading of TOML.
func isWhole(text string) bool {
	decoder := yamlv3.NewDecoder(strings.NewReader(text))
	var node yamlv3.Node
	if err := decoder.Decode(&node); err != nil {
		return errors.Is(err, io.EOF)
	}
	return errors.Is(decoder.Decode(&node), io.EOF)
}

// decoded gives an object with the texts that it holds in base64: a Secret's data, and the binary data of a ConfigMap.
func decoded(object map[string]any) map[string]any {
	key := map[any]string{"Secret": "data", "ConfigMap": "binaryData"}[object["kind"]]
	data, ok := object[key].(map[string]any)
	if !ok {
		return object
	}
	texts := map[string]any{}
	for name, value := range data {
		encoded, _ := value.(string)
		if content, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			value = string(content)
		}
		texts[name] = value
	}
	object = maps.Clone(object)
	object[key] = texts
	return object
}
