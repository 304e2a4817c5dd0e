package suite

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/schemas"
)

// negotiator is what CaSiNo knows of a person beside the talk.
type negotiator struct {
	Gender  string `json:"gender"`
	AgeBand string `json:"age_band"`
	Outcome struct {
		Likeness string `json:"opponent_likeness"` // how much this person liked the other
	} `json:"outcome"`
}

// negotiation is a CaSiNo record. All of them have two speakers.
type negotiation struct {
	ID           string                `json:"id"`
	Participants map[string]negotiator `json:"participants"`
}

// Validity asks whether scores go with what people said of each other or of themselves, and whether the four dimensions are
// four (assessment design, section 10).
func Validity(ctx context.Context, env Env) (Outcome, error) {
	e := env.prepared()
	var out Outcome
	for _, part := range []func(context.Context, Env, *Outcome) error{liked, concerned, rated, apart} {
		if err := part(ctx, e, &out); err != nil {
			return Outcome{}, fmt.Errorf("validity: %w", err)
		}
	}
	return out, nil
}

// negotiators are the CaSiNo people whose talk is scored, with what is known of them and of their partner.
func negotiators(ctx context.Context, e Env) ([]speaker, map[string]map[string]negotiator, []dataset.Dialogue, error) {
	talks, err := dialogues(e, dataset.SetCasino, e.Sizes.Dialogues)
	if err != nil {
		return nil, nil, nil, err
	}
	known := map[string]map[string]negotiator{}
	for _, split := range []string{dataset.Test, dataset.Dev, dataset.Train} {
		for n, err := range dataset.Lines[negotiation](e.Folder, dataset.SetCasino, split) {
			if err != nil {
				return nil, nil, nil, err
			}
			known[n.ID] = n.Participants
		}
	}
	people, err := assessSpeakers(ctx, e, talks)
	return people, known, talks, err
}

// likeness is the five steps of CaSiNo's question, 1 to 5; 0 is no answer.
func likeness(word string) int {
	return 1 + slices.Index([]string{"Extremely dislike", "Slightly dislike", "Undecided", "Slightly like", "Extremely like"}, word)
}

// liked sets the social-skills score of a negotiator beside how much the partner liked the person.
func liked(ctx context.Context, e Env, out *Outcome) error {
	people, known, talks, err := negotiators(ctx, e)
	if err != nil {
		return err
	}
	small := smallTalk(talks)
	var score, share, by, byShare []float64
	for _, p := range people {
		for name, other := range known[p.dialogue] {
			l := likeness(other.Outcome.Likeness)
			if name == p.name || l == 0 {
				continue
			}
			if s, ok := p.score[schemas.DimensionSocialSkills]; ok {
				score, by = append(score, s), append(by, float64(l))
			}
			if s, ok := small[p.dialogue+"\x00"+p.name]; ok {
				share, byShare = append(share, s), append(byShare, float64(l))
			}
		}
	}
	m := metric.Measure{
		Suite: metric.SuiteValidity, Set: dataset.SetCasino, Lang: "en", Metric: "rho of social_skills with being liked", Rows: len(score),
		Value: metric.Spearman(score, by), Gate: metric.Floor(0.20), Note: withoutMinimum + "; talks of the train part too, whose likeness nothing was trained on",
	}
	if len(score) > 2 {
		interval := metric.Bootstrap(len(score), 400, e.Seed, func(at []int) float64 { return metric.Spearman(metric.Take(score, at), metric.Take(by, at)) })
		m.Interval = &interval
	}
	out.add(m)
	out.add(metric.Measure{
		Suite: metric.SuiteValidity, Set: dataset.SetCasino, Lang: "en", Metric: "rho of the annotated small-talk share with being liked", Rows: len(share),
		Value: metric.Spearman(share, byShare), Literature: "0.22 on all visible talks", Note: "reference: what a count of annotated small talk reaches",
	})
	return nil
}

// smallTalk is each person's share of annotated turns that are small talk.
func smallTalk(talks []dataset.Dialogue) map[string]float64 {
	all, small := map[string]float64{}, map[string]float64{}
	for _, d := range talks {
		for _, t := range d.Turns {
			if len(t.Strategies) == 0 {
				continue
			}
			who := d.ID + "\x00" + t.Speaker
			all[who]++
			if slices.Contains(t.Strategies, "small-talk") {
				small[who]++
			}
		}
	}
	out := map[string]float64{}
	for who, n := range all {
		out[who] = small[who] / n
	}
	return out
}

// reaction is a message of Empathic Reactions with its writer's own rating.
type reaction struct {
	Concern float64 `json:"empathic_concern"`
}

