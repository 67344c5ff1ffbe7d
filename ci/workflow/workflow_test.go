package workflow

import (
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// release is what publishing v1.5.0 of the line 1.5 does.
var release = Release{Branch: "release-1.5", Tags: []string{"v1.5.0", "api/v1.5.0"},
	Edits: []string{"VERSION", "charts/pi/Chart.yaml"}}

func TestReactions(t *testing.T) {
	const pushes = "jobs: {a: {steps: [{run: docker push example/pi}]}}"
	for name, c := range map[string]struct{ content, want string }{
		"a branch and a path": {"on: {push: {branches: [release-*], paths: [VERSION]}}\njobs: {a: {permissions: {packages: write}, steps: [{run: make}]}}",
			"a push to release-1.5: packages: write"},
		"a path that no release changes":   {"on: {push: {branches: [release-*], paths: [docs/**]}}\n" + pushes, ""},
		"a path below a folder":            {"on: {push: {branches: [release-*], paths: [charts/**]}}\n" + pushes, "a push to release-1.5: docker push"},
		"an ignored branch":                {"on: {push: {branches-ignore: [release-*]}}\n" + pushes, ""},
		"paths do not count for tags":      {"on: {push: {tags: [v*], paths: [docs/**]}}\n" + pushes, "tag v1.5.0: docker push"},
		"tags alone":                       {"on: {push: {tags: ['v*']}}\n" + pushes, "tag v1.5.0: docker push"},
		"tags, by other signs":             {"on: {push: {tags: ['v[0-9]+.[0-9]+.[0-9]+']}}\n" + pushes, "tag v1.5.0: docker push"},
		"tags of something else":           {"on: {push: {tags: ['chart-*']}}\n" + pushes, ""},
		"taken out again":                  {"on: {push: {tags: ['v*', '!v1.*']}}\n" + pushes, ""},
		"every push":                       {"on: push\n" + pushes, "a push to release-1.5 and tag v1.5.0: docker push"},
		"a list":                           {"on: [pull_request, create]\n" + pushes, "a new tag: docker push"},
		"a release page":                   {"on: {release: {types: [published]}}\npermissions: {contents: write, packages: write}\njobs: {a: {steps: [{run: make}]}}", "its release page: contents: write, packages: write"},
		"a release page, one word":         {"on: {release: {types: released}}\npermissions: write-all\njobs: {a: {steps: [{run: make}]}}", "its release page: permissions: write-all"},
		"release pages of candidates":      {"on: {release: {types: [prereleased]}}\n" + pushes, ""},
		"every event of release pages":     {"on: {release: }\n" + pushes, "its release page: docker push"},
		"it only reads":                    {"on: push\npermissions: {contents: read}\njobs: {a: {steps: [{run: go test ./...}]}}", ""},
		"a job that only reads":            {"on: push\npermissions: write-all\njobs: {a: {permissions: {contents: read}, steps: [{run: go test ./...}]}}", ""},
		"its token cannot write":           {"on: push\npermissions: {contents: read}\njobs: {a: {steps: [{run: gh release create x}]}}", ""},
		"an action that pushes":            {"on: push\njobs: {a: {steps: [{uses: docker/build-push-action@v6, with: {push: true}}]}}", "a push to release-1.5 and tag v1.5.0: docker/build-push-action"},
		"an action that only builds":       {"on: push\njobs: {a: {steps: [{uses: docker/build-push-action@v6, with: {push: false}}]}}", ""},
		"a make target":                    {"on: {push: {tags: ['**']}}\njobs: {a: {steps: [{run: \"go test ./...\\nmake docker-push IMG=x\"}]}}", "tag v1.5.0: make docker-push"},
		"a chart":                          {"on: {push: {tags: ['v?1.*']}}\njobs: {a: {steps: [{run: helm push x.tgz oci://example}]}}", "tag v1.5.0: helm push"},
		"this tool":                        {"on: {push: {tags: [v*]}}\njobs: {a: {permissions: write-all, steps: [{run: dagger call -m github.com/operator-release/operator-release publish --version x}]}}", ""},
		"a workflow of another repository": {"on: {push: {tags: [v*]}}\njobs: {a: {uses: org/shared/.github/workflows/release.yaml@main, secrets: inherit}}", "tag v1.5.0: calls org/shared/.github/workflows/release.yaml@main"},
		"one that may only read":           {"on: {push: {tags: [v*]}}\npermissions: {contents: read}\njobs: {a: {uses: org/shared/.github/workflows/lint.yaml@main}}", ""},
		"pull requests alone":              {"on: {pull_request: {branches: [release-*]}}\n" + pushes, ""},
		"by hand alone":                    {"on: workflow_dispatch\n" + pushes, ""},
		"no workflow":                      {"a: b", ""},
		"tags of a module":                 {"on: {push: {tags: ['api/v*']}}\n" + pushes, "tag api/v1.5.0: docker push"},
		"a package": {"on: registry_package\n" + pushes,
			"a package that it writes to ghcr.io: docker push"},
		"a package, restricted": {"on: {registry_package: {types: [published]}, package: {}}\n" + pushes,
			"a package that it writes to ghcr.io: docker push"},
		"pages": {"on: [page_build, deployment_status]\n" + pushes,
			"a build of pages, as of a chart index and a deployment of pages, as of a chart index: docker push"},
		"checks": {"on: {status: , check_suite: {types: [completed]}}\n" + pushes,
			"a check of its commit: docker push"},
		"other events": {"on: [issues, delete, schedule, repository_dispatch, workflow_dispatch]\n" + pushes, ""},
	} {
		found, unread, err := Reactions(fstest.MapFS{Folder + "/x.yaml": {Data: []byte(c.content)}}, release)
		if err != nil || len(unread) > 0 {
			t.Errorf("%s: %v, %v", name, unread, err)
			continue
		}
		var got []string
		for _, r := range found {
			got = append(got, strings.Join(r.To, " and ")+": "+strings.Join(r.Writes, ", "))
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestChains(t *testing.T) {
	tree := fstest.MapFS{
		Folder + "/a.yaml":      {Data: []byte("name: test\non: {push: {tags: [v*]}}\njobs: {a: {uses: ./.github/workflows/called.yaml}}")},
		Folder + "/called.yaml": {Data: []byte("on: workflow_call\njobs: {a: {steps: [{run: helm push x}]}, again: {uses: ./.github/workflows/called.yaml}}")},
		Folder + "/after.yml":   {Data: []byte("name: images\non: {workflow_run: {workflows: [test]}}\njobs: {a: {steps: [{run: crane push x}]}}")},
		Folder + "/third.yaml":  {Data: []byte("on: {workflow_run: {workflows: images}}\njobs: {a: {permissions: {packages: write}}}")},
		Folder + "/broken.yaml": {Data: []byte("on: [push")},
		Folder + "/README.md":   {Data: []byte("on: push")},
	}
	found, unread, err := Reactions(tree, release)
	var got []string
	for _, r := range found {
		got = append(got, r.String())
	}
	want := []string{
		".github/workflows/a.yaml starts on tag v1.5.0 and may write (helm push)",
		".github/workflows/after.yml starts on the end of .github/workflows/a.yaml and may write (crane push)",
		".github/workflows/third.yaml starts on the end of .github/workflows/after.yml and may write (packages: write)",
	}
	if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%v: got\n%s", err, strings.Join(got, "\n"))
	}
	if len(unread) != 1 || !strings.Contains(unread[0], Folder+"/broken.yaml: yaml: ") {
		t.Errorf("unread: %q", unread)
	}
	if found, unread, err := Reactions(fstest.MapFS{}, release); len(found)+len(unread) > 0 || err != nil {
		t.Errorf("without workflows: %v, %v, %v", found, unread, err)
	}
	release := release
	release.Edits = nil // the branch is not pushed
	if found, _, _ := Reactions(fstest.MapFS{Folder + "/x.yaml": {Data: []byte("on: {push: {branches: ['**']}}\njobs: {a: {permissions: write-all}}")}}, release); len(found) > 0 {
		t.Errorf("a release without a commit: %v", found)
	}
}

// TestDispatches: a workflow that a release starts may start others by an event.
func TestDispatches(t *testing.T) {
	const pushes, by = "jobs: {a: {steps: [{run: crane push x}]}}", "a dispatch by .github/workflows/a.yaml"
	for name, c := range map[string]struct{ step, other, want string }{
		"an action": {"{uses: peter-evans/repository-dispatch@v3}",
			"on: {repository_dispatch: {types: [x]}}", by},
		"the API":               {"{run: gh api repos/o/r/dispatches -f event_type=x}", "on: repository_dispatch", by},
		"the API, by variables": {"{run: 'curl $API/repos/$GITHUB_REPOSITORY/dispatches'}", "on: repository_dispatch", by},
		"no such API":           {"{run: gh workflow run x.yaml}", "on: repository_dispatch", ""},
		"by name":               {"{run: gh workflow run other}", "name: other\non: [workflow_dispatch]", by},
		"by file":               {"{run: gh workflow run b.yaml}", "on: [workflow_dispatch]", by},
		"by API": {"{run: curl -X POST $API/repos/o/r/actions/workflows/b.yaml/dispatches}",
			"on: workflow_dispatch", by},
		"another":  {"{run: gh workflow run c.yaml}", "on: [workflow_dispatch]", ""},
		"none":     {"{run: make}", "on: [workflow_dispatch, repository_dispatch]", ""},
		"one kind": {"{run: gh workflow run b.yaml}", "on: repository_dispatch", ""},
		"by a call": {"{run: make}]}, c: {uses: ./.github/workflows/c.yaml}, d: {steps: [{run: x}",
			"on: repository_dispatch", by},
	} {
		found, _, err := Reactions(fstest.MapFS{
			Folder + "/a.yaml": {Data: []byte("on: {push: {tags: [v*]}}\njobs: {a: {steps: [" + c.step + "]}}")},
			Folder + "/b.yaml": {Data: []byte(c.other + "\n" + pushes)},
			Folder + "/c.yaml": {Data: []byte("on: workflow_call\n" +
				"jobs: {a: {steps: [{uses: peter-evans/repository-dispatch@v3}]}}")},
		}, release)
		got := ""
		for _, r := range found {
			got += strings.Join(r.To, " and ")
		}
		if err != nil || got != c.want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

// TestScripts: what a step writes may stand in a Makefile or in a script.
func TestScripts(t *testing.T) {
	const makefile = `.PHONY: all images
all: build
build: ## docker push is for images
	go build ./...
docker-push: ## as kubebuilder has it
	$(CONTAINER_TOOL) push ${IMG}
docker-buildx:
	- $(CONTAINER_TOOL) buildx build --push --platform=$(PLATFORMS) \
	  --tag ${IMG} .
images: build all-images
all-images: all-images
	crane copy a b
TAG := v1
local:
	$(CONTAINER_TOOL) build -t ${IMG} .
	# docker push ${IMG}
`
	for run, want := range map[string]string{
		"make docker-buildx IMG=x":      "$(CONTAINER_TOOL) buildx build --push",
		"set -e\nmake -j2 build images": "crane copy",
		"make images":                   "crane copy",
		"make build local TAG=docker-x": "",
		"cd x && ./hack/images.sh v1":   "podman push",
		"bash -eu hack/images.sh":       "podman push",
		"./hack/absent.sh":              "",
	} {
		tree := fstest.MapFS{
			"Makefile":         {Data: []byte(makefile)},
			"hack/images.sh":   {Data: []byte("#!/bin/sh\n# docker push\npodman push \"$1\"\n")},
			Folder + "/x.yaml": {Data: []byte("on: {push: {tags: [v*]}}\njobs: {a: {steps: [{run: " + strconv.Quote(run) + "}]}}")},
			".gitlab-ci.yml":   {Data: []byte("images:\n  script:\n  - make docker-push\n")},
		}
		found, _, err := Reactions(tree, release)
		got := ""
		for _, r := range found {
			got += strings.Join(r.Writes, ", ")
		}
		if err != nil || !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%q: %q, %v, want %q", run, got, err, want)
		}
	}
}

func FuzzReactions(f *testing.F) {
	for _, seed := range []string{"on: push\njobs: {a: {steps: [{run: docker push x}]}}", "on: [a, {b: c}]", "on: {push: {branches: ['[', '+', '\\']}}",
		"on: {push: [x]}", "jobs: {a: {uses: ./.github/workflows/x.yaml}}\non: create", "permissions: [x]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		found, _, err := Reactions(fstest.MapFS{Folder + "/x.yaml": {Data: []byte(content)}}, release)
		for _, r := range found {
			if err != nil || len(r.To) == 0 || len(r.Writes) == 0 {
				t.Errorf("%q: %v, %v", content, r, err)
			}
		}
	})
}
