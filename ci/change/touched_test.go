package change

import (
	"slices"
	"strings"
	"testing"
)

func TestBehaviour(t *testing.T) {
	for paths, want := range map[string]string{
		"":                                       "",
		"main.go README.md":                      "",
		"internal/webhook/v1/pi_webhook.go a.go": "internal/webhook/v1/pi_webhook.go",
		"internal/webhook/v1/pi_webhook_test.go": "",
		"api/v1/defaults.go api/v1/types.go":     "api/v1/defaults.go",
		"pkg/apis/Validation.go":                 "pkg/apis/Validation.go",
		"docs/validation.go test/webhook/x.go":   "",
		"charts/pi/templates/webhook.yaml":       "", // the objects are compared
		"api/v1beta1/conversion.go":              "api/v1beta1/conversion.go",
		"pkg/util/admissioncheck/check.go":       "",
		"pkg/admission/plugin.go":                "pkg/admission/plugin.go",
		"pkg/commutative.go defaultroute.go":     "",
	} {
		if got := Behaviour(strings.Fields(paths)); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q", paths, got)
		}
	}
}

func TestMayChangeBehaviour(t *testing.T) {
	for title, want := range map[string]bool{
		"feat: a": true, "fix(webhook): b": true, "Use another default": true, "perf: c": false, "refactor: d": false,
		"[release-1.5] refactor(webhook): e": false, "chore!: f": false, "docs: g": false, "test: h": false,
	} {
		if c := (Change{Title: title, Message: Read(title)}); c.MayChangeBehaviour() != want {
			t.Errorf("%s: %s, not %v", title, c.Message.Kind, want)
		}
	}
}
