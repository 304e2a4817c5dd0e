package assessment_test

import (
	"errors"
	"slices"
	"testing"

	"heartmark/assessment"
	"heartmark/schemas"
)

// certifiable is a report whose dimensions have the given probabilities of being proficient.
func certifiable(p ...float64) assessment.Report {
	level := "proficient"
	r := assessment.Report{
		ID: "r1", Subject: "s1", Platforms: []string{"a", "b"}, Window: assessment.Window{From: "2026-01-01", To: "2026-02-01"},
		Model:      assessment.ReportModel{ID: "m", SHA256: "ab", Scale: "v0-provisional"},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{}, Quality: assessment.Quality{Languages: map[string]float64{"zh": 0.4, "en": 0.6}},
		Provenance: assessment.Provenance{BatchDigests: []string{"sha256:00"}, Policy: "2026-01", Purposes: []string{"process", "score", "issue", "automated"}},
	}
	for i, d := range schemas.Dimensions() {
		if i >= len(p) || p[i] == 0 {
			r.Dimensions[d] = assessment.DimensionReport{Status: assessment.StatusScored, Level: &level}
			continue
		}
		r.Dimensions[d] = assessment.DimensionReport{Status: assessment.StatusScored, Level: &level, Certifiable: &level, PLevel: &assessment.PLevel{Developing: 1, Proficient: p[i]}}
	}
	r.Overall = assessment.Overall{Status: assessment.StatusScored, Certifiable: &level, PLevel: &assessment.PLevel{Developing: 1, Proficient: 0.99}}
	return r
}

func TestAttestation(t *testing.T) {
	t.Parallel()
	sa, sm, so, sk := schemas.DimensionSelfAwareness, schemas.DimensionSelfManagement, schemas.DimensionSocialAwareness, schemas.DimensionSocialSkills
	for name, c := range map[string]struct {
		report  assessment.Report
		options assessment.AttestationOptions
		want    []schemas.Dimension
		waiting []schemas.Dimension
	}{
		"all":                {certifiable(0.97, 0.96, 0.99, 0.95), assessment.AttestationOptions{}, []schemas.Dimension{schemas.DimensionOverall, sa, sm, so, sk}, nil},
		"near a border":      {certifiable(0.97, 0.94, 0.99, 0.91), assessment.AttestationOptions{}, []schemas.Dimension{sa, so}, []schemas.Dimension{sm, sk}},
		"released":           {certifiable(0.97, 0.94), assessment.AttestationOptions{Released: []schemas.Dimension{sm}}, []schemas.Dimension{sa, sm}, nil},
		"flagged":            {certifiable(0.97, 0.98), assessment.AttestationOptions{Flagged: []schemas.Dimension{sa}}, []schemas.Dimension{sm}, []schemas.Dimension{sa}},
		"not certifiable":    {certifiable(0, 0, 0.99), assessment.AttestationOptions{}, []schemas.Dimension{so}, nil},
		"before issue":       {certifiable(0.97, 0.96), assessment.AttestationOptions{Review: schemas.ReviewBeforeIssue}, nil, []schemas.Dimension{sa, sm}},
		"before, released":   {certifiable(0.97, 0.91), assessment.AttestationOptions{Review: schemas.ReviewBeforeIssue, Released: []schemas.Dimension{sm}}, []schemas.Dimension{sm}, []schemas.Dimension{sa}},
		"nothing to certify": {certifiable(), assessment.AttestationOptions{}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := assessment.Attestation(c.report, c.options)
			if err != nil {
				t.Fatal(err)
			}
			var got []schemas.Dimension
			for _, l := range a.Levels {
				got = append(got, l.Dimension)
				if len(l.Confidence) != 4 {
					t.Errorf("confidence %q, want two decimals", l.Confidence)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("levels %v, want %v", got, c.want)
			}
			if waiting := assessment.NeedsReview(c.report, c.options); !slices.Equal(waiting, c.waiting) {
				t.Errorf("waiting %v, want %v", waiting, c.waiting)
			}
		})
	}
}

func TestAttestationConsent(t *testing.T) {
	t.Parallel()
	r := certifiable(0.99)
	r.Provenance.Purposes = []string{"process", "score", "automated"}
	if _, err := assessment.Attestation(r, assessment.AttestationOptions{}); !errors.Is(err, assessment.ErrNoConsentToIssue) {
		t.Errorf("without issue: %v", err)
	}
	r.Provenance.Purposes = []string{"process", "score", "issue"}
	if _, err := assessment.Attestation(r, assessment.AttestationOptions{}); !errors.Is(err, assessment.ErrNoConsentToIssue) {
		t.Errorf("on request without automated: %v", err)
	}
	a, err := assessment.Attestation(r, assessment.AttestationOptions{Review: schemas.ReviewBeforeIssue, PlatformDIDs: map[string]string{"b": "did:web:b.example"}})
	if err != nil || !slices.Equal(a.Platforms, []string{"did:web:b.example"}) || !slices.Equal(a.Languages, []string{"en", "zh"}) || a.ModelDigest != "sha256:ab" {
		t.Errorf("Attestation = %+v, %v", a, err)
	}
}
