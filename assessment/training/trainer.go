package training

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"heartmark/assessment"
)

// Config is what a Trainer is built from. All fields are required.
type Config struct {
	Bank  *Bank
	Store Store
	Now   func() time.Time
	// Random returns a source of its own for each call; a fixed one makes recommendations repeatable.
	Random func() *rand.Rand
}

// Trainer keeps plans and practice of a tenant's subjects. It is safe for concurrent use.
type Trainer struct{ c Config }

// New returns a Trainer, or an error when the configuration lacks something.
func New(c Config) (*Trainer, error) {
	if c.Bank == nil || c.Store == nil || c.Now == nil || c.Random == nil {
		return nil, errors.New("training: a field of the configuration is missing")
	}
	return &Trainer{c}, nil
}

// Bank returns the bank that plans are made from.
func (t *Trainer) Bank() *Bank { return t.c.Bank }

// Plan carries the subject's plan on through reports, by window, or makes its first one, and stores it. Reports that it has
// counted change nothing. It returns ErrSubjects, ErrNoReports and ErrStale.
func (t *Trainer) Plan(ctx context.Context, tenant string, reports []assessment.Report) (Plan, error) {
	sorted, err := inOrder(reports)
	if err != nil {
		return Plan{}, err
	}
	tallies, err := t.c.Store.Tallies(ctx, tenant)
	if err != nil {
		return Plan{}, err
	}
	order := NewRecommender(tallies, t.c.Random()).Order
	plan, err := t.c.Store.Plan(ctx, tenant, sorted[0].Subject)
	if errors.Is(err, ErrNotFound) {
		plan = t.c.Bank.frame(sorted[0])
		plan.Modules = pick(nil, order(t.c.Bank.candidates(sorted[0], nil)))
	} else if err != nil {
		return Plan{}, err
	}
	before, known := plan.Modules, len(plan.Seen)
	for _, r := range sorted {
		if plan, err = t.c.Bank.replan(plan, r, order); err != nil {
			return Plan{}, err
		}
	}
	if plan.Revision > 0 && len(plan.Seen) == known {
		return plan, nil
	}
	if len(plan.Seen) > known { // a window has closed over what was in the plan
		if err := t.offered(ctx, tenant, plan.Subject, before); err != nil {
			return Plan{}, err
		}
	}
	if err := t.c.Store.SavePlan(ctx, tenant, plan); err != nil {
		return Plan{}, fmt.Errorf("save plan: %w", err)
	}
	plan.Revision++
	return plan, nil
}

func (t *Trainer) offered(ctx context.Context, tenant, subject string, modules []Choice) error {
	for _, c := range modules {
		err := t.c.Store.UpdateTrace(ctx, tenant, subject, c.Module, func(tr Trace) Trace {
			tr.Offered = true
			return tr
		})
		if err != nil {
			return fmt.Errorf("note offer of %s: %w", c.Module, err)
		}
	}
	return nil
}

// Current returns the subject's plan, or ErrNotFound.
func (t *Trainer) Current(ctx context.Context, tenant, subject string) (Plan, error) {
	return t.c.Store.Plan(ctx, tenant, subject)
}

// Session is what a subject can practise now.
type Session struct {
	Due  []Card // at this time, those that are due longest first
	Next *Next  // nil where nothing is due
	// Later is when the next card comes due, zero where none is waiting.
	Later time.Time
}

// Session returns what is due of the subject's plan. It returns ErrNotFound where there is no plan.
func (t *Trainer) Session(ctx context.Context, tenant, subject string) (Session, error) {
	plan, err := t.c.Store.Plan(ctx, tenant, subject)
	if err != nil {
		return Session{}, err
	}
	history, err := t.c.Store.Completions(ctx, tenant, subject)
	if err != nil {
		return Session{}, err
	}
	tallies, err := t.c.Store.Tallies(ctx, tenant)
	if err != nil {
		return Session{}, err
	}
	now := t.c.Now()
	cards := t.c.Bank.Due(plan, history)
	s := Session{Due: DueAt(cards, now)}
	if next, ok := NewRecommender(tallies, t.c.Random()).Next(s.Due); ok {
		s.Next = &next
	}
	for _, c := range cards {
		if c.Due.After(now) {
			s.Later = c.Due
			break
		}
	}
	return s, nil
}

// Complete records that an exercise was done, and returns where its repetitions stand. The zero time stands for now. It
// returns a *schemas.FieldError for what Completion.Validate refuses, and ErrNotFound where there is no plan.
func (t *Trainer) Complete(ctx context.Context, tenant, subject string, c Completion) (Card, error) {
	now := t.c.Now()
	if c.At.IsZero() {
		c.At = now
	}
	c.At = c.At.UTC()
	if err := c.Validate(t.c.Bank, now); err != nil {
		return Card{}, err
	}
	if _, err := t.c.Store.Plan(ctx, tenant, subject); err != nil {
		return Card{}, err
	}
	if err := t.c.Store.AddCompletion(ctx, tenant, subject, c); err != nil {
		return Card{}, err
	}
	err := t.c.Store.UpdateTrace(ctx, tenant, subject, c.Exercise.Module(), func(tr Trace) Trace {
		tr.Offered, tr.Done = true, true
		return tr
	})
	if err != nil {
		return Card{}, err
	}
	history, err := t.c.Store.Completions(ctx, tenant, subject)
	if err != nil {
		return Card{}, err
	}
	return Schedule(c.Exercise, history, now), nil
}

// Mark records what the subject thinks of an exercise, in place of an earlier mark. It returns a *schemas.FieldError for
// what Mark.Validate refuses, and ErrNotFound where there is no plan.
func (t *Trainer) Mark(ctx context.Context, tenant, subject string, m Mark) error {
	m.At = t.c.Now()
	if err := m.Validate(t.c.Bank); err != nil {
		return err
	}
	if _, err := t.c.Store.Plan(ctx, tenant, subject); err != nil {
		return err
	}
	return t.c.Store.UpdateTrace(ctx, tenant, subject, m.Exercise.Module(), func(tr Trace) Trace { return tr.WithMark(m) })
}

// Held is what is kept of a subject's plan and practice, for the subject's right to a copy.
type Held struct {
	Plan        *Plan        `json:"plan,omitempty"`
	Completions []Completion `json:"completions"`
}

// Held returns what is kept of a subject, empty where nothing is.
func (t *Trainer) Held(ctx context.Context, tenant, subject string) (Held, error) {
	out := Held{Completions: []Completion{}}
	plan, err := t.c.Store.Plan(ctx, tenant, subject)
	switch {
	case err == nil:
		out.Plan = &plan
	case !errors.Is(err, ErrNotFound):
		return out, fmt.Errorf("plan: %w", err)
	}
	done, err := t.c.Store.Completions(ctx, tenant, subject)
	if err != nil {
		return out, fmt.Errorf("completions: %w", err)
	}
	out.Completions = append(out.Completions, done...)
	return out, nil
}

// Erase removes everything that is kept of the subject here, also from what recommendations learnt.
func (t *Trainer) Erase(ctx context.Context, tenant, subject string) error {
	return t.c.Store.EraseSubject(ctx, tenant, subject)
}
