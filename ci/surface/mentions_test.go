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

// TestMentionsApart: a tag that is assigned beside its repository is found.
func TestMentionsApart(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"make":                {"Makefile", "IMAGE ?= example.com/a/pi\nTAG ?= v0.7.0\n", "v0.7.0:2"},
		"make with words":     {"a.mk", "TAG = v0.1.0\nPI_IMAGE := example.com/a/pi\nPI_TAG := v0.7.0\n", "v0.7.0:3"},
		"a name for a base":   {"Makefile", "IMAGE_TAG_BASE ?= example.com/a/pi\nIMAGE_TAG ?= v0.7.0\n", "v0.7.0:2"},
		"a shell":             {"run.sh", "export REPO='example.com/a/pi'\nexport TAG=\"${TAG:-v0.7.0}\"\n", "v0.7.0:2"},
		"a Dockerfile":        {"Dockerfile", "ARG IMAGE=example.com/a/pi\nARG TAG=v0.7.0\nFROM $IMAGE:$TAG\n", "v0.7.0:2"},
		"TOML":                {"a.toml", "image = \"example.com/a/pi\"\ntag = \"v0.7.0\"\n", "v0.7.0:2"},
		"JSON":                {"a.json", "{\"image\": {\"repository\": \"example.com/a/pi\",\n \"tag\": \"v0.7.0\"}}\n", "v0.7.0:2"},
		"a tag by a variable": {"Makefile", "IMAGE ?= example.com/a/pi\nTAG ?= v$(VERSION)\n", ""},
		"the tag of another":  {"Makefile", "PI_IMAGE ?= example.com/a/pi\nBASE_TAG ?= v0.7.0\n", ""},
		"a registry":          {"Makefile", "REGISTRY ?= example.com/a\nAPP = pi\nTAG ?= v0.7.0\n", "v0.7.0:3"},
		"a registry alone":    {"a.mk", "REGISTRY ?= example.com\nNAME ?= a/pi\nPI_TAG ?= v1\nTAG ?= v0.7.0\n", "v0.7.0:4"},
		"a registry in use": {"Makefile",
			"REGISTRY ?= example.com/a\nTAG ?= v0.7.0\npush:\n\tdocker push $(REGISTRY)/pi:$(TAG)\n",
			"v0.7.0:2"},
		"a name in a name": {"run.sh", "HUB=example.com\nBASE=${HUB}/a\nN=0.7.0\ndocker push \"$BASE/pi:v$N\"\n", "v0.7.0:3"},
		"a registry in use for another image": {"Makefile",
			"REGISTRY ?= example.com/a\nTAG ?= v0.7.0\nIMG = $(REGISTRY)/po:$(TAG)\n", ""},
		"a registry in use by a variable": {"Makefile", "REGISTRY ?= example.com/a\nIMG = $(REGISTRY)/pi:$(TAG)\n", ""},
		"another image":                   {"Makefile", "IMAGE ?= example.com/a/pi-ui\nTAG ?= v0.7.0\n", ""},
	} {
		lines := []git.Place{{Path: c.file, Line: 1, Text: "a/pi"}}
		got := ""
		for _, m := range Mentions(fstest.MapFS{c.file: {Data: []byte(c.text)}}, lines, []string{"example.com/a/pi"}) {
			got += fmt.Sprintf("%s:%d", m.Tag, m.Line)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
