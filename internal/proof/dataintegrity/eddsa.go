package dataintegrity

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
)

// eddsa is pure Ed25519 (RFC 8032) over the hash data itself. The standard library refuses a non-canonical S; points of
// small order, for which anyone can make signatures, are refused here (VC Data Integrity EdDSA, 4.1).
type eddsa struct {
	keys *expandedKeys // nil: the standard library alone
}

func (eddsa) hash(key crypto.PublicKey) (crypto.Hash, error) {
	k, ok := key.(ed25519.PublicKey)
	if !ok || len(k) != ed25519.PublicKeySize {
		return 0, fmt.Errorf("%w: %T is no Ed25519 key", ErrKey, key)
	}
	if !soundPoint(k) {
		return 0, fmt.Errorf("%w: Ed25519 key is of small order or not canonical", ErrKey)
	}
	return crypto.SHA256, nil
}

func (eddsa) size(crypto.PublicKey) int { return ed25519.SignatureSize }

func (eddsa) sign(signer crypto.Signer, data []byte) ([]byte, error) {
	return signer.Sign(rand.Reader, data, crypto.Hash(0))
}

func (e eddsa) verify(key crypto.PublicKey, data, signature []byte) bool {
	k, ok := key.(ed25519.PublicKey)
	return ok && e.keys.verify(k, data, signature)
}

// The y coordinates of the eight points of small order, little-endian in hex: of order 1, 2, 4 and (two) 8.
const smallOrder = "" +
	"0100000000000000000000000000000000000000000000000000000000000000" +
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" +
	"0000000000000000000000000000000000000000000000000000000000000000" +
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05" +
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"

// soundPoint tells whether k's y coordinate is less than the field's prime 2^255-19 and not that of a point of small order.
func soundPoint(k ed25519.PublicKey) bool {
	y := [32]byte(k)
	y[31] &= 0x7F
	if y[31] == 0x7F && y[0] >= 0xED {
		top := true
		for _, b := range y[1:31] {
			top = top && b == 0xFF
		}
		if top {
			return false
		}
	}
	text := hex.EncodeToString(y[:])
	for i := 0; i < len(smallOrder); i += 64 {
		if smallOrder[i:i+64] == text {
			return false
		}
	}
	return true
}
