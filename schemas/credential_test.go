package schemas_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"heartmark/schemas"
)

const origin = "https://hm.example"

func hexDigest(c string) string { return strings.Repeat(c, 64) }

// sample is a credential with two dimensions stated.
func sample() schemas.DEICredential {
	from := time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)
	return schemas.DEICredential{
		ID:       "urn:uuid:6f1c4b1e-7a56-4c50-9e1d-0a5d0c1c7f11",
		Issuer:   schemas.IssuerProfile{ID: "did:web:hm.example:acme", Name: "Acme", URL: "https://acme.example"},
		HolderID: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", ValidFrom: from, ValidUntil: from.AddDate(1, 0, 0),
		Language: "en", Origin: origin,
		Attestation: schemas.Attestation{
			ReportID: "r1", SubjectRef: "u7",
			Levels: []schemas.LevelClaim{
				{Dimension: schemas.DimensionSocialAwareness, Level: schemas.LevelProficient, Confidence: "0.93"},
				{Dimension: schemas.DimensionSelfManagement, Level: schemas.LevelDeveloping, Confidence: "0.97"},
			},
			Method: "dei-assessment/1", Model: "dei-m1", ModelDigest: hexDigest("a"), Scale: "v0-provisional",
			WindowStart: "2025-11-01", WindowEnd: "2026-01-09", Languages: []string{"en", "zh"},
			Platforms: []string{"did:web:plaza.example"}, BatchDigests: []string{"sha256:" + hexDigest("b")},
			ConsentVersion: "2026-01", Purposes: []string{"process", "score", "issue"}, Audience: []string{"employers"},
			Review: schemas.ReviewOnRequest,
		},
		Status: []schemas.StatusEntry{
			{Purpose: schemas.PurposeRevocation, Index: 94567, ListURL: origin + "/status/3/revocation"},
			{Purpose: schemas.PurposeSuspension, Index: 94567, ListURL: origin + "/status/3/suspension"},
		},
	}
}

func document(t *testing.T, c schemas.DEICredential) map[string]any {
	t.Helper()
	doc, err := c.Document()
	if err != nil {
		t.Fatalf("Document() = %v", err)
	}
	return reparse(t, doc)
}

// reparse sends a document through the wire form and the strict parser.
func reparse(t *testing.T, doc map[string]any) map[string]any {
	t.Helper()
	data, err := schemas.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	out, err := schemas.ParseObject(data)
	if err != nil {
		t.Fatalf("the document does not pass the strict parser: %v", err)
	}
	return out
}

// at returns the value at a path of member names and indexes.
func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				t.Fatalf("%v: no object before %q", path, s)
			}
			v = m[s]
		case int:
			l, ok := v.([]any)
			if !ok || s >= len(l) {
				t.Fatalf("%v: no item %d", path, s)
			}
			v = l[s]
		}
	}
	return v
}

func allLevels(overall, each schemas.Level) []schemas.LevelClaim {
	claims := []schemas.LevelClaim{{Dimension: schemas.DimensionOverall, Level: overall, Confidence: "0.91"}}
	for _, d := range schemas.Dimensions() {
		claims = append(claims, schemas.LevelClaim{Dimension: d, Level: each, Confidence: "1.00"})
	}
	return claims
}

