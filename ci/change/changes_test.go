package change

import (
	"fmt"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/git"
)

// commits makes a history of lines "NAME[<PARENT[,PARENT]] MESSAGE"; without parents a commit stands on the one before.
// In messages \n is a line's end, and <NAME> the id of a commit.
func commits(lines ...string) []git.Commit {
	id := func(name string) string {
		return strings.Repeat(fmt.Sprintf("%02x", name[0]), 19) + fmt.Sprintf("%02x", len(name))
	}
	var all []git.Commit
	for i, line := range lines {
		name, message, _ := strings.Cut(line, " ")
		name, parents, given := strings.Cut(name, "<")
		c := git.Commit{ID: id(name), Message: strings.ReplaceAll(message, `\n`, "\n") + "\n", Author: git.Person{Name: "by " + name}}
		for _, other := range "abcdefghijklmnopqrstuvwxyz" {
			c.Message = strings.ReplaceAll(c.Message, "<"+string(other)+">", id(string(other)))
		}
		switch {
		case given && parents != "":
			for parent := range strings.SplitSeq(parents, ",") {
				c.Parents = append(c.Parents, id(parent))
			}
		case !given && i > 0:
			c.Parents = []string{all[i-1].ID}
		}
		all = append(all, c)
	}
	return all
}

func TestChanges(t *testing.T) {
	for name, c := range map[string]struct {
		history []string
		want    string
	}{
		"a merge is one change, by whose work it is": {
			[]string{"a x", "b<a wip", "c<b wip", "m<a,c Merge pull request #8 from ada/side\\n\\nfix: y"}, "other|x| by a; fix|y|8 by c"},
		"what is inside is not hidden": {
			[]string{"a x", "b<a feat!: b\\n\\nBREAKING CHANGE: c\\nExplain: values/x/removed so", "m<a,b Merge pull request #8 from ada/side\\n\\nfix: y"},
			"other|x| by a; fix!|y|8|c by b features feat!: b explains values/x/removed"},
		"what was taken back inside is not there": {
			[]string{"a x", "b<a feat!: b", "c<b Revert \"feat!: b\"\\n\\nThis reverts commit <b>.", "m<a,c Merge pull request #8 from ada/side\\n\\nfix: y"}, "other|x| by a; fix|y|8 by c"},
		"a merge with the title of its pull request": {
			[]string{"a x", "b<a change!: b", "m<a,b change: y (#8662)"}, "other|x| by a; other!|change: y|8662 by b"},
		"the merge of a branch is none": {
			[]string{"a x", "b<a fix: b (#7)", "m<a,b Merge branch 'side'"}, "other|x| by a; fix|b|7 by b"},
		"pull requests inside are changes of their own": {
			[]string{"a x", "b<a fix: b", "m<a,b Merge pull request #7 from ada/b\\n\\nfix: b", "c<m feat: c", "n<m,c Merge pull request #8 from ada/c\\n\\nfeat: c",
				"z<a,n Merge pull request #9 from org/develop\\n\\nDevelop"}, "other|x| by a; fix|b|7 by b; feature|c|8 by c"},
		"squashed ones, too": {
			[]string{"a x", "b<a feat: b (#7)", "c<b fix: c", "z<a,c Merge pull request #9 from org/develop\\n\\nDevelop"}, "other|x| by a; feature|b|7 by b; fix|c| by c"},
		"and the title is not lost where it says something": {
			[]string{"a x", "b<a wip (#7)", "z<a,b Merge pull request #9 from ada/z\\n\\nfeat: z"}, "other|x| by a; other|wip|7 by b; feature|z|9 by z"},
		"a title of its own, without a number": {
			[]string{"a x", "b<a feat(x): b (#7)", "m<a,b fix(x): b (#7)\\n\\n[release-1.5] fix(x): b", "c<m fix: c", "d<m,c fix: see to it"},
			"other|x| by a; fix(x)|b|7 by b features feat(x): b (#7); fix|see to it| by c"},
		"a title that says what a pull request inside says": {
			[]string{"a x", "b<a fix: b (#7)", "m<a,b fix: b\\n\\n[release-1.5] fix: b"}, "other|x| by a; fix|b|7 by b"},
		"the development branch merged into the pull request": {
			[]string{"a x", "b<a wip", "c<a fix: c (#7)", "d<b,c Merge branch 'main' into side", "m<c,d Merge pull request #8 from ada/side\\n\\nfix: y"}, "other|x| by a; fix|c|7 by c; fix|y|8 by b"},
	} {
		var got []string
		for _, c := range Changes(commits(c.history...)) {
			one := told(c.Message) + " " + c.Author
			if len(c.Message.Features) > 0 {
				one += " features " + strings.Join(c.Message.Features, ", ")
			}
			for id := range c.Message.Explains {
				one += " explains " + id
			}
			got = append(got, one)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "; "), c.want)
		}
	}
}

