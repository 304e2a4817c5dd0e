package oid4vci

import (
	"crypto"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"heartmark/internal/proof/jose"
)

// proofType is the typ of a key proof (OpenID4VCI 1.0, F.1).
const proofType = "openid4vci-proof+jwt"

// maxProofBytes bounds one proof; a did:jwk in kid, a key attestation and its signature stay far below.
const maxProofBytes = 48 << 10

// maxProofAge is how old iat may be. Freshness comes from the nonce; a wallet's clock may be slow.
const maxProofAge = time.Hour

// ProofAlgorithms are the algorithms of key proofs, as metadata lists them.
func ProofAlgorithms() []string { return []string{jose.EdDSA, jose.ES256} }

// keyProof is what one good proof shows: the holders' ids of its keys, the proof's own first, and its nonce.
type keyProof struct {
	holders []string
	nonce   string
}

// checkProofs checks all proofs of a request; they share one nonce and name different keys. Whether the nonce is alive is
// not asked yet.
func (s *Service) checkProofs(o OfferRecord, r CredentialRequest, now time.Time) (keyProof, error) {
	var checks []func() (keyProof, error)
	switch r.ProofType {
	case "":
		return keyProof{}, fail(CodeInvalidProof, "a key proof is needed")
	case ProofJWT:
		for _, compact := range r.Proofs {
			checks = append(checks, func() (keyProof, error) { return s.checkJWT(o, compact, now) })
		}
	case ProofDIVP:
		for _, vp := range r.Presentations {
			checks = append(checks, func() (keyProof, error) { return s.checkPresentation(o.Tenant, vp, now) })
		}
	case ProofAttestation:
		if len(r.Proofs) != 1 {
			return keyProof{}, badProof("expected one key attestation")
		}
		checks = append(checks, func() (keyProof, error) { return s.checkAttestationProof(r.Proofs[0]) })
	}
	if !slices.Contains(s.proofTypes(), r.ProofType) {
		return keyProof{}, fail(CodeInvalidProof, "this type of proof is not offered")
	}
	if len(checks) == 0 {
		return keyProof{}, fail(CodeInvalidProof, "a key proof is needed")
	}
	if len(checks) > s.c.Batch {
		return keyProof{}, s.tooMany()
	}
	var all keyProof
	var keys, extra []string // keys that were proven, and those that attestations name beside them
	for n, check := range checks {
		p, err := check()
		if err != nil {
			return keyProof{}, err
		}
		if key := sameKey(p.holders[0]); slices.Contains(keys, key) {
			return keyProof{}, badProof("a key stands in two proofs")
		} else {
			keys = append(keys, key)
		}
		if n > 0 && p.nonce != all.nonce {
			return keyProof{}, badProof("the proofs of one request share one nonce")
		}
		all.nonce, all.holders, extra = p.nonce, append(all.holders, p.holders[0]), append(extra, p.holders[1:]...)
	}
	for _, holder := range extra {
		if key := sameKey(holder); !slices.Contains(keys, key) {
			keys, all.holders = append(keys, key), append(all.holders, holder)
		}
	}
	if len(all.holders) > s.c.Batch {
		return keyProof{}, s.tooMany()
	}
	return all, nil
}

func (s *Service) tooMany() *Error {
	return fail(CodeInvalidProof, "more keys than offered: at most "+strconv.Itoa(s.c.Batch))
}

// proofTypes are the types of proof that this service takes.
func (s *Service) proofTypes() []string {
	var types []string
	if len(s.c.Wallets.Attesters) > 0 {
		types = append(types, ProofAttestation)
	}
	types = append(types, ProofJWT)
	if s.c.CheckProof != nil && s.c.Wallets.KeyAttestation != Required {
		types = append(types, ProofDIVP) // it has no place for a key attestation
	}
	return types
}

// checkJWT checks one key proof of type jwt (F.1, F.4): everything but whether its nonce is alive. The holder's id comes
// from the proven key and nothing else.
func (s *Service) checkJWT(o OfferRecord, proof string, now time.Time) (keyProof, error) {
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
	nonce, err := s.checkProofClaims(o, claims, holderID, now)
	if err != nil {
		return keyProof{}, err
	}
	attested, err := s.attestedWith(token.Header.KeyAttestation, holderID, nonce)
	return keyProof{holders: append([]string{holderID}, attested...), nonce: nonce}, err
}

func badProof(why string) *Error { return fail(CodeInvalidProof, "the key proof is not good: "+why) }

func (s *Service) checkProofClaims(o OfferRecord, claims map[string]any, holderID string, now time.Time) (nonce string, err error) {
	if !audienceIs(claims["aud"], s.IssuerID(o.Tenant)) {
		return "", badProof("aud is not the credential issuer identifier")
	}
	iat, ok := unixTime(claims["iat"])
	if !ok {
		return "", badProof("iat is missing or no whole number of seconds")
	}
	if iat.After(now.Add(clockSkew)) || iat.Before(now.Add(-maxProofAge)) {
		return "", badProof("iat is not near the present")
	}
	if !inPeriod(claims, now) {
		return "", badProof("exp has passed, or nbf is in the future")
	}
	// F.1: iss is the client's id, and absent in the anonymous flow. A DID that somebody claims here proves nothing.
	if iss, present := claims["iss"]; present && (o.Grant.ClientID == "" || iss != o.Grant.ClientID) {
		return "", badProof("iss must be the client of the token request, and absent where there was none")
	}
	if sub, present := claims["sub"]; present && sub != holderID {
		return "", badProof("sub is not the holder of the proven key")
	}
	nonce, ok = claims["nonce"].(string)
	if !ok || nonce == "" {
		return "", badProof("nonce is missing; ask for one at the nonce endpoint")
	}
	return nonce, nil
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
