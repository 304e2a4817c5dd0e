// Package receipt makes a verdict a credential of its own (protocols.md, 15): what was checked, when, by whom and under which
// policy, with the digest of the input and of what the checks relied on, and nothing of what the input says. The verifier
// reads it like any other credential, once it is signed as vc+jwt.
package receipt

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"heartmark/schemas"
	"heartmark/verifier"
)

// Type is the credential type of a receipt, which an issuer of receipts is authorised for: a name of the DEI vocabulary, in
// full since its context has no term for it.
const Type = "https://w3id.org/heartmark/dei#VerificationReceipt"

// MediaType is typ of the token that secures a receipt.
const MediaType = "vc+jwt"

// ErrNoDigest is returned for a result whose input has no digest.
var ErrNoDigest = errors.New("the input has no digest")

// Credential returns the receipt of a result, unsigned. id is a URN of the receipt's own, issuer the DID of who verified. The
// subject is the input by its digest; of the checks stand id, outcome, code and evidence, without pointers and details, which
// may repeat what the input says.
func Credential(r verifier.Result, id, issuer string) (map[string]any, error) {
	if r.Digest == "" {
		return nil, ErrNoDigest
	}
	return map[string]any{
		"@context": []any{schemas.ContextV2}, "id": id, "type": []any{schemas.TypeVerifiableCredential, Type}, "issuer": issuer,
		"validFrom":         schemas.FormatTime(r.CheckedAt),
		"credentialSubject": subject(r),
	}, nil
}

func subject(r verifier.Result) map[string]any {
	checks := make([]any, len(r.Checks))
	for i, c := range r.Checks {
		check := map[string]any{"check": string(c.ID), "outcome": string(c.Outcome), "code": c.Code}
		if c.Evidence != nil {
			if evidence := evidence(*c.Evidence); len(evidence) > 0 {
				check["evidence"] = evidence
			}
		}
		checks[i] = check
	}
	out := map[string]any{
		"verdict": string(r.Verdict), "policy": r.Policy, "policyVersion": r.PolicyVersion, "checkedAt": schemas.FormatTime(r.CheckedAt),
		"inputDigest": r.Digest, "checks": checks,
	}
	if r.Kind != "" {
		out["kind"] = string(r.Kind)
	}
	var inner []any
	for _, one := range r.Inner {
		inner = append(inner, string(one.Verdict))
	}
	if inner != nil {
		out["inner"] = inner
	}
	return out
}

// evidence leaves out sources that are identifiers of a person's key: only what is published stands in a receipt.
func evidence(e verifier.Evidence) map[string]any {
	out := map[string]any{}
	if e.Digest != "" {
		out["digest"] = e.Digest
	}
	if !e.FetchedAt.IsZero() {
		out["fetchedAt"] = schemas.FormatTime(e.FetchedAt)
	}
	return out
}

// Digest is that of an input that came as part of another document: of its canonical form (RFC 8785), marked as such.
func Digest(document map[string]any) (string, error) {
	canonical, err := schemas.CanonicalJSON(document)
	if err != nil {
		return "", fmt.Errorf("canonical form: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return "jcs-sha256-" + base64.StdEncoding.EncodeToString(sum[:]), nil
}
