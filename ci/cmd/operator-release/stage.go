package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/operator-release/operator-release/ci/pipeline"
	"github.com/operator-release/operator-release/ci/refusal"
)

// stageCommand runs one stage as a container runner asks for it.
func (a *app) stageCommand() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "stage NAME [SUBJECT] --at DIR", Short: "Run one stage of the pipeline with only its inputs",
		Long: "What a runner in a container calls: DIR/spec.json is what is asked, DIR/in/NAME are the folders that the stage may see. " +
			"It makes DIR/out, and says DIR/report.json, and in DIR/ran.json when it ran. SUBJECT is for readers of the trace.",
		Args:   cobra.RangeArgs(1, 2),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := os.ReadFile(filepath.Join(at, "spec.json"))
			if err != nil {
				return refusal.New("read what stage %s is asked: %w", args[0], err)
			}
			a.secrets.Learn(string(spec))
			entries, err := os.ReadDir(filepath.Join(at, "in"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			trees := map[string]string{}
			for _, e := range entries {
				trees[e.Name()] = filepath.Join(at, "in", e.Name())
			}
			out := filepath.Join(at, "out")
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			var log io.Writer = a.stderr
			if a.quiet {
				log = io.Discard
			}
			begun := time.Now()
			made, err := runStage(cmd.Context(), pipeline.Stage(args[0]), call{spec: spec, trees: trees, out: out, log: log, secrets: a.secrets})
			if err != nil {
				return err
			}
			ran, err := json.Marshal(pipeline.Ran{Begun: begun, Seconds: time.Since(begun).Seconds()})
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(at, pipeline.RanFile), ran, 0o644); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(at, "report.json"), made.Report, 0o644)
		},
	}
	cmd.Flags().StringVar(&at, "at", ".", "folder with spec.json and in/")
	return cmd
}
