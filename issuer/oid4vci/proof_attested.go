package oid4vci

import (
	"encoding/json"
	"slices"
	"time"

	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

// keyAttestationTypes are the typ of a key attestation (OpenID4VCI 1.0, D.1); the second is that of drafts.
func keyAttestationTypes() []string { return []string{"key-attestation+jwt", "keyattestation+jwt"} }

// checkAttestationProof checks a proof of type attestation (F.3): a key attestation with our nonce in it stands for the
// proofs of all its keys.
func (s *Service) checkAttestationProof(compact string) (keyProof, error) {
	holders, nonce, err := s.keyAttestation(compact, false)
	if err != nil {
		return keyProof{}, err
	}
	if nonce == "" {
		return keyProof{}, badProof("the key attestation has no nonce")
	}
	return keyProof{holders: holders, nonce: nonce}, nil
}

// attestedWith checks the key attestation in the header of a proof of type jwt (F.1) and returns the holders' ids of its
// keys, among which the proof's own must be. Without an attestation it returns none, unless one is required.
func (s *Service) attestedWith(compact, holderID, nonce string) ([]string, error) {
	if compact == "" {
		if s.c.Wallets.KeyAttestation == Required {
			return nil, badProof("a key attestation is required")
		}
		return nil, nil
	}
	holders, inside, err := s.keyAttestation(compact, true)
	if err != nil {
		return nil, err
	}
	if inside != "" && inside != nonce {
		return nil, badProof("the nonce of the key attestation is another")
	}
	if !slices.ContainsFunc(holders, func(h string) bool { return sameKey(h) == sameKey(holderID) }) {
		return nil, badProof("the key is not one that the key attestation names")
	}
	return holders, nil
}

// keyAttestation checks a key attestation (D.1) and returns the holders' ids of its keys and its nonce. One beside a proof
// must say when it ends; one that is the proof itself is fresh by its nonce.
func (s *Service) keyAttestation(compact string, mustEnd bool) (holders []string, nonce string, err error) {
	claims, err := s.attestation(compact, keyAttestationTypes())
	if err != nil {
		return nil, "", badProof("the key attestation is not good: " + err.Error())
	}
	if _, ok := unixTime(claims["iat"]); !ok {
		return nil, "", badProof("the key attestation has no iat")
	}
	if _, ends := claims["exp"]; mustEnd && !ends {
		return nil, "", badProof("the key attestation has no exp")
	}
	for name, allowed := range map[string][]string{"key_storage": s.c.Wallets.KeyStorage, "user_authentication": s.c.Wallets.UserAuthentication} {
		if len(allowed) > 0 && !slices.ContainsFunc(allowed, func(level string) bool { return hasText(claims[name], level) }) {
			return nil, "", badProof("the key attestation claims no " + name + " that is asked for")
		}
	}
	list, ok := claims["attested_keys"].([]any)
	if !ok || len(list) == 0 {
		return nil, "", badProof("the key attestation names no keys")
	}
	if len(list) > s.c.Batch {
		return nil, "", s.tooMany()
	}
	for _, item := range list {
		raw, err := schemas.Marshal(item)
		if err != nil {
			return nil, "", badProof("the key attestation has a key that is no JWK")
		}
		pub, holder, err := keyFromJWK(json.RawMessage(raw))
		if err != nil {
			return nil, "", err
		}
		if alg, err := jose.Algorithm(pub); err != nil || (alg != jose.EdDSA && alg != jose.ES256) {
			return nil, "", badProof("the algorithm of an attested key is not offered")
		}
		if slices.Contains(holders, holder) {
			return nil, "", badProof("a key stands twice in the key attestation")
		}
		holders = append(holders, holder)
	}
	if v, present := claims["nonce"]; present {
		if nonce, ok = v.(string); !ok || nonce == "" {
			return nil, "", badProof("the nonce of the key attestation is no text")
		}
	}
	return holders, nonce, nil
}

// hasText reports whether a claim is an array that has a text.
func hasText(v any, text string) bool {
	list, _ := v.([]any)
	return slices.Contains(list, any(text))
}

// checkPresentation checks a key proof of type di_vp (F.2): a presentation of the holder with one Data Integrity proof for
// authentication, made for this issuer and this nonce.
func (s *Service) checkPresentation(tenant string, vp map[string]any, now time.Time) (keyProof, error) {
	types, _ := vp["type"].([]any)
	if vp["type"] != "VerifiablePresentation" && !slices.Contains(types, any("VerifiablePresentation")) {
		return keyProof{}, badProof("it is no verifiable presentation")
	}
	claimed, err := s.c.CheckProof.Read(vp)
	if err != nil {
		return keyProof{}, badProof("expected one Data Integrity proof with a suite that is offered")
	}
	switch {
	case claimed.Purpose != "authentication":
		return keyProof{}, badProof("proofPurpose is not authentication")
	case len(claimed.Domain) != 1 || claimed.Domain[0] != s.IssuerID(tenant):
		return keyProof{}, badProof("domain is not the credential issuer identifier")
	case claimed.Challenge == "":
		return keyProof{}, badProof("challenge is missing; ask for a nonce at the nonce endpoint")
	case !claimed.Created.IsZero() && (claimed.Created.After(now.Add(clockSkew)) || claimed.Created.Before(now.Add(-maxProofAge))):
		return keyProof{}, badProof("created is not near the present")
	case !claimed.Expires.IsZero() && !now.Before(claimed.Expires.Add(clockSkew)):
		return keyProof{}, badProof("it has expired")
	}
	pub, holderID, err := keyFromKid(claimed.VerificationMethod)
	if err != nil {
		return keyProof{}, err
	}
	if alg, err := jose.Algorithm(pub); err != nil || (alg != jose.EdDSA && alg != jose.ES256) {
		return keyProof{}, badProof("the key's algorithm is not offered")
	}
	if holder, present := vp["holder"]; present && holderOf(holder) != holderID {
		return keyProof{}, badProof("holder is not the controller of the proven key")
	}
	if err := s.c.CheckProof.Check(vp, pub); err != nil {
		return keyProof{}, badProof("the proof does not verify with the key it names")
	}
	return keyProof{holders: []string{holderID}, nonce: claimed.Challenge}, nil
}

// holderOf reads the holder of a presentation: an id, or an object that has one.
func holderOf(v any) string {
	if m, ok := v.(map[string]any); ok {
		v = m["id"]
	}
	id, _ := v.(string)
	return id
}
