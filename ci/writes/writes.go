// Package writes knows what a publication writes, in which order, and under which names. The plan lists it, and
// publication follows it. It reads and writes nothing at a destination.
package writes

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/floating"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/version"
)

// The steps of a publication. Nothing of a step is visible before the steps before it are complete.
const (
	Content      = 1 + iota // by digest, and the backup
	Claim                   // that decides who publishes the version
	Branch                  // the release branch, fast-forward
	ImageTags               // of the version
	ChartTags               // of the version
	GitTags                 // of the version
	Page                    // of the forge: a draft, then published
	Index                   // Helm's index of charts
	FloatingTags            // that move with versions
)

// Write is one write of a publication.
type Write struct {
	Step   int    `json:"step"`
	Target string `json:"target"`
	What   string `json:"what"`
}

// Version is what is published, and where it goes beside its own registries and the git remote.
type Version struct {
	Version   version.Version
	Commit    string   // release commit
	Branch    string   // release branch
	Tags      []string // git tags, in the order in which they are made
	Images    []string // repositories, in the order of the settings
	Charts    []string // repositories, each with the chart's name
	Artifacts string   // repository of the release artifact
	Floating  []string // floating tags that lead to the version

	Backup string // repository at a registry, or a folder; empty: none is kept
	GitHub string // OWNER/REPO of the release page; empty: none is made
	Index  string // branch of the chart index; empty: there is none
}

// List is every write, in the order in which they are made.
func List(v Version) []Write {
	var all []Write
	add := func(step int, target, what string) { all = append(all, Write{step, target, what}) }
	charts := slices.Sorted(slices.Values(v.Charts))
	if v.Backup != "" {
		add(Content, BackupOf(v.Backup, v.Version), "backup")
	}
	brought := map[string][]string{}
	for _, name := range v.Images {
		brought[name] = append(brought[name], "image")
	}
	for _, name := range charts {
		brought[name] = append(brought[name], "chart")
	}
	if v.Artifacts != "" {
		brought[v.Artifacts] = append(brought[v.Artifacts], "release artifact")
	}
	for _, name := range slices.Sorted(maps.Keys(brought)) {
		add(Content, name, strings.Join(brought[name], ", ")+", by digest")
	}
	add(Claim, journal.ClaimRef(v.Version), "claim")
	add(Branch, "refs/heads/"+v.Branch, BranchAt(v.Commit))
	for _, name := range v.Images {
		add(ImageTags, name+":"+v.Version.String(), "image tag")
	}
	for _, name := range charts {
		add(ChartTags, name+":"+v.Version.SemVer(), "chart tag")
	}
	for _, tag := range v.Tags {
		add(GitTags, "refs/tags/"+tag, "annotated tag on "+short(v.Commit))
	}
	if v.GitHub != "" {
		add(Page, PageOf(v.GitHub, v.Version), "draft with every file")
		add(Page, PageOf(v.GitHub, v.Version), "page")
	}
	if v.Index != "" && len(charts) > 0 {
		add(Index, "refs/heads/"+v.Index, "chart index")
		add(Index, journal.IndexRef(v.Index), "record of the chart index")
	}
	for _, name := range v.Images {
		for _, tag := range v.Floating {
			add(FloatingTags, name+":"+tag, "floating tag")
		}
	}
	return all
}

// Leads are the floating tags of the version that lead to it, and for each other one the newer version that it stays
// at; of the versions that are out none was rolled back.
func Leads(forms []string, v version.Version, out []version.Version) (leads []string, stay map[string]version.Version) {
	lead := floating.Lead(forms, append(slices.Clone(out), v), func(version.Version) bool { return false })
	stay = map[string]version.Version{}
	for _, tag := range floating.Tags(forms, v) {
		if lead[tag] == v {
			leads = append(leads, tag)
		} else {
			stay[tag] = lead[tag]
		}
	}
	return leads, stay
}

// BranchAt is what is said of the write of a release branch.
func BranchAt(commit string) string { return "branch at " + short(commit) }

// PageOf is the name of a version's release page.
func PageOf(repository string, v version.Version) string {
	return fmt.Sprintf("%s release %s", repository, v)
}

// BackupOf is the name of a version's backup.
func BackupOf(at string, v version.Version) string {
	if IsFolder(at) {
		return filepath.Join(at, v.String())
	}
	return strings.TrimPrefix(at, "oci://") + ":" + v.String()
}

// IsFolder tells whether a backup is kept in a folder: one with a slash before it, ./ or ../, or one that is there.
func IsFolder(at string) bool {
	info, err := os.Stat(at)
	return filepath.IsAbs(at) || strings.HasPrefix(at, "./") || strings.HasPrefix(at, "../") || err == nil && info.IsDir()
}

func short(id string) string { return id[:min(12, len(id))] }
