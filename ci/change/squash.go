package change

import (
	"regexp"
	"strings"
)

var (
	bullet   = regexp.MustCompile(`^[*-] +(\S.*?)\s*$`)
	itemLine = regexp.MustCompile(`(?m)^\* (.+\(#[0-9]+\))\s*$`)
	several  = regexp.MustCompile(`(?i)\bcherry.?pick|\bbackport|^release\b`)
)

// item is one of the picks that were squashed into a commit.
type item struct {
	title, text string
	message     Message
}

// sections parts the body of a squash into its own text and the commits that it lists, each with its text. A line of a
// list counts as a commit where it has a type, or marks a break or a revert.
func sections(body string) (own string, commits []Change) {
	var text strings.Builder
	end := func() {
		if len(commits) == 0 {
			own = text.String()
		} else {
			last := &commits[len(commits)-1]
			last.Message.readText(last.Title, text.String(), "")
		}
		text.Reset()
	}
	for line := range strings.Lines(body) {
		if found := bullet.FindStringSubmatch(line); found != nil {
			if m := readSubject(found[1]); m.typed && !breakingFooter.MatchString(line) {
				end()
				commits = append(commits, Change{Title: found[1], Message: m})
				continue
			}
		}
		text.WriteString(line)
	}
	end()
	return own, commits
}

// readItems takes apart what is several picks in one commit: a list of subjects with their pull requests, as a squash
// leaves it, in a message that says several origins, or says in its subject that it picks. The list that the squash of
// one pull request leaves is one change.
func readItems(m Message, subject, body string) []item {
	places := itemLine.FindAllStringSubmatchIndex(body, -1)
	if len(places) == 0 || len(m.PickOf) == 1 || len(m.Origins) < 2 && !several.MatchString(subject) {
		return nil
	}
	if len(m.Origins) > 1 {
		places = firstOfEach(places, originLine.FindAllStringIndex(body, -1))
	}
	var all []item
	for i, at := range places {
		end := len(body)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		one := item{title: body[at[2]:at[3]], text: body[at[1]:end]}
		one.message = readSubject(one.title)
		one.message.readPick(one.text, "")
		one.message.readText(one.title, one.text, "")
		all = append(all, one)
	}
	return all
}

// firstOfEach are the subjects that origins end. What a squashed commit lists below its subject is no item.
func firstOfEach(places, origins [][]int) [][]int {
	var first [][]int
	begin := 0
	for _, origin := range origins {
		for _, at := range places {
			if at[0] >= begin && at[0] < origin[0] {
				first = append(first, at)
				break
			}
		}
		begin = origin[1]
	}
	return first
}
