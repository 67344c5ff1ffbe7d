package site

import (
	"bytes"
	"html/template"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// converter knows the Markdown that notes and guides are written in. It may be used by several goroutines.
var converter = goldmark.New(
	goldmark.WithExtensions(extension.Strikethrough, extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone))),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(careful{}, 1))),
)

// maxDepth bounds how deep blocks and emphasis lie in each other; what is deeper is no text for people, and is shown as it is written.
const maxDepth = 40

// maxCells bounds the cells of tables: a row has as many as its table has columns, however few are written.
const maxCells = 20_000

// heavy tells whether a text would take a parser long for its length: blocks nested too deep within one line, or tables of too many cells. It may err where
// nobody writes so for people.
func heavy(source string) bool {
	cells, columns := 0, 0
	for line := range strings.Lines(source) {
		line = strings.TrimRight(line, "\r\n")
		rest := strings.TrimLeft(line, " \t>*+-0123456789.)")
		marks := line[:len(line)-len(rest)]
		if strings.Count(marks, ">")+strings.Count(marks, "- ")+strings.Count(marks, "* ")+strings.Count(marks, "+ ")+strings.Count(marks, ". ")+strings.Count(marks, ") ") > maxDepth {
			return true
		}
		switch {
		case strings.Trim(line, " \t>") == "":
			columns = 0 // a table ends
		case strings.Contains(line, "-") && strings.Contains(line, "|") && strings.Trim(line, " \t>*+-0123456789.)|:") == "":
			columns = max(columns, strings.Count(line, "|")+1)
		}
		if cells += columns; cells > maxCells {
			return true
		}
	}
	return false
}

// document is a rendered text.
type document struct {
	HTML template.HTML
	Cut  bool // it is not all of it
}

// Is tells whether there is any text.
func (d document) Is() bool { return d.HTML != "" || d.Cut }

// prose renders somebody's Markdown, in at most so many bytes of HTML: what is longer is cut between two blocks, or two items of a list. A first heading that names the title is left
// out, since the page has its own. Headings follow one of the second level, and have no ids; with goingBack, that of the part "Going back" has the id going-back.
func prose(source, title string, most int, goingBack bool) document {
	source = strings.ReplaceAll(source, "\r\n", "\n")
	limit := min(len(source), most)
	cut := limit < len(source)
	if at := strings.LastIndexByte(source[:limit], '\n'); cut && at >= 0 {
		limit = at + 1
	}
	src := []byte(strings.ToValidUTF8(source[:limit], "\uFFFD"))
	if heavy(string(src)) {
		return asWritten(string(src), most, cut)
	}
	doc := converter.Parser().Parse(text.NewReader(src))
	if !prepare(doc, src, title, goingBack) {
		return asWritten(string(src), most, cut)
	}
	if cut && doc.LastChild() != nil { // it may have lost its end
		shorten(doc)
	}
	var out document
	var b strings.Builder
	full := false
	for n := doc.FirstChild(); n != nil && !full; {
		next := n.NextSibling()
		part := rendered(src, n)
		for b.Len()+len(part) > most && n.Kind() == ast.KindList && n.ChildCount() > 1 {
			full = true
			for range (n.ChildCount() + 1) / 2 { // half of it, so that a long list takes few attempts
				n.RemoveChild(n, n.LastChild())
			}
			part = rendered(src, n)
		}
		if b.Len()+len(part) <= most {
			b.WriteString(part)
		} else {
			full = true
		}
		n = next
	}
	out.Cut = cut || full
	out.HTML = template.HTML(b.String())
	return out
}

// shorten takes off the last block, or the last item of a list.
func shorten(doc ast.Node) {
	last := doc.LastChild()
	if last.Kind() == ast.KindList && last.ChildCount() > 1 {
		last.RemoveChild(last, last.LastChild())
		return
	}
	doc.RemoveChild(doc, last)
}

// line renders one line of Markdown without a paragraph around it; what is more than that is shown as it is written.
func line(source string, most int) template.HTML {
	src := []byte(strings.ToValidUTF8(short(strings.Join(strings.Fields(source), " "), most), "\uFFFD"))
	doc := converter.Parser().Parse(text.NewReader(src))
	if doc.ChildCount() != 1 || doc.FirstChild().Kind() != ast.KindParagraph || !prepare(doc, src, "", false) {
		return template.HTML(escape(string(src)))
	}
	var b strings.Builder
	for n := doc.FirstChild().FirstChild(); n != nil; n = n.NextSibling() {
		b.WriteString(rendered(src, n))
	}
	return template.HTML(b.String())
}

