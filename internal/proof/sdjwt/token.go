package sdjwt

import (
	"crypto"
	"fmt"
	"strings"

	"heartmark/internal/proof/jose"
)

// Token is a parsed SD-JWT that nobody has verified yet. Its values are shared and must not be changed.
type Token struct {
	// Header is that of the issuer-signed JWT.
	Header jose.Header
	// Payload is what the issuer signed, with its digests.
	Payload map[string]any
	// Claims is Payload with the disclosed claims in their places and without digests (RFC 9901, 7.1): what may be read
	// once Verify has passed.
	Claims map[string]any
	// Disclosures are in the order in which they came.
	Disclosures []Disclosure
	// Hash is the digest algorithm of the token.
	Hash Hash

	jws       jose.Token
	presented string // up to and including the last tilde
	binding   string // compact key binding JWT; empty if none
}

// Parse reads the compact form (RFC 9901, 4): an issuer-signed JWT, disclosures, and a key binding JWT or nothing, joined
// by tildes. It refuses parts that are empty or not in their one spelling (ErrMalformed), an algorithm that is not allowed
// (jose.ErrAlgorithm, ErrHash), and with ErrDisclosure whatever 7.1 refuses: a digest that stands twice, a disclosure that
// no digest names or that is of the wrong shape for its place, a claim that is there already, a reserved name, a
// placeholder with other members.
func Parse(compact string) (Token, error) {
	if len(compact) > MaxTokenBytes {
		return Token{}, fmt.Errorf("%d bytes: %w", len(compact), ErrMalformed)
	}
	// Count before splitting: a flood of separators must not allocate.
	if n := strings.Count(compact, "~"); n == 0 || n > MaxDisclosures+1 {
		return Token{}, fmt.Errorf("%d separators: %w", n, ErrMalformed)
	}
	last := strings.LastIndexByte(compact, '~')
	parts := strings.Split(compact[:last], "~")
	t := Token{presented: compact[:last+1], binding: compact[last+1:]}
	var err error
	if t.jws, err = jose.Parse(parts[0]); err != nil {
		return Token{}, fmt.Errorf("issuer-signed JWT: %w: %w", ErrMalformed, err)
	}
	t.Header = t.jws.Header
	if t.Payload, err = t.jws.Claims(); err != nil {
		return Token{}, fmt.Errorf("issuer-signed JWT: %w: %w", ErrMalformed, err)
	}
	if t.Hash, err = hashOf(t.Payload); err != nil {
		return Token{}, err
	}
	if t.binding != "" {
		if _, err := jose.Parse(t.binding); err != nil {
			return Token{}, fmt.Errorf("key binding JWT: %w: %w", ErrMalformed, err)
		}
	}
	t.Disclosures = make([]Disclosure, len(parts)-1)
	for i, part := range parts[1:] {
		if t.Disclosures[i], err = parseDisclosure(part); err != nil {
			return Token{}, fmt.Errorf("disclosure %d: %w", i+1, err)
		}
	}
	if t.Claims, err = resolve(t.Payload, t.Disclosures, t.Hash); err != nil {
		return Token{}, err
	}
	return t, nil
}

// Verify checks the issuer's signature with pub, as jose.Token.Verify does. With it every disclosure is authentic too,
// since Parse has found the digest of each in what is signed.
func (t Token) Verify(pub crypto.PublicKey) error { return t.jws.Verify(pub) }

// HasBinding reports whether a key binding JWT came with the token.
func (t Token) HasBinding() bool { return t.binding != "" }

// Compact returns the token as it was read.
func (t Token) Compact() string { return t.presented + t.binding }
