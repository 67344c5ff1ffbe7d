package plan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/operator-release/operator-release/ci/changelog"
	"github.com/operator-release/operator-release/ci/committer"
	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/output"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/tags"
	"github.com/operator-release/operator-release/ci/version"
)

// lockFile is what Dagger 1.0 writes at the top of the caller's repository.
const lockFile = "dagger.lock"

// checkClone speaks against a work tree with changes, and a clone without its history.
func (m *maker) checkClone(ctx context.Context, _ *git.Tree) error {
	shallow, err := m.Repository.Shallow(ctx)
	if err != nil {
		return err
	}
	if shallow {
		m.against("the history of the release commit is incomplete: %v", m.Repository.CutOff(ctx))
	}
	if m.Again {
		return m.checkRecorded(ctx, shallow)
	}
	if m.Commit != "" {
		return nil
	}
	changed, err := m.Repository.Dirty(ctx, output.Written(m.Repository.Dir()))
	if err != nil {
		return err
	}
	var dirty, added []string
	files := output.Files(m.Repository.Dir())
	for _, name := range changed {
		if name == lockFile {
			m.against("%s is not committed: Dagger 1.0 writes the digests of the images that it pulled into it; commit it, which "+
				"pins the images of the stages (git add %[1]s && git commit -m 'build: pin images of Dagger' -- %[1]s), or add it to .gitignore",
				lockFile)
		} else if folder, own := files(name); !own {
			dirty = append(dirty, name)
		} else if !slices.Contains(added, folder) {
			added = append(added, folder)
		}
	}
	for _, folder := range added {
		m.against("git add took output of this command into the index, which is no source: %s; %s", folder, untrack(folder))
	}
	if len(dirty) > 0 {
		for i, name := range dirty {
			if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
				dirty[i] = strconv.Quote(name) // a line break in a name makes no line of the report
			}
		}
		m.against("the work tree is dirty: %s; a release contains only committed files; commit them, or run: "+
			"git stash --include-untracked",
			few(dirty))
	}
	return nil
}

// checkRecorded refuses a clone without the history and tags that the version's record depends on, or with one of those
// tags on another commit. A build from such a clone would give another version.
func (m *maker) checkRecorded(ctx context.Context, shallow bool) error {
	if shallow {
		return fmt.Errorf("build %s again: %w", m.plan.Version, m.Repository.CutOff(ctx))
	}
	tagged, err := m.Repository.Refs(ctx, "refs/tags/")
	if err != nil {
		return err
	}
	for _, tag := range slices.Sorted(maps.Keys(m.Recorded)) {
		switch here, recorded := tagged[tag], m.Recorded[tag]; {
		case here == "":
			return refusal.New("build %s again: the record depends on tag %s, which this clone does not have; %s",
				m.plan.Version, tag, m.Repository.FetchAdvice(ctx))
		case here != recorded:
			return refusal.New("build %s again: the record depends on tag %s on commit %s, and in this clone the tag is on %s; %s",
				m.plan.Version, tag, short(recorded), short(here), m.Repository.FetchAdvice(ctx))
		}
	}
	return nil
}

// readTags reads the tags of versions. Of a version that is built again only those count that its record names, and its
// own: later or local tags make no other version of it.
func (m *maker) readTags(ctx context.Context) (all tags.Tags, err error) {
	if all, err = tags.Read(ctx, m.Repository); err != nil {
		return nil, err
	}
	m.tags = maps.Clone(all)
	if m.Again {
		maps.DeleteFunc(m.tags, func(v version.Version, _ string) bool {
			return v != m.plan.Version && m.Recorded[v.String()] == ""
		})
	}
	return all, nil
}

