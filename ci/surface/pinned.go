package surface

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// pin is the digest of an image, behind its tag.
var pin = regexp.MustCompile(`@(sha256:[0-9a-f]+|sha512:[0-9a-f]+)`)

// Pinned gives the digest that pins the image whose tag stands on a line (from 1): behind the tag, or under the key digest
// beside it. It is empty if nothing pins the image. A pinned image stays what it was, whatever its tag says.
func Pinned(content []byte, line int) string {
	lines := strings.Split(string(content), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	if found := pin.FindStringSubmatch(lines[line-1]); found != nil {
		return found[1]
	}
	root, err := document(content)
	if err != nil {
		return ""
	}
	return pinnedIn(root, line)
}

func pinnedIn(n *yaml.Node, line int) string {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i+1].Kind != yaml.ScalarNode || n.Content[i+1].Line != line {
				continue
			}
			if digest := child(n, "digest"); digest != nil && digest.Value != "" {
				return digest.Value
			}
		}
	}
	for _, c := range n.Content {
		if found := pinnedIn(c, line); found != "" {
			return found
		}
	}
	return ""
}
