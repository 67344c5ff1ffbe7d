package publish

import "testing"

func TestRegistryName(t *testing.T) {
	for _, c := range []struct{ prefix, repository, want string }{
		{"", "docker.io/acme/op", "docker.io/acme/op"},
		{"", "example.com:5000/acme/op", "example.com:5000/acme/op"},
		{"mirror.example.com", "docker.io/acme/op", "mirror.example.com/docker.io/acme/op"},
		{"mirror.example.com:5001/x/", "docker.io/acme/op", "mirror.example.com:5001/x/docker.io/acme/op"},
		{"127.0.0.1:1", "example.com:5000/acme/op", "127.0.0.1:1/example.com-5000/acme/op"},
	} {
		r := &Registry{Prefix: c.prefix}
		if got := r.name(c.repository); got != c.want {
			t.Errorf("%s below %q: %s, want %s", c.repository, c.prefix, got, c.want)
		}
		if _, err := r.Open(c.repository); err != nil {
			t.Errorf("%s below %q: %v", c.repository, c.prefix, err)
		}
	}
}
