package training_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"heartmark/assessment/training"
	"heartmark/schemas"
)

func day(n int) time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, n) }

func TestSchedule(t *testing.T) {
	t.Parallel()
	const id = training.ExerciseID("so1-read-it-1")
	type done struct {
		day   int
		grade training.Grade
	}
	cases := []struct {
		name string
		done []done
		days int // interval
		due  int // day
		ease float64
	}{
		{"never", nil, 0, 0, 2.5},
		{"once", []done{{0, 4}}, 1, 1, 2.5},
		{"twice", []done{{0, 4}, {1, 4}}, 6, 7, 2.5},
		{"three times", []done{{0, 4}, {1, 4}, {7, 4}}, 15, 22, 2.5},
		{"with ease", []done{{0, 5}, {1, 5}, {7, 5}}, 17, 24, 2.8},
		{"failed", []done{{0, 4}, {1, 4}, {7, 1}}, 1, 8, 1.96},
		{"again after a failure", []done{{0, 4}, {1, 4}, {7, 1}, {8, 4}}, 1, 9, 1.96},
		{"failed from the start", []done{{0, 0}, {1, 0}, {2, 0}}, 1, 3, 1.3},
		{"too early", []done{{0, 4}, {0, 4}, {0, 5}}, 1, 1, 2.5},
		{"failed too early", []done{{0, 4}, {1, 4}, {2, 0}}, 1, 3, 1.7},
		{"never further than half a year", []done{{0, 5}, {1, 5}, {7, 5}, {30, 5}, {100, 5}, {290, 5}}, 182, 472, 3.1},
	}
	for _, tc := range cases {
		history := []training.Completion{{Exercise: "so1-read-it-2", At: day(500), Grade: 5}}
		for _, d := range tc.done {
			history = append(history, training.Completion{Exercise: id, At: day(d.day), Grade: d.grade})
		}
		slices.Reverse(history) // the order does not matter, save at one instant
		if tc.name == "too early" {
			slices.Reverse(history)
		}
		got := training.Schedule(id, history, day(0))
		if got.Days != tc.days || !got.Due.Equal(day(tc.due)) || got.Ease < tc.ease-0.001 || got.Ease > tc.ease+0.001 {
			t.Errorf("%s: %+v, want %d days, due on day %d, ease %v", tc.name, got, tc.days, tc.due, tc.ease)
		}
	}
}

// TestScheduleProperties: what is passed when due never comes back sooner than before, and nothing is due in the past of its
// last repetition.
func TestScheduleProperties(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		const id = training.ExerciseID("sm1-pause-1")
		card := training.Schedule(id, nil, day(0))
		var history []training.Completion
		for range 12 {
			grade := training.Grade(random.IntN(6))
			history = append(history, training.Completion{Exercise: id, At: card.Due, Grade: grade})
			next := training.Schedule(id, history, day(0))
			if !next.Due.After(next.Last) || next.Ease < 1.3 || next.Days > 182 {
				t.Fatalf("card %+v", next)
			}
			if grade >= training.Passed && card.Repetitions > 0 && next.Days < card.Days {
				t.Fatalf("passed, and back sooner: %+v after %+v", next, card)
			}
			card = next
		}
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	b := load(t)
	p := training.Plan{Modules: []training.Choice{{Module: "so1-read-it", Since: "2026-03-01"}, {Module: "sm1-pause", Since: "2026-03-01"}, {Module: "gone", Since: "x"}}}
	cards := b.Due(p, []training.Completion{{Exercise: "so1-read-it-1", At: day(0), Grade: 4}})
	if len(cards) != 6 {
		t.Fatalf("%d cards, want 6", len(cards))
	}
	ids := func(cards []training.Card) (out []training.ExerciseID) {
		for _, c := range cards {
			out = append(out, c.Exercise)
		}
		return out
	}
	if got, want := ids(training.DueAt(cards, day(0))), []training.ExerciseID(nil); !slices.Equal(got, want) {
		t.Errorf("due on the first day, the one card being done: %v", got)
	}
	if got, want := ids(training.DueAt(cards, day(1))), []training.ExerciseID{"sm1-pause-1", "so1-read-it-1"}; !slices.Equal(got, want) {
		t.Errorf("due on the second day: %v, want %v", got, want)
	}
	if got := training.DueAt(cards, day(30)); len(got) != 6 {
		t.Errorf("due after a month: %d, want all", len(got))
	}
}

func TestCompletionValidate(t *testing.T) {
	t.Parallel()
	b := load(t)
	for pointer, c := range map[string]training.Completion{
		"":          {Exercise: "so1-read-it-1", At: day(0), Grade: 5},
		"/exercise": {Exercise: "so1-read-it-9", At: day(0)},
		"/grade":    {Exercise: "so1-read-it-1", At: day(0), Grade: 6},
		"/at":       {Exercise: "so1-read-it-1", At: day(2)},
	} {
		err := c.Validate(b, day(1))
		field, ok := errors.AsType[*schemas.FieldError](err)
		if (pointer == "") != (err == nil) || ok && field.Pointer != pointer {
			t.Errorf("Validate(%+v) = %v, want %q", c, err, pointer)
		}
	}
}
