package gate

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// probes validates a container's probes and lifecycle. ports are the names of its ports: a kubelet finds no other, so
// that a probe of one fails for ever.
func probes(c *corev1.Container, at *field.Path, ports []string) field.ErrorList {
	var errs field.ErrorList
	for name, p := range map[string]*corev1.Probe{"livenessProbe": c.LivenessProbe, "readinessProbe": c.ReadinessProbe,
		"startupProbe": c.StartupProbe} {
		if p == nil {
			continue
		}
		at := at.Child(name)
		errs = append(errs, handler(p.Exec, p.HTTPGet, p.TCPSocket, p.GRPC, nil, at, ports)...)
		for name, value := range map[string]int32{"initialDelaySeconds": p.InitialDelaySeconds,
			"timeoutSeconds": p.TimeoutSeconds, "periodSeconds": p.PeriodSeconds, "successThreshold": p.SuccessThreshold,
			"failureThreshold": p.FailureThreshold} {
			errs = append(errs, apivalidation.ValidateNonnegativeField(int64(value), at.Child(name))...)
		}
		if name != "readinessProbe" && p.SuccessThreshold > 1 {
			errs = append(errs, field.Invalid(at.Child("successThreshold"), p.SuccessThreshold, "must be 1"))
		}
		if seconds := p.TerminationGracePeriodSeconds; seconds != nil && (name == "readinessProbe" || *seconds < 1) {
			errs = append(errs, field.Invalid(at.Child("terminationGracePeriodSeconds"), *seconds, "must be greater than 0, "+
				"and not set for readinessProbes"))
		}
	}
	if c.Lifecycle == nil {
		return errs
	}
	for name, h := range map[string]*corev1.LifecycleHandler{"postStart": c.Lifecycle.PostStart,
		"preStop": c.Lifecycle.PreStop} {
		if h != nil {
			errs = append(errs, handler(h.Exec, h.HTTPGet, h.TCPSocket, nil, h.Sleep, at.Child("lifecycle", name), ports)...)
		}
	}
	return errs
}

// handler validates what a probe or a lifecycle hook does.
func handler(exec *corev1.ExecAction, get *corev1.HTTPGetAction, socket *corev1.TCPSocketAction,
	grpc *corev1.GRPCAction, sleep *corev1.SleepAction, at *field.Path, ports []string) field.ErrorList {
	handlers := 0
	for _, given := range []bool{exec != nil, get != nil, socket != nil, grpc != nil, sleep != nil} {
		if given {
			handlers++
		}
	}
	switch {
	case handlers == 0:
		return field.ErrorList{field.Required(at, "must specify a handler type")}
	case handlers > 1:
		return field.ErrorList{field.Forbidden(at, "may not specify more than 1 handler type")}
	case exec != nil && len(exec.Command) == 0:
		return field.ErrorList{field.Required(at.Child("exec", "command"), "")}
	case socket != nil:
		return probedPort(socket.Port, at.Child("tcpSocket", "port"), ports)
	case grpc != nil:
		return probedPort(intstr.FromInt32(grpc.Port), at.Child("grpc", "port"), ports)
	case get == nil:
		return nil
	}
	at = at.Child("httpGet")
	errs := probedPort(get.Port, at.Child("port"), ports)
	for i, h := range get.HTTPHeaders {
		errs = append(errs, invalid(at.Child("httpHeaders").Index(i).Child("name"), h.Name,
			validation.IsHTTPHeaderName(h.Name))...)
	}
	return errs
}

// probedPort validates a port that a kubelet asks.
func probedPort(p intstr.IntOrString, at *field.Path, ports []string) field.ErrorList {
	switch wrong := validation.IsValidPortName(p.StrVal); {
	case p.Type == intstr.Int:
		var errs field.ErrorList
		for _, m := range validation.IsValidPortNum(int(p.IntVal)) {
			errs = append(errs, field.Invalid(at, p.IntVal, m))
		}
		return errs
	case len(wrong) > 0:
		return invalid(at, p.StrVal, wrong)
	case !slices.Contains(ports, p.StrVal):
		return field.ErrorList{field.NotFound(at, p.StrVal+" among the names of the container's ports")}
	}
	return nil
}
