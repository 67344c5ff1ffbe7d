package publish

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/floating"
	"github.com/operator-release/operator-release/ci/forge"
	"github.com/operator-release/operator-release/ci/forge/forgetest"
	"github.com/operator-release/operator-release/ci/forge/hub"
	"github.com/operator-release/operator-release/ci/git"
)

// atRegistry is the registry; without API it keeps lists of referrers as tags. External, an address, is one that is running already.
func atRegistry(api bool, external string) func(*world) (destination, error) {
	return func(w *world) (destination, error) {
		name := "registry"
		if !api {
			name = "registry without referrers API"
		}
		s, err := newStore(w, name, api, external)
		if err != nil {
			return destination{}, err
		}
		t, err := newTarget(w.bundle, (&Registry{Prefix: s.prefix}).name, hasty, nil)
		if err != nil {
			return destination{}, err
		}
		d := s.destination(w, t)
		d.set = func(d *Destinations) { d.Registry = &Registry{Prefix: s.prefix} }
		d.looks = []look{{rankContent, "content at the " + name, s.complete}}
		w.registry = s
		for kind, rank := range map[string]int{bundle.KindImage: rankImage, bundle.KindChart: rankChart} {
			for _, a := range w.bundle.Record.OfKind(kind) {
				d.looks = append(d.looks, look{rank, kind + " tag " + a.Repository + ":" + a.Tag, func() bool { return s.tag(a.Repository, a.Tag) }})
			}
		}
		return d, nil
	}
}

// backupAtRegistry is another registry, for the backup.
func backupAtRegistry(w *world) (destination, error) {
	s, err := newStore(w, "backup", true, "")
	if err != nil {
		return destination{}, err
	}
	const repository = "backups/spark"
	t, err := newTarget(w.bundle, func(string) string { return s.prefix + "/" + repository }, hasty, nil)
	if err != nil {
		return destination{}, err
	}
	d := s.destination(w, t)
	d.set = func(d *Destinations) { d.Backup = &Backup{Repository: s.prefix + "/" + repository} }
	d.looks = []look{
		{rankBackup, "backup's tag", func() bool { return s.tag(repository, w.bundle.Record.Version.String()) }},
		{rankBackupContent, "backup's content", s.complete},
	}
	return d, nil
}

// store is a registry, seen past its proxy.
type store struct {
	direct  http.Handler
	proxy   *faults.Proxy
	name    string
	prefix  string // HOST:PORT of the proxy, with the path of this cell at an external registry
	path    string // that path, with a slash behind it; else empty
	disk    string // where the registry keeps its files; empty where it is external
	api     bool
	missing []*part // what is not seen yet
	parts   []part
}

// part is a blob or manifest that belongs to a repository.
type part struct {
	repository string // without the cell's path
	desc       ocispec.Descriptor
	subject    *ocispec.Descriptor // of a referrer among the roots: it must be listed, too
}

func newStore(w *world, name string, api bool, external string) (*store, error) {
	s := &store{name: name, api: api}
	if external == "" {
		s.disk = filepath.Join(w.dir, name)
		t, err := serveRegistry(filepath.Join(s.disk, "registry"))
		if err != nil {
			return nil, err
		}
		w.cleanup = append(w.cleanup, func() { t.close() })
		s.direct = t.Handler
	} else {
		past, err := faults.New("http://" + external)
		if err != nil {
			return nil, err
		}
		s.direct = past
		s.path = fmt.Sprintf("cell-%d/", time.Now().UnixNano())
	}
	inner := s.direct
	if !api {
		s.direct = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/referrers/") {
				http.NotFound(w, r)
				return
			}
			inner.ServeHTTP(w, r)
		})
	}
	s.proxy = faults.Around(s.direct)
	s.prefix = strings.TrimSuffix(w.serve(s.proxy)+"/"+s.path, "/")
	return s, nil
}

// destination has all but how it is set and looked at.
func (s *store) destination(w *world, t *target) destination {
	host, _, _ := strings.Cut(s.prefix, "/")
	for repository, roots := range t.roots {
		name := strings.TrimPrefix(strings.TrimPrefix(t.name(repository), host+"/"), s.path)
		seen := map[string]bool{}
		for _, root := range roots {
			_ = t.bundle.Layout.Walk(root, func(desc ocispec.Descriptor) error { // a layout that was verified
				if !seen[desc.Digest.String()] {
					seen[desc.Digest.String()] = true
					s.parts = append(s.parts, part{repository: name, desc: desc})
				}
				return nil
			})
			if subject, ok := t.subjects[root.Digest]; ok {
				s.parts = append(s.parts, part{repository: name, desc: root, subject: &subject})
			}
		}
	}
	for i := range s.parts {
		s.missing = append(s.missing, &s.parts[i])
	}
	return destination{
		server:  &faults.Server{Name: s.name, Proxy: s.proxy, Write: w.kinds(faults.RegistryWrite(s.path))},
		listing: s.listing,
	}
}

