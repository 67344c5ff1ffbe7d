// Package git reads and makes git objects with the git command, closed off from the
// user's settings: no system or global configuration, no hooks, no checkout filters, one locale and time zone.
// Trees are read from objects, never from a work tree. New objects go to a quarantine folder, so that a
// repository that is read is never written to. The one exception is a partial clone: it gets its missing objects.
//
// Only Remote runs with the user's own settings, because credentials and proxies are theirs. So does the fetch of the
// missing objects of a partial clone.
package git
