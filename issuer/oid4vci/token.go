package oid4vci

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"heartmark/schemas"
)

// TokenRequest is a token request (OpenID4VCI 1.0, 6.1) after the edge has read the form.
type TokenRequest struct {
	Tenant            string
	GrantType         string
	PreAuthorizedCode string
	// TxCode is the transaction code; HasTxCode tells a missing one from an empty one.
	TxCode    string
	HasTxCode bool
	// ClientID is optional: anonymous access is on. A key proof's iss must be this client, and absent without one.
	ClientID string
	// Resource are the resource indicators (RFC 8707); each must be this issuer.
	Resource []string
	// AuthorizationDetails is the raw JSON, empty where there is none.
	AuthorizationDetails string
}

// TokenResponse is the answer (6.2). Send it with Cache-Control: no-store.
type TokenResponse struct {
	AccessToken          string                `json:"access_token"`
	TokenType            string                `json:"token_type"`
	ExpiresIn            int                   `json:"expires_in"`
	AuthorizationDetails []AuthorizationDetail `json:"authorization_details,omitempty"`
}

// AuthorizationDetail tells which credentials the token is for.
type AuthorizationDetail struct {
	Type                      string   `json:"type"`
	CredentialConfigurationID string   `json:"credential_configuration_id"`
	CredentialIdentifiers     []string `json:"credential_identifiers"`
}

// detailType is the authorization details type of OpenID4VCI.
const detailType = "openid_credential"

// identifierFor is the credential identifier of the one credential that an offer is for.
func identifierFor(configuration string) string { return configuration + "-1" }

// Token redeems a pre-authorised code. The code works once. A wrong transaction code is counted and does not burn the
// offer; the fifth one locks it for good. Errors for the wallet are *Error.
func (s *Service) Token(ctx context.Context, r TokenRequest) (TokenResponse, error) {
	if _, err := s.tenant(ctx, r.Tenant); err != nil {
		return TokenResponse{}, err
	}
	if err := s.checkTokenRequest(r); err != nil {
		return TokenResponse{}, err
	}
	id, ok := splitHandle(r.PreAuthorizedCode)
	if !ok {
		return TokenResponse{}, badCode()
	}
	o, err := s.c.Store.Offer(ctx, id)
	if errors.Is(err, ErrNoOffer) {
		return TokenResponse{}, badCode()
	}
	if err != nil {
		return TokenResponse{}, fmt.Errorf("read offer: %w", err)
	}
	if o.Tenant != r.Tenant || !same(o.CodeHash, hashOf("code", r.PreAuthorizedCode)) {
		return TokenResponse{}, badCode()
	}
	byIdentifier, err := readDetails(r.AuthorizationDetails, o.Configuration, s.IssuerID(r.Tenant))
	if err != nil {
		return TokenResponse{}, err
	}
	if err := s.ready(ctx, o); err != nil {
		if words, final := refusal(err); final {
			return TokenResponse{}, fail(CodeInvalidGrant, words)
		}
		return TokenResponse{}, fmt.Errorf("before the token: %w", err)
	}
	token := handle(id, randomText(secretBytes))
	if err := s.redeem(ctx, r, id, token, byIdentifier); err != nil {
		return TokenResponse{}, err
	}
	s.c.Crash("code.after_take")
	resp := TokenResponse{AccessToken: token, TokenType: "Bearer", ExpiresIn: int(s.c.TokenLife / time.Second)}
	if byIdentifier {
		resp.AuthorizationDetails = []AuthorizationDetail{{
			Type: detailType, CredentialConfigurationID: o.Configuration, CredentialIdentifiers: []string{identifierFor(o.Configuration)},
		}}
	}
	return resp, nil
}

func badCode() *Error { return fail(CodeInvalidGrant, "the code is unknown, expired or used") }

func (s *Service) checkTokenRequest(r TokenRequest) error {
	if r.GrantType == "" {
		return fail(CodeInvalidRequest, "grant_type is missing")
	}
	if r.GrantType != GrantPreAuthorized {
		return fail(CodeUnsupportedGrantType, "expected the pre-authorized code grant")
	}
	if r.PreAuthorizedCode == "" {
		return fail(CodeInvalidRequest, "pre-authorized_code is missing")
	}
	if len(r.TxCode) > 64 || len(r.ClientID) > 512 {
		return fail(CodeInvalidRequest, "a parameter is too long")
	}
	for _, resource := range r.Resource {
		if resource != s.IssuerID(r.Tenant) {
			return fail(CodeInvalidTarget, "resource: expected the credential issuer identifier")
		}
	}
	return nil
}

