package suite

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/schemas"
)

// Fairness changes who is written about, or who writes, and nothing else, and compares what the heads and the scores do
// (assessment design, section 10; security.md G18).
func Fairness(ctx context.Context, env Env) (Outcome, error) {
	e := env.prepared()
	var out Outcome
	for _, part := range []func(context.Context, Env, *Outcome) error{swapped, phrases, mentioned, byScene, nativeChinese, byPerson} {
		if err := part(ctx, e, &out); err != nil {
			return Outcome{}, fmt.Errorf("fairness: %w", err)
		}
	}
	return out, nil
}

// hostility is the calibrated probability that a text is hostile at all.
func hostility(ctx context.Context, e Env, lang string, texts []string) ([]float64, error) {
	in := make([]assessment.ClassifierInput, len(texts))
	for i, t := range texts {
		in[i] = assessment.ClassifierInput{Text: t, Lang: lang}
	}
	scores, err := classify(ctx, e.Classifier, in)
	if err != nil {
		return nil, err
	}
	none := slices.Index(e.Classifier.Info().Labels[assessment.HeadHostility], "none")
	if none < 0 {
		return nil, fmt.Errorf("%w: the model has no head %s", assessment.ErrClassifier, assessment.HeadHostility)
	}
	out := make([]float64, len(texts))
	for i := range scores {
		out[i] = 1 - scores[i][assessment.HeadHostility][none]
	}
	return out, nil
}

// swapped compares each sentence with the mean over the members of its kind.
func swapped(ctx context.Context, e Env, out *Outcome) error {
	table := Table{Title: "Identity swap: change of P(hostile)", Columns: []string{"language", "kind", "sentences", "mean change", "largest change", "largest P"}}
	gaps := map[string][]float64{}
	for _, k := range kinds() {
		var texts []string
		for _, frame := range k.frames {
			for _, m := range k.members {
				texts = append(texts, k.sentence(frame, m))
			}
		}
		p, err := hostility(ctx, e, k.lang, texts)
		if err != nil {
			return err
		}
		var each []float64
		for one := range slices.Chunk(p, len(k.members)) {
			middle := metric.Mean(one)
			for _, v := range one {
				each = append(each, math.Abs(v-middle))
			}
		}
		gaps[k.lang] = append(gaps[k.lang], each...)
		table.Rows = append(table.Rows, []string{k.lang, k.name, strconv.Itoa(len(texts)), number(metric.Mean(each)), number(slices.Max(each)), number(slices.Max(p))})
	}
	for _, lang := range languages() {
		out.add(metric.Measure{
			Suite: metric.SuiteFairness, Head: assessment.HeadHostility, Lang: lang, Metric: "identity swap, mean change of P(hostile)", Rows: len(gaps[lang]),
			Value: metric.Mean(gaps[lang]), Gate: metric.Ceiling(0.02), Note: "from the mean over the members of a kind, sentence by sentence",
		})
	}
	out.Tables = append(out.Tables, table)
	return nil
}

// phrases counts harmless identity phrases that are flagged.
func phrases(ctx context.Context, e Env, out *Outcome) error {
	table := Table{Title: "Identity phrases that are flagged", Columns: []string{"language", "group", "phrases", "flagged"}}
	for _, lang := range languages() {
		rows, err := read(e, dataset.SetIdentity, dataset.Eval, func(m dataset.Message[struct{ Toxic int }]) bool {
			return m.Labels.Toxic == 0 && strings.HasPrefix(m.Lang, lang)
		})
		if err != nil {
			return err
		}
		rows = thin(rows, e.Sizes.Identity)
		texts := make([]string, len(rows))
		for i, r := range rows {
			texts[i] = r.Text
		}
		p, err := hostility(ctx, e, lang, texts)
		if err != nil {
			return err
		}
		out.flagged(lang, texts, p, &table)
	}
	out.Tables = append(out.Tables, table)
	return nil
}

// flagged adds the share of flagged phrases and the gap between groups.
func (o *Outcome) flagged(lang string, texts []string, p []float64, table *Table) {
	const fewest, groups = 20, 5 // phrases of a group; groups that a comparison needs
	hits, by, n := 0, map[string]int{}, map[string]int{}
	for i, text := range texts {
		hit := 0
		if p[i] >= 0.5 {
			hit = 1
		}
		hits += hit
		for _, g := range named(lang, text) {
			by[g] += hit
			n[g]++
		}
	}
	low, high, compared := 1.0, 0.0, 0
	for _, g := range slices.Sorted(maps.Keys(n)) {
		if n[g] < fewest {
			continue
		}
		share := float64(by[g]) / float64(n[g])
		low, high, compared = min(low, share), max(high, share), compared+1
		table.Rows = append(table.Rows, []string{lang, g, strconv.Itoa(n[g]), number(share)})
	}
	m := metric.Measure{Suite: metric.SuiteFairness, Head: assessment.HeadHostility, Set: dataset.SetIdentity, Lang: lang, Rows: len(texts)}
	m.Metric, m.Value, m.Gate = "share of harmless identity phrases flagged", float64(hits)/float64(max(len(texts), 1)), metric.Ceiling(0.02)
	o.add(m)
	m.Metric, m.Value, m.Gate = "largest gap between groups", max(high-low, 0), metric.Ceiling(0.05)
	m.Note = fmt.Sprintf("%d groups with %d phrases or more", compared, fewest)
	if compared < groups {
		o.missing(m, m.Note+": too few to compare")
		return
	}
	o.add(m)
}

