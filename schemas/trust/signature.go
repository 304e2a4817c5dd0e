package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"math/big"
)

// VerifySignature checks Ed25519 and fixed-length ECDSA signatures over message (RFC 8032; ES256 and ES384 of RFC 7518).
func VerifySignature(key crypto.PublicKey, message, signature []byte) bool {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return len(k) == ed25519.PublicKeySize && len(message) > 0 && ed25519.Verify(k, message, signature)
	case *ecdsa.PublicKey:
		var h hash.Hash
		switch k.Curve {
		case elliptic.P256():
			h = sha256.New()
		case elliptic.P384():
			h = sha512.New384()
		default:
			return false
		}
		n := (k.Curve.Params().BitSize + 7) / 8
		if len(signature) != 2*n || len(message) == 0 {
			return false
		}
		h.Write(message)
		return ecdsa.Verify(k, h.Sum(nil), new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:]))
	}
	return false
}
