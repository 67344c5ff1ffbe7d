package render

import "testing"

func TestReferences(t *testing.T) {
	for image, want := range map[string]Reference{
		"busybox":                              {"docker.io/library/busybox", "", ""},
		"busybox:1":                            {"docker.io/library/busybox", "1", ""},
		"docker.io/busybox":                    {"docker.io/library/busybox", "", ""},
		"kubeflow/spark-operator:v1":           {"docker.io/kubeflow/spark-operator", "v1", ""},
		"index.docker.io/kubeflow/x:v1":        {"docker.io/kubeflow/x", "v1", ""},
		"localhost/x":                          {"localhost/x", "", ""},
		"localhost:5000/x":                     {"localhost:5000/x", "", ""},
		"ghcr.io/a/b/c:v1@sha256:0":            {"ghcr.io/a/b/c", "v1", "sha256:0"},
		"127.0.0.1:5000/docker.io/a/b":         {"127.0.0.1:5000/docker.io/a/b", "", ""},
		" kubeflow/spark-operator:v1.5.0-rc.0": {"docker.io/kubeflow/spark-operator", "v1.5.0-rc.0", ""},
	} {
		if got := ParseReference(image); got != want {
			t.Errorf("%s: got %+v, want %+v", image, got, want)
		}
	}
}
