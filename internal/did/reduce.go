//go:build !js

package did

import (
	"fmt"
	"slices"

	"heartmark/internal/keys"

	ariesdid "github.com/hyperledger/aries-framework-go/pkg/doc/did"
	"github.com/mr-tron/base58"
)

// reduce writes a document anew with what our reader understood: the id, methods with a key, and the relationships that
// name them. What aries reads then has no context, base or service in it that could give a name another meaning.
func reduce(d Document) map[string]any {
	methods := make([]PublishedMethod, 0, len(d.Methods))
	for _, m := range d.Methods {
		p := PublishedMethod{ID: m.ID}
		if text, err := keys.Multibase(m.Key); err == nil {
			p.PublicKeyMultibase = text
		}
		for _, purpose := range relationships() {
			if slices.Contains(d.uses[purpose], m.ID) {
				p.Purposes = append(p.Purposes, purpose)
			}
		}
		methods = append(methods, p)
	}
	return BuildDocument(d.ID, methods)
}

// agreeOnDocument compares what aries read with what we read: the id, the method ids and the bytes of their keys.
func agreeOnDocument(theirs *ariesdid.Doc, ours Document) error {
	if theirs.ID != ours.ID || len(theirs.VerificationMethod) != len(ours.Methods) {
		return fmt.Errorf("did:web: two readers found different documents: %w", ErrInvalid)
	}
	for i, m := range theirs.VerificationMethod {
		key, err := keys.ParseMultibase("z" + base58.Encode(m.Value))
		if err != nil || m.ID != ours.Methods[i].ID || !sameKey(ours.Methods[i].Key, key) {
			return fmt.Errorf("did:web: two readers found different keys: %w", ErrInvalid)
		}
	}
	return nil
}
