//go:build !js

package did

import (
	"fmt"

	"heartmark/internal/keys"

	ariesdid "github.com/hyperledger/aries-framework-go/pkg/doc/did"
	"github.com/mr-tron/base58"
)

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
