package config

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/operator-release/operator-release/ci/refusal"
	"github.com/operator-release/operator-release/ci/version"
)

//go:embed profiles/*.yaml
var profiles embed.FS

// Load gives the settings of a repository whose tree is given: those of content (the file named name; the
// tree's own .release.yaml where content is nil), then those of the profile, then what is found by looking.
// What cannot be right is refused with file, line and key.
func Load(tree fs.FS, name string, content []byte) (Config, error) {
	c, err := load(tree, name, content)
	if err != nil {
		return c, err
	}
	return c, errors.Join(c.checkPlaces(cmp.Or(name, File)), c.check(cmp.Or(name, File)))
}

// Read gives the settings as Load does, for those who publish nothing: an image is left out, and a chart has no
// repository, where nothing says where it is published.
func Read(tree fs.FS, name string, content []byte) (Config, error) {
	c, err := load(tree, name, content)
	if err != nil {
		return c, err
	}
	c.Images = without(c.Images, func(i Image) bool { return i.Repository == "" })
	return c, c.check(cmp.Or(name, File))
}

func load(tree fs.FS, name string, content []byte) (Config, error) {
	if content == nil {
		name = File
		var err error
		if content, err = fs.ReadFile(tree, File); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Config{}, fmt.Errorf("read %s: %w", File, err)
		}
	}
	var c Config
	if err := decode(name, content, &c); err != nil {
		return Config{}, err
	}
	seen, err := look(tree)
	if err != nil {
		return Config{}, err
	}
	if c.Profile == "" {
		c.Profile = profileOf(seen.module)
	}
	if c.Profile != "" {
		p, err := profile(c.Profile)
		if err != nil {
			return Config{}, err
		}
		if err := c.take(tree, p, seen); err != nil {
			return Config{}, err
		}
	}
	c.fill(seen)
	c.fillArgs(tree)
	return c, nil
}

// checkPlaces refuses images and charts of which nothing says where they are published.
func (c Config) checkPlaces(name string) error {
	var errs []error
	for i, image := range c.Images {
		if image.Repository == "" {
			key := fmt.Sprintf("images[%d]", i)
			errs = append(errs, refusal.New("%s: %s: no repository is known for %s: no chart's values name one; write it as "+
				"%s.repository, or list under images: only what is released", name, key, image.Dockerfile, key))
		}
	}
	for i, chart := range c.Charts {
		if chart.Repository == "" {
			errs = append(errs, refusal.New("%s: charts[%d].repository: %q is no place for charts; write it like docker.io/kubeflow/charts",
				name, i, chart.Repository))
		}
	}
	return errors.Join(errs...)
}

// profileOf is the profile that a Go module gets without asking for it.
func profileOf(module string) string {
	if module == "github.com/kubeflow/spark-operator" || strings.HasPrefix(module, "github.com/kubeflow/spark-operator/v") {
		return "spark-operator"
	}
	return ""
}

func profile(name string) (Config, error) {
	content, err := profiles.ReadFile("profiles/" + name + ".yaml")
	if err != nil {
		var known []string
		entries, _ := profiles.ReadDir("profiles") // embedded: it is there
		for _, e := range entries {
			known = append(known, strings.TrimSuffix(e.Name(), ".yaml"))
		}
		return Config{}, refusal.New("load profile %q: there is none of that name; there is %s", name, strings.Join(known, ", "))
	}
	var p Config
	return p, decode("profile "+name, content, &p)
}

// take fills what c leaves open from a profile. What a profile names but the tree lacks is passed over (older
// tags have fewer images), and a repository that the chart's values name wins over the profile's.
func (c *Config) take(tree fs.FS, p Config, seen findings) error {
	for i, image := range p.Images {
		if repository := seen.repository(image.Dockerfile); repository != "" {
			p.Images[i].Repository = repository
		}
	}
	p.Images = without(p.Images, func(i Image) bool { return !exists(tree, i.Dockerfile) })
	for _, image := range p.Images {
		declared := declaredArgs(tree, image.Dockerfile)
		maps.DeleteFunc(image.Args, func(name, _ string) bool { return !declared[name] })
	}
	p.Binaries = without(p.Binaries, func(b Binary) bool { return !exists(tree, path.Clean(b.Main)) })
	p.Charts = without(p.Charts, func(ch Chart) bool { return !exists(tree, ch.Path) })
	p.Surfaces = without(p.Surfaces, func(s Surface) bool { return !s.Exclude && !exists(tree, s.Path) })
	var err error
	if p.Generated, err = generatedIn(tree, p.Generated); err != nil {
		return err
	}
	merged, err := json.Marshal(p)
	if err != nil {
		return err
	}
	own, err := json.Marshal(c)
	if err != nil {
		return err
	}
	// Decoding the file's own settings over the profile's replaces each key that the file has, whole.
	var out Config
	if err := errors.Join(json.Unmarshal(merged, &out), json.Unmarshal(own, &out)); err != nil {
		return err
	}
	*c = out
	return nil
}

