package schemas_test

import (
	"fmt"
	"time"

	"heartmark/schemas"
)

// A report that can certify one level becomes a credential that states it.
func ExampleDEICredential_Document() {
	from := time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)
	doc, err := schemas.DEICredential{
		ID:       "urn:uuid:6f1c4b1e-7a56-4c50-9e1d-0a5d0c1c7f11",
		Issuer:   schemas.IssuerProfile{ID: "did:web:hm.example:acme", Name: "Acme"},
		HolderID: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", ValidFrom: from, ValidUntil: from.AddDate(1, 0, 0),
		Language: "zh", Origin: "https://hm.example", Achievement: "social_awareness",
		Attestation: schemas.Attestation{
			Levels: []schemas.LevelClaim{{Dimension: schemas.DimensionSocialAwareness, Level: schemas.LevelProficient, Confidence: "0.93"}},
			Method: "dei-assessment/1", Model: "dei-m1", ModelDigest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
			Scale: "v0-provisional", WindowStart: "2025-11-01", WindowEnd: "2026-01-09", Languages: []string{"zh"},
			ConsentVersion: "2026-01", Purposes: []string{"issue"}, Review: schemas.ReviewOnRequest,
		},
	}.Document()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(doc["name"], doc["validUntil"])
	// Output: 数字情商：社交意识达到熟练 2027-01-10T09:00:00Z
}

func ExampleLevel_Rubric() {
	fmt.Println(schemas.LevelProficient.Rubric(schemas.DimensionSocialAwareness, "en"))
	// Output: Puts the other person's feeling into words and asks about it.
}