// ask asks the registry itself.
func (s *store) ask(method, repository, rest string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/v2/"+s.path+repository+rest, nil)
	r.Header.Set("Accept", "*/*, "+ocispec.MediaTypeImageManifest+", "+ocispec.MediaTypeImageIndex)
	answer := httptest.NewRecorder()
	s.direct.ServeHTTP(answer, r)
	return answer
}

func (s *store) tag(repository, tag string) bool {
	return s.ask(http.MethodHead, repository, "/manifests/"+tag).Code == http.StatusOK
}

// complete tells whether everything by digest is there, and every referrer is listed.
func (s *store) complete() bool {
	s.missing = slices.DeleteFunc(s.missing, func(p *part) bool {
		if p.subject == nil {
			return s.ask(http.MethodHead, p.repository, where(p.desc)).Code == http.StatusOK
		}
		return strings.Contains(s.referrers(p.repository, *p.subject), p.desc.Digest.String())
	})
	return len(s.missing) == 0
}

func where(d ocispec.Descriptor) string {
	if d.MediaType == ocispec.MediaTypeImageManifest || d.MediaType == ocispec.MediaTypeImageIndex {
		return "/manifests/" + d.Digest.String()
	}
	return "/blobs/" + d.Digest.String()
}

// referrers is the list for a subject, as the registry gives it or as its tag.
func (s *store) referrers(repository string, subject ocispec.Descriptor) string {
	rest := "/referrers/" + subject.Digest.String()
	if !s.api {
		rest = "/manifests/" + strings.ReplaceAll(subject.Digest.String(), ":", "-")
	}
	answer := s.ask(http.MethodGet, repository, rest)
	if answer.Code != http.StatusOK {
		return ""
	}
	var index ocispec.Index
	if err := json.Unmarshal(answer.Body.Bytes(), &index); err != nil {
		return err.Error()
	}
	slices.SortFunc(index.Manifests, func(a, b ocispec.Descriptor) int { return strings.Compare(a.Digest.String(), b.Digest.String()) })
	content, err := json.Marshal(index)
	return fmt.Sprintf("%s %v", content, err)
}

// listing is what the registry stores per repository, by tag and by digest, with its bytes, and what lies on its disk. An upload that was cut
// stays there until the registry clears it away, which is its own business and seen by nobody.
func (s *store) listing() string {
	var b strings.Builder
	repositories := map[string]bool{}
	digests := map[string]ocispec.Descriptor{}
	subjects := map[string]ocispec.Descriptor{}
	for _, p := range s.parts {
		repositories[p.repository] = true
		digests[p.desc.Digest.String()] = p.desc
		if p.subject != nil {
			subjects[p.subject.Digest.String()] = *p.subject
		}
	}
	if s.disk != "" { // a registry of this cell alone: also what does not belong there
		var catalog struct{ Repositories []string }
		answer := httptest.NewRecorder()
		s.direct.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v2/_catalog", nil))
		if err := json.Unmarshal(answer.Body.Bytes(), &catalog); err != nil {
			return err.Error()
		}
		for _, r := range catalog.Repositories {
			repositories[r] = true
		}
		b.WriteString(files(filepath.Join(s.disk, "registry"), func(path string) bool { return strings.HasPrefix(path, "blobs/upload-") }))
	}
	for _, repository := range sorted(repositories) {
		var tags struct{ Tags []string }
		answer := s.ask(http.MethodGet, repository, "/tags/list")
		if answer.Code == http.StatusOK {
			if err := json.Unmarshal(answer.Body.Bytes(), &tags); err != nil {
				return err.Error()
			}
		}
		slices.Sort(tags.Tags)
		var rests []string
		for _, tag := range tags.Tags {
			rests = append(rests, "/manifests/"+tag)
		}
		for _, d := range sorted(digests) {
			rests = append(rests, "/manifests/"+d, "/blobs/"+d)
		}
		for _, rest := range rests {
			if answer := s.ask(http.MethodGet, repository, rest); answer.Code == http.StatusOK {
				fmt.Fprintf(&b, "%s: %s%s %s %x\n", s.name, repository, rest, answer.Header().Get("Content-Type"), sha256.Sum256(answer.Body.Bytes()))
			}
		}
		for _, d := range sorted(subjects) {
			if list := s.referrers(repository, subjects[d]); list != "" {
				fmt.Fprintf(&b, "%s: %s referrers to %s: %s\n", s.name, repository, d, list)
			}
		}
	}
	return b.String()
}

