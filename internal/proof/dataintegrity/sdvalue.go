package dataintegrity

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// Limits of one selectively disclosing proof.
const (
	maxSDValue      = 256 << 10 // bytes of proofValue
	maxSDStatements = 2_000
)

// The bytes with which the two kinds of proof values begin (VC Data Integrity ECDSA, 3.5.2 and 3.5.7): CBOR tags.
func headerBase() []byte    { return []byte{0xd9, 0x5d, 0x00} }
func headerDerived() []byte { return []byte{0xd9, 0x5d, 0x01} }

// baseValue is what the issuer gives the holder (3.5.2). It holds the key that hides the labels: no verifier may see it.
type baseValue struct {
	_         struct{} `cbor:",toarray"`
	Base      []byte   // signature of the issuer's key
	PublicKey []byte   // Multikey of the key made for this proof alone
	HMACKey   []byte
	Each      [][]byte // a signature by that key for each statement that is not mandatory
	Mandatory []string // JSON Pointers
}

// derivedValue is what the holder shows (3.5.7).
type derivedValue struct {
	_         struct{} `cbor:",toarray"`
	Base      []byte
	PublicKey []byte
	Each      [][]byte
	Labels    map[uint64][]byte // number of the canonical label to the hidden one
	Mandatory []uint64          // which statements are mandatory
}

// encodeSD returns header and value as multibase base64url without padding.
func encodeSD(header []byte, value any) (string, error) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return "", fmt.Errorf("CBOR: %w", err)
	}
	body, err := mode.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("CBOR: %w", err)
	}
	return "u" + base64.RawURLEncoding.EncodeToString(append(header, body...)), nil
}

// decodeSD reads what encodeSD writes, in that one spelling.
func decodeSD(text string, header []byte, into any) error {
	if len(text) > maxSDValue || !strings.HasPrefix(text, "u") {
		return fmt.Errorf("%w: proofValue: expected base64url with the prefix u", ErrProofShape)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text[1:])
	if err != nil {
		return fmt.Errorf("%w: proofValue is no base64url", ErrProofShape)
	}
	body, ok := bytes.CutPrefix(raw, header)
	if !ok {
		return fmt.Errorf("%w: proofValue is of another kind: a base proof is for its holder alone, a derived one for verifiers", ErrProofShape)
	}
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		MaxNestedLevels: 4, MaxArrayElements: maxSDStatements, MaxMapPairs: maxSDStatements,
	}.DecMode()
	if err != nil {
		return fmt.Errorf("CBOR: %w", err)
	}
	if err := mode.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: proofValue: %w", ErrProofShape, err)
	}
	if again, err := encodeSD(header, into); err != nil || again != text {
		return fmt.Errorf("%w: proofValue is not in its one spelling", ErrProofShape)
	}
	return nil
}

// sized refuses byte strings of another length.
func sized(what string, size int, all ...[]byte) error {
	for _, b := range all {
		if len(b) != size {
			return fmt.Errorf("%w: proofValue: %s of %d bytes, expected %d", ErrProofShape, what, len(b), size)
		}
	}
	return nil
}
