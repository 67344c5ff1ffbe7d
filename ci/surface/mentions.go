package surface

import (
	"bytes"
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/git"
)

// Mention is a place that names a tag of an image.
type Mention struct {
	Path       string
	Line       int // from 1
	Repository string
	Tag        string
}

// MentionWords are what each line holds that may name one of the repositories: their paths without registry, and the
// folders of these, which a variable may hold.
func MentionWords(repositories []string) []string {
	var words []string
	for _, r := range repositories {
		_, name := registryOf(r)
		words = append(words, name)
		if folder := path.Dir(name); folder != "." {
			words = append(words, folder)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// Mentions are the tags of images that lines of a tree name, each place once: REPOSITORY:TAG in any text, a tag beside a
// repository in YAML and JSON, and one that is assigned as the repository or its parts are, in make, shells,
// Dockerfiles and TOML. The lines are those that hold one of MentionWords.
func Mentions(tree fs.FS, lines []git.Place, repositories []string) []Mention {
	var all []Mention
	structured := map[string]bool{}
	for _, r := range repositories {
		named := mentionOf(r)
		for _, line := range lines {
			for _, m := range named.FindAllStringSubmatch(line.Text, -1) {
				for _, tag := range fixedTags(m[1]) {
					all = append(all, Mention{line.Path, line.Line, r, tag})
				}
			}
		}
	}
	for _, line := range lines {
		if structured[line.Path] {
			continue
		}
		structured[line.Path] = true
		content, err := fs.ReadFile(tree, line.Path)
		switch ext := path.Ext(line.Path); {
		case err != nil:
		case ext == ".yaml" || ext == ".yml" || ext == ".json":
			all = append(all, structuredMentions(line.Path, content, repositories)...)
		case ext != ".md":
			all = append(all, assignedMentions(line.Path, content, repositories)...)
		}
	}
	slices.SortStableFunc(all, func(a, b Mention) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(all)
}

// registryOf splits a repository into its registry and the rest.
func registryOf(repository string) (registry, name string) {
	first, rest, ok := strings.Cut(repository, "/")
	if ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return first, rest
	}
	return "docker.io", repository
}

// mentionOf matches a repository and its tag. Docker Hub's registry may be left out, and a variable may stand for any.
func mentionOf(repository string) *regexp.Regexp {
	registry, name := registryOf(repository)
	before := `(?:` + regexp.QuoteMeta(registry) + `/|[})]/)`
	if registry == "docker.io" {
		before = `(?:(?:^|[^0-9A-Za-z._/@-])(?:(?:index\.)?docker\.io/)?|[})]/|://)`
	}
	return regexp.MustCompile(before + regexp.QuoteMeta(strings.TrimPrefix(name, "library/")) +
		`:((?:[0-9A-Za-z_]|` + expressionPattern + `)(?:[0-9A-Za-z._-]|` + expressionPattern + `){0,127})`)
}

// expressionPattern matches what templates, shells, make, printf, Python and readers replace in a text.
const expressionPattern = `\{\{.*?\}\}|\$\{[^}]*\}|\$\([^)]*\)|\$[A-Za-z_]\w*|%[a-z]|\{\w+\}|(?i:<[^<>/]*(?:tag|version)[^<>]*>)`

var (
	expression = regexp.MustCompile(expressionPattern)
	// literal is a text in an expression: in quotes, or the default of a variable.
	literal = regexp.MustCompile("[\"'`]([^\"'`]*)[\"'`]|:?[-=]([^}]*)\\}")
)

// fixedTags are the tags that a text says by itself. Of one with expressions that is each version beside them and each
// one that they hold, such as a default.
func fixedTags(text string) []string {
	if !expression.MatchString(text) {
		if text = strings.TrimRight(text, ".-"); text == "" {
			return nil
		}
		return []string{text}
	}
	said := []string{strings.Trim(expression.ReplaceAllString(text, ""), "._-")}
	for _, e := range expression.FindAllString(text, -1) {
		for _, m := range literal.FindAllStringSubmatch(e, -1) {
			said = append(said, m[1]+m[2])
		}
	}
	return slices.DeleteFunc(said, func(text string) bool {
		_, _, ok := Parse(text)
		return !ok
	})
}

// filledIn tells whether a template or a variable makes the whole version that a text says.
func filledIn(text string) bool { return expression.MatchString(text) && len(fixedTags(text)) == 0 }

// structuredMentions are the tags that stand beside a repository in a YAML file. A file that is no YAML has none.
func structuredMentions(file string, content []byte, repositories []string) []Mention {
	var all []Mention
	names := map[string]string{}
	for _, r := range repositories {
		names[familiar(r)] = r
	}
	var walk func(node *yaml.Node)
	walk = func(node *yaml.Node) {
		tag, repository := child(node, "tag"), repositoryIn(node)
		if newTag := child(node, "newTag"); newTag != nil {
			tag = newTag
			for _, key := range []string{"name", "newName"} {
				if named := child(node, key); named != nil {
					repository = named.Value
				}
			}
		}
		if r, ok := names[familiar(repository)]; ok && tag != nil && tag.Kind == yaml.ScalarNode {
			for _, fixed := range fixedTags(tag.Value) {
				all = append(all, Mention{file, tag.Line, r, fixed})
			}
		}
		for _, c := range node.Content {
			walk(c)
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		if decoder.Decode(&document) != nil {
			return all
		}
		walk(&document)
	}
}
