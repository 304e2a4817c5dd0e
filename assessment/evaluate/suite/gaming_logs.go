package suite

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"heartmark/assessment/evaluate/metric"
	"heartmark/schemas"
)

// logSize is the number of annotated replies of an honest log: 30 a dimension, enough for a score in the product. Small talk
// comes to it.
const (
	logSize  = 120
	talkSize = 24
	staged   = 40 // talks of colluding accounts
)

// entry is one talk of a log.
type entry struct {
	place
	answer
}

// padding is what a person adds to an honest log to look better.
type padding struct {
	name string
	gate *metric.Gate // on the points that it gains; nil: for information
	pad  func(rng *rand.Rand, script script, log []entry) []entry
}

func paddings() []padding {
	return []padding{
		{"60 % canned empathy in random places", metric.Ceiling(2), cannedEmpathy},
		{"60 % recombined canned empathy in random places", nil, recombinedEmpathy},
		{"self-praise", metric.Ceiling(nothingGained), func(rng *rand.Rand, s script, log []entry) []entry { return inTalks(rng, log, s.praise, logSize/3) }},
		{"lists of emotion words", metric.Ceiling(nothingGained), func(rng *rand.Rand, s script, log []entry) []entry { return inTalks(rng, log, s.lists, logSize/3) }},
		{"two colluding accounts", metric.Ceiling(3), colluding},
	}
}

// nothingGained allows for the rounding of scores and for a reply that falls out of the context of the next.
const nothingGained = 0.5

// cannedEmpathy makes six of ten own lines stock phrases of warmth, each anywhere in the talks.
func cannedEmpathy(rng *rand.Rand, s script, log []entry) []entry {
	stock := slices.Concat(s.parts[0], s.parts[1], s.parts[2])
	lines := make([]string, len(log)*3/2)
	for i := range lines {
		lines[i] = stock[rng.IntN(len(stock))]
	}
	return inTalks(rng, log, lines, len(lines))
}

// recombinedEmpathy is cannedEmpathy by somebody who knows of the check for copies: hardly two lines are near copies, and
// where a line happens to stand behind bad news it is an answer to it.
func recombinedEmpathy(rng *rand.Rand, s script, log []entry) []entry {
	lines := make([]string, len(log)*3/2)
	for i := range lines {
		lines[i] = s.warm(rng)
	}
	return inTalks(rng, log, lines, len(lines))
}

// inTalks puts count own lines at random places of talks in free chat, after the other has begun; in an assessment scene
// only the answer to the prompt counts.
func inTalks(rng *rand.Rand, log []entry, lines []string, count int) []entry {
	out := slices.Clone(log)
	var free []int
	for i := range out {
		out[i].before, out[i].after = slices.Clone(out[i].before), slices.Clone(out[i].after)
		if out[i].gate == "" && len(out[i].before) > 0 {
			free = append(free, i)
		}
	}
	if len(free) == 0 {
		return out
	}
	for i := range count {
		talk := &out[free[rng.IntN(len(free))]]
		own := line{self: true, text: lines[i%len(lines)]}
		if at := 1 + rng.IntN(len(talk.before)+1); at <= len(talk.before) {
			talk.before = slices.Insert(talk.before, at, own)
		} else {
			talk.after = append(talk.after, own)
		}
	}
	return out
}

// colluding stages talks between the person and one friend's account, with bad news of every kind and replies that are each
// put together anew.
func colluding(rng *rand.Rand, s script, log []entry) []entry {
	out := slices.Clone(log)
	for i := range staged {
		out = append(out, entry{
			place{day: i % 20, conversation: "staged" + strconv.Itoa(i), counterpart: "friend"},
			answer{lang: s.lang, before: []line{{text: s.news[i%len(s.news)]}}, text: s.replies[i%len(s.replies)] + s.space + s.warm(rng)},
		})
	}
	return out
}

