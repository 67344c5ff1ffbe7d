package gate

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // time zones are the same on each machine

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func jobSpec(s *batchv1.JobSpec, at *field.Path) field.ErrorList {
	errs := podTemplate(&s.Template, at.Child("template"))
	restarts := []corev1.RestartPolicy{corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever}
	policy := at.Child("template", "spec", "restartPolicy")
	switch p := s.Template.Spec.RestartPolicy; {
	case p == "":
		errs = append(errs, field.Required(policy, "valid values: \"OnFailure\", \"Never\""))
	case !slices.Contains(restarts, p):
		errs = append(errs, field.NotSupported(policy, p, restarts))
	}
	for name, value := range map[string]*int32{"backoffLimit": s.BackoffLimit, "completions": s.Completions,
		"parallelism": s.Parallelism, "ttlSecondsAfterFinished": s.TTLSecondsAfterFinished} {
		errs = append(errs, notNegative(at.Child(name), value)...)
	}
	if d := s.ActiveDeadlineSeconds; d != nil {
		errs = append(errs, apivalidation.ValidateNonnegativeField(*d, at.Child("activeDeadlineSeconds"))...)
	}
	if m := s.CompletionMode; m != nil && *m == batchv1.IndexedCompletion && s.Completions == nil {
		errs = append(errs, field.Required(at.Child("completions"), "when completion mode is Indexed"))
	}
	return append(errs, selector(s.Selector, at.Child("selector"))...)
}

// job validates a Job by itself. A server makes its selector unless manualSelector says that it is the chart's.
func job(s *batchv1.JobSpec, at *field.Path) field.ErrorList {
	errs := jobSpec(s, at)
	manual := s.ManualSelector != nil && *s.ManualSelector
	place := at.Child("selector")
	switch {
	case s.Selector == nil && manual:
		errs = append(errs, field.Required(place, ""))
	case s.Selector == nil:
	case !manual:
		own := []string{"controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"}
		for _, label := range slices.Sorted(maps.Keys(s.Selector.MatchLabels)) {
			if !slices.Contains(own, label) {
				errs = append(errs, field.Invalid(place, label, "`selector` not auto-generated; leave it out"))
			}
		}
	default:
		selects, err := metav1.LabelSelectorAsSelector(s.Selector)
		if err == nil && !selects.Matches(labelSet(s.Template.Labels)) {
			errs = append(errs, field.Invalid(at.Child("template", "metadata", "labels"), fmt.Sprint(s.Template.Labels),
				fmt.Sprintf("`selector` (%s) does not match template `labels`", selects)))
		}
	}
	return errs
}

// longestCronJobName leaves room for the 11 characters that the controller appends to the name of a Job.
const longestCronJobName = 52

func scheduledJob(c *batchv1.CronJob, at *field.Path) field.ErrorList {
	errs := jobSpec(&c.Spec.JobTemplate.Spec, at.Child("jobTemplate", "spec"))
	if len(c.Name) > longestCronJobName {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), c.Name,
			fmt.Sprintf("must be no more than %d characters", longestCronJobName)))
	}
	errs = append(errs, notNegative(at.Child("successfulJobsHistoryLimit"), c.Spec.SuccessfulJobsHistoryLimit)...)
	errs = append(errs, notNegative(at.Child("failedJobsHistoryLimit"), c.Spec.FailedJobsHistoryLimit)...)
	if d := c.Spec.StartingDeadlineSeconds; d != nil {
		errs = append(errs, apivalidation.ValidateNonnegativeField(*d, at.Child("startingDeadlineSeconds"))...)
	}
	inner, template := at.Child("jobTemplate", "spec"), &c.Spec.JobTemplate.Spec
	if template.Selector != nil {
		errs = append(errs, field.Invalid(inner.Child("selector"), "", "`selector` will be auto-generated; leave it out"))
	}
	if template.ManualSelector != nil && *template.ManualSelector {
		errs = append(errs, field.NotSupported(inner.Child("manualSelector"), true, []string{"nil", "false"}))
	}
	if zone := c.Spec.TimeZone; zone != nil {
		if problem := zoneProblem(*zone); problem != "" {
			errs = append(errs, field.Invalid(at.Child("timeZone"), *zone, problem))
		}
	}
	schedule := at.Child("schedule")
	switch problem := cronProblem(c.Spec.Schedule); {
	case strings.TrimSpace(c.Spec.Schedule) == "":
		errs = append(errs, field.Required(schedule, ""))
	case strings.Contains(c.Spec.Schedule, "TZ="):
		errs = append(errs, field.Invalid(schedule, c.Spec.Schedule,
			"cannot use TZ or CRON_TZ in schedule, use timeZone field instead"))
	case problem != "":
		errs = append(errs, field.Invalid(schedule, c.Spec.Schedule, problem))
	}
	return errs
}

