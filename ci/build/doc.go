// Package build is the stages "build" and "archive": for one platform, the released binaries (static, trimmed, stamped), and of
// each an archive with licence and readme, and an SBOM made from the build information that the binary itself carries.
//
// It compiles from a tree on disk with the toolchain that is named, in a closed environment. It runs nothing that it built:
// whether a binary works is the gate's question.
package build
