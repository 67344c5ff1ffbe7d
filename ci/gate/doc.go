// Package gate is the stage "test": what must pass before a version of a
// Kubernetes operator is released.
//
// It runs the released repository's own commands, lints and renders its charts
// with every set of values that comes with them, decodes each rendered object
// strictly against the Kubernetes API or the chart's own CRDs, compares the
// images that the charts name with those the release builds, and asks the built
// binaries which version they are.
//
// It needs no cluster. A CRD, and an object of a CRD of the chart, is validated by the code of the API server. CEL
// expressions of admission policies and webhooks are compiled by that code. Of Kubernetes' own objects it validates
// fields, metadata and fixed values, and of common kinds selectors, ports, rules and the like, as every server does.
// The check says of which kinds. It does not do what only a cluster can: admission and quotas. An object whose type is known neither to Kubernetes nor to
// the chart is listed as not checked, never as passed. The gate reads the tree
// and changes nothing in it; what the commands do there is theirs.
//
// Processes are run in process groups of their own, so the package is for Unix.
package gate
