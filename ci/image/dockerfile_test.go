package image

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/operator-release/operator-release/ci/refusal"
)

func examine(t testing.TB, dockerfile string, args map[string]string) (Examination, error) {
	t.Helper()
	return Examine(fstest.MapFS{"build/Dockerfile": {Data: []byte(dockerfile)}}, "build/Dockerfile", "", args)
}

const goodDockerfile = `# syntax=docker/dockerfile:1.7
# escape=\
ARG BASE=gcr.io/distroless/static
ARG TAG
FROM ${BASE}:${TAG:-nonroot} AS final
ARG TARGETOS TARGETARCH
# a comment
ENV HOME=/home/app \
    # within
    A="b c"
LABEL a=b c=d
WORKDIR /home/app
COPY --chown=65532:65532 --chmod=0555 bin/${TARGETOS}/${TARGETARCH}/operator /usr/bin/
COPY ["a file", "b", "/etc/x/"]
EXPOSE 8080 9443/tcp
USER 65532:65532
ENTRYPOINT ["/usr/bin/operator"]
CMD ["start"]
`

func TestExamine(t *testing.T) {
	for name, test := range map[string]struct {
		dockerfile string
		args       map[string]string
		stages     int
		bases      []string
		problems   []string
	}{
		"good":               {goodDockerfile, nil, 1, []string{"gcr.io/distroless/static:nonroot"}, nil},
		"scratch":            {"FROM scratch\nCOPY a /a", nil, 1, nil, nil},
		"argument":           {"ARG B=x\nFROM $B", map[string]string{"B": "debian:12"}, 1, []string{"debian:12"}, nil},
		"later ARG":          {"ARG R=docker.io\nARG B=$R/debian\nFROM $B", map[string]string{"R": "quay.io"}, 1, []string{"quay.io/debian"}, nil},
		"per platform":       {"FROM base-$TARGETARCH", nil, 1, []string{"base-${TARGETARCH}"}, nil},
		"same platform":      {"FROM --platform=$TARGETPLATFORM debian", nil, 1, []string{"debian"}, nil},
		"link=false":         {"FROM scratch\nCOPY --link=false a /", nil, 1, nil, nil},
		"unset in FROM":      {"ARG BASE\nFROM $BASE", nil, 1, nil, []string{"Dockerfile:2: FROM $BASE: the variable BASE has no value: ARG in line 1 gives no default, and no build argument of this name was given; give one of the two"}},
		"misspelt in FROM":   {"ARG BASE=x\nFROM ${BASS}", nil, 1, nil, []string{"Dockerfile:2: FROM ${BASS}: the variable BASS is unknown here: FROM sees only ARGs before it; did you mean BASE?"}},
		"late ARG in FROM":   {"FROM x:${V}\nARG V=1", nil, 1, nil, []string{"Dockerfile:1: FROM x:${V}: the variable V is unknown here: FROM sees only ARGs before it; declare it by ARG before FROM"}},
		"empty base":         {"ARG B=\nFROM $B", nil, 1, nil, []string{"its base expands to nothing"}},
		"bad substitution":   {"FROM ${:x}", nil, 1, nil, []string{"Dockerfile:1: FROM ${:x}: "}},
		"fixed platform":     {"FROM --platform=linux/amd64 debian", nil, 1, []string{"debian"}, []string{"Dockerfile:1: FROM --platform=linux/amd64 debian: the base would be of the platform linux/amd64"}},
		"RUN":                {"FROM debian\n\nRUN apt-get update && \\\n  apt-get install x", nil, 1, []string{"debian"}, []string{"Dockerfile:3: RUN apt-get update && apt-get install x: only a container builder can run a command; build the image with any container builder and hand over its OCI archive by --image REPOSITORY=ARCHIVE, or have a Dagger engine in reach"}},
		"RUN heredoc":        {"FROM debian\nRUN <<E\nmake\nE\nUSER 1", nil, 1, []string{"debian"}, []string{"Dockerfile:2: RUN <<E: only"}},
		"two stages":         {"FROM golang AS build\nFROM build\nFROM debian\nCOPY --from=build /x /x", nil, 3, []string{"golang", "debian"}, []string{"Dockerfile:2: FROM build: only a Dockerfile of one stage", "Dockerfile:3: FROM debian: only a", "Dockerfile:4: COPY --from=build /x /x: only a container builder can copy from another stage"}},
		"ADD":                {"FROM scratch\nADD a /a", nil, 1, nil, []string{"Dockerfile:2: ADD a /a: ADD fetches and unpacks, which is not done in process; use COPY"}},
		"VOLUME":             {"FROM scratch\nVOLUME /x", nil, 1, nil, []string{"Dockerfile:2: VOLUME /x: VOLUME is not carried out in process; leave it out; or build"}},
		"HEALTHCHECK":        {"FROM scratch\nHEALTHCHECK NONE", nil, 1, nil, []string{"Dockerfile:2: HEALTHCHECK NONE: HEALTHCHECK is not"}},
		"ONBUILD":            {"FROM scratch\nONBUILD USER 1", nil, 1, nil, []string{"Dockerfile:2: ONBUILD USER 1: ONBUILD is not"}},
		"SHELL":              {"FROM scratch\nSHELL [\"x\"]", nil, 1, nil, []string{"Dockerfile:2: SHELL [\"x\"]: SHELL is not"}},
		"STOPSIGNAL":         {"FROM scratch\nSTOPSIGNAL 9", nil, 1, nil, []string{"Dockerfile:2: STOPSIGNAL 9: STOPSIGNAL is not"}},
		"MAINTAINER":         {"FROM scratch\nMAINTAINER me", nil, 1, nil, []string{"Dockerfile:2: MAINTAINER me: it is deprecated; write LABEL"}},
		"unknown":            {"FROM scratch\nCOPPY a b", nil, 1, nil, []string{"Dockerfile:2: COPPY a b: unknown instruction: COPPY (did you mean COPY?)"}},
		"unknown flag":       {"FROM scratch\nCOPY --own=1 a b", nil, 1, nil, []string{"Dockerfile:2: COPY --own=1 a b: unknown flag: --own"}},
		"before FROM":        {"COPY a b\nFROM scratch", nil, 1, nil, []string{"Dockerfile:1: COPY a b: it stands before the first FROM"}},
		"link":               {"FROM scratch\nCOPY --link a /", nil, 1, nil, []string{"Dockerfile:2: COPY --link a /: --link is not"}},
		"parents":            {"FROM scratch\nCOPY --parents a /", nil, 1, nil, []string{"--parents is not"}},
		"exclude":            {"FROM scratch\nCOPY --exclude=x a /", nil, 1, nil, []string{"--exclude is not"}},
		"COPY heredoc":       {"FROM scratch\nCOPY <<E /x\nhello\nE", nil, 1, nil, []string{"Dockerfile:2: COPY <<E /x: a heredoc"}},
		"named owner":        {"FROM scratch\nCOPY --chown=app:app a /", nil, 1, nil, []string{"--chown=app:app is not numeric"}},
		"symbolic mode":      {"FROM scratch\nCOPY --chmod=u+x a /", nil, 1, nil, []string{"--chmod=u+x is no octal mode"}},
		"mode out of range":  {"FROM scratch\nCOPY --chmod=17777 a /", nil, 1, nil, []string{"--chmod=17777 is no octal mode"}},
		"wildcard":           {"FROM scratch\nCOPY *.yaml /", nil, 1, nil, []string{"*.yaml is a pattern"}},
		"address":            {"FROM scratch\nCOPY https://x/y /", nil, 1, nil, []string{"https://x/y is an address"}},
		"port":               {"FROM scratch\nEXPOSE 80:80", nil, 1, nil, []string{`"80:80" is no port`}},
		"port range":         {"FROM scratch\nEXPOSE 9-8", nil, 1, nil, []string{`"9-8" is no range`}},
		"port protocol":      {"FROM scratch\nEXPOSE 9/icmp", nil, 1, nil, []string{"unknown protocol icmp"}},
		"no command":         {"FROM scratch\nENTRYPOINT", nil, 1, nil, []string{"Dockerfile:2: ENTRYPOINT: it names no command"}},
		"almost JSON":        {"FROM scratch\nCMD ['a', 'b']", nil, 1, nil, []string{"this looks like a JSON list and is none"}},
		"building machine":   {"FROM scratch\nARG BUILDARCH", nil, 1, nil, []string{"BUILDARCH would carry the building machine into the image; use TARGETARCH"}},
		"other frontend":     {"# syntax=example/frontend\nFROM scratch", nil, 1, nil, []string{"Dockerfile:1: # syntax=example/frontend: another frontend"}},
		"undeclared":         {"FROM scratch\nARG VERSION", map[string]string{"VERSON": "1"}, 1, nil, []string{"Dockerfile: build argument VERSON: no ARG declares it; did you mean VERSION?"}},
		"undeclared, remote": {"FROM scratch", map[string]string{"X": "1"}, 1, nil, []string{"Dockerfile: build argument X: no ARG declares it; declare it, or leave it out"}},
		"automatic":          {"FROM scratch\nARG TARGETOS", map[string]string{"TARGETOS": "plan9"}, 1, nil, []string{"build argument TARGETOS: the platform decides it"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := examine(t, test.dockerfile, test.args)
			if err != nil {
				t.Fatal(err)
			}
			if got.Stages != test.stages || !slices.Equal(got.Bases, test.bases) {
				t.Errorf("got %d stages of %q, want %d of %q", got.Stages, got.Bases, test.stages, test.bases)
			}
			for i, p := range got.Unsupported {
				if text := p.Describe("Dockerfile"); i >= len(test.problems) || !strings.Contains(text, test.problems[i]) {
					t.Errorf("problem %d is\n%s\nwant %q", i, text, test.problems)
				}
			}
			if len(got.Unsupported) < len(test.problems) {
				t.Errorf("got %d problems, want %q", len(got.Unsupported), test.problems)
			}
		})
	}
}

