package compare

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
)

// versionsOf compares two commits whose files are in txtar archives.
func versionsOf(t *testing.T, older, newer string) []Finding {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) {
		cmd := exec.Command("git", append([]string{"-c", "user.name=A", "-c", "user.email=a@example.com"}, args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	run("init", "-q", ".")
	for i, archive := range []string{older, newer} {
		if i > 0 {
			run("rm", "-rq", "--ignore-unmatch", ".")
		}
		for _, f := range txtar.Parse([]byte("-- go.mod --\nmodule example.com/pi\n\ngo 1.24\n" + archive)).Files {
			name := filepath.Join(dir, f.Name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		run("add", "--all")
		run("commit", "-q", "--allow-empty", "-m", "x")
	}
	r, err := git.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var sides [2]Side
	var settings Settings
	for i, revision := range []string{"HEAD", "HEAD^"} {
		commit, err := r.Git(t.Context(), "rev-parse", revision)
		if err != nil {
			t.Fatal(err)
		}
		none := func(fs.FS, config.Image) ([]string, error) { return nil, nil }
		if sides[i], err = Open(t.Context(), r, commit, settings, none); err != nil {
			t.Fatal(err)
		}
		defer sides[i].Tree.Close()
		settings.Later = sides[0].Settings()
	}
	findings, err := Versions(t.Context(), sides[1], sides[0])
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// chartOf is a chart of a version, as files of a txtar archive.
func chartOf(dir, version, more string) string {
	return "-- .release.yaml --\ncharts: [{path: " + dir + ", repository: docker.io/example/charts}]\n" +
		"-- " + dir + "/Chart.yaml --\napiVersion: v2\nname: pi\nversion: " + version + "\nappVersion: v" + version + "\n" + more
}

func TestVersions(t *testing.T) {
	wide, narrow := ofField("type: integer"), ofField("type: integer, minimum: 1")
	at := func(file, content string) string { return "-- " + file + " --\n" + content }
	behind := func(content string) string { return "{{- if .Values.crds.enabled }}\n" + content + "{{- end }}\n" }
	const breaks = "breaking crd/jobs.example.com/v1/a/narrowed"
	off := "-- charts/pi/values.yaml --\ncrds: {enabled: false}\n"
	for _, c := range []struct {
		name         string
		older, newer string
		want         []string
		reach        string // of the first finding
	}{
		{name: "no CRD", want: []string{"info crd/none"}},
		{name: "kubebuilder's folder", older: at("config/crd/bases/j.yaml", wide), newer: at("config/crd/bases/j.yaml", narrow),
			want: []string{breaks}, reach: "a file that users apply: config/crd/bases/j.yaml"},
		{name: "any folder", older: at("example/objects.yml", "kind: Namespace\n---\n"+wide), newer: at("deploy/install.json", narrow),
			want: []string{breaks}, reach: "a file that users apply: deploy/install.json"},
		{name: "folders of tests and of other versions", older: at("test/e2e/j.yaml", wide) + at("catalog/1.4.0/j.yaml", wide),
			newer: at("test/e2e/j.yaml", narrow), want: []string{"info crd/none"}},
		{name: "two files, the first by rank", older: at("config/crd/bases/j.yaml", wide) + at("bundle.yaml", narrow),
			newer: at("config/crd/bases/j.yaml", wide) + at("bundle.yaml", wide)},
		{name: "a chart's folder before all others", older: chartOf("charts/pi", "1.0.0", "") + at("charts/pi/crds/j.yaml", wide) + at("config/crd/bases/j.yaml", wide),
			newer: chartOf("charts/pi", "1.1.0", "") + at("charts/pi/crds/j.yaml", narrow) + at("config/crd/bases/j.yaml", wide),
			want:  []string{breaks}, reach: "in the crds folder of chart pi"},
		{name: "a template", older: chartOf("charts/pi", "1.0.0", "") + at("charts/pi/templates/j.yaml", wide+"  # {{ .Release.Name }}\n"),
			newer: chartOf("charts/pi", "1.1.0", "") + at("charts/pi/templates/j.yaml", narrow+"  # {{ .Release.Name }}\n"),
			want:  []string{breaks}, reach: "a template of chart pi"},
		{name: "behind a value", older: chartOf("charts/pi", "1.0.0", off) + at("charts/pi/templates/j.yaml", behind(wide)),
			newer: chartOf("charts/pi", "1.1.0", off) + at("charts/pi/templates/j.yaml", behind(narrow)),
			want:  []string{breaks}, reach: "a template of chart pi behind crds.enabled=true"},
		{name: "behind a word, read from a file",
			older: chartOf("charts/pi", "1.0.0", "") + at("charts/pi/files/j.txt", wide) +
				at("charts/pi/templates/crds.yaml", `{{ if eq .Values.install "crds" }}{{ .Files.Get "files/j.txt" }}{{ end }}`+"\n"),
			newer: chartOf("charts/pi", "1.1.0", "") + at("charts/pi/files/j.txt", narrow) +
				at("charts/pi/templates/crds.yaml", `{{ if eq .Values.install "crds" }}{{ .Files.Get "files/j.txt" }}{{ end }}`+"\n"),
			want: []string{breaks}, reach: "a template of chart pi behind install=crds"},
		{name: "a subchart behind a condition",
			older: chartOf("charts/pi", "1.0.0", "dependencies: [{name: defs, version: 1.x.x, condition: defs.install}]\n-- charts/pi/values.yaml --\ndefs: {install: false}\n") +
				at("charts/pi/charts/defs/Chart.yaml", "apiVersion: v2\nname: defs\nversion: 1.0.0\n") + at("charts/pi/charts/defs/templates/j.yaml", wide+"  # {{ .Release.Name }}\n"),
			newer: chartOf("charts/pi", "1.1.0", "dependencies: [{name: defs, version: 1.x.x, condition: defs.install}]\n-- charts/pi/values.yaml --\ndefs: {install: false}\n") +
				at("charts/pi/charts/defs/Chart.yaml", "apiVersion: v2\nname: defs\nversion: 1.0.0\n") + at("charts/pi/charts/defs/templates/j.yaml", narrow+"  # {{ .Release.Name }}\n"),
			want: []string{breaks}, reach: "a template of chart pi behind defs.install=true"},
		{name: "out of a template that Helm owns", older: chartOf("charts/pi", "1.0.0", "") + at("charts/pi/templates/j.yaml", wide),
			newer: chartOf("charts/pi", "1.1.0", "") + at("config/crd/bases/j.yaml", wide),
			want:  []string{"breaking crd/jobs.example.com/reach/changed"}, reach: "a file that users apply: config/crd/bases/j.yaml"},
		{name: "out of a template that Helm leaves", older: chartOf("charts/pi", "1.0.0", "") + at("charts/pi/templates/j.yaml",
			strings.Replace(wide, "  name: jobs", "  annotations: {helm.sh/resource-policy: keep}\n  name: jobs", 1)),
			newer: chartOf("charts/pi", "1.1.0", "") + at("config/crd/bases/j.yaml", wide),
			want:  []string{"notable crd/jobs.example.com/reach/changed"}},
		{name: "into a template", older: chartOf("charts/pi", "1.0.0", "") + at("charts/pi/crds/j.yaml", wide),
			newer: chartOf("charts/pi", "1.1.0", "") + at("charts/pi/templates/j.yaml", wide),
			want:  []string{"breaking crd/jobs.example.com/reach/changed"}, reach: "a template of chart pi"},
		{name: "a chart that lay elsewhere", older: chartOf("charts/pi", "1.0.0", at("charts/pi/values.yaml", "a: 1\n")),
			newer: chartOf("deploy/pi", "1.1.0", at("deploy/pi/values.yaml", "b: x\n")),
			want:  []string{"breaking values/pi/a/removed", "info crd/none", "info objects/chart/pi/moved", "info values/pi/b/added"}},
		{name: "a chart that cannot be rendered, and everything else",
			older: chartOf("charts/pi", "1.0.0", "") + at("charts/pi/templates/a.yaml", "{{ .Values.a.b }}\n") + at("config/crd/bases/j.yaml", wide) + at("charts/pi/values.yaml", "c: 1\n"),
			newer: chartOf("charts/pi", "1.1.0", "") + at("config/crd/bases/j.yaml", narrow) + at("charts/pi/values.yaml", "d: x\n"),
			want:  []string{breaks, "breaking values/pi/c/removed", "notable objects/rendering/charts-pi/not-compared/older", "info values/pi/d/added"}},
		{name: "a CRD that is no YAML, and everything else", older: at("config/crd/bases/j.yaml", wide) + at("config/crd/bases/k.yaml", wide),
			newer: at("config/crd/bases/j.yaml", narrow) + at("config/crd/bases/k.yaml", "kind: CustomResourceDefinition\na: [\n"),
			want:  []string{breaks, "notable crd/file/config-crd-bases-k.yaml/not-compared/newer"}},
		{name: "a template of no released chart", older: at("deploy/chart/j.yaml", behind(wide)), newer: at("deploy/chart/j.yaml", behind(narrow)), want: []string{breaks}},
		{name: "a template that nothing renders", older: chartOf("charts/pi", "1.0.0", "") + at("charts/pi/templates/j.yaml", "{{ if (lookup `v1` `Node` `` ``) }}\n"+wide+"{{ end }}\n"),
			newer: chartOf("charts/pi", "1.1.0", "") + at("config/crd/bases/j.yaml", wide),
			want:  nil},
		{name: "today's settings for a version without", older: "-- deploy/op/Chart.yaml --\napiVersion: v2\nname: pi\nversion: 1.0.0\n-- deploy/op/values.yaml --\na: 1\n",
			newer: "-- deploy/op/Chart.yaml --\napiVersion: v2\nname: pi\nversion: 1.1.0\n-- .release.yaml --\ncharts: [{path: deploy/op, repository: docker.io/example/charts}]\n",
			want:  []string{"breaking values/pi/a/removed", "info crd/none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			findings := versionsOf(t, c.older, c.newer)
			none := false // neither a chart nor a manifest, which is said
			for _, f := range findings {
				if f.ID == "objects/none/not-compared" {
					none = true
					continue
				}
				got = append(got, string(f.Severity)+" "+f.ID)
			}
			if none == strings.Contains(c.older+c.newer, "Chart.yaml") {
				t.Errorf("said that there is neither a chart nor a manifest: %v", none)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s\n%+v", diff, findings)
			}
			if c.reach != "" && (findings[0].Reach == nil || findings[0].Reach.String() != c.reach) {
				t.Errorf("reach: %v", findings[0].Reach)
			}
			for _, f := range findings {
				if f.NotCompared != strings.Contains(f.ID, "/not-compared") || f.Unreadable() != (f.NotCompared && f.Severity == Notable && strings.HasSuffix(f.ID, "/newer")) {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}

func TestKubeVersionOfCharts(t *testing.T) {
	chart := func(kubeVersion string) string {
		text := "-- charts/pi/Chart.yaml --\napiVersion: v2\nname: pi\nversion: 1.0.0\nappVersion: v1.0.0\n"
		if kubeVersion != "" {
			text += "kubeVersion: '" + kubeVersion + "'\n"
		}
		return text
	}
	for name, c := range map[string]struct {
		older, newer, id, what string
		severity               Severity
	}{
		"a supported version less": {">=1.34.0-0", ">=1.36.0-0", "narrowed",
			"Helm refuses chart pi on Kubernetes v1.34, v1.35", Breaking},
		"the newest ones less": {">=1.36.0-0", ">=1.36.0-0 <1.37.0-0", "narrowed", "on Kubernetes v1.37", Breaking},
		"an old version less":  {">=1.33.0-0", ">=1.34.0-0", "narrowed", "on Kubernetes v1.33", Notable},
		"a first range":        {"", ">=1.18.0-0", "narrowed", "on Kubernetes v1.16, v1.17", Notable},
		"a version more":       {">=1.36.0-0", ">=1.35.0-0", "widened", "also on Kubernetes v1.35", Info},
		"another spelling":     {">=1.35.0-0", ">1.34.99-0", "changed", "allows the same known minor versions", Info},
		"no range any more":    {">=1.17.0-0", "", "widened", "also on Kubernetes v1.16", Info},
	} {
		t.Run(name, func(t *testing.T) {
			var found []Finding
			for _, f := range versionsOf(t, chart(c.older), chart(c.newer)) {
				if strings.Contains(f.ID, "kube-version") {
					found = append(found, f)
				}
			}
			if len(found) != 1 || found[0].ID != "objects/chart/pi/kube-version/"+c.id || found[0].Severity != c.severity ||
				!strings.HasSuffix(found[0].What, c.what) || found[0].Was != c.older || found[0].Now != c.newer {
				t.Errorf("got %+v", found)
			}
		})
	}
}
