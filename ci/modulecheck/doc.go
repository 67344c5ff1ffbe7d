// Package modulecheck holds the test that type-checks the Dagger module in .dagger without an engine: the package that Dagger generates
// for a module has the API of dagger.io/dagger, so that package stands in for it.
//
// It proves that the module's calls exist and that its functions have types which Dagger can carry. That they
// do what they should is for a real engine to show.
package modulecheck