// checkPlace finds the versions that exist and speaks against gaps and wrong ancestry.
func (m *maker) checkPlace(ctx context.Context, _ *git.Tree) error {
	all, err := m.readTags(ctx)
	if err != nil {
		return err
	}
	p := &m.plan
	m.place, err = m.tags.Place(ctx, m.Repository, p.Config.Pattern(), p.Version, m.base)
	if err != nil && !refusal.Is(err) {
		return err
	}
	if err != nil && !m.partial {
		m.against("%v", err)
	}
	p.Previous = m.place.Previous
	if p.Since, m.from, err = all.Since(ctx, m.Repository, m.place, m.base.ID); err != nil {
		return err
	}
	if m.Alone && m.place.OnLine.IsZero() {
		m.against("%s would be the first version of line %s, and that stands on versions of other lines: their tags are not here, for the repository came as one branch; "+
			"use a clone that has them", p.Version, p.Line)
	}
	if err := m.checkNames(ctx, "refs/tags/"+p.Version.String(), "refs/heads/"+p.Branch); err != nil {
		return err
	}
	if m.partial {
		return nil
	}
	if p.Previous.IsZero() {
		m.notice("no version is tagged yet: %s is the first", p.Version)
	}
	if before := m.place.OnLine; !before.IsZero() {
		ok, err := m.Repository.Descends(ctx, m.base.ID, m.tags[before])
		if err != nil {
			return err
		}
		if !ok {
			command, err := m.switchCommand(ctx)
			if err != nil {
				return err
			}
			m.strayed = true
			m.against("%s does not descend from %s, the version before it on line %s (commit %s is not in its history); "+
				"release from branch %s (%s); a commit that it does not have gets there by operator-release backport",
				short(m.base.ID), before, p.Line, short(m.tags[before]), p.Branch, command)
		}
	}
	return nil
}

// checkNames speaks against refs that git cannot make beside those that are there: one cannot be a file and a folder at once.
func (m *maker) checkNames(ctx context.Context, refs ...string) error {
	for _, ref := range refs {
		below, err := m.Repository.Refs(ctx, ref+"/")
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(below)) {
			m.against("%s cannot be made beside %s/%s, as git keeps refs in folders; remove that one, here and on the remote", ref, ref, name)
		}
		for above := path.Dir(ref); strings.Count(above, "/") > 1; above = path.Dir(above) {
			if there, err := m.Repository.Git(ctx, "for-each-ref", "--format=%(refname)", above); err != nil {
				return err
			} else if strings.HasPrefix(there+"\n", above+"\n") {
				m.against("%s cannot be made beside %s, as git keeps refs in folders; remove that one, here and on the remote", ref, above)
			}
		}
	}
	return nil
}

// describe writes the notes, and their section of the changelog. A section that is there already is what the notes are.
func (m *maker) describe(ctx context.Context, tree *git.Tree, edits map[string][]byte) error {
	p := &m.plan
	said, err := m.Describe(ctx, Described{Version: p.Version, Commit: m.base.ID, Since: p.Since, From: m.from, Time: p.Time, URL: p.Config.URL, Accepted: p.Accepted,
		LeftOut: p.leftOut()})
	if err != nil {
		return err
	}
	p.Notes = said.Notes
	file := p.Config.ChangelogOf(p.Version)
	if file == "" {
		return nil
	}
	content, err := tree.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return refusal.New("read changelog %s: %w", file, err)
	}
	if e, ok := tree.Entry(file); ok && e.Mode == "120000" {
		return refusal.New("edit changelog %s: it is a symbolic link; name the file itself (changelog: PATH in %s)", file, config.File)
	}
	if there := changelog.Section(content, p.Version); there != "" {
		p.Notes = there
		if said.LeftOut != "" && !strings.Contains(there, strings.TrimSpace(said.LeftOut)) {
			p.Notes = strings.TrimRight(there, "\n") + "\n" + said.LeftOut
		}
		var lacks []string
		for _, n := range said.Requests {
			if !regexp.MustCompile(`#` + n + `\b`).MatchString(there) {
				lacks = append(lacks, "#"+n)
			}
		}
		if len(lacks) > 0 {
			m.notice("%s has a section of %s already, which does not name %s; it stays as it is", file, p.Version, strings.Join(lacks, ", "))
		}
		return nil
	}
	if _, candidate := p.Version.Candidate(); !candidate { // a candidate's section goes with the final
		if rest, taken, ok := changelog.Take(content, said.Notes); ok {
			content, p.Notes = rest, taken
			if said.LeftOut != "" {
				p.Notes = strings.TrimRight(taken, "\n") + "\n" + said.LeftOut
			}
			m.notice("what %s says as unreleased is the section of %s", file, p.Version)
		}
	}
	edits[file], p.Changelog = changelog.Enter(content, p.Version, p.Notes), file
	return nil
}

