package main

import (
	"context"
	"strings"

	"dagger/operator-release/internal/dagger"
)

// Notes says what a version brings, in Markdown: a tagged one, or one that may come next, of the commit that is checked out.
func (m *OperatorRelease) Notes(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
) (string, error) {
	if err := m.lines("notes"); err != nil {
		return "", err
	}
	return m.command(m.Base, dagger.ReturnTypeSuccess, "notes", "--", version).Stdout(ctx)
}

// NotesAtGithub says what a version brings with the titles and authors of pull requests at the repository that with-github names, in Markdown.
//
// +cache="never"
func (m *OperatorRelease) NotesAtGithub(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
	// Put them on the version's release page, in place of the notes that are there.
	// +optional
	toPage bool,
) (string, error) {
	if err := m.lines("notes"); err != nil {
		return "", err
	}
	args := m.github()
	if toPage {
		args = append(args, "--to-page")
	}
	return m.command(m.toTheWorld(m.Base), dagger.ReturnTypeSuccess, "notes", append(args, "--", version)...).Stdout(ctx)
}

// Ledger says which fixes of the development branch are on which line, and what is on a line alone.
func (m *OperatorRelease) Ledger(
	ctx context.Context,
	// The lines, such as 1.5,1.4, instead of the supported ones.
	// +optional
	lines []string,
) (string, error) {
	if err := m.lines("ledger"); err != nil {
		return "", err
	}
	args := []string{"--status"}
	if len(lines) > 0 {
		args = append(args, "--onto="+strings.Join(lines, ","))
	}
	return m.command(m.Base, dagger.ReturnTypeSuccess, "backport", args...).Stdout(ctx)
}

// UpgradeGuide says what to do before, during and after an upgrade, and whether one can go back, in Markdown.
func (m *OperatorRelease) UpgradeGuide(
	ctx context.Context,
	// The version to come from, a tagged one.
	from string,
	// The version to go to: a tagged one, or one that would be made of the commit that is checked out.
	to string,
) (string, error) {
	if err := m.lines("upgrade-guide"); err != nil {
		return "", err
	}
	return m.command(m.Base, dagger.ReturnTypeSuccess, "upgrade-guide", "--", from, to).Stdout(ctx)
}

// WhyNot explains point by point what a version contains, and what its policy says about it; it fails where something speaks against the version.
func (m *OperatorRelease) WhyNot(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N.
	version string,
) (string, error) {
	return m.command(m.Base, dagger.ReturnTypeSuccess, "plan", append(m.accepting(), "--why-not", "--", version)...).Stdout(ctx)
}

// Support says what the supported lines stand on, Go and base images, against the newest patches that the Go module proxy and the registries know.
//
// +cache="never"
func (m *OperatorRelease) Support(ctx context.Context) (string, error) {
	if err := m.lines("support"); err != nil {
		return "", err
	}
	args := []string{"--support"}
	for _, mirror := range m.Mirror {
		args = append(args, "--mirror="+mirror)
	}
	for _, host := range m.PlainHTTP {
		args = append(args, "--plain-http="+host)
	}
	return m.command(m.toTheWorld(m.Base), dagger.ReturnTypeSuccess, "plan", args...).Stdout(ctx)
}

// Audit reads every surface of published versions back and compares it with the record, or, of versions that are older than this tool, with each other; it fails
// where anything differs. Without registry, remote and backup it looks at the repository's own refs.
//
// +cache="never"
func (m *OperatorRelease) Audit(
	ctx context.Context,
	// The version: vX.Y.Z or vX.Y.Z-rc.N; all of them where it is absent.
	// +optional
	version string,
	// Of all versions look at this one and those after it.
	// +optional
	since string,
	// Look for every repository under this registry: HOST[/PREFIX].
	// +optional
	registry string,
	// Read the refs of this git remote: a URL.
	// +optional
	remote string,
	// Look into this backup: a repository at a registry.
	// +optional
	backup string,
	// Look where the settings say: each repository's own registry, their remote (else the repository's), their backup.
	// +optional
	toConfigured bool,
) (string, error) {
	if remote == "" && !toConfigured {
		if err := m.lines("audit"); err != nil {
			return "", err
		}
	}
	args := m.to(registry, remote, backup, toConfigured)
	if since != "" {
		args = append(args, "--since="+since)
	}
	if version == "" {
		args = append(args, "--all")
	} else {
		args = append(args, "--", version)
	}
	return m.command(m.knowingIdentities(m.toTheWorld(m.Base)), dagger.ReturnTypeSuccess, "audit", args...).Stdout(ctx)
}

// Catalog makes a static site about all versions, which asks nobody anything: which one to run, how to get there, and whether one can go back; with Helm's index of charts beside it. It reads
// records where it looks, and of versions without one the repository alone.
//
// +cache="never"
func (m *OperatorRelease) Catalog(
	ctx context.Context,
	// Where the site will be, such as https://OWNER.github.io/REPO/: its feed and Helm's commands name it.
	// +optional
	site string,
	// Look for every repository under this registry: HOST[/PREFIX].
	// +optional
	registry string,
	// Read the refs of this git remote: a URL.
	// +optional
	remote string,
	// Look into this backup: a repository at a registry.
	// +optional
	backup string,
	// Look where the settings say: each repository's own registry, their remote (else the repository's), their backup.
	// +optional
	toConfigured bool,
) (*dagger.Directory, error) {
	if remote == "" && !toConfigured {
		if err := m.lines("catalog"); err != nil {
			return nil, err
		}
	}
	args := append(m.to(registry, remote, backup, toConfigured), "--output="+siteAt)
	if site != "" {
		args = append(args, "--site="+site)
	}
	return m.command(m.knowingIdentities(m.toTheWorld(m.Base)), dagger.ReturnTypeSuccess, "catalog", args...).Directory(siteAt), nil
}

// siteAt is where a catalog is made in a container.
const siteAt = "/site"
