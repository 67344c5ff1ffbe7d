package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/demo"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/image"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/report"
)

func (a *app) demoCommand() *cobra.Command {
	var keep string
	var platforms []string
	cmd := &cobra.Command{
		Use: "demo", Short: "Live through a whole life of a small operator, on throwaway destinations",
		Long: "Unpacks an embedded operator's repository, releases v1.5.0-rc.0, v1.5.0 and v1.5.1 by the code that real releases go through, " +
			"to a registry and a git remote in a temporary folder, and tells what happens. Nothing outside of that folder is touched.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.newStory(cmd.Context(), keep, platforms)
			if err != nil {
				return err
			}
			defer s.end()
			for i, chapter := range chapters() {
				if !a.json {
					s.page.Heading("%d. %s", i+1, chapter.title)
				}
				if err := chapter.tell(s, cmd.Context()); err != nil {
					return fmt.Errorf("demo, chapter %d (%s): %w", i+1, chapter.title, err)
				}
			}
			if a.json {
				return a.print(s.releases, nil)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&keep, "keep", "", "leave repository, remote.git, registry and dist/<version> in this folder, to look at")
	cmd.Flags().StringSliceVar(&platforms, "platform", nil, "build for this platform (os/arch) instead of the configured ones, which is quicker; may be repeated")
	return cmd
}

// story is the state of the demo between chapters.
type story struct {
	app         *app
	page        *report.Page
	dir         string
	temporary   bool
	platforms   []string // nil: those of the settings
	destination *publish.Throwaway
	releases    []publish.Report
	archives    []string // images made by a container builder, as --image takes them
	begun       time.Time
}

func (s *story) repository() string { return filepath.Join(s.dir, "repository") }
func (s *story) bundle(v string) string {
	return filepath.Join(s.dir, "dist", v)
}

func (s *story) site() string { return filepath.Join(s.dir, "site") }

func (a *app) newStory(ctx context.Context, keep string, platforms []string) (*story, error) {
	s := &story{app: a, page: report.New(a.stdout), dir: keep, temporary: keep == "", platforms: platforms, begun: time.Now()}
	var err error
	if s.temporary {
		if s.dir, err = os.MkdirTemp("", "operator-release-demo-"); err != nil {
			return nil, err
		}
	} else {
		if entries, err := os.ReadDir(keep); err == nil && len(entries) > 0 {
			return nil, refusal.New("run the demo in %s: the folder is not empty; name a new one with --keep", keep)
		}
		if s.dir, err = filepath.Abs(keep); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(s.dir, 0o755); err != nil {
			return nil, err
		}
	}
	s.destination, err = publish.NewThrowaway(ctx, s.dir, git.SHA1)
	// The environment is that of this process alone.
	return s, errors.Join(err, os.Setenv("GITHUB_TOKEN", publish.ThrowawayToken), git.LeaveUserSettings())
}

func (s *story) end() {
	s.destination.Close()
	if s.temporary {
		os.RemoveAll(s.dir)
	}
}

// say writes a line of the story.
func (s *story) say(mark report.Mark, format string, args ...any) {
	if !s.app.json {
		s.page.Line(mark, format, args...)
	}
}

// chapter is a part of the demo.
type chapter struct {
	title string
	tell  func(*story, context.Context) error
}

// chapters are the life of the demo's operator, in order.
func chapters() []chapter {
	return []chapter{
		{"A repository like many: an operator, its chart, two Dockerfiles, a year of commits", (*story).unpack},
		{"An image that needs a container builder", (*story).bring},
		{"What v1.5.0 may contain, and what it asks of those who come from v1.4.1", (*story).content},
		{"v1.5.0-rc.0: a candidate from the development branch opens line 1.5", (*story).candidate},
		{"v1.5.0: the final, from the release branch", (*story).final},
		{"A version never changes", (*story).immutable},
		{"v1.5.1: a fix of the development branch for two lines", (*story).repair},
		{"Is all of it what was published?", (*story).audit},
		{"v1.5.1 turns out bad, and then it does not", (*story).takeBack},
		{"Which version should one run, and how does one get there?", (*story).catalog},
		{"Everything is lost, and comes back", (*story).restore},
		{"Where to look", (*story).look},
	}
}

func (s *story) unpack(ctx context.Context) error {
	if err := demo.Repository(ctx, s.repository()); err != nil {
		return err
	}
	r, err := git.Open(ctx, s.repository())
	if err != nil {
		return err
	}
	count, err := r.Git(ctx, "rev-list", "--all", "--count")
	if err != nil {
		return err
	}
	tags, err := r.Git(ctx, "tag", "--list")
	if err != nil {
		return err
	}
	s.say(report.Done, "pi-operator: %s commits on main and release-1.4; tags %s", count, strings.Join(strings.Fields(tags), ", "))
	if _, err := r.Git(ctx, "push", "--quiet", s.destination.Remote, "--all"); err != nil {
		return err
	}
	if _, err := r.Git(ctx, "push", "--quiet", s.destination.Remote, "--tags"); err != nil {
		return err
	}
	if _, err := r.Git(ctx, "remote", "add", "origin", s.destination.Remote); err != nil {
		return err
	}
	if _, err := r.Git(ctx, "fetch", "--quiet", "origin"); err != nil {
		return err
	}
	s.say(report.Done, "a git remote (%s) and a registry (%s) to release to: both throwaway", s.destination.Remote, s.destination.Registry)
	return nil
}

// kubectl is the image whose Dockerfile has RUN.
const kubectl = "docker.io/example/pi-operator-kubectl"

// builderPatience bounds what the demo waits for a container builder, which may have to pull and download.
const builderPatience = 2 * time.Minute

// bring has a container builder make the image that cannot be built in process, where there is one. It is no failure where
// that does not work: the image is optional.
func (s *story) bring(ctx context.Context) error {
	how, ok := image.EngineReachable()
	if !ok {
		s.say(report.None, "%s has RUN in its Dockerfile and no container builder is in reach: it is left out", kubectl)
		return nil
	}
	o := image.EngineOptions{
		Repository: kubectl, Contexts: map[string]string{}, Archive: filepath.Join(s.dir, "engine", pipeline.ImageFile), Log: io.Discard,
	}
	platforms := s.platforms
	if len(platforms) == 0 {
		platforms = []string{"linux/amd64", "linux/arm64"}
	}
	for _, platform := range platforms {
		o.Contexts[platform] = filepath.Join(s.dir, "engine", pipeline.ContextName(platform))
		if err := os.CopyFS(o.Contexts[platform], os.DirFS(s.repository())); err != nil {
			return err
		}
		_, dockerfile, err := image.PrepareContext(image.ContextOptions{Tree: o.Contexts[platform], Context: ".", Dockerfile: "docker/Dockerfile.kubectl", Platform: platform})
		if err != nil {
			return err
		}
		o.Dockerfile = dockerfile
	}
	ctx, cancel := context.WithTimeout(ctx, builderPatience)
	defer cancel()
	if err := image.BuildWithDagger(ctx, o); err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		s.say(report.None, "%s has RUN in its Dockerfile, and by %s it could not be built: it is left out (%s)", kubectl, how, reason)
		return nil
	}
	s.archives = []string{kubectl + "=" + o.Archive}
	s.say(report.Done, "%s has RUN in its Dockerfile: built by %s, brought in as an OCI archive", kubectl, how)
	return nil
}

