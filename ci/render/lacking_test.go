package render

import "testing"

func TestCarries(t *testing.T) {
	for tag, want := range map[string]bool{
		"v1.5.0": true, "1.5.0": true, "v1.5.0-debug": true, "debug-v1.5.0": true, "1.5.0_alpine3": true, "v1.5.0-debian": true,
		"": false, "latest": false, "v1.5.01": false, "v11.5.0": false, "v1.5.0.1": false, "v1.5.0-rc.1": false,
		"v1.5.0-beta1": false, "v1.5.0-SNAPSHOT": false, "v21.5.0": false,
	} {
		if got := carries(tag, "v1.5.0"); got != want {
			t.Errorf("%q: got %t, want %t", tag, got, want)
		}
	}
	if carries("v1.5.0", "v1.5.0-rc.1") || !carries("v1.5.0-rc.1-debug", "v1.5.0-rc.1") || carries("v1.5.0", "") {
		t.Error("a candidate, or no version")
	}
}
