// Package forge writes and reads release pages and pull requests at GitHub: a page is a draft until all its files are there, and then published, never to change but for its text;
// a pull request is opened once, and brought up to date when it is there. Everything may be run again: what is there is found, also where the answer to a write was lost.
//
// What a page says, and which version is the latest, its callers decide. The hub below it is a server of the same API, for rehearsals and tests.
package forge