func rendered(src []byte, n ast.Node) string {
	var b bytes.Buffer
	if err := converter.Renderer().Render(&b, src, n); err != nil { // a buffer takes everything
		return escape(string(src))
	}
	return Visible(b.String())
}

// asWritten shows Markdown as it is.
func asWritten(source string, most int, cut bool) document {
	shown := `<pre tabindex="0"><code>` + escape(source) + "</code></pre>\n"
	if len(shown) > most {
		return document{Cut: true}
	}
	return document{HTML: template.HTML(shown), Cut: cut}
}

var (
	ourComment = regexp.MustCompile(`^<!-- operator-release: [a-z ]+ -->$`)
	alertKind  = regexp.MustCompile(`^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]$`)
)

// prepare makes a text ready to stand within a page. It is false where the text is nested too deep.
func prepare(doc ast.Node, src []byte, title string, goingBack bool) bool {
	var gone []ast.Node
	depth, deepest, level, lowest := 0, 0, 2, 7
	seenHeading := false
	var headings []*ast.Heading
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // it fails only where this function does
		if !entering {
			depth--
			return ast.WalkContinue, nil
		}
		depth++
		if deepest = max(deepest, depth); deepest > maxDepth {
			return ast.WalkStop, nil
		}
		switch n := n.(type) {
		case *ast.HTMLBlock:
			if ourComment.MatchString(strings.TrimSpace(blockText(n, src))) {
				gone = append(gone, n)
			}
		case *ast.Heading:
			if !seenHeading && n.Parent() == doc && title != "" && strings.Contains(plainText(n, src), title) {
				gone = append(gone, n)
			} else {
				headings = append(headings, n)
				lowest = min(lowest, n.Level)
			}
			seenHeading = true
		case *ast.Blockquote:
			alert(n, src)
		}
		return ast.WalkContinue, nil
	})
	if deepest > maxDepth {
		return false
	}
	for _, h := range headings {
		if goingBack && strings.TrimSpace(plainText(h, src)) == "Going back" {
			h.SetAttributeString("id", []byte("going-back"))
			goingBack = false
		}
		h.Level = min(h.Level-lowest+3, level+1, 6)
		level = h.Level
	}
	for _, n := range gone {
		n.Parent().RemoveChild(n.Parent(), n)
	}
	return true
}

// alert marks a blockquote that is one of GitHub's alerts, and takes the line off that says so.
func alert(n *ast.Blockquote, src []byte) {
	p, ok := n.FirstChild().(*ast.Paragraph)
	if !ok || p.Lines().Len() == 0 {
		return
	}
	first := p.Lines().At(0)
	found := alertKind.FindSubmatch(bytes.TrimSpace(first.Value(src)))
	if found == nil {
		return
	}
	for c := p.FirstChild(); c != nil; {
		next := c.NextSibling()
		ends := false
		if t, ok := c.(*ast.Text); ok {
			ends = t.SoftLineBreak() || t.HardLineBreak()
		}
		p.RemoveChild(p, c)
		if ends {
			break
		}
		c = next
	}
	if p.FirstChild() == nil {
		n.RemoveChild(n, p)
	}
	n.SetAttributeString("alert", found[1])
}

// plainText is what a node says, without what it is marked with.
func plainText(n ast.Node, src []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(n.Value(src))
				if n.SoftLineBreak() || n.HardLineBreak() {
					b.WriteByte(' ')
				}
			}
		case *ast.String:
			if entering {
				b.Write(n.Value)
			}
		case *ast.AutoLink:
			if entering {
				b.Write(n.Label(src))
			}
		case *ast.RawHTML:
			if entering {
				b.WriteString(rawText(n, src))
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

func blockText(n *ast.HTMLBlock, src []byte) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		at := n.Lines().At(i)
		b.Write(at.Value(src))
	}
	if n.HasClosure() {
		b.Write(n.ClosureLine.Value(src))
	}
	return b.String()
}

func rawText(n *ast.RawHTML, src []byte) string {
	var b strings.Builder
	for i := range n.Segments.Len() {
		at := n.Segments.At(i)
		b.Write(at.Value(src))
	}
	return b.String()
}

// careful renders what could lead somewhere, load something or be run: links lead to HTTP only, images are links, HTML is text.
type careful struct{}