// concerned compares a writer's mean predicted concern with the mean of the writer's own ratings.
func concerned(ctx context.Context, e Env, out *Outcome) error {
	m := metric.Measure{
		Suite: metric.SuiteValidity, Head: dataset.HeadEmpathic, Set: dataset.SetReactions, Lang: "en", Metric: "r of person means with self-reported concern",
		Gate: metric.Floor(0.45),
	}
	place := slices.Index(e.Classifier.Info().Labels[dataset.HeadEmpathic], "concern")
	if place < 0 {
		out.missing(m, "the model has no such head")
		return nil
	}
	rows, err := read[dataset.Message[reaction]](e, dataset.SetReactions, dataset.Test, nil)
	if err != nil {
		return err
	}
	in := make([]assessment.ClassifierInput, len(rows))
	for i, r := range rows {
		in[i] = assessment.ClassifierInput{Text: r.Text, Lang: "en"}
	}
	scores, err := classify(ctx, e.Classifier, in)
	if err != nil {
		return err
	}
	got, want := map[string][]float64{}, map[string][]float64{}
	for i, r := range rows {
		got[r.User] = append(got[r.User], scores[i][dataset.HeadEmpathic][place])
		want[r.User] = append(want[r.User], r.Labels.Concern)
	}
	var a, b []float64
	for _, user := range slices.Sorted(maps.Keys(got)) {
		a, b = append(a, metric.Mean(got[user])), append(b, metric.Mean(want[user]))
	}
	m.Rows, m.Value = len(a), metric.Pearson(a, b)
	out.add(m)
	return nil
}

// rated sets a person's social-skills score in a Topical-Chat talk beside the partner's ratings of the messages.
func rated(ctx context.Context, e Env, out *Outcome) error {
	talks, err := dialogues(e, dataset.SetTopical, e.Sizes.Chats)
	if err != nil {
		return err
	}
	people, err := assessSpeakers(ctx, e, talks)
	if err != nil {
		return err
	}
	ratings := map[string][]float64{}
	for _, d := range talks {
		for _, t := range d.Turns {
			if n := slices.Index([]string{"Poor", "Not Good", "Passable", "Good", "Excellent"}, t.PartnerRating); n >= 0 {
				ratings[d.ID+"\x00"+t.Speaker] = append(ratings[d.ID+"\x00"+t.Speaker], float64(n))
			}
		}
	}
	var score, by []float64
	for _, p := range people {
		r := ratings[p.dialogue+"\x00"+p.name]
		if s, ok := p.score[schemas.DimensionSocialSkills]; ok && len(r) > 0 {
			score, by = append(score, s), append(by, metric.Mean(r))
		}
	}
	out.add(metric.Measure{
		Suite: metric.SuiteValidity, Set: dataset.SetTopical, Lang: "en", Metric: "rho of social_skills with the partner's ratings", Rows: len(score),
		Value: metric.Spearman(score, by), Gate: metric.Floor(0), Note: withoutMinimum + "; only the direction is asked for",
	})
	return nil
}

// apart correlates the four dimensions over people of both languages.
func apart(ctx context.Context, e Env, out *Outcome) error {
	english, _, _, err := negotiators(ctx, e)
	if err != nil {
		return err
	}
	scenes, err := dialogues(e, dataset.SetCPED, e.Sizes.Series)
	if err != nil {
		return err
	}
	chinese, err := assessSpeakers(ctx, e, scenes)
	if err != nil {
		return err
	}
	const fewest = 20
	table := Table{Title: "Correlation of the dimensions over people", Columns: []string{"language", "dimensions", "people", "r"}}
	for _, group := range []struct {
		lang   string
		people []speaker
	}{{"en", english}, {"zh", chinese}} {
		worst, rows := math.NaN(), 0
		all := schemas.Dimensions()
		for i, a := range all {
			for _, b := range all[i+1:] {
				x, y := both(group.people, a, b)
				if len(x) < fewest {
					continue
				}
				r := metric.Pearson(x, y)
				table.Rows = append(table.Rows, []string{group.lang, string(a) + " and " + string(b), fmt.Sprint(len(x)), number(r)})
				if math.IsNaN(worst) || r > worst {
					worst, rows = r, len(x)
				}
			}
		}
		out.add(metric.Measure{
			Suite: metric.SuiteValidity, Lang: group.lang, Metric: "largest correlation of two dimensions", Rows: rows, Value: worst,
			Gate: metric.Ceiling(0.85), Note: withoutMinimum,
		})
	}
	out.Tables = append(out.Tables, table)
	return nil
}

// both are the scores of the people who have both dimensions.
func both(people []speaker, a, b schemas.Dimension) (x, y []float64) {
	for _, p := range people {
		u, first := p.score[a]
		v, second := p.score[b]
		if first && second {
			x, y = append(x, u), append(y, v)
		}
	}
	return x, y
}
