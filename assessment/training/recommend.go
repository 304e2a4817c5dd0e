package training

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"heartmark/schemas"
)

// Basis says what a recommendation rests on.
type Basis string

// The bases.
const (
	ByRules Basis = "rules" // gap over error, share and room
	ByMarks Basis = "marks" // the rules, weighted by what people here finished and found useful
)

// Bounds of learning.
const (
	// learnFrom is how many subjects of a tenant must have marked modules before marks weigh at all.
	learnFrom = 30
	// tellFrom is the smallest group whose marks are told (assessment design, section 12).
	tellFrom = 10
	// poolStrength is how many subjects' worth the pooled prior of a module weighs.
	poolStrength = 6.0
)

// maxRating is the highest rating; ratings begin at 1.
const maxRating = 5

// Mark is what a subject thinks of an exercise. It never touches a score.
type Mark struct {
	Exercise ExerciseID `json:"exercise"`
	Useful   bool       `json:"useful"`
	Rating   int        `json:"rating,omitempty"` // 1 to 5; 0: none given
	At       time.Time  `json:"at"`
}

// Validate names what is wrong, as a *schemas.FieldError.
func (m Mark) Validate(b *Bank) error {
	if _, ok := b.Exercise(m.Exercise); !ok {
		return &schemas.FieldError{Pointer: "/exercise", Expected: "the id of an exercise", Err: schemas.ErrMalformed}
	}
	if m.Rating < 0 || m.Rating > maxRating {
		return &schemas.FieldError{Pointer: "/rating", Expected: fmt.Sprintf("1 to %d", maxRating), Err: schemas.ErrMalformed}
	}
	return nil
}

// value is the mark as a number in [0, 1]: with a rating, the mean of both.
func (m Mark) value() float64 {
	v := 0.0
	if m.Useful {
		v = 1
	}
	if m.Rating == 0 {
		return v
	}
	return (v + float64(m.Rating-1)/(maxRating-1)) / 2
}

// Trace is what one subject did with one module. It is all that learning is fed with: no trait of the person is in it.
type Trace struct {
	Offered bool   `json:"offered"` // it was in a plan for a whole window, or was practised
	Done    bool   `json:"done"`    // at least one exercise was completed
	Marks   []Mark `json:"marks,omitempty"`
}

// WithMark returns the trace with m in place of an earlier mark of the same exercise.
func (t Trace) WithMark(m Mark) Trace {
	t.Marks = append(slices.DeleteFunc(slices.Clone(t.Marks), func(o Mark) bool { return o.Exercise == m.Exercise }), m)
	return t
}

// Tally counts the subjects of a tenant over one module. Each subject counts once, so Marks is also a number of people.
type Tally struct {
	Offered int     `json:"offered"`
	Done    int     `json:"done"`
	Marks   int     `json:"marks"`
	Useful  float64 `json:"useful"` // sum of the subjects' mean marks, each in [0, 1]
}

// Tally is the trace's part of a tally.
func (t Trace) Tally() Tally {
	var out Tally
	if t.Offered || t.Done {
		out.Offered = 1
	}
	if t.Done {
		out.Done = 1
	}
	if len(t.Marks) > 0 {
		out.Marks = 1
		for _, m := range t.Marks {
			out.Useful += m.value() / float64(len(t.Marks))
		}
	}
	return out
}

// Replace returns the tally with the part was exchanged for the part is. Sums that no subject stands behind become 0.
func (t Tally) Replace(was, is Tally) Tally {
	t.Offered += is.Offered - was.Offered
	t.Done += is.Done - was.Done
	t.Marks += is.Marks - was.Marks
	t.Useful = math.Max(0, t.Useful+is.Useful-was.Useful)
	if t.Marks == 0 {
		t.Useful = 0
	}
	return t
}

// Tallies are a tenant's tallies by module.
type Tallies map[ModuleID]Tally

func (ts Tallies) sum() Tally {
	var out Tally
	for _, t := range ts {
		out.Offered += t.Offered
		out.Done += t.Done
		out.Marks += t.Marks
		out.Useful += t.Useful
	}
	return out
}

// learnt reports whether there is enough to learn from.
func (ts Tallies) learnt() bool { return ts.sum().Marks >= learnFrom }

