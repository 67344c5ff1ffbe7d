package plan

import (
	"context"
	"fmt"

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
		m.against("commit %s holds a bundle, which is output and no source: %s; %s, and commit both", short(m.base.ID),
			folder, untrack(folder))
	}
	return nil
}

// untrack says how git lets go of an output folder.
func untrack(folder string) string {
	return fmt.Sprintf("add the line %s to .gitignore, run: git rm -r --cached --quiet %q",
		output.IgnoreLine(folder), folder)
}
