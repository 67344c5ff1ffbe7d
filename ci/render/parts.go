package render

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// setting is a name with a value: a member of a map, a variable of a container, a flag, a line NAME=VALUE.
type setting struct{ name, value string }

// partUses are the images of an object that settings side by side name: with the tag, or the registry, in one of its
// own, such as IMAGE and TAG. Whole names are among them.
func partUses(object map[string]any) []Use {
	var found []Use
	eachGroup(object, "", func(at string, group []setting) {
		for _, s := range group {
			image, names := imageOf(s, group)
			if image == "" {
				continue
			}
			where := strings.Join(names, " and ")
			if at != "" {
				where += " of " + at
			}
			found = append(found, Use{Where: where, Image: image})
		}
	}, func(at, text string) {
		for _, m := range wholeName.FindAllStringSubmatch(text, -1) {
			found = append(found, Use{Where: at, Image: m[1]})
		}
	})
	return found
}

// wholeName is the name of an image in a text, with a registry and a tag. What follows a scheme is none.
var wholeName = regexp.MustCompile(`(?:^|[^\w./:@-])((?:localhost|[\w-]+(?:\.[\w-]+)+)(?::\d+)?(?:/[a-z0-9._-]+)+:\w[\w.-]{0,127})`)

// eachGroup visits the settings of a value that stand side by side, and its texts. Texts in YAML or JSON are read as
// such.
func eachGroup(node any, at string, visit func(at string, group []setting), visitText func(at, text string)) {
	switch n := node.(type) {
	case map[string]any:
		group := members(n)
		skip := map[string]bool{}
		name := at
		for _, key := range []string{"env", "args", "command"} {
			_, skip[key] = n[key].([]any)
		}
		if skip["env"] || skip["args"] || skip["command"] { // a container
			if called, ok := n["name"].(string); ok {
				name = fmt.Sprintf("container %q", called)
			}
			group = slices.DeleteFunc(group, func(s setting) bool { return s.name == "name" })
			group = append(group, listed(n["env"])...)
			group = append(group, flags(append(words(n["command"]), words(n["args"])...))...)
		}
		visit(name, group)
		for _, key := range slices.Sorted(maps.Keys(n)) {
			below := strings.TrimPrefix(at+"."+key, ".")
			if !skip[key] {
				eachGroup(n[key], below, visit, visitText)
				continue
			}
			list, _ := n[key].([]any) // what texts hold has groups of its own
			for _, item := range list {
				if variable, ok := item.(map[string]any); ok {
					item = variable["value"]
				}
				if text, ok := item.(string); ok {
					visitText(key+" of "+name, text)
					_, value, _ := strings.Cut(text, "=") // of a flag
					for _, inner := range slices.Concat(structured(text), structured(value)) {
						eachGroup(inner, name, visit, visitText)
					}
				}
			}
		}
	case []any:
		visit(at, append(listed(n), flags(words(n))...))
		for i, item := range n {
			if text, ok := item.(string); ok {
				visitText(fmt.Sprintf("%s[%d]", at, i), text)
			} else {
				eachGroup(item, fmt.Sprintf("%s[%d]", at, i), visit, visitText)
			}
		}
	case string:
		if within := structured(n); len(within) > 0 {
			for _, inner := range within {
				eachGroup(inner, at, visit, visitText)
			}
			return
		}
		visitText(at, n)
		if strings.ContainsAny(n, "= \n") {
			visit(at, flags(strings.Fields(assigned.ReplaceAllString(n, "="))))
		}
	}
}

// members are the texts of a map.
func members(object map[string]any) []setting {
	var group []setting
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if text, ok := object[key].(string); ok {
			group = append(group, setting{key, text})
		}
	}
	return group
}

// listed are the items of a list that have a name and a value.
func listed(list any) []setting {
	var group []setting
	items, _ := list.([]any)
	for _, item := range items {
		variable, _ := item.(map[string]any)
		name, _ := variable["name"].(string)
		if value, ok := variable["value"].(string); ok && name != "" {
			group = append(group, setting{name, value})
		}
	}
	return group
}

