package change

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// inwardFolders hold nothing that a user runs.
var inwardFolders = []string{".github", ".gitlab", ".circleci", "docs", "doc", "website",
	"test", "tests", "e2e", "testdata"}

// inwardFile tells whether a file is for those who read about the project or work on it: docs, tests, workflows.
func inwardFile(file string) bool {
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if slices.Contains(inwardFolders, path.Base(dir)) {
			return true
		}
	}
	name := path.Base(file)
	return strings.HasSuffix(name, "_test.go") || strings.EqualFold(path.Ext(name), ".md") || name == "OWNERS"
}

// Inward tells whether paths are docs, tests and workflows alone. Of no paths it is false.
func Inward(paths []string) bool {
	return len(paths) > 0 && !slices.ContainsFunc(paths, func(p string) bool { return !inwardFile(p) })
}

// behaviour is in the paths of code that decides what an API server takes and stores.
var behaviour = regexp.MustCompile(`(?i)webhook|validat(?:e|ion|or|ing)|default(?:s|er|ing)?(?:[_./-]|$)|(?:^|/)admission/|conversion|mutat(?:e|ion|or|ing)`)

// Behaviour are those of the paths that hold webhooks, validation or defaults. What they do stands in no manifest, so no
// comparison of versions shows it.
func Behaviour(paths []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(file string) bool {
		return path.Ext(file) != ".go" || inwardFile(file) || !behaviour.MatchString(file)
	})
}

// innerType is the type of a subject that says that users see nothing of the change.
var innerType = regexp.MustCompile(`(?i)^(?:\[[^\]]*\]\s*)?(?:refactor|chore|style|tests?|ci|build|docs?)(?:\([^)]*\))?!?:`)

// MayChangeBehaviour tells whether a change is a feature, a fix, or one that does not say what it is.
func (c Change) MayChangeBehaviour() bool {
	k := c.Message.Kind
	return k == Feature || k.IsFix() || k == Revert || k == Other && !innerType.MatchString(c.Title)
}

// IsFeature tells why a change that touches the paths brings a feature, or why it brings none although it is called
// one. Both are empty where it is not called one.
func (c Change) IsFeature(paths []string) (why, whyNot string) {
	switch {
	case c.Message.Kind == Feature:
		why = "is a feature"
	case len(c.Message.Features) > 0:
		why = "brings a feature, \"" + strings.Join(c.Message.Features, "\", \"") + "\""
	default:
		return "", ""
	}
	if Inward(paths) {
		return "", "changes docs, tests or workflows only, so it is no feature for users"
	}
	return why, ""
}
