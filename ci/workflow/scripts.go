package workflow

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
)

var (
	// callOfMake is a call of make with its targets, and script a call of a file of the repository.
	callOfMake = regexp.MustCompile(`(?m)(?:^|[\s;&|(])make\s+([^\n;&|]*)`)
	script     = regexp.MustCompile(`(?m)(?:^|[\s;&|(])(?:(?:ba|da|z)?sh\s+(?:-\w+\s+)*|source\s+|\./)((?:\./)?[\w][\w./-]*)`)
	targetLine = regexp.MustCompile(`^([\w./%-][\w./% -]*?)\s*::?([^=:].*)?$`)
)

// scripts are what the commands of a step run: the step's own text, the recipes of the make targets that it names with
// those that they need, and the scripts that it calls. What these call is not looked at further.
func scripts(tree fs.FS, run string) string {
	text := strings.ReplaceAll(run, "\\\n", " ")
	var all strings.Builder
	all.WriteString(text)
	var recipes map[string]recipe
	for _, call := range callOfMake.FindAllStringSubmatch(text, -1) {
		if recipes == nil {
			recipes = readMakefile(tree)
		}
		seen := map[string]bool{}
		for _, word := range strings.Fields(call[1]) {
			all.WriteString(recipesBelow(recipes, word, seen))
		}
	}
	for _, call := range script.FindAllStringSubmatch(text, -1) {
		if content, err := fs.ReadFile(tree, path.Clean(call[1])); err == nil {
			all.WriteString("\n" + strings.ReplaceAll(string(content), "\\\n", " "))
		}
	}
	return withoutComments(all.String())
}

// recipe is what make does for a target.
type recipe struct {
	lines []string
	needs []string
}

// readMakefile reads the rules of the repository's Makefile; none where it has no such file. Variables are not expanded.
func readMakefile(tree fs.FS) map[string]recipe {
	rules := map[string]recipe{}
	for _, name := range []string{"GNUmakefile", "makefile", "Makefile"} { // the order of GNU make
		content, err := fs.ReadFile(tree, name)
		if err != nil {
			continue
		}
		var current []string
		for line := range strings.Lines(strings.ReplaceAll(string(content), "\\\n", " ")) {
			line = strings.TrimRight(line, "\r\n")
			if command, ok := strings.CutPrefix(line, "\t"); ok {
				for _, target := range current {
					r := rules[target]
					r.lines = append(r.lines, command)
					rules[target] = r
				}
				continue
			}
			if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
				continue
			}
			current = nil
			rule, _, _ := strings.Cut(line, "#")
			m := targetLine.FindStringSubmatch(rule)
			if m == nil {
				continue
			}
			current = strings.Fields(m[1])
			for _, target := range current {
				r := rules[target]
				r.needs = append(r.needs, strings.Fields(m[2])...)
				rules[target] = r
			}
		}
		return rules
	}
	return rules
}

// recipesBelow are the commands for a target, and for all that it needs.
func recipesBelow(rules map[string]recipe, target string, seen map[string]bool) string {
	r, ok := rules[target]
	if !ok || seen[target] {
		return ""
	}
	seen[target] = true
	text := "\n" + strings.Join(r.lines, "\n")
	for _, need := range r.needs {
		text += recipesBelow(rules, need, seen)
	}
	return text
}
