package site

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/operator-release/operator-release/ci/catalog"
	"github.com/operator-release/operator-release/ci/journal"
	"github.com/operator-release/operator-release/ci/version"
)

// published is a version of a line.
func published(line, v string, t time.Time, picks ...time.Time) catalog.Version {
	kind := catalog.Patch
	parsed := version.MustParse(v)
	if _, ok := parsed.Candidate(); ok {
		kind = catalog.Candidate
	} else if parsed.Patch() == 0 {
		kind = catalog.Final
	}
	c := catalog.Version{Version: parsed, Kind: kind, Line: line, Time: t}
	for _, p := range picks {
		c.Picks = append(c.Picks, catalog.Pick{Made: p})
	}
	return c
}

// marked is the version, marked.
func marked(v catalog.Version, s journal.State) catalog.Version {
	v.Mark = &journal.Mark{State: s, Because: "it loses objects"}
	return v
}

// hours is a project some hours old, as a demonstration makes one.
func hours() catalog.Catalog {
	return catalog.Catalog{
		Development: "main",
		Lines: []catalog.Line{
			{Name: "1.5", Branch: "release-1.5", Forked: at(5, 3, 11, 40, 0), Supported: true, Newest: version.MustParse("v1.5.2")},
			{Name: "1.4", Branch: "release-1.4", Forked: at(5, 3, 9, 5, 0), Supported: true, Newest: version.MustParse("v1.4.3")},
		},
		Versions: []catalog.Version{
			published("1.4", "v1.4.3", at(5, 3, 15, 2, 0), at(5, 3, 14, 40, 0), at(5, 3, 14, 41, 0)),
			published("1.5", "v1.5.2", at(5, 3, 15, 0, 0), at(5, 3, 14, 40, 0), at(5, 3, 14, 41, 0)),
			marked(published("1.5", "v1.5.1", at(5, 3, 13, 30, 0), at(5, 3, 12, 50, 0)), journal.Withdrawn),
			published("1.5", "v1.5.0", at(5, 3, 12, 20, 0)),
			published("1.5", "v1.5.0-rc.1", at(5, 3, 12, 10, 0)),
			published("1.5", "v1.5.0-rc.0", at(5, 3, 11, 45, 0)),
			published("1.4", "v1.4.2", at(5, 3, 13, 10, 0), at(5, 3, 12, 50, 0)),
			marked(published("1.4", "v1.4.1", at(5, 3, 10, 30, 0)), journal.RolledBack),
			published("1.4", "v1.4.0", at(5, 3, 9, 20, 0)),
		},
	}
}

// spark are the lines and versions of the Spark Operator, at the times that its repository has; marks and backports are invented.
func spark() catalog.Catalog {
	c := catalog.Catalog{Development: "master"}
	for _, l := range []struct{ forked, versions string }{
		{"2026-02-27 18:27", "v2.5.0-rc.0 2026-03-02 21:36, v2.5.0 2026-03-19 00:47, v2.5.1 2026-06-14 16:43, v2.5.2 2026-07-31 01:06"},
		{"2025-11-10 08:15", "v2.4.0-rc.0 2025-11-10 11:56, v2.4.0-rc.1 2025-11-15 04:37, v2.4.0 2025-11-17 03:13"},
		{"2025-07-21 08:01", "v2.3.0-rc.0 2025-07-21 09:28, v2.3.0 2025-07-22 05:48"},
		{"2025-05-28 15:46", "v2.2.0-rc.0 2025-05-29 02:36, v2.2.0-rc.1 2025-05-29 06:07, v2.2.0 2025-05-29 07:21, v2.2.1 2025-06-27 00:17"},
		{"2024-10-24 08:27", "v2.1.0-rc.0 2024-10-24 09:05, v2.1.0 2024-12-11 05:53, v2.1.1 2025-03-25 12:08"},
		{"2024-07-03 07:35", "v2.0.0-rc.0 2024-08-09 05:17, v2.0.0 2024-09-23 03:12, v2.0.1 2024-09-26 02:30, v2.0.2 2024-10-11 01:57"},
	} {
		name := l.versions[1:4]
		line := catalog.Line{Name: name, Branch: "release-" + name, Forked: when(l.forked), Supported: len(c.Lines) < 2}
		for s := range strings.SplitSeq(l.versions, ", ") {
			v, t, _ := strings.Cut(s, " ")
			m := published(name, v, when(t))
			switch m.Kind {
			case catalog.Patch:
				for _, days := range []int{9, 10, 30} {
					m.Picks = append(m.Picks, catalog.Pick{Made: m.Time.AddDate(0, 0, -days)})
				}
				fallthrough
			case catalog.Final:
				line.Newest = m.Version
			}
			if v == "v2.5.1" {
				m = marked(m, journal.Withdrawn)
			}
			c.Versions = append(c.Versions, m)
		}
		c.Lines = append(c.Lines, line)
	}
	return c
}

