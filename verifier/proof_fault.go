package verifier

import (
	"errors"

	"heartmark/internal/proof/dataintegrity"
)

// proofFault turns what a proof checker found into a finding. What it does not know is a signature that does not hold.
func (r *run) proofFault(err error, at string) {
	switch {
	case errors.Is(err, dataintegrity.ErrUnknownSuite):
		r.add("proof_suite_unknown", at+"/cryptosuite")
	case errors.Is(err, dataintegrity.ErrKey):
		r.add("proof_suite_mismatch", at+"/cryptosuite")
	case errors.Is(err, dataintegrity.ErrUndefinedTerm):
		r.add("proof_undefined_term", at).say(shorten(err.Error()))
	case errors.Is(err, dataintegrity.ErrBudget):
		r.add("proof_budget", at)
	case errors.Is(err, dataintegrity.ErrPreviousProof):
		r.add("proof_chain", at)
	case errors.Is(err, dataintegrity.ErrProofShape), errors.Is(err, dataintegrity.ErrNoProof):
		r.add("proof_malformed", at).say(shorten(err.Error()))
	case errors.Is(err, dataintegrity.ErrDocument), errors.Is(err, dataintegrity.ErrContext):
		r.add("proof_transformation", at).say(shorten(err.Error()))
	default:
		r.add("proof_invalid", at)
	}
}