// cronFields are the fields of a schedule, with their bounds and the names that stand for numbers from the least on.
var cronFields = []struct {
	name        string
	least, most int
	names       []string
}{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of month", 1, 31, nil},
	{"month", 1, 12, strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")},
	{"day of week", 0, 6, strings.Fields("sun mon tue wed thu fri sat")},
}

var cronDescriptors = strings.Fields("@yearly @annually @monthly @weekly @daily @midnight @hourly")

// cronProblem says why a server cannot read a schedule; empty if it can.
func cronProblem(schedule string) string {
	if every, ok := strings.CutPrefix(schedule, "@every "); ok {
		if _, err := time.ParseDuration(every); err != nil {
			return fmt.Sprintf("failed to parse duration %q", every)
		}
		return ""
	}
	if strings.HasPrefix(schedule, "@") {
		if !slices.Contains(cronDescriptors, schedule) {
			return "unrecognized descriptor; known are " + strings.Join(cronDescriptors, ", ")
		}
		return ""
	}
	fields := strings.Fields(schedule)
	if len(fields) != len(cronFields) {
		return fmt.Sprintf("expected exactly %d fields, found %d", len(cronFields), len(fields))
	}
	for i, f := range cronFields {
		for _, part := range strings.FieldsFunc(fields[i], func(r rune) bool { return r == ',' }) {
			if problem := cronRange(part, f.least, f.most, f.names); problem != "" {
				return fmt.Sprintf("%s %q: %s", f.name, part, problem)
			}
		}
	}
	return ""
}

// cronRange says what is wrong with a number, a range or a step of a schedule.
func cronRange(part string, least, most int, names []string) string {
	ends, step, stepped := strings.Cut(part, "/")
	if stepped {
		if n, err := strconv.Atoi(step); err != nil || n < 1 {
			return "the step is no positive number"
		}
	}
	first, last, isRange := strings.Cut(ends, "-")
	if first == "*" || first == "?" {
		return "" // a server reads no end then
	}
	number := func(text string) (int, bool) {
		if i := slices.Index(names, strings.ToLower(text)); i >= 0 {
			return least + i, true
		}
		n, err := strconv.Atoi(text)
		return n, err == nil
	}
	from, ok := number(first)
	to := from
	if ok && isRange {
		to, ok = number(last)
	} else if stepped {
		to = most
	}
	switch {
	case !ok:
		return "it is no number"
	case from < least || to > most:
		return fmt.Sprintf("it is outside %d-%d", least, most)
	case from > to:
		return "its beginning is beyond its end"
	}
	return ""
}

var zonePart = regexp.MustCompile(`^[A-Za-z._0-9+-]{1,14}$`)

// zoneProblem says why a server does not take a time zone; empty if it does.
func zoneProblem(zone string) string {
	switch {
	case zone == "":
		return "timeZone must be nil or non-empty string"
	case strings.EqualFold(zone, "Local"):
		return "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
	}
	for part := range strings.SplitSeq(zone, "/") {
		if part == "." || part == ".." || strings.HasPrefix(part, "-") || !zonePart.MatchString(part) {
			return "unknown time zone"
		}
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return "unknown time zone"
	}
	return ""
}