// mention is a harmless sentence that tells who writes, appended to some of a person's own answers.
func mention(lang, member string) string {
	if lang == "en" {
		return " By the way, I am " + member + "."
	}
	return "对了，我是" + member + "。"
}

// writers are the identities that a person mentions.
func writers(lang string) []string {
	if lang == "en" {
		return []string{"Chinese", "Nigerian", "Muslim", "Christian", "gay", "female", "deaf", "old"}
	}
	return []string{"河南人", "上海人", "穆斯林", "基督徒", "同性恋", "女生", "聋人", "老人"}
}

// mentioned scores the same people with another word for who they are in every third answer.
func mentioned(ctx context.Context, e Env, out *Outcome) error {
	answers, err := pools(e)
	if err != nil {
		return err
	}
	table := Table{Title: "Person scores by the identity that the person mentions", Columns: []string{"language", "identity", "people", "mean score", "mean shift", "share above developing", "share above proficient"}}
	for _, lang := range languages() {
		people := drawPeople(e, answers, lang)
		words := writers(lang)
		scores := make([][]float64, len(words)) // [identity][person], 0 to 100
		for w, word := range words {
			scores[w] = make([]float64, len(people))
			faults := make([]error, len(people))
			parallel(len(people), func(i int) { scores[w][i], faults[i] = personScore(ctx, e, people[i], mention(lang, word)) })
			for _, err := range faults {
				if err != nil {
					return err
				}
			}
		}
		out.groups(lang, words, scores, &table)
	}
	out.Tables = append(out.Tables, table)
	out.note("Person scores under identity swap: people of 18 annotated replies each; every third reply ends with a sentence that names the writer's group. Shifts are from the mean of the same person over all groups; scores are means over dimensions of %s.", withoutMinimum)
	return nil
}

// drawPeople gives each person annotated replies of every set, in assessment scenes, so that the situation is the same.
func drawPeople(e Env, answers []answer, lang string) [][]answer {
	var mine []answer
	for _, a := range answers {
		if a.lang == lang && a.gate != "" {
			mine = append(mine, a)
		}
	}
	const each = 18
	rng := e.random("identity " + lang)
	out := make([][]answer, max(4, e.Sizes.People/8))
	for i := range out {
		for range each {
			out[i] = append(out[i], mine[rng.IntN(len(mine))])
		}
	}
	return out
}

// personScore is the mean posterior over the dimensions that the replies give evidence of, in points.
func personScore(ctx context.Context, e Env, replies []answer, extra string) (float64, error) {
	var t transcript
	for i, a := range replies {
		if i%3 == 0 {
			a.text += extra
		}
		t.talk(place{day: i, conversation: strconv.Itoa(i), counterpart: "other"}, a)
	}
	r, err := t.assess(ctx, e)
	if err != nil {
		return 0, err
	}
	var all []float64
	for _, d := range schemas.Dimensions() {
		if p := posterior(e.Classifier.Info(), d, r.Items, e.Seed); p.Answers > 0 {
			all = append(all, 100*p.Mean)
		}
	}
	return metric.Mean(all), nil
}

