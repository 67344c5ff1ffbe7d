package compare

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/render"
)

// chartObject is an object that a chart renders to.
type chartObject struct {
	file      string
	kind      string
	namespace string // empty where it is the release's, or none
	name      string // the chart's own version marked
	label     string // what is unique in its rendering
	hook      string // the events that Helm makes it for; empty for what a release holds
	raw       map[string]any
	fields    map[string]any // as raw, the chart's own version marked
}

func (o *chartObject) String() string {
	if o.namespace != "" {
		return o.kind + " " + o.namespace + "/" + o.name
	}
	return o.kind + " " + o.name
}

// id is the object's name in an id.
func (o *chartObject) id() string { return strings.TrimPrefix(o.label, o.kind+" ") }

// subject is what findings about the object are about.
func (o *chartObject) subject() string {
	switch o.kind {
	case "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding":
		return RBAC
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
		return Webhook
	}
	return Objects
}

var definesKind = regexp.MustCompile(`(?m)^kind:[ \t]*["']?CustomResourceDefinition["']?[ \t]*\r?$`)

func readObjects(r render.Rendering, side string) ([]*chartObject, error) {
	o := ownOf(r.Version, r.AppVersion)
	var all []*chartObject
	for _, doc := range r.Documents {
		if definesKind.MatchString(doc.Text) {
			continue // large, and another comparison's business
		}
		var value any
		if err := yaml.Unmarshal([]byte(doc.Text), &value); err != nil {
			return nil, refusal.New("read what %s of the %s version renders to: %w; correct the template", doc.File, side, err)
		}
		if value == nil {
			continue
		}
		if err := readObject(&all, o, doc.File, side, value); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// tellApart completes labels that stand twice in either version: kinds of different groups may share a name, and so may hooks of different events.
func tellApart(versions ...[]*chartObject) {
	for _, more := range []func(*chartObject) string{
		func(o *chartObject) string {
			group, _, ok := strings.Cut(text(o.raw["apiVersion"]), "/")
			if !ok {
				return ""
			}
			return group
		},
		func(o *chartObject) string { return o.hook },
	} {
		twice := map[string]bool{}
		for _, objects := range versions {
			once := map[string]bool{}
			for _, o := range objects {
				twice[o.label] = twice[o.label] || once[o.label]
				once[o.label] = true
			}
		}
		for _, objects := range versions {
			for _, o := range objects {
				if suffix := more(o); twice[o.label] && suffix != "" {
					o.label += "@" + suffix
				}
			}
		}
	}
}

func byLabel(all []*chartObject, side string) (objectsOf, error) {
	version := objectsOf{objects: map[string]*chartObject{}}
	for _, o := range all {
		if other := version.objects[o.label]; other != nil {
			return version, refusal.New("compare what the %s version of the chart renders to: %s yields %s, and so does %s; rename or remove one", side, o.file, o, other.file)
		}
		if (o.kind == "Role" || o.kind == "ClusterRole") && tooMany(rulesOf(o)) {
			return version, refusal.New("compare what the %s version of the chart renders to: %s yields %s, whose rules come to more than %d permissions (groups x resources x names x verbs); use a wildcard, or split the role",
				side, o.file, o, mostPermissions)
		}
		version.objects[o.label] = o
		if isBinding(o) {
			version.bindings = append(version.bindings, readBinding(o))
		}
	}
	return version, nil
}

func readObject(all *[]*chartObject, o own, file, side string, value any) error {
	fields, ok := value.(map[string]any)
	kind, _ := fields["kind"].(string)
	if !ok || kind == "" {
		return refusal.New("read what %s of the %s version renders to: a document is no object of Kubernetes, as it has no kind; only objects belong in a rendered template", file, side)
	}
	if items, ok := fields["items"].([]any); ok && strings.HasSuffix(kind, "List") {
		for _, item := range items {
			if err := readObject(all, o, file, side, item); err != nil {
				return err
			}
		}
		return nil
	}
	if kind == "CustomResourceDefinition" {
		return nil
	}
	marked := unversionedIn(fields, o).(map[string]any)
	object := &chartObject{file: file, kind: kind, raw: fields, fields: marked, name: text(dig(marked, "metadata", "name")), namespace: text(dig(marked, "metadata", "namespace")),
		hook: text(dig(marked, "metadata", "annotations", "helm.sh/hook"))}
	if object.name == "" {
		if object.name = text(dig(marked, "metadata", "generateName")); object.name == "" {
			return refusal.New("read what %s of the %s version renders to: a %s without metadata.name; give it one", file, side, kind)
		}
	}
	if object.namespace == render.Namespace {
		object.namespace = ""
	}
	object.label = kind + " " + object.name
	if object.namespace != "" {
		object.label = kind + " " + object.namespace + ":" + object.name
	}
	*all = append(*all, object)
	return nil
}

// unversionedIn is a copy of a value, the chart's own version marked in its texts.
func unversionedIn(value any, o own) any {
	switch v := value.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, child := range v {
			m[key] = unversionedIn(child, o)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, child := range v {
			list[i] = unversionedIn(child, o)
		}
		return list
	case string:
		return o.unversioned(v)
	}
	return value
}

// dig gives what lies at a path of maps, or nil.
func dig(value any, path ...string) any {
	for _, key := range path {
		m, _ := value.(map[string]any)
		value = m[key]
	}
	return value
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

func list(value any) []any {
	l, _ := value.([]any)
	return l
}

// oneLine is a value on one line.
func oneLine(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return shortened(v, 120)
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return shortened(string(data), 120)
}
