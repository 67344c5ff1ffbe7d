package modulecheck

import (
	"go/ast"
	"go/token"
	"testing"
)

// TestModuleNamesDestinationsOnce: one function of the module gathers what a call names, so that every function goes by
// the rule of pipeline.Destinations.
func TestModuleNamesDestinationsOnce(t *testing.T) {
	fset := token.NewFileSet()
	var at []string
	for _, f := range read(t, fset, same) {
		ast.Inspect(f, func(n ast.Node) bool {
			if made, ok := n.(*ast.CompositeLit); ok {
				if of, ok := made.Type.(*ast.SelectorExpr); ok && of.Sel.Name == "Destinations" {
					at = append(at, fset.Position(n.Pos()).String())
				}
			}
			return true
		})
	}
	if len(at) != 1 {
		t.Errorf("the module makes destinations at %q, want one place", at)
	}
}
