// Package daggerversion knows the versions of Dagger that the module is tested with.
package daggerversion

import (
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Tested are the versions of Dagger that the module is tested with, oldest first. README and workflows name the same.
var Tested = []string{"v0.21.8", "v1.0.0-beta.10"}

// Check refuses an engine that is older than all tested versions. For another version that is not tested it gives a
// note for people.
func Check(engine string) (note string, err error) {
	if slices.Contains(Tested, engine) {
		return "", nil
	}
	known := strings.Join(Tested, " and ")
	v, err := semver.NewVersion(engine)
	if err != nil {
		return "this module is tested with Dagger " + known + "; the version of this engine is " + engine, nil
	}
	oldest := semver.MustParse(Tested[0])
	if core(v).LessThan(oldest) {
		return "", refusal.New("load operator-release: Dagger %s is too old; the module is tested with Dagger %s; "+
			"install one of them, such as: curl -fsSL https://dl.dagger.io/dagger/install.sh | DAGGER_VERSION=%s sh",
			engine, known, strings.TrimPrefix(Tested[0], "v"))
	}
	if v.GreaterThan(semver.MustParse(Tested[len(Tested)-1])) {
		return "Dagger " + engine + " is newer than the versions that this module is tested with: " + known, nil
	}
	return "Dagger " + engine + " is not among the versions that this module is tested with: " + known, nil
}

// core is a version without its pre-release: a development build of a version counts as that version.
func core(v *semver.Version) *semver.Version {
	return semver.New(v.Major(), v.Minor(), v.Patch(), "", "")
}
