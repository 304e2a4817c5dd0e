package ui

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"heartmark/api/ui/words"
)

// progress is what a visitor has practised. It lives in a cookie of the visitor's browser and nowhere else: days (UTC), the
// scenarios that were answered, and the visitor's own aim.
type progress struct {
	goal int   // days a week; 0 stands for the first of goals
	days []int // days since 1970 with practice, in order
	done []string
}

const (
	progressCookie  = "heartmark_practice"
	progressVersion = "1"
	progressLife    = 182 * 24 * time.Hour
	maxDays         = 90
	maxDone         = 200
	maxProgress     = 3800 // bytes; browsers keep 4,096 a cookie
)

func goals() []int { return []int{1, 3, 5} }

func validGoal(n int) bool { return slices.Contains(goals(), n) }

// readProgress reads the cookie. What a visitor has changed in it is the visitor's own; what cannot be read counts for
// nothing.
func readProgress(r *http.Request) progress {
	c, err := r.Cookie(progressCookie)
	if err != nil || len(c.Value) > maxProgress {
		return progress{}
	}
	raw, err := base64.RawURLEncoding.DecodeString(c.Value)
	parts := strings.Split(string(raw), "|")
	if err != nil || len(parts) != 4 || parts[0] != progressVersion {
		return progress{}
	}
	var p progress
	if n, err := strconv.Atoi(parts[1]); err == nil && validGoal(n) {
		p.goal = n
	}
	for text := range strings.SplitSeq(parts[2], ",") {
		if day, err := strconv.Atoi(text); err == nil && day > 0 && len(p.days) < maxDays {
			p.days = append(p.days, day)
		}
	}
	for id := range strings.SplitSeq(parts[3], ",") {
		if id != "" && len(p.done) < maxDone {
			p.done = append(p.done, id)
		}
	}
	slices.Sort(p.days)
	p.days = slices.Compact(p.days)
	return p
}

// keepProgress sends the cookie; with nothing in it, it is taken away.
func (p *Pages) keepProgress(w http.ResponseWriter, done progress) {
	c := &http.Cookie{ //nolint:gosec // G124: Secure wherever the origin is https; in development it is http on loopback
		Name: progressCookie, Path: "/practice", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(p.c.Origin, "https:"), MaxAge: int(progressLife.Seconds()),
	}
	if c.Value = done.encode(); c.Value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

func (p progress) encode() string {
	if p.goal == 0 && len(p.days) == 0 && len(p.done) == 0 {
		return ""
	}
	for {
		days := make([]string, len(p.days))
		for i, d := range p.days {
			days[i] = strconv.Itoa(d)
		}
		text := strings.Join([]string{progressVersion, strconv.Itoa(p.goal), strings.Join(days, ","), strings.Join(p.done, ",")}, "|")
		if out := base64.RawURLEncoding.EncodeToString([]byte(text)); len(out) <= maxProgress || len(p.done) == 0 {
			return out
		}
		p.done = p.done[1:] // the one answered longest ago
	}
}

func (p progress) has(id string) bool { return slices.Contains(p.done, id) }

func dayOf(t time.Time) int { return int(t.UTC().Unix() / 86400) }

// add returns p with an answer of now.
func (p progress) add(id string, now time.Time) progress {
	p.days, p.done = slices.Clone(p.days), slices.Clone(p.done)
	if day := dayOf(now); !slices.Contains(p.days, day) {
		p.days = append(p.days, day)
	}
	p.days = p.days[max(0, len(p.days)-maxDays):]
	if !p.has(id) {
		p.done = append(p.done, id)
	}
	return p
}

// week numbers weeks from Monday; 1 January 1970 was a Thursday.
func week(day int) int { return (day + 3) / 7 }

// weeks counts the weeks in a row with practice, up to this one. One week off ends nothing, and neither does a week that has
// only begun: rest is part of learning, and a count that punishes it would teach something else.
func (p progress) weeks(today int) int {
	with := map[int]bool{}
	for _, d := range p.days {
		with[week(d)] = true
	}
	n, off := 0, 0
	for w := week(today); w >= 0 && off < 2; w-- {
		switch {
		case with[w]:
			n, off = n+1, 0
		case w != week(today):
			off++
		}
	}
	return n
}

type progressView struct {
	Days                                 []dayView
	ThisWeek, Encourage, Weeks, Answered string
	Goals                                []option
	Any                                  bool
}

type dayView struct {
	Name, Word string
	On         bool
}

func (p progress) view(w words.Words, now time.Time, all int) progressView {
	today, have := dayOf(now), 0
	goal := max(p.goal, goals()[0])
	v := progressView{Any: len(p.days) > 0}
	monday := week(today)*7 - 3
	for d := monday; d < monday+7; d++ {
		on := slices.Contains(p.days, d)
		word := w.Text("practice.day.off")
		if on {
			have++
			word = w.Text("practice.day.on")
		}
		v.Days = append(v.Days, dayView{Name: w.Weekday(time.Unix(int64(d)*86400, 0).UTC().Weekday()), Word: word, On: on})
	}
	v.ThisWeek = w.Fill("practice.week.days", "have", strconv.Itoa(have), "goal", strconv.Itoa(goal))
	switch {
	case have >= goal:
		v.Encourage = w.Text("practice.week.met")
	case v.Any:
		v.Encourage = w.Text("practice.week.open")
	default:
		v.Encourage = w.Text("practice.week.start")
	}
	switch n := p.weeks(today); n {
	case 0:
		v.Weeks = w.Text("practice.weeks.none")
	case 1:
		v.Weeks = w.Text("practice.weeks.one")
	default:
		v.Weeks = w.Fill("practice.weeks", "n", strconv.Itoa(n))
	}
	v.Answered = w.Fill("practice.answered", "n", strconv.Itoa(len(p.done)), "all", strconv.Itoa(all))
	for _, g := range goals() {
		v.Goals = append(v.Goals, option{strconv.Itoa(g), w.Text("practice.goal." + strconv.Itoa(g)), g == goal})
	}
	return v
}
