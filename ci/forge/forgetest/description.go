package forgetest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed testdata/api.github.com.json
var description []byte

// everywhere are the statuses that GitHub documents for all operations (Troubleshooting the REST API; Rate limits), and the schemas of their bodies.
// The description names them at some operations only: no 422 at an update of a release, for example.
var everywhere = map[int]string{
	400: "basic-error", 401: "basic-error", 403: "basic-error", 404: "basic-error", 422: "validation-error", 429: "basic-error", 500: "basic-error", 502: "basic-error", 503: "basic-error",
}

// operation is what the description says about one.
type operation struct {
	method, path string
	expr         *regexp.Regexp // of the path, a group for each parameter
	names        []string       // of the path's parameters
	params       []parameter
	body         *jsonschema.Schema // nil where the body is no JSON
	needsBody    bool
	file         bool                       // the body is a file, of whatever type
	answers      map[int]*jsonschema.Schema // nil: a body is not described
}

type parameter struct {
	name, in string
	required bool
	number   bool
	schema   *jsonschema.Schema
}

// described are all operations and the schemas of everywhere.
type described struct {
	operations []operation
	generic    map[int]*jsonschema.Schema
}

var load = sync.OnceValues(func() (*described, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(description))
	if err != nil {
		return nil, err
	}
	doc := converted(parsed, false).(map[string]any)
	// The description's prose says that an upload which fails "may leave an empty asset with a state of `starter`"; its schema forgets it.
	state := doc["components"].(map[string]any)["schemas"].(map[string]any)["release-asset"].(map[string]any)["properties"].(map[string]any)["state"].(map[string]any)
	state["enum"] = append(state["enum"].([]any), "starter")
	// GitHub holds no repository whose objects SHA-256 names. The throwaway forge of such a repository answers with its
	// ids.
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	object := schemas["git-ref"].(map[string]any)["properties"].(map[string]any)["object"].(map[string]any)
	object["properties"].(map[string]any)["sha"].(map[string]any)["maxLength"] = json.Number("64")

	const location = "https://api.github.com/description.json"
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(location, doc); err != nil {
		return nil, err
	}
	schema := func(pointer ...string) (*jsonschema.Schema, error) {
		for i := range pointer {
			pointer[i] = url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(pointer[i]))
		}
		return compiler.Compile(location + "#/" + strings.Join(pointer, "/"))
	}
	d := &described{generic: map[int]*jsonschema.Schema{}}
	for status, name := range everywhere {
		if d.generic[status], err = schema("components", "schemas", name); err != nil {
			return nil, err
		}
	}
	var wire struct {
		Paths map[string]map[string]struct {
			Parameters  []any
			RequestBody struct {
				Required bool
				Content  map[string]any
			}
			Responses map[string]struct {
				Ref     string `json:"$ref"`
				Content map[string]any
			}
		}
		Components struct {
			Parameters map[string]any
			Responses  map[string]struct{ Content map[string]any }
		}
	}
	content, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(content, &wire); err != nil {
		return nil, err
	}
	const asJSON = "application/json"
	for path, methods := range wire.Paths {
		for method, described := range methods {
			op := operation{method: strings.ToUpper(method), path: path, needsBody: described.RequestBody.Required, answers: map[int]*jsonschema.Schema{}}
			var expr strings.Builder
			for _, part := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
				name, isParameter := strings.CutPrefix(part, "{")
				switch {
				case !isParameter:
					expr.WriteString("/" + regexp.QuoteMeta(part))
					continue
				case name == "ref}": // the only one of several segments
					expr.WriteString("/(.+)")
				default:
					expr.WriteString("/([^/]+)")
				}
				op.names = append(op.names, strings.TrimSuffix(name, "}"))
			}
			op.expr = regexp.MustCompile("^" + expr.String() + "$")
			for i, p := range described.Parameters {
				at := []string{"paths", path, method, "parameters", strconv.Itoa(i), "schema"}
				fields := p.(map[string]any)
				if ref, ok := fields["$ref"].(string); ok {
					name := strings.TrimPrefix(ref, "#/components/parameters/")
					fields = wire.Components.Parameters[name].(map[string]any)
					at = []string{"components", "parameters", name, "schema"}
				}
				param := parameter{name: fields["name"].(string), in: fields["in"].(string), number: fields["schema"].(map[string]any)["type"] == "integer"}
				param.required, _ = fields["required"].(bool)
				if param.schema, err = schema(at...); err != nil {
					return nil, err
				}
				op.params = append(op.params, param)
			}
			if _, ok := described.RequestBody.Content[asJSON]; ok {
				if op.body, err = schema("paths", path, method, "requestBody", "content", asJSON, "schema"); err != nil {
					return nil, err
				}
			}
			_, op.file = described.RequestBody.Content["application/octet-stream"]
			for status, answer := range described.Responses {
				code, err := strconv.Atoi(status)
				if err != nil {
					return nil, err
				}
				at, content := []string{"paths", path, method, "responses", status}, answer.Content
				if name, ok := strings.CutPrefix(answer.Ref, "#/components/responses/"); ok {
					at, content = []string{"components", "responses", name}, wire.Components.Responses[name].Content
				}
				op.answers[code] = nil
				if _, ok := content[asJSON]; ok {
					if op.answers[code], err = schema(append(at, "content", asJSON, "schema")...); err != nil {
						return nil, err
					}
				}
			}
			d.operations = append(d.operations, op)
		}
	}
	// The one with fewer parameters first: releases/latest is no release_id.
	slices.SortFunc(d.operations, func(a, b operation) int { return len(a.names) - len(b.names) })
	return d, nil
})

