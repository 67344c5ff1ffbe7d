package surface

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/operator-release/operator-release/ci/git"
)

// TestMentionsOfTemplates: an expression that makes a tag is no tag. A version beside it, or in it, is one.
func TestMentionsOfTemplates(t *testing.T) {
	const beside = "image:\n  repository: example.com/a/pi\n  tag: "
	for text, want := range map[string]string{
		"image: example.com/a/pi:v1.4.0":                                      "[v1.4.0]",
		"image: example.com/a/pi:main":                                        "[main]",
		"image: example.com/a/pi:{{ .Chart.AppVersion }}":                     "[]",
		"image: example.com/a/pi:v{{ .Chart.Version }}":                       "[]",
		"image: example.com/a/pi:v{{ .Chart.Version }}-debug":                 "[]",
		"image: example.com/a/pi:v1.4.0-{{ .Values.flavour }}":                "[v1.4.0]",
		"image: example.com/a/pi:{{ .Values.tag | default \"v1.4.0\" }}":      "[v1.4.0]",
		"image: example.com/a/pi:{{ default .Chart.AppVersion .Values.tag }}": "[]",
		"image: example.com/a/pi:{{ index .Values \"image\" \"tag\" }}":       "[]",
		"docker pull example.com/a/pi:v${VERSION}":                            "[]",
		"docker pull example.com/a/pi:$TAG":                                   "[]",
		"docker pull example.com/a/pi:${TAG:-v1.4.0}":                         "[v1.4.0]",
		"IMG ?= example.com/a/pi:v$(VERSION)":                                 "[]",
		"fmt.Sprintf(\"example.com/a/pi:v%s\", v)":                            "[]",
		"f\"example.com/a/pi:v{version}\"":                                    "[]",
		"docker pull example.com/a/pi:v<version>":                             "[]",
		"|example.com/a/pi:v1.4.0<br>x|":                                      "[v1.4.0]",
		"Use example.com/a/pi:v1.4.0.":                                        "[v1.4.0]",
		beside + "\"{{ .Chart.AppVersion }}\"":                                "[]",
		beside + "\"v{{ .Chart.Version }}\"":                                  "[]",
		beside + "'{{ .Values.tag | default \"1.4.0\" }}'":                    "[1.4.0]",
		beside + "v1.4.0": "[v1.4.0]",
		beside + "main":   "[main]",
		"images:\n- name: example.com/a/pi\n  newTag: ${VERSION}":               "[]",
		"images:\n- name: example.com/a/pi\n  newTag: ${VERSION:-v1.4.0}-extra": "[v1.4.0]",
	} {
		var lines []git.Place
		for i, line := range strings.Split(text, "\n") {
			if strings.Contains(line, "a/pi") {
				lines = append(lines, git.Place{Path: "a.yaml", Line: i + 1, Text: line})
			}
		}
		var tags []string
		for _, m := range Mentions(fstest.MapFS{"a.yaml": {Data: []byte(text)}}, lines, []string{"example.com/a/pi"}) {
			tags = append(tags, m.Tag)
		}
		if got := fmt.Sprint(tags); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
