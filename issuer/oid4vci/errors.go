package oid4vci

import (
	"errors"
	"net/http"
	"strings"

	"heartmark/issuer"
)

// ErrNotFound is returned for an unknown tenant, and for an offer that is unknown, of another tenant, or no longer open:
// a stranger cannot tell which. Answer 404.
var ErrNotFound = errors.New("not found")

// OAuth and OpenID4VCI error codes (RFC 6749, 4.1.2.1 and 5.2; RFC 6750, 3.1; RFC 8707; RFC 9396, 5; RFC 9449, 7.1 and 8;
// attestation-based client authentication; OpenID4VCI 1.0, 6.3, 8.3.1.2, 9.3, 11.3).
const (
	CodeInvalidRequest          = "invalid_request"
	CodeInvalidClient           = "invalid_client"
	CodeInvalidScope            = "invalid_scope"
	CodeInvalidDetails          = "invalid_authorization_details"
	CodeUnsupportedResponse     = "unsupported_response_type"
	CodeAccessDenied            = "access_denied"
	CodeInvalidDPoP             = "invalid_dpop_proof"
	CodeUseDPoPNonce            = "use_dpop_nonce"
	CodeUseAttestationChallenge = "use_attestation_challenge"
	CodeInvalidTransaction      = "invalid_transaction_id"
	CodeInvalidGrant            = "invalid_grant"
	CodeUnsupportedGrantType    = "unsupported_grant_type"
	CodeInvalidTarget           = "invalid_target"
	CodeInvalidToken            = "invalid_token"
	CodeInvalidRequestBody      = "invalid_credential_request"
	CodeUnknownConfiguration    = "unknown_credential_configuration"
	CodeUnknownIdentifier       = "unknown_credential_identifier"
	CodeInvalidProof            = "invalid_proof"
	CodeInvalidNonce            = "invalid_nonce"
	CodeInvalidEncryption       = "invalid_encryption_parameters"
	CodeDenied                  = "credential_request_denied"
	CodeInvalidNotification     = "invalid_notification_request"
	CodeInvalidNotificationID   = "invalid_notification_id"
	CodeTemporarilyUnavailable  = "temporarily_unavailable"
)

// Challenges of RFC 6750 and RFC 9449. A request without a token is told both ways to bring one.
const (
	schemeBearer  = "Bearer"
	schemeDPoP    = "DPoP"
	challengeNone = `Bearer, DPoP algs="EdDSA ES256"`
)

// Error is an answer in the dialect of OAuth. Its text goes to the wallet: it names what was wrong and no secret.
type Error struct {
	// Code is one of the constants above.
	Code string
	// Description is printable ASCII without quotation marks and backslashes (OpenID4VCI 1.0, 8.3.1.2).
	Description string
	// Status is the HTTP status.
	Status int
	// Challenge is the value of WWW-Authenticate, for status 401; else empty.
	Challenge string
	// DPoPNonce is the value of DPoP-Nonce, AttestationChallenge that of OAuth-Client-Attestation-Challenge; empty for none.
	DPoPNonce, AttestationChallenge string
}

// Error returns code and description.
func (e *Error) Error() string { return e.Code + ": " + e.Description }

// fail returns an Error with status 400.
func fail(code, description string) *Error {
	return &Error{Code: code, Description: printable(description), Status: http.StatusBadRequest}
}

// badToken answers a missing, wrong or expired access token under the scheme that was tried. RFC 6750, section 3.1: a
// request without a token gets a challenge without error.
func badToken(scheme string) *Error {
	e := &Error{
		Code: CodeInvalidToken, Description: "the access token is missing, unknown or expired", Status: http.StatusUnauthorized,
		Challenge: challengeNone,
	}
	switch scheme {
	case schemeBearer:
		e.Challenge = `Bearer error="invalid_token"`
	case schemeDPoP:
		e.Challenge = `DPoP error="invalid_token", algs="EdDSA ES256"`
	}
	return e
}

// badClient answers a client that is not authenticated or not known (RFC 6749, 5.2).
func badClient(why string) *Error {
	e := fail(CodeInvalidClient, why)
	e.Status = http.StatusUnauthorized
	return e
}

// printable keeps the characters that OAuth allows in a description, and not more than fit a line.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), 300)]
}

// refusal tells whether an error of the issuer is a final no, and the words for it. A review that is still to come is
// none: the wallet is told to ask again.
func refusal(err error) (string, bool) {
	for _, r := range []struct {
		err   error
		words string
	}{
		{issuer.ErrNothingToIssue, "the report states no level that can be certified"},
		{issuer.ErrNoConsent, "the consent that this credential needs is missing or was withdrawn"},
		{issuer.ErrNotAuthorised, "the issuer has no authority for this credential"},
		{issuer.ErrConflict, "this offer was already used for another key"},
		{issuer.ErrRevoked, "the credential was revoked"},
		{issuer.ErrNotFound, "what the offer was made for is no longer there"},
		{issuer.ErrInvalid, "this credential cannot be issued"},
	} {
		if errors.Is(err, r.err) {
			return r.words, true
		}
	}
	return "", false
}
