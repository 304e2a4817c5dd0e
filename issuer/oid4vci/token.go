package oid4vci

import (
	"context"
	"fmt"
	"time"
)

// TokenRequest is a token request (OpenID4VCI 1.0, 6.1; RFC 6749, 4.1.3 and 6) after the edge has read the form.
type TokenRequest struct {
	Tenant            string
	GrantType         string
	PreAuthorizedCode string
	// TxCode is the transaction code; HasTxCode tells a missing one from an empty one.
	TxCode    string
	HasTxCode bool
	// Code, RedirectURI and CodeVerifier are of the authorisation code flow, RefreshToken is for GrantRefreshToken.
	Code, RedirectURI, CodeVerifier string
	RefreshToken                    string
	// ClientID is optional with a pre-authorised code: anonymous access is on. A key proof's iss must be this client, and
	// absent without one.
	ClientID string
	// Resource are the resource indicators (RFC 8707); each must be this issuer.
	Resource []string
	// AuthorizationDetails is the raw JSON, empty where there is none.
	AuthorizationDetails string
	DPoP                 []string
	ClientAssertion      ClientAssertion
}

// TokenResponse is the answer (6.2). Send it with Cache-Control: no-store.
type TokenResponse struct {
	AccessToken          string                `json:"access_token"`
	TokenType            string                `json:"token_type"`
	ExpiresIn            int                   `json:"expires_in"`
	RefreshToken         string                `json:"refresh_token,omitempty"`
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

// identifierFor is the credential identifier of the one credential that an offer has under a configuration.
func identifierFor(configuration string) string { return configuration + "-1" }

// caller is who asks for a token.
type caller struct {
	client
	dpop string // thumbprint of the key of the DPoP proof, "" without one
}

// tokens are what a token request is given, as the wallet gets them and as they are stored.
type tokens struct {
	access, refresh string
	life            time.Duration
}

// Token redeems a pre-authorised code, an authorisation code or a refresh token. Each code works once; a wrong transaction
// code is counted and does not burn the offer, the fifth one locks it for good. Errors for the wallet are *Error.
func (s *Service) Token(ctx context.Context, r TokenRequest) (TokenResponse, error) {
	if _, err := s.tenant(ctx, r.Tenant); err != nil {
		return TokenResponse{}, err
	}
	redeem, err := s.checkTokenRequest(r)
	if err != nil {
		return TokenResponse{}, err
	}
	who := caller{}
	if who.client, err = s.client(ctx, r.Tenant, r.ClientID, r.ClientAssertion); err != nil {
		return TokenResponse{}, err
	}
	if who.dpop, err = s.checkDPoP(ctx, r.Tenant, endpointToken, "", r.DPoP); err != nil {
		return TokenResponse{}, err
	}
	if who.dpop == "" && s.c.Wallets.DPoP == Required {
		return TokenResponse{}, badDPoP("a DPoP proof is required")
	}
	granted, given, err := redeem(ctx, r, who)
	if err != nil {
		return TokenResponse{}, err
	}
	s.c.Crash("code.after_take")
	return tokenResponse(granted, given), nil
}

// tokenResponse puts what was granted on the wire.
func tokenResponse(g GrantRecord, given tokens) TokenResponse {
	resp := TokenResponse{AccessToken: given.access, RefreshToken: given.refresh, TokenType: schemeBearer, ExpiresIn: int(given.life / time.Second)}
	if g.DPoPKey != "" {
		resp.TokenType = schemeDPoP
	}
	if g.ByIdentifier {
		for _, c := range g.Configurations {
			resp.AuthorizationDetails = append(resp.AuthorizationDetails, AuthorizationDetail{
				Type: detailType, CredentialConfigurationID: c, CredentialIdentifiers: []string{identifierFor(c)},
			})
		}
	}
	return resp
}

type redemption func(ctx context.Context, r TokenRequest, who caller) (GrantRecord, tokens, error)

// checkTokenRequest checks what can be told from the request alone and returns how its grant is redeemed.
func (s *Service) checkTokenRequest(r TokenRequest) (redemption, error) {
	if len(r.TxCode) > 64 || len(r.RedirectURI) > maxRedirectURI || len(r.CodeVerifier) > 128 {
		return nil, fail(CodeInvalidRequest, "a parameter is too long")
	}
	if err := s.checkResource(r.Tenant, r.Resource); err != nil {
		return nil, err
	}
	missing := func(name string, value string) error {
		if value == "" {
			return fail(CodeInvalidRequest, name+" is missing")
		}
		return nil
	}
	switch r.GrantType {
	case "":
		return nil, fail(CodeInvalidRequest, "grant_type is missing")
	case GrantPreAuthorized:
		return s.redeemPreAuthorized, missing("pre-authorized_code", r.PreAuthorizedCode)
	case GrantAuthorizationCode:
		if r.HasTxCode {
			return nil, fail(CodeInvalidRequest, "tx_code does not go with this grant")
		}
		if len(r.ClientAssertion.Attestation) == 0 && r.ClientID == "" {
			return nil, fail(CodeInvalidRequest, "client_id is missing")
		}
		for _, p := range [][2]string{{"code", r.Code}, {"redirect_uri", r.RedirectURI}, {"code_verifier", r.CodeVerifier}} {
			if err := missing(p[0], p[1]); err != nil {
				return nil, err
			}
		}
		return s.redeemCode, nil
	case GrantRefreshToken:
		return s.refresh, missing("refresh_token", r.RefreshToken)
	}
	return nil, fail(CodeUnsupportedGrantType, "expected a pre-authorized code, an authorization code or a refresh token")
}

func (s *Service) checkResource(tenant string, resources []string) error {
	for _, resource := range resources {
		if resource != s.IssuerID(tenant) {
			return fail(CodeInvalidTarget, "resource: expected the credential issuer identifier")
		}
	}
	return nil
}

// mayStillIssue asks again what may have changed since the offer was made; code is that of a final no. later is as for ready.
func (s *Service) mayStillIssue(ctx context.Context, o OfferRecord, configurations []string, code string) (later bool, err error) {
	later, err = s.ready(ctx, o, configurations)
	if words, final := refusal(err); final {
		return false, fail(code, words)
	}
	if err != nil {
		return false, fmt.Errorf("before the token: %w", err)
	}
	return later, nil
}
