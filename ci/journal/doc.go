// Package journal reads and writes what a git remote decides about versions: claims, which say who publishes a version and what, and marks,
// which say that a version is withdrawn, rolled back, or good again. The remote compares and swaps, so of two who want something else at once one loses.
//
// What follows from it, in registries and elsewhere, is the stages' business.
package journal
