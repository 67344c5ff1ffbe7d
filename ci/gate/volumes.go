package gate

import (
	"path"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// volumeSource validates that a volume has one type, the names without which it is none, and the files that it has.
func volumeSource(v *corev1.VolumeSource, at *field.Path) field.ErrorList {
	if types := given(v); len(types) > 1 {
		return field.ErrorList{field.Forbidden(at.Child(types[1]), "may not specify more than 1 volume type, and there is "+
			types[0])}
	}
	switch {
	case v.ConfigMap != nil:
		place := at.Child("configMap")
		errs := append(required(place.Child("name"), v.ConfigMap.Name), mode(place.Child("defaultMode"),
			v.ConfigMap.DefaultMode)...)
		return append(errs, keyPaths(v.ConfigMap.Items, place, nil)...)
	case v.Secret != nil:
		place := at.Child("secret")
		errs := append(required(place.Child("secretName"), v.Secret.SecretName), mode(place.Child("defaultMode"),
			v.Secret.DefaultMode)...)
		return append(errs, keyPaths(v.Secret.Items, place, nil)...)
	case v.DownwardAPI != nil:
		place := at.Child("downwardAPI")
		return append(mode(place.Child("defaultMode"), v.DownwardAPI.DefaultMode),
			podFiles(v.DownwardAPI.Items, place, nil)...)
	case v.Projected != nil:
		return projected(v.Projected, at.Child("projected"))
	case v.HostPath != nil:
		place := at.Child("hostPath", "path")
		if slices.Contains(strings.Split(v.HostPath.Path, "/"), "..") {
			return field.ErrorList{field.Invalid(place, v.HostPath.Path, "must not contain '..'")}
		}
		return required(place, v.HostPath.Path)
	case v.NFS != nil:
		place := at.Child("nfs")
		errs := append(required(place.Child("server"), v.NFS.Server), required(place.Child("path"), v.NFS.Path)...)
		if v.NFS.Path != "" && !path.IsAbs(v.NFS.Path) {
			errs = append(errs, field.Invalid(place.Child("path"), v.NFS.Path, "must be an absolute path"))
		}
		return errs
	case v.PersistentVolumeClaim != nil:
		return required(at.Child("persistentVolumeClaim", "claimName"), v.PersistentVolumeClaim.ClaimName)
	case v.EmptyDir != nil:
		if limit := v.EmptyDir.SizeLimit; limit != nil && limit.Sign() < 0 {
			return field.ErrorList{field.Forbidden(at.Child("emptyDir", "sizeLimit"), "must not be negative")}
		}
	case v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil:
		return volumeClaim(&v.Ephemeral.VolumeClaimTemplate.Spec, at.Child("ephemeral", "volumeClaimTemplate", "spec"))
	case v.CSI != nil:
		return required(at.Child("csi", "driver"), v.CSI.Driver)
	}
	return nil
}

// given are the names of the fields of a struct that are set.
func given(pointers any) []string {
	var names []string
	v := reflect.ValueOf(pointers).Elem()
	for i := range v.NumField() {
		if !v.Field(i).IsNil() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

func required(at *field.Path, value string) field.ErrorList {
	if value == "" {
		return field.ErrorList{field.Required(at, "")}
	}
	return nil
}

// projected validates a volume of several sources (validateProjectedVolumeSource in Kubernetes'
// pkg/apis/core/validation). No two of their files have one path.
func projected(p *corev1.ProjectedVolumeSource, at *field.Path) field.ErrorList {
	errs := mode(at.Child("defaultMode"), p.DefaultMode)
	var paths []string
	for i := range p.Sources {
		s, place := &p.Sources[i], at.Child("sources").Index(i)
		if len(given(s)) > 1 {
			errs = append(errs, field.Forbidden(place, "may not specify more than 1 volume type"))
		}
		if s.Secret != nil {
			errs = append(errs, required(place.Child("secret", "name"), s.Secret.Name)...)
			errs = append(errs, keyPaths(s.Secret.Items, place.Child("secret"), &paths)...)
		}
		if s.ConfigMap != nil {
			errs = append(errs, required(place.Child("configMap", "name"), s.ConfigMap.Name)...)
			errs = append(errs, keyPaths(s.ConfigMap.Items, place.Child("configMap"), &paths)...)
		}
		if s.DownwardAPI != nil {
			errs = append(errs, podFiles(s.DownwardAPI.Items, place.Child("downwardAPI"), &paths)...)
		}
		if t := s.ServiceAccountToken; t != nil {
			token := place.Child("serviceAccountToken")
			errs = append(errs, required(token.Child("path"), t.Path)...)
			if seconds := t.ExpirationSeconds; seconds != nil && (*seconds < 10*60 || *seconds > 1<<32) {
				errs = append(errs, field.Invalid(token.Child("expirationSeconds"), *seconds,
					"may not specify a duration less than 10 minutes or larger than 2^32 seconds"))
			}
		}
		if b := s.ClusterTrustBundle; b != nil {
			bundle := place.Child("clusterTrustBundle")
			if (b.Name == nil) == (b.SignerName == nil) {
				errs = append(errs, field.Required(bundle, "either name or signerName must be specified"))
			}
			errs = append(errs, filePath(b.Path, bundle.Child("path"), &paths)...)
		}
	}
	return errs
}

// keyPaths validates which keys of a ConfigMap or a Secret become which files. Paths are those of all files of the
// volume; nil if they may be the same.
func keyPaths(items []corev1.KeyToPath, at *field.Path, paths *[]string) field.ErrorList {
	var errs field.ErrorList
	for i, item := range items {
		place := at.Child("items").Index(i)
		errs = append(errs, required(place.Child("key"), item.Key)...)
		errs = append(errs, filePath(item.Path, place.Child("path"), paths)...)
		errs = append(errs, mode(place.Child("mode"), item.Mode)...)
	}
	return errs
}

// fieldsInFiles are the fields of a Pod that a file can have. Labels and annotations are there by key, too.
var fieldsInFiles = []string{"metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations",
	"metadata.uid"}

// podFiles validates which fields of a pod become which files (validateDownwardAPIVolumeFile there).
func podFiles(items []corev1.DownwardAPIVolumeFile, at *field.Path, paths *[]string) field.ErrorList {
	var errs field.ErrorList
	for i, item := range items {
		place := at.Child("items").Index(i)
		errs = append(errs, filePath(item.Path, place.Child("path"), paths)...)
		errs = append(errs, mode(place.Child("mode"), item.Mode)...)
		switch f, r := item.FieldRef, item.ResourceFieldRef; {
		case f == nil && r == nil:
			errs = append(errs, field.Required(place, "one of fieldRef and resourceFieldRef is required"))
		case f != nil && r != nil:
			errs = append(errs, field.Invalid(place, "", "fieldRef and resourceFieldRef can not be specified simultaneously"))
		case f != nil && !slices.Contains(fieldsInFiles, f.FieldPath) && !fieldByKey.MatchString(f.FieldPath):
			errs = append(errs, field.NotSupported(place.Child("fieldRef", "fieldPath"), f.FieldPath, fieldsInFiles))
		case r != nil:
			errs = append(errs, required(place.Child("resourceFieldRef", "resource"), r.Resource)...)
			errs = append(errs, required(place.Child("resourceFieldRef", "containerName"), r.ContainerName)...)
		}
	}
	return errs
}

// filePath validates the path of a file in a volume (ValidateLocalNonReservedPath there).
func filePath(file string, at *field.Path, paths *[]string) field.ErrorList {
	switch {
	case file == "":
		return field.ErrorList{field.Required(at, "")}
	case path.IsAbs(file):
		return field.ErrorList{field.Invalid(at, file, "must be a relative path")}
	case slices.Contains(strings.Split(file, "/"), ".."):
		return field.ErrorList{field.Invalid(at, file, "must not contain '..'")}
	case strings.HasPrefix(file, ".."):
		return field.ErrorList{field.Invalid(at, file, "must not start with '..'")}
	case paths == nil:
	case slices.Contains(*paths, file):
		return field.ErrorList{field.Invalid(at, file, "conflicting duplicate paths")}
	default:
		*paths = append(*paths, file)
	}
	return nil
}

// mode validates the rights of a file.
func mode(at *field.Path, m *int32) field.ErrorList {
	if m == nil || *m >= 0 && *m <= 0o777 {
		return nil
	}
	return field.ErrorList{field.Invalid(at, *m, "must be a number between 0 and 0777 (octal), both inclusive; "+
		validation.InclusiveRangeError(0, 0o777))}
}
