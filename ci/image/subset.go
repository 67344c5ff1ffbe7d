package image

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// wayBuilder is the way out where a Dockerfile needs more than this package does.
const wayBuilder = "build the image with any container builder and hand over its OCI archive by --image REPOSITORY=ARCHIVE, or have a Dagger engine in reach"

// check says why a command is not of the subset, and what to do; nothing where it is. Arguments
// with variables in them are left for when they are expanded.
func check(c instructions.Command) (why, wayOut string) {
	switch c := c.(type) {
	case *instructions.ArgCommand:
		for _, a := range c.Args {
			if strings.HasPrefix(a.Key, "BUILD") && isPlatformArg(strings.TrimPrefix(a.Key, "BUILD")) {
				return a.Key + " would carry the building machine into the image", "use TARGET" + strings.TrimPrefix(a.Key, "BUILD") + ", the platform being built"
			}
		}
	case *instructions.EnvCommand, *instructions.LabelCommand, *instructions.UserCommand, *instructions.WorkdirCommand:
	case *instructions.CmdCommand:
		return checkCommandLine(c.ShellDependantCmdLine)
	case *instructions.EntrypointCommand:
		return checkCommandLine(c.ShellDependantCmdLine)
	case *instructions.ExposeCommand:
		for _, p := range c.Ports {
			if strings.Contains(p, "$") {
				continue
			}
			if _, err := ports(p); err != nil {
				return err.Error(), wayPort
			}
		}
	case *instructions.CopyCommand:
		return checkCopy(c, func(s string) bool { return strings.Contains(s, "$") })
	case *instructions.RunCommand:
		return "only a container builder can run a command", wayBuilder
	case *instructions.AddCommand:
		return "ADD fetches and unpacks, which is not done in process", "use COPY for files of the build context; or " + wayBuilder
	case *instructions.MaintainerCommand:
		return "it is deprecated", "write LABEL org.opencontainers.image.authors=…"
	default:
		return strings.ToUpper(c.Name()) + " is not carried out in process", "leave it out; or " + wayBuilder
	}
	return "", ""
}

func checkStage(s *instructions.Stage, number int) (why, wayOut string) {
	if number > 1 {
		return "only a Dockerfile of one stage is carried out in process", "let the pipeline build the binaries and COPY them from bin/; or " + wayBuilder
	}
	if p := s.Platform; p != "" && p != "$TARGETPLATFORM" && p != "${TARGETPLATFORM}" {
		return "the base would be of the platform " + p + ", whatever is being built", "leave --platform out"
	}
	return "", ""
}

func checkCommandLine(c instructions.ShellDependantCmdLine) (why, wayOut string) {
	line := strings.TrimSpace(strings.Join(c.CmdLine, " "))
	switch {
	case c.PrependShell && line == "":
		return "it names no command", `write it as ["program", "argument"]`
	case c.PrependShell && strings.HasPrefix(line, "["):
		return "this looks like a JSON list and is none, so a shell would run it", `write it as ["program", "argument"], in double quotes`
	}
	return "", ""
}

// checkCopy looks at a COPY, but for the parts that open says are not known yet.
func checkCopy(c *instructions.CopyCommand, open func(string) bool) (why, wayOut string) {
	switch {
	case c.From != "":
		return "only a container builder can copy from another stage or image", wayBuilder
	case c.Link:
		return "--link is not carried out in process", "leave it out: each COPY is a layer of its own anyway"
	case c.Parents:
		return "--parents is not carried out in process", "name each destination"
	case len(c.ExcludePatterns) > 0:
		return "--exclude is not carried out in process", "list the files in .dockerignore"
	case len(c.SourceContents) > 0:
		return "a heredoc is not carried out in process", "put the content into a file of the repository"
	}
	if c.Chown != "" && !open(c.Chown) {
		if _, _, err := owner(c.Chown); err != nil {
			return fmt.Sprintf("--chown=%s is not numeric, and names mean nothing without the image's /etc/passwd", c.Chown), "write --chown=UID:GID"
		}
	}
	if c.Chmod != "" && !open(c.Chmod) {
		if _, err := mode(c.Chmod); err != nil {
			return fmt.Sprintf("--chmod=%s is no octal mode up to 7777", c.Chmod), "write it as --chmod=755"
		}
	}
	for _, src := range c.SourcePaths {
		switch {
		case open(src):
		case src == "":
			return "a source expands to nothing", "name a file of the build context"
		case strings.HasPrefix(src, "http://"), strings.HasPrefix(src, "https://"):
			return src + " is an address, and nothing is fetched", "put the file into the repository; or " + wayBuilder
		case strings.ContainsAny(src, `*?[\`):
			return src + " is a pattern; what it matches today may be more tomorrow", "name each file, or copy its folder"
		}
	}
	if c.DestPath == "" && !open(c.DestPath) {
		return "its destination expands to nothing", "name it"
	}
	return "", ""
}

var (
	ownerPattern = regexp.MustCompile(`^([0-9]{1,10})(?::([0-9]{1,10}))?$`)
	portPattern  = regexp.MustCompile(`^([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/([A-Za-z]+))?$`)
)

// owner reads UID or UID:GID; a lone UID is the group's number too, as with Docker.
func owner(text string) (uid, gid int, err error) {
	m := ownerPattern.FindStringSubmatch(text)
	if m == nil {
		return 0, 0, fmt.Errorf("%q is no UID:GID", text)
	}
	if m[2] == "" {
		m[2] = m[1]
	}
	u, err := strconv.ParseUint(m[1], 10, 32)
	if err != nil {
		return 0, 0, err
	}
	g, err := strconv.ParseUint(m[2], 10, 32)
	return int(u), int(g), err
}

// mode reads an octal mode.
func mode(text string) (int64, error) {
	m, err := strconv.ParseUint(text, 8, 32)
	if err == nil && m > 0o7777 {
		err = fmt.Errorf("%q is above 7777", text)
	}
	return int64(m), err
}

const wayPort = "write PORT, PORT/udp or FIRST-LAST"

// ports reads what EXPOSE names: 8080, 53/udp, 7000-7005.
func ports(text string) ([]string, error) {
	m := portPattern.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("%q is no port", text)
	}
	protocol := strings.ToLower(m[3])
	switch protocol {
	case "":
		protocol = "tcp"
	case "tcp", "udp", "sctp":
	default:
		return nil, fmt.Errorf("%q has the unknown protocol %s", text, m[3])
	}
	from, _ := strconv.Atoi(m[1])
	to := from
	if m[2] != "" {
		to, _ = strconv.Atoi(m[2])
	}
	if from > to || to > 65535 {
		return nil, fmt.Errorf("%q is no range of ports up to 65535", text)
	}
	var all []string
	for p := from; p <= to; p++ {
		all = append(all, fmt.Sprintf("%d/%s", p, protocol))
	}
	return all, nil
}

// isPlatformArg tells whether BUILD or TARGET before this name makes one of BuildKit's own arguments.
func isPlatformArg(rest string) bool {
	switch rest {
	case "PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT":
		return true
	}
	return false
}
