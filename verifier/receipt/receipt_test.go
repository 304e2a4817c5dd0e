package receipt_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/receipt"
)

func TestReceiptSaysNothingOfTheInput(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)
	const secret = "Ada Lovelace"
	r := verifier.Result{
		Verdict: verifier.Invalid, Policy: "hiring", PolicyVersion: "3", CheckedAt: at, Kind: verifier.KindPresentation, Digest: "sha256-AAAA",
		Checks: []verifier.Check{
			{ID: verifier.CheckModel, Outcome: verifier.Fail, Code: "model_malformed", Detail: "found " + secret, Pointer: "/" + secret, About: secret},
			{ID: verifier.CheckProof, Outcome: verifier.Pass, Code: "proof_ok", Evidence: &verifier.Evidence{Source: "did:key:" + secret, FetchedAt: at, Digest: "sha256-BBBB"}},
		},
		Credential: map[string]any{"name": secret}, Summary: verifier.Summary{Name: secret, HolderID: secret},
		Inner: []verifier.Result{{Verdict: verifier.Valid, Credential: map[string]any{"name": secret}}},
	}
	credential, err := receipt.Credential(r, "urn:uuid:7c6c1b6e-0a58-4a55-9b5f-6a2f7a0d8f11", "did:web:dei.example:acme")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(credential)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(raw), secret) {
		t.Errorf("the receipt repeats the input: %s", raw)
	}
	for _, part := range []string{`"verdict":"invalid"`, `"policy":"hiring"`, `"policyVersion":"3"`, "sha256-AAAA", "sha256-BBBB", "model_malformed", `"inner":["valid"]`, receipt.Type} {
		if !strings.Contains(string(raw), part) {
			t.Errorf("the receipt lacks %s: %s", part, raw)
		}
	}
	parsed, err := schemas.ParseObject(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := schemas.ValidateCredential(parsed); err != nil {
		t.Errorf("the receipt is no credential: %v", err)
	}
	r.Digest = ""
	if _, err := receipt.Credential(r, "urn:uuid:x", "did:web:a"); !errors.Is(err, receipt.ErrNoDigest) {
		t.Errorf("without a digest: %v", err)
	}
}

func TestDigestOfADocument(t *testing.T) {
	t.Parallel()
	parse := func(text string) map[string]any {
		m, err := schemas.ParseObject([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	one, err := receipt.Digest(parse(`{"a":1,"b":[true,"x"]}`))
	if err != nil || !strings.HasPrefix(one, "jcs-sha256-") {
		t.Fatalf("%s, %v", one, err)
	}
	if same, _ := receipt.Digest(parse(`{ "b":[true,"x"], "a":1 }`)); same != one {
		t.Error("the same document has two digests")
	}
	if other, _ := receipt.Digest(parse(`{"a":2,"b":[true,"x"]}`)); other == one {
		t.Error("another document has the same digest")
	}
}
