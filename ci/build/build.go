package build

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sourcegraph/conc/pool"

	"github.com/operator-release/operator-release/ci/binary"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/toolchain"
)

// Options are all that a build is made of.
type Options struct {
	Tree      string // the release commit's tree, or what the go command reads of it
	Platform  string
	Toolchain string // such as go1.26.8; empty: the installed one
	Binaries  []config.Binary
	Out       string    // folder for bin/
	Log       io.Writer // what the go command prints
}

// Result is what a build made, below Options.Out.
type Result struct {
	Platform string   `json:"platform"`
	Binaries []Binary `json:"binaries"`
}

// Binary is an executable in bin/.
type Binary struct {
	Name   string `json:"name"`
	Path   string `json:"path"` // slash path below Out
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
	Go     string `json:"go"` // toolchain that the binary says it was made with
}

// Run builds all binaries side by side. Where one fails nothing of it stays in bin/ and the error says what go said.
func Run(ctx context.Context, o Options) (Result, error) {
	platform, err := config.ParsePlatform(o.Platform)
	if err != nil {
		return Result{}, err
	}
	env, err := toolchain.Env(o.Toolchain, platform.GoEnv()...)
	if err != nil {
		return Result{}, err
	}
	if err := os.MkdirAll(filepath.Join(o.Out, "bin"), 0o755); err != nil {
		return Result{}, err
	}
	builds := pool.NewWithResults[Binary]().WithContext(ctx).WithCancelOnError().WithFirstError()
	for _, b := range o.Binaries {
		builds.Go(func(ctx context.Context) (Binary, error) {
			made, err := one(ctx, o, platform, env, b)
			if err != nil {
				return made, fmt.Errorf("build %s for %s: %w", b.Name, o.Platform, err)
			}
			return made, nil
		})
	}
	all, err := builds.Wait()
	if err != nil {
		return Result{}, err
	}
	slices.SortFunc(all, func(a, b Binary) int { return strings.Compare(a.Name, b.Name) })
	return Result{Platform: o.Platform, Binaries: all}, nil
}

// fileName is a binary's name on a platform.
func fileName(binary string, platform config.Platform) string {
	if platform.OS == "windows" {
		return binary + ".exe"
	}
	return binary
}

func one(ctx context.Context, o Options, platform config.Platform, env []string, b config.Binary) (Binary, error) {
	name := fileName(b.Name, platform)
	path := filepath.Join(o.Out, "bin", name)
	args := []string{"build", "-trimpath", "-buildvcs=false", "-o", path}
	if b.LDFlags != "" {
		args = append(args, "-ldflags="+b.LDFlags)
	}
	if len(b.Tags) > 0 {
		args = append(args, "-tags="+strings.Join(b.Tags, ","))
	}
	if err := toolchain.Go(ctx, o.Tree, env, o.Log, append(args, b.Main)...); err != nil {
		return Binary{}, err
	}
	if err := os.Chmod(path, 0o755); err != nil { // whatever the umask is
		return Binary{}, err
	}
	said, err := binary.Want{Platform: platform}.Check(path)
	if err != nil {
		return Binary{}, err
	}
	if o.Toolchain != "" && said.Info.GoVersion != o.Toolchain {
		return Binary{}, fmt.Errorf("it was compiled by %s where go.mod names %s", said.Info.GoVersion, o.Toolchain)
	}
	if err := checkStatic(path, platform); err != nil {
		return Binary{}, err
	}
	digest, size, err := sum(path)
	if err != nil {
		return Binary{}, err
	}
	return Binary{Name: b.Name, Path: "bin/" + name, Digest: digest, Size: size, Go: said.Info.GoVersion}, nil
}

// checkStatic refuses a binary that needs a dynamic loader: the image may have none.
func checkStatic(path string, platform config.Platform) error {
	if platform.OS != "linux" {
		return nil
	}
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("it is not static: it asks for a dynamic loader; build it without cgo and without -linkmode=external")
		}
	}
	return nil
}

func sum(path string) (digest string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), size, err
}
