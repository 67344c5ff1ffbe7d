#!/usr/bin/env bash
# Helm v3.22.0 and v4.3.1, each built by `go install`; helm.sh/helm/v4 v4.3.1 as a library.
#
# Behaviour: the version of Kubernetes that `helm template` renders a chart for, where the user names none, depends on
# how helm was built. Version 3 takes it from linker flags of its Makefile: built by `go install` it is v1.20.0, so every
# chart with kubeVersion ">=1.21-0" is refused. Version 4 takes it from the version of client-go among the build
# information of the program. In a test binary, which has none of its dependencies, it is v1.20.0 again.
#
# One would have guessed: the same release of Helm renders the same chart to the same objects.
#
# Why it matters to a release: a gate that renders with Helm's default sees other objects in its own tests than in its
# own command, and other ones than users see. It has to name the version of Kubernetes.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-modcacherw GOTOOLCHAIN=auto
GOBIN=$work/v3 go install helm.sh/helm/v3/cmd/helm@v3.22.0
GOBIN=$work/v4 go install helm.sh/helm/v4/cmd/helm@v4.3.1

mkdir -p pi/templates
printf 'apiVersion: v2\nname: pi\nversion: 1.0.0\n' > pi/Chart.yaml
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: pi}\ndata: {kubernetes: "{{ .Capabilities.KubeVersion }}"}\n' > pi/templates/pi.yaml

mkdir library && cd library
printf 'module library\n\ngo 1.26\n' > go.mod
cat > version_test.go <<'GO'
package library

import (
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
)

func TestVersion(t *testing.T) { t.Log("kubernetes:", common.DefaultCapabilities.KubeVersion) }
GO
go get helm.sh/helm/v4@v4.3.1 2> ../got.txt
go mod tidy 2> ../tidy.txt
go test -v . > ../test.txt
cd ..

{
  for helm in v3 v4; do
    printf '%s by go install: %s\n' "$helm" "$("$helm/helm" template pi ./pi | sed -n 's/^data: {kubernetes: "\(.*\)"}$/\1/p')"
  done
  sed -n "s/.*kubernetes: {\\(v[0-9.]*\\) .*/v4 as a library in a test: \\1/p" test.txt
} | tee seen.txt
diff seen.txt - <<'SEEN'
v3 by go install: v1.20.0
v4 by go install: v1.37.0
v4 as a library in a test: v1.20.0
SEEN
