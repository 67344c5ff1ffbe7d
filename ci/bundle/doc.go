// Package bundle is one OCI image layout directory that holds everything built for a
// version, and the record (release.json) that names it all by digest.
//
// It writes and reads the layout, makes the release artifact whose digest is the identity of the
// version, joins parts, and verifies bytes. It talks to no registry and no git remote, and it knows
// no stage: images and charts come to it as finished layouts.
package bundle
