package pipeline

import (
	"strings"

	"github.com/operator-release/operator-release/ci/config"
	"github.com/operator-release/operator-release/ci/refusal"
)

// Named are the destinations that a call names, for people: by flags of the command, or by arguments and With functions
// of the module. What says how to reach one (an API's URL, hosts without TLS) names none.
func (d Destinations) Named() []string {
	var named []string
	for _, n := range []struct{ what, at string }{
		{"registry", d.Registry}, {"git remote", d.Remote}, {"backup", d.Backup},
		{"release pages of", d.GitHub}, {"chart index on branch", d.Index},
	} {
		if n.at != "" {
			named = append(named, n.what+" "+n.at)
		}
	}
	return named
}

// Check refuses a call that names destinations and goes to the configured ones too, and one that does neither. What was
// to be done is told by verb, such as publish.
func (d Destinations) Check(verb string) error {
	switch named := d.Named(); {
	case len(named) > 0 && d.Configured:
		return refusal.New("%s: --to-configured goes where the settings say, and the call names destinations that would "+
			"replace all of them: %s; give one or the other", verb, strings.Join(named, ", "))
	case len(named) == 0 && !d.Configured:
		return refusal.New("%s: where to? name --registry, --remote, --backup, or go where the settings say with "+
			"--to-configured", verb)
	}
	return nil
}

// Resolve gives the destinations of a call: those of the settings, which may be nil, where it goes to the configured
// ones, else those that it names.
func (d Destinations) Resolve(settings *config.Destinations) Destinations {
	if !d.Configured {
		return d
	}
	d.Registry, d.Remote, d.Backup, d.GitHub, d.Index = "", "", "", "", ""
	if settings != nil {
		d.Remote, d.Backup, d.GitHub, d.Index = settings.Remote, settings.Backup, settings.GitHub, settings.Index
	}
	return d
}

// Flags are the flags by which the command takes these destinations.
func (d Destinations) Flags() []string {
	var flags []string
	for _, f := range []struct{ name, value string }{
		{"--registry=", d.Registry}, {"--remote=", d.Remote}, {"--backup=", d.Backup}, {"--index=", d.Index},
		{"--github=", d.GitHub}, {"--github-url=", d.GitHubURL},
	} {
		if f.value != "" {
			flags = append(flags, f.name+f.value)
		}
	}
	if d.Configured {
		flags = append(flags, "--to-configured")
	}
	for _, host := range d.PlainHTTP {
		flags = append(flags, "--plain-http="+host)
	}
	return flags
}
