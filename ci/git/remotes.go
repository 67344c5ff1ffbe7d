package git

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// NamedRemote is a git remote as a user names it: by its name in the clone's settings, by a URL or by a path.
type NamedRemote struct {
	Name string // in the clone's settings; empty where no remote there has this URL
	URL  string // or an absolute path; empty where there is no remote at all
}

// String is the name, else the URL.
func (n NamedRemote) String() string { return cmp.Or(n.Name, n.URL) }

// usualRemote is the name that git clone gives a remote.
const usualRemote = "origin"

// byURL is the folder below refs/remotes/ for the branches of a remote that only its URL names.
const byURL = "by-url"

// DefaultRemote is the name of the remote that a command takes where it names none: the one that the checked out
// branch tracks, else the only one, else the one that checkout.defaultRemote names, else origin. It is empty where
// the clone has no remote. Several remotes of which none is preferred are refused.
func (r *Repository) DefaultRemote(ctx context.Context) (string, error) {
	names, err := r.remoteNames(ctx)
	if err != nil || len(names) == 0 {
		return "", err
	}
	branch, err := r.Git(ctx, "symbolic-ref", "--quiet", "--short", "HEAD")
	if err != nil && exitCode(err) != 1 { // 1: HEAD is detached
		return "", err
	}
	if branch != "" {
		tracked, err := r.setting(ctx, "branch."+branch+".remote")
		if err != nil {
			return "", err
		}
		if slices.Contains(names, tracked) { // "." is the clone itself; a URL has no tracking refs
			return tracked, nil
		}
	}
	if len(names) == 1 {
		return names[0], nil
	}
	preferred, err := r.setting(ctx, "checkout.defaultRemote")
	if err != nil {
		return "", err
	}
	for _, name := range []string{preferred, usualRemote} {
		if slices.Contains(names, name) {
			return name, nil
		}
	}
	return "", refusal.New("find the git remote of %s: it has several (%s), none is named %s, "+
		"and the branch that is checked out "+
		"tracks none; choose one: git config checkout.defaultRemote NAME",
		r.dir, strings.Join(names, ", "), usualRemote)
}

// FindRemote finds the remote that a user names by the name of a configured remote, a URL or a path; a configured
// name comes before a folder of the same name, as in git itself. An empty name is the default remote; the result is
// then empty where there is none. A relative path of a user starts at the working folder, one in the settings at the
// repository.
func (r *Repository) FindRemote(ctx context.Context, given string) (NamedRemote, error) {
	if given == "" {
		name, err := r.DefaultRemote(ctx)
		if err != nil || name == "" {
			return NamedRemote{}, err
		}
		given = name
	}
	names, err := r.remoteNames(ctx)
	if err != nil {
		return NamedRemote{}, err
	}
	if slices.Contains(names, given) {
		url, err := r.remoteURL(ctx, given)
		return NamedRemote{given, url}, err
	}
	found := NamedRemote{URL: given}
	if _, err := os.Stat(given); err == nil {
		if found.URL, err = filepath.Abs(given); err != nil {
			return found, err
		}
	} else if !strings.ContainsAny(given, ":/\\") {
		has := "it has no remote"
		if len(names) > 0 {
			has = "it has " + strings.Join(names, ", ")
		}
		return found, refusal.New("find the git remote %s: no remote of %s has this name (%s), and no folder here; "+
			"name a remote, a URL or a path", given, r.dir, has)
	}
	for _, name := range names {
		url, err := r.remoteURL(ctx, name)
		if err != nil && !refusal.Is(err) {
			return found, err
		}
		if strings.TrimPrefix(url, "file://") == strings.TrimPrefix(found.URL, "file://") {
			return NamedRemote{name, found.URL}, nil
		}
	}
	return found, nil
}

// HasFetched tells whether git fetch ran in this work tree, with the name of a remote or with a URL.
func (r *Repository) HasFetched(ctx context.Context) (bool, error) {
	name, err := r.Git(ctx, "rev-parse", "--git-path", "FETCH_HEAD")
	if err != nil {
		return false, err
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.dir, name)
	}
	_, err = os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// remoteNames are the remotes in the clone's settings, sorted.
