// Package floating tells where the tags lead that move with versions, such as latest or v1.5: each leads to the newest final of those that it may stand for, and
// to none that was rolled back. It is arithmetic; who writes tags asks here.
package floating

import (
	"slices"
	"strconv"
	"strings"

	"github.com/operator-release/operator-release/ci/version"
)

// Tags are the floating tags that a version bears when it is the newest: the forms with {major} and {minor} put in. Candidates bear none.
func Tags(forms []string, v version.Version) []string {
	if _, candidate := v.Candidate(); candidate {
		return nil
	}
	var tags []string
	for _, form := range forms {
		tag := strings.NewReplacer("{major}", strconv.FormatUint(v.Major(), 10), "{minor}", strconv.FormatUint(v.Minor(), 10)).Replace(form)
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// Lead is the version that each floating tag leads to, of those that are out and were not rolled back.
func Lead(forms []string, out []version.Version, back func(version.Version) bool) map[string]version.Version {
	lead := map[string]version.Version{}
	for _, v := range out {
		if back(v) {
			continue
		}
		for _, tag := range Tags(forms, v) {
			if newest, ok := lead[tag]; !ok || newest.Compare(v) < 0 {
				lead[tag] = v
			}
		}
	}
	return lead
}