func sorted[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// files are all files below a folder, hidden ones too, with their bytes' digests.
func files(dir string, except func(path string) bool) string {
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if e.IsDir() {
			fmt.Fprintf(&b, "%s/\n", name)
			return nil
		}
		if except(name) {
			return nil
		}
		content, err := os.ReadFile(path)
		info, infoErr := e.Info()
		if err != nil || infoErr != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %s %x\n", name, info.Mode(), sha256.Sum256(content))
		return nil
	})
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	return b.String()
}

// atGit is the git remote, and what its refs say, read as files. It is written to over HTTP, or, three times as fast, as a folder without a proxy.
func atGit(overHTTP bool) func(*world) (destination, error) {
	return func(w *world) (destination, error) {
		d, err := overHTTPGit(w)
		if err == nil && !overHTTP {
			d.server = nil
			url := filepath.Join(w.dir, "git", "remote.git")
			d.set = func(d *Destinations) { d.Remote = &Remote{URL: url, Source: w.source} }
		}
		if w.registry == nil || err != nil {
			return d, err
		}
		for _, a := range w.bundle.Record.OfKind(bundle.KindImage) { // which version they lead to is what git says
			for _, tag := range floating.Tags(w.bundle.Record.Config.Floating, w.bundle.Record.Version) {
				d.looks = append(d.looks, look{rankFloating, "floating tag " + tag, func() bool { return w.registry.tag(a.Repository, tag) }})
			}
		}
		return d, nil
	}
}

func overHTTPGit(w *world) (destination, error) {
	repository := filepath.Join(w.dir, "git", "remote.git")
	if err := os.CopyFS(repository, os.DirFS(w.remote)); err != nil {
		return destination{}, err
	}
	handler, err := faults.Git(filepath.Dir(repository))
	if err != nil {
		return destination{}, err
	}
	full, err := faults.GitOnAFullDisk(filepath.Dir(repository))
	if err != nil {
		return destination{}, err
	}
	onAFullDisk := func(_ *faults.Proxy, w http.ResponseWriter, r *http.Request) { full.ServeHTTP(w, r) }
	hook := filepath.Join(repository, "hooks", "update")
	declines := func(p *faults.Proxy, w http.ResponseWriter, r *http.Request) {
		os.MkdirAll(filepath.Dir(hook), 0o755)
		os.WriteFile(hook, []byte("#!/bin/sh\necho \"$1 is protected\" >&2\nexit 1\n"), 0o755)
		faults.Pass(p, w, r)
	}
	proxy := faults.Around(handler)
	url := "http://" + w.serve(proxy) + "/remote.git"
	denied := faults.LastingAnswer(faults.Answer(http.StatusForbidden, "denied"))
	ref := func(name string) func() bool {
		return func() bool {
			_, err := os.Stat(filepath.Join(repository, name))
			return err == nil
		}
	}
	v := w.bundle.Record.Version.String()
	var modules []look
	for _, m := range w.bundle.Record.Modules {
		modules = append(modules, look{rankModule, "tag " + m.Tag, ref(m.Ref())})
	}
	return destination{
		set: func(d *Destinations) { d.Remote = &Remote{URL: url, Source: w.source} },
		server: &faults.Server{Name: "git", Proxy: proxy, Write: w.kinds(faults.GitWrite), Own: map[string][2]faults.Strike{
			faults.Full:     {{First: onAFullDisk, Then: onAFullDisk}, {First: faults.Pass, Then: onAFullDisk}},
			faults.Rejected: {{First: declines, Then: declines}, denied[1]},
			faults.Expired:  faults.Expire(`Basic realm="git"`),
		}},
		looks: append(modules, []look{
			{rankClaim, "claim", ref("refs/releases/" + v)},
			{rankBranch, "branch", ref("refs/heads/" + w.bundle.Record.Branch)},
			{rankTag, "git tag", ref("refs/tags/" + v)},
		}...),
		listing: func() string {
			var b strings.Builder
			refs := []string{"for-each-ref", "refs/heads/main", "refs/heads/" + w.bundle.Record.Branch, "refs/tags", "refs/releases"} // the chart index names the forge's address, which is chance
			for _, args := range [][]string{refs, {"fsck", "--no-dangling"}} {
				out, err := exec.Command("git", append([]string{"--git-dir", repository}, args...)...).CombinedOutput()
				fmt.Fprintf(&b, "git %s: %s%v\n", args, out, err)
			}
			return b.String() + files(filepath.Join(repository, "refs"), func(path string) bool { return path == "heads/gh-pages" || path == "chart-indexes/gh-pages" })
		},
		healed: func() { os.Remove(hook) },
	}, nil
}

