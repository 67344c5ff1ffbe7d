package site

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

func TestVisible(t *testing.T) {
	for written, want := range map[string]string{
		"plain\n\ttext, é, 漢字, 👩‍🚀": "plain\n\ttext, é, 漢字, 👩‍🚀",
		"a\u202egnp.exe":            "a⟨U+202E⟩gnp.exe",
		"\u2066x\u2069\u061c":       "⟨U+2066⟩x⟨U+2069⟩⟨U+061C⟩",
		"\x1b[31mred\x1b[0m":        "⟨U+001B⟩[31mred⟨U+001B⟩[0m",
		"a\x00b\rc\x7f\u0085":       "a⟨U+0000⟩b⟨U+000D⟩c⟨U+007F⟩⟨U+0085⟩",
		"a\u2028b\ufeffc\u200bd":    "a⟨U+2028⟩b⟨U+FEFF⟩c⟨U+200B⟩d",
		"\xff\xfe":                  "\ufffd\ufffd",
		"\U000e0041\ufffe\u3164":    "⟨U+E0041⟩⟨U+FFFE⟩⟨U+3164⟩",
		"":                          "",
	} {
		if got := Visible(written); got != want {
			t.Errorf("%q: %q, not %q", written, got, want)
		}
		if again := Visible(Visible(written)); again != Visible(written) {
			t.Errorf("%q changes again, to %q", written, again)
		}
	}
}

func TestWords(t *testing.T) {
	for written, want := range map[string]string{"oci://ghcr.io/a/b": "oci://ghcr.io/a/b", "a b": "'a b'", "a;rm -rf ~": "'a;rm -rf ~'", "it's": `'it'\''s'`, "": "''", "$(id)": "'$(id)'"} {
		if got := word(written); got != want {
			t.Errorf("%q: %s, not %s", written, got, want)
		}
	}
	for written, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 3_041_234: "2.9 MiB", 5 << 40: "5.0 TiB", 1 << 62: "4194304.0 TiB"} {
		if got := size(written); got != want {
			t.Errorf("%d: %s, not %s", written, got, want)
		}
	}
	for written, want := range map[string]string{"https://github.com/a/b": "https://github.com/a/b", "https://github.com/a/b.git": "https://github.com/a/b", "https://github.example.com/a/b/": "https://github.example.com/a/b",
		"http://github.com/a/b": "", "https://token@github.com/a/b": "", "https://gitlab.com/a/b": "", "https://github.com/a": "", "git@github.com:a/b": "", "https://github.com/a/b?x": "", "/srv/repository.git": "", "": ""} {
		if got := home(written); got != want {
			t.Errorf("%q: %q, not %q", written, got, want)
		}
	}
	for written, want := range map[string]string{"registry:5000/a/b:v1": "registry:5000/a/b", "registry:5000/a/b": "registry:5000/a/b", "a": "a"} {
		if got := repository(written); got != want {
			t.Errorf("%q: %q, not %q", written, got, want)
		}
	}
}

