package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"dagger.io/dagger"
	"dagger.io/dagger/engineconn"

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

// connect reaches an engine. The SDK's own Connect would download a command where it finds none.
func connect(ctx context.Context, o Options) (*dagger.Client, error) {
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
func connectBy(ctx context.Context, o Options, cli string) (engineconn.EngineConn, error) {
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

// overlay is the folder that holds the Dockerfile and its ignore file while an engine builds.
const overlay = ".operator-release"

// BuildWithDagger builds the image by a Dagger engine, for Dockerfiles that Examine finds unsupported,
// and gives an OCI archive to be passed as Options.Archive; the caller removes its folder afterwards.
// The context is that of Build: ignore files count, and the built binaries lie in bin/. Two engines
// give different bytes, so what one made is carried from here on. The engine pulls bases by its own
// configuration: Mirrors and PlainHTTP do not reach it.
func BuildWithDagger(ctx context.Context, o Options) (archivePath string, err error) {
	o.Archive = ""
	if err := o.check(); err != nil {
		return "", err
	}
	_, folder, err := contextFolder(o.Tree, o.Context)
	if err != nil {
		return "", err
	}
	recipe, ignore, err := o.engineFiles()
	if err != nil {
		return "", err
	}
	client, err := connect(ctx, o)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, client.Close()) }()

	host := client.Host()
	dockerfile := path.Join(overlay, "Dockerfile")
	source := host.Directory(folder, dagger.HostDirectoryOpts{NoCache: true}).
		WithNewFile(dockerfile, recipe)
	var args []dagger.BuildArg
	for _, name := range slices.Sorted(maps.Keys(o.Args)) {
		args = append(args, dagger.BuildArg{Name: name, Value: o.Args[name]})
	}
	var variants []*dagger.Container
	for _, platform := range o.Platforms {
		context, patterns := source, ignore
		for _, name := range slices.Sorted(maps.Keys(o.Binaries[platform])) {
			file := host.File(o.Binaries[platform][name])
			for _, p := range []string{path.Join("bin", platform, name), path.Join("bin", name)} {
				context = context.WithFile(p, file, dagger.DirectoryWithFileOpts{Permissions: 0o755})
				patterns += "!" + p + "\n"
			}
		}
		built := context.WithNewFile(dockerfile+".dockerignore", patterns).DockerBuild(dagger.DirectoryDockerBuildOpts{
			Dockerfile: dockerfile,
			Platform:   dagger.Platform(platform),
			BuildArgs:  args,
			Target:     o.Target,
		})
		if made, err := built.Platform(ctx); err != nil {
			return "", o.engineFailed(err)
		} else if string(made) != platform {
			return "", refusal.New("build image %s with Dagger: the engine made it for %s where %s was asked; Dagger 0.21 does so where the last stage is FROM scratch: base it on an image, or let the pipeline build the binaries and COPY them from bin/ in one stage", o.Repository, made, platform)
		}
		for _, key := range slices.Sorted(maps.Keys(o.Labels)) {
			built = built.WithLabel(key, o.Labels[key]).WithAnnotation(key, o.Labels[key])
		}
		variants = append(variants, built)
	}
	dir, err := os.MkdirTemp("", "operator-release-image-")
	if err != nil {
		return "", err
	}
	archivePath = filepath.Join(dir, "image.tar")
	_, err = variants[0].AsTarball(dagger.ContainerAsTarballOpts{
		PlatformVariants: variants[1:],
		MediaTypes:       dagger.ImageMediaTypesOcimediaTypes,
	}).Export(ctx, archivePath)
	if err != nil {
		os.RemoveAll(dir)
		return "", o.engineFailed(err)
	}
	return archivePath, nil
}

// engineFiles are the Dockerfile and the ignore file in force, plus what lies in the context for the
// engine alone. The last pattern wins, so that those of binaries are put behind it.
func (o *Options) engineFiles() (dockerfile, ignore string, err error) {
	root, err := os.OpenRoot(o.Tree)
	if err != nil {
		return "", "", err
	}
	defer root.Close()
	content, err := root.ReadFile(filepath.FromSlash(o.Dockerfile))
	if err != nil {
		return "", "", noDockerfile(o.Dockerfile, err)
	}
	for _, name := range []string{o.Dockerfile + ".dockerignore", path.Join(o.Context, ".dockerignore")} {
		patterns, err := root.ReadFile(filepath.FromSlash(name))
		if err == nil {
			ignore = strings.TrimSuffix(string(patterns), "\n") + "\n"
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("read %s: %w", name, err)
		}
	}
	return string(content), ignore + overlay + "\n", nil
}

// engineFailed says what the engine answered, and the ways out.
func (o *Options) engineFailed(err error) error {
	way := "the engine tells more in its own output; bases are pulled by the engine's own configuration, which --mirror does not reach"
	if strings.Contains(err.Error(), "exec format error") {
		way = "this engine cannot run programs of every platform of " + strings.Join(o.Platforms, ", ") + ": build each on a machine of its own (build --platform), and join the parts"
	}
	var run *dagger.ExecError
	if errors.As(err, &run) {
		said := []rune(strings.TrimSpace(run.Stdout + "\n" + run.Stderr))
		err = fmt.Errorf("%w: %s: %s", err, strings.Join(run.Cmd, " "), string(said[max(0, len(said)-2000):]))
	}
	return fmt.Errorf("build image %s with Dagger: %w; %s", o.Repository, err, way)
}