// backupInFolder keeps the backup in a folder.
func backupInFolder(w *world) (destination, error) {
	dir := filepath.Join(w.dir, "backups")
	v := filepath.Join(dir, w.bundle.Record.Version.String())
	return destination{
		set:    func(d *Destinations) { d.Backup = &Backup{Dir: dir} },
		folder: dir,
		looks: []look{
			{rankBackup, "backup's folder", func() bool {
				_, err := os.Stat(v)
				return err == nil
			}},
			{rankBackupContent, "backup's content", func() bool {
				kept, err := bundle.Load(v)
				return err == nil && kept.Verify() == nil
			}},
		},
		listing: func() string { return files(dir, func(string) bool { return false }) },
	}, nil
}

// atForge is a forge's release page, and the chart index on a branch of the git remote, which comes before it among the places.
func atForge(w *world) (destination, error) {
	repository, err := git.Open(context.Background(), filepath.Join(w.dir, "git", "remote.git"))
	if err != nil {
		return destination{}, err
	}
	v := w.bundle.Record.Version.String()
	h := hub.New(hub.Options{Repository: forgeRepository, Git: repository, Immutable: true, Limit: 1 << 20, Users: []hub.User{{Login: "matrix", Token: forgeToken, Role: hub.Admin}}})
	proxy := faults.Around(forgetest.Hold(w.test, h))
	w.forgeURL = "http://" + w.serve(proxy)
	published := func() bool {
		return slices.ContainsFunc(h.Snapshot().Releases, func(r hub.Release) bool { return r.Tag == v && !r.Draft })
	}
	return destination{
		set:    func(d *Destinations) { setForge(d, w.forgeURL) },
		server: &faults.Server{Name: "forge", Proxy: proxy, Write: forgeWrite},
		looks: []look{
			{rankPage, "release page", published},
			{rankIndex, "chart index", func() bool {
				_, err := os.Stat(filepath.Join(repository.Dir(), "refs", "heads", "gh-pages"))
				return err == nil
			}},
		},
		listing: func() string {
			content, err := json.MarshalIndent(h.Snapshot(), "", " ")
			text := fmt.Sprintf("forge: %s %v\n", content, err)
			for _, args := range [][]string{{"log", "--format=%s", "--name-status", "gh-pages"}, {"show", "gh-pages:" + indexFile}} {
				out, err := exec.Command("git", append([]string{"--git-dir", repository.Dir()}, args...)...).CombinedOutput()
				text += fmt.Sprintf("%s: %s %v\n", args[0], out, err)
			}
			refs, err := repository.Refs(context.Background(), "refs/")
			text += fmt.Sprintf("recorded: %t %v\n", refs["chart-indexes/gh-pages"] == refs["heads/gh-pages"], err)
			return strings.ReplaceAll(text, w.forgeURL, "http://forge")
		},
	}, nil
}

const forgeRepository, forgeToken = "acme/spark", "token-of-the-matrix"

func setForge(d *Destinations, url string) {
	client, err := forge.NewGitHub(forgeRepository, forge.Options{URL: url, Token: forge.Token(forgeToken), Patience: d.Patience, Longest: time.Millisecond})
	if err != nil {
		panic(err) // of these very options
	}
	d.Forge, d.Index = &Forge{Client: client, Name: forgeRepository}, &Index{Branch: "gh-pages"}
}

// forgeWrite names a request to GitHub's API that changes something.
func forgeWrite(r *http.Request) (kind, name string) {
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return "", ""
	case strings.HasPrefix(r.URL.Path, "/api/uploads/"):
		return "asset", r.URL.Query().Get("name")
	case r.Method == http.MethodPost:
		return "draft", "release"
	case r.Method == http.MethodPatch:
		return "page", "release"
	}
	return r.Method, "release"
}