// Recommender orders modules by Thompson sampling (W. R. Thompson, Biometrika 25, 1933) over two Bernoulli rates a module:
// that it is practised when offered, and that it is found useful when marked. Their Beta priors are pooled: they lie at
// the tenant's own rate over all modules, worth six subjects. With fewer than 30 marks it leaves the order of the rules.
type Recommender struct {
	tallies Tallies
	random  *rand.Rand
	pooled  struct{ done, useful float64 }
}

// NewRecommender returns a Recommender over a tenant's tallies. It is not safe for concurrent use, as random is not.
func NewRecommender(tallies Tallies, random *rand.Rand) *Recommender {
	r := &Recommender{tallies: tallies, random: random}
	all := tallies.sum()
	r.pooled.done = (float64(all.Done) + 1) / (float64(all.Offered) + 2)
	r.pooled.useful = (all.Useful + 1) / (float64(all.Marks) + 2)
	return r
}

// Order sorts candidates by the priority of the rules times a draw of how well the module does relative to the pool, and
// says in each by what it was placed. With little data the order and the choices are those of the rules.
func (r *Recommender) Order(candidates []Choice) []Choice {
	out := slices.Clone(candidates)
	if !r.tallies.learnt() {
		return out
	}
	weight := map[ModuleID]float64{}
	for i := range out {
		out[i].By = ByMarks
		priority := 1.0
		if out[i].Figures != nil {
			priority = out[i].Figures.Priority
		}
		weight[out[i].Module] = priority * r.draw(out[i].Module)
	}
	slices.SortStableFunc(out, func(a, b Choice) int { return cmp.Compare(weight[b.Module], weight[a.Module]) })
	return out
}

// draw is one draw of the module's value over that of the pool.
func (r *Recommender) draw(m ModuleID) float64 {
	t := r.tallies[m]
	done := beta(r.random, poolStrength*r.pooled.done+float64(t.Done), poolStrength*(1-r.pooled.done)+float64(t.Offered-t.Done))
	useful := beta(r.random, poolStrength*r.pooled.useful+t.Useful, poolStrength*(1-r.pooled.useful)+float64(t.Marks)-t.Useful)
	return done * useful / (r.pooled.done * r.pooled.useful)
}

// Next is the exercise to do now, and why.
type Next struct {
	Card Card  `json:"card"`
	By   Basis `json:"by"`
	Why  Text  `json:"why"`
}

// Next picks from the cards that are due; false where none is. By the rules it is the one that is due longest; with enough
// marks the module of the best draw comes first.
func (r *Recommender) Next(due []Card) (Next, bool) {
	if len(due) == 0 {
		return Next{}, false
	}
	if !r.tallies.learnt() {
		return Next{Card: due[0], By: ByRules, Why: Text{
			"It has been due the longest. There are too few marks yet to learn from.", "它到期最久。目前的评价还太少，暂不据此调整。",
		}}, true
	}
	drawn := map[ModuleID]float64{}
	best := due[0]
	for _, c := range due {
		m := c.Exercise.Module()
		if _, ok := drawn[m]; !ok {
			drawn[m] = r.draw(m)
		}
		if drawn[m] > drawn[best.Exercise.Module()] {
			best = c
		}
	}
	return Next{Card: best, By: ByMarks, Why: r.why(best.Exercise.Module())}, true
}

// why tells what people made of the module, in a group large enough to tell of.
func (r *Recommender) why(m ModuleID) Text {
	t := r.tallies[m]
	if t.Marks < tellFrom {
		return Text{"It is due, and few people have marked this module yet; trying it shows how well it works.", "它已到期；对这个模块的评价还不多，试一试才知道效果。"}
	}
	return both(
		"It is due, and of %d people who marked this module %d %% found it useful.", "它已到期；评价过这个模块的 %d 人中，%d%% 认为有用。",
		func(string) []any { return []any{t.Marks, int(math.Round(100 * t.Useful / float64(t.Marks)))} })
}

// beta draws from Beta(a, b) as a ratio of two gamma draws.
func beta(random *rand.Rand, a, b float64) float64 {
	x, y := gamma(random, a), gamma(random, b)
	if x+y == 0 {
		return a / (a + b)
	}
	return x / (x + y)
}

// gamma draws from Gamma(shape, 1) by G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables" (2000);
// shapes under 1 are boosted as in section 6 there.
func gamma(random *rand.Rand, shape float64) float64 {
	if shape <= 0 {
		return 0
	}
	if shape < 1 {
		return gamma(random, shape+1) * math.Pow(random.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := random.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-random.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
