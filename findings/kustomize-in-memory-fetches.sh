#!/usr/bin/env bash
# sigs.k8s.io/kustomize/api v0.21.2 (package krusty) with sigs.k8s.io/kustomize/kyaml v0.21.2 (package filesys).
#
# Behaviour: krusty runs over a file system in memory, with its default options. A resource that is the address of a
# file is fetched by HTTP, and its objects stand in the result like all others. A resource that is the address of a
# repository is cloned by the machine's git to a folder on the real disk. Krusty then looks for that folder in memory,
# and its error says that the folder does not exist.
#
# One would have guessed: the file system that is handed over is all that the library reads, and both are errors which
# say so. Or both work.
#
# Why it matters to a release: a tool that renders the tree of a tag from memory wants the same objects each time. It
# gets what another host serves on that day, and for repositories an error that names a folder which nobody made. So it
# has to look at the entries itself before it calls the library.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-modcacherw

git init -q -b main other
mkdir other/base build
printf 'resources: [pi.yaml]\n' > other/base/kustomization.yaml
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: pi}\n' > other/base/pi.yaml
git -C other add -A
git -C other -c user.name=Ada -c user.email=ada@example.com commit -qm first

cat > build/main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// said is the value in the object that krusty makes of one resource, or the end of its error.
func said(resource string) string {
	memory := filesys.MakeFsInMemory()
	if err := memory.WriteFile("/release/kustomization.yaml", []byte("resources: ['"+resource+"']\n")); err != nil {
		panic(err)
	}
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(memory, "/release")
	if err != nil {
		text := err.Error()
		return regexp.MustCompile(`kustomize-\d+`).ReplaceAllString(text[strings.LastIndex(text, ": ")+2:], "kustomize-N")
	}
	text, err := made.AsYaml()
	if err != nil {
		panic(err)
	}
	return regexp.MustCompile(`from: .*`).FindString(string(text))
}

func main() {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprintf(w, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: pi}\ndata: {from: request-%d}\n", asked)
	}))
	defer server.Close()
	fmt.Println("file:", said(server.URL+"/pi.yaml"))
	fmt.Println("file again:", said(server.URL+"/pi.yaml"))
	fmt.Println("repository:", said("file://"+os.Args[1]+"//base?ref=main"))
}
GO
(
  cd build
  go mod init build
  go get sigs.k8s.io/kustomize/api@v0.21.2 sigs.k8s.io/kustomize/kyaml@v0.21.2
  go mod tidy
  go build -o ../render .
) 2> log.txt || { cat log.txt; exit 1; }

export TMPDIR=$work GIT_TRACE=$work/git.txt
./render "$work/other" | tee seen.txt
grep -o 'built-in: git fetch' git.txt | head -n 1 | tee -a seen.txt
diff seen.txt - <<EOF
file: from: request-1
file again: from: request-2
repository: '$work/kustomize-N/base' doesn't exist
built-in: git fetch
EOF
