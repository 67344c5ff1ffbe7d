// Package change reads what commits are: the kind of change, its pull request, what it was picked from or takes back, and the several picks that
// a squash made one commit of. It recognizes a commit on another branch by any of these.
//
// It decides nothing: what belongs on a line, in notes or in a version is the business of those who ask.
package change
