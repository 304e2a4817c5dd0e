// Package policies keeps the verification policies of tenants: data, versioned, never changed. Start at New. A policy is read
// from its document by Parse; storing the same document again changes nothing, another one makes the next version. The
// verifier uses the newest and names it, with its version, in every result.
package policies

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"heartmark/schemas"
	"heartmark/verifier"
)

// Errors of this package.
var (
	// ErrNotFound: the tenant has no policy of this name, or not this version. Answer 404.
	ErrNotFound = errors.New("no such policy")
	// ErrReserved: the name is one of the installation's policies. Answer 409.
	ErrReserved = errors.New("the name is the installation's")
	// ErrVersion is between service and store: the version was taken meanwhile.
	ErrVersion = errors.New("version is taken")
)

// Document is a policy as a tenant writes it. Zero values leave what the default policy does.
type Document struct {
	Description string `json:"description,omitempty"`
	// Issuers, Types and MinLevels are what is taken; see verifier.Acceptance.
	Issuers   []string       `json:"issuers,omitempty"`
	Types     []string       `json:"types,omitempty"`
	MinLevels map[string]int `json:"min_levels,omitempty"`
	// MaxAgeDays is how long ago a credential may have been issued.
	MaxAgeDays int `json:"max_age_days,omitempty"`
	// MaxStatusAgeSeconds is how old a status list may be; MaxStatusStaleSeconds how long past its time one may be used when its
	// origin does not answer.
	MaxStatusAgeSeconds   int `json:"max_status_age_seconds,omitempty"`
	MaxStatusStaleSeconds int `json:"max_status_stale_seconds,omitempty"`
	SkewSeconds           int `json:"skew_seconds,omitempty"`
	// RequireHolderBinding, RequireLogInclusion and RequireFinalScale make a verdict harder.
	RequireHolderBinding bool `json:"require_holder_binding,omitempty"`
	RequireLogInclusion  bool `json:"require_log_inclusion,omitempty"`
	RequireFinalScale    bool `json:"require_final_scale,omitempty"`
	// Rules relax single checks: report or omit, by the id of the check. What decides under every policy cannot be named.
	Rules map[string]string `json:"rules,omitempty"`
}

// Limits of a document.
const (
	maxEntries     = 200
	maxDays        = 36500
	maxStatusStale = 24 * 3600
)

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// Policy returns the document as the verifier takes it, or a *schemas.FieldError.
func (d Document) Policy(name string, version int) (verifier.Policy, error) {
	day := 24 * time.Hour
	p := verifier.Policy{
		Name: name, Version: strconv.Itoa(version), Skew: time.Minute, MaxStatusAge: time.Duration(d.MaxStatusAgeSeconds) * time.Second,
		MaxStale: time.Duration(d.MaxStatusStaleSeconds) * time.Second, RequireLog: d.RequireLogInclusion, Rules: map[verifier.CheckID]verifier.Rule{},
		Accept: verifier.Acceptance{
			Issuers: d.Issuers, Types: d.Types, MinLevels: map[schemas.Dimension]schemas.Level{}, MaxAge: time.Duration(d.MaxAgeDays) * day,
			FinalScale: d.RequireFinalScale, Presented: d.RequireHolderBinding,
		},
	}
	if d.SkewSeconds != 0 {
		p.Skew = time.Duration(d.SkewSeconds) * time.Second
	}
	for dimension, level := range d.MinLevels {
		if !schemas.Dimension(dimension).Valid() || !schemas.Level(level).Valid() {
			return p, fault("/min_levels/"+dimension, "a dimension with a level from 1 to 4")
		}
		p.Accept.MinLevels[schemas.Dimension(dimension)] = schemas.Level(level)
	}
	for id, rule := range d.Rules {
		if rule != string(verifier.Report) && rule != string(verifier.Omit) && rule != string(verifier.Require) {
			return p, fault("/rules/"+id, "require, report or omit")
		}
		p.Rules[verifier.CheckID(id)] = verifier.Rule(rule)
	}
	if err := d.ranges(); err != nil {
		return p, err
	}
	if err := p.Validate(); err != nil {
		return p, &schemas.FieldError{Expected: err.Error(), Err: schemas.ErrMalformed}
	}
	return p, nil
}

func (d Document) ranges() error {
	for _, r := range []struct {
		pointer    string
		value, max int
	}{
		{"/max_age_days", d.MaxAgeDays, maxDays},
		{"/max_status_age_seconds", d.MaxStatusAgeSeconds, maxStatusStale},
		{"/max_status_stale_seconds", d.MaxStatusStaleSeconds, maxStatusStale},
		{"/skew_seconds", d.SkewSeconds, 120},
		{"/issuers", len(d.Issuers), maxEntries},
		{"/types", len(d.Types), maxEntries},
		{"/description", len(d.Description), 1000},
	} {
		if r.value < 0 || r.value > r.max {
			return fault(r.pointer, "0 to "+strconv.Itoa(r.max))
		}
	}
	for i, t := range d.Types {
		if t == "" {
			return fault("/types/"+strconv.Itoa(i), "a text")
		}
	}
	for i, id := range d.Issuers {
		if !schemas.IsURL(id) {
			return fault("/issuers/"+strconv.Itoa(i), "a DID or a URL")
		}
	}
	return nil
}

