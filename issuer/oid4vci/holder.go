package oid4vci

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"

	"heartmark/internal/keys"
)

const (
	didKey = "did:key:"
	didJWK = "did:jwk:"
)

// keyFromJWK binds to the did:jwk of the key in its least form, so that one key has one DID whatever else its JWK says.
func keyFromJWK(raw json.RawMessage) (crypto.PublicKey, string, error) {
	pub, err := keys.ParseJWK(raw)
	if errors.Is(err, keys.ErrPrivateKey) {
		return nil, "", badProof("jwk holds a private key")
	}
	if err != nil {
		return nil, "", badProof("jwk is no public key that we take")
	}
	least, err := keys.MarshalJWK(pub)
	if err != nil {
		return nil, "", badProof("jwk is no public key that we take")
	}
	return pub, didJWK + base64.RawURLEncoding.EncodeToString(least), nil
}

// keyFromKid reads a kid that is a DID URL of a method that carries its key: did:key and did:jwk. Nothing is fetched.
func keyFromKid(kid string) (crypto.PublicKey, string, error) {
	did, fragment, ok := strings.Cut(kid, "#")
	if !ok {
		return nil, "", badProof("kid is no DID URL with a fragment")
	}
	switch {
	case strings.HasPrefix(did, didKey):
		text := strings.TrimPrefix(did, didKey)
		if fragment != text {
			return nil, "", badProof("the fragment of kid is not the key of the did:key")
		}
		pub, err := keys.ParseMultibase(text)
		if err != nil {
			return nil, "", badProof("the did:key is no key that we take")
		}
		return pub, did, nil
	case strings.HasPrefix(did, didJWK):
		if fragment != "0" {
			return nil, "", badProof("the fragment of kid is not 0, the one key of a did:jwk")
		}
		raw, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(did, didJWK))
		if err != nil {
			return nil, "", badProof("the did:jwk is not base64url")
		}
		pub, _, err := keyFromJWK(raw)
		if err != nil {
			return nil, "", err
		}
		return pub, did, nil
	}
	return nil, "", badProof("kid is neither a did:key nor a did:jwk")
}

// sameKey is a text that two holders have in common exactly when their keys are equal: in a batch, a key under two names
// is still one key.
func sameKey(holderID string) string {
	var pub crypto.PublicKey
	var err error
	if text, ok := strings.CutPrefix(holderID, didKey); ok {
		pub, err = keys.ParseMultibase(text)
	} else {
		pub, _, err = keyFromKid(holderID + "#0")
	}
	if err != nil {
		return holderID
	}
	text, err := keys.Multibase(pub)
	if err != nil {
		return holderID
	}
	return text
}
