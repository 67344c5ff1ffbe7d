package build

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/operator-release/operator-release/ci/archive"
	"github.com/operator-release/operator-release/ci/binary"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/version"
)

// ArchiveOptions are what archives and SBOMs are made of.
type ArchiveOptions struct {
	Tree     string // the release commit's tree
	Version  version.Version
	Platform string
	Time     time.Time         // of every archive member and SBOM
	Binaries map[string]string // name to the folder that holds it
	Foreign  []string          // versions of other things, with which the binaries may be linked
	Out      string            // folder for files/

	modules []string // of Tree
}

// Archives are what was made, below ArchiveOptions.Out.
type Archives struct {
	Platform string   `json:"platform"`
	Binaries []Binary `json:"binaries"`
	Files    []File   `json:"files"`
}

// File is a file in files/, ready to be released.
type File struct {
	Kind      string `json:"kind"` // archive or sbom
	Name      string `json:"name"`
	Binary    string `json:"binary"`
	MediaType string `json:"mediaType"`
}

// Media types of what is made.
const (
	ArchiveType = "application/gzip"
	SBOMType    = "application/vnd.cyclonedx+json"
)

// Archive makes an archive and an SBOM of each binary, whoever compiled it: a build here, or an image's Dockerfile.
func Archive(o ArchiveOptions) (Archives, error) {
	platform, err := config.ParsePlatform(o.Platform)
	if err != nil {
		return Archives{}, err
	}
	if err := os.MkdirAll(filepath.Join(o.Out, "files"), 0o755); err != nil {
		return Archives{}, err
	}
	if o.modules, err = binary.Modules(o.Tree); err != nil {
		return Archives{}, err
	}
	made := Archives{Platform: o.Platform}
	for _, name := range slices.Sorted(maps.Keys(o.Binaries)) {
		if err := made.add(o, platform, name); err != nil {
			return Archives{}, fmt.Errorf("archive %s for %s: %w", name, o.Platform, err)
		}
	}
	return made, nil
}

func (a *Archives) add(o ArchiveOptions, platform config.Platform, program string) error {
	name := fileName(program, platform)
	path := filepath.Join(o.Binaries[program], name)
	said, err := binary.Want{Platform: platform, Modules: o.modules, Version: o.Version.String(),
		Foreign: o.Foreign}.Check(path)
	if err != nil {
		return err
	}
	info := said.Info
	digest, size, err := sum(path)
	if err != nil {
		return err
	}
	b := Binary{Name: program, Path: "bin/" + name, Digest: digest, Size: size, Go: info.GoVersion}
	base := fmt.Sprintf("%s-%s-%s", program, o.Version, platform.Slug())
	files := []File{
		{Kind: "archive", Name: base + ".tar.gz", Binary: program, MediaType: ArchiveType},
		{Kind: "sbom", Name: base + ".cdx.json", Binary: program, MediaType: SBOMType},
	}
	a.Binaries, a.Files = append(a.Binaries, b), append(a.Files, files...)
	if err := writeArchive(filepath.Join(o.Out, "files", files[0].Name), o, name, path); err != nil {
		return err
	}
	return writeSBOM(filepath.Join(o.Out, "files", files[1].Name), o, b, info)
}

// Companions are files of the repository's root that go into every archive, where they exist.
var Companions = []string{"LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE", "README.md"}

func writeArchive(target string, o ArchiveOptions, name, binary string) error {
	entry, err := archive.FromFile(name, binary)
	if err != nil {
		return err
	}
	entries := []archive.Entry{entry}
	for _, companion := range Companions {
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