// honest are people's logs of annotated replies, half of them in assessment scenes, and of small talk.
func honest(e Env, answers []answer, lang string) [][]entry {
	all := journal(e, answers, lang, 3*logSize/2)
	script := scriptOf(lang)
	out := make([][]entry, max(2, e.Sizes.People/100))
	for n := range out {
		rng := e.random("honest " + lang + strconv.Itoa(n))
		picked := slices.Clone(all)
		rng.Shuffle(len(picked), func(i, j int) { picked[i], picked[j] = picked[j], picked[i] })
		for i, a := range picked[:min(len(picked), logSize)] {
			out[n] = append(out[n], entry{place{day: i % 20, conversation: "talk" + strconv.Itoa(i), counterpart: "other" + strconv.Itoa(i%8)}, a})
		}
		for i := range talkSize {
			said := script.talk[i%len(script.talk)]
			out[n] = append(out[n], entry{
				place{day: i % 20, conversation: "room" + strconv.Itoa(i), counterpart: "other" + strconv.Itoa(i%8)},
				answer{lang: lang, before: []line{{text: said[0]}}, text: said[1]},
			})
		}
	}
	return out
}

// padded compares each person's scores with and without the padding, as the product reports them.
func padded(ctx context.Context, e Env, answers []answer, out *Outcome) error {
	table := Table{Title: "Gain from padding a log, points", Columns: []string{"padding", "language", "dimension", "people", "mean gain", "largest gain", "no longer scored"}}
	worst, largest, rows := map[string]float64{}, map[string]float64{}, map[string]int{}
	for _, lang := range languages() {
		logs := honest(e, answers, lang)
		before, err := scoresOfEntries(ctx, e, logs)
		if err != nil {
			return err
		}
		for _, p := range paddings() {
			changed := make([][]entry, len(logs))
			for i := range logs {
				changed[i] = p.pad(e.random("pad "+p.name+lang+strconv.Itoa(i)), scriptOf(lang), logs[i])
			}
			after, err := scoresOfEntries(ctx, e, changed)
			if err != nil {
				return err
			}
			gains := movesOf(before, after)
			for _, d := range dimensionsOf(allOf(before)) {
				lost := len(allOf(before)[d]) - len(gains[d])
				// A score that is withheld gains nothing.
				all := append(slices.Clone(gains[d]), make([]float64, lost)...)
				mean, top := metric.Mean(all), slices.Max(all)
				if rows[p.name] == 0 {
					worst[p.name], largest[p.name] = mean, top
				}
				worst[p.name], largest[p.name] = math.Max(worst[p.name], mean), math.Max(largest[p.name], top)
				rows[p.name] += len(all)
				table.Rows = append(table.Rows, []string{p.name, lang, string(d), strconv.Itoa(len(all)), number(mean), number(top), strconv.Itoa(lost)})
			}
		}
	}
	for _, p := range paddings() {
		m := metric.Measure{Suite: metric.SuiteGaming, Rows: rows[p.name]}
		m.Metric, m.Gate, m.Note = "gain from "+p.name+", points", p.gate, "mean over people, of the dimension and language that gains most"
		if m.Rows == 0 {
			out.missing(m, "the product scores no dimension of these people")
			continue
		}
		m.Value = worst[p.name]
		out.add(m)
		m.Metric, m.Value, m.Gate, m.Note = "largest gain of one person from "+p.name+", points", largest[p.name], nil, ""
		out.add(m)
	}
	out.Tables = append(out.Tables, table)
	return nil
}

// allOf are the scores of all people by dimension.
func allOf(people []map[schemas.Dimension]float64) map[schemas.Dimension][]float64 {
	out := map[schemas.Dimension][]float64{}
	for _, p := range people {
		for d, v := range p {
			out[d] = append(out[d], v)
		}
	}
	return out
}

// scoresOfEntries are the scores of the people with these logs, as the product reports them.
func scoresOfEntries(ctx context.Context, e Env, logs [][]entry) ([]map[schemas.Dimension]float64, error) {
	out := make([]map[schemas.Dimension]float64, len(logs))
	err := reports(ctx, e, len(logs), func(i int, t *transcript) {
		for _, x := range logs[i] {
			t.talk(x.place, x.answer)
		}
	}, out)
	return out, err
}

// reports fills in the scores of each of n people.
func reports(ctx context.Context, e Env, n int, write func(i int, t *transcript), into []map[schemas.Dimension]float64) error {
	faults := make([]error, n)
	parallel(n, func(i int) {
		var t transcript
		write(i, &t)
		r, err := t.assess(ctx, e)
		into[i], faults[i] = scoresOf(r), err
	})
	return errors.Join(faults...)
}