func TestProse(t *testing.T) {
	for _, c := range []struct{ name, written, want string }{
		{"headings begin below the page's, leave no gap, and have no ids", "# a\n\n#### b\n\n## c {#x}\n", "<h3>a</h3>\n<h4>b</h4>\n<h4>c {#x}</h4>\n"},
		{"the title is the page's", "## [v1.5.1](https://github.com/a/b) (2024-12-04)\n\n### Fixes\n\n### v1.5.1\n", "<h3>Fixes</h3>\n<h3>v1.5.1</h3>\n"},
		{"going back has a name", "## Going back\n\n## Going back\n", "<h3 id=\"going-back\">Going back</h3>\n<h3>Going back</h3>\n"},
		{"script", "<script>alert(1)</script>\n", "<p class=\"raw\">&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"},
		{"script within a line", "a <script>alert(1)</script> b", "<p>a &lt;script&gt;alert(1)&lt;/script&gt; b</p>\n"},
		{"a handler", `a <b onclick="x()">b</b>`, "<p>a &lt;b onclick=&quot;x()&quot;&gt;b&lt;/b&gt;</p>\n"},
		{"entities", "&lt;script&gt; &amp;lt; &#60;b&#62; &quot;", "<p>&lt;script&gt; &amp;lt; &lt;b&gt; &quot;</p>\n"},
		{"an entity that acts", "a&#x202e;b &#8238; &#27; &#0;", "<p>a⟨U+202E⟩b ⟨U+202E⟩ ⟨U+001B⟩ \ufffd</p>\n"},
		{"a link", "[a *b*](https://x.example/?a=1&b=2 \"title\")", "<p><a href=\"https://x.example/?a=1&amp;b=2\" rel=\"noopener nofollow\">a <em>b</em></a></p>\n"},
		{"a link that runs", "[a](javascript:alert(1)) [b](JaVaScRiPt&colon;alert(1)) [c](data:text/html,x) [d](vbscript:x) [e](java&#10;script:x)",
			"<p>a (javascript:alert(1)) b (JaVaScRiPt:alert(1)) c (data:text/html,x) d (vbscript:x) e (java%0Ascript:x)</p>\n"},
		{"a link within the page, or the site", "[a](#b) [c](../d) [e](//f.example/g)", "<p>a (#b) c (../d) e (//f.example/g)</p>\n"},
		{"a link with a user's name", "[a](https://github.com@evil.example/)", "<p>a (https://github.com@evil.example/)</p>\n"},
		{"a link without a text", "[](https://x.example/)", "<p><a href=\"https://x.example/\" rel=\"noopener nofollow\">https://x.example/</a></p>\n"},
		{"bare addresses", "<https://x.example/?a&b> <javascript:alert(1)> <a@b.example>",
			"<p><a href=\"https://x.example/?a&amp;b\" rel=\"noopener nofollow\">https://x.example/?a&amp;b</a> javascript:alert(1) a@b.example</p>\n"},
		{"images", "![a](https://x.example/a.png) ![b](javascript:x) [![c](https://x.example/c.png)](https://y.example) ![](https://z.example/)",
			"<p><a href=\"https://x.example/a.png\" rel=\"noopener nofollow\">a</a> b (javascript:x) <a href=\"https://y.example\" rel=\"noopener nofollow\">c</a> <a href=\"https://z.example/\" rel=\"noopener nofollow\">https://z.example/</a></p>\n"},
		{"an image of a link", "![a [b](https://b.example)](https://x.example/)", "<p><a href=\"https://x.example/\" rel=\"noopener nofollow\">a b</a></p>\n"},
		{"our comments", "<!-- operator-release: warning -->\na\n<!-- operator-release: end of warning -->\n\nb <!-- operator-release: x --> c\n", "<p>a</p>\n<p>b  c</p>\n"},
		{"comments of others", "<!-- operator-release: x --> <script>\n\n<!-- hidden -->\n", "<p class=\"raw\">&lt;!-- operator-release: x --&gt; &lt;script&gt;</p>\n<p class=\"raw\">&lt;!-- hidden --&gt;</p>\n"},
		{"an alert", "> [!CAUTION]\n> **a**\n>\n> b\n", "<div class=\"alert caution\"><p class=\"alert-kind\">Caution</p>\n<p><strong>a</strong></p>\n<p>b</p>\n</div>\n"},
		{"no alert", "> [!SCRIPT]\n> a\n\n> [!NOTE] a\n", "<blockquote>\n<p>[!SCRIPT]\na</p>\n</blockquote>\n<blockquote>\n<p>[!NOTE] a</p>\n</blockquote>\n"},
		{"code", "```sh\"onload=x\na <b>\n\x1b[31m\n```\n\n    c\n", "<pre tabindex=\"0\"><code>a &lt;b&gt;\n⟨U+001B⟩[31m\n</code></pre>\n<pre tabindex=\"0\"><code>c\n</code></pre>\n"},
		{"a table", "|a|b|\n|:-:|-|\n|`c`|<d>|\n", "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td><code>c</code></td>\n<td>&lt;d&gt;</td>\n</tr>\n</tbody>\n</table></div>\n"},
		{"struck out, and Windows", "~~a~~\r\nb\rc", "<p><del>a</del>\nb⟨U+000D⟩c</p>\n"},
		{"deep in each other", strings.Repeat("> ", 100) + "a", "<pre tabindex=\"0\"><code>" + strings.Repeat("&gt; ", 100) + "a</code></pre>\n"},
		{"nothing", "", ""},
	} {
		if got := prose(c.written, "v1.5.1", 10_000, true); string(got.HTML) != c.want || got.Cut {
			t.Errorf("%s: %s\nnot\n%s", c.name, got.HTML, c.want)
		}
	}
}

func TestLine(t *testing.T) {
	for written, want := range map[string]string{
		"set `a` to [b](https://x.example)": `set <code>a</code> to <a href="https://x.example" rel="noopener nofollow">b</a>`,
		"a\n\nb":                            "a b",
		"- a":                               "- a",
		"<script>x</script>":                "&lt;script&gt;x&lt;/script&gt;",
		"a <script>x</script>":              "a &lt;script&gt;x&lt;/script&gt;",
		"":                                  "",
	} {
		if got := line(written, 100); string(got) != want {
			t.Errorf("%q: %s, not %s", written, got, want)
		}
	}
	if got := line(strings.Repeat("é", 30), 20); string(got) != strings.Repeat("é", 20)+"…" {
		t.Errorf("a long line: %s", got)
	}
}

