package assessment

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"heartmark/schemas"
)

// ErrNoConsentToIssue is returned when the subject did not agree to what issuing takes: to a credential at all, or,
// under review on request, to an automated decision.
var ErrNoConsentToIssue = errors.New("no consent to issue")

// AttestationOptions are the tenant's policy and what a reviewer decided.
type AttestationOptions struct {
	Review string // schemas.ReviewBeforeIssue or schemas.ReviewOnRequest (the default)
	// Released are the dimensions that a reviewer has read and released.
	Released []schemas.Dimension
	// Refused are those that a reviewer has refused: they are not stated.
	Refused []schemas.Dimension
	// Flagged are dimensions held back for a reviewer whatever their probability.
	Flagged      []schemas.Dimension
	PlatformDIDs map[string]string // by platform name; platforms without a DID are left out
	Audience     []string
}

// Attestation is what a credential may state of r: certifiable levels only, their probability cut to two decimals, and
// where they come from. It holds no score and no word. Dimensions near a border or flagged wait for a reviewer
// (design.md §9.18) and are left out; so is everything under before-issue until released. Levels may be empty: then
// there is nothing to issue.
func Attestation(r Report, o AttestationOptions) (schemas.Attestation, error) {
	if o.Review == "" {
		o.Review = schemas.ReviewOnRequest
	}
	p := r.Provenance
	if !slices.Contains(p.Purposes, "issue") {
		return schemas.Attestation{}, fmt.Errorf("%w: the receipt lacks the purpose issue", ErrNoConsentToIssue)
	}
	if o.Review == schemas.ReviewOnRequest && !slices.Contains(p.Purposes, "automated") {
		return schemas.Attestation{}, fmt.Errorf("%w: the receipt lacks the purpose automated, which issuing without a reviewer first takes", ErrNoConsentToIssue)
	}
	a := schemas.Attestation{
		ReportID: r.ID, SubjectRef: r.Subject, Method: Method, Model: r.Model.ID, ModelDigest: "sha256:" + r.Model.SHA256, Scale: r.Model.Scale,
		WindowStart: r.Window.From, WindowEnd: r.Window.To, Languages: slices.Sorted(maps.Keys(r.Quality.Languages)),
		BatchDigests: slices.Clone(p.BatchDigests), ConsentVersion: p.Policy, Purposes: slices.Clone(p.Purposes), Audience: slices.Clone(o.Audience), Review: o.Review,
	}
	for _, name := range r.Platforms {
		if did := o.PlatformDIDs[name]; did != "" {
			a.Platforms = append(a.Platforms, did)
		}
	}
	if gamed(r) {
		o.Flagged = schemas.ResultDimensions()
	}
	var stated []schemas.LevelClaim
	for _, d := range schemas.Dimensions() {
		rep := r.Dimensions[d]
		if rep.Status != StatusScored {
			continue
		}
		if c, ok := claim(d, rep.Certifiable, rep.PLevel, o); ok {
			stated = append(stated, c)
		}
	}
	if len(stated) == len(schemas.Dimensions()) && r.Overall.Status == StatusScored {
		if c, ok := claim(schemas.DimensionOverall, r.Overall.Certifiable, r.Overall.PLevel, o); ok {
			stated = append([]schemas.LevelClaim{c}, stated...)
		}
	}
	a.Levels = stated
	return a, nil
}

// maxCopies is the share of near copies from which a report counts as possibly gamed and waits for a reviewer (G9).
const maxCopies = 0.2

// gamed reports whether too many of the scored messages are near copies of each other.
func gamed(r Report) bool { return float64(r.Quality.NearCopies) > maxCopies*float64(r.Quality.Scored) }

// claim is the level that may be stated of one dimension.
func claim(d schemas.Dimension, code *string, p *PLevel, o AttestationOptions) (schemas.LevelClaim, bool) {
	if code == nil || p == nil {
		return schemas.LevelClaim{}, false
	}
	level, err := schemas.ParseLevel(*code)
	if err != nil {
		return schemas.LevelClaim{}, false
	}
	confidence := floor2(p.At(level))
	released := slices.Contains(o.Released, d)
	near := confidence < BorderP || slices.Contains(o.Flagged, d)
	if slices.Contains(o.Refused, d) || !released && (near || o.Review == schemas.ReviewBeforeIssue) {
		return schemas.LevelClaim{}, false
	}
	return schemas.LevelClaim{Dimension: d, Level: level, Confidence: strconv.FormatFloat(confidence, 'f', 2, 64)}, true
}

// NeedsReview lists the dimensions, and the overall result, that could be certified but wait for a reviewer under the options; what
// a reviewer has refused does not wait.
func NeedsReview(r Report, o AttestationOptions) []schemas.Dimension {
	var out []schemas.Dimension
	if gamed(r) {
		o.Flagged = schemas.ResultDimensions()
	}
	possible := 0 // the overall result is stated only beside all four
	for _, d := range schemas.Dimensions() {
		rep := r.Dimensions[d]
		if rep.Status != StatusScored || rep.Certifiable == nil {
			continue
		}
		if !slices.Contains(o.Refused, d) {
			possible++
		}
		if _, ok := claim(d, rep.Certifiable, rep.PLevel, o); !ok && !slices.Contains(o.Refused, d) {
			out = append(out, d)
		}
	}
	if possible == len(schemas.Dimensions()) && r.Overall.Status == StatusScored && r.Overall.Certifiable != nil && !slices.Contains(o.Refused, schemas.DimensionOverall) {
		if _, ok := claim(schemas.DimensionOverall, r.Overall.Certifiable, r.Overall.PLevel, o); !ok {
			out = append(out, schemas.DimensionOverall)
		}
	}
	return out
}
