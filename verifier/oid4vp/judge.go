package oid4vp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"time"

	"heartmark/internal/proof/sdjwt"
	"heartmark/schemas"
	"heartmark/verifier"
)

// Outcome is what came of a session.
type Outcome struct {
	// Verdict is valid where valid presentations satisfy the query, undetermined where they would with those that could not
	// be determined, else invalid. What was to be agreed to and was not makes it invalid.
	Verdict       verifier.Verdict `json:"verdict"`
	Policy        string           `json:"policy"`
	PolicyVersion string           `json:"policyVersion"`
	CheckedAt     time.Time        `json:"checkedAt"`
	// BrowserBound says that the one who asked is the one who presented: the wallet brought a code back to the same browser,
	// or the browser itself carried the answer. Without it a link may have been passed on to somebody else.
	BrowserBound bool `json:"browserBound"`
	// Credentials are in the order of the query.
	Credentials []Presented `json:"credentials"`
	// Agreed lists, for each transaction, the credential query whose holder agreed to it; empty where nobody did.
	Agreed []string `json:"agreed,omitempty"`
}

// Presented is one presentation and what was found.
type Presented struct {
	// Query is the id of the credential query that it answers.
	Query  string `json:"query"`
	Format string `json:"format"`
	// HolderBound says that the presenter proved to hold the credential's key for this very session.
	HolderBound bool            `json:"holderBound"`
	Result      verifier.Result `json:"result"`
}

// judgement is one answer under judgement.
type judgement struct {
	s        *Service
	session  Session
	query    Query
	audience string
}

// judge verifies each presentation, then decides. A presentation that was made for another exchange rejects the whole answer
// (OpenID4VP 1.0, 14.1); one that fails otherwise is discarded.
func (j judgement) judge(ctx context.Context, shown []presentation) (Outcome, error) {
	out := Outcome{BrowserBound: j.session.Flow != CrossDevice, CheckedAt: j.s.c.Now()}
	agreed := make([]string, len(j.session.TransactionData))
	for _, p := range shown {
		one, err := j.verify(ctx, p)
		if err != nil {
			return Outcome{}, err
		}
		out.Policy, out.PolicyVersion = one.Result.Policy, one.Result.PolicyVersion
		out.Credentials = append(out.Credentials, one)
		if one.Result.Verdict == verifier.Valid {
			if err := j.agreements(p, agreed); err != nil {
				return Outcome{}, err
			}
		}
	}
	if len(agreed) > 0 {
		out.Agreed = agreed
	}
	out.Verdict = j.decide(out)
	return out, nil
}

func (j judgement) decide(out Outcome) verifier.Verdict {
	has := func(accepted ...verifier.Verdict) func(id string) bool {
		return func(id string) bool {
			return slices.ContainsFunc(out.Credentials, func(p Presented) bool {
				return p.Query == id && slices.Contains(accepted, p.Result.Verdict)
			})
		}
	}
	switch {
	case j.query.Satisfied(has(verifier.Valid)):
		if slices.Contains(out.Agreed, "") {
			return verifier.Invalid
		}
		return verifier.Valid
	case j.query.Satisfied(has(verifier.Valid, verifier.Undetermined)):
		return verifier.Undetermined
	}
	return verifier.Invalid
}

func (j judgement) verify(ctx context.Context, p presentation) (Presented, error) {
	c := p.query
	in := verifier.Input{
		Tenant: j.session.Tenant, Policy: j.session.Policy, Bound: c.Bound, Unbound: !c.Bound,
		Query: func(credentials []map[string]any) error { return j.match(c, credentials) },
	}
	if c.Bound {
		in.Challenge, in.Domain = j.session.Nonce, j.audience
	}
	switch c.Format {
	case FormatSDJWT:
		in.Data, in.MediaType = []byte(p.text), "application/dc+sd-jwt"
	case FormatJWT:
		in.Data, in.MediaType = []byte(p.text), "application/vp+jwt"
		if !c.Bound && kindOfToken(p.text) == "vc+jwt" {
			in.MediaType = "application/vc+jwt"
		}
	default:
		in.Document, in.MediaType = p.object, "application/vp"
		if !c.Bound && !isPresentation(p.object) {
			in.MediaType = "application/vc"
		}
	}
	result, err := j.s.c.Verifier.Verify(ctx, in)
	if err != nil {
		if len(result.Checks) > 0 { // read by nobody: an answer about what came, not a fault of ours
			return Presented{}, refuse("vp_token." + c.ID + ": the presentation cannot be read")
		}
		return Presented{}, fmt.Errorf("verify presentation: %w", err)
	}
	if c.Bound && result.Outcome(verifier.CheckReplay) == verifier.Fail {
		return Presented{}, refuse("vp_token." + c.ID + ": the presentation was not made for this request")
	}
	one := Presented{Query: c.ID, Format: c.Format, Result: result}
	one.HolderBound = result.Outcome(verifier.CheckHolderBinding) == verifier.Pass && result.Outcome(verifier.CheckReplay) == verifier.Pass
	return one, nil
}

