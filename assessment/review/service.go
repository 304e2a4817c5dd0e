package review

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"heartmark/assessment"
	"heartmark/schemas"

	"github.com/prometheus/client_golang/prometheus"
)

// Credentials are what was issued from reports. Each act covers every credential of the report, and may be repeated.
type Credentials interface {
	// Suspend suspends those that are valid; Restore takes that back; Revoke ends them for good.
	Suspend(ctx context.Context, tenant, report string) error
	Restore(ctx context.Context, tenant, report string) error
	Revoke(ctx context.Context, tenant, report string) error
}

// Reports reads reports; an assessment.Store is one.
type Reports interface {
	Report(ctx context.Context, tenant, id string) (assessment.Report, error)
}

// Policy is how a tenant wants people to take part.
type Policy struct {
	// Review is schemas.ReviewBeforeIssue or schemas.ReviewOnRequest (G9: there is no third).
	Review string
	// SecondPercent is how many of a hundred decided cases get a second, independent reading.
	SecondPercent int
}

// Config is what New needs. All fields are required except where it says otherwise.
type Config struct {
	Store       Store
	Reports     Reports
	Credentials Credentials
	Policy      func(ctx context.Context, tenant string) (Policy, error)
	// Verify checks a compact JWS by a did:key or did:jwk of that typ, meant for this installation, fresh, with these claims, and
	// returns the DID.
	Verify func(ctx context.Context, compact, typ string, want map[string]string) (did string, err error)
	// Holders returns the DIDs that confirmed the subject's receipts: none of them may review the subject's report.
	Holders func(ctx context.Context, tenant, subject string) ([]string, error)
	// Journal writes an event to the audit trail before it happens; its error stops the act.
	Journal func(ctx context.Context, e Event) error
	Now     func() time.Time
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Crash is called at the points of CrashPoints; nil does nothing.
	Crash func(point string)
}

// CrashPoints are the names that Config.Crash hears (security section 8).
func CrashPoints() []string { return []string{"review.after_contest", "review.after_decide"} }

// Audit events: the closed list of what this package writes down.
const (
	AuditOpened    = "review.open"
	AuditTaken     = "review.take"
	AuditDecided   = "review.decide"
	AuditContested = "review.contest"
	AuditFeedback  = "review.feedback"
	AuditReviewer  = "review.reviewer"
)

// Event is an entry of the audit trail: identifiers, never texts.
type Event struct {
	At             time.Time
	Event          string
	Tenant, Actor  string
	Object, Detail string
}

// Caller is who asks: the tenant and the id of the API key.
type Caller struct{ Tenant, Actor string }

// Service is the review. Its methods may be called at once.
type Service struct {
	c       Config
	metrics *metrics
}

// New returns a Service, or an error that names what is missing.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Reports == nil || c.Credentials == nil || c.Policy == nil || c.Verify == nil || c.Holders == nil ||
		c.Journal == nil || c.Now == nil || c.Log == nil || c.Metrics == nil {
		return nil, errors.New("review: a field of the configuration is missing")
	}
	if c.Crash == nil {
		c.Crash = func(string) {}
	}
	m, err := newMetrics(c.Metrics)
	if err != nil {
		return nil, err
	}
	return &Service{c, m}, nil
}

func (s *Service) journal(ctx context.Context, c Caller, event, object, detail string) error {
	err := s.c.Journal(ctx, Event{At: s.c.Now(), Event: event, Tenant: c.Tenant, Actor: c.Actor, Object: object, Detail: detail})
	if err != nil {
		return fmt.Errorf("audit %s: %w", event, err)
	}
	return nil
}

// Standing says what reviewers and the subject have made of a report: what an issuer asks before it states a level.
func (s *Service) Standing(ctx context.Context, tenant, report string) (Standing, error) {
	cases, err := s.c.Store.OfReport(ctx, tenant, report)
	if err != nil {
		return Standing{}, fmt.Errorf("cases: %w", err)
	}
	return standing(cases), nil
}

// Open puts a report into the queue for the dimensions that wait under mode, schemas.ReviewBeforeIssue or schemas.ReviewOnRequest, or
// under the tenant's policy where mode is "". An undecided case is returned as it is; ErrNothing where nothing waits.
func (s *Service) Open(ctx context.Context, c Caller, report, mode string) (Case, error) {
	r, err := s.report(ctx, c.Tenant, report)
	if err != nil {
		return Case{}, err
	}
	if mode == "" {
		policy, err := s.c.Policy(ctx, c.Tenant)
		if err != nil {
			return Case{}, fmt.Errorf("review policy: %w", err)
		}
		mode = policy.Review
	}
	cases, err := s.c.Store.OfReport(ctx, c.Tenant, report)
	if err != nil {
		return Case{}, fmt.Errorf("cases: %w", err)
	}
	now := standing(cases)
	waiting := assessment.NeedsReview(r, assessment.AttestationOptions{Review: mode, Released: now.Released, Refused: now.Refused})
	for _, have := range cases {
		if have.Kind == KindRelease && have.State != StateDecided {
			return have, nil
		}
	}
	if len(waiting) == 0 {
		return Case{}, fmt.Errorf("report %s: %w", report, ErrNothing)
	}
	why := WhyBorder
	if mode == schemas.ReviewBeforeIssue {
		why = WhyPolicy
	}
	return s.open(ctx, c, Case{Report: report, Kind: KindRelease, Dimensions: waiting, Why: []string{why}}, cases, AuditOpened)
}

