package image

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/patternmatcher"

	"github.com/operator-release/operator-release/ci/git"
)

// Holds gives the entries that the build of an image reads from its context. COPY, ADD and bind mounts of RUN name them
// in the stages that the target needs. The ignore file leaves some out. A submodule is read if its folder or a path in
// it is named. A variable with an unknown value matches any name.
func Holds(tree *git.Tree, context, dockerfile, target string, args map[string]string,
	of []git.Entry) ([]git.Entry, error) {
	sources, err := contextSources(tree, dockerfile, target, args)
	if err != nil {
		return nil, err
	}
	if context, err = tree.Resolve(path.Clean(context)); err != nil {
		return nil, err
	}
	for i, s := range sources { // what a symbolic link leads to is copied
		if real, err := tree.Resolve(path.Join(context, s.pattern)); err == nil && real != context && within(context, real) {
			sources[i].pattern = strings.TrimPrefix(real, context+"/")
		}
	}
	below, err := fs.Sub(tree, context)
	if err != nil {
		return nil, err
	}
	_, ignored, err := readIgnore(tree, below, dockerfile)
	if err != nil {
		return nil, err
	}
	var held []git.Entry
	for _, e := range of {
		if e.Submodule() && within(e.Path, context) {
			held = append(held, e)
			continue
		}
		if !within(context, e.Path) {
			continue
		}
		name := strings.TrimPrefix(e.Path, context+"/")
		if ignored != nil {
			out, err := ignored.MatchesOrParentMatches(name)
			if err == nil && !out && e.Submodule() { // a pattern may name all that is in it
				out, err = ignored.MatchesOrParentMatches(name + "/" + anything)
			}
			if err != nil || out {
				continue
			}
		}
		if slices.ContainsFunc(sources, func(s contextSource) bool { return s.names(name, e.Submodule()) }) {
			held = append(held, e)
		}
	}
	return held, nil
}

// within tells whether a path is the folder, or lies in it.
func within(folder, name string) bool {
	return folder == "." || name == folder || strings.HasPrefix(name, folder+"/")
}

// contextSource is a path that an instruction takes out of the context, and what it leaves out of it.
type contextSource struct {
	pattern string // slash path relative to the context, clean; "." is all of it
	exclude *patternmatcher.PatternMatcher
}

// names tells whether the source takes the path out of the context. Of a submodule also a part counts.
func (s contextSource) names(name string, submodule bool) bool {
	if s.pattern == "." {
		return !s.excludes(name)
	}
	want, have := strings.Split(s.pattern, "/"), strings.Split(name, "/")
	if len(want) > len(have) && !submodule {
		return false
	}
	for i := range min(len(want), len(have)) {
		if ok, err := path.Match(want[i], have[i]); !ok && err == nil && want[i] != have[i] {
			return false
		}
	}
	if len(have) <= len(want) {
		return !s.excludes(path.Base(name))
	}
	return !s.excludes(strings.Join(have[len(want):], "/"))
}

func (s contextSource) excludes(name string) bool {
	if s.exclude == nil {
		return false
	}
	out, err := s.exclude.MatchesOrParentMatches(name)
	return err == nil && out
}

// anything is what a variable yields whose value is not known: as a pattern it matches any name.
const anything = "*"

// guesses are variables of which some are not known.
type guesses struct{ variables }

func (g guesses) Get(name string) (string, bool) {
	value, ok := g.variables[name]
	if !ok || strings.Contains(value, "{") { // a placeholder of the settings
		return anything, true
	}
	return value, true
}

