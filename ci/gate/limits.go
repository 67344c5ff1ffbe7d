package gate

import (
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	release "helm.sh/helm/v4/pkg/release/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/operator-release/operator-release/ci/render"
)

// largestFile is what Helm 3 loads as one file of a chart, in bytes. Helm 4 packages larger ones.
const largestFile = 5 << 20

// largeFiles names the files of a chart and of its dependencies that Helm 3 cannot load.
func largeFiles(source *render.Source, ch *chartv2.Chart, dir string) []string {
	var problems []string
	for _, f := range ch.Raw {
		if len(f.Data) > largestFile {
			problems = append(problems, fmt.Sprintf("%s has %d bytes, and Helm 3 loads no chart with a file above %d; "+
				"take it out, or name it in .helmignore", source.Path(path.Join(dir, f.Name)), len(f.Data), largestFile))
		}
	}
	for _, dependency := range ch.Dependencies() {
		problems = append(problems, largeFiles(source, dependency, path.Join(dir, "charts", dependency.Name()))...)
	}
	slices.Sort(problems)
	return problems
}

// releaseProblems says that Helm cannot keep a release of the chart with its defaults: it writes chart, values and
// objects into one Secret, compressed.
func (c chartCheck) releaseProblems(docs []render.Document, byDefault bool) []string {
	if !byDefault {
		return nil
	}
	ch, err := c.source.Chart()
	if err != nil {
		return []string{err.Error()}
	}
	size, err := releaseSize(ch, docs)
	switch {
	case err != nil:
		return []string{fmt.Sprintf("measure the release of %s: %v", c.dir, err)}
	case size > corev1.MaxSecretSize:
		return []string{fmt.Sprintf("%s: a release of it takes a Secret of %d bytes, and Kubernetes accepts %d, so "+
			"`helm install` fails; name large files in .helmignore, or move CRDs into a chart of their own",
			c.dir, size, corev1.MaxSecretSize)}
	}
	return nil
}

// releaseSize is the number of bytes that Helm writes into the Secret of a release.
func releaseSize(ch *chartv2.Chart, docs []render.Document) (int, error) {
	var manifest strings.Builder
	for _, d := range docs {
		if strings.Contains(d.File, "/crds/") {
			continue // they lie in the chart, not in the manifest
		}
		fmt.Fprintf(&manifest, "---\n# Source: %s\n%s\n", d.File, d.Text)
	}
	content, err := json.Marshal(release.Release{
		Name: render.Release, Namespace: render.Namespace, Version: 1, Info: &release.Info{}, Chart: ch,
		Manifest: manifest.String(),
	})
	if err != nil {
		return 0, err
	}
	var written countedBytes
	w, err := gzip.NewWriterLevel(&written, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	_, err = w.Write(content)
	if err = errors.Join(err, w.Close()); err != nil {
		return 0, err
	}
	return base64.StdEncoding.EncodedLen(int(written)), nil
}

// countedBytes counts what is written.
type countedBytes int

func (c *countedBytes) Write(p []byte) (int, error) {
	*c += countedBytes(len(p))
	return len(p), nil
}
