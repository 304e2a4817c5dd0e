package app

import (
	"context"
	"errors"

	"heartmark/assessment/evidence"
	"heartmark/assessment/intake"
	"heartmark/assessment/live"
	"heartmark/assessment/text"
	"heartmark/issuer"
)

// newLive makes live scoring over the classifier; nil without one.
func (a *App) newLive(s *scoring) (*live.Service, error) {
	if s == nil {
		return nil, nil //nolint:nilnil // absent, and no fault
	}
	receipts := a.Store.Intake(a.sealer)
	return live.New(live.Config{
		Classifier: s.classifier, Language: text.Language, Scrub: evidence.NewScrubber(nil).Scrub,
		Consent: func(ctx context.Context, tenant, receipt string) (bool, error) {
			c, err := receipts.Consent(ctx, tenant, receipt)
			if errors.Is(err, intake.ErrNotFound) {
				return false, nil
			}
			return err == nil && c.Live(a.now()), err
		},
		Journal: func(ctx context.Context, e live.Event) error {
			return a.Store.AppendAudit(ctx, issuer.AuditEvent{
				At: e.At, Event: e.Event, Tenant: e.Tenant, Actor: e.Actor, Object: e.Object, Detail: e.Detail,
			})
		},
		Now: a.now, NewID: a.newID, Log: a.log, Metrics: a.metrics,
	})
}
