package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"errors"
	"fmt"
	"math/big"

	"github.com/mr-tron/base58"
)

// ErrBadKey is returned for a public key that is malformed, of a kind outside the list, not on its curve, or of small
// order.
var ErrBadKey = errors.New("bad public key")

// ErrPrivateKey is returned when a private key stands where a public one belongs. It is neither kept nor logged.
var ErrPrivateKey = errors.New("private key in a public place")

// maxMultibase bounds the text of a Multikey: P-384 takes 70 characters.
const maxMultibase = 128

// Multicodec prefixes, as varints.
func prefixEd25519() []byte { return []byte{0xed, 0x01} }
func prefixP256() []byte    { return []byte{0x80, 0x24} }
func prefixP384() []byte    { return []byte{0x81, 0x24} }

// Multibase returns the Multikey form of a public key: "z" and base58btc of multicodec prefix and key, EC keys compressed
// (Controlled Identifiers 1.0, 2.2.2). It takes Ed25519, P-256 and P-384 and checks the key as ParseMultibase does.
func Multibase(pub crypto.PublicKey) (string, error) {
	if err := CheckPublic(pub); err != nil {
		return "", err
	}
	switch k := pub.(type) {
	case ed25519.PublicKey:
		return "z" + base58.Encode(append(prefixEd25519(), k...)), nil
	case *ecdsa.PublicKey:
		prefix := prefixP256()
		if k.Curve == elliptic.P384() {
			prefix = prefixP384()
		}
		point, err := k.Bytes() // 0x04, then x and y of one size
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrBadKey, err)
		}
		// SEC 1, 2.3.3: the compressed form is 2 plus the parity of y, then x.
		compressed := append([]byte{2 + point[len(point)-1]&1}, point[1:1+len(point)/2]...)
		return "z" + base58.Encode(append(prefix, compressed...)), nil
	}
	return "", fmt.Errorf("key of type %T: %w", pub, ErrBadKey)
}

// ParseMultibase reads a Multikey. Each key has one accepted spelling: exact prefix, exact length, canonical numbers, a
// point on the curve, and for Ed25519 none of small order. Errors wrap ErrBadKey.
func ParseMultibase(text string) (crypto.PublicKey, error) {
	if len(text) < 2 || len(text) > maxMultibase || text[0] != 'z' {
		return nil, fmt.Errorf("multibase: expected \"z\" and base58btc: %w", ErrBadKey)
	}
	raw, err := base58.Decode(text[1:])
	if err != nil || base58.Encode(raw) != text[1:] {
		return nil, fmt.Errorf("multibase: not canonical base58btc: %w", ErrBadKey)
	}
	if key, ok := bytes.CutPrefix(raw, prefixEd25519()); ok {
		return parseEd25519(key)
	}
	if key, ok := bytes.CutPrefix(raw, prefixP256()); ok {
		return parseCompressed(elliptic.P256(), key)
	}
	if key, ok := bytes.CutPrefix(raw, prefixP384()); ok {
		return parseCompressed(elliptic.P384(), key)
	}
	return nil, fmt.Errorf("multibase: multicodec prefix of no allowed key: %w", ErrBadKey)
}

// AlgorithmOf returns the one algorithm that a public key signs with: AlgEdDSA, AlgES256 or AlgES384. Errors wrap ErrBadKey.
func AlgorithmOf(pub crypto.PublicKey) (string, error) {
	if err := CheckPublic(pub); err != nil {
		return "", err
	}
	k, isECDSA := pub.(*ecdsa.PublicKey)
	switch {
	case !isECDSA:
		return AlgEdDSA, nil
	case k.Curve == elliptic.P384():
		return AlgES384, nil
	}
	return AlgES256, nil
}

// CheckPublic refuses a public key that is not one of the allowed kinds, not on its curve or of small order.
func CheckPublic(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case ed25519.PublicKey:
		_, err := parseEd25519(k)
		return err
	case *ecdsa.PublicKey:
		if k == nil || (k.Curve != elliptic.P256() && k.Curve != elliptic.P384()) {
			return fmt.Errorf("ECDSA key on a curve other than P-256 and P-384: %w", ErrBadKey)
		}
		if _, err := k.ECDH(); err != nil { // checks that the point is on the curve and not at infinity
			return fmt.Errorf("ECDSA key: %w: %w", ErrBadKey, err)
		}
		return nil
	}
	return fmt.Errorf("key of type %T: %w", pub, ErrBadKey)
}

