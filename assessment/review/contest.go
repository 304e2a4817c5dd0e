package review

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"heartmark/assessment"
	"heartmark/schemas"
)

// Objection is what a subject files against a report.
type Objection struct {
	Subject, Report string
	// Dimensions that are contested; none reads as all that are scored.
	Dimensions []schemas.Dimension
	Statement  string
	// Proof is the subject's own statement of type heartmark-subject+jwt with act "contest" and sub the subject's id; "" where the
	// platform vouches that the subject filed it.
	Proof string
}

// typSubject is the type of a subject's statement; package intake has the same.
const typSubject = "heartmark-subject+jwt"

// Contest files an objection: the report's credentials are suspended, nothing more is issued from it, and a reviewer who has not
// worked on it decides within ContestTime. A contest that is open already is returned as it is.
func (s *Service) Contest(ctx context.Context, c Caller, o Objection) (Case, error) {
	r, own, err := s.subjectOf(ctx, c, o.Subject, o.Report, "contest", o.Proof)
	if err != nil {
		return Case{}, err
	}
	if err := text("/statement", o.Statement, 1, maxText); err != nil {
		return Case{}, err
	}
	if o.Dimensions, err = contested(r, o.Dimensions); err != nil {
		return Case{}, err
	}
	earlier, err := s.c.Store.OfReport(ctx, c.Tenant, o.Report)
	if err != nil {
		return Case{}, fmt.Errorf("cases: %w", err)
	}
	for _, have := range earlier {
		if have.Kind == KindContest && have.State != StateDecided {
			return have, nil
		}
	}
	opened, err := s.open(ctx, c, Case{
		Report: o.Report, Kind: KindContest, Dimensions: o.Dimensions, Why: []string{WhyContested},
		Due: s.c.Now().Add(ContestTime), Effect: EffectSuspend, Words: Words{Statement: o.Statement, Own: own},
	}, earlier, AuditContested)
	if err != nil {
		return Case{}, err
	}
	s.c.Crash("review.after_contest")
	// The hold stands already. Where a credential could not be suspended now, the sweep goes on with it.
	if err := s.carryOut(ctx, opened); err != nil {
		s.c.Log.WarnContext(ctx, "effect of a contest is still to be had", attr(opened), errAttr(err))
	}
	return opened, nil
}

// contested are the dimensions that an objection can be about.
func contested(r assessment.Report, wanted []schemas.Dimension) ([]schemas.Dimension, error) {
	var scored []schemas.Dimension
	for _, d := range schemas.Dimensions() {
		if r.Dimensions[d].Status == assessment.StatusScored {
			scored = append(scored, d)
		}
	}
	if r.Overall.Status == assessment.StatusScored {
		scored = append(scored, schemas.DimensionOverall)
	}
	if len(scored) == 0 {
		return nil, fmt.Errorf("the report states no level: %w", ErrNothing)
	}
	if len(wanted) == 0 {
		return scored, nil
	}
	var out []schemas.Dimension
	for i, d := range wanted {
		if !slices.Contains(scored, d) || slices.Contains(out, d) {
			return nil, field(fmt.Sprintf("/dimensions/%d", i), "a dimension that the report scores, once")
		}
		out = append(out, d)
	}
	return out, nil
}

// subjectOf returns the report of a subject, and whether the subject's own key asks.
func (s *Service) subjectOf(ctx context.Context, c Caller, subject, report, act, proof string) (assessment.Report, bool, error) {
	r, err := s.report(ctx, c.Tenant, report)
	if err != nil {
		return r, false, err
	}
	if r.Subject != subject {
		return r, false, fmt.Errorf("report of this subject: %w", ErrNotFound)
	}
	if proof == "" {
		return r, false, nil
	}
	did, err := s.c.Verify(ctx, proof, typSubject, map[string]string{"act": act, "sub": subject})
	if err != nil {
		return r, false, errors.Join(ErrSignature, err)
	}
	holders, err := s.c.Holders(ctx, c.Tenant, subject)
	if err != nil {
		return r, false, fmt.Errorf("receipts: %w", err)
	}
	if !slices.Contains(holders, did) {
		return r, false, fmt.Errorf("this key confirmed none of the receipts: %w", ErrSignature)
	}
	return r, true, nil
}

