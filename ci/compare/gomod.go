package compare

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/operator-release/operator-release/ci/refusal"
)

const goMod = "go.mod"

// GoModule compares the Go modules of two trees: the toolchain, the module's path, and what it requires directly. A go.mod that cannot be read is refused.
func GoModule(older, newer fs.FS) ([]Finding, error) {
	was, err := readModule(older)
	if err != nil {
		return nil, of(olderSide, err)
	}
	now, err := readModule(newer)
	if err != nil || was == nil || now == nil {
		return nil, of(newerSide, err)
	}
	var findings []Finding
	if was.path != now.path {
		f := New(Notable, Go, "module", "changed")
		f.What, f.Was, f.Now, f.File, f.Line = "the Go module has another path: change your imports", was.path, now.path, goMod, now.pathLine
		findings = append(findings, f)
	}
	if was.toolchain != now.toolchain {
		severity, what := Info, "it is compiled with a newer Go"
		if semver.Compare("v"+now.toolchain, "v"+was.toolchain) < 0 {
			severity, what = Notable, "it is compiled with an older Go"
		}
		f := New(severity, Go, "toolchain", "changed")
		f.What, f.Was, f.Now, f.File, f.Line = what, "go"+was.toolchain, "go"+now.toolchain, goMod, now.toolchainLine
		findings = append(findings, f)
	}
	for _, path := range slices.Sorted(maps.Keys(was.direct)) {
		before := was.direct[path]
		after, ok := now.direct[path]
		switch {
		case !ok:
			f := New(Info, Go, path, "removed")
			f.What, f.Was, f.File, f.Line, f.Gone = "the dependency "+path+" is gone", before.version, goMod, before.line, true
			findings = append(findings, f)
		case before.version != after.version:
			severity, what := Info, fmt.Sprintf("the dependency %s is a newer one", path)
			if semver.Compare(after.version, before.version) < 0 {
				severity, what = Notable, fmt.Sprintf("the dependency %s is an older one", path)
			}
			f := New(severity, Go, path, "changed")
			f.What, f.Was, f.Now, f.File, f.Line = what, before.version, after.version, goMod, after.line
			findings = append(findings, f)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(now.direct)) {
		if _, ok := was.direct[path]; !ok {
			f := New(Info, Go, path, "added")
			f.What, f.Now, f.File, f.Line = "the dependency "+path+" is new", now.direct[path].version, goMod, now.direct[path].line
			findings = append(findings, f)
		}
	}
	return findings, nil
}

type module struct {
	path, toolchain         string
	pathLine, toolchainLine int
	direct                  map[string]requirement
}

type requirement struct {
	version string
	line    int
}

// readModule gives nil for a tree without a go.mod.
func readModule(tree fs.FS) (*module, error) {
	content, err := fs.ReadFile(tree, goMod)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse(goMod, content, nil)
	if err != nil {
		return nil, refusal.New("compare Go modules: read go.mod: %w", err)
	}
	m := &module{direct: map[string]requirement{}}
	if mod.Module != nil {
		m.path, m.pathLine = mod.Module.Mod.Path, mod.Module.Syntax.Start.Line
	}
	if mod.Go != nil {
		m.toolchain, m.toolchainLine = mod.Go.Version, mod.Go.Syntax.Start.Line
	}
	if mod.Toolchain != nil && mod.Toolchain.Name != "default" && len(mod.Toolchain.Name) > 2 {
		m.toolchain, m.toolchainLine = mod.Toolchain.Name[2:], mod.Toolchain.Syntax.Start.Line // behind "go"
	}
	for _, r := range mod.Require {
		if !r.Indirect {
			m.direct[r.Mod.Path] = requirement{r.Mod.Version, r.Syntax.Start.Line}
		}
	}
	return m, nil
}