func parseCompressed(curve elliptic.Curve, raw []byte) (crypto.PublicKey, error) {
	if len(raw) != 1+(curve.Params().BitSize+7)/8 {
		return nil, fmt.Errorf("%s key of %d bytes: %w", curve.Params().Name, len(raw), ErrBadKey)
	}
	x, y := elliptic.UnmarshalCompressed(curve, raw)
	if x == nil {
		return nil, fmt.Errorf("%s key is not a compressed point on the curve: %w", curve.Params().Name, ErrBadKey)
	}
	size := len(raw) - 1
	point := append([]byte{4}, x.FillBytes(make([]byte, size))...)
	pub, err := ecdsa.ParseUncompressedPublicKey(curve, append(point, y.FillBytes(make([]byte, size))...))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadKey, err)
	}
	if err := CheckPublic(pub); err != nil {
		return nil, err
	}
	return pub, nil
}

// parseEd25519 checks a compressed Edwards point: RFC 8032, 5.1.3, with the encoding canonical, and no point whose order
// divides 8, under which one signature fits many messages (DI-EdDSA 4.1).
func parseEd25519(raw []byte) (ed25519.PublicKey, error) {
	if len(raw) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("Ed25519 key of %d bytes: %w", len(raw), ErrBadKey)
	}
	le := bytes.Clone(raw)
	le[31] &= 0x7f // the sign of x
	be := make([]byte, len(le))
	for i, b := range le {
		be[len(le)-1-i] = b
	}
	p := edwardsPrime()
	y := new(big.Int).SetBytes(be)
	if y.Cmp(p) >= 0 {
		return nil, fmt.Errorf("Ed25519 key is not canonical: %w", ErrBadKey)
	}
	// x² = (y²-1)/(dy²+1) must have a root, that is (y²-1)(dy²+1) must be a square.
	y2 := new(big.Int).Mul(y, y)
	u := new(big.Int).Sub(y2, big.NewInt(1))
	v := new(big.Int).Mul(edwardsD(), y2)
	v.Add(v, big.NewInt(1))
	u.Mod(u, p)
	if big.Jacobi(u.Mul(u, v).Mod(u, p), p) < 0 {
		return nil, fmt.Errorf("Ed25519 key is not on the curve: %w", ErrBadKey)
	}
	for _, small := range smallOrderY() {
		if y.Cmp(small) == 0 {
			return nil, fmt.Errorf("Ed25519 key is of small order: %w", ErrBadKey)
		}
	}
	return ed25519.PublicKey(bytes.Clone(raw)), nil
}

// edwardsPrime is 2^255-19.
func edwardsPrime() *big.Int {
	p := new(big.Int).Lsh(big.NewInt(1), 255)
	return p.Sub(p, big.NewInt(19))
}

// edwardsD is the curve constant -121665/121666.
func edwardsD() *big.Int {
	p := edwardsPrime()
	d := new(big.Int).ModInverse(big.NewInt(121666), p)
	d.Mul(d, big.NewInt(-121665))
	return d.Mod(d, p)
}

// smallOrderY returns y of all points whose order divides 8: 1 and -1 (orders 1 and 2), 0 (order 4) and the two of
// order 8. A point and its negative share y.
func smallOrderY() []*big.Int {
	minusOne := new(big.Int).Sub(edwardsPrime(), big.NewInt(1))
	out := []*big.Int{big.NewInt(0), big.NewInt(1), minusOne}
	// Doubling gives a point with y = 0 where d·y⁴ + 2·y² - 1 = 0.
	y, ok := new(big.Int).SetString("2707385501144840649318225287225658788936804267575313519463743609750303402022", 10)
	if !ok {
		panic("keys: constant is not a number")
	}
	return append(out, y, new(big.Int).Sub(edwardsPrime(), y))
}
