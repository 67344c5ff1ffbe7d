// Package clones makes clones of a small repository in every way that git knows. It is for tests that compare what the
// command does in them.
//
// A [Form] says how a clone is made. A [Change] says what happened to it since. Forms and changes can be combined.
// [Whole] and [Changes] leave a clone with everything that its remote has. [Partial] clones fetch what they do not
// have. A command gives the same result in each of them, also where the remote has another name ([Named]) or the clone
// another owner ([Owned]). [Incomplete] are forms without something that the remote has. A command refuses such a
// clone, or gives the same result.
//
// To add a way to make a clone, add an entry to one of these lists.
package clones
