package dataintegrity_test

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/schemas"
)

const origin = "https://hm.example"

// sample returns a DEI credential with five levels as it comes from the wire.
func sample(t testing.TB) map[string]any {
	t.Helper()
	return document(t, profileCredential())
}

// small returns a DEI credential about one dimension.
func small(t testing.TB) map[string]any {
	t.Helper()
	return document(t, smallCredential())
}

func profileCredential() schemas.DEICredential {
	return credentialOf(schemas.AchievementProfile, schemas.ResultDimensions()...)
}

func smallCredential() schemas.DEICredential {
	return credentialOf(string(schemas.DimensionSelfManagement), schemas.DimensionSelfManagement)
}

func document(t testing.TB, c schemas.DEICredential) map[string]any {
	t.Helper()
	doc, err := c.Document()
	if err != nil {
		t.Fatal(err)
	}
	return clone(t, doc)
}

func credentialOf(achievement string, dimensions ...schemas.Dimension) schemas.DEICredential {
	from := time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)
	hexes := func(c string) string { return strings.Repeat(c, 64) }
	var levels []schemas.LevelClaim
	for _, d := range dimensions {
		levels = append(levels, schemas.LevelClaim{Dimension: d, Level: schemas.LevelProficient, Confidence: "0.93"})
	}
	return schemas.DEICredential{
		ID:       "urn:uuid:6f1c4b1e-7a56-4c50-9e1d-0a5d0c1c7f11",
		Issuer:   schemas.IssuerProfile{ID: "did:web:hm.example:acme", Name: "Acme", URL: "https://acme.example"},
		HolderID: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", ValidFrom: from, ValidUntil: from.AddDate(1, 0, 0),
		Language: "en", Origin: origin, Achievement: achievement,
		Attestation: schemas.Attestation{
			ReportID: "r1", SubjectRef: "u7", Levels: levels,
			Method: "dei-assessment/1", Model: "dei-m1", ModelDigest: hexes("a"), Scale: "v0-provisional",
			WindowStart: "2025-11-01", WindowEnd: "2026-01-09", Languages: []string{"en", "zh"},
			Platforms: []string{"did:web:plaza.example"}, BatchDigests: []string{"sha256:" + hexes("b")},
			ConsentVersion: "2026-01", Purposes: []string{"process", "score", "issue"}, Audience: []string{"employers"},
			Review: schemas.ReviewOnRequest,
		},
		Status: []schemas.StatusEntry{
			{Purpose: schemas.PurposeRevocation, Index: 94567, ListURL: origin + "/status/3/revocation"},
			{Purpose: schemas.PurposeSuspension, Index: 94567, ListURL: origin + "/status/3/suspension"},
		},
	}
}

func clone(t testing.TB, doc map[string]any) map[string]any {
	t.Helper()
	data, err := schemas.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	out, err := schemas.ParseObject(data)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func testKey(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func assertion(suite string) dataintegrity.ProofOptions {
	return dataintegrity.ProofOptions{
		VerificationMethod: "did:web:hm.example:acme#key-1", Purpose: "assertionMethod", Cryptosuite: suite,
		Created: time.Date(2026, 1, 10, 9, 0, 1, 0, time.UTC),
	}
}

func sign(t testing.TB, p *dataintegrity.Processor, doc map[string]any, o dataintegrity.ProofOptions, key ed25519.PrivateKey) map[string]any {
	t.Helper()
	signed, err := p.Sign(doc, o, key)
	if err != nil {
		t.Fatal(err)
	}
	return clone(t, signed)
}

func firstProof(t testing.TB, doc map[string]any) map[string]any {
	t.Helper()
	proofs, err := dataintegrity.Proofs(doc)
	if err != nil {
		t.Fatal(err)
	}
	return proofs[0]
}