func TestRemaining(t *testing.T) {
	for name, c := range map[string]struct {
		history []string
		want    string // titles, and in brackets what they take back of before
	}{
		"nothing":                      {nil, ""},
		"by commit":                    {[]string{"a feat: a (#1)", "b fix: b (#2)", "c Revert \"feat: a (#1)\" (#3)\\n\\nThis reverts commit <a>."}, "fix: b (#2)"},
		"by title":                     {[]string{"a feat: a (#1)", "b Revert \"feat: a (#1)\" (#3)", "c fix: c"}, "fix: c"},
		"by title without the number":  {[]string{"a feat: a (#1)", "b Revert \"feat: a\" (#3)"}, ""},
		"by pull request":              {[]string{"a feat: a (#1)", "b Take the hook back (#3)\\n\\nReverts example/pi#1"}, "Take the hook back (#3)"},
		"by its address":               {[]string{"a feat: a (#1)", "b Revert \"feat: A\" (#3)\\n\\nReverts https://github.com/example/pi/pull/1"}, ""},
		"by number in the subject":     {[]string{"a feat: a (#1)", "b Revert #1 (#3)"}, ""},
		"by the branch":                {[]string{"a x", "b feat: a (#1)", "c<b wip", "d<b,c Merge pull request #3 from org/revert-1-side\\n\\nTake it back"}, "x; Take it back (#3)"},
		"by the number that it quotes": {[]string{"a fix: typo (#1)", "b fix: typo (#2)", "c Revert \"fix: typo (#1)\" (#3)"}, "fix: typo (#2)"},
		"conventional, by refs":        {[]string{"a feat: a", "b fix: b", "c revert: let us not speak of it\\n\\nRefs: <a>, <b>"}, ""},
		"conventional, by title":       {[]string{"a feat: a (#1)", "b revert: feat: a (#3)"}, ""},
		"conventional, without a type": {[]string{"a feat: a (#1)", "b revert: a (#3)"}, ""},
		"in single quotes":             {[]string{"a feat: a (#1)", "b Revert 'feat: a' (#3)"}, ""},
		"rolled back":                  {[]string{"a feat: a (#1)", "b Rollback \"feat: a\" (#3)"}, ""},
		"landed again":                 {[]string{"a feat: a (#1)", "b Revert \"feat: a\" (#3)", "c Reland \"feat: a\" (#4)"}, "feat: a (#1)"},
		"several":                      {[]string{"a feat: a (#1)", "b fix: b (#2)", "c Revert a and b\\n\\nThis reverts commit <a>.\\nThis reverts commit <b>."}, ""},
		"several in one line":          {[]string{"a feat: a (#1)", "b fix: b (#2)", "c Revert both\\n\\nThis reverts commits <a> and\\n<b>."}, ""},
		"several titles":               {[]string{"a feat: a (#1)", "b fix: b (#2)", "c Revert \"feat: a\" and \"fix: b\""}, ""},
		"one of several is older":      {[]string{"a feat: a", "b Revert both\\n\\nThis reverts commits <a> and 1234567890."}, "Revert both [1234567890]"},
		"reapplied":                    {[]string{"a feat: a (#1)", "b Revert \"feat: a (#1)\" (#3)", "c Reapply \"feat: a (#1)\" (#4)"}, "feat: a (#1)"},
		"a revert of the revert":       {[]string{"a feat: a (#1)", "b Revert \"feat: a (#1)\" (#3)", "c Revert \"Revert \"feat: a (#1)\" (#3)\" (#5)\\n\\nThis reverts commit <b>."}, "feat: a (#1)"},
		"a chain":                      {[]string{"a feat: a", "b Revert \"feat: a\"", "c Reapply \"feat: a\"", "d Revert \"Reapply \"feat: a\"\""}, ""},
		"a longer chain":               {[]string{"a feat: a", "b Revert \"feat: a\"", "c Reapply \"feat: a\"", "d Revert \"Reapply \"feat: a\"\"", "e Reapply \"Reapply \"feat: a\"\""}, "feat: a"},
		"made again":                   {[]string{"a feat: a", "b Revert \"feat: a\"", "c feat: a"}, "feat: a"},
		"something older":              {[]string{"a revert: something older\\n\\nThis reverts commit 1234567890."}, "revert: something older [1234567890]"},
		"what comes later":             {[]string{"a Revert \"feat: b (#1)\"", "b feat: b (#1)"}, "Revert \"feat: b (#1)\" [\"feat: b\"]; feat: b (#1)"},
		"a pick, by the original's id": {[]string{"a fix: a (#1)\\n\\n(cherry picked from commit 171e4290aa)", "b Revert \"nothing\" (#3)\\n\\nThis reverts commit 171e4290aa."}, ""},
		"a pick, by the original's pull request": {
			[]string{"a Automated cherry pick of #1: feat: a (#7)", "b Revert \"feat: the hook\" (#8)\\n\\nReverts example/pi#1"}, ""},
		"in part":                  {[]string{"a feat: a", "b Partially revert \"feat: a\""}, "feat: a; Partially revert \"feat: a\""},
		"a merge, by its commit":   {[]string{"a x", "b<a feat: b", "c<a,b Merge pull request #1 from ada/b\\n\\nfeat: b", "d Revert \"Merge pull request #1\"\\n\\nThis reverts commit <c>, reversing\\nchanges made to <a>."}, "x"},
		"all that a merge brought": {[]string{"a x", "b<a wip", "c<a,b Merge pull request #1 from ada/b\\n\\nfeat: b", "d Revert \"wip\"\\n\\nThis reverts commit <b>."}, "x"},
		"one of what a merge brought": {
			[]string{"a x", "b<a one", "c<b two", "m<a,c Merge pull request #1 from ada/b\\n\\nfeat: b", "n<m Revert \"one\"\\n\\nThis reverts commit <b>."}, "x; feat: b (#1); Revert \"one\""},
		"inside a squash":           {[]string{"a feat: a (#1)", "b fix: b (#2)\\n\\n* Revert \"feat: a (#1)\"\\n\\nThis reverts commit <a>.\\n\\n* fix: b"}, "fix: b (#2)"},
		"an item of several picks":  {[]string{"a feat: a (#1)", "b Cherry-pick (#9)\\n\\n* Revert \"feat: a (#1)\" (#3)\\n\\nThis reverts commit <a>.\\n\\n* fix: c (#4)"}, "fix: c (#4)"},
		"within what was squashed":  {[]string{"a feat: a", "b fix: b (#2)\\n\\n* feat: c\\n\\n* Revert \"feat: c\"\\n\\nThis reverts commit 1234567890."}, "feat: a; fix: b (#2)"},
		"taken back and made again": {[]string{"a Automated cherry pick of #1: fix: a (#2)\\n\\n* Revert \"fix: a\"\\n\\nThis reverts 171e4290.\\n\\n* fix: a"}, "Automated cherry pick of #1: fix: a (#2)"},
	} {
		var got []string
		for _, c := range Remaining(Changes(commits(c.history...))) {
			if len(c.Removes) > 0 {
				c.Title += fmt.Sprint(" ", c.Removes)
			}
			got = append(got, c.Title)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "; "), c.want)
		}
	}
}

