package markdown

import (
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
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
