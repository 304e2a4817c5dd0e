package policies_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/policies"
)

type memory struct {
	mu  sync.Mutex // guards all
	all map[string][]policies.Stored
}

func (m *memory) AddPolicy(_ context.Context, s policies.Stored) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := s.Tenant + "/" + s.Name
	if s.Version != len(m.all[key])+1 {
		return policies.ErrVersion
	}
	m.all[key] = append(m.all[key], s)
	return nil
}

func (m *memory) PolicyVersion(_ context.Context, tenant, name string, version int) (policies.Stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.all[tenant+"/"+name]
	if version == 0 {
		version = len(all)
	}
	if version < 1 || version > len(all) {
		return policies.Stored{}, policies.ErrNotFound
	}
	return all[version-1], nil
}

func (m *memory) NewestPolicies(_ context.Context, tenant string, limit int) (out []policies.Stored, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, all := range m.all {
		if strings.HasPrefix(key, tenant+"/") && len(out) < limit {
			out = append(out, all[len(all)-1])
		}
	}
	return out, nil
}

func service(t *testing.T) (*policies.Service, *[]policies.Stored) {
	t.Helper()
	var journal []policies.Stored
	s, err := policies.New(policies.Config{
		Store: &memory{all: map[string][]policies.Stored{}}, Reserved: []string{"legacy"},
		Journal: func(_ context.Context, s policies.Stored) error { journal = append(journal, s); return nil },
		Now:     func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, &journal
}

func TestVersions(t *testing.T) {
	t.Parallel()
	s, journal := service(t)
	ctx := t.Context()
	first := policies.Document{Issuers: []string{"did:web:a.example"}, MinLevels: map[string]int{"overall": 2}, MaxAgeDays: 30}
	for i, step := range []struct {
		document policies.Document
		version  int
		created  bool
	}{{first, 1, true}, {first, 1, false}, {policies.Document{RequireLogInclusion: true}, 2, true}, {first, 3, true}} {
		stands, created, err := s.Put(ctx, "acme", "hiring", "k-1", step.document)
		if err != nil || stands.Version != step.version || created != step.created {
			t.Errorf("step %d: version %d, created %v, %v", i, stands.Version, created, err)
		}
	}
	if len(*journal) != 3 {
		t.Errorf("%d audit events, want 3", len(*journal))
	}
	p, err := s.Policy(ctx, "acme", "hiring")
	if err != nil || p.Version != "3" || p.Accept.MaxAge != 30*24*time.Hour || p.Accept.MinLevels[schemas.DimensionOverall] != 2 {
		t.Errorf("newest as a policy: %+v, %v", p, err)
	}
	if old, err := s.Get(ctx, "acme", "hiring", 2); err != nil || !old.Document.RequireLogInclusion {
		t.Errorf("version 2: %+v, %v", old, err)
	}
	if _, err := s.Policy(ctx, "beta", "hiring"); !errors.Is(err, verifier.ErrUnknownPolicy) {
		t.Errorf("another tenant's: %v", err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	s, journal := service(t)
	for name, d := range map[string]policies.Document{
		"/max_age_days":             {MaxAgeDays: -1},
		"/max_status_age_seconds":   {MaxStatusAgeSeconds: 1 << 30},
		"/max_status_stale_seconds": {MaxStatusStaleSeconds: 1 << 30},
		"/skew_seconds":             {SkewSeconds: 121},
		"/issuers/0":                {Issuers: []string{"not an id"}},
		"/types/0":                  {Types: []string{""}},
		"/min_levels/charm":         {MinLevels: map[string]int{"charm": 1}},
		"/min_levels/overall":       {MinLevels: map[string]int{"overall": 5}},
		"/rules/schema":             {Rules: map[string]string{"schema": "ignore"}},
		"":                          {Rules: map[string]string{"proof": "omit"}}, // decides under every policy
	} {
		_, _, err := s.Put(t.Context(), "acme", "own", "k", d)
		if f, ok := errors.AsType[*schemas.FieldError](err); !ok || f.Pointer != name {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, id := range []string{"model", "period", "status", "purpose", "parse", "query"} {
		if _, _, err := s.Put(t.Context(), "acme", "own", "k", policies.Document{Rules: map[string]string{id: "report"}}); err == nil {
			t.Errorf("%s can be relaxed", id)
		}
	}
	for id, d := range map[string]policies.Document{
		"log_inclusion": {RequireLogInclusion: true}, "holder_binding": {RequireHolderBinding: true}, "replay": {RequireHolderBinding: true},
	} {
		for _, rule := range []string{"report", "omit"} {
			d.Rules = map[string]string{id: rule}
			if _, _, err := s.Put(t.Context(), "acme", "own", "k", d); !errors.Is(err, schemas.ErrMalformed) {
				t.Errorf("what is demanded is relaxed by %s: %s: %v", id, rule, err)
			}
		}
	}
	for _, name := range []string{"default", "legacy"} {
		if _, _, err := s.Put(t.Context(), "acme", name, "k", policies.Document{}); !errors.Is(err, policies.ErrReserved) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "Own", "a b", "../x", strings.Repeat("a", 65)} {
		if _, _, err := s.Put(t.Context(), "acme", name, "k", policies.Document{}); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	if len(*journal) != 0 {
		t.Errorf("%d audit events of refused policies", len(*journal))
	}
	for i := range policies.MaxPolicies {
		if _, _, err := s.Put(t.Context(), "acme", "p"+strings.Repeat("x", i%60)+string(rune('a'+i/60)), "k", policies.Document{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Put(t.Context(), "acme", "one-more", "k", policies.Document{}); !errors.Is(err, policies.ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
}
