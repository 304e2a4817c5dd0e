package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"heartmark/internal/keys"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/mr-tron/base58"
)

func publics(t testing.TB) map[string]crypto.PublicKey {
	t.Helper()
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]crypto.PublicKey{"Ed25519": ed}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		out[curve.Params().Name] = &k.PublicKey
	}
	return out
}

type equaler interface{ Equal(crypto.PublicKey) bool }

func TestPublicRoundTrip(t *testing.T) {
	t.Parallel()
	for range 50 {
		for name, pub := range publics(t) {
			text, err := keys.Multibase(pub)
			if err != nil {
				t.Fatalf("%s: Multibase: %v", name, err)
			}
			back, err := keys.ParseMultibase(text)
			if err != nil || !pub.(equaler).Equal(back) {
				t.Fatalf("%s: ParseMultibase(%q) = %v, %v", name, text, back, err)
			}
			raw, err := keys.MarshalJWK(pub)
			if err != nil {
				t.Fatalf("%s: MarshalJWK: %v", name, err)
			}
			back, err = keys.ParseJWK(raw)
			if err != nil || !pub.(equaler).Equal(back) {
				t.Fatalf("%s: ParseJWK(%s) = %v, %v", name, raw, back, err)
			}
		}
	}
}

// Values printed in the DID Key method and in Controlled Identifiers.
func TestParseMultibaseKnown(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
		"zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
		"z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9",
	} {
		pub, err := keys.ParseMultibase(text)
		if err != nil {
			t.Errorf("ParseMultibase(%q): %v", text, err)
			continue
		}
		if again, err := keys.Multibase(pub); err != nil || again != text {
			t.Errorf("Multibase = %q, %v; want %q", again, err, text)
		}
	}
}

func multikey(prefix []byte, key []byte) string {
	return "z" + base58.Encode(append(slices.Clone(prefix), key...))
}

// littleEndian writes y as an Edwards point's bytes with the sign bit.
func littleEndian(y *big.Int, sign byte) []byte {
	out := y.FillBytes(make([]byte, 32))
	slices.Reverse(out)
	out[31] |= sign << 7
	return out
}

func TestParseMultibaseRefuses(t *testing.T) {
	t.Parallel()
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	ed := []byte{0xed, 0x01}
	good := "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
	raw, err := base58.Decode(good[1:])
	if err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{
		"empty":                "",
		"z alone":              "z",
		"other base":           "u" + base64.RawURLEncoding.EncodeToString(raw),
		"no prefix letter":     good[1:],
		"upper case prefix":    "Z" + good[1:],
		"leading 1":            "z1" + good[1:],
		"space":                "z " + good[1:],
		"trailing line end":    good + "\n",
		"letter 0":             strings.Replace(good, "6", "0", 1),
		"31 bytes":             multikey(ed, raw[2:33]),
		"33 bytes":             multikey(ed, append(slices.Clone(raw[2:]), 0)),
		"X25519":               multikey([]byte{0xec, 0x01}, raw[2:]),
		"private key":          multikey([]byte{0x80, 0x26}, raw[2:]),
		"prefix not a varint":  multikey([]byte{0xed}, raw[2:]),
		"y equal to p":         multikey(ed, littleEndian(p, 0)),
		"y above p":            multikey(ed, littleEndian(new(big.Int).Add(p, big.NewInt(9)), 0)),
		"not on the curve":     multikey(ed, littleEndian(big.NewInt(2), 0)),
		"P-256 uncompressed":   multikey([]byte{0x80, 0x24}, append([]byte{4}, make([]byte, 64)...)),
		"P-256 off the curve":  multikey([]byte{0x80, 0x24}, append([]byte{2}, slices.Repeat([]byte{0xff}, 32)...)),
		"P-256 as infinity":    multikey([]byte{0x80, 0x24}, make([]byte, 33)),
		"P-256 with P-384 key": multikey([]byte{0x80, 0x24}, make([]byte, 49)),
		"endless":              "z" + strings.Repeat("6", 1<<20),
	}
	for name, text := range bad {
		if pub, err := keys.ParseMultibase(text); !errors.Is(err, keys.ErrBadKey) {
			t.Errorf("%s: ParseMultibase = %v, %v; want ErrBadKey", name, pub, err)
		}
	}
}

// All points whose order divides 8 are refused; the points are computed here, by doubling.
func TestSmallOrderRefused(t *testing.T) {
	t.Parallel()
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	d := new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), p))
	d.Mod(d, p)
	ys := []*big.Int{big.NewInt(0), big.NewInt(1), new(big.Int).Sub(p, big.NewInt(1))}
	// Order 8: d·y⁴ + 2·y² - 1 = 0, so y² = (-1 ± sqrt(1+d))/d.
	root := new(big.Int).ModSqrt(new(big.Int).Mod(new(big.Int).Add(d, big.NewInt(1)), p), p)
	if root == nil {
		t.Fatal("1+d is not a square")
	}
	for _, sign := range []int64{1, -1} {
		y2 := new(big.Int).Mul(root, big.NewInt(sign))
		y2.Sub(y2, big.NewInt(1)).Mul(y2, new(big.Int).ModInverse(d, p)).Mod(y2, p)
		if y := new(big.Int).ModSqrt(y2, p); y != nil {
			ys = append(ys, y, new(big.Int).Sub(p, y))
		}
	}
	if len(ys) != 5 {
		t.Fatalf("%d values of y for small orders, want 5", len(ys))
	}
	for _, y := range ys {
		for sign := range byte(2) {
			raw := littleEndian(y, sign)
			if _, err := keys.ParseMultibase(multikey([]byte{0xed, 0x01}, raw)); !errors.Is(err, keys.ErrBadKey) {
				t.Errorf("small order point %x: %v, want ErrBadKey", raw, err)
			}
			if err := keys.CheckPublic(ed25519.PublicKey(raw)); !errors.Is(err, keys.ErrBadKey) {
				t.Errorf("CheckPublic(%x): %v, want ErrBadKey", raw, err)
			}
		}
	}
}

