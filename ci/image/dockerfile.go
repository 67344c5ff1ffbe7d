package image

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Examination is what a Dockerfile says about how it can be built.
type Examination struct {
	Stages      int       `json:"stages"`
	Bases       []string  `json:"bases"` // what FROM names, after its variables; the platform's own stay as ${TARGETARCH}
	Unsupported []Problem `json:"unsupported"`
	Copies      []string  `json:"copies"` // absolute paths that the stage to build copies to out of another stage or image
}

// Problem is what the in-process builder cannot carry out.
type Problem struct {
	Line        int    `json:"line"`        // 0 where no line is at fault
	Instruction string `json:"instruction"` // its text, shortened
	Why         string `json:"why"`
	WayOut      string `json:"wayOut,omitempty"`
}

// Describe is the problem in one line, as a compiler would say it.
func (p Problem) Describe(dockerfile string) string {
	text := p.in(dockerfile)
	if p.WayOut != "" {
		text += "; " + p.WayOut
	}
	return text
}

func (p Problem) in(dockerfile string) string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s: %s", dockerfile, p.Instruction, p.Why)
	}
	return fmt.Sprintf("%s:%d: %s: %s", dockerfile, p.Line, p.Instruction, p.Why)
}

// Examine tells, without network and without a tree on disk, whether the in-process builder can
// carry out the Dockerfile up to its stage target, the last one where that is empty. Only a file that is missing, or that no
// builder can read, is an error.
func Examine(tree fs.FS, dockerfile, target string, args map[string]string) (Examination, error) {
	content, err := fs.ReadFile(tree, path.Clean(dockerfile))
	if err != nil {
		return Examination{}, noDockerfile(dockerfile, err)
	}
	d, err := parseDockerfile(dockerfile, content)
	if err != nil {
		return Examination{}, err
	}
	found := Examination{Stages: len(d.stages), Bases: []string{}, Unsupported: append([]Problem{}, d.problems...)}
	found.Unsupported = append(found.Unsupported, d.undeclared(args)...)
	auto := map[string]string{}
	for _, name := range automatic {
		auto[name] = "${" + name + "}"
	}
	global, err := d.globalArgs(auto, args)
	if err != nil {
		return Examination{}, err
	}
	names := map[string]bool{"scratch": true}
	for _, s := range d.stages {
		base, problem := d.base(s, global)
		switch {
		case problem != nil:
			found.Unsupported = append(found.Unsupported, *problem)
		case !names[base] && !slices.Contains(found.Bases, base):
			found.Bases = append(found.Bases, base)
		}
		if s.Name != "" {
			names[s.Name] = true
		}
	}
	slices.SortStableFunc(found.Unsupported, func(a, b Problem) int { return a.Line - b.Line })
	found.Copies = d.copies(target)
	return found, nil
}

// copies are the paths that a stage copies to out of another stage or image, as far as they are literal.
func (d *dockerfile) copies(target string) []string {
	return d.copiesFrom(target, func(string) bool { return true })
}

// copiesFrom are those of copies that come from the stages or images of these names.
func (d *dockerfile) copiesFrom(target string, named func(from string) bool) []string {
	var found []string
	if len(d.stages) == 0 {
		return found
	}
	at := d.stages[len(d.stages)-1]
	for _, s := range d.stages {
		if target != "" && strings.EqualFold(s.Name, target) {
			at = s
		}
	}
	dir := "/" // where the base's own working folder is another, the settings say the path
	for _, c := range at.Commands {
		switch c := c.(type) {
		case *instructions.WorkdirCommand:
			dir = under(dir, c.Path)
		case *instructions.CopyCommand:
			if c.From == "" || !named(c.From) {
				continue
			}
			for _, source := range c.SourcePaths {
				to := under(dir, c.DestPath)
				if last := path.Base(c.DestPath); strings.HasSuffix(c.DestPath, "/") || last == "." || len(c.SourcePaths) > 1 {
					to = path.Join(to, path.Base(source))
				}
				if !strings.ContainsAny(to, "$*?[") {
					found = append(found, to)
				}
			}
		}
	}
	return found
}

// under is a path of the image, taken from dir where it is relative.
func under(dir, p string) string {
	if path.IsAbs(p) {
		return path.Clean(p)
	}
	return path.Join("/", dir, p)
}

func noDockerfile(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return refusal.New("read Dockerfile %s: the release commit has no such file; name another in the configuration, or hand over an OCI archive by --image REPOSITORY=ARCHIVE", name)
	}
	return fmt.Errorf("read Dockerfile %s: %w", name, err)
}

// dockerfile is a parsed Dockerfile and what the in-process builder cannot do in it.
type dockerfile struct {
	path     string
	escape   rune
	globals  []*instructions.ArgCommand // those before the first FROM
	stages   []*instructions.Stage
	problems []Problem
}

