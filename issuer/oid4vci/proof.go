package oid4vci

import (
	"crypto"
	"encoding/json"
	"errors"
	"math"
	"time"

	"heartmark/internal/proof/jose"
)

// proofType is the typ of a key proof (OpenID4VCI 1.0, F.1).
const proofType = "openid4vci-proof+jwt"

// maxProofBytes bounds one proof; a did:jwk in kid and its signature stay far below.
const maxProofBytes = 16 << 10

// maxProofAge is how old iat may be. Freshness comes from the nonce; a wallet's clock may be slow.
const maxProofAge = time.Hour

// ProofAlgorithms are the algorithms of key proofs, as metadata lists them.
func ProofAlgorithms() []string { return []string{jose.EdDSA, jose.ES256} }

// keyProof is what a good proof shows: who holds the key.
type keyProof struct {
	holderID string
	nonce    string
}

// checkProof checks one key proof of type jwt (F.1, F.4): everything but whether its nonce is alive. The holder's id comes
// from the proven key and nothing else.
func (s *Service) checkProof(o OfferRecord, proof string, now time.Time) (keyProof, error) {
	if len(proof) > maxProofBytes {
		return keyProof{}, badProof("it is too long")
	}
	token, err := jose.Parse(proof)
	if errors.Is(err, jose.ErrAlgorithm) {
		return keyProof{}, badProof("its algorithm is not offered")
	}
	if err != nil {
		return keyProof{}, badProof("it is no compact JWS")
	}
	if token.Header.Typ != proofType {
		return keyProof{}, badProof("typ is not " + proofType)
	}
	pub, holderID, err := holderKey(token.Header)
	if err != nil {
		return keyProof{}, err
	}
	if alg, err := jose.Algorithm(pub); err != nil || (alg != jose.EdDSA && alg != jose.ES256) {
		return keyProof{}, badProof("the key's algorithm is not offered")
	}
	if err := token.Verify(pub); err != nil {
		return keyProof{}, badProof("the signature does not verify with the key it names")
	}
	claims, err := token.Claims()
	if err != nil {
		return keyProof{}, badProof("the payload is no JSON object")
	}
	return s.checkProofClaims(o, claims, holderID, now)
}

func badProof(why string) *Error { return fail(CodeInvalidProof, "the key proof is not good: "+why) }

func (s *Service) checkProofClaims(o OfferRecord, claims map[string]any, holderID string, now time.Time) (keyProof, error) {
	if !audienceIs(claims["aud"], s.IssuerID(o.Tenant)) {
		return keyProof{}, badProof("aud is not the credential issuer identifier")
	}
	iat, ok := unixTime(claims["iat"])
	if !ok {
		return keyProof{}, badProof("iat is missing or no whole number of seconds")
	}
	if iat.After(now.Add(clockSkew)) || iat.Before(now.Add(-maxProofAge)) {
		return keyProof{}, badProof("iat is not near the present")
	}
	if v, present := claims["exp"]; present {
		if exp, ok := unixTime(v); !ok || !now.Before(exp.Add(clockSkew)) {
			return keyProof{}, badProof("exp has passed")
		}
	}
	if v, present := claims["nbf"]; present {
		if nbf, ok := unixTime(v); !ok || nbf.After(now.Add(clockSkew)) {
			return keyProof{}, badProof("nbf is in the future")
		}
	}
	// F.1: iss is the client's id, and absent in the anonymous flow. A DID that somebody claims here proves nothing.
	if iss, present := claims["iss"]; present && (o.ClientID == "" || iss != o.ClientID) {
		return keyProof{}, badProof("iss must be the client of the token request, and absent where there was none")
	}
	if sub, present := claims["sub"]; present && sub != holderID {
		return keyProof{}, badProof("sub is not the holder of the proven key")
	}
	nonce, ok := claims["nonce"].(string)
	if !ok || nonce == "" {
		return keyProof{}, badProof("nonce is missing; ask for one at the nonce endpoint")
	}
	return keyProof{holderID: holderID, nonce: nonce}, nil
}

// audienceIs: aud is the issuer's identifier, or a list that has it; compared byte for byte.
func audienceIs(aud any, issuerID string) bool {
	switch a := aud.(type) {
	case string:
		return a == issuerID
	case []any:
		for _, item := range a {
			if item == issuerID {
				return true
			}
		}
	}
	return false
}

// unixTime reads a JWT time: a whole JSON number of seconds in a sane range.
func unixTime(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	secs, err := n.Int64()
	if err != nil || secs < 0 || secs > math.MaxInt32*4 {
		return time.Time{}, false
	}
	return time.Unix(secs, 0).UTC(), true
}

// holderKey returns the public key that a proof's header names, and the holder's DID. Exactly one of kid and jwk names
// it; certificates are not taken, since no trust anchor is configured.
func holderKey(h jose.Header) (crypto.PublicKey, string, error) {
	switch {
	case h.HasX5C:
		return nil, "", badProof("x5c is not taken")
	case (h.Kid == "") == (h.JWK == nil):
		return nil, "", badProof("exactly one of kid and jwk names the key")
	case h.JWK != nil:
		return keyFromJWK(h.JWK)
	default:
		return keyFromKid(h.Kid)
	}
}
