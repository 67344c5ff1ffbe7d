package gate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/render"
)

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
			r := render.ParseReference(text)
			_, hasTag := node["tag"]
			if r.Repository != repository || (!hasTag && !render.Tagged(text)) {
				continue
			}
			p := place{path: path, tag: r.Tag, digest: r.Digest}
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
		if r := render.ParseReference(node); r.Repository == repository && render.Tagged(node) {
			found = append(found, place{path: path, tag: r.Tag, digest: r.Digest})
		}
	}
	return found
}
