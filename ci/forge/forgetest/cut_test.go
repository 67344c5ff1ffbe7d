package forgetest

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.String("update", "", "cut the operations out of this file, generated/api.github.com.json of the npm package @octokit/openapi")

// used are the operations of GitHub's API that the client and the server know.
var used = []string{
	"GET /user",
	"GET /repos/{owner}/{repo}/releases",
	"POST /repos/{owner}/{repo}/releases",
	"GET /repos/{owner}/{repo}/releases/latest",
	"GET /repos/{owner}/{repo}/releases/tags/{tag}",
	"GET /repos/{owner}/{repo}/releases/{release_id}",
	"PATCH /repos/{owner}/{repo}/releases/{release_id}",
	"DELETE /repos/{owner}/{repo}/releases/{release_id}",
	"GET /repos/{owner}/{repo}/releases/{release_id}/assets",
	"POST /repos/{owner}/{repo}/releases/{release_id}/assets",
	"DELETE /repos/{owner}/{repo}/releases/assets/{asset_id}",
	"GET /repos/{owner}/{repo}/git/ref/{ref}",
	"GET /repos/{owner}/{repo}/pulls",
	"POST /repos/{owner}/{repo}/pulls",
	"GET /repos/{owner}/{repo}/pulls/{pull_number}",
	"PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
	"POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
	"GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
	"POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
	"POST /repos/{owner}/{repo}/issues/{issue_number}/assignees",
	"GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
	"POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
	"PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
	"GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls",
	"GET /repos/{owner}/{repo}/collaborators/{username}/permission",
}

// said are keys that tell people something and bind nobody.
var said = []string{"description", "summary", "example", "examples", "title", "externalDocs", "tags", "discriminator", "headers", "deprecated", "servers"}

// plain is a part of the description without what is said; names are the keys of a map whose keys are names, and stay.
func plain(part any, names bool) any {
	switch part := part.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range part {
			if !names && (slices.Contains(said, key) || strings.HasPrefix(key, "x-")) {
				continue
			}
			out[key] = plain(value, !names && key == "properties")
		}
		return out
	case []any:
		out := make([]any, len(part))
		for i := range part {
			out[i] = plain(part[i], false)
		}
		return out
	}
	return part
}

// references are the components that a part leads to.
func references(part any, found map[string]bool) {
	switch part := part.(type) {
	case map[string]any:
		if ref, ok := part["$ref"].(string); ok {
			found[ref] = true
		}
		for _, value := range part {
			references(value, found)
		}
	case []any:
		for _, value := range part {
			references(value, found)
		}
	}
}

// TestTheDescriptionIsCut cuts the operations used out of GitHub's description where -update names it, and holds the file to the list of operations.
func TestTheDescriptionIsCut(t *testing.T) {
	const file = "testdata/api.github.com.json"
	if *update != "" {
		content, err := os.ReadFile(*update)
		if err != nil {
			t.Fatal(err)
		}
		var whole map[string]any
		if err := json.Unmarshal(content, &whole); err != nil {
			t.Fatal(err)
		}
		paths, cut := whole["paths"].(map[string]any), map[string]any{}
		for _, operation := range used {
			method, path, _ := strings.Cut(operation, " ")
			described, ok := paths[path].(map[string]any)[strings.ToLower(method)]
			if !ok {
				t.Fatalf("the description has no %s", operation)
			}
			if cut[path] == nil {
				cut[path] = map[string]any{}
			}
			cut[path].(map[string]any)[strings.ToLower(method)] = plain(described, false)
		}
		components := map[string]any{}
		// Those that any operation may answer with, whether it names them or not.
		wanted := map[string]bool{"#/components/schemas/basic-error": true, "#/components/schemas/validation-error": true}
		references(cut, wanted)
		for done := map[string]bool{}; len(done) < len(wanted); {
			for _, ref := range slices.Collect(maps.Keys(wanted)) {
				if done[ref] {
					continue
				}
				done[ref] = true
				parts := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
				component := plain(whole["components"].(map[string]any)[parts[0]].(map[string]any)[parts[1]], false)
				if components[parts[0]] == nil {
					components[parts[0]] = map[string]any{}
				}
				components[parts[0]].(map[string]any)[parts[1]] = component
				references(component, wanted)
			}
		}
		info := whole["info"].(map[string]any)
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		if err := encoder.Encode(map[string]any{
			"openapi": whole["openapi"], "paths": cut, "components": components,
			"info": map[string]any{
				"title": info["title"], "version": info["version"], "license": info["license"],
				"description": "The operations used, cut out of generated/api.github.com.json of the npm package @octokit/openapi, of this version, by: go test ./ci/forge/forgetest -run Cut -update FILE",
			},
		}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cut struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal(content, &cut); err != nil {
		t.Fatal(err)
	}
	var there []string
	for path, operations := range cut.Paths {
		for method := range operations {
			there = append(there, strings.ToUpper(method)+" "+path)
		}
	}
	if want := slices.Sorted(slices.Values(used)); !slices.Equal(slices.Sorted(slices.Values(there)), want) {
		t.Errorf("the file holds %q, want %q", there, want)
	}
	if len(content) > 400<<10 {
		t.Errorf("the file has %d bytes", len(content))
	}
}