// without leaves out those of a list that are gone. A list of which nothing is left says nothing: it is looked for.
func without[T any](list []T, gone func(T) bool) []T {
	if list = slices.DeleteFunc(list, gone); len(list) == 0 {
		return nil
	}
	return list
}

// gofmt names the files of the commit that are not formatted; what is vendored is somebody else's.
const gofmt = `unformatted=$(git ls-files -z -- '*.go' ':(exclude,glob)**/vendor/**' | xargs -0 -r gofmt -l); test -z "$unformatted" || { echo "not formatted:" $unformatted; exit 1; }`

// fill puts what was found by looking where nothing was said.
func (c *Config) fill(seen findings) {
	def := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	def(&c.Name, seen.name)
	def(&c.URL, seen.url)
	def(&c.Branches, version.DefaultPattern)
	def(&c.Development, "main")
	def(&c.Changelog, seen.changelog)
	if c.Policy == nil {
		c.Policy = &Policy{}
	}
	for allowance, is := range map[*Allowance]Allowance{&c.Policy.Patch: Fixes, &c.Policy.Minor: Explained, &c.Policy.Major: Explained} {
		if *allowance == "" {
			*allowance = is
		}
	}
	if c.Support == nil {
		c.Support = &Support{Lines: 3}
	}
	if c.Platforms == nil {
		c.Platforms = []string{"linux/amd64", "linux/arm64"}
	}
	if c.Gate == nil && seen.module != "" {
		// With the flags of the builds, so that nothing is compiled twice.
		c.Gate = []string{"go vet -trimpath ./...", "go test -trimpath ./..."}
	}
	if c.Lint == nil && seen.module != "" {
		c.Lint = []string{gofmt, "go vet -trimpath ./..."}
	}
	if c.Generated == nil && seen.sums {
		c.Generated = []Generated{{Paths: []string{"go.sum"}, Command: "go mod tidy"}}
	}
	if c.Binaries == nil {
		c.Binaries = seen.binaries
	}
	if c.Images == nil {
		c.Images = seen.images
	}
	for i := range c.Images {
		def(&c.Images[i].Context, ".")
		def(&c.Images[i].Repository, seen.repository(c.Images[i].Dockerfile))
	}
	if c.Charts == nil {
		c.Charts = seen.charts
	}
	beside := ""
	switch {
	case len(c.Images) > 0:
		beside = c.Images[0].Repository
	case len(seen.values) > 0:
		beside = seen.values[0].repository
	}
	for i := range c.Charts {
		if beside != "" {
			def(&c.Charts[i].Repository, path.Dir(beside)+"/charts")
		}
	}
	switch {
	case len(c.Images) > 0:
		def(&c.Artifacts, c.Images[0].Repository)
	case len(c.Charts) > 0 && c.Charts[0].Repository != "":
		def(&c.Artifacts, c.Charts[0].Repository)
	}
}

// standardArgs are the build arguments that Dockerfiles ask a version by. SOURCE_DATE_EPOCH is BuildKit's own.
var standardArgs = map[string]string{"VERSION": "{version}", "GIT_COMMIT": "{commit}", "GIT_TREE_STATE": "clean", "SOURCE_DATE_EPOCH": "{epoch}"}

var argLine = regexp.MustCompile(`(?mi)^[ \t]*ARG[ \t]+(.+)$`)

// declaredArgs are the build arguments that a Dockerfile declares. Whoever builds the image says what is wrong with the file.
func declaredArgs(tree fs.FS, dockerfile string) map[string]bool {
	declared := map[string]bool{}
	content, err := fs.ReadFile(tree, path.Clean(dockerfile))
	if err != nil {
		return declared
	}
	for _, line := range argLine.FindAllSubmatch(content, -1) {
		for _, word := range strings.Fields(string(line[1])) {
			name, _, _ := strings.Cut(word, "=")
			declared[name] = true
		}
	}
	return declared
}

// fillArgs gives each image the standard arguments that its Dockerfile declares, where nothing was said.
func (c *Config) fillArgs(tree fs.FS) {
	for i := range c.Images {
		image := &c.Images[i]
		for name := range declaredArgs(tree, image.Dockerfile) {
			value, standard := standardArgs[name]
			if _, said := image.Args[name]; !standard || said {
				continue
			}
			if image.Args == nil {
				image.Args = map[string]string{}
			}
			image.Args[name] = value
		}
	}
}

// decode reads one YAML document, held to the published schema, into c.
func decode(name string, content []byte, c *Config) error {
	if len(bytes.TrimSpace(content)) == 0 {
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // comments alone
		}
		return refusal.New("read %s: %w", name, err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return refusal.New("read %s: it holds more than one YAML document; keep one", name)
	}
	var value any
	if err := doc.Decode(&value); err != nil {
		return refusal.New("read %s: %w", name, err)
	}
	if value == nil {
		return nil
	}
	if err := validate(name, &doc, value); err != nil {
		return err
	}
	plain, err := json.Marshal(value)
	if err != nil {
		return refusal.New("read %s: %w", name, err)
	}
	if err := json.Unmarshal(plain, c); err != nil {
		return refusal.New("read %s: %w", name, err)
	}
	return nil
}

