package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"heartmark/assessment"
	"heartmark/assessment/intake"
	"heartmark/assessment/review"
	"heartmark/internal/did"
	"heartmark/issuer"
	"heartmark/schemas"
)

// openReview makes the review and what the issuer may know of reports.
func (a *App) openReview() error {
	receipts := a.Store.Intake(a.sealer)
	var err error
	a.Review, err = review.New(review.Config{
		Store: a.Store.Review(a.sealer), Reports: a.reports(), Credentials: contested{a}, Policy: a.reviewPolicy,
		Verify: intake.Statements{Audience: a.DID(), Keys: signerKeys{a.Resolver}, Now: a.now}.Verify,
		Holders: func(ctx context.Context, tenant, subject string) ([]string, error) {
			return intake.Holders(ctx, receipts, a.vault, tenant, a.sealer.Ref(tenant, subject))
		},
		Journal: a.auditReview, Now: a.now, Log: a.log, Metrics: a.metrics, Crash: a.crash,
	})
	return err
}

// reviewPolicy is how a tenant wants people to take part.
func (a *App) reviewPolicy(ctx context.Context, tenant string) (review.Policy, error) {
	record, err := a.tenant(ctx, tenant)
	if err != nil {
		return review.Policy{}, err
	}
	p := review.Policy{Review: record.Review.Mode, SecondPercent: record.Review.SecondPercent}
	if p.Review == "" {
		p.Review = schemas.ReviewOnRequest
	}
	return p, nil
}

// auditReview writes what reviewers and subjects do to the audit trail before it happens.
func (a *App) auditReview(ctx context.Context, e review.Event) error {
	return a.Store.AppendAudit(ctx, issuer.AuditEvent{
		At: e.At, Event: e.Event, Tenant: e.Tenant, Actor: e.Actor, Object: e.Object, Detail: e.Detail,
	})
}

// errContested stops everything that rests on a contested report.
var errContested = errors.New("the subject contests the report")

// attestationOptions are how the report is to be reviewed, by the stricter of the tenant's policy and what a configuration asks, and
// what became of it.
func (a *App) attestationOptions(ctx context.Context, tenant, report, asked string) (assessment.AttestationOptions, error) {
	policy, err := a.reviewPolicy(ctx, tenant)
	if err != nil {
		return assessment.AttestationOptions{}, err
	}
	if asked == schemas.ReviewBeforeIssue {
		policy.Review = asked
	}
	now, err := a.Review.Standing(ctx, tenant, report)
	if err != nil {
		return assessment.AttestationOptions{}, err
	}
	if now.Contested {
		return assessment.AttestationOptions{}, errContested
	}
	return assessment.AttestationOptions{Review: policy.Review, Released: now.Released, Refused: now.Refused}, nil
}

// reportSource gives the issuer what it may know of a report, in the issuer's own errors.
type reportSource struct{ app *App }

var _ issuer.ReportSource = reportSource{}

func (a *App) reportSource() reportSource { return reportSource{a} }

// attestation reads a report and makes of it what may be stated, and says how the report is to be reviewed.
func (a *App) attestation(ctx context.Context, tenant, report, asked string) (at schemas.Attestation, mode string, err error) {
	stored, err := a.reports().Report(ctx, tenant, report)
	if err != nil {
		return at, "", fmt.Errorf("attestation: %w", err)
	}
	options, err := a.attestationOptions(ctx, tenant, report, asked)
	if err != nil {
		return at, "", fmt.Errorf("attestation: %w", err)
	}
	at, err = assessment.Attestation(stored, options)
	return at, options.Review, err
}