// words are those of the texts of a list.
func words(list any) []string {
	var all []string
	items, _ := list.([]any)
	for _, item := range items {
		if text, ok := item.(string); ok {
			all = append(all, strings.Fields(text)...)
		}
	}
	return all
}

// assigned is what stands between a name and its value in TOML, properties and make.
var assigned = regexp.MustCompile(`[ \t]*[:?]?=[ \t]*`)

// flags are the settings in words: --NAME=VALUE, NAME=VALUE and --NAME VALUE.
func flags(words []string) []setting {
	const around = `"';,()`
	var group []setting
	for i, word := range words {
		name, value, ok := strings.Cut(strings.Trim(word, around), "=")
		if !ok && strings.HasPrefix(name, "-") && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
			value, ok = words[i+1], true
		}
		if name = strings.TrimLeft(name, "-"); ok && name != "" {
			group = append(group, setting{name, strings.Trim(value, around)})
		}
	}
	return group
}

var (
	repositoryName = regexp.MustCompile(`^[a-z0-9.-]+(?::\d+)?(?:/[a-z0-9._-]+)*$`)
	tagName        = regexp.MustCompile(`^\w[\w.-]{0,127}$`)
	codeHosts      = regexp.MustCompile(`^(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)/`)
)

// imageOf gives the image that a setting names, with the registry and the tag that others of its group have for it, and
// the names of all that make it; empty if it names none.
func imageOf(s setting, group []setting) (image string, names []string) {
	own, stem := partsOf(s.name)
	isName := own == "name"
	if own != "image" && own != "repository" && !isName {
		return "", nil
	}
	value, names := strings.TrimSpace(s.value), []string{s.name}
	if codeHosts.MatchString(value) {
		return "", nil
	}
	host, _, slash := strings.Cut(value, "/")
	hasHost := slash && (strings.ContainsAny(host, ".:") || host == "localhost")
	if registry, ok := partFor("registry", stem, group); ok && !hasHost && repositoryName.MatchString(registry.value) {
		value, names = inRegistry(registry.value, value), append(names, registry.name)
		hasHost = true
	}
	if !hasHost && (isName || !slash) {
		return "", nil
	}
	if Tagged(value) {
		return value, names
	}
	if !repositoryName.MatchString(value) {
		return "", nil
	}
	if tag, ok := partFor("tag", stem, group); ok && tagName.MatchString(tag.value) {
		return value + ":" + tag.value, append(names, tag.name)
	}
	return value, names
}

// partFor gives the setting for a part of an image's name: that with the same stem, or else one that is for all images.
func partFor(part, stem string, group []setting) (setting, bool) {
	var all *setting
	for i, s := range group {
		of, its := partsOf(s.name)
		version := of == "version" && part == "tag"
		switch {
		case of != part && !version:
		case its == stem:
			return s, true
		case its == "" && !version && all == nil:
			all = &group[i]
		}
	}
	if all == nil {
		return setting{}, false
	}
	return *all, true
}

// partNames are the words at the end of a setting's name that say which part of an image's name it has.
var partNames = map[string]string{"image": "image", "img": "image", "repository": "repository", "repo": "repository",
	"name": "name", "registry": "registry", "tag": "tag", "version": "version"}

// partsOf tells which part of an image's name a setting has by its own name, and the words before that: EXECUTOR_IMAGE
// has the part image and the stem executor, executorImageTag the part tag and the same stem.
func partsOf(name string) (part, stem string) {
	all := wordsOf(name)
	if len(all) == 0 || slices.Contains(all, "git") {
		return "", ""
	}
	part = partNames[all[len(all)-1]]
	if (part == "name" || part == "") && (slices.Contains(all, "image") || slices.Contains(all, "img")) {
		part = "image" // such as IMAGE_NAME and RELATED_IMAGE_EXECUTOR
	}
	all = slices.DeleteFunc(all, func(word string) bool { return partNames[word] != "" || word == "container" })
	return part, strings.Join(all, " ")
}

// wordsOf splits a name in lower case at its signs, and before capitals.
func wordsOf(name string) []string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case lower && unicode.IsUpper(r):
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(b.String())
}
