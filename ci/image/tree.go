package image

import (
	"fmt"
	"path"
	"strings"
)

// tree is what an image holds so far, without the content: enough to tell where COPY writes to.
// Paths in it are relative to the image's root; "" is the root.
type tree struct{ root inode }

type inode struct {
	link     string            // a symbolic link's target
	children map[string]*inode // not nil for a folder
	layer    int               // the layer that brought it
}

func newTree() *tree { return &tree{inode{children: map[string]*inode{}}} }

func (n *inode) isDir() bool { return n != nil && n.children != nil }

// resolve follows p as a process in the image would, symbolic links too, and gives the path that it
// ends at and what is there, if anything. What is missing is taken as it is written.
func (t *tree) resolve(p string) (string, *inode, error) {
	var at []string
	nodes := []*inode{&t.root}
	rest := parts(p)
	for links := 0; len(rest) > 0; {
		name, here := rest[0], nodes[len(nodes)-1]
		rest = rest[1:]
		switch {
		case name == "" || name == ".":
			continue
		case name == "..":
			if len(at) > 0 {
				at, nodes = at[:len(at)-1], nodes[:len(nodes)-1]
			}
			continue
		case here != nil && !here.isDir():
			return "", nil, fmt.Errorf("/%s is a file in the image", strings.Join(at, "/"))
		}
		var next *inode
		if here != nil {
			next = here.children[name]
		}
		if next != nil && next.link != "" {
			if links++; links > 40 {
				return "", nil, fmt.Errorf("the symbolic links of /%s lead in circles in the image", strings.Trim(p, "/"))
			}
			if path.IsAbs(next.link) {
				at, nodes = nil, nodes[:1]
			}
			rest = append(parts(next.link), rest...)
			continue
		}
		at, nodes = append(at, name), append(nodes, next)
	}
	return strings.Join(at, "/"), nodes[len(nodes)-1], nil
}

// lookup is what lies at p, no link followed.
func (t *tree) lookup(p string) *inode {
	n := &t.root
	for _, name := range parts(p) {
		if !n.isDir() {
			return nil
		}
		n = n.children[name]
	}
	return n
}

// put places n at p, where no link is followed; missing folders are made. A folder keeps what it holds.
func (t *tree) put(p string, n *inode) {
	here := &t.root
	names := parts(p)
	if len(names) == 0 {
		return
	}
	for _, name := range names[:len(names)-1] {
		next := here.children[name]
		if !next.isDir() {
			next = &inode{children: map[string]*inode{}, layer: n.layer}
			here.children[name] = next
		}
		here = next
	}
	last := names[len(names)-1]
	if old := here.children[last]; old.isDir() && n.isDir() {
		old.layer = n.layer
		return
	}
	here.children[last] = n
}

// remove takes away what lies at p.
func (t *tree) remove(p string) {
	if dir := t.lookup(strings.TrimPrefix(path.Dir("/"+p), "/")); dir.isDir() {
		delete(dir.children, path.Base(p))
	}
}

// hide takes away what layers before this one put into the folder at p.
func (t *tree) hide(p string, layer int) {
	if dir := t.lookup(p); dir.isDir() {
		for name, n := range dir.children {
			if n.layer < layer {
				delete(dir.children, name)
			}
		}
	}
}

func parts(p string) []string {
	if p = strings.Trim(p, "/"); p == "" {
		return nil
	}
	return strings.Split(p, "/")
}
