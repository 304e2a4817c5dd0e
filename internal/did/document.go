package did

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"heartmark/internal/keys"
	"heartmark/schemas"
)

// Verification relationships of Controlled Identifiers 1.0, 2.3; a proof names one of them as its purpose.
const (
	AssertionMethod      = "assertionMethod"
	Authentication       = "authentication"
	CapabilityInvocation = "capabilityInvocation"
	CapabilityDelegation = "capabilityDelegation"
	KeyAgreement         = "keyAgreement"
)

// MaxDocument is the size that a DID document may have, in bytes.
const MaxDocument = 256 << 10

// maxMethods bounds the verification methods of one document.
const maxMethods = 100

func relationships() []string {
	return []string{AssertionMethod, Authentication, CapabilityInvocation, CapabilityDelegation, KeyAgreement}
}

// Method is a verification method whose key was read and checked.
type Method struct {
	ID         string // absolute DID URL
	Controller string
	Type       string // as the document has it: Multikey, JsonWebKey, …
	Key        crypto.PublicKey
	// Revoked: the document says that the method must not be used any more (Controlled Identifiers 1.0, 2.2), whatever the time.
	Revoked bool
}

// Document is a resolved DID document. It is shared between callers: do not change it.
type Document struct {
	ID      string
	Methods []Method // those with a key of an allowed kind, in document order
	Raw     []byte   // as fetched or stored; empty for did:key and did:jwk
	Digest  string   // of Raw: "sha256-" and standard base64; empty where Raw is

	Source    string    // URL, "store" for what this installation publishes, "identifier" for did:key and did:jwk
	FetchedAt time.Time // when the bytes came
	ExpiresAt time.Time // when the cache lets go of it
	FromCache bool

	uses map[string][]string // relationship to absolute method ids, in document order
}

// Uses returns the ids of the methods listed for a relationship.
func (d Document) Uses(purpose string) []string { return slices.Clone(d.uses[purpose]) }

// Method returns the method with the given DID URL if it may be used for purpose. It returns ErrMethodNotFound if the
// document has no usable key under that id, ErrController if the key belongs to another DID, ErrPurpose if it is not
// listed or the document marks it as revoked. An unknown purpose is ErrPurpose.
func (d Document) Method(id, purpose string) (Method, error) {
	i := slices.IndexFunc(d.Methods, func(m Method) bool { return m.ID == id })
	if i < 0 {
		return Method{}, fmt.Errorf("%s: %w", id, ErrMethodNotFound)
	}
	m := d.Methods[i]
	if m.Controller != d.ID {
		return Method{}, fmt.Errorf("%s: %w", id, ErrController)
	}
	if m.Revoked || !slices.Contains(d.uses[purpose], id) {
		return Method{}, fmt.Errorf("%s for %s: %w", id, purpose, ErrPurpose)
	}
	return m, nil
}

// ParseDocument reads the document of the DID id (DID Core 1.0, 5). Its own id must be id, method ids must be unique
// within it, and a private key anywhere in a method refuses the whole. A method of an unknown type, or with a key that is
// malformed or of no allowed kind, is left out: nothing can be verified with it.
func ParseDocument(id string, raw []byte) (Document, error) {
	if len(raw) > MaxDocument {
		return Document{}, fmt.Errorf("document of %d bytes: %w", len(raw), ErrInvalid)
	}
	obj, err := schemas.ParseObject(raw)
	if err != nil {
		return Document{}, fmt.Errorf("document: %w: %w", ErrInvalid, err)
	}
	if got, _ := obj["id"].(string); got != id {
		return Document{}, fmt.Errorf("document is of another DID than the one asked for: %w", ErrInvalid)
	}
	sum := sha256.Sum256(raw)
	p := documentReader{seen: map[string]bool{}, doc: Document{
		ID: id, Raw: raw, Digest: "sha256-" + base64.StdEncoding.EncodeToString(sum[:]), uses: map[string][]string{},
	}}
	methods, err := list(obj, "verificationMethod")
	if err != nil {
		return Document{}, err
	}
	for _, m := range methods {
		if _, err := p.method(m); err != nil {
			return Document{}, err
		}
	}
	for _, purpose := range relationships() {
		if err := p.relationship(obj, purpose); err != nil {
			return Document{}, err
		}
	}
	return p.doc, nil
}

