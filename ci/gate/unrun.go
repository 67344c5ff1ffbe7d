package gate

import (
	"fmt"
	"slices"

	"github.com/operator-release/operator-release/ci/binary"
	"github.com/operator-release/operator-release/ci/config"
)

// checkUnrun reads the binaries that this machine cannot run, and says that they were not run. One fails if its bytes
// contradict module, platform or version, and if they lack a version that the same binary of another platform holds.
func checkUnrun(o Options) ([]Check, error) {
	if len(o.Unrun) == 0 {
		return notRun(o.Given), nil
	}
	modules, err := binary.Modules(o.Tree)
	if err != nil {
		return nil, err
	}
	var checks []Check
	versioned := map[string]string{} // a platform whose binary of this name holds the version
	says := make([]binary.Said, len(o.Unrun))
	for i, b := range slices.Concat(o.Unrun, o.Binaries) {
		c, said, err := o.read(b, modules)
		if err != nil {
			return nil, err
		}
		if said.Version {
			versioned[b.Name] = b.Platform
		}
		if i < len(o.Unrun) { // the others were run
			says[i], checks = said, append(checks, c)
		}
	}
	for i, b := range o.Unrun {
		c := &checks[i]
		switch other := versioned[b.Name]; {
		case c.Status == Failed:
		case says[i].Version:
			c.Details = append(c.Details, "its bytes hold "+o.Version)
		case other != "":
			c.Status, c.Details = Failed, []string{fmt.Sprintf("its bytes do not hold %s, and those for %s do; build it "+
				"again with the same version",
				o.Version, other)}
		default:
			c.Details = append(c.Details, "its bytes hold no version, so nothing tells whether it is "+o.Version)
		}
	}
	return append(checks, notRun(o.Given)...), nil
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