// Feedback keeps the subject's marks on passages and puts them into the queue. They change no score (assessment design 9).
func (s *Service) Feedback(ctx context.Context, c Caller, subject, report string, marks []Mark, proof string) (Case, error) {
	r, own, err := s.subjectOf(ctx, c, subject, report, "feedback", proof)
	if err != nil {
		return Case{}, err
	}
	if len(marks) == 0 {
		return Case{}, field("/marks", "at least one mark")
	}
	if err := checkMarks(marks, r); err != nil {
		return Case{}, err
	}
	earlier, err := s.c.Store.OfReport(ctx, c.Tenant, report)
	if err != nil {
		return Case{}, fmt.Errorf("cases: %w", err)
	}
	for _, have := range earlier {
		if have.Kind == KindFeedback && have.State == StateWaiting {
			if err := s.journal(ctx, c, AuditFeedback, have.ID, ""); err != nil {
				return Case{}, err
			}
			if have.Words.Feedback = merge(have.Words.Feedback, marks); len(have.Words.Feedback) > maxMarks {
				return Case{}, field("/marks", fmt.Sprintf("at most %d marks", maxMarks))
			}
			have.Words.Own = have.Words.Own && own // what the platform adds is not the subject's own word
			return s.update(ctx, have)
		}
	}
	return s.open(ctx, c, Case{
		Report: report, Kind: KindFeedback, Why: []string{WhyFeedback}, Words: Words{Feedback: marks, Own: own},
	}, earlier, AuditFeedback)
}

// merge puts fresh marks in place of those on the same passages.
func merge(have, fresh []Mark) []Mark {
	out := slices.DeleteFunc(slices.Clone(have), func(m Mark) bool {
		return slices.ContainsFunc(fresh, func(f Mark) bool { return f.Message == m.Message && f.Facet == m.Facet })
	})
	return append(out, fresh...)
}

// carryOut has the effect of a case, and notes it as done. That of an open contest stays: each sweep has it again.
func (s *Service) carryOut(ctx context.Context, c Case) error {
	var act func(ctx context.Context, tenant, report string) error
	switch c.Effect {
	case EffectSuspend:
		act = s.c.Credentials.Suspend
	case EffectRestore:
		act = s.c.Credentials.Restore
	case EffectRevoke:
		act = s.c.Credentials.Revoke
	default:
		return nil
	}
	if err := act(ctx, c.Tenant, c.Report); err != nil {
		return fmt.Errorf("%s credentials: %w", c.Effect, err)
	}
	if c.Effect == EffectSuspend {
		return nil
	}
	now, err := s.c.Store.Case(ctx, c.Tenant, c.ID)
	if errors.Is(err, ErrNotFound) {
		return nil // it went with its report
	}
	if err != nil {
		return fmt.Errorf("case: %w", err)
	}
	if now.Effect != c.Effect {
		return nil
	}
	now.Effect = ""
	_, err = s.update(ctx, now)
	return err
}

// sweepPage is how many cases a sweep reads at once.
const sweepPage = 100

// Sweep has the effects that are still to be had and measures the queue. It may be repeated and interrupted at will.
func (s *Service) Sweep(ctx context.Context) error {
	var faults []error
	overdue, now := 0, s.c.Now()
	for after := (Case{}); ; {
		open, err := s.c.Store.Unfinished(ctx, after, sweepPage)
		if err != nil {
			return fmt.Errorf("unfinished cases: %w", err)
		}
		for _, c := range open { // one that fails stops no other
			faults = append(faults, s.carryOut(ctx, c))
			if !c.Due.IsZero() && c.State != StateDecided && now.After(c.Due) {
				overdue++
			}
			after = c
		}
		if len(open) < sweepPage {
			break
		}
	}
	s.metrics.overdue.Set(float64(overdue))
	return errors.Join(faults...)
}

// Run sweeps at the start and every minute, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.c.Log.WarnContext(ctx, "review housekeeping", errAttr(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func attr(c Case) slog.Attr       { return slog.String("case", c.ID) }
func errAttr(err error) slog.Attr { return slog.String("error", err.Error()) }
