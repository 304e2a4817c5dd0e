package sdjwt

import (
	"encoding/base64"
	"fmt"

	"heartmark/schemas"
)

// Disclosure is one claim or array element that can be withheld (RFC 9901, 4.2).
type Disclosure struct {
	// Pointer is where it stands in Token.Claims (RFC 6901).
	Pointer string
	// Salt is as it stands in the disclosure.
	Salt string
	// Name is the claim's name; empty for an array element.
	Name string
	// Element tells an array element from a claim.
	Element bool
	// Value may hold digests of further disclosures.
	Value any

	encoded string
	parent  int // index of the disclosure whose value this one lies in; -1 for the payload
	depth   int // disclosures around it, itself included
	used    bool
}

// parseDisclosure reads base64url of [salt, name, value] or [salt, value].
func parseDisclosure(encoded string) (Disclosure, error) {
	raw, err := decode(encoded)
	if err != nil {
		return Disclosure{}, err
	}
	value, err := schemas.ParseJSON(raw)
	if err != nil {
		return Disclosure{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	items, _ := value.([]any)
	d := Disclosure{encoded: encoded, parent: -1}
	switch len(items) {
	case 2:
		d.Element, d.Value = true, items[1]
	case 3:
		name, isString := items[1].(string)
		if !isString {
			return Disclosure{}, fmt.Errorf("claim name is no string: %w", ErrMalformed)
		}
		if reserved(name) {
			return Disclosure{}, fmt.Errorf("claim name %q is reserved: %w", name, ErrDisclosure)
		}
		d.Name, d.Value = name, items[2]
	default:
		return Disclosure{}, fmt.Errorf("no array of two or three: %w", ErrMalformed)
	}
	salt, isString := items[0].(string)
	if !isString || salt == "" {
		return Disclosure{}, fmt.Errorf("salt is no string: %w", ErrMalformed)
	}
	d.Salt = salt
	return d, nil
}

// encodeDisclosure returns the disclosure of value; name is nil for an array element.
func encodeDisclosure(salt string, name *string, value any) (string, error) {
	items := []any{salt, value}
	if name != nil {
		items = []any{salt, *name, value}
	}
	raw, err := schemas.Marshal(items)
	if err != nil {
		return "", fmt.Errorf("disclosure: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}