// The library takes an Ed25519 key of any length, and verifying with it panics. If a later version refuses it, this test
// says so; ParseJWK refuses either way.
func TestJWKLengthGotcha(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 31, 33, 64} {
		raw := json.RawMessage(`{"kty":"OKP","crv":"Ed25519","x":"` + base64.RawURLEncoding.EncodeToString(make([]byte, n)) + `"}`)
		if _, err := jwk.ParseKey(raw); err != nil && n > 0 {
			t.Logf("the library refuses an x of %d bytes now: %v", n, err)
		}
		if _, err := keys.ParseJWK(raw); !errors.Is(err, keys.ErrBadKey) {
			t.Errorf("ParseJWK with x of %d bytes: %v, want ErrBadKey", n, err)
		}
	}
}

func TestParseJWKRefuses(t *testing.T) {
	t.Parallel()
	const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
	const p256 = `"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	if _, err := keys.ParseJWK(json.RawMessage(`{"kty":"OKP","crv":"Ed25519","x":"` + x + `","kid":"a","alg":"EdDSA","use":"sig"}`)); err != nil {
		t.Fatalf("good OKP key: %v", err)
	}
	if _, err := keys.ParseJWK(json.RawMessage(`{"kty":"EC","crv":"P-256",` + p256 + `,"key_ops":["verify"]}`)); err != nil {
		t.Fatalf("good EC key: %v", err)
	}
	bad := map[string]string{
		"empty":             ``,
		"array":             `[]`,
		"no kty":            `{"crv":"Ed25519","x":"` + x + `"}`,
		"symmetric":         `{"kty":"oct"}`,
		"RSA":               `{"kty":"RSA","n":"AQAB","e":"AQAB"}`,
		"X25519":            `{"kty":"OKP","crv":"X25519","x":"` + x + `"}`,
		"secp256k1":         `{"kty":"EC","crv":"secp256k1",` + p256 + `}`,
		"curve in odd case": `{"kty":"OKP","crv":"ed25519","x":"` + x + `"}`,
		"padding":           `{"kty":"OKP","crv":"Ed25519","x":"` + x + `="}`,
		"standard alphabet": `{"kty":"OKP","crv":"Ed25519","x":"` + strings.ReplaceAll(x, "_", "/") + `"}`,
		"low bits set":      `{"kty":"OKP","crv":"Ed25519","x":"` + x[:42] + `p"}`,
		"x is a number":     `{"kty":"OKP","crv":"Ed25519","x":1}`,
		"small order":       `{"kty":"OKP","crv":"Ed25519","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
		"no y":              `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}`,
		"off the curve":     `{"kty":"EC","crv":"P-256",` + strings.Replace(p256, `"y":"x`, `"y":"y`, 1) + `}`,
		"wrong curve":       `{"kty":"EC","crv":"P-384",` + p256 + `}`,
		"alg of another":    `{"kty":"EC","crv":"P-256",` + p256 + `,"alg":"ES384"}`,
		"use enc":           `{"kty":"EC","crv":"P-256",` + p256 + `,"use":"enc"}`,
		"key_ops sign only": `{"kty":"EC","crv":"P-256",` + p256 + `,"key_ops":["sign"]}`,
		"two x":             `{"kty":"OKP","crv":"Ed25519","x":"` + x + `","x":"` + x + `"}`,
		"trailing":          `{"kty":"OKP","crv":"Ed25519","x":"` + x + `"}{}`,
		"endless":           `{"kty":"OKP","crv":"Ed25519","x":"` + strings.Repeat("A", 1<<20) + `"}`,
	}
	for name, text := range bad {
		if _, err := keys.ParseJWK(json.RawMessage(text)); !errors.Is(err, keys.ErrBadKey) {
			t.Errorf("%s: %v, want ErrBadKey", name, err)
		}
	}
	for _, member := range []string{`"d":"AA"`, `"k":"AA"`, `"p":"AA"`, `"d":null`} {
		err := keys.CheckJWK(json.RawMessage(`{"kty":"OKP","crv":"Ed25519","x":"` + x + `",` + member + `}`))
		if !errors.Is(err, keys.ErrPrivateKey) {
			t.Errorf("with %s: %v, want ErrPrivateKey", member, err)
		}
	}
}

func FuzzMultibase(f *testing.F) {
	f.Add("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")
	f.Add("zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169")
	f.Add(multikey([]byte{0x80, 0x24}, binary.BigEndian.AppendUint64(nil, 1)))
	f.Fuzz(func(t *testing.T, text string) {
		pub, err := keys.ParseMultibase(text)
		if err != nil {
			return
		}
		if again, err := keys.Multibase(pub); err != nil || again != text {
			t.Errorf("Multibase(ParseMultibase(%q)) = %q, %v", text, again, err)
		}
	})
}

func FuzzJWK(f *testing.F) {
	for _, pub := range publics(f) {
		raw, err := keys.MarshalJWK(pub)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		pub, err := keys.ParseJWK(raw)
		if err != nil {
			return
		}
		canonical, err := keys.MarshalJWK(pub)
		if err != nil {
			t.Fatalf("MarshalJWK: %v", err)
		}
		again, err := keys.ParseJWK(canonical)
		if err != nil || !pub.(equaler).Equal(again) {
			t.Errorf("ParseJWK(%s) = %v, %v", canonical, again, err)
		}
	})
}
