// Package support is the stage "support": what the supported release lines stand on, their Go toolchain and base images, against the newest patches that the Go module
// proxy and the registries know, and what a security patch release of a line needs. It reads the world and writes nothing; what cannot be asked is said to be unknown.
package support

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/registry"
)

// Line is a supported line.
type Line struct {
	Name      string   `json:"name"`
	Branch    string   `json:"branch"`
	Newest    string   `json:"newest,omitempty"` // its newest version
	Next      string   `json:"next"`             // the patch that would come next
	Toolchain string   `json:"toolchain"`        // such as go1.26.8; empty without a Go module
	Bases     []string `json:"bases"`            // references, as the Dockerfiles name them
}

// Standing is what a line stands on.
type Standing struct {
	Line
	Go     *State  `json:"go,omitempty"`
	Images []State `json:"images"`
}

// State is one thing that a line stands on.
type State struct {
	Name   string `json:"name"`             // a toolchain or a reference
	Newest string `json:"newest,omitempty"` // patch that is known; empty where that is not known
	Behind bool   `json:"behind"`
	Note   string `json:"note,omitempty"` // why it is not known, or what else one should know
}

// Behind tells whether anything that the line stands on has a newer patch.
func (s Standing) Behind() bool {
	return s.Go != nil && s.Go.Behind || slices.ContainsFunc(s.Images, func(i State) bool { return i.Behind })
}

// Options are where to ask.
type Options struct {
	Proxy    string            // address of a Go module proxy
	Mirrors  map[string]string // registry to the one that is asked instead
	Registry *registry.Client
}

// Look asks about every line.
func Look(ctx context.Context, o Options, lines []Line) ([]Standing, error) {
	releases, releasesErr := toolchains(ctx, o.Proxy)
	known := map[string]State{}
	var all []Standing
	for _, line := range lines {
		s := Standing{Line: line, Images: []State{}}
		if line.Toolchain != "" {
			state := State{Name: line.Toolchain, Note: "the Go module proxy could not be asked"}
			if releasesErr == nil {
				state = newestGo(line.Toolchain, releases)
			} else {
				state.Note += ": " + releasesErr.Error()
			}
			s.Go = &state
		}
		for _, base := range line.Bases {
			if _, ok := known[base]; !ok {
				known[base] = o.base(ctx, base)
			}
			s.Images = append(s.Images, known[base])
		}
		all = append(all, s)
	}
	return all, ctx.Err()
}

var release = regexp.MustCompile(`(?m)^v0\.0\.1-go([0-9]+\.[0-9]+(?:\.[0-9]+)?)\.linux-amd64$`)

// toolchains are the stable releases of Go that a module proxy knows (https://go.dev/ref/mod#goproxy-protocol), as v1.26.8.
func toolchains(ctx context.Context, proxy string) ([]string, error) {
	if proxy == "" {
		return nil, errors.New("GOPROXY names none")
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(proxy, "/")+"/golang.org/toolchain/@v/list", nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", req.URL.Redacted(), resp.Status)
	}
	content, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, found := range release.FindAllStringSubmatch(string(content), -1) {
		all = append(all, "v"+found[1])
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s lists no release of Go", req.URL.Redacted())
	}
	return all, nil
}

// newestGo finds the newest patch of a toolchain's minor version. Go's two newest minor versions get patches (https://go.dev/doc/devel/release#policy).
func newestGo(toolchain string, releases []string) State {
	s := State{Name: toolchain}
	own := "v" + strings.TrimPrefix(toolchain, "go")
	var minors []string
	newest := own
	for _, r := range releases {
		if m := semver.MajorMinor(r); !slices.Contains(minors, m) {
			minors = append(minors, m)
		}
		if semver.MajorMinor(r) == semver.MajorMinor(own) && semver.Compare(r, newest) > 0 {
			newest = r
		}
	}
	slices.SortFunc(minors, func(a, b string) int { return semver.Compare(b, a) })
	s.Newest, s.Behind = "go"+newest[1:], newest != own
	if at := slices.Index(minors, semver.MajorMinor(own)); at > 1 || at < 0 {
		s.Behind = true
		s.Note = fmt.Sprintf("go%s gets no patches any more; go%s does", semver.MajorMinor(own)[1:], minors[0][1:])
	}
	return s
}

var numbered = regexp.MustCompile(`^(v?)([0-9]+(?:\.[0-9]+)+)(-[A-Za-z][A-Za-z0-9.-]*)?$`)

// base finds the newest patch of a base image: a tag of the same form, whose numbers but for the last are the same.
func (o Options) base(ctx context.Context, reference string) State {
	s := State{Name: reference}
	name, _, _ := strings.Cut(reference, "@")
	repository, tag := name, ""
	if at := strings.LastIndex(name, ":"); at > strings.LastIndex(name, "/") {
		repository, tag = name[:at], name[at+1:]
	}
	form := numbered.FindStringSubmatch(tag)
	if form == nil {
		s.Note = "its tag has no number by which a newer patch could be told"
		return s
	}
	host, rest, _ := strings.Cut(repository, "/")
	if !strings.ContainsAny(host, ".:") && host != "localhost" { // Docker Hub's short names, as Dockerfiles have them
		host, rest = "docker.io", repository
		if !strings.Contains(rest, "/") {
			rest = "library/" + rest
		}
		repository = host + "/" + rest
	}
	if mirror, ok := o.Mirrors[host]; ok {
		repository = mirror + "/" + rest
	}
	tags, err := o.tags(ctx, repository)
	if err != nil {
		s.Note = "its registry could not be asked: " + err.Error()
		return s
	}
	newest := tag
	for _, t := range tags {
		other := numbered.FindStringSubmatch(t)
		if other == nil || other[1] != form[1] || other[3] != form[3] || !patchOf(form[2], other[2]) {
			continue
		}
		if best := numbered.FindStringSubmatch(newest); last(other[2]) > last(best[2]) {
			newest = t
		}
	}
	s.Newest, s.Behind = newest, newest != tag
	return s
}

// patchOf tells whether two numbers differ in their last part at most.
func patchOf(a, b string) bool {
	return a[:strings.LastIndex(a, ".")] == b[:strings.LastIndex(b, ".")]
}

func last(number string) int {
	n, err := strconv.Atoi(number[strings.LastIndex(number, ".")+1:])
	if err != nil {
		return -1
	}
	return n
}

// maxTags bounds how many tags of a base image are looked through.
const maxTags = 100_000

func (o Options) tags(ctx context.Context, repository string) ([]string, error) {
	r, err := o.Registry.Open(repository)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var all []string
	err = r.Tags(ctx, "", func(tags []string) error {
		if all = append(all, tags...); len(all) > maxTags {
			return refusal.New("list the tags of %s: there are more than %d", repository, maxTags)
		}
		return nil
	})
	return all, err
}
