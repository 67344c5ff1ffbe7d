package forge_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/operator-release/operator-release/ci/forge/hub"
)

// address is where a hub is served once more, held to nothing.
func address(t *testing.T, h *hub.Hub) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func get(address string) (string, error) {
	resp, err := http.Get(address)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("%s", resp.Status))
	}
	return string(content), err
}

// somebody makes a release page by hand.
func somebody(t *testing.T, h *hub.Hub, body string) {
	t.Helper()
	req := httptest.NewRequest("POST", "/api/v3/repos/acme/spark/releases", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer secret-of-ada")
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, req)
	if answer.Code != http.StatusCreated {
		t.Fatalf("%d: %s", answer.Code, answer.Body)
	}
}
