package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/bundle"
	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/publish"
	"github.com/operator-release/operator-release/ci/report"
)

func (a *app) rehearseCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rehearse DIR", Short: "Publish a bundle to throwaway destinations, and read everything back",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := bundle.Load(args[0])
			if err != nil {
				return err
			}
			var r publish.Rehearsal
			if err := a.alone(cmd.Context(), pipeline.Rehearse, pipeline.Inputs[string]{
				Subject: b.Record.Version.String(), Spec: pipeline.RehearseSpec{},
				Trees: map[string]pipeline.Folder[string]{pipeline.Bundled: pipeline.Whole(args[0]), pipeline.Repository: pipeline.Whole(a.source)},
			}, &r); err != nil {
				return err
			}
			return a.print(r, func(page *report.Page) {
				page.Title("%s was published to throwaway destinations and read back", r.Version)
				var rows []report.Row
				for _, write := range r.Writes {
					rows = append(rows, report.Row{Mark: report.Done, Cells: []string{fmt.Sprint(write.Step), write.Target, write.What}})
				}
				page.Table(rows)
				page.Line(report.Done, "%d manifests, blobs and refs were read back and are equal", r.Read)
			})
		},
	}
}
