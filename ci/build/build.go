package build

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sourcegraph/conc/pool"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/toolchain"
	"github.com/operator-release/operator-release/ci/version"
)

// Options are all that a build is made of.
type Options struct {
	Tree      string // the release commit's tree
	Version   version.Version
	Platform  string
	Toolchain string    // such as go1.26.8; empty: the installed one
	Time      time.Time // of every archive member and SBOM
	Binaries  []config.Binary
	Out       string    // folder for bin/ and files/
	Log       io.Writer // what the go command prints
}

// Result is what a build made, below Options.Out.
type Result struct {
	Platform string   `json:"platform"`
	Binaries []Binary `json:"binaries"`
	Files    []File   `json:"files"`
}

// Binary is an executable in bin/.
type Binary struct {
	Name   string `json:"name"`
	Path   string `json:"path"` // slash path below Out
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
	Go     string `json:"go"` // toolchain that the binary says it was made with
}

// File is a file in files/, ready to be released.
type File struct {
	Kind      string `json:"kind"` // archive or sbom
	Name      string `json:"name"`
	Binary    string `json:"binary"`
	MediaType string `json:"mediaType"`
}

// Media types of what a build makes.
const (
	ArchiveType = "application/gzip"
	SBOMType    = "application/vnd.cyclonedx+json"
)

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
	for _, dir := range []string{"bin", "files"} {
		if err := os.MkdirAll(filepath.Join(o.Out, dir), 0o755); err != nil {
			return Result{}, err
		}
	}
	builds := pool.NewWithResults[made]().WithContext(ctx).WithCancelOnError().WithFirstError()
	for _, b := range o.Binaries {
		builds.Go(func(ctx context.Context) (made, error) {
			m, err := one(ctx, o, platform, env, b)
			if err != nil {
				return m, fmt.Errorf("build %s for %s: %w", b.Name, o.Platform, err)
			}
			return m, nil
		})
	}
	all, err := builds.Wait()
	if err != nil {
		return Result{}, err
	}
	slices.SortFunc(all, func(a, b made) int { return strings.Compare(a.binary.Name, b.binary.Name) })
	r := Result{Platform: o.Platform}
	for _, m := range all {
		r.Binaries = append(r.Binaries, m.binary)
		r.Files = append(r.Files, m.files...)
	}
	return r, nil
}

type made struct {
	binary Binary
	files  []File
}

func one(ctx context.Context, o Options, platform config.Platform, env []string, b config.Binary) (made, error) {
	name := b.Name
	if platform.OS == "windows" {
		name += ".exe"
	}
	path := filepath.Join(o.Out, "bin", name)
	args := []string{"build", "-trimpath", "-buildvcs=false", "-o", path}
	if b.LDFlags != "" {
		args = append(args, "-ldflags="+b.LDFlags)
	}
	if len(b.Tags) > 0 {
		args = append(args, "-tags="+strings.Join(b.Tags, ","))
	}
	if err := toolchain.Go(ctx, o.Tree, env, o.Log, append(args, b.Main)...); err != nil {
		return made{}, err
	}
	if err := os.Chmod(path, 0o755); err != nil { // whatever the umask is
		return made{}, err
	}
	info, err := inspect(path, platform, o.Toolchain)
	if err != nil {
		return made{}, err
	}
	digest, size, err := sum(path)
	if err != nil {
		return made{}, err
	}
	m := made{binary: Binary{Name: b.Name, Path: "bin/" + name, Digest: digest, Size: size, Go: info.GoVersion}}
	base := fmt.Sprintf("%s-%s-%s", b.Name, o.Version, platform.Slug())
	m.files = []File{
		{Kind: "archive", Name: base + ".tar.gz", Binary: b.Name, MediaType: ArchiveType},
		{Kind: "sbom", Name: base + ".cdx.json", Binary: b.Name, MediaType: SBOMType},
	}
	if err := writeArchive(filepath.Join(o.Out, "files", m.files[0].Name), o, name, path); err != nil {
		return made{}, err
	}
	return m, writeSBOM(filepath.Join(o.Out, "files", m.files[1].Name), o, m.binary, info)
}

// inspect reads what the binary says of itself, and refuses one that is not what was asked for.
func inspect(path string, platform config.Platform, want string) (*buildinfo.BuildInfo, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read its build information: %w", err)
	}
	if want != "" && info.GoVersion != want {
		return nil, fmt.Errorf("it was compiled by %s where go.mod names %s", info.GoVersion, want)
	}
	if platform.OS != "linux" {
		return info, nil
	}
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return nil, fmt.Errorf("it is not static: it asks for a dynamic loader; build it without cgo and without -linkmode=external")
		}
	}
	return info, nil
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

// companions are files of the repository's root that go into every archive, where they exist.
var companions = []string{"LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE", "README.md"}

func writeArchive(target string, o Options, name, binary string) error {
	entry, err := archive.FromFile(name, binary)
	if err != nil {
		return err
	}
	entries := []archive.Entry{entry}
	for _, companion := range companions {
		path := filepath.Join(o.Tree, companion)
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		e, err := archive.FromFile(companion, path)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	archive.Sort(entries)
	return create(target, func(w io.Writer) error { return archive.TarGzip(w, o.Time, entries) })
}

// create writes a file that appears whole.
func create(target string, fill func(io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(target), ".write-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := fill(tmp); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), target)
}
