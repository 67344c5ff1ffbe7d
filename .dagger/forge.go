package main

import "dagger/operator-release/internal/dagger"

// Forge is where release pages and pull requests are made.
type Forge struct {
	// +private
	Repository string // OWNER/REPO; empty: the one that the settings name
	// +private
	URL string // of its API; empty: GitHub's own
	// +private
	Token *dagger.Secret
}

// WithGithub makes release pages at GitHub where versions are published, marks them where versions are withdrawn, and opens
// pull requests of backports.
func (m *OperatorRelease) WithGithub(
	// A token with permission to write contents; for backports pull requests, too.
	token *dagger.Secret,
	// The repository: OWNER/REPO, a named destination, which replaces all configured ones. Without it the token alone is
	// taken, for the one that the settings name.
	// +optional
	repository string,
	// Where GitHub's API is, such as https://github.example.com; GitHub's own where it is not named.
	// +optional
	url string,
) *OperatorRelease {
	m.Forge = &Forge{repository, url, token}
	return m
}

// WithChartIndex adds charts to Helm's index.yaml on a branch of the git remote where versions are published, and marks
// them there where versions are withdrawn. It names a destination, which replaces all configured ones.
func (m *OperatorRelease) WithChartIndex(
	// The branch.
	// +default="gh-pages"
	branch string,
) *OperatorRelease {
	m.Index = branch
	return m
}

// withForge gives a container the token of the forge.
func (m *OperatorRelease) withForge(c *dagger.Container) *dagger.Container {
	if m.Forge == nil {
		return c
	}
	return c.WithSecretVariable("GITHUB_TOKEN", m.Forge.Token)
}

// github are the flags that say where GitHub is, and which hosts are spoken to without TLS.
func (m *OperatorRelease) github() []string {
	at := m.given("", "", "", false)
	at.Index = ""
	return at.Flags()
}
