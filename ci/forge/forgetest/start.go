package forgetest

import (
	"net/http/httptest"
	"testing"

	"github.com/operator-release/operator-release/ci/faults"
	"github.com/operator-release/operator-release/ci/forge/hub"
)

// Start serves a hub on loopback until the test ends, behind a proxy that fails as told, and holds what passes to the description. The address is http://HOST:PORT.
func Start(t testing.TB, o hub.Options) (h *hub.Hub, proxy *faults.Proxy, address string) {
	t.Helper()
	h = hub.New(o)
	proxy = faults.Around(Hold(t, h))
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return h, proxy, server.URL
}
