package image

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestScratchImage(t *testing.T) {
	o := options(t, map[string]string{
		"Dockerfile": `ARG WHERE=/opt
FROM scratch AS final
ARG TARGETOS TARGETARCH TARGETVARIANT TARGETPLATFORM
ARG VERSION=dev
ARG WHERE
ENV APP=$WHERE/app V=${VERSION}
LABEL org.opencontainers.image.version=wrong platform=$TARGETPLATFORM
WORKDIR $APP
COPY bin/$TARGETOS/$TARGETARCH/$TARGETVARIANT/operator /usr/bin/
COPY --chown=65532:65532 --chmod=600 conf conf/
COPY licence /usr/share/
USER 65532
EXPOSE 8443/tcp 8080
ENTRYPOINT ["/usr/bin/operator"]
CMD ["start"]
`,
		"conf/a.yaml":    "a",
		"conf/b/run.sh!": "b",
		"conf/link":      "-> a.yaml",
		"licence":        "free",
	})
	o.Args = map[string]string{"VERSION": "1.5.0", "WHERE": "/srv"}
	o.Labels = map[string]string{"org.opencontainers.image.version": "v1.5.0"}
	o.Platforms = []string{"linux/arm64", "linux/arm/v7", "linux/amd64"}
	o.Target = "final"
	img := made(t, o)

	if len(img.Bases) != 0 || img.Tag != "v1.5.0" || img.Repository != o.Repository {
		t.Errorf("got %+v", img)
	}
	index := read[ocispec.Index](t, o.Layout, img.Index)
	var names []string
	for _, m := range index.Manifests {
		names = append(names, platformName(*m.Platform))
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm/v7", "linux/arm64"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(o.Labels, index.Annotations); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(o.Labels, read[ocispec.Manifest](t, o.Layout, index.Manifests[0]).Annotations); diff != "" {
		t.Error(diff)
	}

	config, layers := platformOf(t, o.Layout, img, "linux/arm/v7")
	if diff := cmp.Diff([]string{
		lines("srv/ 755 0:0", "srv/app/ 755 0:0"),
		lines("usr/ 755 0:0", "usr/bin/ 755 0:0", "usr/bin/operator 755 0:0 operator for linux/arm/v7"),
		lines("srv/app/conf/ 600 65532:65532", "srv/app/conf/a.yaml 600 65532:65532 a", "srv/app/conf/b/ 600 65532:65532",
			"srv/app/conf/b/run.sh 600 65532:65532 b", "srv/app/conf/link 777 65532:65532 -> a.yaml"),
		lines("usr/share/ 755 0:0", "usr/share/licence 644 0:0 free"),
	}, layers); diff != "" {
		t.Error(diff)
	}
	content, err := json.MarshalIndent(config.Config, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{
 "User": "65532",
 "ExposedPorts": {
  "8080/tcp": {},
  "8443/tcp": {}
 },
 "Env": [
  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  "APP=/srv/app",
  "V=1.5.0"
 ],
 "Entrypoint": [
  "/usr/bin/operator"
 ],
 "Cmd": [
  "start"
 ],
 "WorkingDir": "/srv/app",
 "Labels": {
  "org.opencontainers.image.version": "v1.5.0",
  "platform": "linux/arm/v7"
 }
}`, string(content)); diff != "" {
		t.Error(diff)
	}
	if config.OS != "linux" || config.Architecture != "arm" || config.Variant != "v7" || !config.Created.Equal(when) {
		t.Errorf("config is of %+v at %v", config.Platform, config.Created)
	}
	var history []string
	for _, h := range config.History {
		if !h.Created.Equal(when) {
			t.Errorf("%q is dated %v", h.CreatedBy, h.Created)
		}
		line := h.CreatedBy
		if !h.EmptyLayer {
			line += " *"
		}
		history = append(history, line)
	}
	if diff := cmp.Diff([]string{
		"ARG TARGETOS TARGETARCH TARGETVARIANT TARGETPLATFORM", "ARG VERSION=dev", "ARG WHERE", "ENV APP=$WHERE/app V=${VERSION}",
		"LABEL org.opencontainers.image.version=wrong platform=$TARGETPLATFORM", "WORKDIR $APP *",
		"COPY bin/$TARGETOS/$TARGETARCH/$TARGETVARIANT/operator /usr/bin/ *", "COPY --chown=65532:65532 --chmod=600 conf conf/ *",
		"COPY licence /usr/share/ *", "USER 65532", "EXPOSE 8443/tcp 8080", `ENTRYPOINT ["/usr/bin/operator"]`, `CMD ["start"]`,
	}, history); diff != "" {
		t.Error(diff)
	}

	arm64 := read[ocispec.Manifest](t, o.Layout, index.Manifests[2])
	armv7 := read[ocispec.Manifest](t, o.Layout, index.Manifests[1])
	if arm64.Layers[1].Digest == armv7.Layers[1].Digest || arm64.Layers[2].Digest != armv7.Layers[2].Digest {
		t.Error("the layer of the binary differs between platforms, that of the configuration does not")
	}
}

// TestInstructions shows what single instructions make of the config.
func TestInstructions(t *testing.T) {
	for name, test := range map[string]struct {
		dockerfile string
		want       func(*imageConfig)
	}{
		"nothing":         {"", func(c *imageConfig) {}},
		"ENV replaces":    {"ENV A=1\nENV A=2 B=$A\nENV PATH=/bin:$PATH", func(c *imageConfig) { c.Config.Env = []string{"PATH=/bin:" + defaultPath[5:], "A=2", "B=1"} }},
		"ENV old form":    {"ENV A b c", func(c *imageConfig) { c.Config.Env = append(c.Config.Env, "A=b c") }},
		"ARG is no ENV":   {"ARG A=1", func(c *imageConfig) {}},
		"ARG after ENV":   {"ENV A=1\nARG A=2\nENV B=$A", func(c *imageConfig) { c.Config.Env = append(c.Config.Env, "A=1", "B=2") }},
		"unset is empty":  {"LABEL a=x${NOTHING}y b=${NOTHING:-z}", func(c *imageConfig) { c.Config.Labels = map[string]string{"a": "xy", "b": "z"} }},
		"quotes":          {"LABEL a='$X' b=\"c $PATH_\" \"d e\"=f\\ g", func(c *imageConfig) { c.Config.Labels = map[string]string{"a": "$X", "b": "c ", "d e": "f g"} }},
		"WORKDIR adds up": {"WORKDIR /\nWORKDIR x/..\nWORKDIR ..", func(c *imageConfig) {}},
		"USER":            {"ARG U=1000\nUSER $U:0", func(c *imageConfig) { c.Config.User = "1000:0" }},
		"EXPOSE":          {"ARG P=\"1 2/udp\"\nEXPOSE $P 7-8", func(c *imageConfig) { c.expose([]string{"1/tcp", "2/udp", "7/tcp", "8/tcp"}) }},
		"shell form": {"ENTRYPOINT exec $X \"a b\"\nCMD serve", func(c *imageConfig) {
			c.Config.Entrypoint, c.Config.Cmd = []string{"/bin/sh", "-c", "exec $X \"a b\""}, []string{"/bin/sh", "-c", "serve"}
		}},
		"CMD before":           {"CMD [\"a\"]\nENTRYPOINT [\"b\"]", func(c *imageConfig) { c.Config.Entrypoint, c.Config.Cmd = []string{"b"}, []string{"a"} }},
		"empty ENTRYPOINT":     {"ENTRYPOINT [\"a\"]\nENTRYPOINT []", func(c *imageConfig) {}},
		"platform's arguments": {"ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT TARGETSTAGE\nLABEL a=$TARGETPLATFORM,$TARGETOS,$TARGETARCH,$TARGETVARIANT,$TARGETSTAGE", func(c *imageConfig) { c.Config.Labels = map[string]string{"a": "linux/amd64,linux,amd64,,default"} }},
		"undeclared here":      {"LABEL a=x$TARGETARCH", func(c *imageConfig) { c.Config.Labels = map[string]string{"a": "x"} }},
		"escape":               {"LABEL a=b`\n c=d", nil},
	} {
		t.Run(name, func(t *testing.T) {
			text := "FROM scratch\nCOPY a /\n" + test.dockerfile
			if test.want == nil {
				text, test.want = "# escape=`\n"+text, func(c *imageConfig) { c.Config.Labels = map[string]string{"a": "b", "c": "d"} }
			}
			o := options(t, map[string]string{"Dockerfile": text, "a": "a"})
			got, _ := platformOf(t, o.Layout, made(t, o), "linux/amd64")
			want := scratch()
			want.start(ocispec.Platform{}, when)
			test.want(&want)
			if diff := cmp.Diff(want.Config, got.Config); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCopy shows where COPY puts what, after another COPY of the file f to /dir/old.
func TestCopy(t *testing.T) {
	tree := map[string]string{"f": "F", "g": "G", "d/x": "X", "d/e/y!": "Y", "to-f": "-> f", "to-d": "-> d/../d", "d/up": "-> ../f", "d/e/loop": "-> loop"}
	for name, test := range map[string]struct{ copy, want string }{
		"file to name":                {"COPY f /new", "new 644 0:0 F"},
		"file to folder":              {"COPY f /new/", "new/ 755 0:0|new/f 644 0:0 F"},
		"file into what is there":     {"COPY f /dir", "dir/f 644 0:0 F"},
		"file over file":              {"COPY g /dir/old", "dir/old 644 0:0 G"},
		"file to root":                {"COPY f /", "f 644 0:0 F"},
		"relative":                    {"WORKDIR /dir\nCOPY f .", "dir/f 644 0:0 F"},
		"relative, up":                {"WORKDIR /dir\nCOPY f ../n", "n 644 0:0 F"},
		"several":                     {"COPY f g /new/", "new/ 755 0:0|new/f 644 0:0 F|new/g 644 0:0 G"},
		"several into what's there":   {"COPY f g /dir", "dir/f 644 0:0 F|dir/g 644 0:0 G"},
		"folder's contents":           {"COPY d /new", "new/ 755 0:0|new/e/ 755 0:0|new/e/loop 777 0:0 -> loop|new/e/y 755 0:0 Y|new/up 777 0:0 -> ../f|new/x 644 0:0 X"},
		"folder over folder":          {"COPY d/e dir/", "dir/loop 777 0:0 -> loop|dir/y 755 0:0 Y"},
		"folder, absolute source":     {"COPY /d/e /n", "n/ 755 0:0|n/loop 777 0:0 -> loop|n/y 755 0:0 Y"},
		"linked file":                 {"COPY to-f /n/", "n/ 755 0:0|n/to-f 644 0:0 F"},
		"linked folder":               {"COPY to-d/e /n", "n/ 755 0:0|n/loop 777 0:0 -> loop|n/y 755 0:0 Y"},
		"link within, as source":      {"COPY d/up /n", "n 644 0:0 F"},
		"JSON":                        {`COPY ["f", "/a b/c"]`, "a b/ 755 0:0|a b/c 644 0:0 F"},
		"later source wins":           {"COPY d/x d/e/../x /n/", "n/ 755 0:0|n/x 644 0:0 X"},
		"owner alone":                 {"COPY --chown=7 d/e /n", "n/ 755 7:7|n/loop 777 7:7 -> loop|n/y 755 7:7 Y"},
		"owner and mode":              {"ARG O=7:8\nCOPY --chown=$O --chmod=2750 f /n/", "n/ 755 0:0|n/f 2750 7:8 F"},
		"binary":                      {"COPY bin/operator /", "operator 755 0:0 operator for linux/amd64"},
		"through a link in the image": {"COPY d /dir\nCOPY f /dir/up", "f 644 0:0 F"},
		"no file at all":              {"COPY empty/ /dir", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tree["Dockerfile"] = "FROM scratch\nCOPY f /dir/old\n" + test.copy
			o := options(t, tree)
			if err := os.Mkdir(filepath.Join(o.Tree, "empty"), 0o755); err != nil {
				t.Fatal(err)
			}
			_, layers := platformOf(t, o.Layout, made(t, o), "linux/amd64")
			if diff := cmp.Diff(test.want, strings.ReplaceAll(layers[len(layers)-1], "\n", "|")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCopyRefuses(t *testing.T) {
	tree := map[string]string{"f": "F", "g": "G", "d/x": "X", "d/f/z": "Z", "out": "-> ../secret", "abs": "-> /etc/passwd", "loop": "-> loop", "sub/out": "-> ../../secret", "l": "-> d"}
	for name, test := range map[string]struct {
		copy string
		want []string
	}{
		"above":               {"COPY ../secret /x", []string{"Dockerfile:3: COPY ../secret /x: ../secret is outside of the build context ."}},
		"above, hidden":       {"COPY d/../../secret /x", []string{"d/../../secret is outside of the build context"}},
		"above, absolute":     {"COPY /../secret /x", []string{"/../secret is outside of the build context"}},
		"link out":            {"COPY out /x", []string{"out leads out of the build context .: out is a symbolic link to ../secret"}},
		"link out, below":     {"COPY out/x /x", []string{"out/x leads out of the build context"}},
		"absolute link":       {"COPY abs /x", []string{"abs is a symbolic link to /etc/passwd"}},
		"link in folder":      {"COPY sub /x", []string{"sub/out is a symbolic link to ../../secret, which leads out of the build context .; replace the link"}},
		"circles":             {"COPY loop /x", []string{"loop leads in circles"}},
		"missing":             {"COPY ff /x", []string{"Dockerfile:3: COPY ff /x: ff is not in the build context .; did you mean f?"}},
		"missing below":       {"COPY d/nothing-like-it /x", []string{"d/nothing-like-it is not in the build context .; see"}},
		"below a file":        {"COPY f/x /x", []string{"f/x is not there: f is no folder"}},
		"missing binary":      {"COPY bin/linux/amd64/webhook /x", []string{"bin/linux/amd64/webhook is not in the build context .; the built binaries are bin/linux/amd64/operator, bin/operator"}},
		"several to a name":   {"COPY f g /x", []string{"several sources need a folder as destination, and /x is none; write it as /x/"}},
		"several to a file":   {"COPY f g /old", []string{"several sources need a folder"}},
		"file as folder":      {"COPY f /old/", []string{"/old is a file in the image, and a folder is to be there"}},
		"folder to a file":    {"COPY d /old", []string{"/old is a file in the image"}},
		"below an old file":   {"COPY f /old/x", []string{"/old is a file in the image"}},
		"file over folder":    {"COPY d /\nCOPY f /x/f\nCOPY d/f /f/\nCOPY f /", []string{"Dockerfile:4: COPY f /x/f: /x is a file in the image"}},
		"file over a folder":  {"COPY f /x/f/y\nCOPY f /x", []string{"Dockerfile:4: COPY f /x: /x/f is a folder in the image, and a file is to be there"}},
		"folder over a link":  {"COPY l /k/\nCOPY --chmod=755 sub2 /dir\nCOPY d /dir/", []string{"sub2 is not in the build context"}},
		"expanded to nothing": {"COPY $NOTHING /x", []string{"a source expands to nothing"}},
		"no destination":      {"COPY f $NOTHING", []string{"its destination expands to nothing"}},
		"pattern by variable": {"ARG P=*\nCOPY $P /x", []string{"Dockerfile:4: COPY $P /x: * is a pattern"}},
		"owner by variable":   {"ARG O=root\nCOPY --chown=$O f /x", []string{"--chown=root is not numeric"}},
		"mode by variable":    {"ARG M=a+x\nCOPY --chmod=$M f /x", []string{"--chmod=a+x is no octal mode"}},
		"port by variable":    {"ARG P=http\nEXPOSE $P", []string{`Dockerfile:4: EXPOSE $P: "http" is no port`}},
		"required variable":   {"LABEL a=${X:?missing}", []string{"Dockerfile:3: LABEL a=${X:?missing}: ", "X: missing"}},
		"empty WORKDIR":       {"WORKDIR $X", []string{"Dockerfile:3: WORKDIR $X: it expands to nothing"}},
		"WORKDIR on a file":   {"WORKDIR /old", []string{"WORKDIR /old: /old is a file in the image"}},
		"WORKDIR of a name":   {"USER app\nWORKDIR /home", []string{"Dockerfile:4: WORKDIR /home: /home is not in the image yet, and would belong to USER app, whose number is unknown here; write USER as UID:GID, or behind WORKDIR"}},
		"what Examine says":   {"RUN make\nRUN more\nADD x y", []string{"Dockerfile:3: RUN make: only", "\nDockerfile:4: RUN more: only a container builder can run a command\nDockerfile:5: ADD"}},
		"fifo":                {"COPY pipes /x", []string{"pipes/fifo is neither file, folder nor symbolic link"}},
		"fifo itself":         {"COPY pipes/fifo /x", []string{"pipes/fifo is neither file nor folder"}},
	} {
		t.Run(name, func(t *testing.T) {
			tree["Dockerfile"] = "FROM scratch\nCOPY f /old\n" + test.copy
			o := options(t, tree)
			if err := os.Mkdir(filepath.Join(o.Tree, "pipes"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(filepath.Join(o.Tree, "pipes", "fifo"), 0o644); err != nil {
				t.Fatal(err)
			}
			refusedWith(t, o, test.want...)
		})
	}
}

func TestOptionsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"tag in repository": {func(o *Options) { o.Repository += ":v1" }, "this is no image repository"},
		"no registry":       {func(o *Options) { o.Repository = "operator" }, "this is no image repository"},
		"tag":               {func(o *Options) { o.Version = "v1+x" }, `"v1+x" can be no image tag`},
		"no platform":       {func(o *Options) { o.Platforms = nil }, "no platform was named"},
		"platform twice":    {func(o *Options) { o.Platforms = []string{"linux/arm64", "linux/arm64"} }, "platform linux/arm64 is named twice"},
		"misspelt platform": {func(o *Options) { o.Platforms = []string{"linux/amd46"} }, `read platform "linux/amd46": Go does not build for linux/amd46; did you mean "linux/amd64"?`},
		"other system":      {func(o *Options) { o.Platforms = []string{"plan9/amd64"} }, "Go does not build for plan9/amd64"},
		"context above":     {func(o *Options) { o.Context = "../x" }, "must be relative paths within the tree"},
		"absolute file":     {func(o *Options) { o.Dockerfile = "/etc/Dockerfile" }, "must be relative paths within the tree"},
		"no file":           {func(o *Options) { o.Dockerfile = "nothing" }, "read Dockerfile nothing: the release commit has no such file"},
		"no context":        {func(o *Options) { o.Context = "nothing" }, "build context nothing: the release commit has no such folder"},
		"context is a file": {func(o *Options) { o.Context = "f" }, "build context f: it is no folder"},
		"context leads out": {func(o *Options) { o.Context = "out" }, "leads it out of the release commit's tree"},
		"target":            {func(o *Options) { o.Target = "other" }, `Dockerfile:1: FROM scratch AS final: the target "other" is no stage here`},
		"argument":          {func(o *Options) { o.Args = map[string]string{"VERSON": "1"} }, "Dockerfile: build argument VERSON: no ARG declares it; did you mean VERSION?"},
		"binary's name":     {func(o *Options) { o.Binaries["linux/amd64"]["linux"] = "x" }, `binary "linux": it cannot lie in the build context`},
		"binary is folder":  {func(o *Options) { o.Binaries["linux/amd64"]["x"] = o.Tree }, "is no file"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, map[string]string{"Dockerfile": "FROM scratch AS final\nARG VERSION\nCOPY f /", "f": "F", "out": "-> .."})
			test.change(&o)
			refusedWith(t, o, test.want)
		})
	}
	o := options(t, map[string]string{"Dockerfile": "FROM scratch\nUSER 1"})
	refusedWith(t, o, "the image would be empty")
}

func TestSameBytesAnywhere(t *testing.T) {
	tree := map[string]string{"Dockerfile": "FROM scratch\nARG TARGETARCH\nCOPY . /src/\nCOPY bin/linux/$TARGETARCH/ /bin/\nWORKDIR /w\nLABEL b=1 a=2\nEXPOSE 2 1", "a/b/c": "c", "a/run!": "r", "z": "z"}
	first := options(t, tree)
	old := syscall.Umask(0o077)
	second := options(t, tree)
	syscall.Umask(old)
	second.Binaries = first.Binaries
	err := filepath.WalkDir(second.Tree, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(p, when.AddDate(-3, 0, 0), when.AddDate(-3, 0, 0))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(second.Tree, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(second.Tree, ".git", "HEAD"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	second.Time = when.Add(300).In(time.FixedZone("", 7200))
	first.Labels, second.Labels = map[string]string{"x": "1", "y": "2"}, map[string]string{"y": "2", "x": "1"}
	a, b := made(t, first), made(t, second)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("two builds of the same:\n%s", diff)
	}
	// This digest is part of the promise: a change here changes every identity.
	const want = "sha256:bf57fa41728e71fb8d8e94d818a169cd63584e1eb2ab6996e996074d963549e0"
	if a.Index.Digest != want {
		t.Errorf("the index has digest %s, want %s", a.Index.Digest, want)
	}
}

func TestBuildStops(t *testing.T) {
	o := options(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY bin/operator /"})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx, o); err == nil {
		t.Error("a cancelled build went on")
	}
	left, err := filepath.Glob(filepath.Join(o.Layout.Dir(), "blobs", "*", "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}
