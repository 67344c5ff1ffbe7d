package change

import (
	"fmt"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	for message, want := range map[string]string{
		"fix: a (#12)":                     "fix|a|12",
		"fix: a (#12) (#34)":               "fix|a|12 34",
		"feat(chart)!: drop the hook (#7)": "feature(chart)!|drop the hook|7",
		"feat: a\n\nWhy.\n\nBREAKING CHANGE: the value\nhook is gone\n\nMore":    "feature!|a||the value hook is gone",
		"fix: a\n\nBREAKING-CHANGE: gone\nSigned-off-by: A <a@b>":                "fix!|a||gone",
		"Fix: Spark role binding (#2135)":                                        "fix|Spark role binding|2135",
		"FEATURE: add cli argument (#2186)":                                      "feature|add cli argument|2186",
		"[fix] add miss cli params (#2657)":                                      "fix|add miss cli params|2657",
		"[release-2.5.1] fix(controller): avoid (#2966) (#2974)":                 "fix(controller)|avoid|2966 2974",
		"bugfix: hook.upgradeCrd use cases":                                      "fix|hook.upgradeCrd use cases|",
		"Fix ingress capability discovery (#2201)":                               "fix|Fix ingress capability discovery|2201",
		"Add permissions for x (#2727)":                                          "feature|Add permissions for x|2727",
		"Fixture names are clear":                                                "other|Fixture names are clear|",
		"chore(deps): bump a from 1 to 2 (#3086)":                                "dependencies|bump a from 1 to 2|3086",
		"fix(deps): bump a":                                                      "dependencies|bump a|",
		"Bump golang.org/x/net from 0.28.0 to 0.29.0":                            "dependencies|Bump golang.org/x/net from 0.28.0 to 0.29.0|",
		"chore(release): v1.5.0":                                                 "release(release)|v1.5.0|",
		"Release v2.4.0-rc.1 (#2729)":                                            "release|Release v2.4.0-rc.1|2729",
		"Spark Operator Official Release v2.4.0 (#1)":                            "release|Spark Operator Official Release v2.4.0|1",
		"Update version to 2.5.1 (#2966)":                                        "release|Update version to 2.5.1|2966",
		"Release notes say more":                                                 "other|Release notes say more|",
		"SPARK-1: a thing":                                                       "other|SPARK-1: a thing|",
		"refactor(cluster): a":                                                   "other(cluster)|a|",
		"Revert \"feat: x (#7)\" (#8)":                                           "revert|Revert \"feat: x (#7)\"|8",
		"Add unit test for the validator (#1)":                                   "other|Add unit test for the validator|1",
		"feat(ci): publish the binary":                                           "other(ci)|publish the binary|",
		"Merge pull request #8 from ada/side\n\nfix(x): y\n\nBREAKING CHANGE: z": "fix(x)!|y|8|z",
		"Merge pull request #8 from ada/side":                                    "other|Merge pull request #8 from ada/side|8",
		"docs: a":                                                                "documentation|a|",
		"security: b":                                                            "security|b|",
		"":                                                                       "other||",
		"fix:":                                                                   "fix|fix:|",
	} {
		m := Read(message)
		got := string(m.Kind)
		if m.Scope != "" {
			got += "(" + m.Scope + ")"
		}
		if m.Breaking {
			got += "!"
		}
		got += "|" + m.Subject + "|" + strings.Join(m.Requests, " ")
		if m.Breaks != "" {
			got += "|" + m.Breaks
		}
		if got != want {
			t.Errorf("%q\n got %s\nwant %s", message, got, want)
		}
	}
}

func TestItems(t *testing.T) {
	const squashed = `Cherry-pick fixes for v2.2.1 (#2640)

* fix: a (#1)

* the first commit of it (not a request)

* and one that names another request (#77)

Signed-off-by: Ada <ada@example.com>
(cherry picked from commit 515d805b8a745df1541b6c2993de6e0cd05e3bf7)
Signed-off-by: Bob <bob@example.com>

* feat!: b (#2)
(cherry picked from commit 171e429)
`
	m := Read(squashed)
	var got []string
	for _, i := range m.Items {
		got = append(got, fmt.Sprintf("%s %v %s %v %s", i.Kind, i.Breaking, i.Subject, i.Requests, i.Author))
	}
	if strings.Join(got, "; ") != "fix false a [1] Ada; feature true b [2] " {
		t.Errorf("%q", got)
	}
	if strings.Join(m.Items[0].Origins, "") != "515d805b8a745df1541b6c2993de6e0cd05e3bf7" || strings.Join(m.stands(), " ") != "2640 1 2" || len(m.Origins) != 2 {
		t.Errorf("%+v", m)
	}
	for _, whole := range []string{
		"feat: a (#9)\n\n* wip\n* see (#3)\n",
		"fix: a (#9)\n\n* see what was done (#3)\n* and (#4)\n\n(cherry picked from commit 171e429)\n",
	} {
		if m := Read(whole); m.Items != nil {
			t.Errorf("%q was taken apart: %+v", whole, m.Items)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("fix(a)!: b (#1)\n\n* c (#2)\n(cherry picked from commit 171e429)\n\nBREAKING CHANGE: d")
	f.Add("Revert \"x\"\n\nThis reverts commit 171e4297.")
	f.Fuzz(func(t *testing.T, message string) {
		m := Read(message)
		if m.Kind == "" {
			t.Errorf("%q has no kind", message)
		}
		for _, n := range m.stands() {
			if strings.Trim(n, "0123456789") != "" {
				t.Errorf("%q names the pull request %q", message, n)
			}
		}
	})
}