func fault(pointer, expected string) error {
	return &schemas.FieldError{Pointer: pointer, Expected: expected, Err: schemas.ErrMalformed}
}

// Stored is one version.
type Stored struct {
	Tenant    string    `json:"tenant"`
	Name      string    `json:"name"`
	Version   int       `json:"version"` // from 1
	Document  Document  `json:"document"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
}

// Store keeps versions. What AddPolicy writes is durable on return; a version that is taken gives ErrVersion.
type Store interface {
	AddPolicy(ctx context.Context, s Stored) error
	// PolicyVersion returns one version, the newest for 0, or ErrNotFound.
	PolicyVersion(ctx context.Context, tenant, name string, version int) (Stored, error)
	// NewestPolicies returns the newest version of each of the tenant's policies, by name, at most limit.
	NewestPolicies(ctx context.Context, tenant string, limit int) ([]Stored, error)
}

// MaxPolicies bounds the policies of a tenant.
const MaxPolicies = 100

// ErrTooMany: the tenant has MaxPolicies already. Answer 409.
var ErrTooMany = errors.New("too many policies")

// Config is what New needs; all fields are required.
type Config struct {
	Store Store
	// Reserved are the names of the installation's policies.
	Reserved []string
	// Journal writes what is about to change to the audit trail.
	Journal func(ctx context.Context, s Stored) error
	Now     func() time.Time
}

// Service keeps policies; it is a verifier.PolicySource.
type Service struct{ c Config }

var _ verifier.PolicySource = (*Service)(nil)

// New returns a service for c.
func New(c Config) (*Service, error) {
	if c.Store == nil || c.Journal == nil || c.Now == nil {
		return nil, errors.New("policies: a field of the configuration is missing")
	}
	c.Reserved = append(slices.Clone(c.Reserved), verifier.DefaultPolicy)
	return &Service{c}, nil
}

// Put stores a document as the next version of a policy, unless the newest is the same, and returns what stands. created says
// that a version was made.
func (s *Service) Put(ctx context.Context, tenant, name, actor string, d Document) (stands Stored, created bool, err error) {
	if !nameForm.MatchString(name) {
		return Stored{}, false, fault("", "a name of small letters, digits and -, at most 64")
	}
	if slices.Contains(s.c.Reserved, name) {
		return Stored{}, false, fmt.Errorf("%s: %w", name, ErrReserved)
	}
	const attempts = 5
	for range attempts {
		newest, err := s.c.Store.PolicyVersion(ctx, tenant, name, 0)
		switch {
		case errors.Is(err, ErrNotFound):
			if all, err := s.c.Store.NewestPolicies(ctx, tenant, MaxPolicies); err != nil || len(all) >= MaxPolicies {
				return Stored{}, false, errors.Join(err, ErrTooMany)
			}
		case err != nil:
			return Stored{}, false, err
		case equal(newest.Document, d):
			return newest, false, nil
		}
		next := Stored{Tenant: tenant, Name: name, Version: newest.Version + 1, Document: d, CreatedAt: s.c.Now(), CreatedBy: actor}
		if _, err := d.Policy(name, next.Version); err != nil {
			return Stored{}, false, err
		}
		if err := s.c.Journal(ctx, next); err != nil {
			return Stored{}, false, fmt.Errorf("audit: %w", err)
		}
		if err := s.c.Store.AddPolicy(ctx, next); !errors.Is(err, ErrVersion) {
			return next, err == nil, err
		}
	}
	return Stored{}, false, ErrVersion
}

func equal(a, b Document) bool {
	first, errA := json.Marshal(a)
	second, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(first, second)
}

// Get returns a version, the newest for 0.
func (s *Service) Get(ctx context.Context, tenant, name string, version int) (Stored, error) {
	return s.c.Store.PolicyVersion(ctx, tenant, name, version)
}

// List returns the newest version of each policy.
func (s *Service) List(ctx context.Context, tenant string) ([]Stored, error) {
	return s.c.Store.NewestPolicies(ctx, tenant, MaxPolicies)
}

// Policy implements verifier.PolicySource.
func (s *Service) Policy(ctx context.Context, tenant, name string) (verifier.Policy, error) {
	if !nameForm.MatchString(name) {
		return verifier.Policy{}, verifier.ErrUnknownPolicy
	}
	stored, err := s.c.Store.PolicyVersion(ctx, tenant, name, 0)
	if errors.Is(err, ErrNotFound) {
		return verifier.Policy{}, fmt.Errorf("%s: %w", name, verifier.ErrUnknownPolicy)
	}
	if err != nil {
		return verifier.Policy{}, err
	}
	return stored.Document.Policy(stored.Name, stored.Version)
}
