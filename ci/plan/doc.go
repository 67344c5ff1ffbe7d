// Package plan is the stage "plan": what releasing a version of a repository would do, and what speaks against it.
// It reads git objects, makes the release commit and tag in a quarantine, and writes nothing else.
// The same commit, version and settings give the same plan, with the same hash.
//
// It knows no registry, no remote and no clock; where a bundle goes is no part of a plan.
package plan
