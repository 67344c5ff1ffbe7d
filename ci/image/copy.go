package image

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/operator-release/operator-release/ci/archive"
)

// copying is one COPY being carried out.
type copying struct {
	*stage
	c        *instructions.CopyCommand
	made     layer
	uid, gid int
	mode     int64  // -1 where --chmod is not given
	dest     string // absolute
	into     bool   // the destination is written as a folder: it ends in a slash
}

// copy carries out COPY; its arguments are expanded. The destination is what Docker makes of it: a
// folder's contents go into it; a file goes into it where it is, or is written as, a folder, else is it.
func (s *stage) copy(c *instructions.CopyCommand) (layer, error) {
	if why, wayOut := checkCopy(c, func(string) bool { return false }); why != "" {
		return nil, s.file.refused(c, wayOut, "%s", why)
	}
	y := &copying{stage: s, c: c, made: layer{}, mode: -1, dest: s.absolute(c.DestPath)}
	if c.Chown != "" {
		y.uid, y.gid, _ = owner(c.Chown) // checked above
	}
	if c.Chmod != "" {
		y.mode, _ = mode(c.Chmod)
	}
	switch last := path.Base(c.DestPath); {
	case strings.HasSuffix(c.DestPath, "/"), last == ".", last == "..":
		y.into = true
	}
	if len(c.SourcePaths) > 1 && !y.into {
		if _, n, err := s.tree.resolve(y.dest); err == nil && !n.isDir() {
			return nil, s.file.refused(c, "write it as "+c.DestPath+"/", "several sources need a folder as destination, and %s is none", c.DestPath)
		}
	}
	for _, src := range c.SourcePaths {
		if err := y.source(src); err != nil {
			return nil, err
		}
	}
	return y.made, nil
}

func (y *copying) source(src string) error {
	name, found, err := y.files.find(src)
	if err != nil {
		return y.file.refused(y.c, "see the build context and its ignore file", "%v", err)
	}
	target, n, err := y.tree.resolve(y.dest)
	if err != nil {
		return y.file.refused(y.c, "choose another destination", "%v", err)
	}
	if n != nil && !n.isDir() && (y.into || found.kind.IsDir()) {
		return y.file.refused(y.c, "choose another destination", "%s is a file in the image, and a folder is to be there", y.dest)
	}
	if !found.kind.IsDir() {
		if y.into || n.isDir() {
			target = path.Join(target, path.Base(src))
		}
		return y.entry(name, found, target)
	}
	if n == nil {
		if err := y.add(y.c, y.made, y.own(archive.Entry{Name: target, Dir: true, Mode: archive.Executable})); err != nil {
			return err
		}
	}
	for _, p := range y.files.below(name) {
		rel := p
		if name != "." {
			rel = strings.TrimPrefix(p, name+"/")
		}
		if err := y.entry(p, y.files.nodes[p], path.Join(target, rel)); err != nil {
			return err
		}
	}
	return nil
}

// entry copies one thing of the context, not what lies in it.
func (y *copying) entry(name string, n *node, target string) error {
	e := archive.Entry{Name: target, Mode: n.mode}
	switch {
	case n.kind.IsDir():
		e.Dir = true
	case n.kind&fs.ModeSymlink != 0:
		if y.files.escapes(name, n) {
			return y.file.refused(y.c, "replace the link, or list it in .dockerignore", "%s is a symbolic link to %s, which leads out of the build context %s", name, n.link, y.files.name)
		}
		e.Link, e.Mode, e.UID, e.GID = n.link, 0o777, y.uid, y.gid
		return y.add(y.c, y.made, e)
	case n.kind != 0:
		return y.file.refused(y.c, "remove it", "%s is neither file, folder nor symbolic link", name)
	default:
		from, err := archive.FromFile(target, n.disk)
		if err != nil {
			return err
		}
		from.Mode = n.mode
		e = from
		if n.binary != "" && !slices.Contains(y.binaries, n.binary) {
			y.binaries = append(y.binaries, n.binary)
			slices.Sort(y.binaries)
		}
	}
	return y.add(y.c, y.made, y.own(e))
}

// own gives an entry the owner and mode that the flags name.
func (y *copying) own(e archive.Entry) archive.Entry {
	e.UID, e.GID = y.uid, y.gid
	if y.mode >= 0 {
		e.Mode = y.mode
	}
	return e
}

// add puts an entry into a layer and into the tree. Folders that the image has stay as they are. What
// lies between the root and the entry is written too where the image starts from scratch; over a base it
// is left to whoever unpacks, because a folder there may be a link to another.
func (s *stage) add(c instructions.Command, made layer, e archive.Entry) error {
	old := s.tree.lookup(e.Name)
	switch {
	case e.Name == "", e.Dir && old.isDir():
		return nil
	case e.Dir && old != nil:
		return s.file.refused(c, "choose another destination", "/%s is a file or symbolic link in the image, and a folder is to be there", e.Name)
	case old.isDir():
		return s.file.refused(c, "choose another destination", "/%s is a folder in the image, and a file is to be there", e.Name)
	}
	if s.base == nil {
		for dir := path.Dir(e.Name); dir != "."; dir = path.Dir(dir) {
			if s.tree.lookup(dir) == nil {
				made[dir] = archive.Entry{Name: dir, Dir: true, Mode: archive.Executable}
			}
		}
	}
	n := &inode{link: e.Link, layer: len(s.layers)}
	if e.Dir {
		n.children = map[string]*inode{}
	}
	s.tree.put(e.Name, n)
	made[e.Name] = e
	return nil
}
