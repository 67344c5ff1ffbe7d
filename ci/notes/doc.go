// Package notes is the stage "notes": what a version brings its users, from the commits between it and the version that its notes stand on.
// Every change is there exactly once: what was taken back within is not, candidates roll up into their final, what several picks were
// squashed into is taken apart, a backport stands under its original's name, and what another line has released already is told apart.
//
// It is pure: of git objects and a version, it makes text, and edits no file. What a version may contain is not its business.
package notes
