package intake

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"heartmark/assessment/evidence"
	"heartmark/schemas"
)

// Bounds of a receipt.
const (
	// MaxConsent is the longest time from the beginning of a receipt to its end.
	MaxConsent = 396 * 24 * time.Hour
	// maxAhead is how far in the future a receipt may begin.
	maxAhead = 31 * 24 * time.Hour
)

// Purposes of a receipt, each apart (G2).
func Purposes() []string { return []string{"process", "score", "issue", "automated", "research"} }

// DataClasses that a receipt may cover.
func DataClasses() []string {
	return []string{evidence.ClassMessages, evidence.ClassReactions, evidence.ClassExercises, evidence.ClassReport}
}

// ForbiddenPurposes are those that no consent can cover (G4). A receipt that names one is refused by that name, so that a
// caller learns the reason and does not take it for a misspelling.
func ForbiddenPurposes() []string {
	return []string{
		"workplace_emotion", "education_emotion", "employee_monitoring", "student_monitoring", "monitoring", "lie_detection",
		"medical_diagnosis", "protected_traits", "social_scoring", "marketing_profile",
	}
}

// Kinds of Setting.
const (
	SettingEmployer = "employer"
	SettingSchool   = "school"
)

// Setting says that an employer or a school relies on the result or pays for it (G3).
type Setting struct {
	Kind string `json:"kind"`
	// Voluntary is the person's own purpose, in their words.
	Voluntary string `json:"voluntary,omitempty"`
	// NoDisadvantage is the platform's word that refusing has no disadvantage.
	NoDisadvantage bool `json:"no_disadvantage,omitempty"`
}

// Terms are what a subject agrees to: the part of a receipt that is signed. Times are RFC 3339 with an offset.
type Terms struct {
	Subject     string   `json:"subject"`
	Platform    string   `json:"platform"`
	Purposes    []string `json:"purposes"`
	DataClasses []string `json:"data_classes"`
	From        string   `json:"from"`
	Until       string   `json:"until"`
	Adult       bool     `json:"adult"`
	Text        TextRef  `json:"text"`
	Setting     *Setting `json:"setting,omitempty"`
}

// Digest is the base64url SHA-256 over the terms in canonical JSON (RFC 8785): what the subject's signature names.
func (t Terms) Digest() (string, error) {
	data, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("terms: %w", err)
	}
	m, err := schemas.ParseObject(data)
	if err != nil {
		return "", fmt.Errorf("terms: %w", err)
	}
	canonical, err := schemas.CanonicalJSON(m)
	if err != nil {
		return "", fmt.Errorf("terms: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

// check refuses terms that nobody may process under, and returns the period.
func (t Terms) check(now time.Time) (from, until time.Time, err error) {
	if err := t.checkPurposes(); err != nil {
		return from, until, err
	}
	if !t.Adult {
		return from, until, fmt.Errorf("adult: %w", evidence.ErrUnderage)
	}
	for pointer, s := range map[string]struct {
		value  string
		length int
	}{"/subject": {t.Subject, 128}, "/platform": {t.Platform, 64}} {
		if n := utf8.RuneCountInString(s.value); n < 1 || n > s.length || strings.ContainsRune(s.value, 0) {
			return from, until, field(pointer, fmt.Sprintf("a string of 1 to %d characters", s.length))
		}
	}
	if !textDigests()[t.Text] {
		return from, until, fmt.Errorf("%w: %w", ErrConsentText, field("/text", "version, language and digest of a text of GET /v1/consents/texts"))
	}
	if err := t.Setting.check(); err != nil {
		return from, until, err
	}
	return t.period(now)
}

func (t Terms) checkPurposes() error {
	for i, p := range t.Purposes {
		if slices.Contains(ForbiddenPurposes(), p) {
			return fmt.Errorf("purpose %s: %w", p, ErrForbiddenPurpose)
		}
		if !slices.Contains(Purposes(), p) || slices.Contains(t.Purposes[:i], p) {
			return field(fmt.Sprintf("/purposes/%d", i), "each once of "+strings.Join(Purposes(), ", "))
		}
	}
	if len(t.Purposes) == 0 {
		return field("/purposes", "at least one of "+strings.Join(Purposes(), ", "))
	}
	for i, c := range t.DataClasses {
		if !slices.Contains(DataClasses(), c) || slices.Contains(t.DataClasses[:i], c) {
			return field(fmt.Sprintf("/data_classes/%d", i), "each once of "+strings.Join(DataClasses(), ", "))
		}
	}
	if len(t.DataClasses) == 0 {
		return field("/data_classes", "at least one of "+strings.Join(DataClasses(), ", "))
	}
	return nil
}

func (s *Setting) check() error {
	switch {
	case s == nil:
		return nil
	case s.Kind != SettingEmployer && s.Kind != SettingSchool:
		return field("/setting/kind", "employer or school")
	case utf8.RuneCountInString(s.Voluntary) > 500:
		return field("/setting/voluntary", "at most 500 characters")
	case strings.TrimSpace(s.Voluntary) == "" || !s.NoDisadvantage:
		return fmt.Errorf("setting %s: %w", s.Kind, ErrUnfree)
	}
	return nil
}

func (t Terms) period(now time.Time) (from, until time.Time, err error) {
	if from, err = schemas.ParseTime(t.From); err != nil {
		return from, until, field("/from", "a time of RFC 3339 with offset")
	}
	if until, err = schemas.ParseTime(t.Until); err != nil {
		return from, until, field("/until", "a time of RFC 3339 with offset")
	}
	switch {
	case from.After(now.Add(maxAhead)):
		return from, until, field("/from", "a time at most 31 days ahead")
	case !until.After(now), !until.After(from):
		return from, until, field("/until", "a time after now and after from")
	case until.Sub(from) > MaxConsent:
		return from, until, field("/until", "at most 396 days after from")
	}
	return from.UTC(), until.UTC(), nil
}
