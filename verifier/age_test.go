package verifier_test

import (
	"testing"
	"time"

	"heartmark/verifier"
)

// TestSEC_078_ListThatCameOld: a list out of a snapshot is as old as the snapshot. It counts for its ttl and what the policy
// adds, never past its validUntil, and its age is told.
func TestSEC_078_ListThatCameOld(t *testing.T) {
	t.Parallel()
	patient := verifier.Policy{Name: "patient", Version: "1", Skew: time.Minute, MaxStale: 24 * time.Hour}
	for name, tc := range map[string]struct {
		age    time.Duration
		policy string
		want   verifier.Verdict
		code   string
	}{
		"just made":                    {0, verifier.DefaultPolicy, verifier.Valid, "status_ok"},
		"at the end of its ttl":        {5 * time.Minute, verifier.DefaultPolicy, verifier.Valid, "status_ok"},
		"past its ttl":                 {5*time.Minute + time.Second, verifier.DefaultPolicy, verifier.Undetermined, "status_stale"},
		"past it, by a patient policy": {5*time.Minute + time.Second, "patient", verifier.Valid, "status_ok"},
		"hours old":                    {23 * time.Hour, "patient", verifier.Valid, "status_ok"},
		"at its validUntil":            {24 * time.Hour, "patient", verifier.Undetermined, "status_verification"},
		"days old":                     {72 * time.Hour, "patient", verifier.Undetermined, "status_verification"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			credential := w.credential(t)
			for url, list := range w.lists {
				list.AsOf = start
				w.lists[url] = list
			}
			w.clock.Advance(tc.age)
			v := w.verifier(t, patient)
			for range 2 { // from the source, and with what was verified in memory
				r := w.verify(t, v, credential, func(in *verifier.Input) { in.Policy = tc.policy })
				want(t, r, tc.want, tc.code)
				for _, c := range r.Find(verifier.CheckStatus) {
					if c.Evidence != nil && c.Outcome == verifier.Pass && !c.Evidence.FetchedAt.Equal(start) {
						t.Errorf("evidence is of %s, want %s", c.Evidence.FetchedAt, start)
					}
				}
			}
		})
	}
}