func TestDocumentHoldsWhatTheDesignSays(t *testing.T) {
	t.Parallel()
	doc := document(t, sample())
	profile := origin + "/achievements/dei/profile/v1"
	want := map[string]struct {
		path []any
		want any
	}{
		"base context":     {[]any{"@context", 0}, "https://www.w3.org/ns/credentials/v2"},
		"badge context":    {[]any{"@context", 1}, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"},
		"dei context":      {[]any{"@context", 2}, origin + "/contexts/dei/v1"},
		"type":             {[]any{"type", 1}, "OpenBadgeCredential"},
		"name":             {[]any{"name"}, "Digital Emotional Intelligence: proficient in social awareness, developing in self-management"},
		"issuer":           {[]any{"issuer", "id"}, "did:web:hm.example:acme"},
		"awarded":          {[]any{"awardedDate"}, "2026-01-10T09:00:00Z"},
		"until":            {[]any{"validUntil"}, "2027-01-10T09:00:00Z"},
		"achievement":      {[]any{"credentialSubject", "achievement", "id"}, profile},
		"related":          {[]any{"credentialSubject", "achievement", "related", 0, "id"}, profile + "/zh"},
		"first result":     {[]any{"credentialSubject", "result", 0, "achievedLevel"}, profile + "#self_management-2"},
		"second result":    {[]any{"credentialSubject", "result", 1, "resultDescription"}, profile + "#social_awareness"},
		"first described":  {[]any{"credentialSubject", "achievement", "resultDescription", 0, "id"}, profile + "#overall"},
		"rubric level":     {[]any{"credentialSubject", "achievement", "resultDescription", 1, "rubricCriterionLevel", 2, "level"}, "3"},
		"source":           {[]any{"credentialSubject", "source", "id"}, origin + "/assessment"},
		"activity start":   {[]any{"credentialSubject", "activityStartDate"}, "2025-11-01T00:00:00Z"},
		"evidence type":    {[]any{"evidence", 0, "type", 1}, "DEIAssessment"},
		"model digest":     {[]any{"evidence", 0, "deiModelDigest"}, "sha256:" + hexDigest("a")},
		"confidence":       {[]any{"evidence", 0, "deiConfidence", 1, "deiValue"}, "0.93"},
		"purpose of use":   {[]any{"termsOfUse", 0, "deiPurpose", 2}, "issue"},
		"audience":         {[]any{"termsOfUse", 0, "deiAudience", 0}, "employers"},
		"schema":           {[]any{"credentialSchema", 0, "id"}, origin + "/schemas/dei/v1"},
		"schema digest":    {[]any{"credentialSchema", 0, "digestSRI"}, schemas.SchemaDigestSRI("dei/v1")},
		"status id":        {[]any{"credentialStatus", 0, "id"}, origin + "/status/3/revocation#94567"},
		"suspension index": {[]any{"credentialStatus", 1, "statusListIndex"}, "94567"},
	}
	for name, c := range want {
		if got := at(t, doc, c.path...); got != c.want {
			t.Errorf("%s: %v = %v, want %v", name, c.path, got, c.want)
		}
	}
	for _, member := range []string{"issuanceDate", "refreshService", "proof"} {
		if _, ok := doc[member]; ok {
			t.Errorf("the document has %s", member)
		}
	}
}

// A credential states levels and nothing that would let a reader compute or guess more.
func TestDocumentHoldsNoScoreAndNoPseudonym(t *testing.T) {
	t.Parallel()
	c := sample()
	c.Attestation.SubjectRef, c.Attestation.ReportID = "subject-ref-xyzzy", "report-id-xyzzy"
	data, err := json.Marshal(document(t, c))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"xyzzy", `"value"`, `"score":`, "requiredLevel", "null", "[]"} {
		if strings.Contains(string(data), word) {
			t.Errorf("the document contains %s", word)
		}
	}
}

