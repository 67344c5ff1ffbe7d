package change

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// told is what a message was read as: KIND(SCOPE)!|SUBJECT|others own|what breaks.
func told(m Message) string {
	got := string(m.Kind)
	if m.Scope != "" {
		got += "(" + m.Scope + ")"
	}
	if m.Breaking {
		got += "!"
	}
	got += "|" + m.Subject + "|" + strings.TrimSpace(strings.Join(append(slices.Clone(m.Others), m.own), " "))
	for _, text := range m.Breaks {
		got += "|" + text
	}
	return got
}

func TestRead(t *testing.T) {
	for message, want := range map[string]string{
		"fix: a (#12)":                     "fix|a|12",
		"fix: a (#12) (#34)":               "fix|a|12 34",
		"fix: a (#12) (#12)":               "fix|a|12",
		"feat(chart)!: drop the hook (#7)": "feature(chart)!|drop the hook|7",
		"feat: a\n\nWhy.\n\nBREAKING CHANGE: the value\nhook is gone\n\nMore":                        "feature!|a||the value hook is gone",
		"fix: a\r\n\r\nBREAKING CHANGE: gone\r\n\r\nMore":                                            "fix!|a||gone",
		"fix: a\n\nBREAKING-CHANGE: gone\nSigned-off-by: A <a@b>":                                    "fix!|a||gone",
		"fix: a\n\nBREAKING CHANGE: one\nBREAKING CHANGE: two\n\nBREAKING CHANGES:\n- three\n- four": "fix!|a||one|two|- three - four",
		"fix: a\n\n* **BREAKING CHANGE**: in a list":                                                 "fix!|a||in a list",
		"💥 Drop a (#7)":               "other!|Drop a|7",
		"v2/api!: drop a":             "other!|drop a|",
		"✨ Make a (#7)":               "feature|Make a|7",
		":bug: a (#7)":                "fix|a|7",
		"🌱 fix: a":                    "fix|a|",
		"✨ [BREAKING] Make a":         "feature!|Make a|",
		"Reland \"feat: x\" (#9)":     "feature|Reland \"feat: x\"|9",
		"reapply: feat: x":            "feature|reapply: feat: x|",
		"api!: drop v1alpha1 (#5)":    "other!|drop v1alpha1|5",
		"change(crd)!: narrow a (#5)": "other(crd)!|narrow a|5",
		"breaking: drop a":            "other!|drop a|",
		"feat(manifests): BREAKING CHANGE: Move CRD (#3655)":                     "feature(manifests)!|Move CRD|3655",
		"BREAKING CHANGE: drop v1alpha1 (#3656)":                                 "other!|drop v1alpha1|3656",
		"[BREAKING] fix: drop a":                                                 "fix!|drop a|",
		"⚠️ Drop a (#7)":                                                         "other!|Drop a|7",
		"fix: this is a non-breaking change: really":                             "fix|this is a non-breaking change: really|",
		"Fix: Spark role binding (#2135)":                                        "fix|Spark role binding|2135",
		"FEATURE: add cli argument (#2186)":                                      "feature|add cli argument|2186",
		"[fix] add miss cli params (#2657)":                                      "fix|add miss cli params|2657",
		"[release-2.5.1] fix(controller): avoid (#2966) (#2974)":                 "fix(controller)|avoid|2966 2974",
		"bugfix: hook.upgradeCrd use cases":                                      "fix|hook.upgradeCrd use cases|",
		"Fix ingress capability discovery (#2201)":                               "fix|Fix ingress capability discovery|2201",
		"Add permissions for x (#2727)":                                          "feature|Add permissions for x|2727",
		"Fixture names are clear":                                                "other|Fixture names are clear|",
		"chore(deps): bump a from 1 to 2 (#3086)":                                "dependencies|bump a from 1 to 2|3086",
		"chore(deps): bump a to v1.2.3 (release-1.2)":                            "dependencies|bump a to v1.2.3|",
		"Bump go to newest (1.26.1)":                                             "dependencies|Bump go to newest (1.26.1)|",
		"fix(deps): bump a":                                                      "dependencies|bump a|",
		"Bump golang.org/x/net from 0.28.0 to 0.29.0":                            "dependencies|Bump golang.org/x/net from 0.28.0 to 0.29.0|",
		"chore(release): v1.5.0":                                                 "release(release)|v1.5.0|",
		"Release v2.4.0-rc.1 (#2729)":                                            "release|Release v2.4.0-rc.1|2729",
		"Spark Operator Official Release v2.4.0 (#1)":                            "release|Spark Operator Official Release v2.4.0|1",
		"Update version to 2.5.1 (#2966)":                                        "release|Update version to 2.5.1|2966",
		"Release notes say more":                                                 "other|Release notes say more|",
		"SPARK-1: a thing":                                                       "other|SPARK-1: a thing|",
		"[ENG-12] a thing":                                                       "other|[ENG-12] a thing|",
		"refactor(cluster): a":                                                   "other(cluster)|a|",
		"Revert \"feat: x (#7)\" (#8)":                                           "revert|Revert \"feat: x (#7)\"|8",
		"revert: feat: x (#8)":                                                   "revert|feat: x|8",
		"Reapply \"feat(a)!: x\" (#9)":                                           "feature(a)!|Reapply \"feat(a)!: x\"|9",
		"Revert \"Revert \"fix: x\"\" (#9)":                                      "fix|Revert \"Revert \"fix: x\"\"|9",
		"Add unit test for the validator (#1)":                                   "other|Add unit test for the validator|1",
		"feat(ci): publish the binary":                                           "other(ci)|publish the binary|",
		"Merge pull request #8 from ada/side\n\nfix(x): y\n\nBREAKING CHANGE: z": "fix(x)!|y|8|z",
		"Merge pull request #8 from ada/side":                                    "other|Merge pull request #8 from ada/side|8",
		"Merge pull request 'fix: y' (#8) from ada/side into main":               "fix|y|8",
		"Merge branch 'side' into 'main'\n\nfix: y\n\nSee merge request a/b!8":   "fix|y|8",
		"Merged in side (pull request #8)\n\nfix: y":                             "fix|y|8",
		"docs: a":     "documentation|a|",
		"security: b": "security|b|",
		"":            "other||",
		"fix:":        "fix|fix:|",
		// what a squash lists
		"fix: a (#9)\n\n* feat!: b\n\n* fix typo\n\nBREAKING CHANGE: c\n": "fix!|a|9|c",
		"fix: a (#9)\n\n- api!: b\n- wip\n":                               "fix!|a|9",
		"fix: a (#9)\n\n* feat!: b\n\n* Revert \"feat!: b\"\n":            "fix|a|9",
	} {
		if got := told(Read(message)); got != want {
			t.Errorf("%q\n got %s\nwant %s", message, got, want)
		}
	}
}

