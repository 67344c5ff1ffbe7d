// Package surface knows the places in a repository that carry the version: VERSION file, Chart.yaml,
// kustomization newTag, the badges of a chart's README, a Python __version__, and patterns from the settings.
//
// It finds them, reads what they say, and edits exactly those bytes; comments, order, quoting and line ends stay. Which version
// is to be written, and what becomes of the edited files, is not its business.
package surface