// commit makes the objects that the base lacks. The tag's and the commit's maker and time come from the settings and the base commit.
func (m *maker) commit(ctx context.Context, edits map[string][]byte) error {
	var err error
	if m.quiet, err = m.Repository.Quarantine(ctx, m.Quarantine); err != nil {
		return err
	}
	by := committer.Of(m.plan.Config, m.base)
	m.plan.Maker = Maker{by.Name, by.Email, by.Because, by.SignOff}
	released := m.base
	if len(edits) > 0 {
		if !by.SignOff && committer.SignedOff(m.base.Message) {
			m.notice("commit %s is signed off, and the release commit is not: a check of sign-offs would refuse it; "+
				"set signOff: true and author in %s", short(m.base.ID), config.File)
		}
		message := by.Message(fmt.Sprintf("chore(release): %s\n", m.plan.Version))
		if released, err = m.quiet.NewCommit(ctx, m.base, edits, by.Person, message); err != nil {
			return err
		}
	}
	m.plan.Commit, m.plan.Tree = released.ID, released.Tree
	if m.plan.Tag, err = m.quiet.NewTag(ctx, m.plan.Version.String(), released.ID, by.Person, fmt.Sprintf("%s %s\n", m.plan.Name, m.plan.Version)); err != nil {
		return err
	}
	made := []string{m.plan.Tag}
	for i, module := range m.plan.Modules {
		id, err := m.quiet.NewTag(ctx, module.Tag, released.ID, by.Person, fmt.Sprintf("%s %s\n", m.plan.Name, module.Tag))
		if err != nil {
			return err
		}
		m.plan.Modules[i].Object = id
		made = append(made, id)
	}
	m.objects, err = m.quiet.AddedObjects(ctx, m.base, released, made...)
	return err
}

// checkBranch speaks against a release branch that could not be fast-forwarded.
func (m *maker) checkBranch(ctx context.Context, _ *git.Tree) error {
	p := &m.plan
	if m.partial {
		return nil
	}
	branches, err := m.Repository.Branches(ctx)
	if err != nil {
		return err
	}
	tips := map[string]string{}
	if tip, ok := branches.Own[p.Branch]; ok {
		tips[p.Branch] = tip
	}
	if tip, ok := branches.Fetched[p.Branch]; ok {
		tips[branches.Remote+"/"+p.Branch] = tip
	}
	if m.tip != "" { // what the remote answered is newer than what was fetched
		tips[m.Remote.String()+"/"+p.Branch] = m.tip
	}
	if len(branches.Own[p.Branch]+branches.Fetched[p.Branch]) == 0 {
		m.notice("branch %s does not exist yet; it will begin with this release", p.Branch)
	}
	for _, name := range slices.Sorted(maps.Keys(tips)) {
		tip := tips[name]
		ahead, err := m.quiet.Descends(ctx, p.Commit, tip)
		if err != nil {
			return err
		}
		behind, err := m.quiet.Descends(ctx, tip, p.Commit)
		if err != nil {
			return err
		}
		if !ahead && (!behind || !p.Exists) && !m.strayed {
			command, err := m.switchCommand(ctx)
			if err != nil {
				return err
			}
			m.against("branch %s is at %s, which is not in the history of %s, so it could not be fast-forwarded; "+
				"release from that branch (%s)", name, short(tip), short(m.base.ID), command)
			m.strayed = true
		}
	}
	return nil
}

