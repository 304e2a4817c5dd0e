package sdjwt

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"
)

// Hash is a digest algorithm under its name in the IANA registry of named information hashes (RFC 9901, 4.1.1), in its
// exact case.
type Hash string

// The digest algorithms of this package.
const (
	SHA256 Hash = "sha-256"
	SHA384 Hash = "sha-384"
	SHA512 Hash = "sha-512"
)

// digest returns base64url of the hash over the ASCII bytes of text; h is one of the list.
func (h Hash) digest(text string) string {
	switch h {
	case SHA256:
		sum := sha256.Sum256([]byte(text))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	case SHA384:
		sum := sha512.Sum384([]byte(text))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	case SHA512:
		sum := sha512.Sum512([]byte(text))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	panic("sdjwt: digest with " + string(h))
}

func (h Hash) known() bool { return h == SHA256 || h == SHA384 || h == SHA512 }

// hashOf reads _sd_alg of a payload; sha-256 where it is absent.
func hashOf(payload map[string]any) (Hash, error) {
	value, present := payload[nameAlgorithm]
	if !present {
		return SHA256, nil
	}
	name, _ := value.(string)
	if h := Hash(name); h.known() {
		return h, nil
	}
	return "", fmt.Errorf("_sd_alg %.20q: %w", fmt.Sprint(value), ErrHash)
}

// decode reads base64url in its one spelling: no padding, no line ends, unused bits zero.
func decode(text string) ([]byte, error) {
	// The standard decoder skips CR and LF, even when strict.
	if text == "" || strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("base64url: %w", ErrMalformed)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("base64url: %w", ErrMalformed)
	}
	return raw, nil
}
