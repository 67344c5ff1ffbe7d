package surface

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// assignment gives a name a text on its line.
var assignment = regexp.MustCompile(`^[ \t]*(?:(?:export|ARG|ENV)[ \t]+)?(\w+)[ \t]*[:?]?=[ \t]*["']?([^\s"'#]+)`)

// assigned is the text that a name is given, and the line that does so.
type assigned struct {
	value string
	line  int
}

// assignments are the texts that a file gives to names, in capitals. Of several the first is the default.
func assignments(content []byte) map[string]assigned {
	values := map[string]assigned{}
	for i, line := range strings.Split(string(content), "\n") {
		m := assignment.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if name := strings.ToUpper(m[1]); values[name].line == 0 {
			values[name] = assigned{m[2], i + 1}
		}
	}
	return values
}

// tagNames are the names of a tag beside a repository or a part of one: those that begin as its name, or one for all.
func tagNames(repository string) []string {
	stem := repository
	for _, end := range []string{"_REGISTRY", "_REPOSITORY", "_REPO", "_NAME", "_BASE", "_TAG", "_IMAGE", "_IMG"} {
		stem = strings.TrimSuffix(stem, end)
	}
	return []string{repository + "_TAG", stem + "_TAG", stem + "_IMAGE_TAG", "IMAGE_TAG", "IMG_TAG", "TAG"}
}

// assignedMentions are the tags of a file that are assigned to a name beside those of a repository: one for all of it,
// or one for its registry and one for the rest. They are also the tags of lines that such names are put together on.
func assignedMentions(file string, content []byte, repositories []string) []Mention {
	values := assignments(content)
	names := slices.Sorted(maps.Keys(values))
	var all []Mention
	for _, r := range repositories {
		for _, name := range names {
			var parts []string
			if familiar(values[name].value) == familiar(r) {
				parts = []string{name}
			} else if rest, ok := restOf(r, values[name].value, name); ok {
				for _, other := range names {
					if values[other].value == rest {
						parts = []string{other, name}
					}
				}
			}
			t := tagBeside(values, parts)
			for _, fixed := range fixedTags(t.value) {
				all = append(all, Mention{file, t.line, r, fixed})
			}
		}
		all = append(all, expandedMentions(file, content, values, r)...)
	}
	return all
}

// ofRegistry is a word of a name for the first part of a repository.
var ofRegistry = regexp.MustCompile(`REGISTRY|REPO|HUB|ORG|DOCKER|IMAGE|IMG|PREFIX|BASE`)

// restOf is what follows a first part of a repository, such as its registry, or that and folders. A part without a host
// counts if its name says what it is.
func restOf(repository, part, name string) (rest string, ok bool) {
	part = strings.TrimSuffix(part, "/")
	registry, path := registryOf(repository)
	if rest, ok = strings.CutPrefix(registry+"/"+path, part+"/"); ok {
		return rest, rest != ""
	}
	if rest, ok = strings.CutPrefix(path, part+"/"); ok && registry == "docker.io" && ofRegistry.MatchString(name) {
		return rest, true
	}
	return "", false
}

// tagBeside is the text that the name of a tag beside these names is given.
func tagBeside(values map[string]assigned, names []string) assigned {
	for _, name := range names {
		for _, tag := range tagNames(name) {
			if t, found := values[tag]; found && !slices.Contains(names, tag) {
				return t
			}
		}
	}
	return assigned{}
}

// reference is the use of a name in make and shells.
var reference = regexp.MustCompile(`\$(?:\((\w+)\)|\{(\w+)\}|(\w+))`)

// expandedMentions are the tags of lines that name a repository once the names in them are replaced by their texts. The
// place is where the tag is written.
func expandedMentions(file string, content []byte, values map[string]assigned, repository string) []Mention {
	var all []Mention
	named := mentionOf(repository)
	for i, line := range strings.Split(string(content), "\n") {
		used := map[string]assigned{}
		expanded := line
		for range 4 { // names within names
			expanded = reference.ReplaceAllStringFunc(expanded, func(text string) string {
				m := reference.FindStringSubmatch(text)
				name := strings.ToUpper(cmp.Or(m[1], m[2], m[3]))
				if values[name].line == 0 {
					return text
				}
				used[name] = values[name]
				return values[name].value
			})
		}
		if expanded == line {
			continue // it is read as it is
		}
		for _, m := range named.FindAllStringSubmatch(expanded, -1) {
			for _, tag := range fixedTags(m[1]) {
				at := i + 1
				for _, name := range slices.Sorted(maps.Keys(used)) {
					if strings.HasSuffix(tag, used[name].value) {
						at = used[name].line
					}
				}
				all = append(all, Mention{file, at, repository, tag})
			}
		}
	}
	return all
}
