package main

import (
	"context"
	"fmt"
	"strings"

	"dagger/operator-release/internal/dagger"
)

// Remote is a host of git remotes to log in to by a token.
type Remote struct {
	// +private
	Host string
	// +private
	User string
	// +private
	Token *dagger.Secret
}

// SSHLogin logs in to git remotes over SSH.
type SSHLogin struct {
	// +private
	Key *dagger.Secret
	// +private
	KnownHosts *dagger.File
}

// RemoteRefs are the refs of a git remote, which a plan is checked against.
type RemoteRefs struct {
	// +private
	Name string
	// +private
	Listing string
}

// WithGitToken logs in to a git remote.
func (m *OperatorRelease) WithGitToken(
	// The token, with permission to push branches, tags and refs/releases.
	token *dagger.Secret,
	// The remote's host, spoken to by HTTPS; or scheme and host.
	// +default="github.com"
	host string,
	// The user name that the host expects beside a token.
	// +default="x-access-token"
	username string,
) *OperatorRelease {
	m.Remotes = append(m.Remotes, &Remote{host, username, token})
	return m
}

// WithSshKey logs in to a git remote over SSH.
func (m *OperatorRelease) WithSshKey(
	// The private key, such as file://~/.ssh/release: its last line ends with a newline.
	key *dagger.Secret,
	// What identifies the remote, as ssh-keyscan prints it; a host that is not in it is refused.
	knownHosts *dagger.File,
) *OperatorRelease {
	m.SSH = &SSHLogin{key, knownHosts}
	return m
}

// WithRemoteRefs passes the refs of the git remote to a plan. The plan then refuses a repository that does not have all
// of them, before anything is built. Without it a plan reads no remote and says so. Publish always asks the remote.
func (m *OperatorRelease) WithRemoteRefs(
	ctx context.Context,
	// What git ls-remote prints: git ls-remote origin > refs.
	listing *dagger.File,
	// The remote's name in the repository.
	// +default="origin"
	remote string,
) (*OperatorRelease, error) {
	content, err := listing.Contents(ctx)
	m.Refs = &RemoteRefs{remote, content}
	return m, err
}

// withGit lets a container log in to git remotes: over HTTP by git's own protocol of credential helpers, over SSH by a key.
func (m *OperatorRelease) withGit(c *dagger.Container) *dagger.Container {
	for i, remote := range m.Remotes {
		host := remote.Host
		if !strings.Contains(host, "://") {
			host = "https://" + host
		}
		file := fmt.Sprintf("%sgit-%d", credentials, i)
		c = c.WithNewFile(file+".user", remote.User).WithMountedSecret(file+".token", remote.Token).
			WithEnvVariable(fmt.Sprintf("GIT_CONFIG_KEY_%d", i), "credential."+host+".helper").
			WithEnvVariable(fmt.Sprintf("GIT_CONFIG_VALUE_%d", i),
				fmt.Sprintf(`!f() { test "$1" = get && printf 'username=%%s\npassword=%%s\n' "$(cat %[1]s.user)" "$(cat %[1]s.token)"; }; f`, file))
	}
	if m.SSH != nil {
		key, hosts := credentials+"ssh-key", credentials+"known-hosts"
		c = c.WithMountedSecret(key, m.SSH.Key, dagger.ContainerWithMountedSecretOpts{Mode: 0o400}).WithMountedFile(hosts, m.SSH.KnownHosts).
			WithEnvVariable("GIT_SSH_COMMAND", "ssh -i "+key+" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile="+hosts)
	}
	if n := len(m.Remotes); n > 0 {
		c = c.WithEnvVariable("GIT_CONFIG_COUNT", fmt.Sprint(n))
	}
	return c
}
