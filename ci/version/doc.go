// Package version knows the versions that a project may carry and release: strict
// SemVer 2 tags of the form vX.Y.Z or vX.Y.Z-rc.N, the release lines that a branch
// pattern yields, and which version may follow which.
//
// It knows nothing of git, files or registries, and no other tag scheme: a tag
// such as v1beta2-1.6.2-3.5.0 is simply not a version.
package version
