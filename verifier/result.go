package verifier

import (
	"time"

	"heartmark/schemas"
)

// Verdict is the answer. Only Valid is acceptance.
type Verdict string

// The verdicts, as they stand on the wire.
const (
	Valid        Verdict = "valid"
	Invalid      Verdict = "invalid"
	Undetermined Verdict = "undetermined"
)

// Outcome is how one check came out. Anything but Pass is not passed.
type Outcome string

// The outcomes, as they stand on the wire.
const (
	Pass          Outcome = "pass"
	Fail          Outcome = "fail"
	NotDetermined Outcome = "undetermined"
	Skipped       Outcome = "skipped"
	NotApplicable Outcome = "not_applicable"
)

// CheckID names a kind of check.
type CheckID string

// The checks, in the order in which a result lists them.
const (
	CheckParse           CheckID = "parse"
	CheckModel           CheckID = "model"
	CheckProof           CheckID = "proof"
	CheckPurpose         CheckID = "purpose"
	CheckIssuerBinding   CheckID = "issuer_binding"
	CheckPeriod          CheckID = "period"
	CheckStatus          CheckID = "status"
	CheckSchema          CheckID = "schema"
	CheckAuthority       CheckID = "authority"
	CheckKeyInterval     CheckID = "key_interval"
	CheckLogInclusion    CheckID = "log_inclusion"
	CheckHolderBinding   CheckID = "holder_binding"
	CheckReplay          CheckID = "replay"
	CheckRelatedResource CheckID = "related_resource"
	CheckInner           CheckID = "inner"
	CheckQuery           CheckID = "query"
)

// CheckIDs returns all checks in the order in which a result lists them.
func CheckIDs() []CheckID {
	return []CheckID{
		CheckParse, CheckModel, CheckProof, CheckPurpose, CheckIssuerBinding, CheckPeriod, CheckStatus, CheckSchema,
		CheckAuthority, CheckKeyInterval, CheckLogInclusion, CheckHolderBinding, CheckReplay, CheckRelatedResource,
		CheckInner, CheckQuery,
	}
}

// Check is one finding. A check that has several parts (each proof, each status entry, authority at issue and now) gives
// several, told apart by Pointer and About.
type Check struct {
	ID      CheckID `json:"id"`
	Outcome Outcome `json:"outcome"`
	// Code is stable and listed by Codes; texts for people are made from it.
	Code string `json:"code"`
	// Type is the problem type of RFC 9457, empty where there is no problem.
	Type string `json:"type,omitempty"`
	// Detail says what was found, in English.
	Detail string `json:"detail,omitempty"`
	// Pointer is the RFC 6901 pointer to the part of the input that the check is about, empty for the whole.
	Pointer string `json:"pointer,omitempty"`
	// About tells parts of one check apart that stand at one pointer: the purpose of a status entry, "issue" or "now" of
	// an authority.
	About    string    `json:"about,omitempty"`
	Evidence *Evidence `json:"evidence,omitempty"`
}

// Evidence says what a finding rests on.
type Evidence struct {
	// Source is a URL, or a word for a source at hand: "store", "registry", "identifier".
	Source    string    `json:"source,omitempty"`
	FetchedAt time.Time `json:"fetchedAt,omitzero"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	FromCache bool      `json:"fromCache,omitempty"`
	// Digest is "sha256-" and standard base64 of the bytes that were used.
	Digest string `json:"digest,omitempty"`
}

// Kind is what was read.
type Kind string

// The kinds of input.
const (
	KindCredential   Kind = "credential"
	KindPresentation Kind = "presentation"
)

// Result is the answer to one Verify.
type Result struct {
	Verdict Verdict `json:"verdict"`
	// Policy is the name of the policy that made the verdict of the checks, with its version.
	Policy        string    `json:"policy"`
	PolicyVersion string    `json:"policyVersion"`
	CheckedAt     time.Time `json:"checkedAt"`
	Kind          Kind      `json:"kind,omitempty"`
	// Digest is that of the input's bytes, as in Evidence; empty when the input came parsed.
	Digest string  `json:"digest,omitempty"`
	Checks []Check `json:"checks"`
	// Credential is the very value that was checked: the credential, or the presentation.
	Credential map[string]any `json:"credential,omitempty"`
	Summary    Summary        `json:"summary,omitzero"`
	// Inner are the answers for the credentials of a presentation and for endorsements, in order of the inner checks.
	Inner []Result `json:"inner,omitempty"`
}

// Find returns the checks with this id.
func (r Result) Find(id CheckID) []Check {
	var out []Check
	for _, c := range r.Checks {
		if c.ID == id {
			out = append(out, c)
		}
	}
	return out
}

// Translated returns the result, and those inside it, with the details that words gives for checks; where it gives none they
// stay.
func (r Result) Translated(words func(c Check) string) Result {
	checks := make([]Check, len(r.Checks))
	for i, c := range r.Checks {
		if text := words(c); text != "" {
			c.Detail = text
		}
		checks[i] = c
	}
	r.Checks = checks
	inner := make([]Result, len(r.Inner))
	for i := range r.Inner {
		inner[i] = r.Inner[i].Translated(words)
	}
	r.Inner = inner
	return r
}

// Outcome returns the worst outcome of the checks with this id: fail, undetermined, skipped, pass, not applicable.
func (r Result) Outcome(id CheckID) Outcome {
	worst := NotApplicable
	for _, c := range r.Find(id) {
		if weight(c.Outcome) > weight(worst) {
			worst = c.Outcome
		}
	}
	return worst
}

func weight(o Outcome) int {
	switch o {
	case Fail:
		return 4
	case NotDetermined:
		return 3
	case Skipped:
		return 2
	case Pass:
		return 1
	case NotApplicable:
		return 0
	}
	return 5 // an outcome outside the list is worse than all in it
}

// Summary tells a person what the credential says. It is what was claimed: true only where the verdict is Valid.
type Summary struct {
	ID         string `json:"id,omitempty"`
	Name       string `json:"name,omitempty"`
	IssuerID   string `json:"issuerId,omitempty"`
	IssuerName string `json:"issuerName,omitempty"`
	HolderID   string `json:"holderId,omitempty"`
	Language   string `json:"language,omitempty"`
	ValidFrom  string `json:"validFrom,omitempty"`
	ValidUntil string `json:"validUntil,omitempty"`
	AwardedAt  string `json:"awardedAt,omitempty"`
	// SignedBy is the verification method whose key verified; empty when none did. It never comes from the document alone.
	SignedBy      string        `json:"signedBy,omitempty"`
	Achievement   string        `json:"achievement,omitempty"`
	AchievementID string        `json:"achievementId,omitempty"`
	Levels        []StatedLevel `json:"levels,omitempty"`
}

// StatedLevel is one level that the credential states.
type StatedLevel struct {
	// Dimension is a code of the DEI vocabulary, or the id of the result description where it is not one of ours.
	Dimension schemas.Dimension `json:"dimension"`
	// Name is the dimension's name in the credential's language.
	Name string `json:"name,omitempty"`
	// Level is the rubric level as the credential writes it, "3"; LevelName is its name in the credential's language.
	Level     string `json:"level"`
	LevelName string `json:"levelName,omitempty"`
	// AtLeast says that the level may be higher: the holder has shown that it is reached, not which it is.
	AtLeast bool `json:"atLeast,omitempty"`
	// Confidence is the probability with which the level was reached, "0.93"; empty if the credential gives none.
	Confidence string `json:"confidence,omitempty"`
}
