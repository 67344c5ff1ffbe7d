// Package changelog reads and edits a file of changes kept by version, as https://keepachangelog.com has it: a heading of the second level for each,
// the newest first. What a section says is not its business.
package changelog

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/version"
)

// heading is that of a version's section: a heading of the second level that names a version, linked or not, with or without v.
var heading = regexp.MustCompile(`^##[ \t]+\[?v?([0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.-]*)`)

// unreleased is what the heading of the section says of what is not released yet, in lower case.
const unreleased = "unreleased"

var (
	notYet    = regexp.MustCompile(`(?i)^##[ \t]+\[?unreleased\b`)
	comment   = regexp.MustCompile(`(?s)<!--.*?-->`)
	reference = regexp.MustCompile(`^\[[^\]]+\]:`) // of links, which are at the end of the file
)

// Section gives a version's section of a changelog, its heading included; empty where it has none.
func Section(changelog []byte, v version.Version) string {
	lines, sections := split(changelog)
	for _, s := range sections {
		if s.version == v.SemVer() {
			return strings.TrimRight(strings.Join(lines[s.from:s.to], ""), "\r\n") + "\n"
		}
	}
	return ""
}

// Unreleased is the text of the section of what is not released yet (https://keepachangelog.com), without its heading.
// It is empty if there is no such section, or if it says nothing.
func Unreleased(changelog []byte) string {
	lines, sections := split(changelog)
	for _, s := range sections {
		if s.version == unreleased {
			return said(lines[s.from+1 : s.to])
		}
	}
	return ""
}

// said is the text of lines without the empty ones around it. It is empty if nothing but headings and comments is there.
func said(lines []string) string {
	text := strings.Trim(strings.ReplaceAll(strings.Join(lines, ""), "\r\n", "\n"), "\n")
	for line := range strings.Lines(comment.ReplaceAllString(text, "")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && !reference.MatchString(line) {
			return text + "\n"
		}
	}
	return ""
}

// Take makes a final's section of what a changelog says as unreleased: the head of the section that is given, which is
// all before its first heading of the third level, and the text. The rest of the changelog stays, and so does the empty
// section. It tells whether there was such a text.
func Take(changelog []byte, section string) (rest []byte, taken string, ok bool) {
	text := Unreleased(changelog)
	if text == "" {
		return changelog, section, false
	}
	head, _, _ := strings.Cut(section, "\n### ")
	return without(changelog, func(string) bool { return true }), strings.TrimRight(head, "\n") + "\n\n" + text, true
}

// Drop takes the lines out of the unreleased section that a released section has.
func Drop(changelog []byte, section string) []byte {
	released := map[string]bool{}
	for line := range strings.Lines(section) {
		released[strings.TrimRight(line, "\r\n")] = true
	}
	rest := without(changelog, func(line string) bool {
		return !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" && released[line]
	})
	if Unreleased(changelog) != "" && Unreleased(rest) == "" {
		return without(rest, func(string) bool { return true })
	}
	return rest
}

// without leaves out those lines of the unreleased section that are gone. One line stays empty where all are gone.
func without(changelog []byte, gone func(line string) bool) []byte {
	lines, sections := split(changelog)
	var b strings.Builder
	for i, line := range lines {
		at := slices.IndexFunc(sections, func(s part) bool { return s.version == unreleased && i > s.from && i < s.to })
		text := strings.TrimRight(line, "\r\n")
		switch {
		case at < 0 || !gone(text):
			b.WriteString(line)
		case i == sections[at].from+1 && sections[at].to < len(lines):
			b.WriteString(line[len(text):])
		}
	}
	return []byte(b.String())
}

// Enter puts a version's section into a changelog, before the first one of an older version. The sections of a final's
// candidates go: it rolls them up. A changelog that has a section of this version stays as it is. Line ends are the
// changelog's own.
func Enter(changelog []byte, v version.Version, section string) []byte {
	lines, sections := split(changelog)
	sections = slices.DeleteFunc(sections, func(s part) bool { return s.version == unreleased })
	var gone []part
	at := len(lines)
	for i, s := range sections {
		if s.version == v.SemVer() {
			return changelog
		}
		e, err := version.Parse("v" + s.version)
		if older := err == nil && e.Compare(v) < 0; older && at == len(lines) {
			at = s.from
		} else if !older && i == len(sections)-1 && at == len(lines) {
			at = s.to
		}
		if err == nil && e != v && v.Final() == v && e.Final() == v {
			gone = append(gone, s)
		}
	}
	if bytes.Contains(changelog, []byte("\r\n")) {
		section = strings.ReplaceAll(section, "\n", "\r\n")
	}
	end := "\n"
	if strings.HasSuffix(section, "\r\n") {
		end = "\r\n"
	}
	var b bytes.Buffer
	if len(lines) == 0 {
		b.WriteString("# Changelog" + end)
	}
	enter := func() {
		for _, ends := range []string{end, end + end} { // one line stays empty before it
			if before := b.Bytes(); len(before) > 0 && !bytes.HasSuffix(before, []byte(ends)) {
				b.WriteString(end)
			}
		}
		b.WriteString(section)
		if at < len(lines) {
			b.WriteString(end)
		}
	}
	for i, line := range lines {
		if i == at {
			enter()
		}
		kept := true
		for _, s := range gone {
			kept = kept && (i < s.from || i >= s.to)
		}
		if kept {
			b.WriteString(line)
		}
	}
	if at == len(lines) {
		enter()
	}
	return b.Bytes()
}

// part is a version's section: lines from its heading to before the next heading of the first or second level.
type part struct {
	version  string
	from, to int
}

func split(changelog []byte) (lines []string, sections []part) {
	for line := range strings.Lines(string(changelog)) {
		lines = append(lines, line)
	}
	open, fenced := -1, false
	end := func(at int) {
		if open >= 0 {
			sections[open].to = at
			open = -1
		}
	}
	for i, line := range lines {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if fenced || !strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "## ") {
			continue
		}
		end(i)
		if found := heading.FindStringSubmatch(line); found != nil {
			open = len(sections)
			sections = append(sections, part{version: found[1], from: i})
		} else if notYet.MatchString(line) {
			open = len(sections)
			sections = append(sections, part{version: unreleased, from: i})
		}
	}
	end(len(lines))
	return lines, sections
}
