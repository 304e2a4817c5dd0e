package suite

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/metric"
	"heartmark/schemas"
)

// The people of the design: skills, opportunities at which they are looked at, and the talks they come in.
const (
	perTalk        = 4 // opportunities a conversation
	counterparts   = 9
	spanDays       = 21
	conversationSD = 0.5 // of the skill in a conversation, in logits
	halfMinimum    = 10  // opportunities; the minimum is 20
	atScore        = 80
	atLevel        = 160
)

func skills() []float64 { return []float64{0.3, 0.5, 0.7, 0.85} }

// situations are the ways in which a dimension is called for, and the facets that each opens.
func situations(d schemas.Dimension) [][]string {
	switch d {
	case schemas.DimensionSelfAwareness:
		return [][]string{{"SA1"}}
	case schemas.DimensionSelfManagement:
		return [][]string{{"SM1", "SM2"}, {"SM3"}}
	case schemas.DimensionSocialAwareness:
		return [][]string{{"SO1", "SO2", "SO3"}}
	default:
		return [][]string{{"SK1", "SK4", "SK5"}, {"SK2", "SK4", "SK5"}, {"SK3", "SK5"}}
	}
}

// Simulated draws people of known skill, gives them opportunities out of the labelled pools with the product's outcomes
// for the real replies, and has the product put the items together.
func Simulated(ctx context.Context, env Env) (Outcome, error) {
	e := env.prepared()
	answers, err := pools(e)
	if err != nil {
		return Outcome{}, fmt.Errorf("simulated people: %w", err)
	}
	rows, err := score(ctx, e, answers)
	if err != nil {
		return Outcome{}, fmt.Errorf("simulated people: %w", err)
	}
	return simulate(ctx, e, rows)
}

// simulate is Simulated over answers that are already scored.
func simulate(ctx context.Context, e Env, rows []scored) (Outcome, error) {
	var out Outcome
	out.note("Each opportunity is an annotated reply of the test rows after its own context, scored by the product; whether it is a skilful or an unskilful one is drawn by the person's skill, which varies between conversations (sd 0.5 in logits).")
	out.note("Pools are halved by hash of the row's id: error rates come from one half, opportunities from the other. %d halvings, both directions, people spread evenly over them. Half of the conversations stand for assessment scenes.", splits)
	table := Table{Title: "Simulated people", Columns: []string{"language", "dimension", "skill", "opportunities", "scored", "bias", "coverage", "level right", "level too high", "width"}}
	done, total := 0, len(languages())*len(schemas.Dimensions())
	for _, lang := range languages() {
		b := newBank(rows, lang)
		out.Tables = append(out.Tables, b.table())
		for _, d := range schemas.Dimensions() {
			if err := ctx.Err(); err != nil {
				return Outcome{}, err
			}
			s := population{e: e, bank: b, dimension: d, info: e.Classifier.Info()}
			s.measure(&out, &table)
			done++
			e.step(metric.SuiteSimulated, done, total)
		}
	}
	out.Tables = append(out.Tables, table)
	return out, nil
}

// table lists what the pools hold.
func (b bank) table() Table {
	t := Table{Title: "Pools, " + b.lang, Columns: []string{"facet", "skilful rows", "unskilful rows", "s1", "s0", "used"}}
	for _, d := range schemas.Dimensions() {
		for _, f := range facetsOf(d) {
			if b.rows(f, true)+b.rows(f, false) == 0 {
				continue
			}
			var means [2]string
			for k, good := range []bool{true, false} {
				all := append(append([]assessment.Item{}, b.cells[cell{f, good, 0, 0}]...), b.cells[cell{f, good, 0, 1}]...)
				m, _ := meanOf(all)
				means[k] = number(m)
			}
			t.Rows = append(t.Rows, []string{
				f, strconv.Itoa(b.rows(f, true)), strconv.Itoa(b.rows(f, false)), means[0], means[1], strconv.FormatBool(b.drawable(f)),
			})
		}
	}
	return t
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) }

