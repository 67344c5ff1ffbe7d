package git

import (
	"bytes"
	"strings"
)

// TagHeader is what the header of a tag object says.
type TagHeader struct {
	Object string // id of the object that it tags
	Type   string // of that object: commit, or another one, such as tag
	Name   string
}

// ParseTag reads the header of a tag object's content; ok is false where the content is no tag object.
func ParseTag(content []byte) (h TagHeader, ok bool) {
	for _, field := range []struct {
		key string
		to  *string
	}{{"object ", &h.Object}, {"type ", &h.Type}, {"tag ", &h.Name}} {
		line, rest, found := bytes.Cut(content, []byte("\n"))
		value, named := strings.CutPrefix(string(line), field.key)
		if !found || !named {
			return h, false
		}
		*field.to, content = value, rest
	}
	return h, isID(h.Object)
}
