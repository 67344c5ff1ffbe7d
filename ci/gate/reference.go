package gate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// reference is the name of an image, taken apart.
type reference struct {
	repository string // in full: docker.io/library/busybox
	tag        string
	digest     string
}

// parseReference follows the rules of container runtimes: the first component
// is a registry if it looks like a host, else the image is Docker Hub's.
func parseReference(image string) reference {
	var r reference
	image, r.digest, _ = strings.Cut(strings.TrimSpace(image), "@")
	if colon := strings.LastIndex(image, ":"); colon > strings.LastIndex(image, "/") {
		image, r.tag = image[:colon], image[colon+1:]
	}
	host, rest, found := strings.Cut(image, "/")
	switch {
	case !found:
		host, rest = "docker.io", "library/"+image
	case host == "index.docker.io" || host == "registry-1.docker.io" || host == "docker.io":
		host = "docker.io"
		if !strings.Contains(rest, "/") {
			rest = "library/" + rest
		}
	case !strings.ContainsAny(host, ".:") && host != "localhost":
		host, rest = "docker.io", image
	}
	r.repository = host + "/" + rest
	return r
}

// is tells whether the reference is repository:tag and nothing else.
func (r reference) is(repository, tag string) bool {
	return r.repository == repository && r.tag == tag && r.digest == ""
}

// use is a place in an object that names an image.
type use struct {
	object *object
	where  string
	image  string
}

func (u use) String() string { return fmt.Sprintf("%s: %s: %s", u.object.file, u.object, u.where) }

// uses finds the images that containers run, and those that an operator is told
// to run: whole references in commands, arguments and environment.
func uses(o *object) []use {
	var found []use
	add := func(where, image string) { found = append(found, use{o, where, image}) }
	eachContainer(o.fields, func(kind string, c map[string]any) {
		name, _ := c["name"].(string)
		container := fmt.Sprintf("%s %q", kind, name)
		if image, ok := c["image"].(string); ok {
			add(container, image)
		}
		for _, key := range []string{"command", "args"} {
			list, _ := c[key].([]any)
			for _, item := range list {
				text, _ := item.(string)
				if _, value, ok := strings.Cut(text, "="); ok {
					text = value
				}
				if tagged(text) {
					add(key+" of "+container, text)
				}
			}
		}
		env, _ := c["env"].([]any)
		for _, item := range env {
			variable, _ := item.(map[string]any)
			if value, _ := variable["value"].(string); tagged(value) {
				add(fmt.Sprintf("env %v of %s", variable["name"], container), value)
			}
		}
	})
	return found
}

func tagged(text string) bool {
	r := parseReference(text)
	return (r.tag != "" || r.digest != "") && !strings.ContainsAny(text, " \t\n")
}

// eachContainer visits the containers of whatever bears a pod template, also of
// kinds nobody has heard of.
func eachContainer(node any, visit func(kind string, c map[string]any)) {
	switch node := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			if list, ok := node[key].([]any); ok && (key == "containers" || key == "initContainers" || key == "ephemeralContainers") {
				for _, item := range list {
					if c, ok := item.(map[string]any); ok {
						visit(strings.TrimSuffix(key, "s"), c)
					}
				}
				continue
			}
			eachContainer(node[key], visit)
		}
	case []any:
		for _, item := range node {
			eachContainer(item, visit)
		}
	}
}

// place is where a chart's values name a repository, by a map such as
// {registry, repository, tag} or by one string.
type place struct {
	path   string
	tag    string // as written; empty leaves it to the template
	digest string
}

func places(node any, repository, path string) []place {
	var found []place
	switch node := node.(type) {
	case map[string]any:
		handled := ""
		for _, key := range []string{"repository", "image", "name"} {
			text, _ := node[key].(string)
			if text == "" {
				continue
			}
			if registry, _ := node["registry"].(string); registry != "" {
				text = registry + "/" + text
			}
			r := parseReference(text)
			_, hasTag := node["tag"]
			if r.repository != repository || (!hasTag && !tagged(text)) {
				continue
			}
			p := place{path: path, tag: r.tag, digest: r.digest}
			if tag := node["tag"]; tag != nil && fmt.Sprint(tag) != "" {
				p.tag = fmt.Sprint(tag)
			}
			if digest, _ := node["digest"].(string); digest != "" {
				p.digest = digest
			}
			handled = key
			found = append(found, p)
			break
		}
		for _, key := range slices.Sorted(maps.Keys(node)) {
			if key != handled {
				found = append(found, places(node[key], repository, strings.TrimPrefix(path+"."+key, "."))...)
			}
		}
	case []any:
		for i, item := range node {
			found = append(found, places(item, repository, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case string:
		if r := parseReference(node); r.repository == repository && tagged(node) {
			found = append(found, place{path: path, tag: r.tag, digest: r.digest})
		}
	}
	return found
}
