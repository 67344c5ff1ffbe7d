// Package backport is the stage "backport": commits of the development branch picked onto release lines, every commit onto every line,
// side by side and in memory. It tells what is there already, what applies, and what conflicts where.
//
// It makes objects in a quarantine and writes nothing else: no work tree, no index, no ref. Branches, pushes and pull requests are made by
// whoever asks for them, and never on a release branch.
package backport