// open stores a new case. Its id follows from the report, the kind and how many there were, so that two callers at once open one.
func (s *Service) open(ctx context.Context, c Caller, fresh Case, earlier []Case, event string) (Case, error) {
	n := 0
	for _, e := range earlier {
		if e.Kind == fresh.Kind {
			n++
		}
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "heartmark/review/v1\x00%s\x00%s\x00%s\x00%d", c.Tenant, fresh.Report, fresh.Kind, n))
	fresh.ID, fresh.Tenant, fresh.State, fresh.Opened = hex.EncodeToString(sum[:12]), c.Tenant, StateWaiting, s.c.Now()
	if err := s.journal(ctx, c, event, fresh.ID, fresh.Kind); err != nil {
		return Case{}, err
	}
	stored, _, err := s.c.Store.Create(ctx, fresh)
	if err != nil {
		return Case{}, fmt.Errorf("open case: %w", err)
	}
	return stored, nil
}

func (s *Service) report(ctx context.Context, tenant, id string) (assessment.Report, error) {
	r, err := s.c.Reports.Report(ctx, tenant, id)
	if errors.Is(err, assessment.ErrNotFound) {
		return r, fmt.Errorf("report: %w", ErrNotFound)
	}
	if err != nil {
		return r, fmt.Errorf("report: %w", err)
	}
	return r, nil
}

// State says whether what could be stated of a report may be issued now, and if not why: StateContested, StateAwaiting (dimensions that
// a reviewer has not read), or StateRefused. It is what a deferred issuance asks again and again.
func (s *Service) State(ctx context.Context, tenant, report string) (state string, waiting []schemas.Dimension, err error) {
	r, err := s.report(ctx, tenant, report)
	if err != nil {
		return "", nil, err
	}
	policy, err := s.c.Policy(ctx, tenant)
	if err != nil {
		return "", nil, fmt.Errorf("review policy: %w", err)
	}
	now, err := s.Standing(ctx, tenant, report)
	if err != nil {
		return "", nil, err
	}
	waiting = assessment.NeedsReview(r, assessment.AttestationOptions{Review: policy.Review, Released: now.Released, Refused: now.Refused})
	switch {
	case now.Contested:
		return StateContested, waiting, nil
	case len(waiting) > 0:
		return StateAwaiting, waiting, nil
	case len(now.Refused) > 0 && len(now.Released) == 0:
		return StateRefused, nil, nil
	}
	return StateReleased, nil, nil
}

// States of a report, as Service.State names them.
const (
	StateReleased  = "released"  // nothing waits; what the policy allows may be issued
	StateAwaiting  = "awaiting"  // dimensions wait for a reviewer
	StateContested = "contested" // nothing may be issued
	StateRefused   = "refused"   // a reviewer has refused what was asked
)

// CasesOf returns the cases of a subject's report, for the subject: what was asked, decided, and why.
func (s *Service) CasesOf(ctx context.Context, tenant, subject, report string) ([]Case, error) {
	r, err := s.report(ctx, tenant, report)
	if err != nil {
		return nil, err
	}
	if r.Subject != subject {
		return nil, fmt.Errorf("report of this subject: %w", ErrNotFound)
	}
	cases, err := s.c.Store.OfReport(ctx, tenant, report)
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	return cases, nil
}

// Queue lists the cases of a tenant in one state, the earliest first.
func (s *Service) Queue(ctx context.Context, tenant, state, cursor string, limit int) ([]Case, string, error) {
	if !slices.Contains(States(), state) {
		return nil, "", field("/state", strings.Join(States(), ", "))
	}
	cases, next, err := s.c.Store.Cases(ctx, tenant, state, cursor, limit)
	if err != nil {
		return nil, "", fmt.Errorf("queue: %w", err)
	}
	return cases, next, nil
}

// field is a faulty value of a request.
func field(pointer, expected string) error {
	return &schemas.FieldError{Pointer: pointer, Expected: expected, Err: schemas.ErrMalformed}
}

// text checks a text of a person's.
func text(pointer, s string, least, most int) error {
	if n := utf8.RuneCountInString(strings.TrimSpace(s)); n < least || utf8.RuneCountInString(s) > most || !utf8.ValidString(s) {
		return field(pointer, fmt.Sprintf("a text of %d to %d characters", least, most))
	}
	return nil
}
