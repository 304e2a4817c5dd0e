package oid4vci

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"heartmark/issuer"
	"heartmark/schemas"
)

// CredentialRequest is a credential request (OpenID4VCI 1.0, 8.2).
type CredentialRequest struct {
	CredentialIdentifier      string
	CredentialConfigurationID string
	// Proofs are the key proofs of type jwt.
	Proofs []string
	// OtherProofType names a type of proof that we do not take, where one was sent.
	OtherProofType string
	// WantsEncryption tells that credential_response_encryption was there.
	WantsEncryption bool
}

// ParseCredentialRequest reads the body of a credential request. It takes `proofs` of section 8.2 and, from clients of an
// older draft, one `proof`; members that the specification does not know are ignored, as it demands. Faults are *Error.
func ParseCredentialRequest(body []byte) (CredentialRequest, error) {
	m, err := schemas.ParseObject(body)
	if err != nil {
		return CredentialRequest{}, fail(CodeInvalidRequestBody, "the body is not one JSON object: "+err.Error())
	}
	var r CredentialRequest
	for name, into := range map[string]*string{
		"credential_identifier": &r.CredentialIdentifier, "credential_configuration_id": &r.CredentialConfigurationID,
	} {
		v, ok := m[name]
		if !ok {
			continue
		}
		s, isString := v.(string)
		if !isString || s == "" {
			return CredentialRequest{}, fail(CodeInvalidRequestBody, name+": expected a text")
		}
		*into = s
	}
	_, r.WantsEncryption = m["credential_response_encryption"]
	_, several := m["proofs"]
	_, single := m["proof"]
	switch {
	case several && single:
		return CredentialRequest{}, fail(CodeInvalidRequestBody, "proof and proofs cannot both be there")
	case several:
		err = r.readProofs(m["proofs"])
	case single:
		err = r.readProof(m["proof"])
	}
	return r, err
}

func (r *CredentialRequest) readProofs(v any) error {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return fail(CodeInvalidProof, "proofs: expected an object with one type of proof")
	}
	for kind, list := range m {
		if kind != "jwt" {
			r.OtherProofType = kind
			return nil
		}
		items, ok := list.([]any)
		if !ok || len(items) == 0 {
			return fail(CodeInvalidProof, "proofs: expected an array with at least one proof")
		}
		for _, item := range items {
			s, ok := item.(string)
			if !ok {
				return fail(CodeInvalidProof, "proofs: expected each proof as a text")
			}
			r.Proofs = append(r.Proofs, s)
		}
	}
	return nil
}

func (r *CredentialRequest) readProof(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fail(CodeInvalidProof, "proof: expected an object")
	}
	kind, _ := m["proof_type"].(string)
	if kind != "jwt" {
		r.OtherProofType = "other"
		return nil
	}
	s, ok := m["jwt"].(string)
	if !ok {
		return fail(CodeInvalidProof, "proof: expected the member jwt")
	}
	r.Proofs = []string{s}
	return nil
}

// CredentialResponse is the answer (8.3). Send it with Cache-Control: no-store.
type CredentialResponse struct {
	Credentials    []IssuedCredential `json:"credentials"`
	NotificationID string             `json:"notification_id"`
}

// IssuedCredential is one credential: an object for ldp_vc.
type IssuedCredential struct {
	Credential json.RawMessage `json:"credential"`
}

// Credential issues what the access token is for, one credential for each proven key. All proofs are checked before the
// nonce is taken and before anything is issued: one bad proof refuses all. The same request under a new nonce gives the
// same credentials; another key after that is refused. Errors for the wallet are *Error.
func (s *Service) Credential(ctx context.Context, tenant, accessToken string, r CredentialRequest) (CredentialResponse, error) {
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return CredentialResponse{}, err
	}
	o, err := s.authenticate(ctx, tenant, accessToken)
	if err != nil {
		return CredentialResponse{}, err
	}
	if err := checkTarget(t, o, r); err != nil {
		return CredentialResponse{}, err
	}
	now := s.now()
	proofs, err := s.checkProofs(o, r, now)
	if err != nil {
		return CredentialResponse{}, err
	}
	if err := s.ready(ctx, o); err != nil {
		return CredentialResponse{}, issueError(err)
	}
	if err := s.takeNonce(ctx, tenant, proofs[0].nonce, now); err != nil {
		return CredentialResponse{}, err
	}
	s.c.Crash("nonce.after_take")
	issued, err := s.issueAll(ctx, o, proofs)
	if err != nil {
		return CredentialResponse{}, err
	}
	resp := CredentialResponse{NotificationID: notificationID(accessToken)}
	for _, c := range issued {
		resp.Credentials = append(resp.Credentials, IssuedCredential{Credential: c.Credential})
	}
	return resp, nil
}

