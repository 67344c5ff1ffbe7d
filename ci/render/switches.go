package render

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/refusal"
)

var (
	condition = regexp.MustCompile(`\{\{-?\s*(?:else\s+)?(?:if|with)\s+([^}]*)\}\}`)
	negated   = regexp.MustCompile(`\bnot\s+\(?\s*\$?\.Values(?:\.[A-Za-z_][\w-]*)+`)
	compared  = regexp.MustCompile(`\beq\s+\$?\.Values((?:\.[A-Za-z_][\w-]*)+)\s+"([^"]*)"`)
	asked     = regexp.MustCompile(`\$?\.Values((?:\.[A-Za-z_][\w-]*)+)`)
	readsCRDs = regexp.MustCompile(`\.Files\.`)
)

// switches are values of the chart that its templates with CRDs hang on, by path, each with what turns them on. Those
// that its default values turn on already are left out.
func (s *Source) switches() (map[string]any, error) {
	ch, err := s.Chart()
	if err != nil {
		return nil, err
	}
	on := map[string]any{}
	switches(ch, "", on)
	maps.DeleteFunc(on, func(at string, _ any) bool {
		if _, err := common.Values(ch.Values).Table(at); err == nil {
			return true // a table is on
		}
		value, err := common.Values(ch.Values).PathValue(at)
		return err == nil && value != nil && value != false && value != ""
	})
	return on, nil
}

// switches collects those of a chart whose values lie below a path, and those of its subcharts. It tells whether the
// chart has CRDs.
func switches(ch *chartv2.Chart, below string, on map[string]any) (hasCRDs bool) {
	name := func(at string) string {
		if at = strings.TrimPrefix(at, "."); strings.HasPrefix(at, "global.") {
			return at
		}
		return below + at
	}
	hasCRDs = len(ch.CRDObjects()) > 0
	for _, template := range ch.Templates {
		text := string(template.Data)
		if !strings.Contains(text, "CustomResourceDefinition") &&
			(!readsCRDs.MatchString(text) || !strings.Contains(strings.ToLower(template.Name+text), "crd")) {
			continue
		}
		hasCRDs = true
		for _, m := range condition.FindAllStringSubmatch(text, -1) {
			expression := negated.ReplaceAllString(m[1], "")
			for _, c := range compared.FindAllStringSubmatch(expression, -1) {
				on[name(c[1])] = c[2]
			}
			expression = compared.ReplaceAllString(expression, "")
			for _, c := range asked.FindAllStringSubmatch(expression, -1) {
				on[name(c[1])] = true
			}
		}
	}
	for _, sub := range ch.Dependencies() {
		for _, d := range ch.Metadata.Dependencies {
			at := d.Name
			if d.Alias != "" {
				at = d.Alias
			}
			if d.Name != sub.Name() || !switches(sub, below+at+".", on) {
				continue
			}
			hasCRDs = true
			for path := range strings.SplitSeq(d.Condition, ",") {
				if path = strings.TrimSpace(path); path != "" {
					on[name(path)] = true
				}
			}
		}
	}
	return hasCRDs
}

// turnedOn are values with these switches, on top of others that are given; nil stands for the defaults.
func turnedOn(switches map[string]any, given *Given) (*Given, error) {
	values := map[string]any{}
	if given != nil {
		if err := yaml.Unmarshal(given.Content, &values); err != nil {
			return nil, fmt.Errorf("read the values %s: %w", given.File, err)
		}
	}
	for _, at := range slices.Sorted(maps.Keys(switches)) {
		in, keys := values, strings.Split(at, ".")
		for _, key := range keys[:len(keys)-1] {
			below, ok := in[key].(map[string]any)
			if !ok {
				below = map[string]any{}
				in[key] = below
			}
			in = below
		}
		if _, table := in[keys[len(keys)-1]].(map[string]any); !table {
			in[keys[len(keys)-1]] = switches[at]
		}
	}
	content, err := yaml.Marshal(values)
	return &Given{File: "values that turn on CRDs: " + strings.Join(slices.Sorted(maps.Keys(switches)), ", "), Content: content}, err
}

// WithCRDs renders the chart with the values that its templates with CRDs hang on, on top of others that are given. It
// gives nothing where its default values set them all. values are PATH=VALUE.
func (s *Source) WithCRDs(ctx context.Context, given *Given) (docs []Document, values []string, err error) {
	on, err := s.switches()
	if err != nil || len(on) == 0 {
		return nil, nil, err
	}
	kubernetes, err := KubernetesOf(s.KubeVersion())
	if err != nil {
		return nil, nil, err
	}
	if given, err = turnedOn(on, given); err != nil {
		return nil, nil, err
	}
	for _, at := range slices.Sorted(maps.Keys(on)) {
		values = append(values, fmt.Sprintf("%s=%v", at, on[at]))
	}
	r, err := s.Render(ctx, kubernetes.Newest, given)
	if err != nil {
		return nil, values, refusal.New("render chart %s with CRDs: %w", s.dir, err)
	}
	return r.Documents, values, nil
}
