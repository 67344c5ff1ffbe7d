package notes

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"github.com/operator-release/operator-release/ci/change"
	"github.com/operator-release/operator-release/ci/version"
)

func TestEscape(t *testing.T) {
	for written, want := range map[string]string{
		"drop `spec.foo_bar` for spec_bar":        "drop `spec.foo_bar` for spec_bar",
		"thanks @alice and @org/team, mail a@b.c": "thanks `@alice` and `@org/team`, mail a@b.c",
		"@alice":                        "`@alice`",
		"<script>alert(1)</script>":     `\<script\>alert(1)\</script\>`,
		"[click](http://x) ![i](y)":     `\[click\](http://x) !\[i\](y)`,
		"**bold** __bold__ ~~gone~~":    `\*\*bold\*\* \_\_bold\_\_ \~\~gone\~\~`,
		"# no heading":                  `\# no heading`,
		"- no item":                     `\- no item`,
		"1. no list, 2. either":         `1\. no list, 2. either`,
		"a\x00b\x1b[31mc\u202ed\u200be": `ab\[31mcde`,
		"a\nb\tc":                       "a b c",
		"&lt; `unclosed":                "\\&lt; \\`unclosed",
		"\xff":                          "\uFFFD",
		"a | b":                         `a \| b`,
		"":                              "",
	} {
		if got := Escape(written); got != want {
			t.Errorf("%q: %q, not %q", written, got, want)
		}
	}
	if long := Escape(strings.Repeat("é", 400)); len([]rune(long)) != maxText+1 || !strings.HasSuffix(long, "é…") {
		t.Errorf("%d characters", len([]rune(long)))
	}
}

// shown is the text that a Markdown renderer shows for one item of a list, and whether it is text and code alone.
func shown(t *testing.T, source []byte) (said string, plain bool) {
	t.Helper()
	document := goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.TaskList)).Parser().Parse(text.NewReader(source))
	var b strings.Builder
	plain = document.ChildCount() == 1
	err := ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Document, *ast.List, *ast.ListItem, *ast.TextBlock, *ast.CodeSpan:
		case *ast.Text:
			value := string(n.Value(source))
			if _, code := n.Parent().(*ast.CodeSpan); !code {
				value = unescape(value)
			}
			b.WriteString(value)
			plain = plain && !n.SoftLineBreak() && !n.HardLineBreak()
		default:
			plain = false
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), plain
}

// unescape takes away the backslashes that a renderer takes away: before ASCII punctuation.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"a", "**a** `b` @c <d> [e](f)", "- a", "1) b", "`a``b`", "\\`a`", "` a `", "_a_ __b__", "&amp;", "@a@b", "`@a", "* * *", "===", "[ ] x", "a  \nb", "`a` @b `c`", "- [x] a", "~~~", "@`a`", "`\\`"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		escaped := Escape(s)
		if escaped == "" {
			return
		}
		want := strings.ReplaceAll(clean(s), "`", "")
		said, plain := shown(t, []byte("- x "+escaped+"\n"))
		if !plain || strings.ReplaceAll(strings.TrimPrefix(said, "x "), "`", "") != want {
			t.Errorf("%q became %q, which shows %q (text alone: %v)", s, escaped, said, plain)
		}
		if said, plain = shown(t, []byte("- "+escaped+"\n")); !plain || strings.ReplaceAll(said, "`", "") != want {
			t.Errorf("%q became %q, which shows %q at the start of an item (text alone: %v)", s, escaped, said, plain)
		}
	})
}

func TestMarkdown(t *testing.T) {
	n := Notes{
		Version: version.MustParse("v1.5.0"), Since: "v1.4.1", Time: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), URL: "https://github.com/example/pi",
		Groups: group([]Entry{
			{Kind: change.Feature, Scope: "chart", Text: "drop the hook", Breaking: true, Breaks: "Remove `hook` from your values.", Requests: []string{"7"}, Author: "Ada", Commit: strings.Repeat("a", 40)},
			{Kind: change.Fix, Text: "answer <b>", Requests: []string{"8", "9"}, Author: "Bob *star*", Commit: strings.Repeat("b", 40)},
			{Kind: change.Other, Text: "tidy up", Commit: strings.Repeat("c", 40)},
			{Kind: change.Fix, Text: "out before", Commit: strings.Repeat("d", 40), Requests: []string{"3"}, AlreadyBy: change.ByOrigin},
		}, "v1.4.1"),
	}
	const want = `## [v1.5.0](https://github.com/example/pi/releases/tag/v1.5.0) (2026-03-01)

Changes since [v1.4.1](https://github.com/example/pi/compare/v1.4.1...v1.5.0).

### Breaking changes

- **chart:** drop the hook ([#7](https://github.com/example/pi/pull/7), Ada)

  Remove ` + "`hook`" + ` from your values.

### Fixes

- answer \<b\> ([#8](https://github.com/example/pi/pull/8), backported by [#9](https://github.com/example/pi/pull/9), Bob \*star\*)

### Other changes

- tidy up ([cccccccccccc](https://github.com/example/pi/commit/cccccccccccccccccccccccccccccccccccccccc))

### Already in v1.4.1

- out before ([#3](https://github.com/example/pi/pull/3))
`
	if got := n.Markdown(); got != want {
		t.Errorf("%s", got)
	}
	n.URL = "https://git.example.com/pi"
	if got := n.Markdown(); strings.Contains(got, "](") || !strings.Contains(got, "(#8, backported by #9, Bob") {
		t.Errorf("elsewhere than on GitHub: %s", got)
	}
	var html bytes.Buffer
	if err := goldmark.Convert([]byte(want), &html); err != nil || strings.Contains(html.String(), "<b>") || strings.Count(html.String(), "<h3>") != 4 {
		t.Errorf("%v: %s", err, html.String())
	}
	if empty := (Notes{Version: version.MustParse("v0.1.0")}).Markdown(); !strings.Contains(empty, "Nothing has changed.") {
		t.Error(empty)
	}
}
