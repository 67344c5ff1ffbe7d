package compare

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/refusal"
)

// moved is a key that only one of the versions has, with what might tell where it went.
type moved struct {
	keys    []string
	value   *yaml.Node
	comment string
	finding int // of a removed one
}

// new notes an added key and all below it, as what may have gone elsewhere.
func (c *valuesComparison) new(keys []string, e entry) {
	c.added = append(c.added, moved{keys: keys, value: e.value, comment: c.now.comment(e.at.Line)})
	if e.value.Kind == yaml.MappingNode && len(keys) < 20 {
		for _, child := range inOrder(entries(e.value)) {
			c.new(append(slices.Clip(keys), child.key), child)
		}
	}
}

// renamed puts a hint into what is removed, where exactly one added value looks like it.
func (c *valuesComparison) renamed() {
	const few = 50 // that share a name, a parent or a comment; more tell nothing
	like := map[string][]moved{}
	marks := func(m moved) []string {
		last := len(m.keys) - 1
		marks := []string{"name " + m.keys[last], "parent " + strings.Join(m.keys[:last], ".")}
		if m.comment != "" {
			marks = append(marks, "comment "+m.comment)
		}
		return marks
	}
	for _, m := range c.added {
		for _, mark := range marks(m) {
			like[mark] = append(like[mark], m)
		}
	}
	for _, gone := range c.removed {
		best, least, alone := moved{}, 2, false
		seen := map[string]bool{}
		for _, mark := range marks(gone) {
			candidates := like[mark]
			if len(candidates) > few {
				continue
			}
			for _, m := range candidates {
				if key := strings.Join(m.keys, "\x00"); !seen[key] {
					seen[key] = true
					switch score := c.alike(gone, m); {
					case score > least:
						best, least, alone = m, score, true
					case score == least:
						alone = false
					}
				}
			}
		}
		if alone {
			c.findings[gone.finding].Now = "now " + strings.Join(best.keys, ".") + "?"
		}
	}
}

// alike weighs what speaks for an added value being a removed one. Without an equal default nothing does.
func (c *valuesComparison) alike(gone, m moved) int {
	if kindOf(gone.value) != kindOf(m.value) {
		return 0
	}
	telling := false
	switch kindOf(gone.value) {
	case "map":
		was, now := entries(gone.value), entries(m.value)
		if !slices.Equal(inOrderOf(was), inOrderOf(now)) {
			return 0
		}
		telling = len(was) > 0
	default:
		if canonical(gone.value, c.was.own) != canonical(m.value, c.now.own) {
			return 0
		}
		telling = !slices.Contains([]string{"", "0", "true", "false", "null", "~"}, gone.value.Value) || len(gone.value.Content) > 0
	}
	score := 0
	add := func(points int, speaks bool) {
		if speaks {
			score += points
		}
	}
	was, now := gone.keys[len(gone.keys)-1], m.keys[len(m.keys)-1]
	lower, other := strings.ToLower(was), strings.ToLower(now)
	add(1, true)
	add(1, telling)
	add(2, was == now)
	add(1, slices.Equal(gone.keys[:len(gone.keys)-1], m.keys[:len(m.keys)-1]))
	add(2, gone.comment != "" && gone.comment == m.comment)
	add(1, was != now && (strings.Contains(lower, other) || strings.Contains(other, lower) || refusal.Nearest(was, []string{now}) != ""))
	return score
}
