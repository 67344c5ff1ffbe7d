// Package catalog is the stage "catalog": everything that is known about a project's versions in one value, for people who ask which one to run, how to get there, and
// whether they can go back. It is read from git, from records and from an audit; what is not known is absent, never guessed.
//
// How it looks is the business of catalog/site. It asks no registry and no forge itself.
package catalog
