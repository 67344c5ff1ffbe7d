package compare

import (
	"bytes"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	"sigs.k8s.io/yaml"
)

// Definition is a CRD in a file of a tree.
type Definition struct {
	Name, File string
	Old        bool // it is of an API version before v1
	Spec       map[string]any
	Object     map[string]any // all of it
	FilledIn   bool           // a template fills in a part of it, for which Templated stands
}

// Templated stands in a value for what a template fills in, and begins the key that stands for lines.
const Templated = "operator-release-templated"

var (
	// definitionKind is how an object says that it is a CRD, in YAML, in JSON, and in a string of JSON.
	definitionKind = regexp.MustCompile(`(?:\b|\\n)kind\\*["']?\s*:\s*\\*["']?CustomResourceDefinition\b`)
	// document is what begins another YAML document.
	document = regexp.MustCompile(`(?m)^---([ \t].*)?\r?$`)
)

// definitionReader collects the CRDs of a file.
type definitionReader struct {
	file     string
	template bool // expressions in braces are filled in later
	found    []Definition
	complete bool
}

// prose are the extensions of documents, which show CRDs in part.
var prose = []string{".md", ".markdown", ".rst", ".adoc", ".html", ".svg", ".patch", ".diff"}

// Definitions gives the CRDs in files of a tree, those of a packaged chart (.tgz) included. It leaves out documents,
// Go's tests, and what InRelease leaves out. unread are the files of which one could not be read, or only in part.
func Definitions(tree fs.FS, files []string) (found []Definition, unread []string, err error) {
	for _, file := range files {
		if slices.Contains(prose, path.Ext(file)) || strings.HasSuffix(file, "_test.go") || !InRelease(file) {
			continue
		}
		content, err := fs.ReadFile(tree, file)
		if err != nil {
			return nil, nil, err
		}
		held := []*archive.BufferedFile{{Data: content}}
		if path.Ext(file) == ".tgz" {
			if held, err = archive.LoadArchiveFiles(bytes.NewReader(content)); err != nil {
				unread = append(unread, file)
				continue
			}
		}
		for _, f := range held {
			if name := path.Join(file, f.Name); definitionKind.Match(f.Data) && !slices.Contains(prose, path.Ext(name)) {
				more, complete := ReadDefinitions(name, string(f.Data))
				found = append(found, more...)
				if !complete {
					unread = append(unread, name)
				}
			}
		}
	}
	return found, unread, nil
}

// ReadDefinitions gives the CRDs in a file: objects, items of lists, texts in values such as those of a ConfigMap, and
// string literals of Go. A patch of kustomize is no CRD. It is not complete if a document that names the kind is no
// YAML, if a template makes the name or a part of the spec, or if the file is of another language.
func ReadDefinitions(file, text string) (found []Definition, complete bool) {
	r := &definitionReader{file: file, complete: true}
	switch path.Ext(file) {
	case ".yaml", ".yml", ".json":
		r.template = slices.Contains(strings.Split(path.Dir(file), "/"), "templates")
		r.read(text)
	case ".tpl", ".tmpl", ".gotmpl", ".gotpl", ".template":
		r.template = true
		r.read(text)
	case ".go":
		for _, literal := range literals(text) {
			r.read(literal)
		}
	default:
		r.complete = false
	}
	return r.found, r.complete
}

// literals are the string literals of a Go file that name the kind.
func literals(text string) []string {
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile("", files.Base(), len(text)), []byte(text), func(token.Position, string) {}, 0)
	var found []string
	for {
		_, kind, literal := s.Scan()
		if kind == token.EOF {
			return found
		}
		if kind == token.STRING && definitionKind.MatchString(literal) {
			if value, err := strconv.Unquote(literal); err == nil {
				found = append(found, value)
			}
		}
	}
}

// read takes the CRDs of a text.
func (r *definitionReader) read(text string) {
	if r.template {
		text = defined.ReplaceAllString(text, "---")
	}
	for _, part := range document.Split(text, -1) {
		if !definitionKind.MatchString(part) {
			continue
		}
		node, complete, err := r.parse(part)
		if err != nil || !complete {
			r.complete = false
		}
		r.take(node)
	}
}

// parse reads a YAML document. Braces in one that is no template are text, unless it is no YAML with them.
func (r *definitionReader) parse(part string) (node any, complete bool, err error) {
	if !r.template {
		if err = yaml.UnmarshalStrict([]byte(part), &node); err == nil || !strings.Contains(part, "{{") {
			return node, true, err
		}
	}
	if err = yaml.UnmarshalStrict([]byte(withoutExpressions(part, true)), &node); err == nil {
		return node, true, nil
	}
	text := withoutExpressions(part, false)
	return node, !strings.Contains(text, Templated+" "), yaml.UnmarshalStrict([]byte(text), &node)
}