// groups compares the groups of one language.
func (o *Outcome) groups(lang string, words []string, scores [][]float64, table *Table) {
	people := len(scores[0])
	var shifts []float64
	above := map[float64][]float64{}
	everyone := slices.Concat(scores...)
	for w, word := range words {
		var shift []float64
		for i := range people {
			middle := 0.0
			for _, s := range scores {
				middle += s[i] / float64(len(scores))
			}
			shift = append(shift, scores[w][i]-middle)
		}
		shifts = append(shifts, metric.Mean(shift))
		row := []string{lang, word, strconv.Itoa(people), number(metric.Mean(scores[w])), number(metric.Mean(shift))}
		for _, cut := range []float64{40, 60} {
			n := 0
			for _, s := range scores[w] {
				if s >= cut {
					n++
				}
			}
			above[cut] = append(above[cut], float64(n)/float64(people))
			row = append(row, number(float64(n)/float64(people)))
		}
		table.Rows = append(table.Rows, row)
	}
	largest := max(slices.Max(shifts), -slices.Min(shifts))
	m := metric.Measure{Suite: metric.SuiteFairness, Lang: lang, Rows: people * len(words)}
	m.Metric, m.Value, m.Gate = "largest mean shift of person scores by group, points", largest, metric.Ceiling(1)
	o.add(m)
	m.Metric, m.Value, m.Gate = "largest mean shift by group, standard deviations of people", largest/max(metric.Deviation(everyone), 1e-9), metric.Ceiling(0.1)
	o.add(m)
	const enough = 0.2 // of a group above a cut: below it a ratio is that of one or two people
	ratio, cuts := 1.0, 0
	for _, shares := range above {
		if high := slices.Max(shares); high >= enough {
			ratio, cuts = min(ratio, slices.Min(shares)/high), cuts+1
		}
	}
	m.Metric, m.Value, m.Gate = "smallest selection ratio at a cut", ratio, metric.Floor(0.8)
	m.Note = "cuts at 40 and 60 points that a fifth of a group reaches; nobody of these short logs reaches advanced"
	if cuts == 0 {
		o.missing(m, "hardly anybody of these short logs reaches a cut")
		return
	}
	o.add(m)
}

// byScene scores one person in free chat of each kind: the kind is metadata and must not change outcomes.
func byScene(ctx context.Context, e Env, out *Outcome) error {
	answers, err := pools(e)
	if err != nil {
		return err
	}
	table := Table{Title: "Outcomes by language and scene kind", Columns: []string{"language", "scene", "answers with items", "mean outcome"}}
	for _, lang := range languages() {
		var mine []answer
		for _, a := range answers {
			if a.lang == lang {
				mine = append(mine, a.free())
			}
		}
		mine = thin(mine, e.Sizes.Rows)
		var first []float64
		gap, rows := 0.0, 0
		for _, scene := range []string{"social", "game", "event", "support", "market"} {
			var t transcript
			for i, a := range mine {
				t.talk(place{day: i, conversation: a.id, counterpart: "other", scene: scene}, a)
			}
			r, err := t.assess(ctx, e)
			if err != nil {
				return err
			}
			var y []float64
			for _, it := range r.Items {
				y = append(y, it.Outcome)
			}
			table.Rows = append(table.Rows, []string{lang, scene, strconv.Itoa(len(y)), number(metric.Mean(y))})
			if first == nil {
				first = y
			}
			rows += len(y)
			for i := range min(len(y), len(first)) {
				gap = max(gap, math.Abs(y[i]-first[i]))
			}
			if len(y) != len(first) {
				gap = 1
			}
		}
		out.add(metric.Measure{
			Suite: metric.SuiteFairness, Lang: lang, Metric: "largest change of an outcome by scene kind", Rows: rows, Value: gap, Gate: metric.Ceiling(0),
			Note: "the kind of a scene is no feature",
		})
	}
	out.Tables = append(out.Tables, table)
	return nil
}

// nativeChinese sets statements that Chinese speakers wrote beside translated ones.
func nativeChinese(ctx context.Context, e Env, out *Outcome) error {
	table := Table{Title: "First-person statements of feeling in Chinese", Columns: []string{"origin", "rows", "mean P(self_naming)", "flagged as hostile"}}
	for _, origin := range []struct{ task, name string }{{"emotion", "translated"}, {"emotion_native", "native"}, {"emotion_codeswitch", "mixed with English"}} {
		var rows []dataset.Message[struct{}]
		for _, split := range []string{dataset.Test, dataset.Dev} {
			part, err := read(e, dataset.SetPersonas, split, func(m dataset.Message[struct{}]) bool { return m.Task == origin.task && m.Lang != "en" })
			if err != nil {
				return err
			}
			rows = append(rows, part...)
		}
		if len(rows) == 0 {
			continue
		}
		in := make([]assessment.ClassifierInput, len(rows))
		for i, r := range rows {
			in[i] = assessment.ClassifierInput{Text: r.Text, Lang: "zh"}
		}
		scores, err := classify(ctx, e.Classifier, in)
		if err != nil {
			return err
		}
		naming, hits := 0.0, 0
		for _, s := range scores {
			naming += s[assessment.HeadSelfNaming][0] / float64(len(scores))
			if s[assessment.HeadHostility][0] < 0.5 {
				hits++
			}
		}
		table.Rows = append(table.Rows, []string{origin.name, strconv.Itoa(len(rows)), number(naming), number(float64(hits) / float64(len(rows)))})
		out.add(metric.Measure{
			Suite: metric.SuiteFairness, Head: assessment.HeadSelfNaming, Set: dataset.SetPersonas, Lang: "zh", Metric: "mean P(self_naming), " + origin.name,
			Rows: len(rows), Value: naming,
		})
	}
	out.Tables = append(out.Tables, table)
	return nil
}
