package plan

import (
	"context"

	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/output"
)

// checkCommitted adds a blocking problem if the commit holds bundles of earlier versions. They are no sources.
func (m *maker) checkCommitted(_ context.Context, tree *git.Tree) error {
	if m.Again { // the version is what it was
		return nil
	}
	var files []string
	for _, e := range tree.Entries() {
		files = append(files, e.Path)
	}
	folders, err := output.Committed(tree, files)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		m.against("commit %s holds a bundle, which is output and no source: %s; add the line %s to .gitignore, "+
			"run: git rm -r --cached --quiet %q, and commit both", short(m.base.ID), folder, output.IgnoreLine(folder), folder)
	}
	return nil
}
