package render

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// ours is this project's own chart.
const ours = "../../charts/operator-release"

// installed is what our chart renders to, as far as it is looked at here; that the objects are right in themselves is what chart-lint finds out.
type installed struct {
	cron struct {
		Spec struct{ JobTemplate struct{ Spec job } }
	}
	config struct{ Data map[string]string }
	policy struct {
		Spec struct {
			Egress []struct{ Ports []struct{ Port int } }
		}
	}
}

type job struct {
	PodFailurePolicy struct {
		Rules []struct {
			Action      string
			OnExitCodes struct {
				ContainerName string
				Values        []int
			}
		}
	}
	Template struct{ Spec pod }
}

type pod struct {
	InitContainers, Containers []container
	Volumes                    []volume
}

type container struct {
	Name          string
	Command, Args []string
	Env           []struct{ Name, Value string }
	VolumeMounts  []struct {
		Name, MountPath string
		ReadOnly        bool
	}
}

type volume struct {
	Name      string
	Secret    *struct{ DefaultMode int }
	Projected *struct {
		DefaultMode int
		Sources     []struct {
			Secret struct {
				Optional bool
				Items    []struct{ Key string }
			}
		}
	}
}

func (i installed) pod() pod            { return i.cron.Spec.JobTemplate.Spec.Template.Spec }
func (i installed) clone() container    { return i.pod().InitContainers[0] }
func (i installed) auditing() container { return i.pod().Containers[0] }

// install renders our chart with values, which are YAML.
func install(t *testing.T, values string) (installed, error) {
	t.Helper()
	s, err := Read(t.Context(), os.DirFS(filepath.Dir(filepath.Dir(ours))), "charts/operator-release", nil)
	if err != nil {
		t.Fatal(err)
	}
	var i installed
	r, err := s.Render(t.Context(), "v1.30.0", &Given{File: "values", Content: []byte(values)})
	for _, d := range r.Documents {
		into := map[string]any{"cronjob.yaml": &i.cron, "configmap.yaml": &i.config, "networkpolicy.yaml": &i.policy}[filepath.Base(d.File)]
		if into == nil {
			continue
		}
		if err := yaml.Unmarshal([]byte(d.Text), into); err != nil {
			t.Fatalf("%s: %v", d.File, err)
		}
	}
	return i, err
}

const (
	everySecret = "credentials: {existingSecret: git, existingRegistrySecret: registries}\n"
	overSSH     = "repository: {url: 'git@git.example.com:platform/spark-operator.git'}\n"
	elsewhere   = "audit: {destinations: {configured: false, registry: 'mirror.example.com:5001/x', remote: 'ssh://git@git.example.com:2222/spark-operator.git', backup: 'oci://backup.example.com:5002/spark-operator', plainHTTP: [blobs.example.com, 'backup.example.com:5002']}}\n"
)

