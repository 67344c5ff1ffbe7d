package gate

import (
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/util/jsonpath"
)

// pathsNowhere finds printer columns and paths of the scale subresource that no object of the schema can have. An API
// server accepts them: the column stays empty, and the autoscaler does not work.
func pathsNowhere(at *field.Path, v apiextensionsv1.CustomResourceDefinitionVersion,
	s *structuralschema.Structural) []string {
	var warnings []string
	look := func(at *field.Path, path, effect string) {
		if missing := missingField(path, s); missing != "" {
			warnings = append(warnings, fmt.Sprintf("%s: %q leads nowhere, for the schema has no field %s: %s; correct the path",
				at, path, missing, effect))
		}
	}
	for i, c := range v.AdditionalPrinterColumns {
		look(at.Child("additionalPrinterColumns").Index(i).Child("jsonPath"), c.JSONPath,
			fmt.Sprintf("the column %s stays empty", c.Name))
	}
	if v.Subresources != nil && v.Subresources.Scale != nil {
		scale, at := v.Subresources.Scale, at.Child("subresources", "scale")
		look(at.Child("specReplicasPath"), scale.SpecReplicasPath, "nothing can scale such an object")
		look(at.Child("statusReplicasPath"), scale.StatusReplicasPath, "the number of replicas reads as 0")
		if scale.LabelSelectorPath != nil {
			look(at.Child("labelSelectorPath"), *scale.LabelSelectorPath, "an autoscaler finds no pods")
		}
	}
	return warnings
}

// metadataFields are the fields of every object's metadata.
var metadataFields = []string{"name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation",
	"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences",
	"finalizers", "managedFields"}

// missingField is the first field of a JSON path that the schema does not have; empty if it has all, or if the path
// has parts that a schema cannot tell.
func missingField(path string, s *structuralschema.Structural) string {
	parsed, err := jsonpath.Parse("path", "{"+path+"}")
	if err != nil || len(parsed.Root.Nodes) != 1 {
		return ""
	}
	list, ok := parsed.Root.Nodes[0].(*jsonpath.ListNode)
	if !ok {
		return ""
	}
	walked, inMetadata := "", false
	for i, node := range list.Nodes {
		if s == nil || s.XPreserveUnknownFields || s.XEmbeddedResource {
			return ""
		}
		switch node := node.(type) {
		case *jsonpath.FieldNode:
			walked += "." + node.Value
			switch {
			case i == 0 && (node.Value == "apiVersion" || node.Value == "kind"):
				return ""
			case i == 0 && node.Value == "metadata":
				inMetadata = true
				continue
			case inMetadata && !slices.Contains(metadataFields, node.Value):
				return walked
			case inMetadata:
				return ""
			}
			property, found := s.Properties[node.Value]
			switch {
			case found:
				s = &property
			case s.AdditionalProperties != nil:
				s = s.AdditionalProperties.Structural
			default:
				return walked
			}
		case *jsonpath.ArrayNode, *jsonpath.FilterNode:
			if s.Items == nil {
				return walked + "[]"
			}
			s = s.Items
		default:
			return ""
		}
	}
	return ""
}
