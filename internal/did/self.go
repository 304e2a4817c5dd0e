package did

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"

	"heartmark/internal/keys"
	"heartmark/schemas"
)

// sourceIdentifier says that the document follows from the identifier alone.
const sourceIdentifier = "identifier"

// resolveKey expands a did:key (did:key method, Multikey of Ed25519, P-256 or P-384). The aries resolver expands it as
// well, and both must find the same key.
func resolveKey(d DID) (Document, error) {
	pub, err := keys.ParseMultibase(d.ID)
	if err != nil {
		return Document{}, fmt.Errorf("did:key: %w: %w", ErrInvalid, err)
	}
	if err := agreeOnKey(d.String(), pub); err != nil {
		return Document{}, err
	}
	return single(d.String(), d.String()+"#"+d.ID, "Multikey", pub, signing()), nil
}

// resolveJWK expands a did:jwk. A key marked for encryption is listed for key agreement alone.
func resolveJWK(d DID) (Document, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(d.ID)
	if err != nil {
		return Document{}, fmt.Errorf("did:jwk: not base64url: %w", ErrInvalid)
	}
	obj, err := schemas.ParseObject(raw)
	if err != nil {
		return Document{}, fmt.Errorf("did:jwk: %w: %w", ErrInvalid, err)
	}
	pub, err := keys.ParseJWK(raw)
	if err != nil {
		return Document{}, fmt.Errorf("did:jwk: %w: %w", ErrInvalid, err)
	}
	uses := signing()
	if use, _ := obj["use"].(string); use == "enc" {
		uses = []string{KeyAgreement}
	}
	return single(d.String(), d.String()+"#0", "JsonWebKey", pub, uses), nil
}

// KeyOf returns the key that a did:key or did:jwk is, if it may sign in the holder's name. It returns ErrInvalid, ErrPurpose
// for a key that is for encryption, and ErrMethodNotSupported for a DID of another method, whose key can change.
func KeyOf(id string) (crypto.PublicKey, error) {
	d, err := Parse(id)
	if err != nil {
		return nil, err
	}
	expand, ok := map[string]func(DID) (Document, error){"key": resolveKey, "jwk": resolveJWK}[d.Method]
	if !ok {
		return nil, fmt.Errorf("did:%s: %w", d.Method, ErrMethodNotSupported)
	}
	doc, err := expand(d)
	if err != nil {
		return nil, err
	}
	method, err := doc.Method(doc.Methods[0].ID, Authentication)
	return method.Key, err
}

func signing() []string {
	return []string{AssertionMethod, Authentication, CapabilityInvocation, CapabilityDelegation}
}

func single(id, method, kind string, pub crypto.PublicKey, purposes []string) Document {
	doc := Document{
		ID: id, Source: sourceIdentifier, uses: map[string][]string{},
		Methods: []Method{{ID: method, Controller: id, Type: kind, Key: pub}},
	}
	for _, p := range purposes {
		doc.uses[p] = []string{method}
	}
	return doc
}

func sameKey(a, b crypto.PublicKey) bool {
	switch k := a.(type) {
	case ed25519.PublicKey:
		return k.Equal(b)
	case *ecdsa.PublicKey:
		return k.Equal(b)
	}
	return false
}