func TestExamineFindsWhatIsCopiedOutOfOtherStages(t *testing.T) {
	for name, test := range map[string]struct{ dockerfile, target, want string }{
		"spark":       {"FROM golang AS builder\nRUN make\nFROM spark\nUSER root\nCOPY --from=builder /workspace/bin/spark-operator /usr/bin/spark-operator\nCOPY entrypoint.sh /usr/bin/\n", "", "/usr/bin/spark-operator"},
		"kubebuilder": {"FROM golang AS builder\nRUN go build -o manager\nFROM distroless\nWORKDIR /\nCOPY --from=builder /workspace/manager .\n", "", "/manager"},
		"folder":      {"FROM a AS b\nFROM c\nWORKDIR /opt\nWORKDIR x\nCOPY --from=b /one /two bin/\n", "", "/opt/x/bin/one /opt/x/bin/two"},
		"target":      {"FROM a AS b\nFROM c AS final\nCOPY --from=b /one /two\nFROM scratch AS artifacts\nCOPY --from=b /one /\n", "Final", "/two"},
		"last":        {"FROM a AS b\nFROM c AS final\nCOPY --from=b /one /two\nFROM scratch AS artifacts\nCOPY --from=b /one /\n", "", "/one"},
		"variable":    {"FROM a AS b\nFROM c\nCOPY --from=b /one /$X/two\nCOPY --from=b /bin/* /opt/\n", "", ""},
		"none":        {"FROM a\nCOPY bin/op /op\n", "", ""},
	} {
		found, err := Examine(fstest.MapFS{"Dockerfile": {Data: []byte(test.dockerfile)}}, "Dockerfile", test.target, nil)
		if got := strings.Join(found.Copies, " "); err != nil || got != test.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestExamineRefuses(t *testing.T) {
	for name, test := range map[string]struct{ dockerfile, want string }{
		"empty":                {"", "build/Dockerfile:"},
		"comments only":        {"# nothing\n", "build/Dockerfile:"},
		"no FROM":              {"ARG X=1", "it has no FROM"},
		"unterminated heredoc": {"FROM scratch\nCOPY <<E /x\nhello", "build/Dockerfile:2: this is no Dockerfile: unterminated heredoc"},
		"no text":              {"FROM scratch\nLABEL a=\xff", "build/Dockerfile:2: this is no Dockerfile: it holds bytes that are no UTF-8 text"},
		"NUL":                  {"FROM scratch\x00", "build/Dockerfile:1: this is no Dockerfile"},
		"escape":               {"# escape=x\nFROM scratch", "build/Dockerfile:"},
		"global default":       {"ARG X=${\nFROM scratch", "build/Dockerfile:1: ARG X=${:"},
	} {
		if _, err := examine(t, test.dockerfile, nil); !refusal.Is(err) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want a refusal with %q", name, err, test.want)
		}
	}
	if _, err := Examine(fstest.MapFS{}, "Dockerfile", "", nil); !refusal.Is(err) || !strings.Contains(err.Error(), "the release commit has no such file") {
		t.Errorf("missing file: %v", err)
	}
}

func TestPorts(t *testing.T) {
	for text, want := range map[string][]string{
		"8080":        {"8080/tcp"},
		"53/UDP":      {"53/udp"},
		"7000-7002":   {"7000/tcp", "7001/tcp", "7002/tcp"},
		"1/sctp":      {"1/sctp"},
		"65536":       nil,
		"":            nil,
		"http":        nil,
		"1.2.3.4:1:1": nil,
	} {
		got, err := ports(text)
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%q: %v, %v", text, err, diff)
		}
	}
}

