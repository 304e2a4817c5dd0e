package schemas

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// credentialID is the only form of an id that can salt the log's commitment: a random UUID.
var credentialID = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// confidence is a probability of at least 0.9 with two decimals: what a credential may state.
var confidence = regexp.MustCompile(`^(0\.9[0-9]|1\.00)$`)

// stated returns the claims that a credential for the achievement states, overall first, then in the order of
// Dimensions.
func stated(claims []LevelClaim, code string) ([]LevelClaim, error) {
	byDimension := make(map[Dimension]LevelClaim, len(claims))
	for i, claim := range claims {
		at := "/attestation/levels/" + strconv.Itoa(i)
		if !claim.Dimension.Valid() {
			return nil, &FieldError{Pointer: at + "/dimension", Expected: "a dimension's code", Err: ErrMalformed}
		}
		if !claim.Level.Valid() {
			return nil, &FieldError{Pointer: at + "/level", Expected: "1 to 4", Err: ErrMalformed}
		}
		if !confidence.MatchString(claim.Confidence) {
			return nil, &FieldError{Pointer: at + "/confidence", Expected: `"0.90" to "1.00"`, Err: ErrMalformed}
		}
		if _, twice := byDimension[claim.Dimension]; twice {
			return nil, &FieldError{Pointer: at + "/dimension", Expected: "each dimension once", Err: ErrMalformed}
		}
		byDimension[claim.Dimension] = claim
	}
	if err := checkOverall(byDimension); err != nil {
		return nil, err
	}
	dims, _ := AchievementDimensions(code)
	var out []LevelClaim
	for _, d := range dims {
		if claim, ok := byDimension[d]; ok {
			out = append(out, claim)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("achievement %s: %w", code, ErrNothingToState)
	}
	return out, nil
}

// checkOverall holds the rule of the overall level: all four dimensions are stated, and it is at most one level above
// the lowest of them.
func checkOverall(claims map[Dimension]LevelClaim) error {
	overall, ok := claims[DimensionOverall]
	if !ok {
		return nil
	}
	lowest := LevelAdvanced
	for _, d := range Dimensions() {
		claim, ok := claims[d]
		if !ok {
			return &FieldError{Pointer: "/attestation/levels", Expected: "overall only with all four dimensions", Err: ErrMalformed}
		}
		lowest = min(lowest, claim.Level)
	}
	if overall.Level > lowest+1 {
		return &FieldError{Pointer: "/attestation/levels", Expected: "overall at most one level above the lowest", Err: ErrMalformed}
	}
	return nil
}

// check refuses what would make a document that is wrong, ambiguous or not a URL where one is needed.
func (c DEICredential) check() error {
	at := c.Attestation
	bad := func(pointer, expected string) error {
		return &FieldError{Pointer: pointer, Expected: expected, Err: ErrMalformed}
	}
	if _, ok := ParseLanguage(c.Language); !ok {
		return bad("/language", "en or zh")
	}
	if u, err := url.Parse(c.Origin); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return bad("/origin", "an origin such as https://example.org")
	}
	switch {
	case !credentialID.MatchString(string(c.ID)):
		return bad("/id", "urn:uuid: and a version 4 UUID")
	case !IsURL(c.Issuer.ID):
		return bad("/issuer/id", "a DID or URL")
	case c.Issuer.Name == "":
		return bad("/issuer/name", "a name")
	case c.Issuer.URL != "" && !IsURL(c.Issuer.URL):
		return bad("/issuer/url", "a URL")
	case !IsURL(c.HolderID):
		return bad("/credentialSubject/id", "the holder's DID")
	case c.ValidFrom.IsZero():
		return bad("/validFrom", "an instant")
	case !c.ValidUntil.After(c.ValidFrom):
		return bad("/validUntil", "an instant after validFrom")
	case at.Review != ReviewBeforeIssue && at.Review != ReviewOnRequest:
		return bad("/attestation/review", ReviewBeforeIssue+" or "+ReviewOnRequest)
	}
	start, errStart := time.Parse(time.DateOnly, at.WindowStart)
	end, errEnd := time.Parse(time.DateOnly, at.WindowEnd)
	if errStart != nil || errEnd != nil || end.Before(start) {
		return bad("/attestation/window_start", "two days, the first not after the last")
	}
	for pointer, value := range map[string]string{
		"/attestation/method": at.Method, "/attestation/model": at.Model, "/attestation/scale": at.Scale,
		"/attestation/consent_version": at.ConsentVersion,
	} {
		if value == "" {
			return bad(pointer, "a value")
		}
	}
	if err := checkSets(at); err != nil {
		return err
	}
	return c.checkStatus()
}

// checkSets refuses empty sets, empty members and repeated members: in RDF a set has each member once.
func checkSets(at Attestation) error {
	for _, set := range []struct {
		pointer string
		values  []string
		needed  bool
	}{
		{"/attestation/languages", at.Languages, true},
		{"/attestation/purposes", at.Purposes, true},
		{"/attestation/audience", at.Audience, false},
		{"/attestation/platforms", at.Platforms, false},
		{"/attestation/batch_digests", at.BatchDigests, false},
	} {
		if set.needed && len(set.values) == 0 {
			return &FieldError{Pointer: set.pointer, Expected: "at least one value", Err: ErrMalformed}
		}
		for i, v := range set.values {
			if v == "" || slices.Contains(set.values[:i], v) {
				return &FieldError{Pointer: set.pointer + "/" + strconv.Itoa(i), Expected: "a value that stands once", Err: ErrMalformed}
			}
		}
	}
	for i, p := range at.Platforms {
		if !IsURL(p) {
			return &FieldError{Pointer: "/attestation/platforms/" + strconv.Itoa(i), Expected: "the platform's DID", Err: ErrMalformed}
		}
	}
	return nil
}

func (c DEICredential) checkStatus() error {
	seen := map[string]bool{}
	for i, s := range c.Status {
		at := "/credentialStatus/" + strconv.Itoa(i)
		if s.Purpose != PurposeRevocation && s.Purpose != PurposeSuspension || seen[s.Purpose] {
			return &FieldError{Pointer: at + "/statusPurpose", Expected: "revocation or suspension, each once", Err: ErrMalformed}
		}
		seen[s.Purpose] = true
		if !IsURL(s.ListURL) {
			return &FieldError{Pointer: at + "/statusListCredential", Expected: "a URL", Err: ErrMalformed}
		}
	}
	return nil
}

// digestText returns a SHA-256 digest as "sha256:" and lower-case hex, given that or the hex alone.
func digestText(s string) (string, error) {
	hexed := strings.TrimPrefix(s, "sha256:")
	if raw, err := hex.DecodeString(hexed); err != nil || len(raw) != 32 || strings.ToLower(hexed) != hexed {
		return "", fmt.Errorf("digest %q: %w", s, ErrMalformed)
	}
	return "sha256:" + hexed, nil
}
