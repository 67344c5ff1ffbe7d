package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"slices"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
)

// LockDigests are the digests that Helm may write into a lock file: that of the two lists of dependencies, and that of
// Helm 2, which is of the declared ones alone. They are none of packages.
func LockDigests(declared, locked []*chartv2.Dependency) []string {
	var digests []string
	for _, lists := range []any{
		[2][]*chartv2.Dependency{declared, locked},
		map[string][]*chartv2.Dependency{"dependencies": declared},
	} {
		content, err := json.Marshal(lists)
		if err != nil {
			return nil
		}
		sum := sha256.Sum256(content)
		digests = append(digests, "sha256:"+hex.EncodeToString(sum[:]))
	}
	return digests
}

// lockFault says that Helm refuses the lock file of a chart as out of sync with its dependencies; empty if it does not.
// Helm takes its older digest for charts of apiVersion v1 alone.
func (s *Source) lockFault(c *chartv2.Chart) string {
	if c.Lock == nil {
		return ""
	}
	digests := LockDigests(c.Metadata.Dependencies, c.Lock.Dependencies)
	if c.Metadata.APIVersion != chartv2.APIVersionV1 {
		digests = digests[:1]
	}
	if slices.Contains(digests, c.Lock.Digest) {
		return ""
	}
	file := s.lockFile()
	return fmt.Sprintf("%s: its digest is not that of the dependencies, so `helm dependency build` refuses the chart as "+
		"out of sync; run: helm dependency update %s, and commit %s", file, s.dir, file)
}

// lockFile is the path of the chart's lock file.
func (s *Source) lockFile() string {
	if s.content("Chart.lock") == nil {
		return path.Join(s.dir, "requirements.lock")
	}
	return path.Join(s.dir, "Chart.lock")
}

// OutOfSync are the lock files, of the chart and of those that it reads by file://, that Helm refuses as out of sync
// with the dependencies.
func (s *Source) OutOfSync() []string {
	var all []string
	for _, one := range s.All() {
		if one.outOfSync != "" {
			all = append(all, one.outOfSync)
		}
	}
	return all
}

// All are the chart and those that it reads by file:// from the tree, at every depth.
func (s *Source) All() []*Source {
	all := []*Source{s}
	for _, sibling := range s.siblings {
		all = append(all, sibling.All()...)
	}
	return all
}
