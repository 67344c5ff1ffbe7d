package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Difference is an artifact that is not the same in two bundles, and where inside of it.
type Difference struct {
	Kind   string   `json:"kind"`
	Name   string   `json:"name"`
	First  string   `json:"first"`           // digest; empty where the bundle lacks it
	Second string   `json:"second"`          // digest; empty where the bundle lacks it
	Where  []string `json:"where,omitempty"` // the places that differ, at most 20
}

// most is how many places of one artifact are named.
const most = 20

// Compare says what differs between two bundles: the records, and every artifact of either. Nothing: they have one identity.
func Compare(a, b Bundle) ([]Difference, error) {
	var found []Difference
	if field := a.Record.Differs(b.Record); field != "" {
		found = append(found, Difference{Kind: "record", Name: RecordFile, Where: []string{field}})
	}
	theirs := map[string]Artifact{}
	for _, artifact := range b.Record.Artifacts {
		theirs[artifact.Kind+artifact.Name] = artifact
	}
	for _, one := range a.Record.Artifacts {
		two, ok := theirs[one.Kind+one.Name]
		delete(theirs, one.Kind+one.Name)
		d := Difference{Kind: one.Kind, Name: one.Name, First: one.Digest.String(), Second: two.Digest.String()}
		switch {
		case !ok:
			d.Where = []string{"only the first has it"}
		case one.Digest == two.Digest:
			continue
		default:
			var err error
			if d.Where, err = inside(a.Layout, b.Layout, one, two); err != nil {
				return nil, fmt.Errorf("compare %s %s: %w", one.Kind, one.Name, err)
			}
		}
		found = append(found, d)
	}
	for _, key := range slices.Sorted(maps.Keys(theirs)) {
		two := theirs[key]
		found = append(found, Difference{Kind: two.Kind, Name: two.Name, Second: two.Digest.String(), Where: []string{"only the second has it"}})
	}
	return found, nil
}

// inside looks where two artifacts differ.
func inside(a, b *Layout, one, two Artifact) ([]string, error) {
	switch one.Kind {
	case KindImage:
		return insideImages(a, b, one, two)
	case KindChart:
		if one.Package == nil || two.Package == nil || one.Package.Digest == two.Package.Digest {
			return []string{"the manifest"}, nil
		}
		return archives(a.Path(one.Package.Digest), b.Path(two.Package.Digest))
	case KindArchive, KindObjects:
		return archives(a.Path(one.Digest), b.Path(two.Digest))
	}
	return lines(a.Path(one.Digest), b.Path(two.Digest))
}

func insideImages(a, b *Layout, one, two Artifact) ([]string, error) {
	var where []string
	platforms := map[string]PlatformImage{}
	for _, p := range two.Platforms {
		platforms[p.Platform] = p
	}
	for _, p := range one.Platforms {
		q, ok := platforms[p.Platform]
		if !ok {
			where = append(where, p.Platform+": only the first has it")
			continue
		}
		if p.Digest == q.Digest {
			continue
		}
		var m, n ocispec.Manifest
		if err := errors.Join(a.ReadJSON(manifestOf(p), &m), b.ReadJSON(manifestOf(q), &n)); err != nil {
			return nil, err
		}
		if m.Config.Digest != n.Config.Digest {
			fields, err := configs(a, b, m.Config, n.Config)
			if err != nil {
				return nil, err
			}
			where = append(where, p.Platform+": config: "+strings.Join(fields, ", "))
		}
		for i := range max(len(m.Layers), len(n.Layers)) {
			switch {
			case i >= len(m.Layers) || i >= len(n.Layers):
				where = append(where, fmt.Sprintf("%s: layer %d: only one has it", p.Platform, i+1))
			case m.Layers[i].Digest != n.Layers[i].Digest:
				members, err := archives(a.Path(m.Layers[i].Digest), b.Path(n.Layers[i].Digest))
				if err != nil {
					return nil, err
				}
				for _, member := range members {
					where = append(where, fmt.Sprintf("%s: layer %d: %s", p.Platform, i+1, member))
				}
			}
		}
		if !maps.Equal(m.Annotations, n.Annotations) {
			where = append(where, p.Platform+": annotations of the manifest")
		}
	}
	return where, nil
}

func manifestOf(p PlatformImage) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: p.Digest, Size: p.Size}
}

// configs names the top-level fields in which two JSON documents differ.
func configs(a, b *Layout, one, two ocispec.Descriptor) ([]string, error) {
	var x, y map[string]any
	if err := errors.Join(a.ReadJSON(one, &x), b.ReadJSON(two, &y)); err != nil {
		return nil, err
	}
	var fields []string
	for key := range x {
		if !reflect.DeepEqual(x[key], y[key]) {
			fields = append(fields, key)
		}
	}
	for key := range y {
		if _, ok := x[key]; !ok {
			fields = append(fields, key)
		}
	}
	slices.Sort(fields)
	return fields, nil
}

// archives compares two tar streams, compressed or not, member by member.
func archives(one, two string) ([]string, error) {
	x, err := members(one)
	if err != nil {
		return nil, err
	}
	y, err := members(two)
	if err != nil {
		return nil, err
	}
	var where []string
	for _, name := range slices.Sorted(maps.Keys(x)) {
		switch other, ok := y[name]; {
		case !ok:
			where = append(where, name+": only the first has it")
		case x[name] != other:
			where = append(where, fmt.Sprintf("%s: %s and %s", name, x[name], other))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(y)) {
		if _, ok := x[name]; !ok {
			where = append(where, name+": only the second has it")
		}
	}
	if len(where) == 0 {
		where = []string{"the same members: their order, or the compression, differs"}
	}
	return where[:min(most, len(where))], nil
}

// members describes each member of a tar stream.
func members(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var stream io.Reader = f
	if gz, err := gzip.NewReader(f); err == nil {
		defer gz.Close()
		stream = gz
	} else if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	found := map[string]string{}
	for tr := tar.NewReader(stream); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, tr); err != nil {
			return nil, err
		}
		found[h.Name] = fmt.Sprintf("%s of mode %o, owner %d:%d, time %s, %d bytes %s%s", kinds[h.Typeflag], h.Mode, h.Uid, h.Gid,
			h.ModTime.UTC().Format("2006-01-02T15:04:05Z"), h.Size, digest.NewDigest(digest.SHA256, sum).Encoded()[:12], h.Linkname)
	}
}

var kinds = map[byte]string{tar.TypeReg: "file", tar.TypeDir: "folder", tar.TypeSymlink: "link"}

// lines names the first line in which two texts differ.
func lines(one, two string) ([]string, error) {
	x, errOne := os.ReadFile(one)
	y, errTwo := os.ReadFile(two)
	if err := errors.Join(errOne, errTwo); err != nil {
		return nil, err
	}
	if json.Valid(x) != json.Valid(y) {
		return []string{"only one of them is JSON"}, nil
	}
	a, b := bytes.Split(x, []byte("\n")), bytes.Split(y, []byte("\n"))
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || !bytes.Equal(a[i], b[i]) {
			return []string{fmt.Sprintf("from line %d", i+1)}, nil
		}
	}
	return nil, nil
}
