package training_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"heartmark/assessment/training"
	"heartmark/schemas"
)

func choice(m training.ModuleID, priority float64) training.Choice {
	return training.Choice{Module: m, By: training.ByRules, Figures: &training.Figures{Priority: priority}}
}

// trace makes the trace of one subject.
func trace(done, marked, useful bool) training.Trace {
	t := training.Trace{Offered: true, Done: done}
	if marked {
		t = t.WithMark(training.Mark{Exercise: "x-1", Useful: useful})
	}
	return t
}

func add(ts training.Tallies, m training.ModuleID, t training.Trace) {
	ts[m] = ts[m].Replace(training.Tally{}, t.Tally())
}

func TestWithoutDataTheRulesHold(t *testing.T) {
	t.Parallel()
	b, random := load(t), rand.New(rand.NewPCG(3, 4))
	few := training.Tallies{}
	for range 29 { // one short of what marks need to weigh
		add(few, "so3-do-not-pass", trace(true, true, true))
	}
	for range 200 {
		p := b.Plan(randomReport(random))
		for name, tallies := range map[string]training.Tallies{"none": nil, "few": few} {
			r := training.NewRecommender(tallies, random)
			if got := r.Order(p.Modules); !reflect.DeepEqual(got, p.Modules) && len(got)+len(p.Modules) > 0 {
				t.Fatalf("%s marks: %+v, want the order of the rules %+v", name, got, p.Modules)
			}
			due := []training.Card{{Exercise: "so1-read-it-1"}, {Exercise: "sm1-pause-2"}}
			if next, ok := r.Next(due); !ok || next.Card != due[0] || next.By != training.ByRules || next.Why.ZH == "" {
				t.Fatalf("%s marks: next %+v", name, next)
			}
		}
	}
	if _, ok := training.NewRecommender(nil, random).Next(nil); ok {
		t.Error("a next exercise where none is due")
	}
}

// TestConverges simulates subjects who are offered one of two modules of equal priority, the first listed being the worse
// one, and answer by chance. In the end the better one is offered nearly always.
func TestConverges(t *testing.T) {
	t.Parallel()
	type truth struct{ done, useful float64 }
	cases := []struct {
		name          string
		worse, better truth
	}{
		{"more useful", truth{0.8, 0.35}, truth{0.8, 0.75}},
		{"more often practised", truth{0.3, 0.6}, truth{0.8, 0.6}},
	}
	for n, tc := range cases {
		random := rand.New(rand.NewPCG(uint64(n), 11))
		candidates := []training.Choice{choice("worse", 1), choice("better", 1)}
		tallies, late := training.Tallies{}, 0
		const subjects = 1500
		for s := range subjects {
			offered := training.NewRecommender(tallies, random).Order(candidates)[0].Module
			if s < 60 { // before learning begins the rules would try the first one only
				offered = candidates[s%2].Module
			}
			real := map[training.ModuleID]truth{"worse": tc.worse, "better": tc.better}[offered]
			done := random.Float64() < real.done
			add(tallies, offered, trace(done, done, random.Float64() < real.useful))
			if s >= subjects-500 && offered == "better" {
				late++
			}
		}
		if late < 450 {
			t.Errorf("%s: the better module was offered to %d of the last 500, want 450; %+v", tc.name, late, tallies)
		}
	}
}

// TestRulesOutweighMarks: a module that people like does not come before one with many times its gap.
func TestRulesOutweighMarks(t *testing.T) {
	t.Parallel()
	random, tallies := rand.New(rand.NewPCG(5, 6)), training.Tallies{}
	for n := range 400 {
		add(tallies, "liked", trace(true, true, n%10 > 0))
		add(tallies, "needed", trace(true, true, n%2 == 0))
	}
	r := training.NewRecommender(tallies, random)
	for range 100 {
		got := r.Order([]training.Choice{choice("needed", 3), choice("liked", 1)})
		if got[0].Module != "needed" || got[0].By != training.ByMarks {
			t.Fatalf("order %+v", got)
		}
	}
	next, ok := r.Next([]training.Card{{Exercise: "needed-1"}, {Exercise: "liked-1"}, {Exercise: "new-1"}})
	if !ok || next.By != training.ByMarks {
		t.Errorf("next %+v, %v", next, ok)
	}
	if words := next.Why.EN; !strings.Contains(words, "of 400 people") && !strings.Contains(words, "few people") {
		t.Errorf("why %q", words)
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(8, 9))
	var total training.Tally
	traces := make([]training.Trace, 20)
	for range 2000 { // whatever the order of changes, the tally is the sum of the traces
		i := random.IntN(len(traces))
		was := traces[i]
		switch random.IntN(3) {
		case 0:
			traces[i].Done = true
		case 1:
			traces[i] = was.WithMark(training.Mark{Exercise: training.ExerciseID([]string{"x-1", "x-2"}[random.IntN(2)]), Useful: random.IntN(2) == 0, Rating: random.IntN(6)})
		default:
			traces[i] = training.Trace{}
		}
		total = total.Replace(was.Tally(), traces[i].Tally())
	}
	var want training.Tally
	for _, tr := range traces {
		part := tr.Tally()
		want = want.Replace(training.Tally{}, part)
		if part.Useful > 1 || part.Marks > 1 {
			t.Errorf("one subject counts %+v", part)
		}
	}
	if diff := total.Useful - want.Useful; diff > 1e-9 || diff < -1e-9 || total.Marks != want.Marks || total.Done != want.Done || total.Offered != want.Offered {
		t.Errorf("tally %+v, want %+v", total, want)
	}
}

func TestMarkValidate(t *testing.T) {
	t.Parallel()
	b := load(t)
	for pointer, m := range map[string]training.Mark{
		"": {Exercise: "so1-read-it-1", Rating: 5}, "/exercise": {Exercise: "so1-read-it"}, "/rating": {Exercise: "so1-read-it-1", Rating: 6},
	} {
		err := m.Validate(b)
		field, ok := errors.AsType[*schemas.FieldError](err)
		if (pointer == "") != (err == nil) || ok && field.Pointer != pointer {
			t.Errorf("Validate(%+v) = %v, want %q", m, err, pointer)
		}
	}
}
