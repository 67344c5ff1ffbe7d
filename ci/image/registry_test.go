package image

import (
	"strings"
	"testing"
)

func TestParseReference(t *testing.T) {
	sum := "sha256:" + strings.Repeat("a", 64)
	for name, want := range map[string]string{
		"debian":                          "docker.io/library/debian:latest",
		"debian:12":                       "docker.io/library/debian:12",
		"apache/spark:3.5":                "docker.io/apache/spark:3.5",
		"docker.io/debian":                "docker.io/library/debian:latest",
		"index.docker.io/library/debian":  "docker.io/library/debian:latest",
		"gcr.io/distroless/static":        "gcr.io/distroless/static:latest",
		"localhost/x":                     "localhost/x:latest",
		"localhost:5000/x:1":              "localhost:5000/x:1",
		"debian@" + sum:                   "docker.io/library/debian@" + sum,
		"quay.io/a/b:1@" + sum:            "quay.io/a/b@" + sum,
		"debian@sha512:" + sum[7:] + "":   "",
		"debian:":                         "",
		"":                                "",
		"a//b":                            "",
		"debian@":                         "",
		"https://quay.io/x":               "",
		"UPPER/case":                      "",
		"debian:12@sha256:short":          "",
		"quay.io/../../x":                 "",
		"debian:tag with space":           "",
		"user:password@example.com/image": "",
	} {
		ref, err := parseReference(name)
		if got := ref.String(); err == nil && got != want || err != nil && want != "" {
			t.Errorf("%q: got %q, %v; want %q", name, got, err, want)
		}
	}
}
