package config

import (
	"bytes"
	_ "embed"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/operator-release/operator-release/ci/refusal"
)

// Schema is the published JSON schema of .release.yaml.
//
//go:embed schema.json
var Schema []byte

const schemaURL = "https://github.com/operator-release/operator-release/raw/main/ci/config/schema.json"

var compiled = sync.OnceValue(func() *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaURL, doc); err != nil {
		panic(err)
	}
	return c.MustCompile(schemaURL)
})

// validate holds a decoded document to the schema and names each fault by line and key.
func validate(name string, doc *yaml.Node, value any) error {
	err := compiled().Validate(value)
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	var errs []error
	english := message.NewPrinter(language.English)
	for _, fault := range leaves(invalid) {
		keys := fault.InstanceLocation
		if extra, ok := fault.ErrorKind.(*kind.AdditionalProperties); ok {
			for _, key := range extra.Properties {
				at := append(slices.Clone(keys), key)
				known := properties(fault.SchemaURL)
				errs = append(errs, refusal.New("%s:%d: unknown key %q%s (known: %s)",
					name, line(doc, at), strings.Join(at, "."), refusal.Meant(key, known), strings.Join(known, ", ")))
			}
			continue
		}
		where := strings.Join(keys, ".")
		if where == "" {
			where = "the document"
		}
		errs = append(errs, refusal.New("%s:%d: %s: %s", name, line(doc, keys), where, fault.ErrorKind.LocalizedString(english)))
	}
	return errors.Join(errs...)
}

func leaves(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(e.Causes) == 0 {
		return []*jsonschema.ValidationError{e}
	}
	var all []*jsonschema.ValidationError
	for _, cause := range e.Causes {
		all = append(all, leaves(cause)...)
	}
	return all
}

// properties are the keys that the schema at this address knows.
func properties(address string) []string {
	node := compiled()
	_, pointer, _ := strings.Cut(address, "#/")
	for _, step := range strings.Split(pointer, "/") {
		if next := node.Properties[step]; next != nil {
			node = next
		} else if step == "items" && node.Items2020 != nil {
			node = node.Items2020
		}
	}
	known := make([]string, 0, len(node.Properties))
	for key := range node.Properties {
		known = append(known, key)
	}
	slices.Sort(known)
	return known
}

// line is where in the file the keys lead.
func line(node *yaml.Node, keys []string) int {
	if node.Kind == yaml.DocumentNode {
		return line(node.Content[0], keys)
	}
	if len(keys) == 0 {
		return node.Line
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == keys[0] {
				if len(keys) == 1 {
					return node.Content[i].Line
				}
				return line(node.Content[i+1], keys[1:])
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(keys[0]); err == nil && i < len(node.Content) {
			return line(node.Content[i], keys[1:])
		}
	case yaml.AliasNode:
		return line(node.Alias, keys)
	}
	return node.Line
}