// when reads a time of UTC.
func when(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

// long has lines with versions each, by chance but always the same; it lives for the years.
func long(lines, versions int, years float64, chance uint64) catalog.Catalog {
	r := rand.New(rand.NewPCG(chance, 1))
	c := catalog.Catalog{Development: "master"}
	start := time.Date(2024, 3, 4, 9, 0, 0, 0, time.UTC)
	whole := time.Duration(years * float64(365*24*time.Hour))
	for i := range lines {
		name := fmt.Sprintf("2.%d", i)
		forked := start.Add(time.Duration(float64(whole) * float64(i) / float64(lines)))
		l := catalog.Line{Name: name, Branch: "release-" + name, Forked: forked, Supported: i >= lines-2}
		t := forked
		for k := range versions {
			t = t.Add(time.Duration(float64(whole) / float64(lines) / float64(versions) * 2 * (0.2 + 1.6*r.Float64())))
			candidates := 2
			v := fmt.Sprintf("v2.%d.%d", i, max(0, k-candidates))
			if k < candidates {
				v += fmt.Sprintf("-rc.%d", k)
			}
			var picks []time.Time
			if k > candidates {
				for range r.IntN(5) {
					picks = append(picks, t.Add(-time.Duration(r.Float64()*float64(20*24*time.Hour))))
				}
			}
			m := published(name, v, t, picks...)
			if k > candidates && r.IntN(9) == 0 {
				m = marked(m, journal.Withdrawn)
			} else if k >= candidates {
				l.Newest = m.Version
			}
			c.Versions = append([]catalog.Version{m}, c.Versions...)
		}
		c.Lines = append([]catalog.Line{l}, c.Lines...)
	}
	return c
}

// samples are catalogs of every kind.
func samples() map[string]catalog.Catalog {
	instant := hours()
	for i := range instant.Versions {
		instant.Versions[i].Time = at(5, 3, 14, 3, 22)
		instant.Versions[i].Picks = nil
	}
	for i := range instant.Lines {
		instant.Lines[i].Forked = at(5, 3, 14, 3, 22)
	}
	burst := long(1, 20, 1, 5)
	for i := range burst.Versions {
		burst.Versions[i].Time = at(5, 3, 14, 3, 22)
	}
	apart := hours() // its history is older than its releases
	apart.Lines[1].Forked = at(1, 12, 8, 0, 0)
	apart.Lines[0].Forked = at(4, 2, 8, 0, 0)
	for i := range apart.Versions {
		apart.Versions[i].Time = at(5, 3, 14, 0, 0).Add(-time.Duration(i) * 20 * time.Second)
		for k := range apart.Versions[i].Picks {
			apart.Versions[i].Picks[k].Made = at(4, 20, 9, k, 0)
		}
	}
	odd := catalog.Catalog{
		Development: "trunk/\u202e<b>&\"very-long-name",
		Lines: []catalog.Line{
			{Name: "2", Supported: true, Newest: version.MustParse("v2.0.0")},
			{Name: "1", Branch: "v1-\x1b[31m<script>", Supported: true, Newest: version.MustParse("v1.6.0"), Forked: at(2, 20, 0, 0, 0)},
			{Name: "0", Branch: "v0"},
		},
		Versions: []catalog.Version{
			published("2", "v2.0.0", at(5, 1, 0, 0, 0)),
			published("1", "v1.5.3", at(4, 20, 0, 0, 0)),
			published("1", "v1.6.0", at(4, 1, 0, 0, 0)),
			published("1", "v1.6.0-rc.0", at(3, 20, 0, 0, 0)),
			published("1", "v1.5.0", at(2, 1, 0, 0, 0)),
			published("1", "v1.5.1", at(3, 1, 0, 0, 0), time.Time{}),
			published("1", "v1.4.0", time.Time{}),
			published("lost", "v0.9.0", at(2, 5, 0, 0, 0)),
		},
	}
	fresh := catalog.Catalog{
		Development: "main",
		Lines:       []catalog.Line{{Name: "1.1", Forked: at(6, 1, 0, 0, 0), Supported: true}, {Name: "1.0", Supported: true, Newest: version.MustParse("v1.0.0")}},
		Versions:    []catalog.Version{published("1.0", "v1.0.0", at(5, 1, 0, 0, 0))},
	}
	return map[string]catalog.Catalog{
		"short":   hours(),
		"spark":   spark(),
		"years":   long(6, 6, 2, 2),
		"big":     long(10, 20, 5, 3),
		"full":    long(2, 60, 1, 4),
		"empty":   {Development: "main"},
		"one":     {Development: "main", Lines: []catalog.Line{{Name: "1.0", Supported: true, Newest: version.MustParse("v1.0.0")}}, Versions: []catalog.Version{published("1.0", "v1.0.0", at(5, 3, 14, 3, 22))}},
		"instant": instant,
		"burst":   burst,
		"apart":   apart,
		"odd":     odd,
		"fresh":   fresh,
	}
}
