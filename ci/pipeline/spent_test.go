package pipeline

import (
	"encoding/json"
	"testing"
	"time"
)

func TestSpent(t *testing.T) {
	begun := time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)
	now := begun
	s := &Spent{begun: begun, Now: func() time.Time { return now }}
	ran := func(at time.Time, seconds float64) string {
		content, err := json.Marshal(Ran{at, seconds})
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	now = begun.Add(90 * time.Second)
	s.AddStep("compile the tool", s.CachedSince("1772366400\n"), begun) // in the same second
	s.AddStep("download modules", s.CachedSince("1772366399"), now.Add(-100*time.Millisecond))
	s.AddStep("the tool", s.CachedSince(""), now)
	s.Add(Plan, "v1.5.0", now.Add(-3*time.Second), ran(begun.Add(time.Second), 1.25))
	s.Add(Build, "linux/amd64", now.Add(-200*time.Millisecond), ran(begun.Add(-time.Hour), 77))
	s.Add(Rehearse, "", now, "")
	s.Add(Test, "v1.5.0", now, "no JSON")
	s.Note("")
	s.Note("the tool is compiled")
	const want = `
Call of 2026-03-01 12:00:00 UTC: 90.0 s; stages ran side by side
  compile the tool   run        90.0 s
  download modules   cached     0.1 s
  the tool           not known  0.0 s
  plan v1.5.0        run        3.0 s  1.2 s in the stage itself
  build linux/amd64  cached     0.2 s
  rehearse           not known  0.0 s
  test v1.5.0        not known  0.0 s
  ! the tool is compiled
`
	if got := s.Table(); got != want {
		t.Errorf("got%s\nwant%s", got, want)
	}
}
