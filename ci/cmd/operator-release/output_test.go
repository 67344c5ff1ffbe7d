package main

import (
	"bytes"
	"errors"
	"io"
	"log"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"k8s.io/klog/v2"

	"github.com/operator-release/operator-release/ci/redact"
)

func TestAPanicPassesTheWriter(t *testing.T) {
	secrets := &redact.Secrets{}
	secrets.Add("a-very-secret-value")
	var out bytes.Buffer
	a := &app{secrets: secrets, stdout: secrets.Writer(&out), stderr: secrets.Writer(&out)}
	code := a.guarded(func() int { panic("no a-very-secret-value here") })
	a.flush()
	said := out.String()
	if code != 1 || !strings.HasPrefix(said, "panic: no *** here\n") || !strings.Contains(said, "output_test.go") {
		t.Errorf("code %d, %s", code, said)
	}
}

func TestLibraryLogsPassTheWriter(t *testing.T) {
	const canary = "a-very-secret-value"
	logged := map[string]func(){
		"log":           func() { log.Printf("failed with %s", canary) },
		"slog":          func() { slog.Warn("failed", "with", canary) },
		"klog":          func() { klog.Errorf("failed with %s", canary) },
		"klog, fields":  func() { klog.ErrorS(errors.New(canary), "failed", "with", canary) },
		"OpenTelemetry": func() { otel.Handle(errors.New("failed with " + canary)) },
	}
	secrets := &redact.Secrets{}
	secrets.Add(canary)
	t.Cleanup(func() { log.SetOutput(io.Discard) })
	for name, write := range logged {
		for _, quiet := range []bool{false, true} {
			var out bytes.Buffer
			a := &app{secrets: secrets, stderr: secrets.Writer(&out), quiet: quiet}
			a.routeLogs()
			write()
			a.stderr.Flush()
			said := out.String()
			if quiet && said != "" || !quiet && (!strings.Contains(said, "failed") || !strings.Contains(said, redact.Mark)) ||
				strings.Contains(said, canary) {
				t.Errorf("%s, quiet: %t: %q", name, quiet, said)
			}
		}
	}
}
