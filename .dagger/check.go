package main

import (
	"context"

	"dagger/operator-release/internal/dagger"
)

// check runs a subcommand that looks at the repository.
func (m *OperatorRelease) check(ctx context.Context, name string) (string, error) {
	return m.command(m.Base, dagger.ReturnTypeSuccess, name).Stdout(ctx)
}

// Test asks the gate: the repository's own tests, and its charts.
//
// +check
func (m *OperatorRelease) Test(ctx context.Context) (string, error) {
	return m.check(ctx, "test")
}

// Lint runs the repository's linters: gofmt and go vet, or what its settings name.
//
// +check
func (m *OperatorRelease) Lint(ctx context.Context) (string, error) {
	return m.check(ctx, "lint")
}

// ChartLint checks the charts alone: lint, render, every object held to its schema.
//
// +check
func (m *OperatorRelease) ChartLint(ctx context.Context) (string, error) {
	return m.check(ctx, "chart-lint")
}
