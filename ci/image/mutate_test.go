package image

import (
	"context"
	"math/rand"
	"os"
	"path/filepath"
	"testing"
	"strings"

	"github.com/operator-release/operator-release/ci/refusal"
)

func TestMutateByHand(t *testing.T) {
	seeds := []string{goodDockerfile,
		"FROM scratch\nRUN x", "FROM a\nCOPY <<E /x\nE", "ARG A=${B:-c}\nFROM $A", "# escape=`\nFROM x\nCOPY a `\n b", "ONBUILD RUN x",
		"FROM scratch\nEXPOSE 1-65535", "FROM ${A%x}", "FROM --platform=$X y AS z", "\ufeff# syntax=a\nFROM b", "FROM a\nLABEL \"a b\"=c", "FROM scratch\nHEALTHCHECK --interval=1s CMD x\nVOLUME [\"a\"]\nSHELL [\"x\"]\nSTOPSIGNAL 9\nADD a b\nMAINTAINER x"}
	frags := []string{"$", "${", "}", "\\", "\n", "\"", "'", "<<E", "--", "=", "#", " ", "\t", "FROM ", "RUN ", "COPY ", "ARG ", ":", "/", "%", "#escape=`\n", "\ufeff", "\x00", "\xff", "[", "]", "*"}
	r := rand.New(rand.NewSource(1))
	n := 0
	accepted := 0
	o := options(t, map[string]string{"f": "F", "a": "A", "b/c": "C"})
	for ; n < 300000; n++ {
		b := []byte(seeds[r.Intn(len(seeds))])
		for k := 0; k < 1+r.Intn(5); k++ {
			i := r.Intn(len(b) + 1)
			switch r.Intn(4) {
			case 0:
				f := frags[r.Intn(len(frags))]
				b = append(b[:i:i], append([]byte(f), b[i:]...)...)
			case 1:
				j := min(len(b), i+r.Intn(8))
				b = append(b[:i:i], b[j:]...)
			case 2:
				if len(b) > 0 { b[r.Intn(len(b))] = byte(r.Intn(256)) }
			case 3:
				s := seeds[r.Intn(len(seeds))]
				x := r.Intn(len(s)); y := x + r.Intn(len(s)-x)
				b = append(b[:i:i], append([]byte(s[x:y]), b[i:]...)...)
			}
		}
		found, err := examine(t, string(b), nil)
		if err != nil && !refusal.Is(err) {
			t.Fatalf("%q: %v", b, err)
		}
		if err == nil && len(found.Unsupported) == 0 {
			accepted++
			if len(found.Bases) == 0 && accepted%20 == 0 {
				os.WriteFile(filepath.Join(o.Tree, "Dockerfile"), b, 0o644)
				if _, err := Build(context.Background(), o); err != nil && !refusal.Is(err) {
					t.Fatalf("%q: %v", b, err)
				}
			}
			if strings.Contains(strings.ToUpper(string(b)), "\nRUN ") {
				d, _ := parseDockerfile("D", b)
				for _, c := range d.stages[0].Commands { if strings.EqualFold(c.Name(), "run") { t.Fatalf("%q", b) } }
			}
		}
	}
	t.Log(n, accepted)
}
