// Package redact takes secrets out of whatever passes on its way to a person or a log: user info in URLs, authorization headers and tokens, and the
// values of secrets that are known, also in base64 and URL-encoded.
//
// It is the last wall, not the first: what prints should not have a secret to begin with. A secret that is none of these, or that the program does not
// know, passes.
package redact

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Mark stands where a secret was. It is text that needs no escape in JSON, URLs and Markdown tables.
const Mark = "***"

// shortest is the length in bytes below which a value is not looked for everywhere: it would stand in other words by chance.
const shortest = 8

// Secrets are those that are known. The zero value knows none, and takes out what is recognized by its form. It may be used by several goroutines.
type Secrets struct {
	mu    sync.RWMutex
	forms []string // in which a known secret is written; the longest first
}

// Add makes a value known, if it has at least 8 bytes: as it is, quoted, URL-encoded and in base64, alone or within something longer; of a value of several
// lines also each line.
func (s *Secrets) Add(value string) {
	value = strings.TrimSpace(value)
	if len(value) < shortest || strings.Trim(value, "*") == "" {
		return
	}
	forms := []string{value, quoted(value), strings.Trim(strconv.Quote(value), `"`)}
	for _, escaped := range []string{url.QueryEscape(value), url.PathEscape(value), url.User(value).String()} {
		forms = append(forms, escaped, hexDigits.ReplaceAllStringFunc(escaped, strings.ToLower))
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		forms = append(forms, encoding.EncodeToString([]byte(value)))
	}
	// Within something longer, such as USER:PASSWORD, base64 depends on where the value begins. The signs that it shares with its neighbours are left out.
	for before := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			encoded := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + value))
			if (before+len(value))%3 != 0 {
				encoded = encoded[:len(encoded)-1]
			}
			forms = append(forms, encoded[(before*8+5)/6:])
		}
	}
	s.mu.Lock()
	s.forms = append(s.forms, forms...)
	slices.SortFunc(s.forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	s.forms = slices.Compact(s.forms)
	s.mu.Unlock()
	if strings.Contains(value, "\n") {
		for line := range strings.Lines(value) {
			if !strings.HasPrefix(line, "-----") { // of a key's armour
				s.Add(line)
			}
		}
	}
}

var (
	hexDigits = regexp.MustCompile(`%[0-9A-F]{2}`)
	telling   = regexp.MustCompile(`(?i)TOKEN|PASSWORD|PASSWD|SECRET|CREDENTIAL|_KEY$`)
)

// Environment makes known what an environment (NAME=VALUE) holds: values of variables whose names contain TOKEN, PASSWORD, PASSWD, SECRET or CREDENTIAL, or end
// in _KEY, unless they are paths of something that is there; and passwords in URLs, whatever the variable's name is.
func (s *Secrets) Environment(env []string) {
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		if telling.MatchString(name) {
			if _, err := os.Stat(value); err != nil {
				s.Add(value)
			}
		}
		s.Learn(value)
	}
}

// Learn makes known the passwords in the URLs of a text, such as a setting or an argument, and what authorization headers in it say. What stands between :// and @ is taken
// for user info also where nobody should have written it so: a password with a slash in it.
func (s *Secrets) Learn(text string) {
	for rest := text; ; {
		before, after, ok := strings.Cut(rest, "://")
		if !ok {
			break
		}
		rest = after
		word := after
		if i := strings.IndexFunc(word, func(r rune) bool { return r <= ' ' || r == '"' }); i >= 0 {
			word = word[:i]
		}
		at := strings.LastIndexByte(word, '@')
		if slash := strings.IndexByte(word, '/'); slash >= 0 && slash < at {
			if _, port, ok := strings.Cut(word[:slash], ":"); !ok || strings.Trim(port, "0123456789") == "" {
				at = strings.LastIndexByte(word[:slash], '@')
			}
		}
		if at < 0 {
			continue
		}
		user, password, ok := strings.Cut(word[:at], ":")
		switch {
		case !ok && !nameOnly(before):
			s.addEncoded(user)
		case ok && (password == "" || password == "x-oauth-basic"): // a token in the place of the user
			s.addEncoded(user)
		case ok:
			s.addEncoded(password)
		}
	}
	for _, found := range authorization(text, true) {
		value := text[found.from:found.to]
		s.Add(value)
		if scheme, token, ok := strings.Cut(value, " "); ok {
			s.Add(token)
			if _, password, ok := basic(token); ok && strings.EqualFold(scheme, "basic") {
				s.Add(password)
			}
		}
	}
}

