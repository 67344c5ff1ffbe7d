package gate

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write enums.txt anew")

// fixed are types whose values a server checks, although their comments do not say so.
var fixed = []string{"core/v1.ContainerRestartPolicy", "core/v1.ContainerRestartRuleAction",
	"core/v1.ContainerRestartRuleOnExitCodesOperator", "core/v1.OSName", "core/v1.PodSELinuxChangePolicy",
	"core/v1.RecursiveReadOnlyMode", "core/v1.ResourceResizeRestartPolicy",
	"apps/v1.PersistentVolumeClaimRetentionPolicyType", "autoscaling/v2.HPAScalingPolicyType",
	"autoscaling/v2.MetricSourceType", "autoscaling/v2.MetricTargetType", "autoscaling/v2.ScalingPolicySelect",
	"storage/v1.FSGroupPolicy", "storage/v1.VolumeLifecycleMode", "admissionregistration/v1.ParameterNotFoundActionType",
	"flowcontrol/v1.FlowDistinguisherMethodType", "flowcontrol/v1.LimitResponseType",
	"flowcontrol/v1.PriorityLevelEnablement", "flowcontrol/v1.SubjectKind"}

var marked = regexp.MustCompile(`(?m)^\+enum$`)

// TestEnums holds enums.txt to the comments and constants in the version of k8s.io/api that go.mod names.
func TestEnums(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(string(out))
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "*types.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no types in %s: %v", root, err)
	}
	values, closed, open := map[string][]string{}, map[string]bool{}, map[string]bool{}
	for _, name := range fixed {
		closed[name] = true
	}
	for _, name := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		folder, _ := filepath.Rel(root, filepath.Dir(name))
		of := filepath.ToSlash(folder) + "."
		for _, decl := range parsed.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range group.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					comments := group.Doc.Text() + spec.Doc.Text()
					for _, list := range []*ast.CommentGroup{group.Doc, spec.Doc} {
						if list != nil { // Text leaves out lines such as +enum without a space
							for _, c := range list.List {
								comments += "\n" + strings.TrimSpace(strings.TrimPrefix(c.Text, "//"))
							}
						}
					}
					if marked.MatchString(comments) && spec.Assign == 0 {
						closed[of+spec.Name.Name] = true
					}
				case *ast.ValueSpec:
					for _, v := range spec.Values {
						if group.Tok == token.CONST {
							name, text, known := constant(t, spec.Type, v)
							open[of+name] = open[of+name] || !known
							if text != "" {
								values[of+name] = append(values[of+name], text)
							}
						}
					}
				}
			}
		}
	}
	var all []string
	for name := range closed {
		if len(values[name]) == 0 || open[name] {
			continue // its constants are elsewhere
		}
		slices.Sort(values[name])
		all = append(all, name+"\t"+strings.Join(slices.Compact(values[name]), "\t")+"\n")
	}
	slices.Sort(all)
	want := strings.Join(all, "")
	if *update {
		if err := os.WriteFile("enums.txt", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != enumList {
		t.Error("enums.txt is not what k8s.io/api has: go test ./ci/gate -run TestEnums -update")
	}
}

// constant is the name of a constant's type and its text: of the forms a T = "x" and a = T("x"). known is false for
// another form.
func constant(t *testing.T, declared ast.Expr, value ast.Expr) (name, text string, known bool) {
	if call, ok := value.(*ast.CallExpr); ok && len(call.Args) == 1 {
		declared, value = call.Fun, call.Args[0]
	}
	named, ok := declared.(*ast.Ident)
	if !ok {
		return "", "", true
	}
	literal, ok := value.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return named.Name, "", false
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		t.Fatal(err)
	}
	return named.Name, text, true
}
