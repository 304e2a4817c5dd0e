package did_test

import (
	"errors"
	"testing"

	"heartmark/internal/did"
)

// TestRevokedMethod: a method that its document marks as revoked serves no purpose, even where it is still listed.
func TestRevokedMethod(t *testing.T) {
	t.Parallel()
	const id = "did:web:issuer.example"
	document := func(revoked string) []byte {
		return []byte(`{"@context":["https://www.w3.org/ns/did/v1","https://w3id.org/security/multikey/v1"],"id":"` + id + `",` +
			`"verificationMethod":[{"id":"` + id + `#k","type":"Multikey","controller":"` + id + `"` + revoked +
			`,"publicKeyMultibase":"z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"}],"assertionMethod":["` + id + `#k"]}`)
	}
	for revoked, want := range map[string]error{"": nil, `,"revoked":"2026-01-10T09:00:00Z"`: did.ErrPurpose} {
		doc, err := did.ParseDocument(id, document(revoked))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := doc.Method(id+"#k", did.AssertionMethod); !errors.Is(err, want) {
			t.Errorf("with %q: %v, want %v", revoked, err, want)
		}
	}
}
