package git

import (
	"context"
	"fmt"
	neturl "net/url"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// helper gives git the password that stood in the URL. The variables are read by the shell: none of them is an argument.
const helper = `!f() { test "$1" != get || printf 'username=%s\npassword=%s\n' "$OPERATOR_RELEASE_GIT_USERNAME" "$OPERATOR_RELEASE_GIT_PASSWORD"; }; f`

// environment is the user's environment with the settings of the clone and of the remote, or a closed one. As in git,
// the clone's settings come before those of the user's environment. A remote with a name keeps its own settings. Only
// secrets are removed from its URL.
func (m *Remote) environment(ctx context.Context, name string) ([]string, error) {
	env := closedEnvironment()
	var settings []setting
	if !m.closed {
		var err error
		if env, settings, err = cutEnvironmentSettings(UserEnvironment()); err != nil {
			return nil, fmt.Errorf("reach %s: %w", m.URL, err)
		}
	}
	set := func(key, value string) { settings = append(settings, setting{"command", key, value}) }
	url, login, err := cutUserInfo(m.URL)
	if err != nil {
		return nil, err
	}
	switch {
	case m.known == "":
		set("remote."+name+".url", url)
		set("remote."+name+".pushurl", url) // else pushInsteadOf would apply, and a push go elsewhere
	case url != m.URL:
		set("url."+url+".insteadOf", m.URL)
	}
	if m.closed {
		set("remote."+name+".uploadpack", uploadPack)
		set("remote."+name+".receivepack", receivePack)
	}
	switch {
	case login.hasPassword:
		set("credential.helper", "") // the URL's password comes before whatever else is known, and is stored nowhere
		set("credential."+login.server+".helper", helper)
		env = append(env, "OPERATOR_RELEASE_GIT_USERNAME="+login.user, "OPERATOR_RELEASE_GIT_PASSWORD="+login.password)
	case login.user != "":
		set("credential."+login.server+".username", login.user)
	}
	passed, err := m.cloneSettings(ctx, name, withSettings(env, settings))
	return withSettings(env, append(passed, settings...)), err
}

// login is the user info of a URL.
type login struct {
	server         string // scheme and host, as git's settings name a server
	user, password string
	hasPassword    bool // an empty one is one
}

// cutUserInfo takes what is secret of the user info out of a URL of HTTP: the password, and the user where it stands alone, or before an empty password or x-oauth-basic, because
// that may be a token. A name before a password stays, so that insteadOf fits or does not as it did. In other URLs it is no secret, but the name of an account.
func cutUserInfo(url string) (string, login, error) {
	scheme, rest, ok := strings.Cut(url, "://")
	if lower := strings.ToLower(scheme); !ok || lower != "http" && lower != "https" {
		return url, login{}, nil
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		return url, login{}, nil
	}
	l := login{server: scheme + "://" + authority[at+1:]}
	l.user, l.password, l.hasPassword = strings.Cut(authority[:at], ":")
	for _, part := range []*string{&l.user, &l.password} {
		if plain, err := neturl.PathUnescape(*part); err == nil {
			*part = plain
		}
		if strings.ContainsAny(*part, "\n\x00") {
			return "", l, refusal.New("reach %s%s: user or password in this URL hold a line break, which no server takes", l.server, rest[len(authority):])
		}
	}
	if l.password != "" && l.password != "x-oauth-basic" {
		user, _, _ := strings.Cut(authority, ":")
		return scheme + "://" + user + rest[at:], l, nil
	}
	return scheme + "://" + rest[at+1:], l, nil
}
