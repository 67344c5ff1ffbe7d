package site

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/markdown"
	"github.com/operator-release/operator-release/ci/version"
)

// digestOf is the digest of something that has no bytes.
func digestOf(of ...any) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(fmt.Sprintln(of...))))
}

func commitOf(of ...any) string { return strings.TrimPrefix(digestOf(of...), "sha256:")[:40] }

var subjects = []string{"fix(controller): requeue jobs whose pods were evicted", "fix(chart): select the controller's pod only", "feat(api): let a job name its own service account",
	"fix(webhook): keep `spec.digits` where a default is set", "chore(deps): bump k8s.io/client-go from 0.36.1 to 0.36.2", "fix: do not log `env` of failed pods", "feat(controller): work through namespaces side by side"}

// sample is a catalog of so many lines with so many versions each, as a project has them after some years.
func sample(lines, each int) catalog.Catalog {
	c := catalog.Catalog{Schema: catalog.Schema, Name: "pi-operator", URL: "https://github.com/example/pi-operator", Site: "https://example.github.io/pi-operator/", Development: "main",
		Audit: catalog.Audit{Git: "https://github.com/example/pi-operator.git", Registry: "docker.io", Forge: "example/pi-operator",
			Notes: []string{"14 tags were skipped: they are no versions of the form vX.Y.Z or vX.Y.Z-rc.N"}}}
	begin := time.Date(2023, 3, 7, 9, 30, 0, 0, time.UTC)
	from := version.Version{}
	for minor := range lines {
		l := catalog.Line{Name: fmt.Sprintf("1.%d", minor), Branch: fmt.Sprintf("release-1.%d", minor), Tip: commitOf("tip", minor), Supported: minor >= lines-2}
		previous := version.Version{}
		for n := range each {
			text := fmt.Sprintf("v1.%d.%d", minor, max(0, n-2))
			if n < 2 {
				text += fmt.Sprintf("-rc.%d", n)
			}
			v := sampleVersion(version.MustParse(text), from, begin.AddDate(0, 4*minor, 9*n))
			v.Previous, v.Line = previous, l.Name
			if n == 0 {
				l.Forked = v.Time.AddDate(0, 0, -3)
			}
			switch {
			case minor == lines-2 && n == each-1:
				v.Mark = &journal.Mark{State: journal.RolledBack, Because: "the controller deletes jobs that are still running when a node drains", By: "Ada Example <ada@example.com>", Time: v.Time.AddDate(0, 0, 2), ID: commitOf("mark")}
			case minor == lines-1 && n == 3:
				v.Mark = &journal.Mark{State: journal.Withdrawn, Because: "it logs every request, with its authorization header", By: "Ada Example <ada@example.com>", Time: v.Time.AddDate(0, 0, 1), ID: commitOf("mark2")}
			case n == 1:
				v.Agree, v.Record, v.Identity = 0, "", ""
			case minor == 2 && n == 4:
				v.Agree, v.Findings = 31, []catalog.Finding{
					{Kind: "image", Name: "docker.io/example/pi-operator:" + text, State: "differs", Want: digestOf("want"), Found: digestOf("found"), Note: "somebody pushed the tag again"},
					{Kind: "chart index", Name: "pi-operator", State: "missing", Want: digestOf("index")},
					{Kind: "backup", Name: "backup.example.com/pi-operator", State: "cannot tell", Note: "the registry answers 503 Service Unavailable"}}
				v.Said = []string{"its image tags lack the v, as its chart asks for them"}
			}
			if v.Mark != nil {
				warned := v.Mark.Warning(v.Version)
				v.Notes, v.Guide = markdown.Warn(v.Notes, warned), markdown.Warn(v.Guide, warned)
			} else if v.Kind != catalog.Candidate {
				l.Newest = v.Version
			}
			c.Versions = append([]catalog.Version{v}, c.Versions...)
			if latest(v).After(c.Updated) {
				c.Updated = latest(v)
			}
			if previous = v.Version; v.Kind != catalog.Candidate {
				from = v.Version
			}
		}
		c.Lines = append([]catalog.Line{l}, c.Lines...)
	}
	return c
}

