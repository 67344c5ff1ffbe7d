// Package pipeline is the order in which a release happens, written once, over an interface with one method.
// The command brings a Runner that calls each stage in its own process, the Dagger module one that runs it in
// a container; both get the same inputs and neither decides what comes next.
//
// It imports no stage, opens no file and knows no registry: folders pass through it as opaque handles.
package pipeline