// to are the throwaway destinations.
func (s *story) to() pipeline.Destinations {
	t := s.destination
	return pipeline.Destinations{Registry: t.Registry, Remote: t.Remote, GitHub: t.GitHub, GitHubURL: t.Forge, Index: t.Index}
}

// flags name them on the command line.
func (s *story) flags() string {
	t := s.destination
	return fmt.Sprintf("--registry %s --remote %s --github %s --github-url %s --index %s", t.Registry, t.Remote, t.GitHub, t.Forge, t.Index)
}

// release is what a maintainer does: release, read the report, publish.
func (s *story) release(ctx context.Context, v string) (pipeline.Release[string], publish.Report, error) {
	inner := *s.app
	inner.source, inner.config = s.repository(), ""
	b := building{out: s.bundle(v), platforms: s.platforms, images: s.archives, engineless: true, gated: true}
	typed := "operator-release release --version " + v
	for _, platform := range s.platforms {
		typed += " --platform " + platform
	}
	s.say(report.Shell, "%s", typed)
	r, _, err := b.make(ctx, &inner, v, (*pipeline.Flow[string]).Release)
	if err != nil {
		return r, publish.Report{}, err
	}
	s.say(report.Shell, "operator-release publish dist/%s %s", v, s.flags())
	published, err := s.publish(ctx, v)
	return r, published, err
}

func (s *story) publish(ctx context.Context, v string) (publish.Report, error) {
	b, err := bundle.Load(s.bundle(v))
	if err != nil {
		return publish.Report{}, err
	}
	source, err := git.Open(ctx, s.repository())
	if err != nil {
		return publish.Report{}, err
	}
	return publish.Publish(ctx, b, s.destination.Destinations(source))
}

func (s *story) candidate(ctx context.Context) error {
	r, published, err := s.release(ctx, "v1.5.0-rc.0")
	if err != nil {
		return err
	}
	s.releases = append(s.releases, published)
	if s.app.json {
		return nil
	}
	if err := s.app.printRelease(r, s.bundle("v1.5.0-rc.0")); err != nil {
		return err
	}
	s.page.Heading("Published")
	s.writes(published)
	return nil
}

func (s *story) writes(published publish.Report) {
	if !s.app.json {
		writesTable(s.page, published.Writes, s.destination.Registry+"/")
	}
}

