// Package audit is the stage "audit": it reads every surface of published versions back and compares it with the record; of versions that have none,
// because they are older than this tool, the surfaces are compared with each other.
//
// Of versions with a record it verifies the signatures that the registry lists, where somebody is trusted.
//
// It writes nothing. What cannot be seen is said to be unseen, never to be in order and never to be wrong.
package audit
