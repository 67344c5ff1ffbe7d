package chartindex

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// Same tells whether another index has an entry as this one has it.
func (x *Index) Same(other *Index, chart, version string) bool {
	here, there := x.find(chart, version), other.find(chart, version)
	if here == nil || there == nil {
		return false
	}
	one, err := yaml.Marshal(here)
	two, errThere := yaml.Marshal(there)
	return err == nil && errThere == nil && bytes.Equal(one, two)
}
