// Package changelog reads and edits a file of changes kept by version, as https://keepachangelog.com has it: a heading of the second level for each,
// the newest first. What a section says is not its business.
package changelog

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/operator-release/operator-release/ci/version"
)

// heading is that of a version's section: a heading of the second level that names a version, linked or not, with or without v.
var heading = regexp.MustCompile(`^##[ \t]+\[?v?([0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.-]*)`)

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

// Enter puts a version's section into a changelog, before the first one of an older version. The sections of a final's candidates go: it rolls them up. A
// changelog that has a section of this version stays as it is, so somebody may have put it right. Line ends are the changelog's own.
func Enter(changelog []byte, v version.Version, section string) []byte {
	lines, sections := split(changelog)
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
		}
	}
	end(len(lines))
	return lines, sections
}
