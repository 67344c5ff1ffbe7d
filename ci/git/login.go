package git

import (
	"fmt"
	neturl "net/url"
	"os"
	"strconv"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

// helper gives git the password that stood in the URL. The variables are read by the shell: none of them is an argument.
const helper = `!f() { test "$1" != get || printf 'username=%s\npassword=%s\n' "$OPERATOR_RELEASE_GIT_USERNAME" "$OPERATOR_RELEASE_GIT_PASSWORD"; }; f`

// environment is the user's environment with added settings for the remote, or a closed one. A remote with a name keeps
// its own settings. Only secrets are removed from its URL.
func (m *Remote) environment(name string) ([]string, error) {
	env := UserEnvironment()
	n := 0
	if m.closed {
		env = closedEnvironment()
	} else if count := os.Getenv("GIT_CONFIG_COUNT"); count != "" {
		var err error
		if n, err = strconv.Atoi(count); err != nil || n < 0 {
			return nil, refusal.New("reach %s: the environment's GIT_CONFIG_COUNT is %q and no number; correct it", m.URL, count)
		}
	}
	set := func(key, value string) {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", n, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, value))
		n++
	}
	url, login, err := cutUserInfo(m.URL)
	if err != nil {
		return nil, err
	}
	switch {
	case m.known == "":
		set("remote."+name+".url", url)
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
	return append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", n)), nil
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
