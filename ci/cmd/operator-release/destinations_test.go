package main

import (
	"reflect"
	"testing"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/pipeline"
)

// TestDestinationFlags: the flags that the module gives to the command are read as the same destinations.
func TestDestinationFlags(t *testing.T) {
	for _, want := range []pipeline.Destinations{
		{Registry: "r.example/x", Remote: "fork", Backup: "./b", GitHub: "me/fork", GitHubURL: "https://ghe.example",
			Index: "charts", PlainHTTP: []string{"a", "b:1"}},
		{Configured: true, GitHubURL: "https://ghe.example"},
		{},
	} {
		for name, add := range map[string]func(*destining, *cobra.Command){
			"writing": (*destining).flags, "looking": (*destining).looking,
		} {
			var d destining
			cmd := &cobra.Command{}
			add(&d, cmd)
			if err := cmd.ParseFlags(want.Flags()); err != nil {
				t.Fatal(err)
			}
			if got := d.given(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %q gave %+v, want %+v", name, want.Flags(), got, want)
			}
		}
	}
}
