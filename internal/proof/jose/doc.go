// Package jose reads, verifies and writes compact JWS tokens (RFC 7515, RFC 7518, RFC 8037), on jwx. It takes the compact
// form alone, one spelling of each part, and the algorithms EdDSA (Ed25519), ES256 and ES384; the key decides the
// algorithm, never the token's header.
//
// Start at Parse, then Token.Verify; Sign writes. Parse proves nothing: no member of a token may be believed before
// Verify was called with a key that the caller trusts for that kind of token. The package resolves no key, follows no
// URL, and knows no kind of token: typ, aud and times are for the caller.
//
// Encrypt and Decrypt are for compact JWE (RFC 7516) with ECDH-ES over P-256 and AES-GCM alone.
package jose
