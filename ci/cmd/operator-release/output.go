package main

import (
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"k8s.io/klog/v2"

	"github.com/operator-release/operator-release/ci/redact"
)

// newApp prints to standard output and standard error, without the secrets that stand in the environment and in the
// arguments. It is the only place that takes os.Stdout and os.Stderr.
func newApp(args []string) *app {
	secrets := &redact.Secrets{}
	secrets.Environment(os.Environ())
	for _, arg := range args {
		secrets.Learn(arg)
	}
	return &app{secrets: secrets, stdout: secrets.Writer(os.Stdout), stderr: secrets.Writer(os.Stderr)}
}

// flush gives out the end of what was printed.
func (a *app) flush() {
	_, _ = a.stdout.Flush(), a.stderr.Flush() // an error cannot be printed any more
}

// routeLogs sends what libraries log to the redacting writer of standard error: by log, log/slog, klog and
// OpenTelemetry. Lines below the level of a warning are dropped; the standard logger has no levels and counts as one.
func (a *app) routeLogs() {
	handler := slog.NewTextHandler(libraryLines{a}, &slog.HandlerOptions{
		Level: slog.LevelWarn,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if len(groups) == 0 && attr.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attr
		},
	})
	slog.SetDefault(slog.New(handler))
	// SetDefault leads the standard logger to the handler, at the level of an information.
	slog.SetLogLoggerLevel(slog.LevelWarn)
	klog.SetSlogLogger(slog.New(handler))
	otel.SetLogger(logr.FromSlogHandler(handler))
}

// guarded prints a panic to the redacting writer, with its stack, and gives exit code 1: Go's own 2 would say that
// nothing was written. A panic in another goroutine still ends the process past it.
func (a *app) guarded(do func() int) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(a.stderr, "panic: %v\n\n%s", p, debug.Stack())
			code = 1
		}
	}()
	return do()
}

// libraryLines are the lines that libraries log. With --quiet they are dropped, as all progress is.
type libraryLines struct{ a *app }

func (l libraryLines) Write(line []byte) (int, error) {
	if l.a.quiet {
		return len(line), nil
	}
	return l.a.stderr.Write(line)
}
