package compare

import (
	"strings"
	"testing"
)

func TestReadGo(t *testing.T) {
	const head = "package p\n\nfunc f() {\n"
	for text, want := range map[string]string{
		`flag.String("a-name", "", "usage")`:                           "a-name",
		`flag.StringVar(&x, "a", "", "usage")`:                         "a",
		`cmd.Flags().BoolVarP(&o.x, "all", "A", false, "usage")`:       "all",
		`cmd.PersistentFlags().Float64SliceVar(&x, "a", nil, "usage")`: "a",
		`fs.Var(&x, "a", "usage")`:                                     "a",
		`flags.DurationVar(&x, name, 0, "usage")`:                      "of constant name",
		`options.flagSet.Int32("a", 1, "usage")`:                       "a",
		`cmd.Flags().Set("a", "b")`:                                    "",
		`cmd.Flags().GetString("a")`:                                   "",
		`fs.Weight.String()`:                                           "",
		`strings.Replace("a", "b", "c", 1)`:                            "",
		`log.String("a", "b", "c")`:                                    "",
		`flag.String("no flag", "", "usage")`:                          "",
	} {
		var got []string
		for _, call := range readGo("x.go", []byte(head+text+"\n}\n")).calls {
			if call.constant != "" {
				call.name = "of constant " + call.constant
			}
			got = append(got, call.name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, not %q", text, got, want)
		}
	}
	if !readGo("x.go", []byte("nonsense")).broken {
		t.Error("nonsense is Go")
	}
}

func FuzzReadGo(f *testing.F) {
	f.Add("package p\n\nconst a = \"b\"\n\nvar x = flag.String(a, \"\", \"\")\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, call := range readGo("x.go", []byte(text)).calls {
			if (call.name == "") == (call.constant == "") {
				t.Errorf("%q: %+v", text, call)
			}
		}
	})
}
