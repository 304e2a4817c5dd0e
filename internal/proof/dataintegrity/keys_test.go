package dataintegrity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"heartmark/internal/proof/dataintegrity"

	"github.com/mr-tron/base58"
)

func TestKeysRefused(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	signed := sign(t, p, sample(t), assertion(""), testKey(1))
	proof := firstProof(t, signed)
	point := func(text string) ed25519.PublicKey {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	zeros, effs := strings.Repeat("00", 30), strings.Repeat("ff", 30)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.PublicKey{
		"none": nil, "short": testKey(1).Public().(ed25519.PublicKey)[:31], "empty": ed25519.PublicKey{}, "secret": testKey(1), "ECDSA": p256.Public(), "text": "key", "nil ECDSA": (*ecdsa.PublicKey)(nil),
		"order 1": point("01" + zeros + "00"), "order 1, sign": point("01" + zeros + "80"), "order 2": point("ec" + effs + "7f"), "order 2, sign": point("ec" + effs + "ff"),
		"order 4": point("00" + zeros + "00"), "order 4, sign": point("00" + zeros + "80"), "y = p": point("ed" + effs + "7f"), "y = p+1": point("ee" + effs + "7f"), "y = 2^255-1": point("ff" + effs + "7f"),
		"order 8":     point("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
		"order 8 bis": point("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
	} {
		if err := p.Check(signed, proof, key); !errors.Is(err, dataintegrity.ErrKey) {
			t.Errorf("Check with key %s = %v, want ErrKey", name, err)
		}
	}
	if err := p.Check(signed, proof, testKey(2).Public()); !errors.Is(err, dataintegrity.ErrProofInvalid) {
		t.Errorf("Check with another key = %v, want ErrProofInvalid", err)
	}
}

// The table of points of small order is complete: exactly the y coordinates whose point, added to itself three times
// over, gives the neutral element. Checked by arithmetic in the field.
func TestSmallOrderTable(t *testing.T) {
	t.Parallel()
	prime := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	// d = -121665/121666
	d := new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), prime))
	d.Mod(d, prime)
	// twice gives y(2P)^... by the curve -x^2+y^2 = 1+d x^2 y^2: y(2P) = (y^2+x^2)/(2-y^2+x^2), x^2 = (y^2-1)/(d y^2+1).
	twice := func(y *big.Int) *big.Int {
		yy := new(big.Int).Mul(y, y)
		num := new(big.Int).Sub(yy, big.NewInt(1))
		den := new(big.Int).Mul(d, yy)
		den.Add(den, big.NewInt(1))
		xx := num.Mul(num, den.ModInverse(den.Mod(den, prime), prime))
		top := new(big.Int).Add(yy, xx)
		bottom := new(big.Int).Sub(big.NewInt(2), yy)
		bottom.Add(bottom, xx)
		bottom.Mod(bottom, prime)
		return top.Mod(top.Mul(top, bottom.ModInverse(bottom, prime)), prime)
	}
	for _, text := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if dataintegrity.SoundPoint(b) {
			t.Errorf("%s counts as sound", text)
		}
		reversed := make([]byte, 32)
		for i := range b {
			reversed[31-i] = b[i]
		}
		y := twice(twice(twice(new(big.Int).SetBytes(reversed))))
		if y.Cmp(big.NewInt(1)) != 0 {
			t.Errorf("%s is not of small order", text)
		}
	}
	for seed := range byte(50) {
		if !dataintegrity.SoundPoint(testKey(seed).Public().(ed25519.PublicKey)) {
			t.Errorf("key of seed %d counts as unsound", seed)
		}
	}
}

func TestNonCanonicalSignatureRefused(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	key := testKey(1)
	signed := sign(t, p, sample(t), assertion(""), key)
	proof := firstProof(t, signed)
	raw, err := base58.Decode(proof["proofValue"].(string)[1:])
	if err != nil {
		t.Fatal(err)
	}
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := make([]byte, 32)
	for i := range s {
		s[31-i] = raw[32+i]
	}
	bigger := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	for i := range bigger {
		raw[63-i] = bigger[i]
	}
	proof["proofValue"] = "z" + base58.Encode(raw)
	if err := p.Check(signed, proof, key.Public()); !errors.Is(err, dataintegrity.ErrProofInvalid) {
		t.Errorf("Check of S + order = %v, want ErrProofInvalid", err)
	}
}