// TestPicks has the forms in which bots write what they picked.
func TestPicks(t *testing.T) {
	for message, want := range map[string]string{ // KIND|SUBJECT|others own|picked from|branch
		"fix: a (#12)":       "fix|a|12||",
		"fix: a (#12) (#34)": "fix|a|12 34||",
		"Automated cherry pick of #101: fix(x): a (#201)":                                                     "fix(x)|a|201|101|",
		"[release-1.0] Automated cherry pick of #101: fix(x): a (#201)":                                       "fix(x)|a|201|101|release-1.0",
		"Automated cherry pick of #1 and #2: Fix comments (#201)":                                             "fix|Fix comments|201|1 2|",
		"Cherry pick of #11649: [v2] Fix it on 1.36 (#11763)":                                                 "fix|Fix it on 1.36|11763|11649|v2",
		"Cherry pick 14046 to release 0.19:  Replace it (#14057)":                                             "other|Replace it|14057|14046|release 0.19",
		"Cherry-pick PR 13668 to release-0.18 (#13754)":                                                       "other|Cherry-pick PR 13668 to release-0.18|13754|13668|",
		"fix: cherry-pick #18761 (v2.12)":                                                                     "fix|cherry-pick #18761 (v2.12)||18761|",
		"chore: backport #101, #102 to release-1.0 (#7)":                                                      "other|backport #101, #102 to release-1.0|7|101 102|",
		"fix(x): b (cherry-pick #102 for 1.0) (#202)":                                                         "fix(x)|b|202|102|1.0",
		"fix(x): b (#90) (cherry-pick #102 for 1.0) (#202)":                                                   "fix(x)|b|90 202|102|1.0",
		"fix(x): b (cherry-pick #102 for 1.0)":                                                                "fix(x)|b||102|1.0",
		"fix: b (#21063) (cherry-pick 2.13) (#21176)":                                                         "fix|b|21063 21176||2.13",
		"[release-1.0] fix(x): c (#203)":                                                                      "fix(x)|c|203||release-1.0",
		"[release-1.0] fix(x): c (#203)\n\nThis is an automated cherry-pick of #103\n\n/assign ada":           "fix(x)|c|203|103|release-1.0",
		"[Backport release-1.0] fix(x): d (#204)\n\n# Description\nBackport of #104 to `release-1.0`.":        "fix(x)|d|204|104|release-1.0",
		"[1.0] fix(x): e (#205)":                                                                              "fix(x)|e|205||1.0",
		"fix: e [0.15] (#205)":                                                                                "fix|e|205||0.15",
		"fix(x): g (backport #107) (#207)":                                                                    "fix(x)|g|207|107|",
		"fix(x): g (bp #107) (#207)":                                                                          "fix(x)|g|207|107|",
		"[1.0](backport #107) fix(x): g (#207)":                                                               "fix(x)|g|207|107|1.0",
		"fix: g (#207)\n\nThis is an automatic backport of pull request #107 done by [Mergify](https://m.x).": "fix|g|207|107|",
		"[Cherry-pick] fix(x): h (#208)":                                                                      "fix(x)|h|208||",
		"cherrypick: [release/1.0] fix: h":                                                                    "fix|h|||release/1.0",
		"[1.0 backport] fix: h (#9)":                                                                          "fix|h|9||1.0",
		"release-1.0: fix: h (#9)":                                                                            "fix|h|9||release-1.0",
		"Backport PR #7 on branch v1.2.x (Fix foo) (#9)":                                                      "other|Backport PR #7 on branch v1.2.x (Fix foo)|9|7|",
		"[release-1.0] ✨ Make h (#9)":                                                                         "feature|Make h|9||release-1.0",
		"🍒 [1.0] fix: h (#9)":                                                                                 "fix|h|9||1.0",
		"fix: i (#9)\n\nCherry-picked fix: i (#8)\n":                                                          "fix|i|9|8|",
		"fix: j\n\nBackport 0123456789abcdef from #8.":                                                        "fix|j||8|",
		"Merge pull request #9178 from bot/cherry-pick-9177-to-release-1.21\n\n[release-1.21] fix: k":         "fix|k|9178|9177|release-1.21",
		"Merge pull request #8 from org/mergify/bp/v1.7.x/pr-7\n\nfix: l (backport #7)":                       "fix|l|8|7|",
		"Merge pull request #8 from ada/automated-cherry-pick-of-#6-#7-origin-release-1.0\n\nfix: m":          "fix|m|8|6 7|",
		"[ENG-12547] Delete it (#11)":                                                                         "other|[ENG-12547] Delete it|11||",
		"[v1beta2] Drop it (#11)":                                                                             "other|[v1beta2] Drop it|11||",
		"backport: fix: n (#9)":                                                                               "fix|n|9||",
		"fix: backport of the metrics to the old API (#9)":                                                    "fix|backport of the metrics to the old API|9||",
		"Backport 3 fixes to 1.0":                                                                             "other|Backport 3 fixes to 1.0|||",
	} {
		m := Read(message)
		m.Breaking = false
		if got := told(m) + "|" + strings.Join(m.PickOf, " ") + "|" + m.Branch; got != want {
			t.Errorf("%q\n got %s\nwant %s", message, got, want)
		}
	}
}

