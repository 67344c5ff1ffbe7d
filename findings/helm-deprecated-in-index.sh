#!/usr/bin/env bash
# Helm v3.22.0 and v4.3.1.
#
# Behaviour: `deprecated: true` that stands in the index.yaml of a chart repository alone, and not in the Chart.yaml of
# the package, is shown by none of: search repo, pull, template, show chart. They give the version as any other, also
# to a user who names no version. Only the completion of --version in a shell shows it. The description of the index
# entry, in contrast, is what search repo shows, also where the package says another one.
#
# One would have guessed: a version that the index calls deprecated is passed over, or at least warned of, since the
# package of a published version cannot change any more and the index can.
#
# Why it matters to a release: who withdraws a version by marking it in the index warns no user. The description
# reaches those who search; only a removed entry keeps a version from those who install.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-modcacherw GOTOOLCHAIN=auto
GOBIN=$work/v3 go install helm.sh/helm/v3/cmd/helm@v3.22.0
GOBIN=$work/v4 go install helm.sh/helm/v4/cmd/helm@v4.3.1

mkdir -p pi/templates repository serve
printf 'apiVersion: v2\nname: pi\nversion: 0.0.0\ndescription: Counts digits\n' > pi/Chart.yaml
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: pi}\ndata: {version: {{ .Chart.Version | quote }}}\n' > pi/templates/pi.yaml
for version in 1.0.0 1.1.0; do v3/helm package pi --version "$version" --destination repository > packaged.txt; done
v3/helm repo index repository
sed -i '0,/description: Counts digits/s//deprecated: true\n    description: Do not use. Counts digits/' repository/index.yaml

printf 'module serve\n\ngo 1.24\n' > serve/go.mod
cat > serve/main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"net/http"
)

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("http://" + l.Addr().String())
	panic(http.Serve(l, http.FileServer(http.Dir("repository"))))
}
GO
(cd serve && go build -o ../server .)
./server > address.txt &
server=$!
until [ -s address.txt ]; do sleep 0.1; done

wrong=0
expect() { # WHAT WANTED ACTUAL
  printf '%s: %s\n' "$1" "$3"
  [ "$2" = "$3" ] || { printf '  it was: %s\n' "$2"; wrong=1; }
}
for helm in v3/helm v4/helm; do
  export HELM_CONFIG_HOME=$work/$helm.config HELM_CACHE_HOME=$work/$helm.cache HELM_DATA_HOME=$work/$helm.data
  "$helm" version --short
  "$helm" repo add pi "$(cat address.txt)" > added.txt
  expect "search repo" "1.1.0 Do not use. Counts digits" \
    "$("$helm" search repo pi -o json | sed -E 's/.*"version":"([^"]*)".*"description":"([^"]*)".*/\1 \2/')"
  expect "template without a version" 'data: {version: "1.1.0"}' "$("$helm" template pi pi/pi 2>&1 | grep -iE 'deprecat|version: "')"
  expect "show chart" "description: Counts digits" "$("$helm" show chart pi/pi 2>&1 | grep -iE 'deprecat|description')"
  expect "completion of --version" "1" "$("$helm" __complete install pi pi/pi --version '' 2>/dev/null | grep -c deprecated)"
done
exit "$wrong"
