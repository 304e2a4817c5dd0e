package review

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"heartmark/assessment"
	"heartmark/schemas"
)

// TypReview is the typ of the statement that a reviewer signs. Claims: case, its id, and verdict, Decision.Digest.
const TypReview = "heartmark-review+jwt"

// Bounds of what reviewers and subjects write.
const (
	minReason, maxText = 10, 4000
	maxNote            = 1000
	maxMarks           = 200
)

// lease is how long a reviewer has a case alone; after it another one may take it over.
const lease = 24 * time.Hour

// Decision is what a reviewer decides of a case: a verdict on each of its dimensions, marks on passages, and the reason.
type Decision struct {
	Verdicts map[schemas.Dimension]string `json:"verdicts"`
	Reason   string                       `json:"reason"`
	Marks    []Mark                       `json:"marks,omitempty"`
}

// Digest is the base64url SHA-256 over the decision in canonical JSON (RFC 8785): what the reviewer's signature names.
func (d Decision) Digest() (string, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("decision: %w", err)
	}
	m, err := schemas.ParseObject(data)
	if err != nil {
		return "", fmt.Errorf("decision: %w", err)
	}
	canonical, err := schemas.CanonicalJSON(m)
	if err != nil {
		return "", fmt.Errorf("decision: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

var reviewerID = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// Appoint makes somebody a reviewer, or changes or ends it.
func (s *Service) Appoint(ctx context.Context, c Caller, r Reviewer) (Reviewer, error) {
	switch {
	case !reviewerID.MatchString(r.ID):
		return r, field("/id", "1 to 63 lower-case letters, digits, - and _")
	case r.Key == "":
		return r, field("/key", "the id of the API key that this person uses")
	case !ownDID(r.DID):
		return r, field("/did", "a did:key or did:jwk")
	}
	if err := text("/name", r.Name, 1, 200); err != nil {
		return r, err
	}
	all, err := s.c.Store.Reviewers(ctx, c.Tenant)
	if err != nil {
		return r, fmt.Errorf("reviewers: %w", err)
	}
	r.Tenant, r.Added = c.Tenant, s.c.Now()
	known := false
	for _, other := range all {
		if other.ID == r.ID {
			known, r.Added = true, other.Added
		} else if !other.Ended && (other.Key == r.Key || other.DID == r.DID) {
			return r, field("/key", "a key and a DID that no other reviewer has")
		}
	}
	if !known && len(all) >= MaxReviewers {
		return r, field("/id", "one of the reviewers that are there")
	}
	if err := s.journal(ctx, c, AuditReviewer, r.ID, r.DID); err != nil {
		return r, err
	}
	if err := s.c.Store.PutReviewer(ctx, r); err != nil {
		return r, fmt.Errorf("reviewer: %w", err)
	}
	return r, nil
}

var ownDIDForm = regexp.MustCompile(`^did:(key|jwk):[A-Za-z0-9_-]+$`)

func ownDID(did string) bool { return ownDIDForm.MatchString(did) }

// Reviewers lists the reviewers of a tenant.
func (s *Service) Reviewers(ctx context.Context, tenant string) ([]Reviewer, error) {
	all, err := s.c.Store.Reviewers(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("reviewers: %w", err)
	}
	return all, nil
}

// reviewer is the one who uses the caller's API key.
func (s *Service) reviewer(ctx context.Context, c Caller) (Reviewer, error) {
	all, err := s.Reviewers(ctx, c.Tenant)
	if err != nil {
		return Reviewer{}, err
	}
	for _, r := range all {
		if !r.Ended && r.Key == c.Actor {
			return r, nil
		}
	}
	return Reviewer{}, fmt.Errorf("this key is no reviewer's: %w", ErrReviewer)
}

// Take gives a case to the caller. A case that another has had for longer than a day may be taken over. ErrConflict for one who
// worked on the report before, where a second person is needed, and for the subject.
func (s *Service) Take(ctx context.Context, c Caller, id string) (Case, error) {
	who, err := s.reviewer(ctx, c)
	if err != nil {
		return Case{}, err
	}
	have, err := s.find(ctx, c.Tenant, id)
	if err != nil {
		return Case{}, err
	}
	switch {
	case have.State == StateTaken && have.Reviewer == who.ID:
		return have, nil
	case have.State == StateDecided, have.State == StateTaken && s.c.Now().Sub(have.Taken) < lease:
		return Case{}, fmt.Errorf("case %s is %s: %w", id, have.State, ErrState)
	}
	if err := s.independent(ctx, have, who); err != nil {
		return Case{}, err
	}
	if err := s.journal(ctx, c, AuditTaken, id, who.ID); err != nil {
		return Case{}, err
	}
	have.State, have.Reviewer, have.Taken = StateTaken, who.ID, s.c.Now()
	return s.update(ctx, have)
}

func (s *Service) find(ctx context.Context, tenant, id string) (Case, error) {
	have, err := s.c.Store.Case(ctx, tenant, id)
	if err != nil {
		return Case{}, fmt.Errorf("case: %w", err)
	}
	return have, nil
}

func (s *Service) update(ctx context.Context, c Case) (Case, error) {
	if err := s.c.Store.Update(ctx, c); err != nil {
		return Case{}, fmt.Errorf("case %s: %w", c.ID, err)
	}
	c.Revision++
	return c, nil
}

// independent refuses a reviewer who is the subject of the report, and for a contest or a second reading one who has another case
// of the report, as well as the other way round.
func (s *Service) independent(ctx context.Context, c Case, who Reviewer) error {
	r, err := s.report(ctx, c.Tenant, c.Report)
	if err != nil {
		return err
	}
	holders, err := s.c.Holders(ctx, c.Tenant, r.Subject)
	if err != nil {
		return fmt.Errorf("receipts: %w", err)
	}
	if slices.Contains(holders, who.DID) {
		return fmt.Errorf("the subject's own key: %w", ErrConflict)
	}
	cases, err := s.c.Store.OfReport(ctx, c.Tenant, c.Report)
	if err != nil {
		return fmt.Errorf("cases: %w", err)
	}
	fresh := func(kind string) bool { return kind == KindContest || kind == KindSecond }
	for _, other := range cases {
		same := other.Reviewer == who.ID || other.Signed == who.DID // a person appointed again under another id has the same key
		if other.ID != c.ID && same && (fresh(c.Kind) || fresh(other.Kind)) {
			return fmt.Errorf("worked on this report before: %w", ErrConflict)
		}
	}
	return nil
}

// Read returns a case with the whole report, for the reviewer who has it.
func (s *Service) Read(ctx context.Context, c Caller, id string) (Case, assessment.Report, error) {
	who, err := s.reviewer(ctx, c)
	if err != nil {
		return Case{}, assessment.Report{}, err
	}
	have, err := s.find(ctx, c.Tenant, id)
	if err != nil {
		return Case{}, assessment.Report{}, err
	}
	if have.Reviewer != who.ID {
		return Case{}, assessment.Report{}, fmt.Errorf("case %s: %w", id, ErrReviewer)
	}
	r, err := s.report(ctx, c.Tenant, have.Report)
	return have, r, err
}

// Decide ends a case: the verdicts count from the return on. signature is the reviewer's statement of type TypReview. ErrReviewer for
// another than the one who has the case; ErrSignature where the statement does not hold.
func (s *Service) Decide(ctx context.Context, c Caller, id string, d Decision, signature string) (Case, error) {
	have, r, err := s.Read(ctx, c, id)
	if err != nil {
		return Case{}, err
	}
	if have.State != StateTaken {
		return Case{}, fmt.Errorf("case %s is %s: %w", id, have.State, ErrState)
	}
	if err := d.check(have, r); err != nil {
		return Case{}, err
	}
	if have.Signed, err = s.signed(ctx, c, have, d, signature); err != nil {
		return Case{}, err
	}
	if err := s.journal(ctx, c, AuditDecided, id, have.Reviewer); err != nil {
		return Case{}, err
	}
	have.State, have.Decided, have.Verdicts = StateDecided, s.c.Now(), d.Verdicts
	have.Words.Reason, have.Words.Marks, have.Words.Signature = d.Reason, d.Marks, signature
	if have.Effect, err = s.effect(ctx, have); err != nil {
		return Case{}, err
	}
	if have, err = s.update(ctx, have); err != nil {
		return Case{}, err
	}
	s.c.Crash("review.after_decide")
	if err := s.carryOut(ctx, have); err != nil { // the sweep goes on with it
		s.c.Log.WarnContext(ctx, "effect of a review is still to be had", attr(have), errAttr(err))
	}
	return have, s.second(ctx, c, have)
}

// check holds a decision against its case.
func (d Decision) check(c Case, r assessment.Report) error {
	for _, dim := range c.Dimensions {
		if v := d.Verdicts[dim]; v != Release && v != Refuse {
			return field("/verdicts/"+string(dim), Release+" or "+Refuse)
		}
	}
	if len(d.Verdicts) != len(c.Dimensions) {
		return field("/verdicts", "a verdict on each dimension of the case and on no other")
	}
	if err := text("/reason", d.Reason, minReason, maxText); err != nil {
		return err
	}
	return checkMarks(d.Marks, r)
}

// checkMarks holds that marks are on passages of the report.
func checkMarks(marks []Mark, r assessment.Report) error {
	if len(marks) > maxMarks {
		return field("/marks", fmt.Sprintf("at most %d marks", maxMarks))
	}
	for i, m := range marks {
		at := fmt.Sprintf("/marks/%d", i)
		if !slices.Contains(Labels(), m.Label) {
			return field(at+"/label", "agree, disagree or missing_context")
		}
		if _, ok := passage(r, m); !ok {
			return field(at+"/message", "a passage that the report quotes, with its facet")
		}
		if err := text(at+"/note", m.Note, 0, maxNote); err != nil {
			return err
		}
	}
	return nil
}

// passage finds what a mark is on.
func passage(r assessment.Report, m Mark) (assessment.Evidence, bool) {
	for _, d := range schemas.Dimensions() {
		for _, e := range r.Dimensions[d].Evidence {
			if e.Message == m.Message && e.Facet == m.Facet {
				return e, true
			}
		}
	}
	return assessment.Evidence{}, false
}

// signed checks the reviewer's statement (SEC-185: a review is a signed, timed act by an allowed role) and returns who signed.
func (s *Service) signed(ctx context.Context, c Caller, have Case, d Decision, signature string) (string, error) {
	who, err := s.reviewer(ctx, c)
	if err != nil {
		return "", err
	}
	digest, err := d.Digest()
	if err != nil {
		return "", err
	}
	did, err := s.c.Verify(ctx, signature, TypReview, map[string]string{"case": have.ID, "verdict": digest})
	if err != nil {
		return "", errors.Join(ErrSignature, err)
	}
	if did != who.DID {
		return "", fmt.Errorf("signed by another key: %w", ErrSignature)
	}
	return did, s.independent(ctx, have, who)
}

// effect is what a decided case does to credentials. Only a contest touches those that are out.
func (s *Service) effect(ctx context.Context, c Case) (string, error) {
	if c.Kind != KindContest {
		return "", nil
	}
	for _, v := range c.Verdicts {
		if v == Refuse { // they state a level that no longer holds; what is left can be issued anew
			return EffectRevoke, nil
		}
	}
	cases, err := s.c.Store.OfReport(ctx, c.Tenant, c.Report)
	if err != nil {
		return "", fmt.Errorf("cases: %w", err)
	}
	if slices.ContainsFunc(cases, func(o Case) bool { return o.ID != c.ID && o.Kind == KindContest && o.State != StateDecided }) {
		return "", nil // another contest keeps them suspended
	}
	return EffectRestore, nil
}

// second draws cases for a second, independent reading.
func (s *Service) second(ctx context.Context, c Caller, first Case) error {
	policy, err := s.c.Policy(ctx, c.Tenant)
	if err != nil {
		return fmt.Errorf("review policy: %w", err)
	}
	sum := sha256.Sum256([]byte("heartmark/second/v1\x00" + first.ID))
	if first.Kind != KindRelease || int(sum[0])*256+int(sum[1]) >= 65536*policy.SecondPercent/100 {
		return nil
	}
	earlier, err := s.c.Store.OfReport(ctx, c.Tenant, first.Report)
	if err != nil {
		return fmt.Errorf("cases: %w", err)
	}
	_, err = s.open(ctx, c, Case{
		Report: first.Report, Kind: KindSecond, Dimensions: first.Dimensions, Why: []string{WhySample},
	}, earlier, AuditOpened)
	return err
}
