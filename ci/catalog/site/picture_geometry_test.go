package site

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// at is a time in 2026.
func at(month, day, hour, minute, second int) time.Time {
	return time.Date(2026, time.Month(month), day, hour, minute, second, 0, time.UTC)
}

func TestScale(t *testing.T) {
	days := func(n ...int) []time.Time {
		var all []time.Time
		for _, d := range n {
			all = append(all, at(1, d, 0, 0, 0))
		}
		return all
	}
	for name, test := range map[string]struct {
		times  []time.Time
		breaks []int
		want   []float64 // of the times
		x      map[int]float64
	}{
		"one instant":       {times: days(3), want: []float64{150}},
		"even":              {times: days(1, 2, 3), want: []float64{100, 150, 200}, x: map[int]float64{4: 200}},
		"uneven":            {times: days(1, 2, 6), want: []float64{100, 120, 200}, x: map[int]float64{3: 140}},
		"broken":            {times: days(1, 3, 23, 25), breaks: []int{1}, want: []float64{100, 140, 160, 200}, x: map[int]float64{2: 120, 13: 150, 24: 180}},
		"an instant behind": {times: days(1, 3, 23), breaks: []int{1}, want: []float64{100, 180, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScale(test.times, test.breaks, 100, 200, 20)
			for i, want := range test.want {
				if got := s.x(test.times[i]); math.Abs(got-want) > 1e-6 {
					t.Errorf("%v is at %v, want %v", test.times[i], got, want)
				}
			}
			for d, want := range test.x {
				if got := s.x(at(1, d, 0, 0, 0)); math.Abs(got-want) > 1e-6 {
					t.Errorf("day %d is at %v, want %v", d, got, want)
				}
			}
		})
	}
}

func TestLongGaps(t *testing.T) {
	for name, test := range map[string]struct{ days, want []int }{
		"nothing":                 {nil, nil},
		"one":                     {[]int{1}, nil},
		"two":                     {[]int{1, 9}, nil},
		"even":                    {[]int{1, 2, 3, 4}, nil},
		"three times":             {[]int{1, 2, 5}, nil},
		"one long":                {[]int{1, 2, 20}, []int{1}},
		"two long":                {[]int{1, 10, 11, 20}, []int{0, 2}},
		"two long, of two kinds":  {[]int{1, 2, 7, 28}, []int{1, 2}},
		"all at two times only":   {[]int{5, 20}, nil},
		"as many as are readable": {[]int{1, 6, 11, 16, 21, 22}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var times []time.Time
			for _, d := range test.days {
				times = append(times, at(1, d, 0, 0, 0))
			}
			if got := longGaps(times); !slices.Equal(got, test.want) {
				t.Errorf("breaks behind %v, want %v", got, test.want)
			}
		})
	}
}

func TestSpread(t *testing.T) {
	for name, test := range map[string]struct{ want, places []float64 }{
		"nothing":               {nil, nil},
		"apart already":         {[]float64{10, 30, 90}, []float64{10, 30, 90}},
		"two together":          {[]float64{50, 50}, []float64{45, 55}},
		"three together":        {[]float64{50, 50, 50}, []float64{40, 50, 60}},
		"one pushes the next":   {[]float64{40, 41, 52}, []float64{34.333, 44.333, 54.333}},
		"at the begin":          {[]float64{0, 0, 3}, []float64{0, 10, 20}},
		"at the end":            {[]float64{20, 100, 100}, []float64{20, 90, 100}},
		"outside":               {[]float64{-50, 300}, []float64{0, 100}},
		"no room, but in order": {make([]float64, 13), []float64{0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120}},
	} {
		t.Run(name, func(t *testing.T) {
			got := spread(test.want, 10, 0, 100)
			if !slices.EqualFunc(got, test.places, func(a, b float64) bool { return math.Abs(a-b) < 0.01 }) {
				t.Errorf("spread to %v, want %v", got, test.places)
			}
		})
	}
}

