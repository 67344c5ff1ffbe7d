package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"dagger.io/dagger"
	"dagger.io/dagger/engineconn"

	"github.com/operator-release/operator-release/ci/buildfailure"
	"github.com/operator-release/operator-release/ci/refusal"
)

const cliVariable = "_EXPERIMENTAL_DAGGER_CLI_BIN"

// EngineReachable tells how BuildWithDagger would reach an engine: through the session that this
// process runs in, or through the dagger command of this machine. Nothing is started or downloaded.
func EngineReachable() (how string, ok bool) {
	if port := os.Getenv("DAGGER_SESSION_PORT"); port != "" && os.Getenv("DAGGER_SESSION_TOKEN") != "" {
		return "the Dagger session on port " + port, true
	}
	if cli, err := daggerCommand(); err == nil {
		return "the command " + cli, true
	}
	return "", false
}

func daggerCommand() (string, error) {
	if cli := os.Getenv(cliVariable); cli != "" {
		return exec.LookPath(cli)
	}
	return exec.LookPath("dagger")
}

var environment sync.Mutex

// EngineOptions are what a Dagger engine is given to build one image of.
type EngineOptions struct {
	Repository string            // for messages
	Contexts   map[string]string // platform -> folder, as PrepareContext leaves it
	Dockerfile string            // path in it
	Source     string            // path of the Dockerfile in the repository, which errors name
	Args       map[string]string // build arguments, rendered
	Target     string            // the stage to build; the last where empty
	Labels     map[string]string // on config and manifests
	Archive    string            // the OCI archive to write
	Log        io.Writer         // where the engine tells its progress; may be nil
}

// connect reaches an engine. The SDK's own Connect would download a command where it finds none.
func connect(ctx context.Context, o EngineOptions) (*dagger.Client, error) {
	conn, ok, err := engineconn.FromSessionEnv()
	if !ok {
		cli, lookErr := daggerCommand()
		if lookErr != nil {
			return nil, refusal.New("image %s: no Dagger engine is in reach: no session (DAGGER_SESSION_PORT, DAGGER_SESSION_TOKEN) and no dagger command on PATH; install it, or hand over an OCI archive by --image %s=ARCHIVE", o.Repository, o.Repository)
		}
		conn, err = connectBy(ctx, o, cli)
	}
	if err != nil {
		return nil, fmt.Errorf("image %s: connect to the Dagger engine: %w", o.Repository, err)
	}
	return dagger.Connect(ctx, dagger.WithConn(conn))
}

// connectBy starts a session by this command, whose name the SDK takes from the environment only.
func connectBy(ctx context.Context, o EngineOptions, cli string) (engineconn.EngineConn, error) {
	environment.Lock()
	defer environment.Unlock()
	if old, was := os.LookupEnv(cliVariable); was {
		defer os.Setenv(cliVariable, old)
	} else {
		defer os.Unsetenv(cliVariable)
	}
	os.Setenv(cliVariable, cli)
	conn, _, err := engineconn.FromLocalCLI(ctx, &engineconn.Config{LogOutput: o.Log})
	return conn, err
}

// BuildWithDagger builds an image by a Dagger engine, for Dockerfiles that Examine finds unsupported, and writes an OCI archive.
// Two engines give different bytes, so what one made is carried from here on. The engine pulls bases by its own configuration.
func BuildWithDagger(ctx context.Context, o EngineOptions) (err error) {
	client, err := connect(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()

	var args []dagger.BuildArg
	for _, name := range slices.Sorted(maps.Keys(o.Args)) {
		args = append(args, dagger.BuildArg{Name: name, Value: o.Args[name]})
	}
	var variants []*dagger.Container
	platforms := slices.Sorted(maps.Keys(o.Contexts))
	for _, platform := range platforms {
		from, err := byValue(ctx, client, o.Contexts[platform])
		if err != nil {
			return fmt.Errorf("image %s: bring the build context for %s to the Dagger engine: %w", o.Repository, platform, err)
		}
		built := from.DockerBuild(dagger.DirectoryDockerBuildOpts{
			Dockerfile: o.Dockerfile,
			Platform:   dagger.Platform(platform),
			BuildArgs:  args,
			Target:     o.Target,
		})
		if made, err := built.Platform(ctx); err != nil {
			return o.failed(platform, err)
		} else if string(made) != platform {
			return refusal.New("build image %s with Dagger: the engine made it for %s where %s was asked; Dagger 0.21 does so where the last stage is FROM scratch: base it on an image, or let the pipeline build the binaries and COPY them from bin/ in one stage", o.Repository, made, platform)
		}
		for _, key := range slices.Sorted(maps.Keys(o.Labels)) {
			built = built.WithLabel(key, o.Labels[key]).WithAnnotation(key, o.Labels[key])
		}
		variants = append(variants, built)
	}
	_, err = variants[0].AsTarball(dagger.ContainerAsTarballOpts{
		PlatformVariants: variants[1:],
		MediaTypes:       dagger.ImageMediaTypesOcimediaTypes,
	}).Export(ctx, o.Archive)
	if err == nil {
		return nil
	}
	for i, platform := range platforms { // which one was it?
		if _, failed := variants[i].Sync(ctx); failed != nil {
			return o.failed(platform, failed)
		}
	}
	return o.failed(strings.Join(platforms, ", "), err)
}

// byValue brings a folder to the engine, as a directory that depends on no session. An engine takes equal builds of two
// sessions for one: what the later session gets must not lead to a folder of the earlier one.
func byValue(ctx context.Context, client *dagger.Client, dir string) (*dagger.Directory, error) {
	host := client.Host().Directory(dir, dagger.HostDirectoryOpts{NoCache: true})
	return client.Directory().WithDirectory("/", host).Sync(ctx)
}

// failed says what the engine answered, and the ways out.
func (o *EngineOptions) failed(platform string, err error) error {
	way := "the engine tells more in its own output; bases are pulled by the engine's own configuration, which --mirror does not reach"
	if strings.Contains(err.Error(), "exec format error") {
		way = "this engine cannot run programs of every platform of " + strings.Join(slices.Sorted(maps.Keys(o.Contexts)), ", ") + ": build each on a machine of its own (build --platform), and join the parts"
	}
	failure := buildfailure.Failure{Name: o.Source, Err: err}
	if content, unread := os.ReadFile(filepath.Join(o.Contexts[platform], filepath.FromSlash(o.Dockerfile))); unread == nil {
		failure.Content = string(content)
	}
	var run *dagger.ExecError
	if errors.As(err, &run) {
		failure.Command, failure.Output = run.Cmd, run.Stdout+"\n"+run.Stderr
	}
	return fmt.Errorf("build image %s for %s with Dagger: %w; %s", o.Repository, platform, failure, way)
}
