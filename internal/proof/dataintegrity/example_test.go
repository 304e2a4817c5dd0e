package dataintegrity_test

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/schemas/context"
)

func ExampleProcessor() {
	loader, err := context.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	p := dataintegrity.New(loader)
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	credential := map[string]any{
		"@context":          []any{dataintegrity.ContextV2},
		"type":              []any{"VerifiableCredential"},
		"issuer":            "did:example:issuer",
		"credentialSubject": map[string]any{"id": "did:example:holder"},
	}
	signed, err := p.Sign(credential, dataintegrity.ProofOptions{
		VerificationMethod: "did:example:issuer#key-1",
		Purpose:            "assertionMethod",
		Created:            time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC),
	}, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	proofs, err := dataintegrity.Proofs(signed)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(proofs[0]["cryptosuite"], p.Check(signed, proofs[0], key.Public()))
	signed["issuer"] = "did:example:other"
	fmt.Println(p.Check(signed, proofs[0], key.Public()))
	// Output:
	// eddsa-rdfc-2022 <nil>
	// proof does not verify
}