// population draws the people of one dimension in one language.
type population struct {
	e         Env
	bank      bank
	dimension schemas.Dimension
	info      assessment.ModelInfo
}

// open are the situations with the facets that can be drawn; civility alone is no situation.
func (s *population) open() [][]string {
	var out [][]string
	for _, situation := range situations(s.dimension) {
		var facets []string
		own := false
		for _, f := range situation {
			if s.bank.drawable(f) {
				facets = append(facets, f)
				own = own || f != civil && f != "SK4"
			}
		}
		if own {
			out = append(out, facets)
		}
	}
	return out
}

// person is the answers to n opportunities. All facets of the dimension have the same true rate: the skill.
func (s *population) person(rng *rand.Rand, open [][]string, skill float64, n, split, half int) iter.Seq[[]assessment.Item] {
	return func(yield func([]assessment.Item) bool) {
		p := 0.0
		for i := range n {
			talk := i / perTalk
			if i%perTalk == 0 {
				p = logistic(logit(skill) + conversationSD*rng.NormFloat64())
			}
			var items []assessment.Item
			for _, f := range open[i%len(open)] {
				it := s.bank.draw(rng, cell{f, rng.Float64() < p, split, half})
				it.Day = epoch().AddDate(0, 0, 9000+talk%spanDays).Format("2006-01-02")
				it.Conversation, it.Scene, it.Assessment = "talk"+strconv.Itoa(talk), "social", false
				it.Counterpart = "other" + strconv.Itoa(talk%counterparts)
				if talk%2 == 0 {
					it.Conversation, it.Scene, it.Assessment, it.Counterpart = "prompt"+strconv.Itoa(i), "assessment", true, ""
				}
				items = append(items, it)
			}
			if !yield(items) {
				return
			}
		}
	}
}

func logit(p float64) float64    { return math.Log(p / (1 - p)) }
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// report is the product's result for person number k.
func (s *population) report(open [][]string, skill float64, n, k int) assessment.DimensionReport {
	split, half := k%splits, k/splits%2
	rng := s.e.random(fmt.Sprintf("person %s %s %v %d %d", s.bank.lang, s.dimension, skill, n, k))
	r, _ := assessment.Aggregate(s.bank.rates(s.info, split, 1-half), s.dimension, s.person(rng, open, skill, n, split, half), uint64(k)+1)
	return r
}

// truth is the skill that a person shows on average over conversations.
func truth(skill float64) float64 {
	sum, weight := 0.0, 0.0
	for z := -5.0; z <= 5; z += 0.01 { // the density of the conversation effect
		w := math.Exp(-z * z / 2)
		sum += w * logistic(logit(skill)+conversationSD*z)
		weight += w
	}
	return sum / weight
}

// found is what the reports of one skill say.
type found struct{ scored, bias, coverage, right, high, width float64 }

// look draws people of one skill.
func (s *population) look(open [][]string, skill float64, n, people int) found {
	reports := make([]assessment.DimensionReport, people)
	parallel(people, func(k int) { reports[k] = s.report(open, skill, n, k) })
	var f found
	want := levelOf(skill)
	aim := 100 * truth(skill)
	for _, r := range reports {
		if r.Status != assessment.StatusScored {
			continue
		}
		f.scored++
		f.bias += (*r.Score - aim) / 100
		f.width += (r.Interval90[1] - r.Interval90[0]) / 100
		if r.Interval90[0] <= aim && aim <= r.Interval90[1] {
			f.coverage++
		}
		if r.Level == nil {
			continue
		}
		if got, err := schemas.ParseLevel(*r.Level); err == nil {
			if got == want {
				f.right++
			}
			if got > want {
				f.high++
			}
		}
	}
	f.bias, f.coverage, f.width = f.bias/f.scored, f.coverage/f.scored, f.width/f.scored
	f.right, f.high, f.scored = f.right/float64(people), f.high/float64(people), f.scored/float64(people)
	return f
}

// levelOf is the true level of a skill, by the cuts of the scale.
func levelOf(skill float64) schemas.Level {
	l := schemas.LevelEmerging
	for i, cut := range []float64{0.40, 0.60, 0.78} {
		if skill >= cut {
			l = schemas.Level(i + 2)
		}
	}
	return l
}