func TestOwner(t *testing.T) {
	for text, want := range map[string][2]int{"65532": {65532, 65532}, "1:2": {1, 2}, "0:0": {}, "4294967295:1": {4294967295, 1}} {
		if u, g, err := owner(text); err != nil || u != want[0] || g != want[1] {
			t.Errorf("%s: %d:%d, %v", text, u, g, err)
		}
	}
	for _, text := range []string{"", "root", "1:", ":1", "-1", "1:2:3", "4294967296", "99999999999"} {
		if _, _, err := owner(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func FuzzExamine(f *testing.F) {
	f.Add(goodDockerfile)
	for _, seed := range []string{
		"FROM scratch\nRUN x", "FROM a\nCOPY <<E /x\nE", "ARG A=${B:-c}\nFROM $A", "# escape=`\nFROM x\nCOPY a `\n b", "ONBUILD RUN x",
		"FROM scratch\nEXPOSE 1-65535", "FROM ${A%x}", "FROM --platform=$X y AS z", "\ufeff# syntax=a\nFROM b", "FROM a\nLABEL \"a b\"=c",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dockerfile string) {
		found, err := examine(t, dockerfile, map[string]string{"A": "a"})
		if err != nil || len(found.Unsupported) > 0 {
			return
		}
		if found.Stages != 1 {
			t.Errorf("accepted with %d stages", found.Stages)
		}
		d, err := parseDockerfile("Dockerfile", []byte(dockerfile))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range d.stages[0].Commands {
			switch strings.ToUpper(c.Name()) {
			case "ARG", "ENV", "LABEL", "COPY", "WORKDIR", "USER", "EXPOSE", "ENTRYPOINT", "CMD":
			default:
				t.Errorf("accepted with %s", c.Name())
			}
		}
	})
}
