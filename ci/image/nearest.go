package image

import (
	"strings"

	"github.com/agext/levenshtein"
)

// nearest is the name that was probably meant, or nothing where none is close.
func nearest(name string, names []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, candidate := range names {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(candidate), nil); d < least {
			best, least = candidate, d
		}
	}
	return best
}
