package dataintegrity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// ecdsaP is ECDSA on P-256 with SHA-256 or on P-384 with SHA-384 (VC Data Integrity ECDSA Cryptosuites 1.0, 3.2);
// signatures are r and s side by side, at full length.
type ecdsaP struct{}

func (ecdsaP) hash(key crypto.PublicKey) (crypto.Hash, error) {
	k, ok := key.(*ecdsa.PublicKey)
	if !ok || k == nil {
		return 0, fmt.Errorf("%w: %T is no ECDSA key", ErrKey, key)
	}
	if _, err := k.ECDH(); err != nil { // refuses points off the curve
		return 0, fmt.Errorf("%w: %w", ErrKey, err)
	}
	switch k.Curve {
	case elliptic.P256():
		return crypto.SHA256, nil
	case elliptic.P384():
		return crypto.SHA384, nil
	}
	return 0, fmt.Errorf("%w: curve %s", ErrKey, k.Curve.Params().Name)
}

// ecdsaP256 is ecdsaP for the suite that takes P-256 alone (3.5).
type ecdsaP256 struct{ ecdsaP }

func (e ecdsaP256) hash(key crypto.PublicKey) (crypto.Hash, error) {
	h, err := e.ecdsaP.hash(key)
	if err == nil && h != crypto.SHA256 {
		err = fmt.Errorf("%w: the suite takes P-256 alone", ErrKey)
	}
	return h, err
}

func (ecdsaP) size(key crypto.PublicKey) int {
	if k, ok := key.(*ecdsa.PublicKey); ok && k.Curve == elliptic.P384() {
		return 96
	}
	return 64
}

func (e ecdsaP) sign(signer crypto.Signer, data []byte) ([]byte, error) {
	h, err := e.hash(signer.Public())
	if err != nil {
		return nil, err
	}
	der, err := crypto.SignMessage(signer, rand.Reader, data, h)
	if err != nil {
		return nil, err
	}
	var sig struct{ R, S *big.Int }
	size := e.size(signer.Public())
	if rest, err := asn1.Unmarshal(der, &sig); err != nil || len(rest) != 0 || sig.R.Sign() <= 0 || sig.S.Sign() <= 0 || sig.R.BitLen() > size*4 || sig.S.BitLen() > size*4 {
		return nil, fmt.Errorf("%w: signer gave no ASN.1 signature", ErrKey)
	}
	out := make([]byte, size)
	sig.R.FillBytes(out[:size/2])
	sig.S.FillBytes(out[size/2:])
	return out, nil
}

func (e ecdsaP) verify(key crypto.PublicKey, data, signature []byte) bool {
	k, ok := key.(*ecdsa.PublicKey)
	h, err := e.hash(key)
	if !ok || err != nil || len(signature) != e.size(key) {
		return false
	}
	half := len(signature) / 2
	r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	return ecdsa.Verify(k, digest(h, nil, data), r, s)
}
