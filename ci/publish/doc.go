// Package publish is the stage "publish": it brings a bundle to destinations, an OCI registry and a git remote, in the one
// order in which nothing becomes visible before what it stands on: content by digest, claim, branch, image tags, chart tags, git tag.
// A rehearsal is the same code with a throwaway registry and remote.
//
// It builds nothing and changes no byte of the bundle; what is there already is left alone, what differs is refused.
//
// A further destination joins the fault matrix of the tests, too; ci/faults says how.
package publish
