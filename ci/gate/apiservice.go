package gate

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// aggregated is the group of APIService, which the aggregator of every API server validates.
var aggregated = schema.GroupVersion{Group: "apiregistration.k8s.io", Version: "v1"}

// apiService is an APIService. Its type is no part of k8s.io/api.
type apiService struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              apiServiceSpec `json:"spec"`
	Status            map[string]any `json:"status,omitempty"`
}

type apiServiceSpec struct {
	Service               *serviceReference `json:"service,omitempty"`
	Group                 string            `json:"group,omitempty"`
	Version               string            `json:"version,omitempty"`
	InsecureSkipTLSVerify bool              `json:"insecureSkipTLSVerify,omitempty"`
	CABundle              []byte            `json:"caBundle,omitempty"`
	GroupPriorityMinimum  int32             `json:"groupPriorityMinimum"`
	VersionPriority       int32             `json:"versionPriority"`
}

type serviceReference struct {
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Port      *int32 `json:"port,omitempty"`
}

// DeepCopyObject copies the object.
func (a *apiService) DeepCopyObject() runtime.Object {
	var copied apiService
	text, err := json.Marshal(a)
	must(err)
	must(json.Unmarshal(text, &copied))
	return &copied
}

// registered validates an APIService (ValidateAPIService in Kubernetes' kube-aggregator).
func registered(a *apiService) field.ErrorList {
	var errs field.ErrorList
	s, at := &a.Spec, field.NewPath("spec")
	if name := s.Version + "." + s.Group; a.Name != name {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), a.Name,
			fmt.Sprintf("must be `spec.version+\".\"+spec.group`: %q", name)))
	}
	switch {
	case s.Group != "":
		errs = append(errs, invalid(at.Child("group"), s.Group, validation.IsDNS1123Subdomain(s.Group))...)
	case s.Version != "v1":
		errs = append(errs, field.Required(at.Child("group"), "only v1 may have an empty group"))
	}
	errs = append(errs, invalid(at.Child("version"), s.Version, validation.IsDNS1035Label(s.Version))...)
	for name, priority := range map[string]struct{ value, most int32 }{
		"groupPriorityMinimum": {s.GroupPriorityMinimum, 20000}, "versionPriority": {s.VersionPriority, 1000}} {
		if priority.value <= 0 || priority.value > priority.most {
			errs = append(errs, field.Invalid(at.Child(name), priority.value,
				validation.InclusiveRangeError(1, int(priority.most))))
		}
	}
	insecure := at.Child("insecureSkipTLSVerify")
	if s.Service == nil {
		if len(s.CABundle) > 0 {
			errs = append(errs, field.Invalid(at.Child("caBundle"), fmt.Sprintf("%d bytes", len(s.CABundle)),
				"local APIServices may not have a caBundle"))
		}
		if s.InsecureSkipTLSVerify {
			errs = append(errs, field.Invalid(insecure, true, "local APIServices may not have insecureSkipTLSVerify"))
		}
		return errs
	}
	errs = append(errs, required(at.Child("service", "namespace"), s.Service.Namespace)...)
	errs = append(errs, required(at.Child("service", "name"), s.Service.Name)...)
	if port := s.Service.Port; port != nil {
		for _, m := range validation.IsValidPortNum(int(*port)) {
			errs = append(errs, field.Invalid(at.Child("service", "port"), *port, m))
		}
	}
	if s.InsecureSkipTLSVerify && len(s.CABundle) > 0 {
		errs = append(errs, field.Invalid(insecure, true, "may not be true if caBundle is present"))
	}
	return errs
}
