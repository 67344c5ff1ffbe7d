// Package chart is the stage "chart": one Helm chart, packaged once by the Helm SDK, in the form of an OCI artifact with
// Helm's media types.
//
// Its version comes stamped in the release tree; this stage checks it and edits nothing. Linting and rendering
// are the gate's business, pushing is publication's.
package chart
