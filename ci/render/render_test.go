package render

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

const chart = `
-- Chart.yaml --
apiVersion: v2
name: operator
version: 1.5.0
appVersion: v1.5.0
-- values.yaml --
name: a
-- crds/things.yaml --
kind: CustomResourceDefinition
-- templates/a.yaml --
kind: ConfigMap
metadata: {name: "{{ .Values.name }}-{{ .Release.Name }}-{{ .Release.Namespace }}"}
---
kind: Secret
-- templates/NOTES.txt --
Thanks.
`

func TestChart(t *testing.T) {
	for name, test := range map[string]struct {
		files, values string
		kinds         string // and files
		note, err     string
	}{
		"its defaults": {kinds: "charts/o/crds/things.yaml CustomResourceDefinition, charts/o/templates/a.yaml a-release-name-default, charts/o/templates/a.yaml Secret"},
		"a file of values": {values: "name: b",
			kinds: "charts/o/crds/things.yaml CustomResourceDefinition, charts/o/templates/a.yaml b-release-name-default, charts/o/templates/a.yaml Secret"},
		"the APIs of another operator": {
			files: "-- templates/a.yaml --\n{{ if not (.Capabilities.APIVersions.Has \"other.example.com/v1\") }}{{ fail \"no\" }}{{ end }}\nkind: Other\n",
			kinds: "charts/o/crds/things.yaml CustomResourceDefinition, charts/o/templates/a.yaml Other",
			note:  "renders only for a cluster that has (some of) other.example.com/v1"},
		"an API of Kubernetes itself": {
			files: "-- templates/a.yaml --\n{{ if not (.Capabilities.APIVersions.Has \"apps/v9\") }}{{ fail \"no\" }}{{ end }}\nkind: Other\n",
			err:   "charts/o/templates/a.yaml:1:"},
		"values that are no YAML": {values: "{", err: "reading the values charts/o/values of the test: "},
		"no chart":                {files: "-- Chart.yaml --\n", err: "load the chart charts/o: "},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for _, f := range append(txtar.Parse([]byte(chart)).Files, txtar.Parse([]byte(test.files)).Files...) {
				file := filepath.Join(root, "charts/o", f.Name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, f.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			s, err := Read(t.Context(), os.DirFS(root), "charts/o", nil)
			var r Rendering
			if err == nil {
				var given *Given
				if test.values != "" {
					given = &Given{File: "charts/o/values of the test", Content: []byte(test.values)}
				}
				r, err = s.Render(t.Context(), "v1.30.0", given)
			}
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var docs []string
			for _, d := range r.Documents {
				text := strings.TrimSpace(d.Text)
				if _, name, ok := strings.Cut(text, `name: "`); ok {
					text = strings.TrimSuffix(name, `"}`)
				}
				docs = append(docs, d.File+" "+strings.TrimPrefix(text, "kind: "))
			}
			if got := strings.Join(docs, ", "); got != test.kinds || strings.Join(r.Notes, "") != test.note {
				t.Errorf("%s; %q", got, r.Notes)
			}
			if r.Chart != "operator" || r.Version != "1.5.0" || r.AppVersion != "v1.5.0" {
				t.Errorf("%+v", r)
			}
		})
	}
}