// switchCommand is the command that checks out the newest commit of the release branch. A clone that fetches other
// branches cannot guess the branch from its name alone.
func (m *maker) switchCommand(ctx context.Context) (string, error) {
	name := m.plan.Branch
	branches, err := m.Repository.Branches(ctx)
	if err != nil {
		return "", err
	}
	own, newest, from := branches.Own[name], branches.Fetched[name], branches.Remote+"/"+name
	if m.tip != "" { // the remote's commit is here, but maybe no branch
		contained := false
		if newest != "" {
			if contained, err = m.Repository.Descends(ctx, newest, m.tip); err != nil {
				return "", err
			}
		}
		if !contained {
			newest, from = m.tip, short(m.tip)
		}
	}
	switch {
	case newest == "":
		return "git switch " + name, nil
	case own == "":
		return "git switch -c " + name + " " + from, nil
	}
	contained, err := m.Repository.Descends(ctx, own, newest)
	if err != nil || contained {
		return "git switch " + name, err
	}
	return "git switch " + name + " && git merge --ff-only " + from, nil
}

// images decides how each image comes to be.
func (m *maker) images(ctx context.Context, tree *git.Tree) error {
	p := &m.plan
	for _, r := range m.Archives {
		if !slices.ContainsFunc(p.Config.Images, func(i config.Image) bool { return i.Repository == r }) {
			var known []string
			for _, i := range p.Config.Images {
				known = append(known, i.Repository)
			}
			return refusal.New("take the image %s from an archive: this repository releases no such image; it releases %s", r, strings.Join(known, ", "))
		}
	}
	for _, image := range p.Config.Images {
		planned := Image{Repository: image.Repository, Dockerfile: image.Dockerfile, How: config.InProcess}
		if slices.Contains(m.Archives, image.Repository) {
			planned.How = config.ByArchive
		}
		seen, err := m.Examine(tree, image)
		if err != nil && planned.How != config.ByArchive { // what made the archive is nobody's business
			return err
		}
		switch {
		case planned.How == config.ByArchive:
		case seen.Problem == "":
			planned.Bases = seen.Bases
		case m.Engine:
			planned.How, planned.Because, planned.Bases = config.ByEngine, seen.Problem, seen.Bases
		default:
			planned.How, planned.Because, planned.Bases = config.LeftOut, seen.Problem, seen.Bases
			problem := seen.Problem + "; " + seen.WayOut
			if image.Optional {
				m.notice("image %s is left out: %s", image.Repository, problem)
			} else {
				m.against("image %s cannot be built here: %s", image.Repository, problem)
			}
		}
		m.carry(&planned, image, seen)
		for _, base := range planned.Bases {
			if !strings.Contains(base, "@") && planned.How != config.LeftOut {
				m.notice("%s stands on %s, which is named by a tag: what it is today becomes part of the release; name a digest (…@sha256:…) to decide it in the commit", image.Dockerfile, base)
			}
		}
		p.Images = append(p.Images, planned)
	}
	return m.findRuns(ctx, tree)
}

// carry notes the released binaries that the image itself brings: they are not compiled a second time.
func (m *maker) carry(planned *Image, image config.Image, seen Examination) {
	if planned.How != config.ByEngine && planned.How != config.ByArchive {
		return
	}
	planned.Carries = image.Binaries
	for _, b := range m.plan.Config.Binaries {
		for _, copied := range seen.Copies {
			if image.Binaries == nil && path.Base(copied) == b.Name {
				if planned.Carries == nil {
					planned.Carries = map[string]string{}
				}
				planned.Carries[b.Name] = copied
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(planned.Carries)) {
		m.notice("%s is what %s compiles: it is taken out of the image %s, at %s, for the platforms that the image is for", name, image.Dockerfile, image.Repository, planned.Carries[name])
	}
}