func TestPlaceNames(t *testing.T) {
	type names = []nameTag
	for name, test := range map[string]struct {
		names names
		want  []string
	}{
		"none":                     {nil, nil},
		"room for all":             {names{{x: 50, wide: 20}, {x: 90, wide: 20}}, []string{"50 above", "90 above"}},
		"by turns":                 {names{{x: 50, wide: 30}, {x: 60, wide: 30}, {x: 85, wide: 30}}, []string{"50 above", "60 below", "85 above"}},
		"as preferred":             {names{{x: 50, wide: 20, prefers: below}, {x: 90, wide: 20}}, []string{"50 below", "90 above"}},
		"the first rank first":     {names{{x: 50, wide: 30, rank: 3}, {x: 52, wide: 30, rank: 1}, {x: 54, wide: 30, rank: 0}}, []string{"nowhere", "52 below", "54 above"}},
		"aside rather than absent": {names{{x: 50, wide: 20}, {x: 50, wide: 20}, {x: 61, wide: 20, rank: 1}}, []string{"50 above", "50 below", "71 above"}},
		"within the picture":       {names{{x: 2, wide: 20}, {x: 199, wide: 20}}, []string{"10 above", "190 above"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, n := range placeNames(test.names, 1, 0, 200) {
				switch n.row {
				case nowhere:
					got = append(got, "nowhere")
				case above:
					got = append(got, fmt.Sprint(n.x, " above"))
				case below:
					got = append(got, fmt.Sprint(n.x, " below"))
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("placed %q, want %q", got, test.want)
			}
		})
	}
}

func TestTicks(t *testing.T) {
	for name, test := range map[string]struct {
		from, to time.Time
		want     string
	}{
		"an instant":                  {at(5, 3, 14, 3, 22), at(5, 3, 14, 3, 22), "14:03 (3 May 2026)"},
		"seconds":                     {at(5, 3, 14, 3, 22), at(5, 3, 14, 3, 25), "14:03:22 (3 May 2026) 14:03:23 14:03:24 14:03:25 (3 May 2026)"},
		"half a minute past midnight": {at(5, 3, 23, 59, 40), at(5, 4, 0, 0, 20), "23:59:45 (3 May 2026) 00:00:00 (4 May 2026) 00:00:15"},
		"minutes":                     {at(5, 3, 14, 3, 0), at(5, 3, 14, 24, 0), "14:05 (3 May 2026) 14:10 14:15 14:20"},
		"hours":                       {at(5, 3, 22, 3, 0), at(5, 4, 2, 0, 0), "23:00 (3 May 2026) 00:00 (4 May 2026) 01:00 02:00"},
		"days":                        {at(4, 29, 22, 3, 0), at(5, 3, 2, 0, 0), "30 (Apr 2026) 1 (May 2026) 2 3"},
		"weeks, on Mondays":           {at(4, 29, 22, 3, 0), at(5, 20, 2, 0, 0), "4 (May 2026) 11 18"},
		"months":                      {at(11, 29, 22, 3, 0), at(15, 2, 2, 0, 0), "Dec (2026) Jan (2027) Feb Mar"},
		"quarters":                    {at(8, 29, 22, 3, 0), at(17, 2, 2, 0, 0), "Q4 (2026) Q1 (2027) Q2"},
		"years":                       {at(8, 29, 22, 3, 0), at(55, 2, 2, 0, 0), "2027 2028 2029 2030"},
		"many years":                  {at(8, 29, 22, 3, 0), at(12*17, 2, 2, 0, 0), "2030 2035 2040"},
		"centuries":                   {time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC), at(1, 1, 0, 0, 0), "1500 1600 1700"},
	} {
		t.Run(name, func(t *testing.T) {
			times := slices.CompactFunc([]time.Time{test.from, test.to}, time.Time.Equal)
			ticks, _ := newScale(times, nil, 0, 300, 0).ticks(60)
			if got := said(ticks); !strings.HasPrefix(got, test.want) || name != "centuries" && got != test.want {
				t.Errorf("ticks are %s\nwant      %s", got, test.want)
			}
		})
	}
	t.Run("each piece has one", func(t *testing.T) {
		times := []time.Time{at(1, 3, 8, 1, 0), at(4, 3, 12, 0, 0), at(4, 3, 12, 20, 0)}
		ticks, _ := newScale(times, []int{0}, 0, 300, 60).ticks(60)
		if got, want := said(ticks), "08:01 (3 Jan 2026) 12:00 (3 Apr 2026) 12:05 12:10 12:15 12:20"; got != want {
			t.Errorf("ticks are %s\nwant      %s", got, want)
		}
	})
	t.Run("the last one says again where it is", func(t *testing.T) {
		ticks, _ := newScale([]time.Time{at(5, 3, 8, 0, 0), at(5, 3, 14, 0, 0)}, nil, 0, 600, 0).ticks(60)
		if got, want := said(ticks), "08:00 (3 May 2026) 09:00 10:00 11:00 12:00 13:00 14:00 (3 May 2026)"; got != want {
			t.Errorf("ticks are %s\nwant      %s", got, want)
		}
	})
}

func said(ticks []tick) string {
	var all []string
	for _, k := range ticks {
		all = append(all, k.Text)
		if k.Within != "" {
			all = append(all, "("+k.Within+")")
		}
	}
	return strings.Join(all, " ")
}
