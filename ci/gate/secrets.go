package gate

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// secret validates the keys of a Secret, its size, and what its type requires (ValidateSecret in Kubernetes'
// pkg/apis/core/validation).
func secret(s *corev1.Secret) field.ErrorList {
	var errs field.ErrorList
	size := 0
	data := map[string][]byte{} // as a server has it: texts replace data
	for key, value := range s.Data {
		data[key] = value
	}
	for key, value := range s.StringData {
		data[key] = []byte(value)
	}
	for key, value := range data {
		errs = append(errs, dataKey(field.NewPath("data"), key)...)
		size += len(value)
	}
	at := func(key string) *field.Path { return field.NewPath("data").Key(key) }
	needs := func(key string) bool {
		_, ok := data[key]
		if !ok {
			errs = append(errs, field.Required(at(key), ""))
		}
		return ok
	}
	isObject := func(key string) {
		var object map[string]any
		if needs(key) && json.Unmarshal(data[key], &object) != nil {
			errs = append(errs, field.Invalid(at(key), "<secret contents redacted>", "must be a JSON object"))
		}
	}
	switch s.Type {
	case corev1.SecretTypeTLS:
		needs(corev1.TLSCertKey)
		needs(corev1.TLSPrivateKeyKey)
	case corev1.SecretTypeDockerConfigJson:
		isObject(corev1.DockerConfigJsonKey)
	case corev1.SecretTypeDockercfg:
		isObject(corev1.DockerConfigKey)
	case corev1.SecretTypeBasicAuth:
		_, user := data[corev1.BasicAuthUsernameKey]
		_, password := data[corev1.BasicAuthPasswordKey]
		if !user && !password {
			errs = append(errs, field.Required(at(corev1.BasicAuthUsernameKey), "or data["+corev1.BasicAuthPasswordKey+"]"))
		}
	case corev1.SecretTypeSSHAuth:
		if len(data[corev1.SSHAuthPrivateKey]) == 0 {
			errs = append(errs, field.Required(at(corev1.SSHAuthPrivateKey), ""))
		}
	case corev1.SecretTypeServiceAccountToken:
		if s.Annotations[corev1.ServiceAccountNameKey] == "" {
			errs = append(errs, field.Required(field.NewPath("metadata", "annotations").Key(corev1.ServiceAccountNameKey), ""))
		}
	}
	return append(errs, smallEnough(size)...)
}
