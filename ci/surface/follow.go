package surface

import (
	"io/fs"
	"path"
	"slices"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/git"
	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

// Tree is a version's tree; the reader closes it.
type Tree interface {
	fs.FS
	Close() error
}

// Before are the versions before one. They tell which places follow the version: those that said one of them, in some
// form, in its own tree or now.
type Before struct {
	// Versions is empty for a first version: then each place that shows a version follows.
	Versions []version.Version
	Tree     func(version.Version) (Tree, error) // of one of them, and of those that Earlier gives
	// Earlier gives the versions before an older one; none where that is not tagged. A place that says an older version
	// was forgotten, if it followed then: its tree, and that of a version before it, said their own versions there.
	Earlier func(version.Version) []version.Version
}

// Occurrence is a value of a surface.
type Occurrence struct {
	Surface
	Value
}

// Places are the values that were found in a tree.
type Places struct {
	Follow []Occurrence      // they carry the version
	Others []Occurrence      // they never followed it, and stay as they are; not those that a template fills in
	Edits  map[string][]byte // the contents, by path, of the files that change where all of Follow say the version
}

// Rewrite tells which places of a tree carry the version, and what the files are where they say v. A file that is, or
// lies behind, a symbolic link is refused.
func Rewrite(tree *git.Tree, c config.Config, v version.Version, before Before) (Places, error) {
	surfaces, err := Find(tree, c)
	if err != nil {
		return Places{}, err
	}
	p := Places{Edits: map[string][]byte{}}
	h := history{Before: before, version: v, read: map[string][]Value{}, charts: map[string]version.Version{}}
	for _, s := range surfaces {
		content, ok := p.Edits[s.Path]
		if !ok {
			if content, err = tree.ReadFile(s.Path); err != nil {
				return p, refusal.New("read surface %s: %w", s.Path, err)
			}
		}
		values, err := s.Read(content)
		if err != nil {
			return p, err
		}
		forms := map[int]Form{}
		for _, value := range withoutPatterns(surfaces, s, values, content) {
			if !takes(s, value, v) {
				continue
			}
			form, ok, err := h.follows(s, value)
			switch {
			case err != nil:
				return p, err
			case ok:
				value.Form = form
				forms[value.Start] = form
				p.Follow = append(p.Follow, Occurrence{s, value})
			case !filledIn(value.Text):
				p.Others = append(p.Others, Occurrence{s, value})
			}
		}
		if len(forms) == 0 {
			continue
		}
		if e, ok := tree.Entry(s.Path); !ok || e.Mode == "120000" {
			return p, refusal.New("edit surface %s: it is, or lies behind, a symbolic link; name the file itself", s.Path)
		}
		after, err := s.Edit(content, v, func(value Value) (Form, bool) {
			form, ok := forms[value.Start]
			return form, ok
		})
		if err != nil {
			return p, err
		}
		if string(after) != string(content) {
			p.Edits[s.Path] = after
		}
	}
	relock(tree, c, p.Edits)
	return p, nil
}

// withoutPatterns are those of a surface's values that no pattern of the settings catches: they are listed once.
func withoutPatterns(all []Surface, s Surface, values []Value, content []byte) []Value {
	if s.Kind == patternKind {
		return values
	}
	values = slices.Clone(values)
	for _, other := range all {
		if other.Kind != patternKind || other.Path != s.Path {
			continue
		}
		caught, err := other.Read(content)
		if err != nil {
			continue // which the pattern's own turn says
		}
		values = slices.DeleteFunc(values, func(v Value) bool {
			return slices.ContainsFunc(caught, func(c Value) bool { return c.Start < v.End && v.Start < c.End })
		})
	}
	return values
}

// Follows tells which values of a tree carry the version v: those that a pattern of the settings catches, that say v,
// or that said a version before. Of a first version only those follow that say it.
func Follows(all []Occurrence, v version.Version, before Before) (follow, others []Occurrence, err error) {
	h := history{Before: before, version: v, read: map[string][]Value{}, charts: map[string]version.Version{}}
	for _, at := range all {
		if !takes(at.Surface, at.Value, v) {
			continue
		}
		ok := at.Kind == patternKind || at.Means(v)
		if !ok && len(before.Versions) > 0 {
			if _, ok, err = h.said(at.Surface, at.Value, true); err != nil {
				return nil, nil, err
			}
		}
		if ok {
			follow = append(follow, at)
		} else if !filledIn(at.Text) {
			others = append(others, at)
		}
	}
	return follow, others, nil
}

// history tells which values follow a version.
type history struct {
	Before
	version version.Version
	read    map[string][]Value         // of a surface in the tree of a version before, by version, kind and path
	charts  map[string]version.Version // what the values of charts say that follow, by folder and badge
}

// follows tells whether a value carries the version, and the form that it is written in.
func (h *history) follows(s Surface, value Value) (Form, bool, error) {
	now, _, shows := Parse(value.Text)
	form, ok, err := h.said(s, value, value.Form.Candidate != "")
	if err != nil {
		return form, false, err
	}
	switch {
	case ok || value.Always || value.Means(h.version):
		ok = true
	case len(h.Versions) == 0:
		ok = shows && s.Kind != moduleKind
	case s.Kind == chartKind: // a chart that is new
		ok = shows && !h.known(s)
	case s.Kind == badgeKind:
		ok = shows && now == h.charts[path.Dir(s.Path)+" "+value.Badge]
	}
	if ok && s.Kind == chartKind && shows {
		h.charts[path.Dir(s.Path)+" "+value.Badge] = now
	}
	return form, ok, nil
}

// said tells whether a value says a version before, or said one in its tree, and the form for candidates, as far as the
// value itself or those trees show it. With formKnown the trees are not read for the form.
func (h *history) said(s Surface, value Value, formKnown bool) (form Form, ok bool, err error) {
	form = value.Form
	for _, v := range h.Versions {
		ok = ok || value.Means(v)
	}
	if _, candidate := h.version.Candidate(); ok && (formKnown || !candidate) {
		return form, true, nil
	}
	for _, v := range h.Versions {
		values, err := h.valuesOf(s, v)
		if err != nil {
			return form, false, err
		}
		for _, then := range values {
			if then.Name != value.Name || !then.Means(v) {
				continue
			}
			ok = true
			if _, was, _ := Parse(then.Text); form.Candidate == "" {
				form.Candidate = was.Candidate
			}
		}
	}
	if !ok {
		ok, err = h.forgotten(s, value)
	}
	return form, ok, err
}

// forgotten tells whether a value says an older version, and followed the versions until then.
func (h *history) forgotten(s Surface, value Value) (bool, error) {
	now, _, shows := Parse(value.Text)
	if !shows || h.Earlier == nil || len(h.Versions) == 0 || now.Compare(h.version) >= 0 {
		return false, nil
	}
	earlier := h.Earlier(now)
	if len(earlier) == 0 {
		return false, nil
	}
	if ok, err := h.saidIn(s, value, now); err != nil || !ok {
		return false, err
	}
	for _, v := range earlier {
		if ok, err := h.saidIn(s, value, v); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

// saidIn tells whether a value said a version in the version's own tree.
func (h *history) saidIn(s Surface, value Value, v version.Version) (bool, error) {
	values, err := h.valuesOf(s, v)
	return slices.ContainsFunc(values, func(then Value) bool { return then.Name == value.Name && then.Means(v) }), err
}

// known tells whether the file of a surface is in the tree of a version before.
func (h *history) known(s Surface) bool {
	for _, v := range h.Versions {
		if values, err := h.valuesOf(s, v); err == nil && len(values) > 0 {
			return true
		}
	}
	return false
}

// valuesOf are the values of a surface in the tree of a version before. What could not be read there said nothing.
func (h *history) valuesOf(s Surface, v version.Version) ([]Value, error) {
	key := v.String() + " " + s.Kind + " " + s.Path
	if values, ok := h.read[key]; ok {
		return values, nil
	}
	tree, err := h.Tree(v)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	var values []Value
	if content, err := fs.ReadFile(tree, s.Path); err == nil {
		if values, err = s.Read(content); err != nil {
			values = nil
		}
	}
	h.read[key] = values
	return values, nil
}
