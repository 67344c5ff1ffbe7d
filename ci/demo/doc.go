// Package demo holds a small operator's git repository, to show releases on.
//
// The operator, pi-operator, computes digits of pi. Its repository is laid out like the Kubeflow Spark Operator's: a VERSION file, a chart with
// CRDs, a hook with an image of its own, kustomizations, a Python package, each carrying the version. It needs the Go standard library only, so
// building it downloads nothing. Its history, a year by six invented people, is embedded: one txtar file per commit in history, in the order in
// which the commits are made. A file's comment is the commit's header and message,
//
//	Author: Mara Lindqvist <mara@example.com>
//	Date: 2026-03-12T10:00:00+01:00
//	Committer: …                        where it is not the author (a picked commit)
//	Committed: …                        the committer's date, where it is not Date
//	Branch: release-1.4
//	From: 0080                          the number of the commit that a branch starts from, in the first commit of the branch
//	Tag: v1.4.1                         an annotated tag on the commit
//	Delete: path/of/a/file              as often as needed
//
//	chore(release): v1.4.1
//
// and its files are those that the commit writes, whole. In a message {{commit 0120}} stands for the id of that commit. Files named *.sh are
// executable. To add to the history, add a file with a number in between or at the end; to change it, edit a file and those after it that write the
// same path. The tests say whether the result holds together, and testdata/refs.txt has the ids that come out (go test ./ci/demo -update).
//
// What the history is made to show:
//
//   - main carries v1.4.0 on every surface, set there by a commit (0110) that followed the release; the branch release-1.4 has v1.4.1.
//   - 0210, "fix(folder): read each job of a ConfigMap once (#145)", applies to release-1.4 as it is.
//   - 0230, "fix(cluster): ask a busy API server again (#151)", conflicts there, unless 0190, "refactor(cluster): send requests in one place
//     (#140)", is picked first. Nothing else is needed.
//   - 0120 (#128) is on release-1.4 already, by an equal patch; 0140 (#134) as well, by a patch that had to differ. Both picks name their origin.
//   - 0220 is reverted by 0240; 0250 breaks, with a deprecation; 0180 adds an optional field to the CRD.
//
// What the package is not for: it releases nothing, knows no stage, and takes no other repository as a model. It unpacks files; the demo itself is
// the command's.
package demo