// RegisterFuncs says which nodes it renders.
func (careful) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindLink, renderLink)
	reg.Register(ast.KindImage, renderImage)
	reg.Register(ast.KindAutoLink, renderAutoLink)
	reg.Register(ast.KindRawHTML, func(w util.BufWriter, src []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if written := rawText(n.(*ast.RawHTML), src); entering && !ourComment.MatchString(written) {
			writeText(w, written)
		}
		return ast.WalkSkipChildren, nil
	})
	reg.Register(ast.KindHTMLBlock, func(w util.BufWriter, src []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			_, _ = w.WriteString(`<p class="raw">`)
			writeText(w, strings.TrimRight(blockText(n.(*ast.HTMLBlock), src), "\n"))
			_, _ = w.WriteString("</p>\n")
		}
		return ast.WalkSkipChildren, nil
	})
	reg.Register(ast.KindBlockquote, renderBlockquote)
	reg.Register(ast.KindCodeBlock, renderCode)
	reg.Register(ast.KindFencedCodeBlock, renderCode)
	reg.Register(tables.KindTable, func(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			_, _ = w.WriteString("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>\n")
		} else {
			_, _ = w.WriteString("</table></div>\n")
		}
		return ast.WalkContinue, nil
	})
}

// writeText writes what is no Markdown. That the writer fails is told when it is flushed.
func writeText(w util.BufWriter, s string) { _, _ = w.Write(util.EscapeHTML([]byte(s))) }

// open begins a link; where it may lead nowhere it is false, and nothing is written.
func open(w util.BufWriter, destination []byte) (target string, ok bool) {
	escaped := string(util.URLEscape(destination, true))
	if target, ok = address(escaped); !ok {
		return escaped, false
	}
	_, _ = w.WriteString(`<a href="`)
	writeText(w, target)
	_, _ = w.WriteString(`" rel="noopener nofollow">`)
	return target, true
}

// dead is where a link would have led.
func dead(w util.BufWriter, target string) {
	if target != "" {
		writeText(w, " ("+target+")")
	}
}

func renderLink(w util.BufWriter, src []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Link)
	if entering {
		if target, ok := open(w, n.Destination); ok && strings.TrimSpace(plainText(n, src)) == "" {
			writeText(w, target)
		}
		return ast.WalkContinue, nil
	}
	target := string(util.URLEscape(n.Destination, true))
	if _, ok := address(target); ok {
		_, _ = w.WriteString("</a>")
	} else {
		dead(w, target)
	}
	return ast.WalkContinue, nil
}

func renderImage(w util.BufWriter, src []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkSkipChildren, nil
	}
	n := node.(*ast.Image)
	alt := strings.TrimSpace(plainText(n, src))
	for p := n.Parent(); p != nil; p = p.Parent() {
		if p.Kind() == ast.KindLink {
			writeText(w, alt)
			return ast.WalkSkipChildren, nil
		}
	}
	target, ok := open(w, n.Destination)
	if alt == "" {
		alt = target
	}
	writeText(w, alt)
	if ok {
		_, _ = w.WriteString("</a>")
	} else if alt != target {
		dead(w, target)
	}
	return ast.WalkSkipChildren, nil
}

func renderAutoLink(w util.BufWriter, src []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if n := node.(*ast.AutoLink); entering {
		_, ok := open(w, n.URL(src))
		writeText(w, string(n.Label(src)))
		if ok {
			_, _ = w.WriteString("</a>")
		}
	}
	return ast.WalkSkipChildren, nil
}

func renderBlockquote(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	kind, ok := n.AttributeString("alert")
	switch {
	case !ok && entering:
		_, _ = w.WriteString("<blockquote>\n")
	case !ok:
		_, _ = w.WriteString("</blockquote>\n")
	case entering:
		name := strings.ToLower(string(kind.([]byte)))
		_, _ = w.WriteString(`<div class="alert ` + name + `"><p class="alert-kind">` + strings.ToUpper(name[:1]) + name[1:] + "</p>\n")
	default:
		_, _ = w.WriteString("</div>\n")
	}
	return ast.WalkContinue, nil
}

func renderCode(w util.BufWriter, src []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString(`<pre tabindex="0"><code>`)
		for i := range n.Lines().Len() {
			at := n.Lines().At(i)
			writeText(w, string(at.Value(src)))
		}
		_, _ = w.WriteString("</code></pre>\n")
	}
	return ast.WalkSkipChildren, nil
}