func TestDocumentIsValidInEveryShape(t *testing.T) {
	t.Parallel()
	cases := map[string]func(c *schemas.DEICredential){
		"two dimensions": func(*schemas.DEICredential) {},
		"chinese":        func(c *schemas.DEICredential) { c.Language = "zh-CN" },
		"all and overall": func(c *schemas.DEICredential) {
			c.Attestation.Levels = allLevels(schemas.LevelAdvanced, schemas.LevelProficient)
		},
		"one dimension's achievement": func(c *schemas.DEICredential) { c.Achievement = "social_awareness" },
		"revocation alone":            func(c *schemas.DEICredential) { c.Status = c.Status[:1] },
		"platforms left out":          func(c *schemas.DEICredential) { c.Attestation.Platforms, c.Attestation.BatchDigests = nil, nil },
		"no audience":                 func(c *schemas.DEICredential) { c.Attestation.Audience = nil },
		"no issuer page":              func(c *schemas.DEICredential) { c.Issuer.URL = "" },
		"reviewed":                    func(c *schemas.DEICredential) { c.Attestation.Review = schemas.ReviewBeforeIssue },
		"development origin": func(c *schemas.DEICredential) {
			c.Origin = "http://localhost:8080"
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := sample()
			change(&c)
			doc := document(t, c)
			for what, check := range map[string]func(map[string]any) error{
				"data model": schemas.ValidateCredential, "Open Badges": schemas.ValidateOpenBadge,
				"status entries": schemas.ValidateStatusEntries,
			} {
				if err := check(doc); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

func TestDocumentIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	var first string
	for range 5 {
		doc, err := sample().Document()
		if err != nil {
			t.Fatal(err)
		}
		data, err := schemas.CanonicalJSON(doc)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(data)
		}
		if string(data) != first {
			t.Fatal("two calls gave two documents")
		}
	}
	other := sample()
	other.ID = "urn:uuid:6f1c4b1e-7a56-4c50-9e1d-0a5d0c1c7f12"
	if at(t, document(t, sample()), "evidence", 0, "id") == at(t, document(t, other), "evidence", 0, "id") {
		t.Error("copies for two keys share the evidence id, which ties them together")
	}
}

func TestSingleStatusEntryIsAnObject(t *testing.T) {
	t.Parallel()
	c := sample()
	c.Status = c.Status[:1]
	if _, ok := document(t, c)["credentialStatus"].(map[string]any); !ok {
		t.Error("one entry is not written as an object, which the schema of Open Badges demands")
	}
	c.Status = nil
	if _, ok := document(t, c)["credentialStatus"]; ok {
		t.Error("no entry, but a credentialStatus")
	}
}

func TestCredentialNames(t *testing.T) {
	t.Parallel()
	claim := func(d schemas.Dimension, l schemas.Level) schemas.LevelClaim {
		return schemas.LevelClaim{Dimension: d, Level: l, Confidence: "0.90"}
	}
	cases := []struct {
		levels []schemas.LevelClaim
		en, zh string
	}{
		{
			[]schemas.LevelClaim{claim(schemas.DimensionSocialAwareness, 3)},
			"Digital Emotional Intelligence: proficient in social awareness", "数字情商：社交意识达到熟练",
		},
		{
			[]schemas.LevelClaim{
				claim(schemas.DimensionSocialSkills, 3), claim(schemas.DimensionSelfAwareness, 3), claim(schemas.DimensionSocialAwareness, 3),
			},
			"Digital Emotional Intelligence: proficient in self-awareness, social awareness and social skills",
			"数字情商：自我意识、社交意识、社交技能达到熟练",
		},
		{allLevels(4, 3), "Digital Emotional Intelligence: advanced overall", "数字情商：总体达到卓越"},
	}
	for _, tc := range cases {
		for lang, want := range map[string]string{"en": tc.en, "zh": tc.zh} {
			c := sample()
			c.Attestation.Levels, c.Language = tc.levels, lang
			if got := document(t, c)["name"]; got != want {
				t.Errorf("name in %s = %q, want %q", lang, got, want)
			}
		}
	}
}

func TestNothingToState(t *testing.T) {
	t.Parallel()
	c := sample()
	c.Attestation.Levels = nil
	if _, err := c.Document(); !errors.Is(err, schemas.ErrNothingToState) {
		t.Errorf("no levels: %v, want ErrNothingToState", err)
	}
	c = sample()
	c.Achievement = "social_skills"
	if _, err := c.Document(); !errors.Is(err, schemas.ErrNothingToState) {
		t.Errorf("a dimension that is not stated: %v, want ErrNothingToState", err)
	}
}

func TestDocumentRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		pointer string
		change  func(c *schemas.DEICredential)
	}{
		"unknown achievement":      {"/achievement", func(c *schemas.DEICredential) { c.Achievement = "overall" }},
		"id not random":            {"/id", func(c *schemas.DEICredential) { c.ID = "urn:uuid:6f1c4b1e-7a56-1c50-9e1d-0a5d0c1c7f11" }},
		"id in capitals":           {"/id", func(c *schemas.DEICredential) { c.ID = "urn:uuid:6F1C4B1E-7a56-4c50-9e1d-0a5d0c1c7f11" }},
		"id empty":                 {"/id", func(c *schemas.DEICredential) { c.ID = "" }},
		"issuer without DID":       {"/issuer/id", func(c *schemas.DEICredential) { c.Issuer.ID = "acme" }},
		"issuer without name":      {"/issuer/name", func(c *schemas.DEICredential) { c.Issuer.Name = "" }},
		"issuer page no URL":       {"/issuer/url", func(c *schemas.DEICredential) { c.Issuer.URL = "acme.example" }},
		"no holder":                {"/credentialSubject/id", func(c *schemas.DEICredential) { c.HolderID = "" }},
		"no start":                 {"/validFrom", func(c *schemas.DEICredential) { c.ValidFrom = time.Time{} }},
		"end before start":         {"/validUntil", func(c *schemas.DEICredential) { c.ValidUntil = c.ValidFrom.Add(-time.Second) }},
		"end at start":             {"/validUntil", func(c *schemas.DEICredential) { c.ValidUntil = c.ValidFrom }},
		"language":                 {"/language", func(c *schemas.DEICredential) { c.Language = "fr" }},
		"origin with slash":        {"/origin", func(c *schemas.DEICredential) { c.Origin += "/" }},
		"origin without scheme":    {"/origin", func(c *schemas.DEICredential) { c.Origin = "hm.example" }},
		"review":                   {"/attestation/review", func(c *schemas.DEICredential) { c.Attestation.Review = "never" }},
		"no method":                {"/attestation/method", func(c *schemas.DEICredential) { c.Attestation.Method = "" }},
		"no consent version":       {"/attestation/consent_version", func(c *schemas.DEICredential) { c.Attestation.ConsentVersion = "" }},
		"model digest short":       {"/attestation/model_digest", func(c *schemas.DEICredential) { c.Attestation.ModelDigest = "ab" }},
		"model digest in capitals": {"/attestation/model_digest", func(c *schemas.DEICredential) { c.Attestation.ModelDigest = hexDigest("A") }},
		"batch digest":             {"/attestation/batch_digests/0", func(c *schemas.DEICredential) { c.Attestation.BatchDigests = []string{"x"} }},
		"platform not a DID":       {"/attestation/platforms/0", func(c *schemas.DEICredential) { c.Attestation.Platforms = []string{"plaza vr"} }},
		"no languages":             {"/attestation/languages", func(c *schemas.DEICredential) { c.Attestation.Languages = nil }},
		"no purposes":              {"/attestation/purposes", func(c *schemas.DEICredential) { c.Attestation.Purposes = nil }},
		"purpose twice":            {"/attestation/purposes/1", func(c *schemas.DEICredential) { c.Attestation.Purposes = []string{"score", "score"} }},
		"window reversed":          {"/attestation/window_start", func(c *schemas.DEICredential) { c.Attestation.WindowStart = "2026-02-01" }},
		"window with time":         {"/attestation/window_start", func(c *schemas.DEICredential) { c.Attestation.WindowEnd = "2026-01-09T00:00:00Z" }},
		"status purpose":           {"/credentialStatus/0/statusPurpose", func(c *schemas.DEICredential) { c.Status[0].Purpose = "message" }},
		"status purpose twice":     {"/credentialStatus/1/statusPurpose", func(c *schemas.DEICredential) { c.Status[1].Purpose = "revocation" }},
		"status list":              {"/credentialStatus/0/statusListCredential", func(c *schemas.DEICredential) { c.Status[0].ListURL = "/status/3" }},
		"dimension unknown":        {"/attestation/levels/0/dimension", func(c *schemas.DEICredential) { c.Attestation.Levels[0].Dimension = "empathy" }},
		"level zero":               {"/attestation/levels/0/level", func(c *schemas.DEICredential) { c.Attestation.Levels[0].Level = 0 }},
		"level five":               {"/attestation/levels/0/level", func(c *schemas.DEICredential) { c.Attestation.Levels[0].Level = 5 }},
		"confidence too low":       {"/attestation/levels/0/confidence", func(c *schemas.DEICredential) { c.Attestation.Levels[0].Confidence = "0.89" }},
		"confidence one decimal":   {"/attestation/levels/0/confidence", func(c *schemas.DEICredential) { c.Attestation.Levels[0].Confidence = "0.9" }},
		"confidence over one":      {"/attestation/levels/0/confidence", func(c *schemas.DEICredential) { c.Attestation.Levels[0].Confidence = "1.01" }},
		"dimension twice": {"/attestation/levels/1/dimension", func(c *schemas.DEICredential) {
			c.Attestation.Levels[1].Dimension = c.Attestation.Levels[0].Dimension
		}},
		"overall without all four": {"/attestation/levels", func(c *schemas.DEICredential) {
			c.Attestation.Levels = allLevels(3, 3)[:4]
		}},
		"overall two above the lowest": {"/attestation/levels", func(c *schemas.DEICredential) {
			c.Attestation.Levels = allLevels(3, 4)
			c.Attestation.Levels[2].Level = schemas.LevelEmerging
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := sample()
			tc.change(&c)
			_, err := c.Document()
			fe, ok := errors.AsType[*schemas.FieldError](err)
			if !ok || !errors.Is(err, schemas.ErrMalformed) {
				t.Fatalf("Document() = %v, want a FieldError", err)
			}
			if fe.Pointer != tc.pointer {
				t.Errorf("pointer = %s, want %s", fe.Pointer, tc.pointer)
			}
		})
	}
}