func (s *story) final(ctx context.Context) error {
	r, err := git.Open(ctx, s.repository())
	if err != nil {
		return err
	}
	if err := s.git(ctx, "fetch", "--quiet", "--tags", "origin"); err != nil {
		return err
	}
	if err := s.git(ctx, "checkout", "--quiet", "-b", "release-1.5", "origin/release-1.5"); err != nil {
		return err
	}
	head, _, err := r.Head(ctx)
	if err != nil {
		return err
	}
	s.say(report.Done, "branch release-1.5 was begun by the candidate; its tip is the release commit %.12s", head.ID)
	_, published, err := s.release(ctx, "v1.5.0")
	if err != nil {
		return err
	}
	s.releases = append(s.releases, published)
	s.writes(published)
	return nil
}

// git does in the demo's repository what its maintainer would type.
func (s *story) git(ctx context.Context, args ...string) error {
	s.say(report.Shell, "git %s", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = s.repository()
	cmd.Env = append(git.UserEnvironment(),
		"GIT_AUTHOR_NAME=Demo", "GIT_AUTHOR_EMAIL=demo@example.com", "GIT_COMMITTER_NAME=Demo", "GIT_COMMITTER_EMAIL=demo@example.com")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (s *story) immutable(ctx context.Context) error {
	again, err := s.publish(ctx, "v1.5.0")
	if err != nil {
		return err
	}
	if again.Changed() {
		return errors.New("publishing the same bundle again wrote something")
	}
	s.say(report.Done, "published again: nothing to do, %d manifests, blobs and refs are as they were", again.Read)
	if err := s.git(ctx, "fetch", "--quiet", "--tags", "origin"); err != nil {
		return err
	}
	if err := s.git(ctx, "commit", "--quiet", "--allow-empty", "-m", "fix: one more thing, under the same version"); err != nil {
		return err
	}
	inner := *s.app
	inner.source = s.repository()
	b := building{out: filepath.Join(s.dir, "dist", "refused"), platforms: s.platforms, images: s.archives, engineless: true}
	_, _, err = b.make(ctx, &inner, "v1.5.0", (*pipeline.Flow[string]).Build)
	if !refusal.Is(err) {
		return fmt.Errorf("other content under v1.5.0 was not refused: %w", err)
	}
	s.say(report.Done, "the same version with other content is refused: %s", err)
	return nil
}

// restore keeps a backup, loses registry and tags, and publishes the backup again.
func (s *story) restore(ctx context.Context) error {
	b, err := bundle.Load(s.bundle("v1.5.0"))
	if err != nil {
		return err
	}
	source, err := git.Open(ctx, s.repository())
	if err != nil {
		return err
	}
	backups := filepath.Join(s.dir, "backups")
	s.say(report.Shell, "operator-release publish dist/v1.5.0 --backup %s", backups)
	kept, err := publish.Publish(ctx, b, publish.Destinations{Backup: publish.ParseBackup(backups, nil)})
	if err != nil {
		return err
	}
	s.writes(kept)
	if err := s.git(ctx, "push", "--quiet", "origin", ":refs/tags/v1.5.0", ":refs/releases/v1.5.0"); err != nil {
		return err
	}
	// A folder of its own: in the first registry's the blobs would still lie.
	empty, err := publish.NewThrowaway(ctx, filepath.Join(s.dir, "after-the-loss"), git.SHA1)
	if err != nil {
		return err
	}
	defer empty.Close()
	s.say(report.Note, "the registry is lost: another one is there, and empty (%s); the remote has lost tag and claim", empty.Registry)
	s.say(report.Shell, "operator-release restore %s --registry %s --remote %s", filepath.Join(backups, "v1.5.0"), empty.Registry, s.destination.Remote)
	if b, err = bundle.Load(filepath.Join(backups, "v1.5.0")); err != nil {
		return err
	}
	to := s.destination.Destinations(source)
	to.Registry = &publish.Registry{Prefix: empty.Registry}
	back, err := publish.Publish(ctx, b, to)
	if err != nil {
		return err
	}
	for i := range back.Writes {
		back.Writes[i].Target = strings.TrimPrefix(back.Writes[i].Target, empty.Registry+"/")
	}
	s.writes(back)
	s.say(report.Done, "the same identity: %s; %d manifests, blobs and refs were read back and are equal", back.Identity, back.Read)
	return nil
}

func (s *story) look(context.Context) error {
	if s.temporary {
		s.say(report.Note, "all of it was in %s, which is gone now; `demo --keep DIR` leaves it to look at", s.dir)
	} else {
		s.say(report.Done, "%s: the repository, on branch release-1.5", s.repository())
		s.say(report.Done, "%s: the remote, with branches, tags and claims: git --git-dir %s for-each-ref", s.destination.Remote, s.destination.Remote)
		s.say(report.Done, "%s: what the registry was given, an OCI image layout", filepath.Join(s.dir, "registry"))
		s.say(report.Done, "%s: the site about all versions", filepath.Join(s.site(), "index.html"))
		s.say(report.Done, "%s: the bundle: release.json and files by name in files/, everything by digest in blobs/", s.bundle("v1.5.0"))
	}
	s.say(report.Done, "the demo took %.0f s", time.Since(s.begun).Seconds())
	return nil
}