// addEncoded adds a part of a URL: as it stands there, and as what it means.
func (s *Secrets) addEncoded(part string) {
	s.Add(part)
	if plain, err := url.PathUnescape(part); err == nil {
		s.Add(plain)
	}
}

// Redact gives the text without secrets.
func (s *Secrets) Redact(text string) string {
	found, _ := s.scan(text, true)
	return replaced(text, 0, len(text), found)
}

// JSON gives a JSON text without secrets. Only strings are looked at: it stays JSON.
func (s *Secrets) JSON(content []byte) []byte {
	var out bytes.Buffer
	for len(content) > 0 {
		begin := bytes.IndexByte(content, '"')
		if begin < 0 {
			break
		}
		end := begin + 1
		for end < len(content) && content[end] != '"' {
			if content[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(content))
		out.Write(content[:begin])
		literal := content[begin:end]
		var text string
		if err := json.Unmarshal(literal, &text); err != nil {
			out.WriteString(s.Redact(string(literal))) // it was no JSON
		} else if clean := s.Redact(text); clean != text {
			out.WriteString(`"` + quoted(clean) + `"`)
		} else {
			out.Write(literal)
		}
		content = content[end:]
	}
	out.Write(content)
	return out.Bytes()
}

// quoted is a text as it stands between the quotes of JSON.
func quoted(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil { // a string never fails
		return Mark
	}
	return strings.Trim(strings.TrimSuffix(out.String(), "\n"), `"`)
}

// span is a secret's place in a text.
type span struct{ from, to int }

// replaced is text[from:to] with the mark for each secret.
func replaced(text string, from, to int, secrets []span) string {
	slices.SortFunc(secrets, func(a, b span) int { return cmp.Or(a.from-b.from, b.to-a.to) })
	var out strings.Builder
	marked := -1 // up to where the last mark stands
	for _, secret := range secrets {
		begin, end := max(secret.from, from), min(secret.to, to)
		if begin >= end {
			continue
		}
		if begin >= marked { // else it overlaps the one before
			out.WriteString(text[from:begin] + Mark)
		}
		marked = max(marked, end)
		from = max(from, end)
	}
	return out.String() + text[min(from, to):to]
}

// scan finds the secrets of a text. From open on, what follows the text may yet make a secret of it, or a longer one; where nothing follows
// (final), that is the text's end.
func (s *Secrets) scan(text string, final bool) (found []span, open int) {
	found = append(userInfo(text, final), authorization(text, final)...)
	found = append(found, tokens(text, final)...)
	open = len(text)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, form := range s.forms {
		for at := 0; ; at++ {
			i := strings.Index(text[at:], form)
			if i < 0 {
				break
			}
			at += i
			found = append(found, span{at, at + len(form)})
		}
		for n := min(len(form)-1, len(text)); n > 0 && !final; n-- {
			if strings.HasSuffix(text, form[:n]) {
				open = min(open, len(text)-n)
				break
			}
		}
	}
	closed := found[:0]
	for _, f := range found {
		if f.to == unended {
			open = min(open, f.from)
		} else {
			closed = append(closed, f)
		}
	}
	// A secret that reaches into what is open stays whole.
	for moved := true; moved; {
		moved = false
		for _, f := range closed {
			if f.from < open && f.to > open {
				open, moved = f.from, true
			}
		}
	}
	return closed, open
}

// unended is the end of what may go on behind the text.
const unended = -1

// longestValue bounds user info and headers, in bytes: what is longer is none.
const longestValue = 8 << 10

// userInfo finds user info in URLs: between :// and the last @ before a slash or what cannot stand in a URL.
func userInfo(text string, final bool) (found []span) {
	for _, form := range []struct{ separator, at, colon, ends string }{{"://", "@", ":", ""}, {"%3A%2F%2F", "%40", "%3A", "%2F"}} {
		upper := text
		if form.ends != "" {
			if upper = upperASCII(text); !strings.Contains(upper, form.separator) {
				continue
			}
		}
		for from := 0; ; {
			i := strings.Index(upper[from:], form.separator)
			if i < 0 {
				break
			}
			scheme := text[:from+i]
			begin := from + i + len(form.separator)
			from = begin
			end := begin
			for end < len(text) && end-begin < longestValue && !endsAuthority(text[end]) && (form.ends == "" || text[end] != '&' && !strings.HasPrefix(upper[end:], form.ends)) {
				end++
			}
			if end == len(text) && end-begin < longestValue && !final {
				found = append(found, span{begin, unended})
				continue
			}
			at := strings.LastIndex(upper[begin:end], form.at)
			if at <= 0 {
				continue
			}
			if info := upper[begin : begin+at]; strings.Contains(info, form.colon) || !nameOnly(scheme) {
				found = append(found, span{begin, begin + at})
			}
		}
	}
	return found
}

// upperASCII is a text of the same length with ASCII letters in upper case.
func upperASCII(text string) string {
	upper := []byte(text)
	for i, c := range upper {
		if 'a' <= c && c <= 'z' {
			upper[i] = c - 'a' + 'A'
		}
	}
	return string(upper)
}

func endsAuthority(c byte) bool {
	return c <= ' ' || c == 0x7f || c == '/' || c == '"' || c == '<' || c == '>' || c == '`'
}

// nameOnly tells whether a text ends in a scheme whose user alone is a name and no secret: one logs in with a key.
func nameOnly(text string) bool {
	text = text[max(0, len(text)-longestScheme):]
	i := len(text)
	for i > 0 && (isAlphanumeric(text[i-1]) || strings.IndexByte("+.-", text[i-1]) >= 0) {
		i--
	}
	return slices.Contains([]string{"ssh", "git+ssh", "ssh+git", "sftp", "git"}, strings.ToLower(text[i:]))
}

const (
	longestScheme = 16
	longestGap    = 8 // between a keyword and its value
)

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isAlphanumeric(c byte) bool { return isLetter(c) || '0' <= c && c <= '9' }

// keyword finds a word, in whatever case, and gives where it ends, from an offset on.
func keyword(text, word string, from int) (end int, ok bool) {
	for at := from; at+len(word) <= len(text); at++ {
		if text[at]|0x20 == word[0] && strings.EqualFold(text[at:at+len(word)], word) {
			return at + len(word), true
		}
	}
	return 0, false
}

// skip is the offset behind at most longestGap signs of a set.
func skip(text string, at int, set string) int {
	for n := 0; n < longestGap && at < len(text) && strings.IndexByte(set, text[at]) >= 0; n++ {
		at++
	}
	return at
}

// authorization finds the values of Authorization and Proxy-Authorization headers: up to the line's end or a quote.
func authorization(text string, final bool) (found []span) {
	for from := 0; ; {
		end, ok := keyword(text, "authorization", from)
		if !ok {
			return found
		}
		from = end
		colon := skip(text, end, "\"' \t")
		if colon == len(text) || text[colon] != ':' && text[colon] != '=' {
			continue
		}
		begin := skip(text, colon+1, "\"' \t[")
		for end = begin; end < len(text) && end-begin < longestValue && strings.IndexByte("\r\n\"'", text[end]) < 0; {
			end++
		}
		switch {
		case end == len(text) && end-begin < longestValue && !final:
			return append(found, span{begin, unended})
		case end > begin:
			found = append(found, span{begin, end})
		}
		from = max(from, end-2*longestGap-len("authorization")) // a header within the value ends where it does
	}
}

// tokens finds what follows the words Bearer and Basic and looks like a token: "basic authentication" does not.
func tokens(text string, final bool) (found []span) {
	for _, scheme := range []string{"bearer", "basic"} {
		for from := 0; ; {
			end, ok := keyword(text, scheme, from)
			if !ok {
				break
			}
			from = end
			begin := skip(text, end, " \t")
			if at := end - len(scheme); begin == end || at > 0 && isLetter(text[at-1]) {
				continue
			}
			for end = begin; end < len(text) && end-begin < longestValue && (isAlphanumeric(text[end]) || strings.IndexByte("._~+/=-", text[end]) >= 0); {
				end++
			}
			if end == len(text) && end-begin < longestValue && !final {
				found = append(found, span{begin, unended})
				continue
			}
			token := text[begin:end]
			is := len(token) >= 20 || len(token) >= shortest && strings.ContainsAny(token, "0123456789")
			if scheme == "basic" {
				_, _, is = basic(token)
			}
			if is {
				found = append(found, span{begin, end})
			}
		}
	}
	return found
}

// basic reads the credentials of basic authentication (RFC 7617): USER:PASSWORD in base64.
func basic(token string) (user, password string, ok bool) {
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(token, "=."))
	if err != nil || !utf8.Valid(plain) {
		return "", "", false
	}
	return strings.Cut(string(plain), ":")
}
