// Package hub is a server of GitHub's REST API, for rehearsals, the demo and tests: release pages with assets, pull requests with labels, reviewers and comments, and what is
// asked about commits and people. It answers as GitHub does, in form and in what it refuses; its state is in memory, and about one repository.
//
// It knows the operations that this project uses, and no others; it keeps no secrets, and is meant for loopback.
package hub
