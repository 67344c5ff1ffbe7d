// Package config is what a repository says, or shows, about how it is released: the
// file .release.yaml, the profiles that ship with the tool, and defaults found by looking at a tree.
//
// It reads a tree through io/fs and touches nothing else. What a version is, it takes from
// ci/version; what is built from these settings is the stages' business.
package config