// match puts the query to the credential that came, and the age that a template asks for.
func (j judgement) match(c CredentialQuery, credentials []map[string]any) error {
	if len(credentials) != 1 || credentials[0] == nil {
		return missing("", "one credential in a presentation")
	}
	credential := credentials[0]
	var types []string
	if c.Format != FormatSDJWT {
		types = expandTypes(j.s.c.Contexts, credential)
	}
	if err := c.Match(credential, types); err != nil {
		return err
	}
	if j.session.MaxAge > 0 {
		issued, pointer, ok := issuedAt(credential)
		if !ok || issued.Before(j.s.c.Now().Add(-j.session.MaxAge)) {
			return missing(pointer, "issued within the last "+strconv.Itoa(int(j.session.MaxAge/(24*time.Hour)))+" days")
		}
	}
	return nil
}

// issuedAt reads when a credential was issued, and where it says so.
func issuedAt(credential map[string]any) (at time.Time, pointer string, ok bool) {
	if text, present := credential["validFrom"].(string); present {
		at, err := schemas.ParseTime(text)
		return at, "/validFrom", err == nil
	}
	if text, present := credential["issuanceDate"].(string); present { // VC Data Model 1.1
		at, err := schemas.ParseTime(text)
		return at, "/issuanceDate", err == nil
	}
	for _, name := range []string{"nbf", "iat"} {
		if value, present := credential[name]; present {
			at, err := schemas.ParseNumericDate(value)
			return at, "/" + name, err == nil
		}
	}
	return time.Time{}, "", false
}

// agreements notes which transactions the holder's key binding agrees to (8.4 and B.3.3.1). One that names anything else was
// not made for this request.
func (j judgement) agreements(p presentation, agreed []string) error {
	if p.query.Format != FormatSDJWT || !p.query.Bound {
		return nil
	}
	token, err := sdjwt.Parse(p.text)
	if err != nil {
		return refuse("vp_token." + p.query.ID + ": the presentation cannot be read")
	}
	binding, err := token.VerifyBinding()
	if err != nil {
		return refuse("vp_token." + p.query.ID + ": the key binding does not hold")
	}
	if binding.TransactionAlg != "" && binding.TransactionAlg != "sha-256" {
		return &Error{Code: CodeInvalidTransact, Description: "the hash algorithm of the transaction data was not offered", Status: 400}
	}
	for _, hash := range binding.TransactionHashes {
		i := slices.IndexFunc(j.session.TransactionData, func(text string) bool { return hashOfTransaction(text) == hash })
		if i < 0 || !j.mayAgree(i, p.query.ID) {
			return &Error{Code: CodeInvalidTransact, Description: "a transaction was agreed to that was not asked of this credential", Status: 400}
		}
		agreed[i] = p.query.ID
	}
	return nil
}

func hashOfTransaction(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// mayAgree tells whether transaction i names the credential query.
func (j judgement) mayAgree(i int, id string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(j.session.TransactionData[i])
	if err != nil {
		return false
	}
	m, err := schemas.ParseObject(raw)
	if err != nil {
		return false
	}
	ids, _ := m["credential_ids"].([]any)
	return slices.Contains(ids, any(id))
}

func isPresentation(m map[string]any) bool {
	return slices.Contains(list(m["type"]), any(schemas.TypeVerifiablePresentation))
}
