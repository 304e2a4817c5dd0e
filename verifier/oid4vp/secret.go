package oid4vp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// secretBytes is the length of ids, nonces and codes: 256 bits, above the 128 that OpenID4VP 1.0, 13 and 14 ask for.
const secretBytes = 32

// random returns a fresh secret in base64url. The generator never fails quietly: where it cannot give bytes the program
// stops (crypto/rand).
func random() string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// hashOf hashes a secret under a label that keeps the kinds apart.
func hashOf(label, secret string) string {
	sum := sha256.Sum256([]byte("heartmark/oid4vp/" + label + "\x00" + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// same compares in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// IsSecret reports whether s has the form of a session's secret.
func IsSecret(s string) bool {
	if len(s) != base64.RawURLEncoding.EncodedLen(secretBytes) || strings.ContainsAny(s, "\r\n") {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil
}
