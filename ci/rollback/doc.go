// Package rollback is the stage "rollback": it marks a published version as bad, or as good again, tells so beside everything that was published of it, and leads
// floating tags to where they belong then. The git remote decides; whatever else is written follows from what it says, so a run that stopped is completed by running
// it again.
//
// It deletes nothing and changes no content: whoever uses the version by its tag or digest goes on.
package rollback
