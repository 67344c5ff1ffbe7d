package surface

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// valuesKind is the kind of an image tag among the values of a chart.
const valuesKind = "values"

// valueTags are the tags of released images in a chart's values: beside a repository, and behind it in one text.
func valueTags(repositories []string) func([]byte) ([]Value, error) {
	released := familiars(repositories)
	return func(content []byte) ([]Value, error) {
		root, err := document(content)
		if err != nil {
			return nil, nil // Helm says what is wrong
		}
		var values []Value
		var walk func(keys string, node *yaml.Node)
		walk = func(keys string, node *yaml.Node) {
			if tag := child(node, "tag"); tag != nil {
				if repository := repositoryIn(node); repository != "" && released[familiar(repository)] {
					name := strings.TrimPrefix(keys+".tag", ".")
					if value, err := scalar(content, tag, name, Tag); err == nil { // an empty tag is the chart's appVersion
						value.Image = true
						values = append(values, value)
					}
				}
			}
			for i := 0; i+1 < len(node.Content) && node.Kind == yaml.MappingNode; i += 2 {
				key, value := strings.TrimPrefix(keys+"."+node.Content[i].Value, "."), node.Content[i+1]
				if at, err := scalar(content, value, key, Tag); err == nil {
					if repository, tag, ok := cutTag(value.Value); ok && released[familiar(repository)] {
						at.Start, at.Image = at.End-len(tag), true
						values = append(values, at)
					}
				}
				walk(key, value)
			}
			for _, item := range node.Content {
				if node.Kind == yaml.SequenceNode {
					walk(keys+"[]", item)
				}
			}
		}
		walk("", root)
		return values, nil
	}
}

// repositoryIn is the repository that a map names, with its registry; empty where it names none.
func repositoryIn(node *yaml.Node) string {
	repository, registry := child(node, "repository"), child(node, "registry")
	switch {
	case repository == nil || repository.Kind != yaml.ScalarNode:
		return ""
	case registry != nil && registry.Kind == yaml.ScalarNode && registry.Value != "":
		return registry.Value + "/" + repository.Value
	}
	return repository.Value
}

// cutTag splits REPOSITORY:TAG; the colon of a port is none of a tag.
func cutTag(reference string) (repository, tag string, ok bool) {
	i := strings.LastIndexByte(reference, ':')
	if i < 0 || i+1 == len(reference) || strings.ContainsAny(reference[i+1:], "/@ ") || strings.Contains(reference, "@") {
		return "", "", false
	}
	return reference[:i], reference[i+1:], true
}

// familiars are repositories in the form that files compare by.
func familiars(repositories []string) map[string]bool {
	set := map[string]bool{}
	for _, r := range repositories {
		set[familiar(r)] = true
	}
	return set
}