type documentReader struct {
	doc  Document
	seen map[string]bool
}

func list(obj map[string]any, name string) ([]any, error) {
	v, ok := obj[name]
	if !ok {
		return nil, nil
	}
	items, ok := v.([]any)
	if !ok || len(items) > maxMethods {
		return nil, fmt.Errorf("%s is not a list of at most %d: %w", name, maxMethods, ErrInvalid)
	}
	return items, nil
}

// method takes one verification method and returns its absolute id.
func (p *documentReader) method(v any) (string, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return "", fmt.Errorf("verification method is not an object: %w", ErrInvalid)
	}
	text, _ := m["id"].(string)
	id, err := p.absolute(text)
	if err != nil {
		return "", err
	}
	if p.seen[id] || len(p.seen) >= maxMethods {
		return "", fmt.Errorf("verification method %s stands twice, or there are too many: %w", id, ErrInvalid)
	}
	p.seen[id] = true
	kind, _ := m["type"].(string)
	controller, _ := m["controller"].(string)
	if kind == "" || controller == "" {
		return "", fmt.Errorf("verification method %s lacks type or controller: %w", id, ErrInvalid)
	}
	key, err := methodKey(kind, m)
	if errors.Is(err, keys.ErrPrivateKey) {
		return "", fmt.Errorf("verification method %s: %w: %w", id, ErrInvalid, err)
	}
	if err == nil && key != nil {
		p.doc.Methods = append(p.doc.Methods, Method{ID: id, Controller: controller, Type: kind, Key: key, Revoked: m["revoked"] != nil})
	}
	return id, nil
}

// methodKey returns the key of a method of a known type, nil for an unknown type.
func methodKey(kind string, m map[string]any) (crypto.PublicKey, error) {
	for name := range m {
		if strings.HasPrefix(name, "privateKey") || strings.HasPrefix(name, "secretKey") {
			return nil, keys.ErrPrivateKey
		}
	}
	switch kind {
	case "Multikey", "Ed25519VerificationKey2020":
		text, ok := m["publicKeyMultibase"].(string)
		if !ok || m["publicKeyJwk"] != nil {
			return nil, keys.ErrBadKey
		}
		return keys.ParseMultibase(text)
	case "JsonWebKey", "JsonWebKey2020":
		jwk, ok := m["publicKeyJwk"].(map[string]any)
		if !ok || m["publicKeyMultibase"] != nil {
			return nil, keys.ErrBadKey
		}
		raw, err := schemas.Marshal(jwk)
		if err != nil {
			return nil, err
		}
		return keys.ParseJWK(raw)
	}
	return nil, nil
}

func (p *documentReader) relationship(obj map[string]any, purpose string) error {
	items, err := list(obj, purpose)
	if err != nil {
		return err
	}
	for _, item := range items {
		var id string
		if text, ok := item.(string); ok {
			id, err = p.absolute(text)
		} else {
			id, err = p.method(item) // embedded: for this relationship alone
		}
		if err != nil {
			return fmt.Errorf("%s: %w", purpose, err)
		}
		p.doc.uses[purpose] = append(p.doc.uses[purpose], id)
	}
	return nil
}

// absolute resolves a DID URL against the document's own DID; relative ones are fragments only.
func (p *documentReader) absolute(text string) (string, error) {
	if strings.HasPrefix(text, "#") {
		text = p.doc.ID + text
	}
	if _, _, err := SplitURL(text); err != nil {
		return "", err
	}
	return text, nil
}
