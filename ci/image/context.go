package image

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/refusal"
)

// buildContext is what COPY can see: the files of one folder of the tree, minus what .dockerignore
// names, plus the built binaries. It is a picture taken once; paths are slash-separated and relative.
type buildContext struct {
	name     string // how messages call it
	ignore   string // the ignore file in force
	nodes    map[string]*node
	binaries []string // paths of the overlay, such as bin/manager
}

type node struct {
	kind    fs.FileMode // fs.ModeDir, fs.ModeSymlink, 0 for a file, else something that no image holds
	link    string      // a link's target
	disk    string      // where a file's content is
	binary  string      // name of the released binary that it is
	mode    int64
	ignored bool
}

// readContext looks at the folder context of tree. Git's own folder is no part of a commit's tree.
func readContext(tree, context, dockerfile string) (*buildContext, error) {
	top, dir, err := contextFolder(tree, context)
	if err != nil {
		return nil, err
	}
	c := &buildContext{name: context, nodes: map[string]*node{}}
	matcher, err := c.ignoreFile(top, dir, dockerfile)
	if err != nil {
		return nil, err
	}
	matches := map[string]patternmatcher.MatchInfo{}
	err = filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if name == ".git" && dir == top {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		n := &node{kind: entry.Type(), disk: file, mode: archive.Executable}
		c.nodes[name] = n
		switch {
		case n.kind&fs.ModeSymlink != 0:
			if n.link, err = os.Readlink(file); err != nil {
				return err
			}
		case n.kind == 0:
			info, err := entry.Info()
			if err != nil {
				return err
			}
			if info.Mode()&0o100 == 0 {
				n.mode = archive.Plain
			}
		}
		if name == "." || matcher == nil {
			return nil
		}
		var match patternmatcher.MatchInfo
		n.ignored, match, err = matcher.MatchesUsingParentResults(name, matches[path.Dir(name)])
		if n.kind.IsDir() {
			matches[name] = match
		}
		if err == nil && !n.ignored {
			// A folder is there where something in it is.
			for p := path.Dir(name); c.nodes[p].ignored; p = path.Dir(p) {
				c.nodes[p].ignored = false
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("build context %s: %w", context, err)
	}
	return c, nil
}

// contextFolder gives the real paths of the tree and of the context in it.
func contextFolder(tree, context string) (top, dir string, err error) {
	if top, err = filepath.EvalSymlinks(tree); err != nil {
		return "", "", err
	}
	if dir, err = filepath.EvalSymlinks(filepath.Join(tree, filepath.FromSlash(context))); err != nil {
		return "", "", refusal.New("build context %s: the release commit has no such folder (%w); name another in the configuration", context, err)
	}
	if rel, err := filepath.Rel(top, dir); err != nil || !filepath.IsLocal(rel) {
		return "", "", refusal.New("build context %s: a symbolic link leads it out of the release commit's tree, to %s", context, dir)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", "", refusal.New("build context %s: it is no folder", context)
	}
	return top, dir, nil
}

// readIgnore reads the Dockerfile's own ignore file, which lies in top, else the context's, which lies in dir. The name
// is that of the file, and empty where there is none.
func readIgnore(top, dir fs.FS, dockerfile string) (name string, matcher *patternmatcher.PatternMatcher, err error) {
	for _, place := range []struct {
		root fs.FS
		file string
	}{{top, path.Clean(dockerfile) + ".dockerignore"}, {dir, ".dockerignore"}} {
		file, err := place.root.Open(place.file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, fmt.Errorf("read %s: %w", place.file, err)
		}
		defer file.Close()
		patterns, err := ignorefile.ReadAll(file)
		if err != nil {
			return "", nil, fmt.Errorf("read %s: %w", place.file, err)
		}
		matcher, err := patternmatcher.New(patterns)
		if err != nil {
			return "", nil, refusal.New("read %s: %w; correct the pattern", place.file, err)
		}
		return place.file, matcher, nil
	}
	return "", nil, nil
}

// ignoreFile reads the ignore file of a context on disk.
func (c *buildContext) ignoreFile(top, dir, dockerfile string) (matcher *patternmatcher.PatternMatcher, err error) {
	var roots [2]fs.FS
	for i, name := range []string{top, dir} {
		root, err := os.OpenRoot(name)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		roots[i] = root.FS()
	}
	c.ignore, matcher, err = readIgnore(roots[0], roots[1], dockerfile)
	return matcher, err
}

// with is the context with these binaries of a platform laid over it: bin/<platform>/<name> and
// bin/<name>. They are never ignored, always executable, and stand in place of what the tree has there.
func (c *buildContext) with(platform string, binaries map[string]string) (*buildContext, error) {
	over := &buildContext{name: c.name, ignore: c.ignore, nodes: maps.Clone(c.nodes)}
	for _, name := range slices.Sorted(maps.Keys(binaries)) {
		if !fs.ValidPath(name) || name == "." || strings.Contains(name, "/") || strings.HasPrefix(platform+"/", name+"/") {
			return nil, refusal.New("binary %q: it cannot lie in the build context as bin/%s; give it another name", name, name)
		}
		file, err := filepath.EvalSymlinks(binaries[name])
		if err != nil {
			return nil, fmt.Errorf("binary %s for %s: %w", name, platform, err)
		}
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			return nil, refusal.New("binary %s for %s: %s is no file", name, platform, binaries[name])
		}
		for _, p := range []string{path.Join("bin", platform, name), path.Join("bin", name)} {
			for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
				if old := over.nodes[dir]; old == nil || !old.kind.IsDir() || old.ignored {
					over.clear(dir)
					over.nodes[dir] = &node{kind: fs.ModeDir, mode: archive.Executable}
				}
			}
			over.clear(p)
			over.nodes[p] = &node{disk: file, binary: name, mode: archive.Executable}
			over.binaries = append(over.binaries, p)
		}
	}
	slices.Sort(over.binaries)
	return over, nil
}

