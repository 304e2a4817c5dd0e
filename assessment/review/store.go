package review

import "context"

// Store keeps cases and reviewers. Any number of callers may use it at once; what it returns nil for is durable; each call is one
// atomic unit. Missing objects, also those of another tenant, give ErrNotFound. Words are sealed under the key of the report that
// the case is about, and cannot be read once that is destroyed.
type Store interface {
	// Create stores a new case. Where one with its id is there, nothing is stored and that one returned with created false. A
	// report that is not there gives ErrNotFound.
	Create(ctx context.Context, c Case) (stored Case, created bool, err error)
	// Update stores a changed case; another revision than the one it was read at gives ErrStale.
	Update(ctx context.Context, c Case) error
	Case(ctx context.Context, tenant, id string) (Case, error)
	// OfReport returns all cases of a report in the order of their opening.
	OfReport(ctx context.Context, tenant, report string) ([]Case, error)
	// Cases lists the cases of a tenant in one state, without their words, in the order of their opening after cursor ("" for the
	// first page), at most limit; next is the cursor of the following page, "" at the end.
	Cases(ctx context.Context, tenant, state, cursor string, limit int) (cases []Case, next string, err error)
	// Unfinished lists cases of all tenants, without their words, that still have an effect to have, in the order of their ids
	// after the case after, at most limit.
	Unfinished(ctx context.Context, after Case, limit int) ([]Case, error)
	// Forget removes the cases of a report. Forgetting what is not there succeeds.
	Forget(ctx context.Context, tenant, report string) error

	PutReviewer(ctx context.Context, r Reviewer) error
	// Reviewers lists the reviewers of a tenant in the order of their ids; there are at most MaxReviewers.
	Reviewers(ctx context.Context, tenant string) ([]Reviewer, error)
}

// MaxReviewers bounds the reviewers of a tenant.
const MaxReviewers = 1000
