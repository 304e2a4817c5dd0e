package verifier_test

import (
	"bytes"
	"errors"
	"testing"

	"heartmark/verifier"
)

// FuzzProofSet puts strangers' proofs into a good credential: only the very proofs of its issuer verify.
func FuzzProofSet(f *testing.F) {
	w := newWorld(f)
	w.grant(acme, "VerifiableCredential")
	v := w.verifier(f)
	signed := w.sign(f, plain(acme), acme+"#key-1", verifierAssertion)
	good := w.marshal(f, signed["proof"].([]any)[0].(map[string]any))
	rest := w.marshal(f, with(signed, "proof", nil))
	f.Add(good)
	f.Add([]byte(`[]`))
	f.Add([]byte(`{"type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022","proofPurpose":"assertionMethod","verificationMethod":"#","proofValue":"z"}`))
	f.Add([]byte(`[{"id":"urn:a:1","previousProof":"urn:a:1"}]`))
	f.Fuzz(func(t *testing.T, proof []byte) {
		data := append(bytes.Clone(rest[:len(rest)-1]), `,"proof":`...)
		data = append(append(data, proof...), '}')
		r, err := v.Verify(t.Context(), verifier.Input{Data: data})
		if err != nil && !errors.Is(err, verifier.ErrUnreadable) {
			t.Fatalf("error %v", err)
		}
		if r.Verdict == verifier.Valid && r.Summary.SignedBy != acme+"#key-1" {
			t.Errorf("valid, signed by %q", r.Summary.SignedBy)
		}
		for _, id := range verifier.CheckIDs() {
			if err == nil && len(r.Find(id)) == 0 {
				t.Errorf("check %s is not listed", id)
			}
		}
	})
}

// FuzzContextCheck puts strangers' contexts into a good credential: no other list of contexts verifies.
func FuzzContextCheck(f *testing.F) {
	w := newWorld(f)
	w.grant(acme, "VerifiableCredential")
	v := w.verifier(f)
	signed := w.sign(f, plain(acme), acme+"#key-1", verifierAssertion)
	rest := w.marshal(f, with(signed, "@context", nil))
	f.Add([]byte(`["https://www.w3.org/ns/credentials/v2"]`))
	f.Add([]byte(`["https://www.w3.org/ns/credentials/v2",{"@vocab":"https://x.example/"}]`))
	f.Add([]byte(`"https://www.w3.org/ns/credentials/v2"`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, contexts []byte) {
		data := append(append([]byte(`{"@context":`), contexts...), ',')
		data = append(data, rest[1:]...)
		r, err := v.Verify(t.Context(), verifier.Input{Data: data})
		if err != nil && !errors.Is(err, verifier.ErrUnreadable) {
			t.Fatalf("error %v", err)
		}
		if r.Verdict != verifier.Valid {
			return
		}
		// A list may carry more of the contexts at hand as long as nothing changes its meaning; it begins with the base.
		list, ok := r.Credential["@context"].([]any)
		if !ok || list[0] != "https://www.w3.org/ns/credentials/v2" {
			t.Errorf("valid under %s", contexts)
		}
		for _, c := range list {
			if _, ok := c.(string); !ok {
				t.Errorf("valid under %s", contexts)
			}
		}
	})
}
