package suite

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/text"
)

// Env is what every suite needs.
type Env struct {
	Classifier assessment.Classifier
	Folder     *dataset.Folder
	// Language names the language of a text; nil takes text.Language.
	Language func(string) (string, float64)
	Now      func() time.Time // for timings only; required by Speed
	StartUp  time.Duration    // how long the classifier took to open; 0: not timed
	Seed     uint64           // 0 reads 1
	// Progress, when set, hears how many of how many steps of a suite are done.
	Progress func(suite string, done, total int)
	Sizes    Sizes
}

// Sizes bound the work of the suites. Zero fields take the defaults, with which all suites together take about 30,000
// classifications.
type Sizes struct {
	Pool      int // labelled answers a set, 400
	People    int // simulated people a skill, dimension and language, 200
	Ranked    int // simulated people that are ranked, 200
	Rows      int // texts a language that are perturbed, 150
	Identity  int // harmless identity phrases a language, 1,500
	Dialogues int // CaSiNo talks, 220
	Chats     int // Topical-Chat talks, 60
	Series    int // CPED scenes for the correlation of the dimensions, 100
	Equal     int // texts for the equivalence, 300
	Timed     int // messages of the speed run, 1,500
	Events    int // scored events of the aggregation run, 1,000,000
}

func (s Sizes) withDefaults() Sizes {
	return Sizes{
		Pool: cmp.Or(s.Pool, 400), People: cmp.Or(s.People, 200), Ranked: cmp.Or(s.Ranked, 200), Rows: cmp.Or(s.Rows, 150),
		Identity: cmp.Or(s.Identity, 1500), Dialogues: cmp.Or(s.Dialogues, 220), Chats: cmp.Or(s.Chats, 60), Series: cmp.Or(s.Series, 100),
		Equal: cmp.Or(s.Equal, 300), Timed: cmp.Or(s.Timed, 1500), Events: cmp.Or(s.Events, 1_000_000),
	}
}

// Outcome is what one suite found.
type Outcome struct {
	Measures []metric.Measure `json:"measures"`
	Tables   []Table          `json:"tables"`
	Notes    []string         `json:"notes"` // how the numbers were made, and their limits
}

// Table is detail beside the measures, as text.
type Table struct {
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
}

func (o *Outcome) add(m metric.Measure) { o.Measures = append(o.Measures, m.Checked()) }

// missing notes a measure that could not be made.
func (o *Outcome) missing(m metric.Measure, why string) {
	m.Missing, m.Note = true, why
	o.Measures = append(o.Measures, m)
}

func (o *Outcome) note(format string, args ...any) {
	o.Notes = append(o.Notes, fmt.Sprintf(format, args...))
}

// languages are those the product scores.
func languages() []string { return []string{text.English, text.Chinese} }

// prepared fills the defaults in and puts a memory over the classifier.
func (e Env) prepared() Env {
	e.Sizes = e.Sizes.withDefaults()
	e.Seed = cmp.Or(e.Seed, 1)
	if e.Language == nil {
		e.Language = text.Language
	}
	e.Classifier = Remember(e.Classifier)
	return e
}

func (e Env) step(suite string, done, total int) {
	if e.Progress != nil {
		e.Progress(suite, done, total)
	}
}

// random is a generator of its own for each purpose.
func (e Env) random(purpose string) *rand.Rand { return rand.New(rand.NewPCG(e.Seed, hashOf(purpose))) }

// hashOf is FNV-1a: the same on every run and machine.
func hashOf(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

// thin takes at most limit elements, spread evenly over all.
func thin[T any](all []T, limit int) []T {
	if limit <= 0 || len(all) <= limit {
		return all
	}
	out := make([]T, 0, limit)
	for i := range limit {
		out = append(out, all[i*len(all)/limit])
	}
	return out
}

// classify asks for all inputs in pieces that the runtime can hold.
func classify(ctx context.Context, c assessment.Classifier, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	const piece = 256
	out := make([]assessment.Scores, 0, len(in))
	for len(in) > 0 {
		n := min(piece, len(in))
		scores, err := c.Classify(ctx, in[:n])
		if err != nil {
			return nil, err
		}
		if len(scores) != n {
			return nil, fmt.Errorf("%w: %d answers to %d messages", assessment.ErrClassifier, len(scores), n)
		}
		out, in = append(out, scores...), in[n:]
	}
	return out, nil
}
