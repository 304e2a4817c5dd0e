package verifier_test

import (
	"fmt"

	"heartmark/verifier"
)

// A verdict is a function of checks and policy: what fails under the closed policy may be only reported under another,
// and the result says which one was used.
func ExamplePolicy_Decide() {
	checks := []verifier.Check{
		{ID: verifier.CheckProof, Outcome: verifier.Pass, Code: "proof_ok"},
		{ID: verifier.CheckAuthority, Outcome: verifier.Fail, Code: "authority_inactive", About: "now"},
	}
	closed := verifier.Policy{Name: "closed", Version: "1"}
	past := verifier.Policy{Name: "past", Version: "1", Rules: map[verifier.CheckID]verifier.Rule{verifier.CheckAuthority: verifier.Report}}
	fmt.Println(closed.Decide(checks), past.Decide(checks))
	// Output: invalid valid
}
