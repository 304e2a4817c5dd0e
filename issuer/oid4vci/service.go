package oid4vci

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"heartmark/issuer"
)

// Lifetimes and limits (security specification, section 3). Configuration may only make them stricter.
const (
	MaxOfferLife   = 10 * time.Minute
	MaxTokenLife   = 5 * time.Minute
	MaxNonceLife   = 5 * time.Minute
	MaxWrongTries  = 5
	MaxBatch       = 20
	clockSkew      = 60 * time.Second
	keepAfterEnd   = 24 * time.Hour
	maxLanguageTag = 35
)

// Tenant is what the protocol shows of a tenant.
type Tenant struct {
	// Name is the issuer's name; it is shown in both languages unless Names has one for a language ("en", "zh").
	Name  string
	Names map[string]string
	// Configurations are what the tenant can issue.
	Configurations []issuer.Configuration
}

// IssueRequest asks the issuer for one credential.
type IssueRequest struct {
	Tenant, Configuration, ReportID, HolderID string
	// IdempotencyKey is the same for every try to get this credential out of this offer. The issuer gives the same
	// credential for the same holder, and ErrConflict for another one.
	IdempotencyKey string
	Language       string
}

// Issued is what the issuer gives back.
type Issued struct {
	ID         string
	Format     string
	Credential json.RawMessage
}

// Config is what a Service needs.
type Config struct {
	// Origin is the public origin of the installation, without a slash at its end.
	Origin string
	Store  Store
	// Tenant describes a tenant. It returns issuer.ErrNotFound (or ErrNotFound) for one that is unknown or switched off.
	Tenant func(ctx context.Context, tenant string) (Tenant, error)
	// Issue issues. Sentinels of package issuer that are a final no are told to the wallet as such.
	Issue func(ctx context.Context, r IssueRequest) (Issued, error)
	// Ready reports, with the issuer's sentinels, whether the credential could be issued now: consent, report, tenant. It
	// is asked at every step; nil asks only at the end, when Issue does.
	Ready func(ctx context.Context, tenant, configuration, reportID string) error

	Now func() time.Time
	// OfferLife, TokenLife and NonceLife are the greatest allowed where zero.
	OfferLife, TokenLife, NonceLife time.Duration
	// Batch is how many keys one credential request may bring; 0 and 1 mean one, and then metadata says nothing of batches.
	Batch int
	// NonceKey authenticates nonces: 32 bytes that all processes behind one origin share. Nil draws one, so that a restart
	// voids the nonces given out before it.
	NonceKey []byte
	// Log may be nil.
	Log *slog.Logger
	// Crash is called at the named points code.after_take and nonce.after_take. For tests; nil in production.
	Crash func(point string)
}

// Service runs the protocol. Its methods may be called at once.
type Service struct {
	c   Config
	log *slog.Logger
}

// New checks the configuration, all faults at once, and returns a Service.
func New(c Config) (*Service, error) {
	var faults []error
	add := func(wrong bool, what string) {
		if wrong {
			faults = append(faults, errors.New(what))
		}
	}
	u, err := url.Parse(c.Origin)
	add(err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.Path != "" || u.RawQuery != "", "origin: expected an origin such as https://example.org")
	add(c.Store == nil, "store is missing")
	add(c.Tenant == nil, "tenant lookup is missing")
	add(c.Issue == nil, "issue is missing")
	add(c.Now == nil, "clock is missing")
	for _, l := range []struct {
		name  string
		value *time.Duration
		most  time.Duration
	}{
		{"offer life", &c.OfferLife, MaxOfferLife}, {"token life", &c.TokenLife, MaxTokenLife}, {"nonce life", &c.NonceLife, MaxNonceLife},
	} {
		if *l.value == 0 {
			*l.value = l.most
		}
		add(*l.value < time.Second || *l.value > l.most, fmt.Sprintf("%s: expected 1s to %s", l.name, l.most))
	}
	add(c.Batch < 0 || c.Batch > MaxBatch, fmt.Sprintf("batch: expected 0 to %d", MaxBatch))
	c.Batch = max(c.Batch, 1)
	add(c.NonceKey != nil && len(c.NonceKey) != 32, "nonce key: expected 32 bytes")
	if len(faults) > 0 {
		return nil, fmt.Errorf("oid4vci: %w", errors.Join(faults...))
	}
	if c.NonceKey == nil {
		c.NonceKey = make([]byte, 32)
		rand.Read(c.NonceKey)
	}
	if c.Crash == nil {
		c.Crash = func(string) {}
	}
	s := &Service{c: c, log: c.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// CrashPoints returns the names that Config.Crash can get.
func CrashPoints() []string { return []string{"code.after_take", "nonce.after_take"} }

// now is the one instant of a call.
func (s *Service) now() time.Time { return s.c.Now().UTC() }

// tenant returns the tenant, or ErrNotFound.
func (s *Service) tenant(ctx context.Context, tenant string) (Tenant, error) {
	t, err := s.c.Tenant(ctx, tenant)
	if errors.Is(err, issuer.ErrNotFound) {
		return Tenant{}, fmt.Errorf("tenant: %w", ErrNotFound)
	}
	if err != nil {
		return Tenant{}, fmt.Errorf("tenant: %w", err)
	}
	return t, nil
}

// configuration finds one of the tenant's configurations.
func (t Tenant) configuration(id string) (issuer.Configuration, bool) {
	for _, c := range t.Configurations {
		if c.ID == id {
			return c, true
		}
	}
	return issuer.Configuration{}, false
}

// ready asks Config.Ready, if there is one.
func (s *Service) ready(ctx context.Context, o OfferRecord) error {
	if s.c.Ready == nil {
		return nil
	}
	return s.c.Ready(ctx, o.Tenant, o.Configuration, o.ReportID)
}

// Purge removes what has ended, at most limit records, and returns how many. Call it from time to time.
func (s *Service) Purge(ctx context.Context, limit int) (int, error) {
	n, err := s.c.Store.DeleteExpired(ctx, s.now(), limit)
	if err != nil {
		return n, fmt.Errorf("purge offers: %w", err)
	}
	return n, nil
}
