package main

import (
	"context"

	"dagger/operator-release/internal/dagger"
)

// Withdraw marks a published version as bad, for all to see, or as good again; nothing of it is deleted, and no pointer moves, unless one is led back by undoing.
//
// +cache="never"
func (m *OperatorRelease) Withdraw(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
	// Why; users read it.
	because string,
	// Mark it as good again.
	// +optional
	undo bool,
	// The registry that every repository lies under: HOST[/PREFIX].
	// +optional
	registry string,
	// The git remote: a name or a URL.
	// +optional
	remote string,
	// The repository at a registry that keeps copies.
	// +optional
	backup string,
	// Go where the settings say: each repository's own registry, their remote (else the repository's), their backup.
	// +optional
	toConfigured bool,
) (string, error) {
	return m.back("withdraw", version, because, undo, m.to(registry, remote, backup, toConfigured)).Stdout(ctx)
}

// Rollback says what it would write to withdraw a version and lead floating tags to the one before, what users have to do, and tries it on throwaway destinations. With the plan that
// it names it is done.
//
// +cache="never"
func (m *OperatorRelease) Rollback(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
	// Why; users read it.
	because string,
	// The hash of the plan that was shown: do it.
	// +optional
	plan string,
	// Mark it as good again, and lead floating tags forward.
	// +optional
	undo bool,
	// The registry that every repository lies under: HOST[/PREFIX].
	// +optional
	registry string,
	// The git remote: a name or a URL.
	// +optional
	remote string,
	// The repository at a registry that keeps copies.
	// +optional
	backup string,
	// Go where the settings say: each repository's own registry, their remote (else the repository's), their backup.
	// +optional
	toConfigured bool,
) (string, error) {
	flags := m.to(registry, remote, backup, toConfigured)
	if plan != "" {
		flags = append(flags, "--plan="+plan)
	}
	return m.back("rollback", version, because, undo, flags).Stdout(ctx)
}

// back runs a command that marks a version.
func (m *OperatorRelease) back(name, version, because string, undo bool, flags []string) *dagger.Container {
	flags = append(flags, "--because="+because)
	if undo {
		flags = append(flags, "--undo")
	}
	return m.command(m.knowingIdentities(m.toTheWorld(m.Base)), dagger.ReturnTypeSuccess, name, append(flags, "--", version)...)
}

// to are the flags of the command that say where.
func (m *OperatorRelease) to(registry, remote, backup string, configured bool) []string {
	return m.given(registry, remote, backup, configured).Flags()
}