func TestRecognize(t *testing.T) {
	for name, c := range map[string]struct{ line, main, want string }{
		"the same number":                   {"fix: b (#106) (#206)", "fix: a (#106)", ByRequest},
		"an issue that both name":           {"fix: b (#90) (#206)", "fix: a (#90) (#106)", ""},
		"an issue and the original":         {"fix: b (#90) (#106) (#206)", "fix: a (#90) (#106)", ByRequest},
		"an issue, and a mark":              {"fix: b (#90) (cherry-pick #106 for 1.0) (#206)", "fix: c (#90) (#105)", ""},
		"a mark names another":              {"fix: a (backport #107) (#206)", "fix: a (#106)", ""},
		"by title":                          {"[release-1.0] fix: a (#206)", "fix: a (#106)", ByTitle},
		"by title, and a word":              {"[Cherry-pick] fix: a (#206)", "fix: a (#106)", ByTitle},
		"the same title is not enough":      {"fix: a (#206)", "fix: a (#106)", ""},
		"what takes it back":                {"Revert \"fix: a (#106)\" (#206)", "fix: a (#106)", ""},
		"a pick of what takes it back":      {"Revert \"x\" (#8) (#9)", "Revert \"y\" (#8)", ByRequest},
		"a fix that the line made first":    {"fix: a (#206)", "fix: a (cherry-pick #206 for main) (#306)", ByRequest},
		"two picks of one":                  {"fix: a (backport #1) (#206)", "fix: b (backport #1) (#306)", ByRequest},
		"one that was taken back there":     {"fix: a (#106) (#206)\\n\\nx|Revert \"fix: a (#106)\" (#207)", "fix: a (#106)", ""},
		"by origin":                         {"x\\n\\n(cherry picked from commit 6d6d6d6d)", "fix: a", ByOrigin},
		"the commit inside a merge, picked": {"x\\n\\n(cherry picked from commit 6e6e6e6e)", "merge", ByOrigin},
	} {
		line := []string{"a root"}
		for i, message := range strings.Split(c.line, "|") {
			line = append(line, fmt.Sprintf("%c %s", 'b'+i, message))
		}
		of := Changes(commits("m " + c.main))
		if c.main == "merge" {
			of = Changes(commits("r x", "n<r wip", "m<r,n Merge pull request #5 from ada/n\\n\\nfix: n"))[1:]
		}
		if by, _ := Of(commits(line...)).Find(of[0], nil); by != c.want {
			t.Errorf("%s: %q, not %q", name, by, c.want)
		}
	}
}
