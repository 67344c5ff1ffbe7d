// Package site makes a static site of a catalog: which version to run, how to get there, whether one can go back, and what was found out about each version. It reads
// nothing but the catalog, and the same catalog gives the same bytes.
//
// Its pages are whole without JavaScript, ask no other host for anything, and work from a disk as they do from a server. Whatever others wrote (notes, subjects, reasons,
// names) is shown as text: see Visible and markdown.go.
package site
