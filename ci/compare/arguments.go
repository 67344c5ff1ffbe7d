package compare

import (
	"fmt"
	"slices"
	"strings"
)

// arguments tells which flags a container gets that are other than before, one by one. It tells whether nothing but
// flags differs.
func (c *objectsComparison) arguments(o *chartObject, containers, container string, was, now any) (complete bool) {
	before, wordsBefore := flagsOf(list(dig(was, "args")))
	after, wordsAfter := flagsOf(list(dig(now, "args")))
	for _, flag := range union(before, after) {
		a, had := before[flag]
		b, has := after[flag]
		what, became := "", ""
		switch {
		case !has:
			what, became = "the container %s of %s does not get %s any more", "removed"
		case !had:
			what, became = "the container %s of %s gets the new argument %s", "added"
		case a != b:
			what, became = "the container %s of %s gets another %s", "changed"
		default:
			continue
		}
		f := c.find(Notable, o, fmt.Sprintf(what, container, o, flag), containers, container, "args", flag, became)
		f.Was, f.Now = shortened(a, most), shortened(b, most)
		f.Adds = became == "added"
	}
	return slices.Equal(wordsBefore, wordsAfter)
}

// flagsOf are the arguments that are flags, by name, each with its text. Several of one name are one, with all texts.
// Words are the other arguments: a value that stands behind its flag is one.
func flagsOf(args []any) (flags map[string]string, words []string) {
	flags = map[string]string{}
	for _, arg := range args {
		word := fmt.Sprint(arg)
		if !strings.HasPrefix(word, "-") || strings.Trim(word, "-") == "" {
			words = append(words, word)
			continue
		}
		name, _, _ := strings.Cut(word, "=")
		if before, there := flags[name]; there {
			word = before + " " + word
		}
		flags[name] = word
	}
	return flags, words
}
