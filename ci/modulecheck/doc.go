// Package modulecheck holds tests of the whole house. One type-checks the Dagger module in .dagger without an engine: the package that
// Dagger generates for a module has the API of dagger.io/dagger, so that package stands in for it. The other holds
// imports to their floors.
//
// They prove that the module's calls exist, that its functions have types which Dagger can carry, and that no stage knows another. That
// the module does what it should is for a real engine to show.
package modulecheck
