package oid4vci_test

import (
	"errors"
	"strings"
	"testing"

	"heartmark/issuer/oid4vci"
)

// checkFault: whatever a stranger sends is read, or refused in the dialect of OAuth.
func checkFault(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	e, ok := errors.AsType[*oid4vci.Error](err)
	if !ok || e.Status != 400 || e.Code == "" || strings.ContainsAny(e.Description, "\"\\") || strings.ContainsFunc(e.Description, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("%v is no answer for a wallet", err)
	}
}

func FuzzParseCredentialRequest(f *testing.F) {
	for _, seed := range []string{
		`{"credential_configuration_id":"a","proofs":{"jwt":["x"]}}`, `{"credential_identifier":"a","proof":{"proof_type":"jwt","jwt":"x"}}`,
		`{"proofs":{"di_vp":[{"type":"VerifiablePresentation"}]},"credential_response_encryption":{"jwk":{"kty":"EC","crv":"P-256","alg":"ECDH-ES"},"enc":"A128GCM"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := oid4vci.ParseCredentialRequest(body)
		checkFault(t, err)
		if err == nil && r.ProofType == "" && len(r.Proofs)+len(r.Presentations) > 0 {
			t.Errorf("proofs without a type: %+v", r)
		}
	})
}

func FuzzParseDeferredRequest(f *testing.F) {
	f.Add([]byte(`{"transaction_id":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := oid4vci.ParseDeferredRequest(body)
		checkFault(t, err)
		if err == nil && r.TransactionID == "" {
			t.Error("a request without transaction was read")
		}
	})
}

// FuzzRequestURI: a request address opens nothing unless it is the one that was given out.
func FuzzRequestURI(f *testing.F) {
	f.Add("urn:ietf:params:oauth:request_uri:x", "w")
	f.Fuzz(func(t *testing.T, address, client string) {
		w := newWorld(t, nil)
		if _, err := w.Authorization(t.Context(), "acme", address, client); !errors.Is(err, oid4vci.ErrNotFound) {
			t.Errorf("%q: %v", address, err)
		}
	})
}
