// Package report writes for people: headings, marks, aligned columns, in colour on a terminal and plain elsewhere, and
// a live line for what is running.
//
// What is said is the caller's business; this package knows no stage and no release. Programs read JSON instead.
package report

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// Page is a text for people.
type Page struct {
	w      io.Writer
	colour bool
	width  int // where lines are broken; 0: nowhere, so that a log can be searched
}

// New writes to w, in colour where w is a terminal and NO_COLOR (https://no-color.org) is unset.
func New(w io.Writer) *Page {
	if Terminal(w) {
		return &Page{w: w, colour: true, width: 116}
	}
	return &Page{w: w}
}

// Terminal tells whether w is a terminal that wants colour: a file, or a writer that tells the file descriptor behind it.
func Terminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr }) // a file, or what stands before one
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// Mark is the first sign of a line.
type Mark string

// The marks.
const (
	Done Mark = "✓"
	Fail Mark = "✗"
	None Mark = "–"
	Note Mark = "!"
	// Shell is before a command that somebody could type.
	Shell Mark = "$"
)

var colours = map[Mark]string{Done: "32", Fail: "31", None: "90", Note: "33", Shell: "36"}

func (p *Page) paint(code, s string) string {
	if !p.colour || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Title writes the first line of a page.
func (p *Page) Title(format string, args ...any) {
	fmt.Fprintln(p.w, p.paint("1", clean(fmt.Sprintf(format, args...))))
}

// Heading begins a section.
func (p *Page) Heading(format string, args ...any) {
	fmt.Fprintf(p.w, "\n%s\n", p.paint("1", clean(fmt.Sprintf(format, args...))))
}

// Text writes a paragraph.
func (p *Page) Text(format string, args ...any) {
	for _, line := range wrap(clean(fmt.Sprintf(format, args...)), p.width) {
		fmt.Fprintln(p.w, line)
	}
}

// Line writes one marked line.
func (p *Page) Line(mark Mark, format string, args ...any) {
	lines := wrap(clean(fmt.Sprintf(format, args...)), p.width)
	fmt.Fprintf(p.w, "  %s %s\n", p.paint(colours[mark], string(mark)), lines[0])
	for _, line := range lines[1:] {
		fmt.Fprintf(p.w, "    %s\n", line)
	}
}

// Row is one line of a table.
type Row struct {
	Mark  Mark // may be empty
	Cells []string
}

// Table writes rows in aligned columns.
func (p *Page) Table(rows []Row) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row.Cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cleanCell(cell)))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		line.WriteString("  ")
		if row.Mark != "" {
			line.WriteString(p.paint(colours[row.Mark], string(row.Mark)) + " ")
		}
		for i, cell := range row.Cells {
			cell = cleanCell(cell)
			line.WriteString(cell)
			if i < len(row.Cells)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		fmt.Fprintln(p.w, strings.TrimRight(line.String(), " "))
	}
}

// clean keeps control characters of foreign texts (commit subjects, file names) off the terminal, and whatever else changes where or in which direction they stand.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// cleanCell is clean for a cell, which is one line: a name with a line break in it makes no row of its own.
func cleanCell(s string) string {
	return strings.NewReplacer("\n", string(utf8.RuneError), "\t", string(utf8.RuneError)).Replace(clean(s))
}

// wrap breaks a text into lines of at most width characters, any length where width is 0; words longer than the width stay whole, and the text's own line breaks stay.
func wrap(s string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(s, "\n") {
		words := strings.TrimLeft(paragraph, " ")
		indent := paragraph[:len(paragraph)-len(words)]
		line := indent
		for word := range strings.SplitSeq(words, " ") {
			switch {
			case line == indent:
				line += word
			case width > 0 && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width:
				lines = append(lines, line)
				line = indent + word
			default:
				line += " " + word
			}
		}
		lines = append(lines, line)
	}
	return lines
}
