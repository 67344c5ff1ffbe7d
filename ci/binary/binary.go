// Package binary tells what the file of a Go program says of itself: module, platform and version. It runs nothing, so
// it judges programs for every platform.
package binary

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
)

// Want is what a released binary has to be.
type Want struct {
	Platform config.Platform
	Modules  []string // it is of one of these; empty: of any
	Version  string   // such as v1.5.0; empty: of any
	Foreign  []string // versions of other things, with which programs are linked
}

// Said is what a binary says of itself.
type Said struct {
	Info *buildinfo.BuildInfo
	// Version is the version as the bytes hold it outside of the list of modules: v1.5.0 or 1.5.0. Many hold none.
	Version string
	// Stamped tells that Version is a string of its own, as the linker's -X writes it.
	Stamped bool
}

// Module is the module of the main package; empty if the binary was built without modules.
func (s Said) Module() string { return s.Info.Main.Path }

// Differs tells that a program holds the version otherwise than the same program of another platform: not at all, or as
// another string of its own, such as 1.5.0 where the other one has v1.5.0.
func (s Said) Differs(other Said) bool {
	return other.Version != "" && s.Version != other.Version && (s.Version == "" || s.Stamped && other.Stamped)
}

// Check reads a binary, and refuses one of another platform, module or version.
func (w Want) Check(path string) (Said, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return Said{}, refusal.New("read its build information: %w; release a program that Go compiled, without packing "+
			"it", err)
	}
	said := Said{Info: info}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	for key, want := range map[string]string{"GOOS": w.Platform.OS, "GOARCH": w.Platform.Arch} {
		if found := settings[key]; found != "" && found != want {
			return said, refusal.New("it is for another platform: it was compiled with %s=%s; compile it with %s=%s", key,
				found, key, want)
		}
	}
	if arm, want := settings["GOARM"], strings.TrimPrefix(w.Platform.Variant, "v"); w.Platform.Arch == "arm" &&
		want != "" && arm != "" && arm[:1] > want {
		return said, refusal.New("it is for another platform: it was compiled with GOARM=%s; compile it with GOARM=%s",
			arm, want)
	}
	if module := said.Module(); module != "" && len(w.Modules) > 0 && !slices.Contains(w.Modules, module) {
		return said, refusal.New("it is the program %s of the module %s, and this repository has %s; hand over the "+
			"program that was "+
			"built from this repository", info.Path, module, strings.Join(w.Modules, ", "))
	}
	if w.Version == "" {
		return said, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return said, err
	}
	var other string
	if said.Version, said.Stamped, other = holds(content, w.Version, w.Foreign); said.Version == "" && other != "" {
		return said, refusal.New("it was linked with the version %s, and %s is released; build it again with the linker "+
			"flag "+
			"that sets %s (-ldflags -X); if %s is the version of something else, add it to foreignVersions in .release.yaml",
			other, w.Version, w.Version, other)
	}
	return said, nil
}

// goesOn is how a version goes on behind its number: -dirty, -5-gabcdef0, +meta, _fix, .post1.
const goesOn = `(?:[-+_][0-9A-Za-z]|\.[A-Za-z])[0-9A-Za-z.+_-]{0,60}`

var (
	// stamped finds what the linker's -X writes: a string that ends with a zero byte.
	stamped = regexp.MustCompile(`(?:^|[^0-9A-Za-z.+_/-])` +
		`([vV]?(?:0|[1-9]\d{0,4})\.(?:0|[1-9]\d{0,4})\.(?:0|[1-9]\d{0,4})` +
		`(?:` + goesOn + `|[A-Za-z][0-9A-Za-z.+_-]{0,60})?)\x00`)
	// continues finds that a version goes on: v1.5.0 is no part of v1.5.0-rc.0 or v1.5.01, nor of what the linker wrote as
	// v1.5.0-dirty, v1.5.0-5-gabcdef0, v1.5.0.post1 or v1.5.0_fix.
	continues = regexp.MustCompile(`^(?:\d|\.\d|-[0-9A-Za-z]+\.?\d|\+[0-9A-Za-z]|` + goesOn + `\x00)`)
	// lettered finds that a string of its own goes on with a letter: v1.5.0x, 1.5.0rc1.
	lettered = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z.+_-]{0,60}\x00`)
	// apart tells that what follows is no part of a word.
	apart = regexp.MustCompile(`(?:^|[^0-9A-Za-z.+_/-])$`)
)

// holds gives the version as the bytes of a program hold it, with or without v, and whether it is a string of its own.
// The wanted form comes first. If there is none, other is a version that they hold where the linker writes one, and
// that is not foreign; empty if there is none. Of the build information only the line of the program's own module
// counts.
func holds(content []byte, version string, foreign []string) (found string, own bool, other string) {
	number := strings.TrimPrefix(version, "v")
	for at := 0; found != version || !own; {
		i := bytes.Index(content[at:], []byte(number))
		if i < 0 {
			break
		}
		start, end := at+i, at+i+len(number)
		at = start + 1
		before, after := content[max(0, start-2):start], content[end:min(len(content), end+80)]
		form := number
		if n := len(before); n > 0 && (before[n-1] == 'v' || before[n-1] == 'V') {
			form, before = string(before[n-1:])+number, before[:n-1]
		}
		last := byte(0)
		if len(before) > 0 {
			last = before[len(before)-1]
		}
		alone := apart.Match(before)
		isString := alone && bytes.HasPrefix(after, []byte{0})
		switch {
		case last >= '0' && last <= '9', last == '.', continues.Match(after):
		case last == '\t' && len(after) > 0 && (after[0] == '\t' || after[0] == '\n') && !inLine(content[:start], "mod"):
		case inLine(content[:start], "build"): // with which flags it was built
		case alone && lettered.Match(after), isString && form[0] == 'V':
		default:
			if form[0] == 'V' {
				form = number
			}
			if found == "" || form == version && (found != version || isString) || form == found && isString {
				found, own = form, isString
			}
		}
	}
	if found != "" {
		return found, own, ""
	}
	for {
		m := stamped.FindSubmatchIndex(content)
		if m == nil {
			return "", false, ""
		}
		if other := string(content[m[2]:m[3]]); !IsForeign(other, foreign) {
			return "", false, other
		}
		content = content[m[1]-1:] // the zero byte may stand before the next one
	}
}

// IsForeign tells whether a version, with or without v, is one of these.
func IsForeign(version string, foreign []string) bool {
	return slices.ContainsFunc(foreign, func(f string) bool {
		return strings.TrimPrefix(f, "v") == strings.TrimPrefix(version, "v")
	})
}

// inLine tells whether text ends in a line of build information of this kind: mod for the program's own module, dep for
// others, build for a setting.
func inLine(before []byte, kind string) bool {
	line := before[max(0, bytes.LastIndexByte(before, '\n')+1):]
	return bytes.HasPrefix(line, []byte(kind+"\t"))
}

// Modules are the paths of the Go modules of a tree on disk, sorted.
func Modules(tree string) ([]string, error) {
	var modules []string
	err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "vendor" || d.Name() == "node_modules" || d.Name() == "testdata" ||
			d.Name() == ".git"):
			return filepath.SkipDir
		case d.Name() != "go.mod" || !d.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if module := modfile.ModulePath(content); module != "" {
			modules = append(modules, module)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find the modules of %s: %w", tree, err)
	}
	slices.Sort(modules)
	return slices.Compact(modules), nil
}