// clear drops what is no folder at p, or the folder with all in it where it is no folder to be kept.
func (c *buildContext) clear(p string) {
	old := c.nodes[p]
	delete(c.nodes, p)
	if old == nil || !old.kind.IsDir() || old.ignored {
		return // what lies in an ignored folder is ignored itself
	}
	for name := range c.nodes {
		if strings.HasPrefix(name, p+"/") {
			delete(c.nodes, name)
		}
	}
}

// below are the paths in a folder that are there, at any depth, sorted.
func (c *buildContext) below(dir string) []string {
	var names []string
	for name, n := range c.nodes {
		if !n.ignored && name != "." && (dir == "." || strings.HasPrefix(name, dir+"/")) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// find gives the path that src ends at, symbolic links followed, and what is there. The
// error says in words of the context what is wrong with src.
func (c *buildContext) find(src string) (string, *node, error) {
	asked := strings.TrimLeft(src, "/")
	if asked = path.Clean(asked); asked == ".." || strings.HasPrefix(asked, "../") {
		return "", nil, fmt.Errorf("%s is outside of the build context %s", src, c.name)
	}
	at, rest := ".", strings.Split(asked, "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(at, rest[0])
		n := c.nodes[next]
		switch {
		case rest[0] == ".":
		case rest[0] == "..": // only links bring these; they were looked at
			next = path.Dir(at)
		case n == nil:
			return "", nil, c.missing(src, next)
		case n.ignored:
			return "", nil, fmt.Errorf("%s is left out of the build context by %s", src, c.ignore)
		case n.kind&fs.ModeSymlink != 0:
			if c.escapes(next, n) {
				return "", nil, fmt.Errorf("%s leads out of the build context %s: %s is a symbolic link to %s", src, c.name, next, n.link)
			}
			if links++; links > 40 {
				return "", nil, fmt.Errorf("%s leads in circles: %s is a symbolic link to %s", src, next, n.link)
			}
			rest = append(strings.Split(path.Clean(n.link), "/"), rest[1:]...)
			continue
		case len(rest) > 1 && !n.kind.IsDir():
			return "", nil, fmt.Errorf("%s is not there: %s is no folder", src, next)
		}
		at, rest = next, rest[1:]
	}
	if n := c.nodes[at]; n.kind != 0 && !n.kind.IsDir() {
		return "", nil, fmt.Errorf("%s is neither file nor folder", src)
	}
	return at, c.nodes[at], nil
}

// escapes tells whether the link n at the path name leads out of the context.
func (c *buildContext) escapes(name string, n *node) bool {
	to := path.Join(path.Dir(name), n.link)
	return path.IsAbs(n.link) || to == ".." || strings.HasPrefix(to, "../")
}

// missing says that src is not there, and what may have been meant.
func (c *buildContext) missing(src, at string) error {
	if at == "bin" || strings.HasPrefix(at, "bin/") {
		if len(c.binaries) == 0 {
			return fmt.Errorf("%s is not in the build context %s, and no binary was built for this image", src, c.name)
		}
		return fmt.Errorf("%s is not in the build context %s; the built binaries are %s", src, c.name, strings.Join(c.binaries, ", "))
	}
	var siblings []string
	for name, n := range c.nodes {
		if path.Dir(name) == path.Dir(at) && !n.ignored {
			siblings = append(siblings, name)
		}
	}
	slices.Sort(siblings)
	if near := refusal.Nearest(at, siblings); near != "" {
		return fmt.Errorf("%s is not in the build context %s; did you mean %s?", src, c.name, near)
	}
	return fmt.Errorf("%s is not in the build context %s", src, c.name)
}