// redeem takes the code in one atomic update: whatever comes in at once, one request gets a token, and no more
// transaction codes are compared than MaxWrongTries allows.
func (s *Service) redeem(ctx context.Context, r TokenRequest, id, token string, byIdentifier bool) error {
	now := s.now()
	var outcome *Error
	locked := false
	err := s.c.Store.UpdateOffer(ctx, id, func(o *OfferRecord) error {
		outcome, locked = nil, false
		switch {
		case o.StateAt(now) == StateExpired || !o.open():
			outcome = badCode()
			return outcome
		case !r.HasTxCode || r.TxCode == "":
			outcome = fail(CodeInvalidRequest, "tx_code is missing")
			return outcome
		case !same(o.TxHash, hashOf("tx", r.PreAuthorizedCode, r.TxCode)):
			o.WrongTries++
			outcome = fail(CodeInvalidGrant, "the tx_code is wrong")
			if o.WrongTries >= MaxWrongTries {
				o.State, locked = StateLocked, true
				outcome = fail(CodeInvalidGrant, "the tx_code is wrong; the offer is closed after too many tries")
			}
			return nil // the count is stored
		}
		o.State, o.TokenHash, o.TokenExpiresAt = StateRedeemed, hashOf("token", token), now.Add(s.c.TokenLife)
		o.ClientID, o.ByIdentifier = r.ClientID, byIdentifier
		return nil
	})
	if locked && err == nil {
		s.log.WarnContext(ctx, "credential offer locked after wrong transaction codes", slog.String("tenant", r.Tenant), slog.String("offer", id))
	}
	if outcome != nil && (err == nil || errors.Is(err, error(outcome))) {
		return outcome
	}
	if errors.Is(err, ErrNoOffer) {
		return badCode()
	}
	if err != nil {
		return fmt.Errorf("redeem code: %w", err)
	}
	return nil
}

// readDetails reads authorization_details (6.1, 5.1.1) and reports whether there were any. Each must be for the offered
// configuration.
func readDetails(raw, configuration, issuerID string) (bool, error) {
	if raw == "" {
		return false, nil
	}
	v, err := schemas.ParseJSON([]byte(raw))
	list, ok := v.([]any)
	if err != nil || !ok || len(list) == 0 || len(list) > MaxBatch {
		return false, fail(CodeInvalidRequest, "authorization_details: expected a JSON array of objects")
	}
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok || m["type"] != detailType {
			return false, fail(CodeInvalidRequest, "authorization_details: expected type openid_credential")
		}
		if m["credential_configuration_id"] != configuration {
			return false, fail(CodeInvalidRequest, "authorization_details: the offer is for another credential configuration")
		}
		if locations, ok := m["locations"]; ok {
			l, isList := locations.([]any)
			if !isList || len(l) != 1 || l[0] != issuerID {
				return false, fail(CodeInvalidRequest, "authorization_details: locations must be the credential issuer identifier")
			}
		}
	}
	return true, nil
}

// authenticate finds the offer that an access token is for.
func (s *Service) authenticate(ctx context.Context, tenant, token string) (OfferRecord, error) {
	if token == "" {
		return OfferRecord{}, badToken(true)
	}
	id, ok := splitHandle(token)
	if !ok {
		return OfferRecord{}, badToken(false)
	}
	o, err := s.c.Store.Offer(ctx, id)
	if errors.Is(err, ErrNoOffer) {
		return OfferRecord{}, badToken(false)
	}
	if err != nil {
		return OfferRecord{}, fmt.Errorf("read token: %w", err)
	}
	if o.Tenant != tenant || o.State != StateRedeemed || !same(o.TokenHash, hashOf("token", token)) || !s.now().Before(o.TokenExpiresAt) {
		return OfferRecord{}, badToken(false)
	}
	return o, nil
}