// TestCut: a text is cut between blocks, and fast, whatever is in it.
func TestCut(t *testing.T) {
	long := strings.Repeat("- an item of a long list, about something\n", 2000)
	for name, written := range map[string]string{
		"one list": long, "a list behind a paragraph": "a\n\n" + long, "paragraphs": strings.Repeat("a paragraph\n\n", 4000), "one paragraph": strings.Repeat("word ", 20000),
		"one word": strings.Repeat("w", 80000), "one code block": "```\n" + strings.Repeat("line\n", 20000), "what becomes longer": strings.Repeat("\x01\n\n", 9000),
		"quotes in quotes": strings.Repeat(">", 60000), "lists in lists": strings.Repeat("- ", 30000), "brackets": strings.Repeat("[", 60000), "links": strings.Repeat("[a](", 15000),
		"emphasis": strings.Repeat("*a _b ", 10000), "backticks": strings.Repeat("`a``", 15000), "tags": strings.Repeat("<a ", 20000), "rows": "|a|\n|-|\n" + strings.Repeat("|a|\n", 15000),
		"references": strings.Repeat("[a]: x\n", 8000) + strings.Repeat("[a]", 100),
	} {
		got := prose(written, "", 20_000, false)
		if !got.Cut || len(got.HTML) > 20_000 {
			t.Errorf("%s: %d bytes, cut: %v", name, len(got.HTML), got.Cut)
		}
		checkHarmless(t, string(got.HTML))
		if strings.Contains(name, "list") && name != "lists in lists" && len(got.HTML) < 5_000 {
			t.Errorf("%s: only %d bytes are left", name, len(got.HTML))
		}
	}
}

// TestHeavy: what a parser would work on for long, or with gigabytes of memory, is shown as it is written.
func TestHeavy(t *testing.T) {
	for name, written := range map[string]string{
		"a table of few cells that are written": "|" + strings.Repeat("a|", 1000) + "\n|" + strings.Repeat("-|", 1000) + "\n" + strings.Repeat("|\n", 1000),
		"the same within a quote":               "> |" + strings.Repeat("a|", 1000) + "\n> |" + strings.Repeat("-|", 1000) + "\n" + strings.Repeat("> |\n", 1000),
		"quotes in quotes":                      strings.Repeat(">", 10_000) + "a",
		"lists in quotes":                       strings.Repeat("> - ", 5_000) + "a",
	} {
		if got := prose(written, "", 60_000, false); !strings.HasPrefix(string(got.HTML), "<pre") {
			t.Errorf("%s: %.80s", name, got.HTML)
		}
	}
	if table := "|a|b|c|\n|-|-|-|\n" + strings.Repeat("|1|2|3|\n", 1000); heavy(table) || heavy(strings.Repeat("- "+strings.Repeat("-", 72)+"\n\n", 100)+"> > 1. - a\n") {
		t.Error("a table of 1000 rows, and usual nesting, are heavy")
	}
}

// checkHarmless fails where HTML holds what does something.
func checkHarmless(t testing.TB, made string) {
	t.Helper()
	if !utf8.ValidString(made) || strings.IndexFunc(made, acts) >= 0 {
		t.Errorf("it holds characters that act: %q", made)
	}
	for z := html.NewTokenizer(strings.NewReader(made)); z.Next() != html.ErrorToken; {
		token := z.Token()
		if token.Type == html.TextToken && strings.IndexFunc(token.Data, acts) >= 0 {
			t.Errorf("it says characters that act: %q", token.Data)
		}
		if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
			if token.Type == html.CommentToken || token.Type == html.DoctypeToken {
				t.Errorf("it holds %q", token)
			}
			continue
		}
		switch token.Data {
		case "a", "p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "pre", "code", "em", "strong", "del", "blockquote", "div", "table", "thead", "tbody", "tr", "th", "td", "br", "hr":
		default:
			t.Errorf("it holds the element %s", token)
		}
		for _, a := range token.Attr {
			switch a.Key {
			case "href":
				if token.Data != "a" || !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "http://") {
					t.Errorf("it leads to %q", a.Val)
				}
			case "rel", "class", "id", "start", "tabindex", "role", "aria-label":
			default:
				t.Errorf("it holds the attribute %s", a.Key)
			}
			if strings.IndexFunc(a.Val, acts) >= 0 {
				t.Errorf("%s has characters that act: %q", a.Key, a.Val)
			}
		}
	}
}

func FuzzProse(f *testing.F) {
	for _, s := range []string{"# a\n\n<script>alert(1)</script>", "[a](javascript:x) ![b](data:x) <javascript:x>", "> [!NOTE]\n> a\n", "> [!NOTE]", "|a|\n|-|\n|b|", "&#x202e; &lt;", "- a\n  - b\n\n    c",
		"<!-- operator-release: a -->\n<b onclick=x>", "[a]: javascript:x\n[a]", "![[a](b)](https://c)", "a\x00\u202e\xff", "<a href=\"javascript:x\">", "```\n<b>", "~~a~~ **b** _c_\\\nd", "[](http://a \"b\")", "<https://a\u202eb>", "1000000001. a", "7) a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkHarmless(t, string(prose(s, "a", 4000, true).HTML))
		checkHarmless(t, string(line(s, 400)))
	})
}