// checkTarget checks what the request asks for against what the token allows.
func checkTarget(t Tenant, o OfferRecord, r CredentialRequest) error {
	if r.WantsEncryption {
		return fail(CodeInvalidEncryption, "encrypted responses are not offered")
	}
	if (r.CredentialIdentifier == "") == (r.CredentialConfigurationID == "") {
		return fail(CodeInvalidRequestBody, "expected exactly one of credential_identifier and credential_configuration_id")
	}
	if o.ByIdentifier {
		if r.CredentialIdentifier == "" {
			return fail(CodeInvalidRequestBody, "expected a credential_identifier from the token response")
		}
		if r.CredentialIdentifier != identifierFor(o.Configuration) {
			return fail(CodeUnknownIdentifier, "the token is not for this credential identifier")
		}
	} else {
		if r.CredentialConfigurationID == "" {
			return fail(CodeUnknownIdentifier, "the token response named no credential identifiers")
		}
		if _, known := t.configuration(r.CredentialConfigurationID); !known {
			return fail(CodeUnknownConfiguration, "there is no such credential configuration")
		}
		if r.CredentialConfigurationID != o.Configuration {
			return fail(CodeDenied, "the token is for another credential configuration")
		}
	}
	if _, known := t.configuration(o.Configuration); !known {
		return fail(CodeUnknownConfiguration, "the credential configuration is no longer offered")
	}
	return nil
}

// checkProofs checks all proofs of a request; they share one nonce and name different keys.
func (s *Service) checkProofs(o OfferRecord, r CredentialRequest, now time.Time) ([]keyProof, error) {
	if r.OtherProofType != "" {
		return nil, fail(CodeInvalidProof, "only proofs of type jwt are offered")
	}
	if len(r.Proofs) == 0 {
		return nil, fail(CodeInvalidProof, "a key proof is needed")
	}
	if len(r.Proofs) > s.c.Batch {
		return nil, fail(CodeInvalidProof, "more proofs than offered: at most "+strconv.Itoa(s.c.Batch))
	}
	seen := map[string]bool{}
	proofs := make([]keyProof, 0, len(r.Proofs))
	for _, compact := range r.Proofs {
		p, err := s.checkProof(o, compact, now)
		if err != nil {
			return nil, err
		}
		if key := sameKey(p.holderID); seen[key] {
			return nil, badProof("a key stands in two proofs")
		} else {
			seen[key] = true
		}
		if len(proofs) > 0 && p.nonce != proofs[0].nonce {
			return nil, badProof("the proofs of one request share one nonce")
		}
		proofs = append(proofs, p)
	}
	return proofs, nil
}

// issueAll asks the issuer for one credential a key. The idempotency key counts the keys of the offer in the order of the
// holders' ids: a repeated request finds what it got before, and a further key finds its place taken.
func (s *Service) issueAll(ctx context.Context, o OfferRecord, proofs []keyProof) ([]Issued, error) {
	order := make([]string, len(proofs))
	for i, p := range proofs {
		order[i] = p.holderID
	}
	slices.Sort(order)
	out := make([]Issued, 0, len(proofs))
	ids := make([]string, 0, len(proofs))
	for _, p := range proofs {
		issued, err := s.c.Issue(ctx, IssueRequest{
			Tenant: o.Tenant, Configuration: o.Configuration, ReportID: o.ReportID, HolderID: p.holderID, Language: o.Language,
			IdempotencyKey: "oid4vci/" + o.ID + "/" + strconv.Itoa(slices.Index(order, p.holderID)),
		})
		if err != nil {
			return nil, issueError(err)
		}
		out = append(out, issued)
		ids = append(ids, issued.ID)
	}
	err := s.c.Store.UpdateOffer(ctx, o.ID, func(stored *OfferRecord) error {
		for _, id := range ids {
			if !slices.Contains(stored.Credentials, id) {
				stored.Credentials = append(stored.Credentials, id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("record what was issued: %w", err)
	}
	return out, nil
}

// issueError turns a final no of the issuer into an answer for the wallet.
func issueError(err error) error {
	if words, final := refusal(err); final {
		return fail(CodeDenied, words)
	}
	if errors.Is(err, issuer.ErrInProgress) {
		return &Error{Code: CodeTemporarilyUnavailable, Description: "the same request is being worked on", Status: http.StatusServiceUnavailable}
	}
	return fmt.Errorf("issue: %w", err)
}

// notificationID is drawn from the token, of which only a hash is stored: the wallet that holds the token can name it,
// and nothing more has to be kept.
func notificationID(token string) string {
	return base64.RawURLEncoding.EncodeToString(hashOf("notification", token))
}
