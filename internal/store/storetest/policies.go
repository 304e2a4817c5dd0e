package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"heartmark/verifier/policies"
)

// Policies is the contract of policies.Store.
func Policies(t *testing.T, open func(t *testing.T) policies.Store, reopen func(t *testing.T, s policies.Store) policies.Store) {
	stored := func(tenant, name string, version int) policies.Stored {
		return policies.Stored{Tenant: tenant, Name: name, Version: version, Document: policies.Document{Description: fmt.Sprint(name, version)}}
	}
	t.Run("versions stay, the newest leads, tenants are apart", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		for version := 1; version <= 300; version++ {
			must(t, s.AddPolicy(ctx, stored("acme", "hiring", version)))
		}
		must(t, s.AddPolicy(ctx, stored("acme", "hi", 1)))
		must(t, s.AddPolicy(ctx, stored("acmeh", "iring", 1)))
		s = reopen(t, s)
		for version, want := range map[int]int{0: 300, 1: 1, 255: 255, 256: 256, 300: 300} {
			got, err := s.PolicyVersion(ctx, "acme", "hiring", version)
			if err != nil || got.Version != want || got.Document.Description != fmt.Sprint("hiring", want) {
				t.Errorf("version %d: %+v, %v; want %d", version, got, err, want)
			}
		}
		for _, missing := range []policies.Stored{stored("acme", "hiring", 301), stored("beta", "hiring", 0), stored("acme", "hirin", 0)} {
			if _, err := s.PolicyVersion(ctx, missing.Tenant, missing.Name, missing.Version); !errors.Is(err, policies.ErrNotFound) {
				t.Errorf("%s/%s/%d: %v, want ErrNotFound", missing.Tenant, missing.Name, missing.Version, err)
			}
		}
		all, err := s.NewestPolicies(ctx, "acme", 10)
		if err != nil || len(all) != 2 || all[0].Name != "hi" || all[1].Name != "hiring" || all[1].Version != 300 {
			t.Errorf("newest: %+v, %v", all, err)
		}
		if one, err := s.NewestPolicies(ctx, "acme", 1); err != nil || len(one) != 1 {
			t.Errorf("newest with limit 1: %d, %v", len(one), err)
		}
	})
	t.Run("a version is taken once", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		var won atomic.Int32
		var wg sync.WaitGroup
		for n := range 16 {
			wg.Go(func() {
				one := stored("acme", "hiring", 1)
				one.CreatedBy = fmt.Sprint(n)
				if err := s.AddPolicy(ctx, one); err == nil {
					won.Add(1)
				} else if !errors.Is(err, policies.ErrVersion) {
					t.Errorf("AddPolicy: %v", err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d took one version, want 1", won.Load())
		}
	})
}
