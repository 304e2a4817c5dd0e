// Package sdjwt issues, reads and verifies Selective Disclosure JWTs (RFC 9901): nested and recursive disclosures of
// object members and array elements, decoys, the digest algorithms sha-256, sha-384 and sha-512, and key binding JWTs.
// Signatures are those of package jose; digests are the standard library's.
//
// An issuer starts at Issue, a holder at Token.Present and Bind, a verifier at Parse, then Token.Verify and
// Token.VerifyBinding. Parse does all of RFC 9901, 7.1 that needs no key and refuses the whole token for any part that
// does not fit the others; it proves nothing: no claim may be believed before Verify was called with a key that the caller
// trusts for that issuer.
//
// The package resolves no key, follows no URL and knows no kind of token: typ, times and the claims of SD-JWT VC are for
// the caller.
package sdjwt

import "errors"

// Errors of this package. Those of package jose come through for an algorithm that is not allowed and a signature that
// does not verify.
var (
	// ErrMalformed is returned for what is no SD-JWT in its one accepted spelling.
	ErrMalformed = errors.New("malformed SD-JWT")
	// ErrDisclosure is returned when disclosures and digests do not fit each other (RFC 9901, 7.1), and for names that are
	// reserved. The whole token is refused.
	ErrDisclosure = errors.New("disclosures do not fit the token")
	// ErrHash is returned for an _sd_alg outside the list.
	ErrHash = errors.New("digest algorithm is not allowed")
	// ErrPointer is returned by Issue and Token.Present for a JSON Pointer that names nothing which could be disclosed.
	ErrPointer = errors.New("pointer names no claim that can be disclosed")
	// ErrNoBinding is returned when there is no key binding JWT.
	ErrNoBinding = errors.New("no key binding")
	// ErrHolderKey is returned when the cnf claim does not hold the holder's key by value.
	ErrHolderKey = errors.New("no holder key in cnf")
	// ErrBinding is returned for a key binding JWT that is not one for this presentation, or not by the holder's key.
	ErrBinding = errors.New("key binding does not hold")
	// ErrAudience is returned when the key binding was made for another verifier.
	ErrAudience = errors.New("key binding for another audience")
	// ErrNonce is returned when the key binding was made for another exchange.
	ErrNonce = errors.New("key binding for another nonce")
	// ErrStale is returned when the key binding is too old or dated in the future.
	ErrStale = errors.New("key binding outside its time")
)

// Limits of one token.
const (
	// MaxTokenBytes bounds the whole token with its disclosures.
	MaxTokenBytes = 256 << 10
	// MaxDisclosures bounds the disclosures of one token.
	MaxDisclosures = 500
	// MaxDepth bounds disclosures that lie inside one another.
	MaxDepth = 10
)

// Member names that RFC 9901 reserves.
const (
	nameDigests     = "_sd"
	nameAlgorithm   = "_sd_alg"
	namePlaceholder = "..."
)

func reserved(name string) bool {
	return name == nameDigests || name == nameAlgorithm || name == namePlaceholder
}
