package main

import (
	"context"
	"crypto/rand"
	"errors"

	"dagger/tests/internal/dagger"
)

// lighttpd serves a repository over HTTP to whoever knows the password, by git's own http-backend.
const lighttpd = `server.modules = ("mod_auth", "mod_authn_file", "mod_setenv", "mod_alias", "mod_cgi")
server.document-root = "/srv"
server.port = 8080
server.stream-request-body = 1
auth.backend = "htpasswd"
auth.backend.htpasswd.userfile = "/htpasswd"
auth.require = ("" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))
setenv.set-environment = ("GIT_PROJECT_ROOT" => "/srv", "GIT_HTTP_EXPORT_ALL" => "1")
alias.url = ("/git" => "/usr/lib/git-core/git-http-backend")
cgi.assign = ("" => "")
`

// Secrets publishes to a registry and a git server that ask for a password, and pushes a branch; the password is nowhere afterwards.
//
// +check
func (t *Tests) Secrets(ctx context.Context) error {
	canary := "canary-" + rand.Text() + `"\`
	secret := dag.SetSecret("canary", canary)
	locked := t.services().
		WithMountedSecret("/password", secret).
		WithExec([]string{"sh", "-c", "htpasswd -iBc /htpasswd robot < /password && chmod 644 /htpasswd"}).
		WithoutMount("/password")
	registry, err := serve(ctx, "secrets", locked.WithNewFile("/registry.yml",
		"version: 0.1\nstorage: {inmemory: {}}\nhttp: {addr: ':5000'}\nauth: {htpasswd: {realm: test, path: /htpasswd}}\n"), 5000, "docker-registry", "serve", "/registry.yml")
	if err != nil {
		return err
	}
	remote, err := serve(ctx, "secrets", locked.
		WithExec([]string{"git", "init", "--quiet", "--bare", "/srv/tiny.git"}).
		WithExec([]string{"git", "-C", "/srv/tiny.git", "config", "http.receivepack", "true"}).
		WithExec([]string{"chmod", "-R", "a+rwX", "/srv"}).
		WithNewFile("/lighttpd.conf", lighttpd), 8080, "lighttpd", "-D", "-f", "/lighttpd.conf")
	if err != nil {
		return err
	}
	module := t.module(t.repository(copied)).WithService("locked", registry).WithService("remote", remote)
	to := dagger.OperatorReleasePublishOpts{Registry: "locked:5000", Remote: "http://remote:8080/git/tiny.git"}
	if _, err := module.Publish(ctx, version, to); err == nil {
		return errors.New("it published without a password")
	}
	if _, err := module.Prepare(version).Push(ctx, to.Remote); err == nil {
		return errors.New("it pushed without a password")
	}
	module = module.
		WithRegistryAuth("locked:5000", "robot", secret).
		WithGitToken(secret, dagger.OperatorReleaseWithGitTokenOpts{Host: "http://remote:8080", Username: "robot"})
	pushed, err := module.Prepare(version).Push(ctx, to.Remote) // before its line is there: the repository stays as it is
	if err != nil {
		return err
	}
	report, err := module.Publish(ctx, version, to)
	if err != nil {
		return err
	}
	if err := has(report, "is published\n", "✓ 6  refs/tags/"+version); err != nil {
		return err
	}
	if err := has(pushed, "✓ branch prepare/"+version+" at ", ", pushed\n"); err != nil {
		return err
	}
	// It is in nothing that was built, and in nothing that was said.
	_, err = dag.Container().From(t.DebianImage).
		WithMountedDirectory("/bundle", module.Bundle(version).Directory()).
		WithNewFile("/report", report+pushed).
		WithMountedSecret("/canary", secret).
		WithExec([]string{"sh", "-c", "! grep -raqFf /canary /bundle /report"}).Sync(ctx)
	return err
}