// converted is a part of an OpenAPI 3.0 description as JSON Schema 2020-12: nullable is a type; and stricter than that: an object that names its properties has no others,
// unless it says so or is part of a composition. joined tells of such a part.
func converted(part any, joined bool) any {
	switch part := part.(type) {
	case []any:
		out := make([]any, len(part))
		for i := range part {
			out[i] = converted(part[i], joined)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, value := range part {
			if properties, ok := value.(map[string]any); ok && key == "properties" {
				named := map[string]any{}
				for name, property := range properties {
					named[name] = converted(property, false)
				}
				out[key] = named
				continue
			}
			out[key] = converted(value, key == "allOf")
		}
		composed := out["allOf"] != nil || out["anyOf"] != nil || out["oneOf"] != nil
		if _, named := part["properties"].(map[string]any); named && !joined && !composed && out["additionalProperties"] == nil {
			out["additionalProperties"] = false
		}
		if nullable, ok := out["nullable"].(bool); ok {
			delete(out, "nullable")
			if nullable {
				return map[string]any{"anyOf": []any{out, map[string]any{"type": "null"}}}
			}
		}
		return out
	}
	return part
}

// find gives the operation of a request, and the values of the path's parameters.
func (d *described) find(method, path string) (*operation, []string, bool) {
	for i := range d.operations {
		op := &d.operations[i]
		if groups := op.expr.FindStringSubmatch(path); groups != nil && op.method == method {
			return op, groups[1:], true
		}
	}
	return nil, nil, false
}

// parameters tells what is wrong with the parameters of a request.
func (o *operation) parameters(path []string, query url.Values) []string {
	var wrong []string
	known := map[string]bool{}
	for _, p := range o.params {
		var values []string
		switch p.in {
		case "path":
			values = []string{path[slices.Index(o.names, p.name)]}
		case "query":
			known[p.name] = true
			values = query[p.name]
		}
		if len(values) == 0 && p.required {
			wrong = append(wrong, fmt.Sprintf("parameter %s is missing", p.name))
		}
		for _, value := range values {
			var v any = value
			if p.number {
				v = json.Number(value)
				if _, err := strconv.ParseInt(value, 10, 64); err != nil {
					wrong = append(wrong, fmt.Sprintf("parameter %s is %q, which is no number", p.name, value))
					continue
				}
			}
			if err := p.schema.Validate(v); err != nil {
				wrong = append(wrong, fmt.Sprintf("parameter %s is %q: %v", p.name, value, err))
			}
		}
	}
	for name := range query {
		if !known[name] {
			wrong = append(wrong, fmt.Sprintf("the description knows no parameter %s", name))
		}
	}
	return wrong
}

// validate tells what is wrong with a body.
func validate(schema *jsonschema.Schema, body []byte) []string {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return []string{fmt.Sprintf("the body is no JSON: %v", err)}
	}
	if err := schema.Validate(value); err != nil {
		return []string{fmt.Sprintf("the body: %v", err)}
	}
	return nil
}