// parallel calls work for 0 … n-1 on all processors.
func parallel(n int, work func(i int)) {
	var wg sync.WaitGroup
	workers := max(1, min(n, runtime.GOMAXPROCS(0)))
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				work(i)
			}
		})
	}
	wg.Wait()
}

// measure adds the measures of the population.
func (s *population) measure(out *Outcome, table *Table) {
	m := func(name string, gate *metric.Gate, rows int, value float64) metric.Measure {
		return metric.Measure{Suite: metric.SuiteSimulated, Head: string(s.dimension), Lang: s.bank.lang, Metric: name, Rows: rows, Value: value, Gate: gate}
	}
	names := []metric.Measure{
		m("|bias| at 80, worst skill", metric.Ceiling(0.05), 0, 0), m("coverage at 80, worst skill", metric.Floor(0.88), 0, 0),
		m("level right at 160, mean", metric.Floor(0.85), 0, 0), m("level too high, worst skill", metric.Ceiling(0.02), 0, 0),
		m("abstain at half the minimum", metric.Floor(1), 0, 0), m("Spearman over people at 80", metric.Floor(0.85), 0, 0),
	}
	open := s.open()
	people := s.e.Sizes.People
	if len(open) == 0 || s.look(open, 0.5, atScore, 8).scored == 0 {
		for _, x := range names {
			out.missing(x, "the product never scores this dimension in this language on these rows: "+s.lacking())
		}
		return
	}
	bias, coverage, right, high, abstain := 0.0, 1.0, 0.0, 0.0, 1.0
	for _, skill := range skills() {
		for _, n := range []int{halfMinimum, atScore, atLevel} {
			f := s.look(open, skill, n, people)
			table.Rows = append(table.Rows, []string{
				s.bank.lang, string(s.dimension), number(skill), strconv.Itoa(n), number(f.scored), number(f.bias), number(f.coverage),
				number(f.right), number(f.high), number(f.width),
			})
			switch n {
			case halfMinimum:
				abstain = min(abstain, 1-f.scored)
				continue
			case atScore:
				bias, coverage = max(bias, math.Abs(f.bias)), min(coverage, f.coverage)
			case atLevel:
				right += f.right / float64(len(skills()))
			}
			high = max(high, f.high)
		}
	}
	for i, v := range []float64{bias, coverage, right, high, abstain, s.rank(open)} {
		names[i].Value, names[i].Rows = v, people*len(skills())
		if i == len(names)-1 {
			names[i].Rows = s.e.Sizes.Ranked
		}
		out.add(names[i])
	}
}

// lacking names the facets that cannot be drawn or reported.
func (s *population) lacking() string {
	info := s.bank.rates(s.info, 0, 0)
	var why []string
	for _, f := range facetsOf(s.dimension) {
		switch v, ok := info.ErrorRates[f][s.bank.lang]; {
		case !ok:
			why = append(why, f+" has too few labelled rows")
		case v[0]-v[1] < 0.35:
			why = append(why, fmt.Sprintf("%s has s1 - s0 = %.2f, under 0.35", f, v[0]-v[1]))
		}
	}
	return strings.Join(why, "; ")
}

// rank compares the order of people with that of their scores.
func (s *population) rank(open [][]string) float64 {
	n := s.e.Sizes.Ranked
	rng := s.e.random("ranked " + s.bank.lang + string(s.dimension))
	skill, got := make([]float64, n), make([]float64, n)
	for i := range skill {
		skill[i] = 0.15 + 0.75*rng.Float64()
	}
	parallel(n, func(i int) {
		r := s.report(open, skill[i], atScore, i)
		got[i] = math.NaN()
		if r.Score != nil {
			got[i] = *r.Score
		}
	})
	var a, b []float64
	for i := range got {
		if !math.IsNaN(got[i]) {
			a, b = append(a, skill[i]), append(b, got[i])
		}
	}
	return metric.Spearman(a, b)
}