func TestOurChart(t *testing.T) {
	for name, test := range map[string]struct {
		values string
		audit  string // the arguments before --json
		mounts string // secrets of the audit's container
		ports  string // of egress, beside DNS
		err    string
	}{
		"its defaults": {audit: "audit --all --to-configured", ports: "443"},
		"one version, in git alone, asks no remote": {values: everySecret + "audit: {version: v1.5.0-rc.0, destinations: {configured: false}}",
			audit: "audit v1.5.0-rc.0", mounts: "registry-secret", ports: "443"},
		"not the old ones":                         {values: "audit: {since: v1.5.0}", audit: "audit --all --since=v1.5.0 --to-configured", ports: "443"},
		"where the settings say, with credentials": {values: everySecret + overSSH, audit: "audit --all --to-configured", mounts: "git-secret registry-secret", ports: "443 22"},
		"elsewhere": {values: everySecret + elsewhere,
			audit: "audit --all --registry=mirror.example.com:5001/x --remote=ssh://git@git.example.com:2222/spark-operator.git " +
				"--backup=oci://backup.example.com:5002/spark-operator --plain-http=blobs.example.com --plain-http=backup.example.com:5002",
			mounts: "git-secret registry-secret", ports: "443 2222 5001 5002 80"},
		"a registry without a port": {values: "audit: {destinations: {configured: false, registry: mirror.example.com, backup: null, plainHTTP: null}}",
			audit: "audit --all --registry=mirror.example.com", ports: "443"},

		"configured and a registry":   {values: "audit: {destinations: {registry: mirror.example.com}}", err: "at '/audit/destinations/registry': maxLength: got 18, want 0"},
		"configured and a remote":     {values: "audit: {destinations: {remote: 'https://example.com/x'}}", err: "/audit/destinations/remote"},
		"configured and a backup":     {values: "audit: {destinations: {backup: example.com/x}}", err: "/audit/destinations/backup"},
		"a backup in a folder":        {values: "audit: {destinations: {configured: false, backup: ./backups}}", err: "/audit/destinations/backup"},
		"a password in the remote":    {values: "audit: {destinations: {configured: false, remote: 'https://me:secret@example.com/x'}}", err: "/audit/destinations/remote"},
		"a path of the pod as remote": {values: "audit: {destinations: {configured: false, remote: /work/repository}}", err: "/audit/destinations/remote"},
		"a version and since":         {values: "audit: {version: v1.5.0, since: v1.4.0}", err: "/audit/since"},
		"a version without v":         {values: "audit: {version: 1.5.0}", err: "/audit/version"},
		"a flag as version":           {values: "audit: {version: --all}", err: "/audit/version"},
		"what it was called once":     {values: "plan: {version: v1.5.0}", err: "additional properties 'plan' not allowed"},
		"SSH without a key":           {values: overSSH, err: `repository.url "git@git.example.com:platform/spark-operator.git" is reached over SSH`},
		"a remote by SSH without one": {values: elsewhere, err: `audit.destinations.remote "ssh://git@git.example.com:2222/spark-operator.git" is reached over SSH`},
	} {
		t.Run(name, func(t *testing.T) {
			i, err := install(t, test.values)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("got %v, want %s", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			args, _, _ := strings.Cut(strings.Join(i.auditing().Args, " "), " --json --quiet --source /work/repository")
			if args != test.audit {
				t.Errorf("runs %s\nwant %s", args, test.audit)
			}
			if got := secrets(i.auditing()); got != test.mounts {
				t.Errorf("the audit's container mounts the secrets %q, want %q", got, test.mounts)
			}
			var ports []string
			for _, p := range i.policy.Spec.Egress[1].Ports {
				ports = append(ports, strconv.Itoa(p.Port))
			}
			if got := strings.Join(ports, " "); got != test.ports {
				t.Errorf("egress to %s, want %s", got, test.ports)
			}
			for _, c := range []container{i.clone(), i.auditing()} {
				checkMounts(t, i.pod(), c)
			}
			rules := i.cron.Spec.JobTemplate.Spec.PodFailurePolicy.Rules
			if exit := rules[0].OnExitCodes; rules[0].Action != "FailJob" || !slices.Equal(exit.Values, []int{2}) || exit.ContainerName != i.auditing().Name {
				t.Errorf("not exit code 2 of the audit alone fails the job at once: %+v", rules[0])
			}
		})
	}
}

// secrets are the volumes of Secrets that a container mounts.
func secrets(c container) string {
	var names []string
	for _, m := range c.VolumeMounts {
		if strings.HasSuffix(m.Name, "-secret") {
			names = append(names, m.Name)
		}
	}
	return strings.Join(names, " ")
}

// checkMounts holds mounts to what they may be: of volumes that are there, once at a path, and Secrets read-only, for owner and group alone.
func checkMounts(t *testing.T, p pod, c container) {
	t.Helper()
	volumes := map[string]volume{}
	for _, v := range p.Volumes {
		volumes[v.Name] = v
	}
	paths := map[string]bool{}
	for _, m := range c.VolumeMounts {
		v, ok := volumes[m.Name]
		if !ok || paths[m.MountPath] {
			t.Errorf("%s mounts %s at %s: the volume is missing, or the path taken", c.Name, m.Name, m.MountPath)
		}
		paths[m.MountPath] = true
		var mode int
		if v.Secret != nil {
			mode = v.Secret.DefaultMode
		} else if v.Projected != nil {
			mode = v.Projected.DefaultMode
		} else {
			continue
		}
		if !m.ReadOnly || mode != 0o440 {
			t.Errorf("%s mounts the Secret %s read-only: %t, its files' mode: %#o", c.Name, m.Name, m.ReadOnly, mode)
		}
	}
	for _, e := range c.Env {
		for _, word := range strings.FieldsFunc(e.Value, func(r rune) bool { return r == ' ' || r == '=' }) {
			if strings.HasPrefix(word, "/etc/") && !paths[word] && !paths[filepath.Dir(word)] {
				t.Errorf("%s has %s, but mounts nothing there", c.Name, e.Name)
			}
		}
	}
}

// TestOurChartNeedsCredentials: what SSH needs has to be in the Secret where a URL in the values is reached by it.
func TestOurChartNeedsCredentials(t *testing.T) {
	for values, want := range map[string]string{
		everySecret:             "true .git-credentials, true ssh-privatekey known_hosts",
		everySecret + overSSH:   "false ssh-privatekey known_hosts, true .git-credentials",
		everySecret + elsewhere: "false ssh-privatekey known_hosts, true .git-credentials",
	} {
		i, err := install(t, values)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range i.pod().Volumes {
			if v.Projected == nil {
				continue
			}
			for _, s := range v.Projected.Sources {
				said := fmt.Sprint(s.Secret.Optional)
				for _, item := range s.Secret.Items {
					said += " " + item.Key
				}
				got = append(got, said)
			}
		}
		slices.Sort(got)
		if strings.Join(got, ", ") != want {
			t.Errorf("%s\ngot %s, want %s", values, strings.Join(got, ", "), want)
		}
	}
}

// TestOurChartClones runs the very command of the init container, on another URL and into another folder.
func TestOurChartClones(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
			"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
	tree := git("-C", "remote.git", "hash-object", "-t", "tree", "-w", os.DevNull)
	for _, ref := range []string{"refs/heads/main", "refs/heads/release-1.5", "refs/tags/v1.5.0", "refs/releases/v1.5.0", "refs/withdrawals/v1.5.0"} {
		git("-C", "remote.git", "update-ref", ref, git("-C", "remote.git", "commit-tree", "-m", ref, tree)) // one of its own each
	}
	i, err := install(t, "repository: {branch: release-1.5}")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(i.clone().Command, []string{"git"}) {
		t.Fatalf("not by git: %v", i.clone().Command)
	}
	args := i.clone().Args
	args[len(args)-2], args[len(args)-1] = "file://"+filepath.Join(dir, "remote.git"), filepath.Join(dir, "clone")
	git(args...)
	want := "refs/heads/release-1.5 refs/releases/v1.5.0 refs/remotes/origin/HEAD refs/remotes/origin/main refs/remotes/origin/release-1.5 refs/tags/v1.5.0 refs/withdrawals/v1.5.0"
	if got := strings.ReplaceAll(git("-C", "clone", "for-each-ref", "--format=%(refname)"), "\n", " "); got != want {
		t.Errorf("the clone has %s\nwant %s", got, want)
	}
}

// TestOurChartHasCredentials asks git for a password with the settings that both containers get.
func TestOurChartHasCredentials(t *testing.T) {
	i, err := install(t, everySecret)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	stored := filepath.Join(dir, "git-credentials")
	settings := filepath.Join(dir, "gitconfig")
	for file, content := range map[string]string{
		stored:   "https://me:secret@git.example.com\n",
		settings: strings.ReplaceAll(i.config.Data["gitconfig"], "/etc/git-secret/git-credentials", stored),
	} {
		if err := os.WriteFile(file, []byte(content), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(verb string) string {
		cmd := exec.Command("git", "credential", verb)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+settings, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "HOME="+dir)
		cmd.Stdin = strings.NewReader("protocol=https\nhost=git.example.com\nusername=me\npassword=wrong\n\n")
		if verb == "fill" {
			cmd.Stdin = strings.NewReader("protocol=https\nhost=git.example.com\n\n")
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("git credential %s: %v\n%s", verb, err, out)
		}
		return string(out)
	}
	if got := ask("fill"); !strings.Contains(got, "username=me\npassword=secret\n") {
		t.Errorf("git was given %q", got)
	}
	for _, verb := range []string{"approve", "reject"} { // what git says after it was let in, or not
		if got := ask(verb); got != "" {
			t.Errorf("git credential %s: %s", verb, got)
		}
	}
}

// TestOurChartIsDocumented holds the table of README to values.yaml.
func TestOurChartIsDocumented(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(ours, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(content, &values); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(ours, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]string{}
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, " | "); len(cells) == 4 && strings.HasPrefix(cells[2], "`") {
			defaults[strings.TrimPrefix(cells[0], "| ")] = strings.Trim(cells[2], "`")
		}
	}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		said, documented := defaults[path]
		delete(defaults, path)
		if m, ok := value.(map[string]any); ok && !documented {
			for key, v := range m {
				walk(strings.TrimPrefix(path+"."+key, "."), v)
			}
			return
		}
		var want, got any
		if b, err := json.Marshal(value); err != nil || json.Unmarshal(b, &want) != nil {
			t.Fatal(path, err)
		}
		if said != "nil" && json.Unmarshal([]byte(said), &got) != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v by values.yaml, and %q by README", path, want, said)
		}
	}
	walk("", values)
	for path := range defaults {
		t.Errorf("README documents %s, which values.yaml does not have", path)
	}
}