// take takes the CRDs of a value.
func (r *definitionReader) take(node any) {
	switch n := node.(type) {
	case map[string]any:
		if n["kind"] == "CustomResourceDefinition" {
			r.takeDefinition(n)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(n)) {
			r.take(n[key])
		}
	case []any:
		for _, item := range n {
			r.take(item)
		}
	case string:
		if definitionKind.MatchString(n) {
			r.read(n)
		}
	}
}

// takeDefinition takes an object of the kind. A server requires that its name is PLURAL.GROUP.
func (r *definitionReader) takeDefinition(object map[string]any) {
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	spec, _ := object["spec"].(map[string]any)
	if spec["group"] == nil || spec["names"] == nil || (spec["versions"] == nil && spec["version"] == nil) {
		if hasExpressions(object["spec"]) || hasExpressions(object) && spec == nil {
			r.complete = false
		}
		return // a patch
	}
	if name == "" || strings.Contains(name, Templated) {
		names, _ := spec["names"].(map[string]any)
		name = fmt.Sprintf("%v.%v", names["plural"], spec["group"])
		if names["plural"] == nil || strings.Contains(name, Templated) {
			r.complete = false
			return
		}
	}
	if hasLines(spec) {
		r.complete = false // compared without them
	}
	old := object["apiVersion"] != "apiextensions.k8s.io/v1"
	if old {
		name += fmt.Sprintf(" (%v)", object["apiVersion"])
	}
	r.found = append(r.found, Definition{Name: name, File: r.file, Old: old, Spec: spec, Object: object,
		FilledIn: hasExpressions(object)})
}

// hasExpressions tells whether a template fills in a part of a value.
func hasExpressions(node any) bool {
	text, ok := node.(string)
	return ok && strings.Contains(text, Templated) || anyIn(node, hasExpressions) || hasLines(node)
}

// hasLines tells whether a template fills in lines of a value.
func hasLines(node any) bool {
	object, _ := node.(map[string]any)
	return HasLine(object) || anyIn(node, hasLines)
}

// anyIn tells whether a map or a list has a member that is so.
func anyIn(node any, is func(any) bool) bool {
	switch n := node.(type) {
	case map[string]any:
		for _, member := range n {
			if is(member) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(n, is)
	}
	return false
}

// An action of a Go template: its texts may hold braces.
const action = "\\{\\{(?:\"(?:\\\\.|[^\"\\\\])*\"|`[^`]*`|[^\"`}]|\\}[^}\"`])*\\}\\}"

var (
	comment    = regexp.MustCompile(`(?s)\{\{-?\s*/\*.*?\*/\s*-?\}\}`)
	defined    = regexp.MustCompile(`(?m)^[ \t]*\{\{-?\s*define\b[^}]*\}\}[ \t]*$`)
	actionLine = regexp.MustCompile(`(?m)^([ \t]*)(` + action + `)[ \t]*\r?$`)
	actions    = regexp.MustCompile(action)
	indentedBy = regexp.MustCompile(`\bnindent\s+\(?(\d+)`)
	noOutput   = regexp.MustCompile(`^\{\{-?\s*(?:(?:if|else|end|range|with|define|block|break|continue)\b|\$\w*\s*:?=)`)
)

// withoutExpressions replaces what a template fills in. An action on a line of its own that gives no text is left out,
// as every one is without lines; the others become a key at their indentation.
func withoutExpressions(text string, lines bool) string {
	text = comment.ReplaceAllString(text, "")
	n := 0
	text = actionLine.ReplaceAllStringFunc(text, func(line string) string {
		m := actionLine.FindStringSubmatch(line)
		if noOutput.MatchString(m[2]) {
			return ""
		}
		if !lines {
			return "# " + Templated + " "
		}
		indent := m[1]
		if by := indentedBy.FindStringSubmatch(m[2]); by != nil {
			width, _ := strconv.Atoi(by[1])
			indent = strings.Repeat(" ", min(width, 200))
		}
		n++
		return fmt.Sprintf("%s%s-%d: x", indent, Templated, n)
	})
	return actions.ReplaceAllString(text, Templated)
}

// HasLine tells whether a template fills in lines of a map.
func HasLine(object map[string]any) bool {
	for key := range object {
		if strings.Contains(key, Templated) {
			return true
		}
	}
	return false
}
