package training

import (
	"context"
	"errors"
)

// Sentinels of the stores.
var (
	// ErrNotFound: no such plan in this tenant (or it was erased).
	ErrNotFound = errors.New("plan not found")
	// ErrStale: another writer stored the plan in between. Read it again and retry.
	ErrStale = errors.New("plan changed in between")
)

// Kinds under which a store seals. The id is the subject's, with what tells records of one subject apart.
const (
	SealPlan       = "training_plan"
	SealCompletion = "training_completion"
	SealTrace      = "training_trace"
	SealAnswers    = "training_answers"
)

// Store keeps plans and practice, sealed, by tenant and pseudonymous subject. Any number of callers may use it at once; what
// it returns nil for is durable.
type Store interface {
	// SavePlan stores the plan of p.Subject as revision p.Revision+1. It returns ErrStale unless the stored one, if any, has
	// p.Revision.
	SavePlan(ctx context.Context, tenant string, p Plan) error
	// Plan returns the plan with its revision, or ErrNotFound.
	Plan(ctx context.Context, tenant, subject string) (Plan, error)
	Practice
	// EraseSubject removes plan, completions and traces of a subject, and takes its part out of the tallies. Erasing what is
	// not there succeeds; after an error, calling again goes on.
	EraseSubject(ctx context.Context, tenant, subject string) error
}

// Practice is the part of a Store that records what was done.
type Practice interface {
	// AddCompletion keeps a completion. The same exercise at the same instant is kept once, the last grade counts.
	AddCompletion(ctx context.Context, tenant, subject string, c Completion) error
	// Completions returns those of a subject by time, the latest 10,000.
	Completions(ctx context.Context, tenant, subject string) ([]Completion, error)
	// UpdateTrace changes a subject's trace of a module, the zero Trace where there is none, and the tenant's tally with it,
	// at once or not at all. change may be called more than once.
	UpdateTrace(ctx context.Context, tenant, subject string, m ModuleID, change func(Trace) Trace) error
	// Tallies returns a tenant's tallies.
	Tallies(ctx context.Context, tenant string) (Tallies, error)
}

// MaxCompletions bounds what Completions returns.
const MaxCompletions = 10_000

// AnswerStore keeps a tenant's approved answers, sealed.
type AnswerStore interface {
	// ReplaceAnswers puts answers in place of all that were there, at once: a reader sees the old ones or the new ones. It
	// returns the revision, which grows.
	ReplaceAnswers(ctx context.Context, tenant string, answers []StoredAnswer) (revision uint64, err error)
	// AnswerRevision returns the revision of what Answers would return, 0 where there never were any.
	AnswerRevision(ctx context.Context, tenant string) (uint64, error)
	// Answers returns all answers in the order in which they were stored, and their revision.
	Answers(ctx context.Context, tenant string) ([]StoredAnswer, uint64, error)
}
