package clones

import "strings"

// Settings are settings of git, NAME=VALUE. They change what git prints, writes or compares for the user who sets them.
func Settings() []string { return strings.Fields(odd) }

const odd = `
core.autocrlf=true core.eol=crlf core.safecrlf=true core.abbrev=4 core.quotePath=true core.fileMode=false
core.symlinks=false core.ignoreCase=true core.precomposeUnicode=true core.bigFileThreshold=1 core.compression=0
core.looseCompression=9 core.commentChar=% core.whitespace=tab-in-indent,cr-at-eol core.logAllRefUpdates=always
core.warnAmbiguousRefs=false core.multiPackIndex=false core.commitGraph=false core.preferSymlinkRefs=true
core.sharedRepository=0660 core.untrackedCache=true core.splitIndex=true core.excludesFile=/dev/null
core.notesRef=refs/notes/other core.pager=false core.editor=false diff.noprefix=true diff.mnemonicPrefix=true
diff.renames=copies diff.renameLimit=1 diff.algorithm=patience diff.external=false diff.ignoreSubmodules=all
diff.submodule=log diff.context=0 diff.interHunkContext=9 diff.relative=true diff.statGraphWidth=1
diff.suppressBlankEmpty=true diff.wordRegex=. diff.indentHeuristic=false i18n.commitEncoding=ISO-8859-1
i18n.logOutputEncoding=ISO-8859-1 log.showSignature=true log.date=relative log.decorate=full log.follow=true
log.showRoot=false log.abbrevCommit=true log.mailmap=false log.diffMerges=off log.excludeDecoration=*
format.pretty=oneline format.notes=true notes.displayRef=refs/notes/* mailmap.file=.mailmap-of-mine
mailmap.blob=HEAD:README.md commit.gpgSign=true commit.cleanup=verbatim commit.status=false commit.verbose=true
tag.gpgSign=true tag.forceSignAnnotated=true tag.sort=-version:refname versionsort.suffix=-rc
branch.sort=-committerdate gpg.format=ssh user.signingKey=none user.useConfigOnly=true user.name=Another
user.email=another@example.com author.name=Third committer.name=Fourth merge.conflictStyle=diff3
merge.renames=false merge.directoryRenames=true merge.renormalize=true merge.suppressDest=* merge.ff=only
merge.log=true rerere.enabled=true color.ui=always column.ui=always grep.lineNumber=false grep.column=true
grep.patternType=fixed grep.fullName=true grep.fallbackToNoIndex=true status.showUntrackedFiles=no
status.branch=true status.short=true status.relativePaths=true status.renames=copies blame.date=relative
blame.blankBoundary=true blame.showEmail=true blame.coloring=highlightRecent apply.whitespace=error
apply.ignoreWhitespace=change fetch.prune=true fetch.pruneTags=true fetch.fsckObjects=true
transfer.fsckObjects=true transfer.hideRefs=refs/notes push.default=nothing push.followTags=true
push.autoSetupRemote=true pack.threads=1 pack.window=0 pack.compression=0 pack.writeReverseIndex=true
feature.experimental=true index.version=4 index.threads=1 advice.detachedHead=false
advice.graftFileDeprecated=false trailer.ifexists=addIfDifferent init.defaultBranch=other
init.defaultObjectFormat=sha256 submodule.recurse=true url.https://mirror.invalid/.insteadOf=https://docker.io/
alias.log=!false alias.rev-list=!false filter.odd.clean=cat filter.odd.smudge=cat filter.odd.required=true
worktree.guessRemote=true worktree.useRelativePaths=true cherry-pick.signoff=true rebase.autoSquash=true
pull.rebase=true checkout.guess=false core.checkStat=minimal core.trustctime=false core.createObject=rename
core.fsync=none core.maxTreeDepth=100 gc.auto=1 maintenance.auto=true protocol.version=0 promisor.quiet=true
uploadpack.allowFilter=true safe.bareRepository=explicit
`
