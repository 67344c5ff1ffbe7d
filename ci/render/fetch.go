package render

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"sync"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
)

// fetched keeps packages by digest, since one run reads a chart many times.
var fetched sync.Map

// fetch adds the package of a dependency that is not committed, if the settings name one. Nothing but its digest
// decides what is taken: Chart.lock has only a digest of the lists of dependencies.
func (s *Source) fetch(ctx context.Context, c *chartv2.Chart, d *chartv2.Dependency, packages []config.Package) error {
	if len(committedVersions(c, d.Name)) > 0 {
		return nil
	}
	for _, p := range packages {
		if p.Name != d.Name || !chartutil.IsCompatibleRange(d.Version, p.Version) {
			continue
		}
		content, err := download(ctx, p)
		if err != nil {
			return err
		}
		sub, err := loader.LoadArchive(bytes.NewReader(content))
		if err != nil {
			return refusal.New("read the dependency %s of %s from %s: %w; correct fetch in the settings", p.Name, s.dir,
				p.From, err)
		}
		if sub.Name() != p.Name || sub.Metadata.Version != p.Version {
			return refusal.New("read the dependency %s %s of %s from %s: the package is %s %s; correct fetch in the settings",
				p.Name, p.Version, s.dir, p.From, sub.Name(), sub.Metadata.Version)
		}
		s.files = append(s.files, &archive.BufferedFile{Name: path.Join("charts", p.Name+"-"+p.Version+".tgz"),
			Data: content})
		c.AddDependency(sub)
		return nil
	}
	return nil
}

// download gets a package. One with another digest is refused.
func download(ctx context.Context, p config.Package) ([]byte, error) {
	if content, ok := fetched.Load(p.Digest); ok {
		return content.([]byte), nil
	}
	client, err := registry.New()
	if err != nil {
		return nil, err
	}
	var content []byte
	if repository, ok := strings.CutPrefix(p.From, "oci://"); ok {
		content, err = client.Blob(ctx, repository, p.Digest)
	} else {
		content, err = client.Get(ctx, p.From)
	}
	if err != nil {
		return nil, fmt.Errorf("fetch chart %s %s from %s: %w", p.Name, p.Version, p.From, err)
	}
	sum := sha256.Sum256(content)
	if found := "sha256:" + hex.EncodeToString(sum[:]); found != p.Digest {
		return nil, refusal.New("fetch chart %s %s from %s: its digest is %s where the settings say %s; compare it with "+
			"the project's own, "+
			"and correct fetch in the settings", p.Name, p.Version, p.From, found, p.Digest)
	}
	fetched.Store(p.Digest, content)
	return content, nil
}