func sampleVersion(v, from version.Version, made time.Time) catalog.Version {
	out := catalog.Version{Version: v, Kind: catalog.Patch, Time: made, From: from, Commit: commitOf(v), Agree: 37, Record: "docker.io/example/pi-operator@" + digestOf("id", v),
		Identity: digestOf("id", v), Artifact: "docker.io/example/pi-operator", Page: "https://github.com/example/pi-operator/releases/tag/" + v.String(), Platforms: []string{"linux/amd64", "linux/arm64"}}
	_, candidate := v.Candidate()
	switch {
	case candidate:
		out.Kind = catalog.Candidate
	case v.Patch() == 0:
		out.Kind = catalog.Final
	}
	name := "docker.io/example/pi-operator:" + v.String()
	image := catalog.Image{Name: name, Digest: digestOf("index", v), Bases: []bundle.Base{{Reference: "gcr.io/distroless/static:nonroot", Digest: digest.Digest(digestOf("base"))}}}
	for _, platform := range out.Platforms {
		file := "pi-operator-" + v.String() + "-" + strings.ReplaceAll(platform, "/", "-")
		image.Platforms = append(image.Platforms, bundle.PlatformImage{Platform: platform, Digest: digest.Digest(digestOf(platform, v)), Size: 1234,
			SBOMs: []bundle.SBOM{{File: file + ".cdx.json", Digest: digest.Digest(digestOf("sbom", platform, v)), Size: 900}}})
		for kind, end := range map[string]string{"archive": ".tar.gz"} {
			out.Files = append(out.Files, catalog.File{Kind: kind, Name: file + end, Digest: digestOf(kind, platform, v), Size: 3_041_234, Platform: platform,
				URL: "https://github.com/example/pi-operator/releases/download/" + v.String() + "/" + file + end})
		}
		out.Files = append(out.Files, catalog.File{Kind: "sbom", Name: file + ".cdx.json", Digest: digestOf("sbomfile", platform, v), Size: 1130, Platform: platform})
		out.Signatures = append(out.Signatures, catalog.Signature{Name: name + " " + platform + " signature", State: "agrees", By: "signed by key " + digestOf("key")})
	}
	out.Images = []catalog.Image{image}
	out.Charts = []catalog.Chart{{Name: "pi-operator", Version: v.SemVer(), Reference: "oci://docker.io/example/charts/pi-operator", CRDs: true, Digest: digestOf("chart", v), Package: digestOf("tgz", v),
		File: "pi-operator-" + v.SemVer() + ".tgz", Indexed: !candidate}}
	for _, f := range []string{"SHA256SUMS", "NOTES.md", "UPGRADE.md", "release.json"} {
		out.Files = append(out.Files, catalog.File{Kind: "file", Name: f, Digest: digestOf(f, v), Size: 812})
	}
	out.Signatures = append(out.Signatures, catalog.Signature{Name: name + " signature", State: "agrees", By: "signed by key " + digestOf("key")},
		catalog.Signature{Name: name + " provenance", State: "missing"})
	out.Notes = sampleNotes(v, from, made)
	if !from.IsZero() {
		out.Guide, out.Asks = sampleGuide(v, from)
	}
	if v.Patch() > 0 {
		for i, subject := range subjects[:3] {
			out.Picks = append(out.Picks, catalog.Pick{Commit: commitOf(v, i), Origin: commitOf("origin", v, i), Made: made.AddDate(0, 0, -7), Subject: subject})
		}
	}
	return out
}

func sampleNotes(v, from version.Version, made time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## [%s](https://github.com/example/pi-operator/releases/tag/%s) (%s)\n", v, v, made.Format("2006-01-02"))
	if !from.IsZero() {
		fmt.Fprintf(&b, "\nChanges since [%s](https://github.com/example/pi-operator/compare/%s...%s).\n", from, from, v)
	}
	for _, title := range []string{"Features", "Fixes"} {
		b.WriteString("\n### " + title + "\n\n")
		for i, s := range subjects {
			fmt.Fprintf(&b, "- **controller:** %s ([#%d](https://github.com/example/pi-operator/pull/%d), backported by [#%d](https://github.com/example/pi-operator/pull/%d), `@alice`)\n",
				markdown.Escape(s), 100+i, 100+i, 120+i, 120+i)
		}
	}
	return b.String()
}

func sampleGuide(v, from version.Version) (guide string, asks []string) {
	var b strings.Builder
	fmt.Fprintf(&b, "# pi-operator: from %s to %s\n\n", from, v)
	if v.Patch() > 0 {
		b.WriteString("Nothing is known to break.\n")
	} else {
		b.WriteString("2 differences may ask for your hand.\n")
		asks = []string{"CustomResourceDefinition pijobs.demo.example.com: `spec.digits` takes fewer values: `maximum: 5000` is now `maximum: 1000`", "Value `controller.replicas` is gone: it was `1`; set `controller.replicaCount`"}
	}
	b.WriteString("\n## Before\n\nKeep what you have set, and what is stored:\n\n```sh\nhelm get values RELEASE --namespace NAMESPACE --output yaml > values-before.yaml\nkubectl get pijobs.demo.example.com --all-namespaces --output yaml > pijobs.demo.example.com.yaml\n```\n")
	for _, a := range asks {
		b.WriteString("\n### Custom resources\n\n- " + a + " (`crd/pijobs.demo.example.com/v1alpha1/spec.digits/narrowed`)\n")
	}
	fmt.Fprintf(&b, "\n## During\n\nThe chart `pi-operator`, with values that say what they say now and defaults that are the new ones:\n\n```sh\nhelm upgrade RELEASE oci://docker.io/example/charts/pi-operator --version %s --namespace NAMESPACE --reset-then-reuse-values\n```\n", v.SemVer())
	fmt.Fprintf(&b, "\n## After\n\n```sh\nkubectl rollout status deployment --selector app.kubernetes.io/instance=RELEASE --namespace NAMESPACE\n```\n\n## Going back\n\n```sh\nhelm upgrade RELEASE oci://docker.io/example/charts/pi-operator --version %s --namespace NAMESPACE --values values-before.yaml\n```\n", from.SemVer())
	b.WriteString("\n## All that differs\n\n### Notable\n\n- the controller may list `pods/eviction` (`rbac/controller/pods-eviction/added`)\n")
	return b.String(), asks
}

// made writes a site of the catalog. With SITE_TO=DIR in the environment it stays there, in a folder by the test's name.
func made(t testing.TB, c catalog.Catalog) string {
	t.Helper()
	dir := t.TempDir()
	if keep := os.Getenv("SITE_TO"); keep != "" {
		dir = keep + "/" + strings.ReplaceAll(t.Name(), "/", "-")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(dir, c); err != nil {
		t.Fatal(err)
	}
	return dir
}
