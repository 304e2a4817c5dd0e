package schemas

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ErrNothingToState is returned for an attestation with no level to state: nothing is issued from it. The subject needs
// more evidence.
var ErrNothingToState = errors.New("no level to state")

// IssuerProfile is the issuer as an Open Badges profile.
type IssuerProfile struct {
	// ID is the issuer's DID. Name is what people read; URL is its page and may be empty.
	ID, Name, URL string
}

// StatusEntry points to one bit of one status list.
type StatusEntry struct {
	// Purpose is PurposeRevocation or PurposeSuspension.
	Purpose string
	Index   uint64
	// ListURL is the whole URL of the list's credential.
	ListURL string
}

// DEICredential holds all that goes into one DEI credential. Document builds the credential from it.
type DEICredential struct {
	ID     CredentialID
	Issuer IssuerProfile
	// HolderID is the holder's DID.
	HolderID              string
	ValidFrom, ValidUntil time.Time
	// AwardedAt is when the achievement was earned; zero means ValidFrom.
	AwardedAt time.Time
	// Language is that of the credential's texts: a tag of English or Chinese.
	Language string
	// Origin is the public origin of the installation, without a slash at its end.
	Origin      string
	Attestation Attestation
	// Status has one entry for each purpose; with one entry alone it is written as an object, since the schema of Open
	// Badges takes no array there.
	Status []StatusEntry
	// Achievement is AchievementProfile (also when empty) or the code of one dimension.
	Achievement string
}