// repositoryForm is an image repository with its registry, as the OCI distribution specification writes names.
var repositoryForm = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]+)?(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+$`)

// check refuses what the schema cannot express. It speaks of the settings as they are after looking.
func (c *Config) check(name string) error {
	if _, err := version.ParsePattern(c.Branches); err != nil {
		return refusal.New("%s: branches: %w", name, err)
	}
	for _, p := range c.Platforms {
		if _, err := ParsePlatform(p); err != nil {
			return refusal.New("%s: platforms: %w", name, err)
		}
	}
	var errs []error
	local := func(key, p string) {
		if p != "" && !fs.ValidPath(path.Clean(p)) {
			errs = append(errs, refusal.New("%s: %s: the path %q leaves the repository; write it relative to the repository's root, without ..", name, key, p))
		}
	}
	names := map[string]bool{}
	for i, b := range c.Binaries {
		key := fmt.Sprintf("binaries[%d]", i)
		if names[b.Name] {
			errs = append(errs, refusal.New("%s: %s: the name %q is used twice", name, key, b.Name))
		}
		names[b.Name] = true
		local(key+".main", b.Main)
		errs = append(errs, checkPlaceholders(name+": "+key+".ldflags", b.LDFlags))
	}
	repositories := map[string]bool{}
	for i, image := range c.Images {
		key := fmt.Sprintf("images[%d]", i)
		switch {
		case image.Repository == "": // checkPlaces tells
		case !repositoryForm.MatchString(image.Repository):
			errs = append(errs, refusal.New("%s: %s.repository: %q is no repository with its registry; write it like docker.io/kubeflow/spark-operator", name, key, image.Repository))
		case repositories[image.Repository]:
			errs = append(errs, refusal.New("%s: %s.repository: %q is used twice", name, key, image.Repository))
		}
		repositories[image.Repository] = true
		local(key+".dockerfile", image.Dockerfile)
		local(key+".context", image.Context)
		for binary, at := range image.Binaries {
			if !names[binary] {
				errs = append(errs, refusal.New("%s: %s.binaries: no binary is called %q%s", name, key, binary, refusal.Meant(binary, slices.Sorted(maps.Keys(names)))))
			}
			if !path.IsAbs(at) || path.Clean(at) != at {
				errs = append(errs, refusal.New("%s: %s.binaries.%s: %q is no absolute path in the image; write it like /usr/bin/%s", name, key, binary, at, binary))
			}
		}
		for arg, value := range image.Args {
			errs = append(errs, checkPlaceholders(name+": "+key+".args."+arg, value))
		}
	}
	for i, chart := range c.Charts {
		key := fmt.Sprintf("charts[%d]", i)
		local(key+".path", chart.Path)
		if chart.Repository != "" && !repositoryForm.MatchString(chart.Repository) {
			errs = append(errs, refusal.New("%s: %s.repository: %q is no place for charts; write it like docker.io/kubeflow/charts", name, key, chart.Repository))
		}
	}
	local("changelog", c.Changelog)
	errs = append(errs, checkChangelog(name+": changelog", c.Changelog))
	if c.Signatures != nil {
		for i, key := range c.Signatures.Keys {
			local(fmt.Sprintf("signatures.keys[%d]", i), key)
		}
		local("signatures.trustedRoot", c.Signatures.TrustedRoot)
		local("signatures.allowedSigners", c.Signatures.AllowedSigners)
	}
	for i, s := range c.Surfaces {
		key := fmt.Sprintf("surfaces[%d]", i)
		local(key+".path", s.Path)
		if s.Exclude || s.Pattern == "" {
			errs = append(errs, checkExclude(name+": "+key, s))
			continue
		}
		if expr, err := regexp.Compile(s.Pattern); err != nil {
			errs = append(errs, refusal.New("%s: %s.pattern: %w", name, key, err))
		} else if expr.NumSubexp() != 1 {
			errs = append(errs, refusal.New("%s: %s.pattern: it has %d groups where one, around the version, belongs", name, key, expr.NumSubexp()))
		}
	}
	for i, g := range c.Generated {
		for j, p := range g.Paths {
			key := fmt.Sprintf("generated[%d].paths[%d]", i, j)
			local(key, strings.TrimPrefix(strings.TrimSpace(p), "!"))
			if _, err := (Generated{Paths: []string{p}}).Matcher(); err != nil {
				errs = append(errs, refusal.New("%s: %s: %w; write a path, or a pattern such as api/**/zz_generated.*.go", name, key, err))
			}
		}
	}
	for i, form := range c.Floating {
		errs = append(errs, checkFloating(fmt.Sprintf("%s: floating[%d]", name, i), form))
	}
	if c.Artifacts != "" && !repositoryForm.MatchString(c.Artifacts) {
		errs = append(errs, refusal.New("%s: artifacts: %q is no repository with its registry", name, c.Artifacts))
	}
	return errors.Join(errs...)
}

func exists(tree fs.FS, name string) bool {
	_, err := fs.Stat(tree, path.Clean(name))
	return err == nil
}
