// Package backport is the stage "backport": commits of the development branch picked onto release lines, every commit onto every line,
// side by side and in memory. It tells what is there already, what applies, and what conflicts where.
//
// What is generated is regenerated instead of being merged: where a pick is about a generated file, the command that makes it runs in a
// throwaway checkout of the pick, and what it leaves at the generated paths becomes part of the pick.
//
// It makes objects in a quarantine and writes nothing else: no work tree, no index, no ref. Branches, pushes and pull requests are made by
// whoever asks for them, and never on a release branch.
package backport
