package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"dagger/operator-release/internal/dagger"
)

// toTheWorld lets a container ask the world and write to it, anew each time: no earlier run's answer is taken. Retries are the stage's own.
func (m *OperatorRelease) toTheWorld(c *dagger.Container) *dagger.Container {
	if m.GithubToken != nil {
		c = c.WithSecretVariable("GITHUB_TOKEN", m.GithubToken)
	}
	return anew(m.withGit(m.withRegistries(m.withServices(c))))
}

// anew lets what runs in a container run again, whatever ran before.
func anew(c *dagger.Container) *dagger.Container {
	return c.WithEnvVariable("OPERATOR_RELEASE_CALLED_AT", time.Now().UTC().Format(time.RFC3339Nano))
}

func (m *OperatorRelease) withServices(c *dagger.Container) *dagger.Container {
	for i, name := range m.ServiceNames {
		c = c.WithServiceBinding(name, m.Services[i])
	}
	return c
}

// credentials is the folder of what logs in. Secrets are mounted in it and in no layer, argument or variable.
const credentials = "/run/operator-release/"

// withRegistries lets a container log in to registries, by a credential helper as Docker's configuration knows them: a registry's name
// comes in, JSON goes out.
func (m *OperatorRelease) withRegistries(c *dagger.Container) *dagger.Container {
	if len(m.RegistryHosts) == 0 {
		return c
	}
	helpers := map[string]string{}
	var cases strings.Builder
	for i, host := range m.RegistryHosts {
		if host == "docker.io" {
			host = "https://index.docker.io/v1/" // as Docker's configuration calls it
		}
		helpers[host] = "operator-release"
		file := fmt.Sprintf("%sregistry-%d", credentials, i)
		fmt.Fprintf(&cases, "%s) file=%s ;;\n", host, file)
		c = c.WithNewFile(file+".user", encoded(m.RegistryUsers[i])).WithMountedSecret(file+".password", m.RegistryPasswords[i])
	}
	return c.
		WithNewFile("/usr/local/bin/docker-credential-operator-release", `#!/bin/sh
test "$1" = get || exit 1
host=$(cat)
case "$host" in
`+cases.String()+`*) echo "credentials not found in native keychain"; exit 1 ;;
esac
printf '{"ServerURL":"%s","Username":%s,"Secret":"%s"}\n' "$host" "$(cat $file.user)" "$(sed 's/["\\]/\\&/g' $file.password)"
`, dagger.ContainerWithNewFileOpts{Permissions: 0o755}).
		WithNewFile(credentials+"config.json", encoded(map[string]any{"credHelpers": helpers})).
		WithEnvVariable("DOCKER_CONFIG", credentials)
}

// withGit lets a container log in to git remotes: over HTTP by git's own protocol of credential helpers, over SSH by a key.
func (m *OperatorRelease) withGit(c *dagger.Container) *dagger.Container {
	for i, host := range m.GitHosts {
		if !strings.Contains(host, "://") {
			host = "https://" + host
		}
		file := fmt.Sprintf("%sgit-%d", credentials, i)
		c = c.WithNewFile(file+".user", m.GitUsers[i]).WithMountedSecret(file+".token", m.GitTokens[i]).
			WithEnvVariable(fmt.Sprintf("GIT_CONFIG_KEY_%d", i), "credential."+host+".helper").
			WithEnvVariable(fmt.Sprintf("GIT_CONFIG_VALUE_%d", i),
				fmt.Sprintf(`!f() { test "$1" = get && printf 'username=%%s\npassword=%%s\n' "$(cat %[1]s.user)" "$(cat %[1]s.token)"; }; f`, file))
	}
	if m.SSHKey != nil {
		key, hosts := credentials+"ssh-key", credentials+"known-hosts"
		c = c.WithMountedSecret(key, m.SSHKey, dagger.ContainerWithMountedSecretOpts{Mode: 0o400}).WithMountedFile(hosts, m.KnownHosts).
			WithEnvVariable("GIT_SSH_COMMAND", "ssh -i "+key+" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile="+hosts)
	}
	if n := len(m.GitHosts); n > 0 {
		c = c.WithEnvVariable("GIT_CONFIG_COUNT", fmt.Sprint(n))
	}
	return c
}

// encoded is v as JSON.
func encoded(v any) string {
	content, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and maps of them
	}
	return string(content)
}
