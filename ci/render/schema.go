package render

import (
	"bytes"
	"path"

	"github.com/santhosh-tekuri/jsonschema/v6"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/operator-release/operator-release/ci/refusal"
)

// CheckSchemas refuses a chart whose values.schema.json refers to another document. Helm would fetch it on every
// machine that installs the chart. The schemas of its dependencies count. What is no schema is left to Helm.
func (s *Source) CheckSchemas() error {
	ch, err := s.Chart()
	if err != nil {
		return err
	}
	return s.checkSchemas(ch, s.dir)
}

func (s *Source) checkSchemas(ch *chartv2.Chart, dir string) error {
	if err := CheckSchema(ch.Schema, s.Path(path.Join(dir, SchemaFile))); err != nil {
		return err
	}
	for _, dependency := range ch.Dependencies() {
		if err := s.checkSchemas(dependency, path.Join(dir, "charts", dependency.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Path is where a file of the chart's folder, named from the tree's root, lies in the tree: a dependency by file:// has
// a folder of its own.
func (s *Source) Path(name string) string { return s.ofSiblings(name) }

// SchemaFile is the name of the file that holds a chart's schema of values.
const SchemaFile = "values.schema.json"

// CheckSchema refuses a schema of values that refers to another document.
func CheckSchema(content []byte, file string) error {
	url := foreignReference(content)
	if url == "" {
		return nil
	}
	return refusal.New("read %s: it refers to %s, which Helm would fetch where the chart is installed, and which a "+
		"release "+
		"cannot hold; copy what it needs into $defs of the schema and refer to #/$defs/NAME", file, url)
}

// schemaAddress is the address that Helm gives to a chart's schema. Relative references resolve against it.
const schemaAddress = "file:///values.schema.json"

// foreignReference is the first other document that a schema's compilation asks for, by its address. It compiles as
// Helm does, and fetches nothing. Helm accepts any urn:, without a look at it.
func foreignReference(content []byte) string {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		return "" // also without a schema
	}
	var fetched recordedLoads
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(jsonschema.SchemeURLLoader{"file": &fetched, "http": &fetched, "https": &fetched,
		"urn": anySchema{}})
	if err := compiler.AddResource(schemaAddress, schema); err != nil {
		return ""
	}
	_, _ = compiler.Compile(schemaAddress) // Helm says what is wrong
	return fetched.first
}

// recordedLoads remembers the first address that is asked for, and answers with a schema for any value.
type recordedLoads struct{ first string }

func (r *recordedLoads) Load(url string) (any, error) {
	if r.first == "" {
		r.first = url
	}
	return true, nil
}

// anySchema answers with a schema for any value.
type anySchema struct{}

func (anySchema) Load(string) (any, error) { return true, nil }