// parseDockerfile reads a Dockerfile by BuildKit's parser. What the parser cannot take apart is
// refused at once; an instruction that is not of the subset becomes a problem.
func parseDockerfile(name string, content []byte) (*dockerfile, error) {
	for i, line := range bytes.Split(content, []byte("\n")) {
		if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			return nil, refusal.New("%s:%d: this is no Dockerfile: it holds bytes that are no UTF-8 text", name, i+1)
		}
	}
	ast, err := parser.Parse(bytes.NewReader(content))
	if err != nil {
		line := 0
		var at *parser.LocationError
		if errors.As(err, &at) && len(at.Locations) > 0 {
			line = first(at.Locations[0])
		}
		return nil, refusal.New("%s:%d: this is no Dockerfile: %w", name, line, err)
	}
	d := &dockerfile{path: name, escape: ast.EscapeToken}
	if frontend, _, at, ok := parser.DetectSyntax(content); ok && !official(frontend) {
		d.problems = append(d.problems, Problem{first(at), "# syntax=" + frontend, "another frontend than docker/dockerfile gives the file another meaning", wayBuilder})
	}
	for _, node := range ast.AST.Children {
		problem := Problem{Line: node.StartLine, Instruction: shorten(node.Original)}
		command, err := instructions.ParseInstruction(node)
		if err != nil {
			command = nil // the parser gives a typed nil
			problem.Why, problem.WayOut = err.Error(), "correct it; or, where it is meant for a newer builder, "+wayBuilder
		}
		switch c := command.(type) {
		case *instructions.Stage:
			d.stages = append(d.stages, c)
			problem.Why, problem.WayOut = checkStage(c, len(d.stages))
		case *instructions.ArgCommand:
			if len(d.stages) == 0 {
				d.globals = append(d.globals, c)
			} else {
				d.stages[len(d.stages)-1].AddCommand(c)
			}
			problem.Why, problem.WayOut = check(c)
		case instructions.Command:
			if len(d.stages) == 0 {
				problem.Why, problem.WayOut = "it stands before the first FROM", "move it behind"
				break
			}
			d.stages[len(d.stages)-1].AddCommand(c)
			problem.Why, problem.WayOut = check(c)
		}
		if problem.Why != "" {
			d.problems = append(d.problems, problem)
		}
	}
	if len(d.stages) == 0 && len(d.problems) == 0 {
		return nil, refusal.New("%s: it has no FROM, so it makes no image", name)
	}
	return d, nil
}

// refuse says all that keeps this Dockerfile from being carried out in process.
func (d *dockerfile) refuse(o Options) error {
	problems := append(slices.Clone(d.problems), d.undeclared(o.Args)...)
	if len(problems) == 0 && o.Target != "" && !strings.EqualFold(o.Target, d.stages[0].Name) {
		problems = append(problems, d.problem(d.stages[0].Location, d.stages[0].SourceCode, fmt.Sprintf("the target %q is no stage here", o.Target), "name the stage, or no target"))
	}
	if len(problems) == 0 {
		return nil
	}
	said := map[string]bool{}
	var lines []string
	for _, p := range problems {
		if said[p.WayOut] {
			p.WayOut = ""
		}
		said[p.WayOut] = true
		lines = append(lines, p.Describe(d.path))
	}
	return refusal.New("%s", strings.Join(lines, "\n"))
}

// undeclared are build arguments that nothing in the Dockerfile asks for: most likely misspelt.
func (d *dockerfile) undeclared(args map[string]string) []Problem {
	declared := map[string]bool{}
	for _, c := range d.globals {
		for _, a := range c.Args {
			declared[a.Key] = true
		}
	}
	for _, s := range d.stages {
		for _, c := range s.Commands {
			if c, ok := c.(*instructions.ArgCommand); ok {
				for _, a := range c.Args {
					declared[a.Key] = true
				}
			}
		}
	}
	var problems []Problem
	for _, name := range slices.Sorted(maps.Keys(args)) {
		p := Problem{Instruction: "build argument " + name}
		switch {
		case slices.Contains(automatic, name):
			p.Why, p.WayOut = "the platform decides it", "leave it out"
		case declared[name]:
			continue
		default:
			p.Why, p.WayOut = "no ARG declares it", "declare it, or leave it out"
			if near := refusal.Nearest(name, slices.Sorted(maps.Keys(declared))); near != "" {
				p.WayOut = "did you mean " + near + "?"
			}
		}
		problems = append(problems, p)
	}
	return problems
}

// problem is one at this place of the file.
func (d *dockerfile) problem(at []parser.Range, text, why, wayOut string) Problem {
	return Problem{first(at), shorten(text), why, wayOut}
}

// refused is a refusal at a command.
func (d *dockerfile) refused(c instructions.Command, wayOut, why string, args ...any) error {
	return refusal.New("%s", d.problem(c.Location(), text(c), fmt.Sprintf(why, args...), wayOut).Describe(d.path))
}

// lexer expands variables with this file's escape character; it is for one goroutine.
func (d *dockerfile) lexer() *shell.Lex { return shell.NewLex(d.escape) }

// text is the instruction as it is written, its lines joined.
func text(c instructions.Command) string {
	if s, ok := c.(fmt.Stringer); ok {
		return s.String()
	}
	return strings.ToUpper(c.Name())
}

func first(at []parser.Range) int {
	if len(at) == 0 {
		return 0
	}
	return at[0].Start.Line
}

// shorten makes one line of a message out of an instruction.
func shorten(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 60 {
		return string(runes[:57]) + "…"
	}
	return text
}

// official tells whether "# syntax=" names the frontend that BuildKit's parser implements.
func official(frontend string) bool {
	name, _, _ := strings.Cut(frontend, "@")
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "docker.io/"), ":")
	return name == "docker/dockerfile"
}
