package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"heartmark/assessment"
	"heartmark/schemas"

	"golang.org/x/sync/errgroup"
)

const (
	// DefaultQuota is how many batches of one tenant may wait at once.
	DefaultQuota = 1000
	// maxAttempts bounds how often a batch is tried whose scoring fails.
	maxAttempts = 5
	// idle is how long a worker waits before it looks again by itself: for batches that were put off, and as a safeguard.
	idle = time.Second
	// housekeeping is how often Run sweeps and measures. It bounds how late text may go after its 24 hours.
	housekeeping = time.Minute
)

// Run recovers, scores what is queued with Config.Workers workers, sweeps and measures, until ctx ends. What is being scored
// then goes back to the queue.
func (s *Service) Run(ctx context.Context) error {
	if err := s.Recover(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopped while it recovered: the next start goes on
		}
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	if s.c.Assessor != nil {
		for range s.c.Workers {
			g.Go(func() error { return s.worker(ctx) })
		}
	}
	g.Go(func() error { return s.housekeeper(ctx) })
	return g.Wait()
}

func (s *Service) worker(ctx context.Context) error {
	for ctx.Err() == nil {
		found, err := s.Step(ctx)
		if err != nil && ctx.Err() == nil {
			s.c.Log.WarnContext(ctx, "evidence batch was not scored", slog.String("error", err.Error()))
		}
		if !found || err != nil {
			s.wait(ctx, idle)
		}
	}
	return nil
}

// wait returns when there may be work, or ctx ends.
func (s *Service) wait(ctx context.Context, atMost time.Duration) {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.wake:
	case <-timer.C:
	}
}