// Attestation implements issuer.ReportSource. Dimensions that wait for a reviewer are left out and put into the queue; where nothing
// else is left, and while the report is contested, it is issuer.ErrReviewNeeded.
func (r reportSource) Attestation(ctx context.Context, tenant, report, asked string) (schemas.Attestation, error) {
	attestation, mode, err := r.app.attestation(ctx, tenant, report, asked)
	switch {
	case errors.Is(err, assessment.ErrNotFound):
		return attestation, fmt.Errorf("%w: %w", issuer.ErrNotFound, err)
	case errors.Is(err, assessment.ErrNoConsentToIssue):
		return attestation, fmt.Errorf("%w: %w", issuer.ErrNoConsent, err)
	case errors.Is(err, errContested):
		return attestation, fmt.Errorf("%w: %w", issuer.ErrReviewNeeded, err)
	case err != nil:
		return attestation, err
	}
	// The platform is the tenant that submitted the evidence, known by its DID; a report is stored under that tenant.
	attestation.Platforms = []string{did.FromOrigin(r.app.Config.Origin, tenant)}
	_, err = r.app.Review.Open(ctx, review.Caller{Tenant: tenant, Actor: "system"}, report, mode)
	switch {
	case errors.Is(err, review.ErrNothing):
		return attestation, nil
	case err != nil:
		return attestation, fmt.Errorf("queue for review: %w", err)
	case len(attestation.Levels) == 0:
		return attestation, fmt.Errorf("case for a reviewer is open: %w", issuer.ErrReviewNeeded)
	}
	return attestation, nil
}

// contested lets the review act on the credentials of a report.
type contested struct{ app *App }

var _ review.Credentials = contested{}

// contestReason marks a suspension as ours, so that ending a contest lifts no other.
const contestReason = "contested by the subject"

func (c contested) each(ctx context.Context, tenant, report string, act func(context.Context, issuer.Issued) error) error {
	found, err := c.app.Issuer.OfReport(ctx, tenant, report)
	if err != nil {
		return err
	}
	var faults []error
	for _, credential := range found {
		faults = append(faults, act(issuer.WithActor(ctx, "review"), credential))
	}
	return errors.Join(faults...)
}

// Suspend implements review.Credentials. A credential without a suspension list cannot be suspended: an operator is told.
func (c contested) Suspend(ctx context.Context, tenant, report string) error {
	return c.each(ctx, tenant, report, func(ctx context.Context, i issuer.Issued) error {
		if i.Status != issuer.StatusValid {
			return nil
		}
		err := c.app.Issuer.Suspend(ctx, tenant, i.ID, contestReason)
		if errors.Is(err, issuer.ErrInvalid) {
			c.app.log.ErrorContext(ctx, "a contested credential names no suspension list: revoke it by hand or wait for the reviewer", slog.String("credential", string(i.ID)))
			return nil
		}
		return err
	})
}

// Restore implements review.Credentials.
func (c contested) Restore(ctx context.Context, tenant, report string) error {
	return c.each(ctx, tenant, report, func(ctx context.Context, i issuer.Issued) error {
		if i.Status != issuer.StatusSuspended || i.Reason != contestReason {
			return nil
		}
		return c.app.Issuer.Reinstate(ctx, tenant, i.ID, "contest decided, level upheld")
	})
}

// Revoke implements review.Credentials.
func (c contested) Revoke(ctx context.Context, tenant, report string) error {
	return c.each(ctx, tenant, report, func(ctx context.Context, i issuer.Issued) error {
		if i.Status == issuer.StatusRevoked {
			return nil
		}
		return c.app.Issuer.Revoke(ctx, tenant, i.ID, "contest decided, level not upheld")
	})
}

// checkReviewPolicy holds a policy against the rules.
func checkReviewPolicy(p schemas.ReviewPolicy) error {
	if p.Mode != "" && !slices.Contains([]string{schemas.ReviewBeforeIssue, schemas.ReviewOnRequest}, p.Mode) {
		return exitWith(ExitUsage, fmt.Errorf("--review: %q is neither %s nor %s", p.Mode, schemas.ReviewBeforeIssue, schemas.ReviewOnRequest))
	}
	if p.SecondPercent < 0 || p.SecondPercent > 100 {
		return exitWith(ExitUsage, errors.New("--second-readings: expected 0 to 100 percent"))
	}
	return nil
}
