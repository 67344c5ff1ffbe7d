package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reference is the name of an image, taken apart.
type Reference struct {
	Repository string // in full: docker.io/library/busybox
	Tag        string
	Digest     string
}

// ParseReference follows the rules of container runtimes: the first component
// is a registry if it looks like a host, else the image is Docker Hub's.
func ParseReference(image string) Reference {
	var r Reference
	image, r.Digest, _ = strings.Cut(strings.TrimSpace(image), "@")
	if colon := strings.LastIndex(image, ":"); colon > strings.LastIndex(image, "/") {
		image, r.Tag = image[:colon], image[colon+1:]
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
	r.Repository = host + "/" + rest
	return r
}

// Is tells whether the reference is repository:tag and nothing else.
func (r Reference) Is(repository, tag string) bool {
	return r.Repository == repository && r.Tag == tag && r.Digest == ""
}

// Use is a place in an object that names an image.
type Use struct {
	Where string // such as container "controller"
	Image string
}

// Uses finds the images that the containers of an object run, and those that an operator is told to run: whole
// references in commands, arguments, environment, and the data of a ConfigMap, and the field image of any object.
func Uses(object map[string]any) []Use {
	var found []Use
	add := func(where, image string) { found = append(found, Use{where, image}) }
	eachContainer(object, func(kind string, c map[string]any) {
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
				if Tagged(text) {
					add(key+" of "+container, text)
				}
			}
		}
		env, _ := c["env"].([]any)
		for _, item := range env {
			variable, _ := item.(map[string]any)
			if value, _ := variable["value"].(string); Tagged(value) {
				add(fmt.Sprintf("env %v of %s", variable["name"], container), value)
			}
		}
	})
	eachField(object, "", func(path string, value any) {
		switch text, _ := value.(string); {
		case strings.HasSuffix(path, ".image") && text != "":
			add(strings.TrimPrefix(path, "."), text)
		case strings.HasSuffix(path, ".image.reference") && text != "": // a volume
			add(strings.TrimPrefix(path, "."), text)
		case object["kind"] == "ConfigMap" && strings.HasPrefix(path, ".data.") && Tagged(text):
			add(strings.TrimPrefix(path, "."), text)
		}
	})
	return found
}

// eachField visits the scalars of an object outside of containers, with the names of the fields that lead to them.
func eachField(node any, path string, visit func(path string, value any)) {
	switch node := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			if !containers[key] {
				eachField(node[key], path+"."+key, visit)
			}
		}
	case []any:
		for _, item := range node {
			eachField(item, path, visit)
		}
	default:
		visit(path, node)
	}
}

// containers are the fields that hold containers.
var containers = map[string]bool{"containers": true, "initContainers": true, "ephemeralContainers": true}

// Tagged tells whether a text is the name of an image with a tag or a digest.
func Tagged(text string) bool {
	r := ParseReference(text)
	return (r.Tag != "" || r.Digest != "") && !strings.ContainsAny(text, " \t\n")
}

// eachContainer visits the containers of each object with a pod template, also of
// unknown kinds.
func eachContainer(node any, visit func(kind string, c map[string]any)) {
	switch node := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			if list, ok := node[key].([]any); ok && containers[key] {
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
