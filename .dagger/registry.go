package main

import (
	"fmt"
	"strings"

	"dagger/operator-release/internal/dagger"
)

// Registry is a registry to log in to.
type Registry struct {
	// +private
	Host string
	// +private
	User string
	// +private
	Password *dagger.Secret
}

// GivenImage is an image that was made elsewhere.
type GivenImage struct {
	// +private
	Repository string
	// +private
	Archive *dagger.File
}

// WithImage takes an image of the release from an OCI archive made by another tool, instead of building it.
//
// +cache="session"
func (m *OperatorRelease) WithImage(
	// The image's repository, such as docker.io/kubeflow/spark-operator.
	repository string,
	// The OCI archive, or a tar archive of an OCI layout.
	archive *dagger.File,
) *OperatorRelease {
	m.Images = append(m.Images, &GivenImage{repository, archive})
	return m
}

// WithRegistryAuth logs in to a registry where base images are pulled, and bundles pushed and fetched.
func (m *OperatorRelease) WithRegistryAuth(
	// The registry's host, such as docker.io or ghcr.io.
	host string,
	// The user name.
	username string,
	// The password or token.
	password *dagger.Secret,
) *OperatorRelease {
	m.Registries = append(m.Registries, &Registry{host, username, password})
	return m
}

// withRegistries lets a container log in to registries, by a credential helper as Docker's configuration knows them: a registry's name
// comes in, JSON goes out.
func (m *OperatorRelease) withRegistries(c *dagger.Container) *dagger.Container {
	if len(m.Registries) == 0 {
		return c
	}
	helpers := map[string]string{}
	var cases strings.Builder
	for i, registry := range m.Registries {
		host := registry.Host
		if host == "docker.io" {
			host = "https://index.docker.io/v1/" // as Docker's configuration calls it
		}
		helpers[host] = "operator-release"
		file := fmt.Sprintf("%sregistry-%d", credentials, i)
		fmt.Fprintf(&cases, "%s) file=%s ;;\n", host, file)
		c = c.WithNewFile(file+".user", encoded(registry.User)).WithMountedSecret(file+".password", registry.Password)
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
