package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/publish"
)

func (a *app) restoreCommand() *cobra.Command {
	var d destining
	cmd := &cobra.Command{
		Use: "restore DIR|REPOSITORY:VERSION", Short: "Publish a backup again, after registry or tags were lost",
		Long: "Takes a bundle from a folder, or from the registry where --backup put it, and publishes it: the same code, the same digests.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			_, to, err := d.open(ctx, a)
			if err != nil {
				return err
			}
			if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
				b, err := bundle.Load(args[0])
				if err != nil {
					return err
				}
				return a.publishAndPrint(ctx, b, to)
			}
			w, err := a.begin("")
			if err != nil {
				return err
			}
			defer w.end()
			step := w.progress.Begin("fetch    " + args[0])
			b, err := publish.FetchBackup(ctx, args[0], d.plainHTTP, filepath.Join(w.dir, "backup"))
			step.End(err)
			if err != nil {
				return err
			}
			return a.publishAndPrint(ctx, b, to)
		},
	}
	d.flags(cmd)
	return cmd
}
