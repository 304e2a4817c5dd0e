package training

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"heartmark/schemas"
)

// Grade says how an exercise went, 0 (not at all) to 5 (with ease): the quality of response of SM-2.
type Grade int

// The grades that matter: from Passed on a repetition counts.
const (
	Passed   Grade = 3
	MaxGrade Grade = 5
)

// Completion is one time that an exercise was done.
type Completion struct {
	Exercise ExerciseID `json:"exercise"`
	At       time.Time  `json:"at"`
	Grade    Grade      `json:"grade"`
}

// Validate names what is wrong, as a *schemas.FieldError: an exercise that the bank does not have, a grade out of range, or
// a time after now.
func (c Completion) Validate(b *Bank, now time.Time) error {
	if _, ok := b.Exercise(c.Exercise); !ok {
		return &schemas.FieldError{Pointer: "/exercise", Expected: "the id of an exercise", Err: schemas.ErrMalformed}
	}
	if c.Grade < 0 || c.Grade > MaxGrade {
		return &schemas.FieldError{Pointer: "/grade", Expected: fmt.Sprintf("0 to %d", MaxGrade), Err: schemas.ErrMalformed}
	}
	if c.At.IsZero() || c.At.After(now) {
		return &schemas.FieldError{Pointer: "/at", Expected: "a time that has passed", Err: schemas.ErrMalformed}
	}
	return nil
}

// Card is where the repetitions of one exercise stand.
type Card struct {
	Exercise    ExerciseID `json:"exercise"`
	Repetitions int        `json:"repetitions"` // passed in a row
	Days        int        `json:"days"`        // the interval in days
	Ease        float64    `json:"ease"`        // 1.3 and more
	Due         time.Time  `json:"due"`
	Last        time.Time  `json:"last,omitzero"` // zero: never done
}

// Bounds of SM-2, and the longest interval: what is not practised for half a year is not being learnt.
const (
	firstEase = 2.5
	leastEase = 1.3
	maxDays   = 182
)

// Schedule replays the completions of one exercise by SM-2 (P. A. Woźniak, "Optimization of learning", 1990, chapter 3.2)
// and returns when it is due. It comes after 1 day, then 6, then the interval times the ease; a grade under Passed starts
// again. Ease changes with every grade and never falls below 1.3. What was never done is due at start. The order of
// history does not matter; completions of other exercises are left out. Doing an exercise before it is due counts only
// when it failed: otherwise ten times in one evening would put it off for a year.
func Schedule(exercise ExerciseID, history []Completion, start time.Time) Card {
	var own []Completion
	for _, c := range history {
		if c.Exercise == exercise {
			own = append(own, c)
		}
	}
	slices.SortStableFunc(own, func(a, b Completion) int { return a.At.Compare(b.At) })
	card := Card{Exercise: exercise, Ease: firstEase, Due: start}
	for _, c := range own {
		card = card.review(c)
	}
	return card
}

func (c Card) review(done Completion) Card {
	early := !c.Last.IsZero() && done.At.Before(c.Due)
	c.Last = done.At
	if early && done.Grade >= Passed {
		return c
	}
	missed := float64(MaxGrade - done.Grade)
	c.Ease = math.Max(leastEase, c.Ease+0.1-missed*(0.08+missed*0.02))
	if done.Grade < Passed {
		c.Repetitions, c.Days = 0, 1
	} else {
		c.Repetitions++
		switch c.Repetitions {
		case 1:
			c.Days = 1
		case 2:
			c.Days = 6
		default:
			c.Days = min(maxDays, int(math.Ceil(float64(c.Days)*c.Ease)))
		}
	}
	c.Due = done.At.AddDate(0, 0, c.Days)
	return c
}

// Due returns the cards of the plan's exercises, those that are due longest first. An exercise that was never done is due
// from the day its module came in, one a day, so that a plan does not begin with nine at once.
func (b *Bank) Due(p Plan, history []Completion) []Card {
	var cards []Card
	for n, choice := range p.Modules {
		m, ok := b.Module(choice.Module)
		if !ok {
			continue
		}
		since, err := time.Parse(time.DateOnly, choice.Since)
		if err != nil {
			since = time.Time{}
		}
		for i, id := range m.ExerciseIDs() {
			cards = append(cards, Schedule(id, history, since.AddDate(0, 0, i*maxModules+n)))
		}
	}
	slices.SortStableFunc(cards, func(a, b Card) int { return a.Due.Compare(b.Due) })
	return cards
}

// DueAt returns those of cards that are due at now.
func DueAt(cards []Card, now time.Time) []Card {
	out := slices.DeleteFunc(slices.Clone(cards), func(c Card) bool { return c.Due.After(now) })
	slices.SortStableFunc(out, func(a, b Card) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Exercise, b.Exercise)) })
	return out
}