func TestOriginals(t *testing.T) {
	for _, c := range []struct {
		message string
		onLine  bool
		want    string
	}{
		{"fix: a (#12) (#34)", true, "12"},
		{"fix: a (#12) (#34)", false, ""}, // an issue, on the development branch
		{"[release-1.5] fix: a (#12) (#34)", false, "12"},
		{"fix: a (#12) (cherry-pick #13 for 1.5) (#34)", false, "13"},
		{"fix: a (#12)", true, ""},
	} {
		if got := strings.Join(Read(c.message).Originals(c.onLine), " "); got != c.want {
			t.Errorf("%q, on a line %v: %q, not %q", c.message, c.onLine, got, c.want)
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

* Bump c (#3)

Signed-off-by: dependabot[bot] <x@y>
Co-authored-by: dependabot[bot] <x@y>
(cherry picked from commit 171e430)
Signed-off-by: Bob <bob@example.com>

* fix: d (#4)

* fix: what was merged into it (#5)

Signed-off-by: Ada <a@b>

---------

Signed-off-by: Ada <a@b>
Signed-off-by: Ben <b@b>
Co-authored-by: Ada <a@b>
(cherry picked from commit 171e431)
`
	var got []string
	for _, c := range Changes(commits("c " + squashed)) {
		got = append(got, fmt.Sprintf("%s via %s by %s from %s", told(c.Message), c.Via, c.Author, strings.Join(c.Message.Origins, " ")))
	}
	want := "fix|a|1 via 2640 by Ada from 515d805b8a745df1541b6c2993de6e0cd05e3bf7; feature!|b|2 via 2640 by  from 171e429; " +
		"dependencies|Bump c|3 via 2640 by dependabot[bot] from 171e430; fix|d|4 via 2640 by Ben from 171e431"
	if strings.Join(got, "; ") != want {
		t.Errorf("%q", got)
	}
	for _, whole := range []string{
		"feat: a (#9)\n\n* wip\n* see (#3)\n",
		"fix: a (#9)\n\n* see what was done (#3)\n* and (#4)\n\n(cherry picked from commit 171e429)\n",
		"fix: a (backport #8) (#9)\n\n* b (#3)\n(cherry picked from commit 171e429)\n* c (#3)\n(cherry picked from commit 171e430)\n",
	} {
		if m := Read(whole); m.items != nil {
			t.Errorf("%q was taken apart: %+v", whole, m.items)
		}
	}
}

func TestCredit(t *testing.T) {
	const co = "\n\nSigned-off-by: bot[bot] <x@y>\nSigned-off-by: Ada <a@b>\nCo-authored-by: Mergify[bot] <x@y>\nCo-authored-by: Ben <b@b>\n"
	for _, c := range []struct{ message, author, want string }{
		{"fix: a (backport #1) (#2)" + co, "mergify[bot]", "Ben"},
		{"fix: a (cherry-pick #1 for 1.0) (#2)\n\nSigned-off-by: Ada <a@b>", "argo-cd-cherry-pick-bot[bot]", "Ada"},
		{"[release-1.0] Bump a (#2)\n\nCo-authored-by: dependabot[bot] <x@y>", "Google OSS Prow Robot", "dependabot[bot]"},
		{"fix: a (#2)\n\nCo-authored-by: Ben <b@b>", "k8s-infra-cherrypick-robot", "Ben"},
		{"[release-1.0] fix: a (#2)\n\n* a\n\nCo-authored-by: Ada <a@b>\n\n---------\n\nCo-authored-by: Ben <b@b>\nCo-authored-by: Ada <a@b>",
			"k8s-infra-cherrypick-robot", "Ben"},
		{"[release-1.0] fix: a (#2)", "k8s-infra-cherrypick-robot", "k8s-infra-cherrypick-robot"},
		{"Automated cherry pick of #1: fix: a (#2)" + co, "Cleo", "Ben"}, // who opened the pull request is no author
		{"fix: a (#1)" + co, "Cleo", "Cleo"},
		{"fix: a (#1)" + co + "(cherry picked from commit 171e429)\n", "Cleo", "Ben"},
		{"fix: a" + co + "(cherry picked from commit 171e429)\n", "Cleo", "Cleo"}, // git keeps the author
		{"chore(deps): bump a (#1)" + co, "dependabot[bot]", "dependabot[bot]"},
	} {
		if got := Read(c.message).credit(c.author, c.message); got != c.want {
			t.Errorf("%q by %s: %q, not %q", c.message, c.author, got, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("fix(a)!: b (#1)\n\n* c (#2)\n(cherry picked from commit 171e429)\n\nBREAKING CHANGE: d")
	f.Add("Revert \"x\"\n\nThis reverts commits 171e4297,\nand 171e4298.")
	f.Add("[Backport release-1.0] Automated cherry pick of #1: Reapply \"a (backport #2)\" (#3)")
	f.Fuzz(func(t *testing.T, message string) {
		m := Read(message)
		if m.Kind == "" {
			t.Errorf("%q has no kind", message)
		}
		for _, n := range m.numbers() {
			if n != "" && strings.Trim(n, "0123456789") != "" {
				t.Errorf("%q names the pull request %q", message, n)
			}
		}
		if slices.Contains(m.PickOf, m.own) && m.own != "" {
			t.Errorf("%q is picked from itself", message)
		}
	})
}
