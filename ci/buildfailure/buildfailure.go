// Package buildfailure says at which line of a Dockerfile a container builder failed. Builders name the command or the
// image, and no line.
package buildfailure

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Failure is what a container builder answered.
type Failure struct {
	Name    string   // of the Dockerfile
	Content string   // of it; empty where it could not be read
	Command []string // that failed; empty where no command did
	Output  string   // of the command
	Err     error
}

// maxOutput is the most that is told of a command's output, in characters from its end.
const maxOutput = 2000

// Error says the line where it is known, the command, the answer, and the end of the output.
func (f Failure) Error() string {
	var b strings.Builder
	b.WriteString(f.Name)
	if line := f.line(); line > 0 {
		fmt.Fprintf(&b, ":%d", line)
	}
	if len(f.Command) > 0 {
		b.WriteString(": RUN " + strings.TrimPrefix(strings.Join(f.Command, " "), "/bin/sh -c "))
	}
	fmt.Fprintf(&b, ": %v", f.Err)
	if output := []rune(strings.TrimSpace(f.Output)); len(output) > 0 {
		b.WriteString(": " + string(output[max(0, len(output)-maxOutput):]))
	}
	return b.String()
}

// Unwrap gives the builder's own error.
func (f Failure) Unwrap() error { return f.Err }

// line is that of the instruction that failed; 0 where it is not known.
func (f Failure) line() int {
	var at []int
	for _, i := range instructions(f.Content) {
		if i.failed(f) {
			at = append(at, i.line)
		}
	}
	if len(at) == 0 {
		return 0
	}
	return at[0]
}

// instruction is one of a Dockerfile, with its continuation lines.
type instruction struct {
	line    int
	keyword string // in capitals
	rest    string
}

// failed tells whether a failure is about this instruction: the command is its own, or the answer names its image.
func (i instruction) failed(f Failure) bool {
	switch {
	case i.keyword == "RUN" && len(f.Command) > 0:
		return i.runs(f.Command)
	case i.keyword == "FROM" && len(f.Command) == 0:
		for word := range strings.FieldsSeq(i.rest) {
			if !strings.HasPrefix(word, "--") {
				return word != "scratch" && strings.Contains(f.Err.Error(), word)
			}
		}
	}
	return false
}

// runs tells whether an instruction runs a command. Builders give a shell's command as its last argument.
func (i instruction) runs(command []string) bool {
	rest := i.rest
	for strings.HasPrefix(rest, "--") { // --mount and its like
		_, after, _ := strings.Cut(rest, " ")
		rest = strings.TrimSpace(after)
	}
	var words []string
	if json.Unmarshal([]byte(rest), &words) == nil {
		return slices.Equal(words, command)
	}
	last := command[len(command)-1]
	return len(command) > 1 && slices.Equal(strings.Fields(rest), strings.Fields(last))
}

// instructions reads a Dockerfile as far as line numbers need it.
func instructions(content string) []instruction {
	var all []instruction
	open := false // the instruction goes on
	for n, line := range strings.Split(content, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || line == "" {
			continue // also between the lines of an instruction
		}
		text, goesOn := strings.CutSuffix(line, `\`)
		if open {
			last := &all[len(all)-1]
			last.rest = strings.TrimSpace(last.rest + " " + text)
		} else {
			keyword, rest, _ := strings.Cut(text, " ")
			all = append(all, instruction{n + 1, strings.ToUpper(keyword), strings.TrimSpace(rest)})
		}
		open = goesOn
	}
	return all
}
