package main

import (
	"encoding/json"
	"os"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/pipeline"
)

func (a *app) restoreCommand() *cobra.Command {
	var d destining
	cmd := &cobra.Command{
		Use: "restore DIR|REPOSITORY:VERSION", Short: "Publish a backup again, after registry or tags were lost",
		Long: "Takes a bundle from a folder, or from the registry where --backup put it, and publishes it: the same code, the same digests.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := d.destinations(a, "restore")
			if err != nil {
				return err
			}
			return a.flowing(func(flow *pipeline.Flow[string]) error {
				var said json.RawMessage
				if info, statErr := os.Stat(args[0]); statErr == nil && info.IsDir() {
					said, err = flow.RestoreBundle(cmd.Context(), args[0], to)
				} else {
					said, err = flow.Restore(cmd.Context(), pipeline.FetchSpec{Reference: args[0], PlainHTTP: d.plainHTTP}, to)
				}
				if err != nil {
					return err
				}
				return a.printPublication(said)
			})
		},
	}
	d.flags(cmd)
	return cmd
}
