package registry_test

import (
	"testing"
	"time"

	"heartmark/registry"
	"heartmark/schemas/trust"
)

// A credential that states an earlier time ends where its authority was stopped, so that nobody who lost one gets it anew.
func TestAccreditationOfThePast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	id := w.grant(registry.Grant{Name: "Acme"})[0].ID
	holds := func(made, at time.Time) bool {
		t.Helper()
		found, err := w.Accreditations(ctx, tenant, resource, made)
		must(t, err)
		if len(found) == 0 {
			return false
		}
		_, err = trust.CheckAccreditation(ownDID, found[0].Credential, found[0].Chain, at, func(map[string]any) error { return nil })
		return err == nil
	}
	granted := w.clock.Now()
	steps := []struct {
		name string
		do   func() error
	}{
		{"suspend", func() error { _, err := w.Suspend(ctx, operator(), id, ""); return err }},
		{"reinstate", func() error { _, err := w.Reinstate(ctx, operator(), id, ""); return err }},
		{"withdraw", func() error { _, err := w.Withdraw(ctx, operator(), id, time.Time{}, ""); return err }},
	}
	at := []time.Time{granted}
	for _, s := range steps {
		w.clock.Advance(time.Hour)
		must(t, s.do())
		at = append(at, w.clock.Now())
	}
	half := 30 * time.Minute
	for name, c := range map[string]struct {
		made, at time.Time
		want     bool
	}{
		"before the suspension":                   {at[0].Add(half), at[0].Add(half), true},
		"before the suspension, read later":       {at[0].Add(half), at[1], false},
		"before the suspension, read now":         {at[0].Add(half), w.clock.Now(), false},
		"while suspended":                         {at[1].Add(half), at[1].Add(half), false},
		"after the reinstatement":                 {at[2].Add(half), at[2].Add(half), true},
		"after it, read for the suspended time":   {at[2].Add(half), at[1].Add(half), false},
		"after it, read when withdrawn":           {at[2].Add(half), at[3], false},
		"withdrawn":                               {at[3], at[3], false},
		"further ahead than anything can be said": {at[3].AddDate(0, 0, 2), at[3].AddDate(0, 0, 2), false},
	} {
		if got := holds(c.made, c.at); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
