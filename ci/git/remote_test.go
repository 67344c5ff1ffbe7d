package git

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// TestSilenceEnds: git gives up on a server that takes a connection and says nothing, over HTTP by its own limit, and elsewhere
// because the call is ended.
func TestSilenceEnds(t *testing.T) {
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	r, err := Init(t.Context(), t.TempDir(), SHA1)
	if err != nil {
		t.Fatal(err)
	}
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close() // it never accepts; the kernel does
	t.Setenv("GIT_SSH_COMMAND", "exec sleep 20 #")
	for url, c := range map[string]struct {
		silence time.Duration
		says    string
	}{
		"http://" + mute.Addr().String() + "/r.git": {time.Second, "Operation too slow"},
		"ssh://git@localhost/r.git":                 {10 * time.Millisecond, "given up after 200ms"},
	} {
		remote := r.Remote(url)
		remote.Silence = c.silence
		begun := time.Now()
		_, err := remote.Refs(t.Context())
		if took := time.Since(begun); err == nil || !strings.Contains(err.Error(), c.says) || took > 10*time.Second {
			t.Errorf("%s: %v after %s; want %q", url, err, took, c.says)
		}
	}
}

// TestTheUsersLimitsStay where they are configured, for all addresses or for this one.
func TestTheUsersLimitsStay(t *testing.T) {
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	r, err := Init(t.Context(), t.TempDir(), SHA1)
	if err != nil {
		t.Fatal(err)
	}
	const url = "https://example.com/r.git"
	got := strings.Join(r.Remote(url).speedLimit(t.Context(), UserEnvironment()), " ")
	if got != "-c http.lowSpeedLimit=1 -c http.lowSpeedTime=180" {
		t.Errorf("by default %q", got)
	}
	for _, own := range []string{"http.lowSpeedTime", "http.https://example.com.lowSpeedLimit"} {
		t.Setenv("GIT_CONFIG_COUNT", "1")
		t.Setenv("GIT_CONFIG_KEY_0", own)
		t.Setenv("GIT_CONFIG_VALUE_0", "1000")
		if got := r.Remote(url).speedLimit(t.Context(), UserEnvironment()); got != nil {
			t.Errorf("with %s: %q", own, got)
		}
	}
	t.Setenv("GIT_CONFIG_COUNT", "0")
	t.Setenv("GIT_HTTP_LOW_SPEED_TIME", "10")
	if got := r.Remote(url).speedLimit(t.Context(), UserEnvironment()); got != nil {
		t.Errorf("with an environment: %q", got)
	}
	if got := r.Remote("ssh://git@example.com/r.git").speedLimit(t.Context(), UserEnvironment()); got != nil {
		t.Errorf("over SSH: %q", got)
	}
}
