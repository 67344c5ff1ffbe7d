package compare

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// limit is a bound that is another: less is taken by it now, or more, or neither of both can be said (0).
type limit struct {
	more     int
	was, now string
}

// limits compares what bounds a value: one finding for all that became narrower, one for all that became wider.
func (c *crdComparison) limits(at string, was, is *schema) {
	var narrower, wider, other []limit
	note := func(l limit) {
		switch {
		case l.more < 0:
			narrower = append(narrower, l)
		case l.more > 0:
			wider = append(wider, l)
		default:
			other = append(other, l)
		}
	}
	c.bounds(was, is, note)
	found := func(f Finding, limits []limit, end string) {
		if len(limits) == 0 {
			return
		}
		var before, now []string
		for _, l := range limits {
			before, now = append(before, l.was), append(now, l.now)
		}
		f.Line, f.Was, f.Now = is.line, strings.Join(before, ", "), strings.Join(now, ", ")
		c.field(at, f, end)
	}
	found(Finding{Severity: Breaking, What: "%s accepts less than before: a stored object with another value is refused"}, narrower, "narrowed")
	found(Finding{Severity: Info, Forward: true, What: "%s accepts more than before: the older CRD refuses that"}, wider, "widened")
	found(Finding{Severity: Breaking, Forward: true, What: "%s accepts other values than before: a stored object with another value is refused"}, other, "bounds-changed")
}

func (c *crdComparison) bounds(was, is *schema, note func(limit)) {
	text := func(name string, value *float64, exclusive bool) string {
		if value == nil {
			return "no " + name
		}
		return map[bool]string{true: "exclusive "}[exclusive] + name + " " + strconv.FormatFloat(*value, 'g', -1, 64)
	}
	// An absent bound is an infinite one; more is what a greater bound means.
	compare := func(name string, a, b *float64, exclusiveA, exclusiveB bool, absent float64, more int) {
		exclusiveA, exclusiveB = exclusiveA && a != nil, exclusiveB && b != nil
		x, y := absent, absent
		if a != nil {
			x = *a
		}
		if b != nil {
			y = *b
		}
		by := cmp.Compare(y, x) * more
		if by == 0 && exclusiveA != exclusiveB {
			by = 1
			if exclusiveB {
				by = -1
			}
		}
		if by != 0 {
			note(limit{by, text(name, a, exclusiveA), text(name, b, exclusiveB)})
		}
	}
	compare("minimum", was.minimum, is.minimum, was.exclusiveMinimum, is.exclusiveMinimum, math.Inf(-1), -1)
	compare("maximum", was.maximum, is.maximum, was.exclusiveMaximum, is.exclusiveMaximum, math.Inf(1), 1)
	for _, name := range union(was.counts, is.counts) {
		by := cmp.Compare(count(is, name), count(was, name))
		if strings.HasPrefix(name, "min") {
			by = -by
		}
		if by != 0 {
			note(limit{by, countText(was, name), countText(is, name)})
		}
	}
	if was.pattern != is.pattern {
		l := limit{0, "pattern " + was.pattern, "pattern " + is.pattern} // which of two takes more is not asked
		if was.pattern == "" {
			l.more, l.was = -1, "no pattern"
		} else if is.pattern == "" {
			l.more, l.now = 1, "no pattern"
		}
		note(l)
	}
	a, b := was.multipleOf, is.multipleOf
	switch l := (limit{0, text("multipleOf", a, false), text("multipleOf", b, false)}); {
	case a == nil && b == nil || a != nil && b != nil && *a == *b:
	case a == nil || b != nil && multiple(*b, *a):
		l.more = -1
		note(l)
	case b == nil || multiple(*a, *b):
		l.more = 1
		note(l)
	default:
		note(l)
	}
	if was.unique != is.unique {
		names := map[bool]string{true: "unique items", false: "equal items"}
		l := limit{1, names[was.unique], names[is.unique]}
		if is.unique {
			l.more = -1
		}
		note(l)
	}
}

func multiple(a, b float64) bool {
	q := a / b
	return b != 0 && q == math.Trunc(q) && !math.IsInf(q, 0)
}

func count(s *schema, name string) int64 {
	n, found := s.counts[name]
	switch {
	case found:
		return n
	case strings.HasPrefix(name, "min"):
		return 0 // no minLength is one of 0
	}
	return math.MaxInt64
}

func countText(s *schema, name string) string {
	if n, ok := s.counts[name]; ok {
		return fmt.Sprintf("%s %d", name, n)
	}
	return "no " + name
}