// contextSources are what the stages that the target needs take out of the context.
func contextSources(tree *git.Tree, dockerfile, target string, args map[string]string) ([]contextSource, error) {
	content, err := tree.ReadFile(path.Clean(dockerfile))
	if err != nil {
		return nil, noDockerfile(dockerfile, err)
	}
	d, err := parseDockerfile(dockerfile, content)
	if err != nil {
		return nil, err
	}
	given := variables{}
	for name, value := range args {
		given[name] = value
	}
	global, err := d.globalArgs(map[string]string{}, args)
	if err != nil {
		return nil, err
	}
	var sources []contextSource
	for _, at := range d.needed(target, guesses{global}) {
		taken, err := d.takes(d.stages[at], guesses{variables{}}, given, global)
		if err != nil {
			return nil, err
		}
		sources = append(sources, taken...)
	}
	return sources, nil
}

// needed are the stages that the target is made of, by number; the last one is the target where none is named.
func (d *dockerfile) needed(target string, global guesses) []int {
	number := func(name string, before int) int {
		for i := before - 1; i >= 0; i-- {
			if strings.EqualFold(d.stages[i].Name, name) {
				return i
			}
		}
		if i, err := strconv.Atoi(name); err == nil && i < before {
			return i
		}
		return -1
	}
	var found []int
	var need func(i int)
	need = func(i int) {
		if i < 0 || slices.Contains(found, i) {
			return
		}
		found = append(found, i)
		base, _, _ := d.lexer().ProcessWord(d.stages[i].BaseName, global)
		need(number(base, i))
		for _, c := range d.stages[i].Commands {
			switch c := c.(type) {
			case *instructions.CopyCommand:
				if c.From != "" {
					need(number(c.From, i))
				}
			case *instructions.RunCommand:
				for _, m := range mounts(c) {
					need(number(m.From, i))
				}
			}
		}
	}
	last := len(d.stages)
	if at := number(target, last); target != "" && at >= 0 {
		need(at)
	} else {
		need(last - 1)
	}
	return found
}

// mounts are those of a RUN, with their variables as they are known.
func mounts(c *instructions.RunCommand) []*instructions.Mount {
	if err := c.Expand(func(word string) (string, error) { return word, nil }); err != nil {
		return nil // the builder says what is wrong
	}
	return instructions.GetMounts(c)
}

// takes are the sources of one stage.
func (d *dockerfile) takes(s *instructions.Stage, vars guesses, given, global variables) ([]contextSource, error) {
	var sources []contextSource
	lex := d.lexer()
	expand := func(word string) string {
		value, _, err := lex.ProcessWord(word, vars)
		if err != nil {
			return anything
		}
		return value
	}
	add := func(c instructions.Command, paths, exclude []string) error {
		var out *patternmatcher.PatternMatcher
		if len(exclude) > 0 {
			var err error
			if out, err = patternmatcher.New(exclude); err != nil {
				return d.refused(c, "correct the pattern", "%v", err)
			}
		}
		for _, p := range paths {
			p = expand(p)
			if strings.Contains(p, "://") { // it is fetched
				continue
			}
			sources = append(sources, contextSource{path.Clean(strings.TrimLeft(path.Clean("/"+p), "/")), out})
		}
		return nil
	}
	for _, c := range s.Commands {
		var err error
		switch c := c.(type) {
		case *instructions.ArgCommand:
			for _, a := range c.Args {
				value, known := given[a.Key]
				if !known && a.Value != nil {
					value, known = expand(*a.Value), true
				} else if !known {
					value, known = global[a.Key]
				}
				if known {
					vars.variables[a.Key] = value
				}
			}
		case *instructions.EnvCommand:
			for _, e := range c.Env {
				vars.variables[e.Key] = expand(e.Value)
			}
		case *instructions.CopyCommand:
			if c.From == "" {
				err = add(c, c.SourcePaths, c.ExcludePatterns)
			}
		case *instructions.AddCommand:
			err = add(c, c.SourcePaths, c.ExcludePatterns)
		case *instructions.RunCommand:
			for _, m := range mounts(c) {
				if m.Type == instructions.MountTypeBind && m.From == "" {
					err = errors.Join(err, add(c, []string{m.Source}, nil))
				}
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return sources, nil
}