// Document returns the unsecured credential: VC Data Model 2.0 and Open Badges 3.0, sets as arrays, no null and no
// empty array, all DEI values strings. The same value gives the same document. It returns ErrNothingToState when the
// attestation has no level for the achievement, and a *FieldError for what may not be in a credential.
func (c DEICredential) Document() (map[string]any, error) {
	code := c.Achievement
	if code == "" {
		code = AchievementProfile
	}
	achievement, err := NewAchievement(c.Origin, code, c.Language)
	if err != nil {
		return nil, &FieldError{Pointer: "/achievement", Expected: "a known achievement", Err: err}
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	claims, err := stated(c.Attestation.Levels, code)
	if err != nil {
		return nil, err
	}
	evidence, err := c.evidence(claims, achievement.Language)
	if err != nil {
		return nil, err
	}
	awarded := c.AwardedAt
	if awarded.IsZero() {
		awarded = c.ValidFrom
	}
	doc := map[string]any{
		"@context":          []any{ContextV2, ContextOpenBadges, c.Origin + ContextDEIPath},
		"id":                string(c.ID),
		"type":              []any{TypeVerifiableCredential, TypeOpenBadgeCredential},
		"name":              credentialName(claims, achievement.Language),
		"issuer":            c.Issuer.fields(),
		"validFrom":         FormatTime(c.ValidFrom),
		"validUntil":        FormatTime(c.ValidUntil),
		"awardedDate":       FormatTime(awarded),
		"credentialSubject": c.subject(claims, achievement),
		"evidence":          []any{evidence},
		"termsOfUse":        []any{c.termsOfUse()},
		"credentialSchema": []any{map[string]any{
			"id": c.Origin + SchemaDEIPath, "type": TypeJSONSchema, "digestSRI": SchemaDigestSRI(SchemaDEI),
		}},
	}
	if status := c.status(); status != nil {
		doc["credentialStatus"] = status
	}
	return doc, nil
}

func (p IssuerProfile) fields() map[string]any {
	m := map[string]any{"id": p.ID, "type": []any{"Profile"}, "name": p.Name}
	if p.URL != "" {
		m["url"] = p.URL
	}
	return m
}

func (c DEICredential) subject(claims []LevelClaim, a Achievement) map[string]any {
	results := make([]any, 0, len(claims))
	for _, claim := range claims {
		results = append(results, map[string]any{
			"type":              []any{"Result"},
			"resultDescription": ResultDescriptionID(a.ID, claim.Dimension),
			"achievedLevel":     LevelID(a.ID, claim.Dimension, claim.Level),
		})
	}
	return map[string]any{
		"id": c.HolderID, "type": []any{"AchievementSubject"},
		"activityStartDate": c.Attestation.WindowStart + "T00:00:00Z",
		"activityEndDate":   c.Attestation.WindowEnd + "T00:00:00Z",
		"source": map[string]any{
			"id": c.Origin + "/assessment", "type": []any{"Profile"},
			"name": pick(text{"Heartmark assessment", "Heartmark 评估"}, a.Language),
		},
		"achievement": a.Map(),
		"result":      results,
	}
}

func (c DEICredential) evidence(claims []LevelClaim, lang string) (map[string]any, error) {
	at := c.Attestation
	model, err := digestText(at.ModelDigest)
	if err != nil {
		return nil, &FieldError{Pointer: "/attestation/model_digest", Expected: "SHA-256 in hex", Err: err}
	}
	confidence := make([]any, 0, len(claims))
	for _, claim := range claims {
		confidence = append(confidence, map[string]any{
			"deiDimension": string(claim.Dimension), "deiValue": claim.Confidence,
		})
	}
	m := map[string]any{
		"id": evidenceID(c.ID), "type": []any{"Evidence", TypeDEIAssessment},
		"genre":     pick(text{"automated assessment", "自动评估"}, lang),
		"narrative": narrative(at, claims, lang),
		"deiMethod": at.Method, "deiModel": at.Model, "deiModelDigest": model, "deiScale": at.Scale,
		"deiWindowStart": at.WindowStart, "deiWindowEnd": at.WindowEnd,
		"deiLanguage": anyStrings(at.Languages), "deiConsent": at.ConsentVersion, "deiPurpose": anyStrings(at.Purposes),
		"deiReview": at.Review, "deiConfidence": confidence,
	}
	if len(at.Platforms) > 0 {
		m["deiPlatform"] = anyStrings(at.Platforms)
	}
	if len(at.BatchDigests) > 0 {
		digests := make([]any, 0, len(at.BatchDigests))
		for i, d := range at.BatchDigests {
			value, err := digestText(d)
			if err != nil {
				return nil, &FieldError{Pointer: "/attestation/batch_digests/" + strconv.Itoa(i), Expected: "SHA-256 in hex", Err: err}
			}
			digests = append(digests, value)
		}
		m["deiBatchDigest"] = digests
	}
	return m, nil
}

func (c DEICredential) termsOfUse() map[string]any {
	m := map[string]any{"type": TypeDEITermsOfUse, "deiPurpose": anyStrings(c.Attestation.Purposes)}
	if len(c.Attestation.Audience) > 0 {
		m["deiAudience"] = anyStrings(c.Attestation.Audience)
	}
	return m
}

func (c DEICredential) status() any {
	entries := make([]any, 0, len(c.Status))
	for _, s := range c.Status {
		index := strconv.FormatUint(s.Index, 10)
		entries = append(entries, map[string]any{
			"id": s.ListURL + "#" + index, "type": TypeStatusEntry, "statusPurpose": s.Purpose,
			"statusListIndex": index, "statusListCredential": s.ListURL,
		})
	}
	switch len(entries) {
	case 0:
		return nil
	case 1:
		return entries[0]
	}
	return entries
}

// evidenceID names the evidence of one credential. It is drawn from the credential's random id, so that a retry gives
// the same document and copies for other keys do not share it. RFC 9562, section 5.8: version 8, variant 10.
func evidenceID(id CredentialID) string {
	h := sha256.Sum256([]byte("heartmark/evidence/v1\x00" + string(id)))
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

func anyStrings(in []string) []any {
	out := make([]any, len(in))
	for i, s := range in {
		out[i] = s
	}
	return out
}
