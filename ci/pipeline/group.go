package pipeline

import (
	"context"

	"github.com/sourcegraph/conc/pool"
)

// group runs stages side by side; the first that fails ends the others.
type group[T any] struct {
	pool  *pool.ResultContextPool[named[T]]
	sinks map[string]map[string]Outputs[T]
}

type named[T any] struct {
	name string
	out  Outputs[T]
}

func newGroup[T any](ctx context.Context) *group[T] {
	return &group[T]{
		pool:  pool.NewWithResults[named[T]]().WithContext(ctx).WithCancelOnError().WithFirstError(),
		sinks: map[string]map[string]Outputs[T]{},
	}
}

// run starts a stage; its outputs are in the map after wait.
func (g *group[T]) run(into map[string]Outputs[T], name string, r Runner[T], stage Stage, in Inputs[T]) {
	g.do(into, name, func(ctx context.Context) (Outputs[T], error) { return r.Run(ctx, stage, in) })
}

// do starts stages that follow each other; the outputs of the last are in the map after wait.
func (g *group[T]) do(into map[string]Outputs[T], name string, run func(context.Context) (Outputs[T], error)) {
	g.sinks[name] = into
	g.pool.Go(func(ctx context.Context) (named[T], error) {
		out, err := run(ctx)
		return named[T]{name, out}, err
	})
}

func (g *group[T]) wait() error {
	results, err := g.pool.Wait()
	if err != nil {
		return err
	}
	for _, r := range results {
		g.sinks[r.name][r.name] = r.out
	}
	return nil
}
