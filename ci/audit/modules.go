package audit

import (
	"fmt"

	"github.com/operator-release/operator-release/ci/bundle"
)

// moduleTags compares the git tags of Go modules with the record. Each has to lead to the release commit. A tag that a
// person pushed there before the version was published is no difference.
func (a *auditor) moduleTags(r bundle.Record, out *Version) {
	for _, m := range r.Modules {
		at, there := a.refs.modules[m.Tag]
		switch {
		case !there && a.refs.noTags != "":
			out.unseen(KindTag, m.Tag, m.Object, a.refs.noTags)
		case there && at.id != m.Object && at.commit == r.Commit:
			out.compare(KindTag, m.Tag, at.id, at.id,
				"it points to the release commit, but it is not the tag object of the record")
		case there && at.id != m.Object:
			out.compare(KindTag, m.Tag, m.Object, at.id,
				fmt.Sprintf("it points to commit %s, and the release commit is %s", short(at.commit), short(r.Commit)))
		default:
			out.compare(KindTag, m.Tag, m.Object, at.id, "")
		}
	}
}
