package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/output"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/refusal"
)

func (a *app) joinCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "join PART... -o DIR", Short: "Make one bundle of parts that were built for one platform each",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return refusal.New("join parts: where to? name a folder with -o DIR")
			}
			if _, err := replaces(output.Bundle, out); err != nil {
				return err
			}
			w, err := a.begin(out)
			if err != nil {
				return err
			}
			defer w.end()
			parts := map[string]string{}
			for i, part := range args {
				parts[fmt.Sprintf("part-%03d", i)] = part
			}
			flow := pipeline.Flow[string]{Runner: w.runner}
			made, err := flow.Join(cmd.Context(), parts)
			if err != nil {
				return err
			}
			if err := a.deliver(cmd.Context(), output.Bundle, made.Bundled, out); err != nil {
				return err
			}
			return a.printBundle(made.Bundle, out)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "folder of the bundle")
	return cmd
}
