package oid4vci

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"math/big"
	"strings"
)

const (
	idBytes     = 16
	secretBytes = 32
)

// randomText returns n bytes of the system's generator in base64url. The generator never fails quietly: where it cannot
// give bytes the program stops (crypto/rand).
func randomText(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// handle joins the id that finds a record with a secret that opens it.
func handle(id, secret string) string { return id + "." + secret }

// splitHandle takes a handle apart. It is false for what is not one: sizes and alphabet are exact.
func splitHandle(s string) (id string, ok bool) {
	id, secret, found := strings.Cut(s, ".")
	if !found || !isText(id, idBytes) || !isText(secret, secretBytes) {
		return "", false
	}
	return id, true
}

func isText(s string, n int) bool {
	if len(s) != base64.RawURLEncoding.EncodedLen(n) || strings.ContainsAny(s, "\r\n") {
		return false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == n
}

// hashOf hashes texts under a label that keeps the kinds of secrets apart.
func hashOf(label string, texts ...string) []byte {
	h := sha256.New()
	h.Write([]byte("heartmark/oid4vci/" + label))
	for _, t := range texts {
		h.Write([]byte{0})
		h.Write([]byte(t))
	}
	return h.Sum(nil)
}

func sha256Of(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// same compares in constant time.
func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// codeFor derives the pre-authorised code from the secret in the offer's address. The address is given out before the
// code, and only hashes of both are stored, so this is how the offer can be read from its address more than once.
func codeFor(id, ref string) string {
	return handle(id, base64.RawURLEncoding.EncodeToString(hashOf("code", ref)))
}

// stateFor derives issuer_state in the same way.
func stateFor(id, ref string) string {
	return handle(id, base64.RawURLEncoding.EncodeToString(hashOf("issuer state", ref)))
}

// requestURIPrefix begins every request_uri (RFC 9126, 2.2).
const requestURIPrefix = "urn:ietf:params:oauth:request_uri:"

// requestURI makes the address of a pushed request: the issuer_state that it came under and a secret of its own. The
// transaction code is checked against a hash that needs the issuer_state, which is not stored.
func requestURI(issuerState string) string {
	return requestURIPrefix + handle(issuerState, randomText(secretBytes))
}

// splitRequestURI takes the address of a pushed request apart.
func splitRequestURI(s string) (id, issuerState string, ok bool) {
	rest, ok := strings.CutPrefix(s, requestURIPrefix)
	cut := strings.LastIndexByte(rest, '.')
	if !ok || cut < 0 || !isText(rest[cut+1:], secretBytes) {
		return "", "", false
	}
	id, ok = splitHandle(rest[:cut])
	return id, rest[:cut], ok
}

// digits is the length of a transaction code.
const digits = 6

// newTxCode returns random decimal digits, each code equally likely.
func newTxCode() (string, error) {
	bound := new(big.Int).Exp(big.NewInt(10), big.NewInt(digits), nil)
	n, err := rand.Int(rand.Reader, bound)
	if err != nil {
		return "", err
	}
	s := n.String()
	return strings.Repeat("0", digits-len(s)) + s, nil
}