func (r *Repository) remoteNames(ctx context.Context) ([]string, error) {
	out, err := r.Git(ctx, "remote")
	return strings.Fields(out), err
}

// remoteURL is the URL that git fetches from: the first of several.
func (r *Repository) remoteURL(ctx context.Context, name string) (string, error) {
	out, err := r.setting(ctx, "remote."+name+".url")
	if err != nil {
		return "", err
	}
	url, _, _ := strings.Cut(out, "\n")
	if url == "" {
		return "", refusal.New("read the URL of the git remote %s of %s: it has none; set it: git remote set-url %s URL",
			name, r.dir, name)
	}
	if path := filepath.Join(r.dir, url); !filepath.IsAbs(url) && isFolder(path) { // git has it relative to the repository
		return path, nil
	}
	return url, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// setting is every value of a setting of the clone, one a line; empty where it is not set.
func (r *Repository) setting(ctx context.Context, key string) (string, error) {
	out, err := r.Git(ctx, "config", "--get-all", key)
	if exitCode(err) == 1 {
		return "", nil
	}
	return out, err
}

// Fetching is what a clone's settings say that git fetches from a remote.
type Fetching struct {
	Specs  map[string]string // source to destination of its refspecs; empty as git clone --bare leaves it
	NoTags bool              // tags are fetched only where a refspec names them
}

// Fetching reads what git fetches from a remote.
func (r *Repository) Fetching(ctx context.Context, remote string) (Fetching, error) {
	f := Fetching{Specs: map[string]string{}}
	specs, err := r.setting(ctx, "remote."+remote+".fetch")
	if err != nil {
		return f, err
	}
	for spec := range strings.Lines(specs) {
		from, to, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(spec), "+"), ":")
		f.Specs[from] = to
	}
	option, err := r.setting(ctx, "remote."+remote+".tagOpt")
	f.NoTags = option == "--no-tags" && !f.Covers("refs/tags/")
	return f, err
}

// Covers tells whether everything below a place such as refs/heads/ is fetched.
func (f Fetching) Covers(place string) bool {
	_, all := f.Specs["refs/*"]
	_, these := f.Specs[place+"*"]
	return all || these
}

// tracking is the folder of the refs that say where a remote's branches are.
func (f Fetching) tracking(remote string) string {
	if to, ok := strings.CutSuffix(f.Specs["refs/heads/*"], "*"); ok && strings.HasPrefix(to, "refs/remotes/") {
		return to
	}
	return "refs/remotes/" + remote + "/"
}

// Branches are the branches that a clone knows, with their commits.
type Branches struct {
	Remote  string            // name of the default remote; origin where the clone has none
	Own     map[string]string // of the clone itself
	Fetched map[string]string // of the default remote, as they were last fetched
}

// Branches reads the branches of the clone and of its default remote.
func (r *Repository) Branches(ctx context.Context) (b Branches, err error) {
	var prefix string
	if b.Remote, prefix, err = r.Tracking(ctx); err != nil {
		return b, err
	}
	if b.Own, err = r.Refs(ctx, "refs/heads/"); err != nil {
		return b, err
	}
	b.Fetched, err = r.Refs(ctx, prefix)
	delete(b.Fetched, "HEAD")
	return b, err
}

// Names are the names of all of them, sorted.
func (b Branches) Names() []string {
	all := maps.Clone(b.Own)
	maps.Copy(all, b.Fetched)
	return slices.Sorted(maps.Keys(all))
}

// DevelopmentTip is Newest of the development branch; one that does not exist is refused.
func (r *Repository) DevelopmentTip(ctx context.Context, branch string) (string, error) {
	tip, err := r.Newest(ctx, branch)
	if err != nil || tip != "" {
		return tip, err
	}
	where := "here"
	if remote, err := r.DefaultRemote(ctx); err == nil && remote != "" {
		where += " or at " + remote
	}
	return "", refusal.New("there is no development branch %s, %s; name it in the settings (development: BRANCH)",
		branch, where)
}

