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
	"strings"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/gate"
	"github.com/operator-release/operator-release/ci/output"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

// testBundle asks the gate about a bundle, and puts the bundle with its answer in the place of the one without.
func (a *app) testBundle(ctx context.Context, dir string) error {
	b, err := bundle.Load(dir)
	if err != nil {
		return err
	}
	w, err := a.begin(dir)
	if err != nil {
		return err
	}
	defer w.end()
	flow := pipeline.Flow[string]{Runner: w.runner, Repository: a.source, Host: hostPlatform(), Plan: pipeline.PlanSpec{Version: b.Record.Version.String()}}
	tested, err := flow.TestBundle(ctx, dir)
	if err != nil {
		return err
	}
	var result gate.Result
	if err := json.Unmarshal(tested.Test, &result); err != nil {
		return err
	}
	if err := deliver(output.Bundle, tested.Bundled, dir); err != nil {
		return err
	}
	return a.print(result, func(page *report.Page) {
		page.Title("The gate passed: %s, identity %s", b.Record.Version, b.Identity.Digest)
		gatePage(page, result)
	})
}

// runTestBundle asks the gate about the release commit and the binaries of a bundle.
func runTestBundle(ctx context.Context, c call, spec pipeline.TestBundleSpec) (any, error) {
	from, err := bundle.Load(c.trees[pipeline.Bundled])
	if err != nil {
		return nil, err
	}
	if err := from.Verify(); err != nil {
		return nil, err
	}
	b, err := from.Clone(c.out)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "release-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	r := b.Record
	ask := pipeline.NewTestSpec(r.Config, r.Version.String(), r.Commit, r.Time, r.Toolchain)
	_, candidate := r.Version.Candidate()
	ask.Final = !candidate
	for repository, because := range r.LackedImages() {
		ask.Lack(repository, because)
	}
	ask.Binaries, ask.Host, ask.Unrun = map[string]string{}, spec.Host, map[string]map[string]string{}
	inner := call{out: scratch, log: c.log, trees: map[string]string{
		pipeline.Repository: c.trees[pipeline.Repository], pipeline.Planned: filepath.Join(from.Layout.Dir(), bundle.FilesDir),
	}}
	for _, artifact := range r.OfKind(bundle.KindArchive) {
		folder, file := "of-"+strings.ReplaceAll(artifact.Platform, "/", "-"), artifact.Binary
		if strings.HasPrefix(artifact.Platform, "windows/") {
			file += ".exe"
		}
		inner.trees[folder] = filepath.Join(scratch, folder)
		if err := unpackBinary(filepath.Join(from.Layout.Dir(), bundle.FilesDir, artifact.File), file, inner.trees[folder]); err != nil {
			return nil, err
		}
		if artifact.Platform == spec.Host {
			ask.Binaries[artifact.Binary] = folder
			continue
		}
		if ask.Unrun[artifact.Platform] == nil {
			ask.Unrun[artifact.Platform] = map[string]string{}
		}
		ask.Unrun[artifact.Platform][artifact.Binary] = folder
	}
	for _, image := range r.OfKind(bundle.KindImage) {
		var platforms []string
		for _, of := range image.Platforms {
			platforms = append(platforms, of.Platform)
		}
		ask.GiveImage(image.Repository, platforms, r.Platforms)
	}
	result, err := runTest(ctx, inner, ask)
	if err != nil {
		return nil, err
	}
	said, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	if err := attestGate(b, said); err != nil {
		return nil, err
	}
	return thereAlready(b)
}

// maxExecutable bounds what is unpacked to be run, in bytes.
const maxExecutable = 4 << 30

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
		if h.Size > maxExecutable {
			return refusal.New("take %s out of %s: it has %d bytes; at most %d are taken", name, archive, h.Size, int64(maxExecutable))
		}
		to, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, tr)
		return errors.Join(err, to.Close())
	}
}
