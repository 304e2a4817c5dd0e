package oid4vp

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

// Values of a request object (OpenID4VP 1.0, 5).
const (
	typeRequest  = "oauth-authz-req+jwt"
	audWallets   = "https://self-issued.me/v2" // 5.8: static discovery
	responseType = "vp_token"
	// keyID names the one key of a session.
	keyID = "answer"
)

// Wallet is what a wallet says of itself when it gets the request (5.10).
type Wallet struct {
	// Nonce comes back in the request object; empty where the wallet gave none.
	Nonce string
	// Metadata is a JSON object, or empty. It is checked to be one; what it says changes nothing, since there is one form of
	// request that every wallet for this query must read.
	Metadata string
}

// maxWalletNonce bounds what is echoed.
const maxWalletNonce = 512

// Request hands out the request object, once: a second or late call is refused as an unknown id is.
func (s *Service) Request(ctx context.Context, requestID string, w Wallet) (string, error) {
	if len(w.Nonce) > maxWalletNonce {
		return "", refuse("wallet_nonce is too long")
	}
	if w.Metadata != "" {
		if _, err := schemas.ParseObject([]byte(w.Metadata)); err != nil {
			return "", refuse("wallet_metadata is no JSON object")
		}
	}
	session, err := s.find(ctx, requestID)
	if err != nil {
		return "", err
	}
	if session.Flow == BrowserAPI || session.stateAt(s.c.Now()) != StatePending {
		return "", gone()
	}
	client, err := s.c.Client(ctx, session.Tenant, prefixOf(session.ClientID))
	if err != nil {
		return "", fmt.Errorf("client: %w", err)
	}
	err = s.c.Store.UpdateSession(ctx, session.ID, func(stored *Session) error {
		if stored.stateAt(s.c.Now()) != StatePending {
			return gone()
		}
		stored.State = StateRequested
		return nil
	})
	if err != nil {
		return "", err
	}
	s.changes.tell(session.ID)
	claims, err := s.claims(ctx, session, requestID)
	if err != nil {
		return "", err
	}
	if w.Nonce != "" {
		claims["wallet_nonce"] = w.Nonce
	}
	return s.sign(ctx, session, client, claims)
}

func (s *Service) responseURI(requestID string) string {
	return s.c.Origin + "/oid4vp/" + requestID + "/response"
}

// claims are the parameters of a request.
func (s *Service) claims(ctx context.Context, session Session, requestID string) (map[string]any, error) {
	query, err := schemas.ParseObject(session.Query)
	if err != nil {
		return nil, fmt.Errorf("stored query: %w", err)
	}
	metadata, err := s.metadata(ctx, session)
	if err != nil {
		return nil, err
	}
	claims := map[string]any{
		"client_id": session.ClientID, "response_type": responseType, "response_mode": session.ResponseMode,
		"nonce": session.Nonce, "dcql_query": query, "client_metadata": metadata,
	}
	if len(session.TransactionData) > 0 {
		claims["transaction_data"] = session.TransactionData
	}
	if session.Flow == BrowserAPI {
		return claims, nil
	}
	claims["response_uri"], claims["state"] = s.responseURI(requestID), requestID
	return claims, nil
}

// metadata says what we read (11.1). Formats that are not asked for are left out.
func (s *Service) metadata(ctx context.Context, session Session) (map[string]any, error) {
	query, err := readQuery(session.Query)
	if err != nil {
		return nil, err
	}
	algorithms := []string{jose.ES256, jose.EdDSA, jose.ES384}
	known := map[string]any{
		FormatSDJWT: map[string]any{"sd-jwt_alg_values": algorithms, "kb-jwt_alg_values": algorithms},
		FormatLDP: map[string]any{
			"proof_type_values":  []string{"DataIntegrityProof"},
			"cryptosuite_values": []string{"eddsa-rdfc-2022", "ecdsa-rdfc-2019", "eddsa-jcs-2022", "ecdsa-jcs-2019"},
		},
		FormatJWT: map[string]any{"alg_values": algorithms},
	}
	formats := map[string]any{}
	for _, c := range query.Credentials {
		formats[c.Format] = known[c.Format]
	}
	out := map[string]any{"vp_formats_supported": formats}
	if session.SealedKey == nil {
		return out, nil
	}
	key, err := s.openKey(ctx, session)
	if err != nil {
		return nil, err
	}
	raw, err := keys.MarshalJWK(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	jwk, err := schemas.ParseObject(raw)
	if err != nil {
		return nil, err
	}
	jwk["kid"], jwk["use"], jwk["alg"] = keyID, "enc", jose.ECDHES
	out["jwks"] = map[string]any{"keys": []any{jwk}}
	out["encrypted_response_enc_values_supported"] = jose.ContentEncryptions()
	return out, nil
}

// sign makes the request object of RFC 9101 as OpenID4VP 1.0, 5.8 and 5.9 bound it.
func (s *Service) sign(ctx context.Context, session Session, client Client, claims map[string]any) (string, error) {
	if client.ID != session.ClientID || client.Signer == nil {
		return "", &Error{Code: "temporarily_unavailable", Description: "the identity of the request has changed", Status: http.StatusServiceUnavailable}
	}
	now := s.c.Now()
	claims["aud"], claims["iat"], claims["exp"] = audWallets, now.Unix(), session.ExpiresAt.Unix()
	if client.Name != "" {
		metadata, _ := claims["client_metadata"].(map[string]any)
		metadata["client_name"] = client.Name
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("request object: %w", err)
	}
	header := map[string]any{"typ": typeRequest}
	if len(client.X5C) > 0 {
		header["x5c"] = client.X5C
	} else {
		header["kid"] = client.Kid
	}
	if err := s.journal(ctx, AuditSign, session, client.Kid); err != nil {
		return "", err
	}
	return jose.Sign(header, payload, client.Signer)
}

// browserRequests makes the requests for the Digital Credentials API: signed, with the origins that it was made for, and
// unsigned for wallets that read no signed ones (A.3).
func (s *Service) browserRequests(ctx context.Context, session Session, client Client, requestID string, out *Created) error {
	claims, err := s.claims(ctx, session, requestID)
	if err != nil {
		return err
	}
	unsigned := map[string]any{}
	for name, v := range claims {
		if name != "client_id" {
			unsigned[name] = v
		}
	}
	claims["expected_origins"] = session.Origins
	object, err := s.sign(ctx, session, client, claims)
	if err != nil {
		return err
	}
	out.BrowserRequests = []BrowserRequest{
		{Protocol: "openid4vp-v1-signed", Data: map[string]any{"request": object}},
		{Protocol: "openid4vp-v1-unsigned", Data: unsigned},
	}
	return nil
}

// prefixOf returns the prefix of a client identifier.
func prefixOf(clientID string) string {
	for i := range len(clientID) {
		if clientID[i] == ':' {
			return clientID[:i]
		}
	}
	return clientID
}
