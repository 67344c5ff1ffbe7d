package main

import "context"

// command runs a subcommand of the tool over the repository.
func (m *OperatorRelease) command(ctx context.Context, name string) (string, error) {
	c := withCaches(m.Base).WithMountedDirectory("/repository", m.Repository).WithWorkdir("/repository")
	args := []string{"operator-release", name, "--quiet"}
	if m.Settings != nil {
		c = c.WithNewFile("/settings.yaml", *m.Settings)
		args = append(args, "--config", "/settings.yaml")
	}
	return c.WithExec(args).Stdout(ctx)
}

// Test asks the gate: the repository's own tests, and its charts.
//
// +check
func (m *OperatorRelease) Test(ctx context.Context) (string, error) {
	return m.command(ctx, "test")
}

// Lint runs the repository's linters: gofmt and go vet, or what its settings name.
//
// +check
func (m *OperatorRelease) Lint(ctx context.Context) (string, error) {
	return m.command(ctx, "lint")
}

// ChartLint checks the charts alone: lint, render, every object held to its schema.
//
// +check
func (m *OperatorRelease) ChartLint(ctx context.Context) (string, error) {
	return m.command(ctx, "chart-lint")
}
