package buildfailure

import (
	"errors"
	"strings"
	"testing"
)

const content = `# syntax=docker/dockerfile:1
ARG BASE=debian:bookworm-slim
FROM golang:1.26 AS build
RUN --mount=type=cache,target=/root/.cache go build ./...
RUN echo one && \
    # a comment between
    echo "something is missing" >&2 && \
    false
run ["make", "all"]
FROM --platform=linux/amd64 example.com/base:1.2
FROM scratch
`

// TestFailure holds what is said of failures, with the line.
func TestFailure(t *testing.T) {
	failed := errors.New("exit code: 1")
	for name, c := range map[string]struct {
		f    Failure
		want string
	}{
		"a command of several lines": {
			Failure{Command: []string{"/bin/sh", "-c", `echo one &&     echo "something is missing" >&2 &&     false`},
				Output: "something is missing\n", Err: failed},
			`Dockerfile:5: RUN echo one &&     echo "something is missing" >&2 &&     false: exit code: 1: something is missing`},
		"a mount": {Failure{Command: []string{"/bin/sh", "-c", "go build ./..."}, Err: failed},
			"Dockerfile:4: RUN go build ./...: exit code: 1"},
		"a list": {Failure{Command: []string{"make", "all"}, Err: failed}, "Dockerfile:9: RUN make all: exit code: 1"},
		"a command of no line": {Failure{Command: []string{"/bin/sh", "-c", "go build"}, Err: failed},
			"Dockerfile: RUN go build: exit code: 1"},
		"a base": {Failure{Err: errors.New("example.com/base:1.2: not found")},
			"Dockerfile:10: example.com/base:1.2: not found"},
		"a base, as builders write it": {Failure{Err: errors.New("failed to resolve docker.io/library/golang:1.26: 403")},
			"Dockerfile:3: failed to resolve docker.io/library/golang:1.26: 403"},
		"something else": {Failure{Err: errors.New("no space left")}, "Dockerfile: no space left"},
		"much output": {Failure{Err: failed, Output: strings.Repeat("a", 3000)},
			"Dockerfile: exit code: 1: " + strings.Repeat("a", maxOutput)},
	} {
		c.f.Name, c.f.Content = "Dockerfile", content
		if got := c.f.Error(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// FuzzFailure: any Dockerfile and any command give a text.
func FuzzFailure(f *testing.F) {
	f.Add(content, "go build ./...", "exit code: 1")
	f.Add("RUN \\\n", "", "")
	f.Fuzz(func(t *testing.T, content, command, answer string) {
		failure := Failure{Name: "Dockerfile", Content: content, Command: []string{"/bin/sh", "-c", command}, Err: errors.New(answer)}
		if line := failure.line(); line < 0 || line > strings.Count(content, "\n")+1 {
			t.Errorf("line %d", line)
		}
		_ = failure.Error()
	})
}
