package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/gate"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/report"
)

// testBundle asks the gate about a bundle and attaches what it says.
func (a *app) testBundle(ctx context.Context, dir string) error {
	b, err := bundle.Load(dir)
	if err != nil {
		return err
	}
	if err := b.Verify(); err != nil {
		return err
	}
	w, err := a.begin("")
	if err != nil {
		return err
	}
	defer w.end()
	r := b.Record
	spec := pipeline.NewTestSpec(r.Config, r.Version.String(), r.Commit, r.Time, r.Toolchain)
	trees := map[string]string{pipeline.Repository: a.source, pipeline.Planned: filepath.Join(dir, bundle.FilesDir)}
	host := filepath.Join(w.dir, "host")
	for _, artifact := range r.OfKind(bundle.KindArchive) {
		if artifact.Platform != runtime.GOOS+"/"+runtime.GOARCH {
			continue
		}
		spec.Binaries = "host"
		trees["host"] = host
		if err := unpackBinary(filepath.Join(dir, bundle.FilesDir, artifact.File), artifact.Binary, filepath.Join(host, "bin")); err != nil {
			return err
		}
	}
	out, err := w.runner.Run(ctx, pipeline.Test, pipeline.Inputs[string]{Subject: spec.Version, Spec: spec, Trees: trees})
	if err != nil {
		return err
	}
	if err := attestGate(b, out.Report); err != nil {
		return err
	}
	var result gate.Result
	if err := json.Unmarshal(out.Report, &result); err != nil {
		return err
	}
	return a.print(result, func(page *report.Page) {
		page.Title("The gate passed: %s, identity %s", r.Version, b.Identity.Digest)
		gatePage(page, result)
	})
}

// unpackBinary takes the executable out of a released archive.
func unpackBinary(archive, name, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if err != nil {
			return fmt.Errorf("take %s out of %s: %w", name, archive, err)
		}
		if h.Name != name {
			continue
		}
		to, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, tr)
		return errors.Join(err, to.Close())
	}
}
