package compare

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/toolchain"
)

// goFlags compares the command line flags that the released binaries define: in their main packages, and in the
// packages of the same tree that these import.
func goFlags(older, newer Side) ([]Finding, error) {
	was, err := goFiles(older)
	if err != nil {
		return nil, of(olderSide, err)
	}
	now, err := goFiles(newer)
	if err != nil || len(was) == 0 || len(now) == 0 { // nothing to compare: what is released is told otherwise
		return nil, of(newerSide, err)
	}
	folders := map[string]bool{} // of packages that differ
	same := map[git.Entry]int{}
	for _, e := range slices.Concat(was, now) {
		same[e]++
	}
	for e, sides := range same {
		if sides == 1 {
			folders[path.Dir(e.Path)] = true
		}
	}
	before, err := flagsIn(older.Tree, was, folders)
	if err != nil {
		return nil, of(olderSide, err)
	}
	after, err := flagsIn(newer.Tree, now, folders)
	if err != nil {
		return nil, of(newerSide, err)
	}
	return differentFlags(before, after, func(file string) string {
		if len(newer.Config.Binaries) < 2 {
			return ""
		}
		for _, b := range newer.Config.Binaries {
			if main := path.Clean(b.Main); main != "." && strings.HasPrefix(file, main+"/") {
				return " of the program " + b.Name
			}
		}
		return ""
	}), nil
}

// differentFlags are findings about flags that only one of two versions defines. of names the program of a file.
func differentFlags(was, now flagSet, of func(file string) string) (findings []Finding) {
	for _, file := range addMissing(was.unread, now.unread) {
		f := New(Notable, Flags, file, "not-compared")
		f.NotCompared = true
		f.What, f.File = "the flags that "+file+" defines are not compared: it is no Go that can be read", file
		findings = append(findings, f)
	}
	for _, name := range inOrderOf(was.flags) {
		if _, ok := now.flags[name]; !ok {
			f := New(Breaking, Flags, name, "removed")
			f.What = fmt.Sprintf("the flag --%s%s is gone: a command line that sets it fails", name, of(was.flags[name].file))
			f.File, f.Line, f.Gone = was.flags[name].file, was.flags[name].line, true
			findings = append(findings, f)
		}
	}
	for _, name := range inOrderOf(now.flags) {
		if _, ok := was.flags[name]; !ok {
			f := New(Info, Flags, name, "added")
			f.What, f.Adds = fmt.Sprintf("there is a new flag --%s%s", name, of(now.flags[name].file)), true
			f.File, f.Line = now.flags[name].file, now.flags[name].line
			findings = append(findings, f)
		}
	}
	return findings
}

func addMissing(to, more []string) []string {
	all := slices.Concat(to, more)
	slices.Sort(all)
	return slices.Compact(all)
}

// goFiles are the Go files that a build of the released binaries reads.
func goFiles(side Side) ([]git.Entry, error) {
	var mains []string
	for _, b := range side.Config.Binaries {
		mains = append(mains, b.Main)
	}
	files := slices.DeleteFunc(side.Tree.Entries(), func(e git.Entry) bool { return path.Ext(e.Path) != ".go" })
	if len(mains) == 0 {
		return nil, nil
	}
	return toolchain.Holds(side.Tree, mains, files)
}

// definedFlag is where a flag is defined.
type definedFlag struct {
	file string
	line int
}

// flagSet is what the binaries of a version define.
type flagSet struct {
	flags  map[string]definedFlag
	unread []string // files that are no Go
}

// flagsIn reads the flags that the files in some folders define.
func flagsIn(tree *git.Tree, files []git.Entry, folders map[string]bool) (flagSet, error) {
	set := flagSet{flags: map[string]definedFlag{}}
	read := map[string]goFile{}
	consts := map[string]string{} // by folder and name
	for _, e := range files {
		if !folders[path.Dir(e.Path)] {
			continue
		}
		content, err := tree.ReadFile(e.Path)
		if err != nil {
			return set, err
		}
		found := readGo(e.Path, content)
		if read[e.Path] = found; found.broken {
			set.unread = append(set.unread, e.Path)
		}
		for name, text := range found.consts {
			consts[path.Dir(e.Path)+" "+name] = text
		}
	}
	for _, file := range inOrderOf(read) {
		for _, call := range read[file].calls {
			name := cmp.Or(call.name, consts[path.Dir(file)+" "+call.constant])
			if _, there := set.flags[name]; name != "" && !there {
				set.flags[name] = definedFlag{file, call.line}
			}
		}
	}
	return set, nil
}

// goFile is what one file defines.
type goFile struct {
	consts map[string]string // of strings
	calls  []flagCall
	broken bool
}

// flagCall is a call that defines a flag: by its name, or by a constant.
type flagCall struct {
	name, constant string
	line           int
}

// readGo reads a Go file's constants, and the calls that define flags.
func readGo(file string, content []byte) goFile {
	found := goFile{consts: map[string]string{}}
	positions := token.NewFileSet()
	parsed, err := parser.ParseFile(positions, file, content, parser.SkipObjectResolution)
	if err != nil {
		found.broken = true
		return found
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if i < len(n.Values) {
					if text, ok := literal(n.Values[i]); ok {
						found.consts[name.Name] = text
					}
				}
			}
		case *ast.CallExpr:
			if call, ok := definesFlag(n); ok {
				call.line = positions.Position(n.Pos()).Line
				found.calls = append(found.calls, call)
			}
		}
		return true
	})
	return found
}

var (
	// flagMethod is a method of the packages flag and pflag that defines a flag of some type.
	flagMethod = regexp.MustCompile(`^(?:String|Bool|Int|Uint|Float|Duration|Time|IP|Text|Count|Func|Bytes|Var)` +
		`(?:8|16|32|64)?(?:Net|Mask|Hex|Base64|Func)?(?:Slice|Array|ToString|ToInt|ToInt64)?(Var)?P?$`)
	flagHolder = regexp.MustCompile(`(?i)flag|^fs$|^pf$`)
	flagName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
)

// definesFlag tells whether a call defines a flag: a method of a set of flags with a name, a default and a usage.
func definesFlag(n *ast.CallExpr) (flagCall, bool) {
	method, ok := n.Fun.(*ast.SelectorExpr)
	if !ok || len(n.Args) < 3 {
		return flagCall{}, false
	}
	kind := flagMethod.FindStringSubmatch(method.Sel.Name)
	if kind == nil || !flagHolder.MatchString(holder(method.X)) {
		return flagCall{}, false
	}
	at := 0
	if kind[1] != "" || strings.HasPrefix(method.Sel.Name, "Var") { // behind the variable
		at = 1
	}
	if text, ok := literal(n.Args[at]); ok {
		return flagCall{name: text}, flagName.MatchString(text)
	}
	constant, ok := n.Args[at].(*ast.Ident)
	if !ok {
		return flagCall{}, false
	}
	return flagCall{constant: constant.Name}, true
}

// holder is the last name of what a method is called on.
func holder(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	case *ast.CallExpr:
		return holder(x.Fun)
	case *ast.ParenExpr:
		return holder(x.X)
	}
	return ""
}

// literal is the text of a string in Go.
func literal(x ast.Expr) (string, bool) {
	basic, ok := x.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(basic.Value)
	return text, err == nil
}