// Tracking is the default remote and the folder of its tracking refs. A clone without remotes may have them all the
// same.
func (r *Repository) Tracking(ctx context.Context) (remote, prefix string, err error) {
	if remote, err = r.DefaultRemote(ctx); err != nil {
		return "", "", err
	}
	remote = cmp.Or(remote, usualRemote)
	f, err := r.Fetching(ctx, remote)
	return remote, f.tracking(remote), err
}

// KnownBranches are the names of the clone's own branches and of the fetched branches of a remote. For a remote without
// a name, the fetched branches of all remotes count, because git does not record which of them are its own.
func (r *Repository) KnownBranches(ctx context.Context, remote NamedRemote) ([]string, error) {
	own, err := r.Refs(ctx, "refs/heads/")
	if err != nil {
		return nil, err
	}
	names := slices.Collect(maps.Keys(own))
	prefix := "refs/remotes/"
	if remote.Name != "" {
		if prefix, err = r.trackingOf(ctx, remote); err != nil {
			return nil, err
		}
	}
	fetched, err := r.Refs(ctx, prefix)
	for name := range fetched {
		if remote.Name == "" {
			_, name, _ = strings.Cut(name, "/")
		}
		names = append(names, name)
	}
	return names, err
}

// FetchedBranch is where a branch of a remote was when it was fetched last, and the ref that says so. The commit is empty
// if the branch was not fetched.
func (r *Repository) FetchedBranch(ctx context.Context, remote NamedRemote, branch string) (ref, commit string,
	err error) {
	prefix, err := r.trackingOf(ctx, remote)
	if err != nil || prefix == "" {
		return "", "", err
	}
	ref = prefix + branch
	refs, err := r.Refs(ctx, ref)
	return ref, refs[""], err
}

// trackingOf is the folder of the refs that say where the branches of a remote are. Without a name it has one of its
// own, unless the clone has no other remote.
func (r *Repository) trackingOf(ctx context.Context, remote NamedRemote) (string, error) {
	if remote.Name != "" {
		f, err := r.Fetching(ctx, remote.Name)
		return f.tracking(remote.Name), err
	}
	names, err := r.remoteNames(ctx)
	if len(names) == 0 {
		return "refs/remotes/" + usualRemote + "/", err
	}
	return "refs/remotes/" + byURL + "/", err
}

// FetchCommand is the command that brings every branch, every tag and the whole history of a remote into the clone.
// It works in every kind of clone. --force replaces a tag that a CI checkout made. The refspec also fetches the
// branches that a single-branch clone does not fetch. --unshallow is only there for a shallow clone.
// Without a remote it is for origin.
func (r *Repository) FetchCommand(ctx context.Context, remote NamedRemote) (string, error) {
	shallow, err := r.Shallow(ctx)
	if err != nil {
		return "", err
	}
	unshallow := ""
	if shallow {
		unshallow = " --unshallow"
	}
	prefix, err := r.trackingOf(ctx, remote)
	if err != nil {
		return "", err
	}
	from := cmp.Or(remote.Name, quoted(remote.URL), usualRemote)
	return "git fetch --force --tags" + unshallow + " " + from + " '+refs/heads/*:" + prefix + "*'", nil
}

// FetchAdvice says how the clone gets what it lacks: "run: " and the FetchCommand of its default remote. A clone
// without a remote gets one first. If it is not clear which remote is the default one, it says how to choose one.
func (r *Repository) FetchAdvice(ctx context.Context) string {
	remote, err := r.FindRemote(ctx, "")
	if err != nil {
		return err.Error()
	}
	command, err := r.FetchCommand(ctx, remote)
	switch {
	case err != nil:
		return err.Error()
	case remote.URL == "":
		return "add the repository's address with git remote add, then run: " + command
	}
	return "run: " + command
}

// CutOff is the refusal of a shallow clone, with the command that brings the rest of its history.
func (r *Repository) CutOff(ctx context.Context) error {
	return refusal.New("the clone is shallow; %s", r.FetchAdvice(ctx))
}

// quoted is a word for a shell.
func quoted(word string) string {
	if strings.ContainsFunc(word, func(c rune) bool {
		return !strings.ContainsRune("%+-./:=@_~", c) && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	}) {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}
