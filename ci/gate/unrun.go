package gate

import (
	"fmt"
	"slices"

	"github.com/operator-release/operator-release/ci/binary"
	"github.com/operator-release/operator-release/ci/config"
)

// checkUnrun reads the binaries that this machine cannot run, and says that they were not run. One fails if its bytes
// contradict module, platform or version, and if they hold the version otherwise than the same binary of another
// platform.
func checkUnrun(o Options) ([]Check, error) {
	if len(o.Unrun) == 0 {
		return notRun(o.Given), nil
	}
	modules, err := binary.Modules(o.Tree)
	if err != nil {
		return nil, err
	}
	var checks []Check
	best := map[string]held{} // of the binaries of one name
	says := make([]binary.Said, len(o.Unrun))
	for i, b := range slices.Concat(o.Unrun, o.Binaries) {
		c, said, err := o.read(b, modules)
		if err != nil {
			return nil, err
		}
		if old := best[b.Name]; said.Version != "" && (old.Version == "" || said.Version == o.Version) {
			best[b.Name] = held{said, b.Platform}
		}
		if i < len(o.Unrun) { // the others were run
			says[i], checks = said, append(checks, c)
		}
	}
	for i, b := range o.Unrun {
		c := &checks[i]
		switch says, other := says[i], best[b.Name]; {
		case c.Status == Failed:
		case says.Differs(other.Said):
			has := "do not hold " + other.Version
			if says.Version != "" {
				has = "hold " + says.Version
			}
			c.Status, c.Details = Failed, []string{fmt.Sprintf("its bytes %s, and those for %s hold %s; build it again "+
				"with the same version", has, other.platform, other.Version)}
		case says.Version != "":
			c.Details = append(c.Details, "its bytes hold "+says.Version)
		default:
			c.Details = append(c.Details, "its bytes hold no version, so nothing tells whether it is "+o.Version)
		}
	}
	return append(checks, notRun(o.Given)...), nil
}

// held is what the binary of a platform says.
type held struct {
	binary.Said
	platform string
}

// read reads one binary.
func (o Options) read(b Binary, modules []string) (Check, binary.Said, error) {
	c := Check{Name: BinaryCheck, Subject: b.Name + " for " + b.Platform, Status: NotChecked}
	platform, err := config.ParsePlatform(b.Platform)
	if err != nil {
		return c, binary.Said{}, err
	}
	said, err := binary.Want{Platform: platform, Modules: modules, Version: o.Version,
		Foreign: o.ForeignVersions}.Check(b.Path)
	if err != nil {
		c.Status, c.Details = Failed, lines(err.Error())
		return c, said, nil
	}
	c.Details = []string{fmt.Sprintf("not run, for this machine is another; read: it is of the module %s, for %s",
		said.Module(), b.Platform)}
	return c, said, nil
}

// notRun says of which images that were handed over no program was run.
func notRun(repositories []string) []Check {
	var checks []Check
	for _, repository := range repositories {
		checks = append(checks, Check{Name: BinaryCheck, Subject: "the programs of " + repository, Status: NotChecked,
			Details: []string{"the image was handed over, and none of its programs was run"}})
	}
	return checks
}