func (s *Service) housekeeper(ctx context.Context) error {
	ticker := time.NewTicker(housekeeping)
	defer ticker.Stop()
	for {
		if err := errors.Join(s.Sweep(ctx), s.observe(ctx)); err != nil && ctx.Err() == nil {
			s.c.Log.WarnContext(ctx, "intake housekeeping", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Recover completes what an interrupted process left: batches that were being scored go back to the queue, texts that were
// to be destroyed and erasures that were under way are finished. It is called before anything else, by one process.
func (s *Service) Recover(ctx context.Context) error {
	for {
		claimed, err := s.c.Store.Claimed(ctx, pageSize)
		if err != nil {
			return fmt.Errorf("recover: %w", err)
		}
		for _, b := range claimed {
			if err := s.c.Store.Release(ctx, b.Tenant, b.ID, s.c.Now()); err != nil {
				return fmt.Errorf("recover batch %s: %w", b.ID, err)
			}
		}
		if len(claimed) < pageSize {
			return s.Sweep(ctx)
		}
	}
}

// Step claims one batch and scores it. found is false when there is nothing to do. A batch whose receipt is not live any more
// is destroyed unscored.
func (s *Service) Step(ctx context.Context) (found bool, err error) {
	control, err := s.c.Store.Control(ctx)
	if err != nil || control.Stopped {
		return false, err
	}
	s.mu.Lock()
	after := s.last
	s.mu.Unlock()
	b, ok, err := s.c.Store.Claim(ctx, after, s.c.Now())
	if err != nil || !ok {
		return false, err
	}
	s.mu.Lock()
	s.last = b.Tenant
	s.mu.Unlock()
	return true, s.settle(context.WithoutCancel(ctx), b, s.process(ctx, b))
}

// process scores a claimed batch and stores the report.
func (s *Service) process(ctx context.Context, b Batch) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	name := b.Tenant + "\x00" + b.ID
	s.mu.Lock()
	s.running[name] = work{b, cancel}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.running, name)
		s.mu.Unlock()
	}()
	// Listed as running first: a withdrawal from here on is either seen by this look or interrupts what follows.
	if err := s.allowed(ctx, b); err != nil {
		return err
	}
	sub, err := s.open(ctx, b)
	if err != nil {
		return err
	}
	report, err := s.assess(ctx, b, sub)
	if err != nil {
		return err
	}
	s.c.Crash("assess.after_score")
	now := s.c.Now()
	err = s.c.Store.Complete(ctx, Completion{
		Tenant: b.Tenant, Batch: b.ID, Report: report, Sealer: s.c.Sealer.Under(b.Ref, b.Consent), At: now, Keep: now.Add(KeepReports),
	})
	if err != nil {
		return fmt.Errorf("complete: %w", err)
	}
	return nil
}

// assess scores a submission. A panic in the assessor costs this try and nothing else.
func (s *Service) assess(ctx context.Context, b Batch, sub submission) (_ assessment.Report, err error) {
	defer func() {
		if v := recover(); v != nil { // not its value, which may hold text
			s.c.Log.ErrorContext(ctx, "scoring panicked", slog.String("batch", b.ID), slog.String("kind", fmt.Sprintf("%T", v)), slog.String("stack", string(debug.Stack())))
			err = errPanicked
		}
	}()
	reports, err := s.c.Assessor.Assess(ctx, sub.batch())
	if err != nil {
		return assessment.Report{}, fmt.Errorf("assess: %w", err)
	}
	if len(reports) != 1 {
		return assessment.Report{}, fmt.Errorf("assess: %d reports for one receipt", len(reports))
	}
	if unavailable(reports[0]) {
		return assessment.Report{}, errUnavailable
	}
	return reports[0], nil
}

// Faults of one try.
var (
	errPanicked    = errors.New("scoring panicked")
	errUnavailable = errors.New("classifier is not available")
)

// unavailable reports whether the model could not be used: such a report is no result, and the batch is tried again.
func unavailable(r assessment.Report) bool {
	for _, d := range schemas.Dimensions() {
		if r.Dimensions[d].Status == assessment.StatusUnavailable {
			return true
		}
	}
	return false
}

// allowed looks at the receipt and the subject.
func (s *Service) allowed(ctx context.Context, b Batch) error {
	consent, err := s.c.Store.Consent(ctx, b.Tenant, b.Consent)
	if err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	if !consent.Live(s.c.Now()) {
		return fmt.Errorf("receipt: %w", ErrNotLive)
	}
	restriction, err := s.c.Store.Restriction(ctx, b.Tenant, b.Ref)
	if err != nil {
		return fmt.Errorf("restriction: %w", err)
	}
	if restriction.Kind != "" {
		return fmt.Errorf("subject: %w", ErrRestricted)
	}
	return nil
}

// settle ends a try: destroyed after the score, put off, or given up.
func (s *Service) settle(ctx context.Context, b Batch, fault error) error {
	if fault == nil {
		s.c.Crash("assess.before_shred")
		s.metrics.scored.WithLabelValues(outcomeDone).Inc()
		return s.destroy(ctx, b, StateDestroyed, whyScored)
	}
	// An interruption says nothing about why: the receipt does.
	if allowed := s.allowed(ctx, b); allowed != nil {
		fault = allowed
	}
	if errors.Is(fault, ErrNotLive) || errors.Is(fault, ErrNotFound) {
		// What was sealed after the keys of the receipt were destroyed was sealed under new ones.
		if err := s.c.Vault.Destroy(ctx, b.Tenant, b.Ref, keyReports+b.Consent); err != nil {
			return errors.Join(fault, err)
		}
	}
	current, err := s.c.Store.Batch(ctx, b.Tenant, b.ID)
	if errors.Is(err, ErrNotFound) || err == nil && current.State != StateScoring {
		return nil // withdrawn, erased or cancelled meanwhile, and destroyed by who did it
	}
	if err != nil {
		return errors.Join(fault, err)
	}
	switch {
	case errors.Is(fault, ErrNotLive), errors.Is(fault, ErrNotFound):
		s.metrics.scored.WithLabelValues(outcomeRefused).Inc()
		return s.destroy(ctx, b, StateDestroyed, WhyNotLive)
	case errors.Is(fault, context.Canceled), errors.Is(fault, context.DeadlineExceeded):
		return s.release(ctx, b, 0)
	case errors.Is(fault, ErrRestricted):
		return s.release(ctx, b, housekeeping)
	case errors.Is(fault, errUnavailable):
		return errors.Join(fault, s.release(ctx, b, backoff(b.Attempts)))
	case b.Attempts < maxAttempts:
		return errors.Join(fault, s.release(ctx, b, backoff(b.Attempts)))
	}
	s.metrics.scored.WithLabelValues(outcomeRefused).Inc()
	return errors.Join(fault, s.destroy(ctx, b, StateRefused, WhyFailed))
}

func (s *Service) release(ctx context.Context, b Batch, later time.Duration) error {
	s.metrics.scored.WithLabelValues(outcomeAgain).Inc()
	if err := s.c.Store.Release(ctx, b.Tenant, b.ID, s.c.Now().Add(later)); err != nil {
		return fmt.Errorf("back to the queue: %w", err)
	}
	return nil
}

// backoff is how long a batch waits after so many tries: 10 s, 40 s, 90 s, … 10 minutes at most.
func backoff(attempts int) time.Duration {
	return min(time.Duration(attempts*attempts)*10*time.Second, 10*time.Minute)
}

// Control returns the operator's switch.
func (s *Service) Control(ctx context.Context) (Control, error) {
	c, err := s.c.Store.Control(ctx)
	if err != nil {
		return Control{}, fmt.Errorf("control: %w", err)
	}
	return c, nil
}

// SetControl stops scoring, or lets it go on. Stopping interrupts what is being scored; it goes back to the queue.
func (s *Service) SetControl(ctx context.Context, who Caller, c Control) (Control, error) {
	c.By, c.At = who.Actor, s.c.Now()
	if err := s.journal(ctx, who, AuditControl, "scoring", "", map[bool]string{true: "stop", false: "go"}[c.Stopped]); err != nil {
		return Control{}, err
	}
	if err := s.c.Store.SetControl(ctx, c); err != nil {
		return Control{}, fmt.Errorf("control: %w", err)
	}
	if c.Stopped {
		s.interrupt(func(Batch) bool { return true })
	}
	s.notify()
	return c, nil
}
