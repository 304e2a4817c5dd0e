package verifier_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"heartmark/internal/testkit"
	"heartmark/verifier"
)

// TestDCCVectors verifies badges that another implementation issued, under a policy that asks for no authority: those
// issuers are nobody we know.
func TestDCCVectors(t *testing.T) {
	t.Parallel()
	dir := testkit.Shared(t, "vectors/dcc-verifier-core")
	trustless := verifier.Policy{Name: "trustless", Version: "1", Rules: map[verifier.CheckID]verifier.Rule{verifier.CheckAuthority: verifier.Omit}}
	for name, wanted := range map[string]struct {
		verdict verifier.Verdict
		code    string
	}{
		"v2-v2OBv3SpecExample":                          {verifier.Valid, "proof_ok"},
		"eddsaAndEd25519-v2-v2DoubleSigWithValidStatus": {verifier.Undetermined, "proof_ok"}, // the other proof is of an old suite
		"eddsa-v2-safeModeBreaker":                      {verifier.Invalid, ""},
		"v1-v1NoStatus":                                 {verifier.Invalid, ""}, // VC Data Model 1.1 needs a policy that names it
		"v2-v2NoStatus":                                 {verifier.Undetermined, "proof_suite_unknown"},
		"eddsa-v2-v2EddsaWithValidStatus":               {verifier.Invalid, "proof_ok"}, // its subject has neither id nor identifier, and its list is not at hand
	} {
		data, err := os.ReadFile(filepath.Join(dir, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t)
		w.clock.Advance(time.Hour)
		r, err := w.verifier(t, trustless).Verify(t.Context(), verifier.Input{Data: data, Policy: "trustless"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		found := wanted.code == ""
		for _, c := range r.Checks {
			found = found || c.Code == wanted.code
		}
		if r.Verdict != wanted.verdict || !found {
			t.Errorf("%s: %s, want %s with %s\n%s", name, r.Verdict, wanted.verdict, wanted.code, dump(r))
		}
		if closed, err := w.verifier(t).Verify(t.Context(), verifier.Input{Data: data}); err != nil || closed.Verdict == verifier.Valid {
			t.Errorf("%s under the default policy: %s, %v", name, closed.Verdict, err)
		}
	}
}
