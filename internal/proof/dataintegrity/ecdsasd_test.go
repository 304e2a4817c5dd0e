package dataintegrity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/testkit"
	"heartmark/schemas"
)

func readInto(t testing.TB, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// The vectors of VC Data Integrity ECDSA, A.7 and A.8: each step of making a base proof, deriving from it and verifying.
func TestECDSASDVectors(t *testing.T) {
	t.Parallel()
	root := filepath.Join(testkit.Shared(t, "vectors/vc-di-ecdsa"), "TestVectors")
	p := newProcessor(t, exampleContexts(t)...)
	for folder, names := range map[string][2]string{
		"employ": {"employMandatory.json", "employSelective.json"},
		"prc":    {"prCredMandatory.json", "prCredSelective.json"},
	} {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(root, "ecdsa-sd-2023", folder)
			var material struct{ HMACKeyString string }
			readInto(t, filepath.Join(root, "ecdsa-sd-2023", "SDKeyMaterial.json"), &material)
			key, err := hex.DecodeString(material.HMACKeyString)
			if err != nil {
				t.Fatal(err)
			}
			var mandatory, selective, lines []string
			readInto(t, filepath.Join(root, names[0]), &mandatory)
			readInto(t, filepath.Join(root, names[1]), &selective)
			readInto(t, filepath.Join(dir, "addBaseDocHMACCanon.json"), &lines)
			// The unsigned document of prc beside the steps has another description than the one that was signed.
			unsigned := readObject(t, filepath.Join(dir, "addSignedSDBase.json"))
			delete(unsigned, "proof")
			got, places, err := p.HiddenStatements(unsigned, key, mandatory)
			if err != nil || !reflect.DeepEqual(got, lines) {
				t.Fatalf("statements under hidden labels: %v\n%s\nwant\n%s", err, strings.Join(got, ""), strings.Join(lines, ""))
			}
			var transform struct {
				Mandatory struct{ Value [][2]any }
			}
			readInto(t, filepath.Join(dir, "addBaseTransform.json"), &transform)
			var want []int
			for _, pair := range transform.Mandatory.Value {
				want = append(want, int(pair[0].(float64)))
			}
			if !reflect.DeepEqual(places, want) {
				t.Errorf("mandatory statements %v, want %v", places, want)
			}
			base := readObject(t, filepath.Join(dir, "addSignedSDBase.json"))
			derived, err := p.Derive(base, selective)
			if err != nil {
				t.Fatalf("Derive: %v", err)
			}
			wanted := readObject(t, filepath.Join(dir, "derivedRevealDocument.json"))
			proofs, err := dataintegrity.Proofs(derived)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := dataintegrity.Proofs(wanted)
			if err != nil {
				t.Fatal(err)
			}
			if proofs[0]["proofValue"] != theirs[0]["proofValue"] {
				t.Errorf("proofValue\n%v\nwant\n%v", proofs[0]["proofValue"], theirs[0]["proofValue"])
			}
			plain, other := maps.Clone(derived), maps.Clone(wanted)
			delete(plain, "proof")
			delete(other, "proof")
			if a, b := canonicalJSON(t, plain), canonicalJSON(t, other); a != b {
				t.Errorf("shown\n%s\nwant\n%s", a, b)
			}
			issuer := publicKey(t, proofs[0]["verificationMethod"].(string))
			for name, doc := range map[string]map[string]any{"ours": derived, "theirs": wanted} {
				if err := p.Check(doc, proofs[0], issuer); err != nil {
					t.Errorf("Check of %s = %v, want nil", name, err)
				}
			}
			// A base proof shown to a verifier is refused.
			all, err := dataintegrity.Proofs(base)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check(base, all[0], issuer); !errors.Is(err, dataintegrity.ErrProofShape) {
				t.Errorf("Check of a base proof = %v, want ErrProofShape", err)
			}
		})
	}
}

func canonicalJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := schemas.CanonicalJSON(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func sdOptions(mandatory ...string) dataintegrity.ProofOptions {
	return dataintegrity.ProofOptions{
		VerificationMethod: "did:web:issuer.example#k", Purpose: "assertionMethod", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Cryptosuite: dataintegrity.ECDSASD2023, Mandatory: mandatory,
	}
}

func p256Key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A holder shows what they choose; what they leave out is not there, and what they show cannot be changed.
func TestDeriveShowsWhatIsChosen(t *testing.T) {
	t.Parallel()
	p, key := newProcessor(t), p256Key(t)
	doc := sample(t)
	base, err := p.Sign(doc, sdOptions("/issuer", "/validFrom", "/credentialSubject/achievement"), key)
	if err != nil {
		t.Fatal(err)
	}
	for name, pointers := range map[string][]string{
		"mandatory alone": nil, "one result": {"/credentialSubject/result/0"}, "all results": {"/credentialSubject/result"},
		"twice the same": {"/name", "/name"}, "one inside another": {"/credentialSubject", "/credentialSubject/result/0"},
	} {
		shown, err := p.Derive(base, pointers)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		proofs, err := dataintegrity.Proofs(shown)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Check(shown, proofs[0], key.Public()); err != nil {
			t.Errorf("%s: Check = %v", name, err)
		}
		if err := p.Check(shown, proofs[0], p256Key(t).Public()); !errors.Is(err, dataintegrity.ErrProofInvalid) {
			t.Errorf("%s: Check with another key = %v, want ErrProofInvalid", name, err)
		}
		if pointers == nil && shown["name"] != nil {
			t.Error("a withheld member is shown")
		}
		for member := range shown {
			if member == "@context" || member == "proof" || member == "type" {
				continue
			}
			less := maps.Clone(shown)
			delete(less, member)
			if err := p.Check(less, proofs[0], key.Public()); err == nil {
				t.Errorf("%s: verifies without %s", name, member)
			}
		}
		more := maps.Clone(shown)
		more["description"] = "gold"
		if err := p.Check(more, proofs[0], key.Public()); err == nil {
			t.Errorf("%s: verifies with a member more", name)
		}
	}
}

func TestDeriveFaults(t *testing.T) {
	t.Parallel()
	p, key := newProcessor(t), p256Key(t)
	base, err := p.Sign(sample(t), sdOptions("/issuer"), key)
	if err != nil {
		t.Fatal(err)
	}
	for _, pointer := range []string{"", "issuer", "/none", "/credentialSubject/result/99", "/credentialSubject/result/x", "/issuer/id/x"} {
		if _, err := p.Derive(base, []string{pointer}); !errors.Is(err, dataintegrity.ErrPointer) {
			t.Errorf("Derive %q = %v, want ErrPointer", pointer, err)
		}
		if _, err := p.Sign(sample(t), sdOptions(pointer), key); !errors.Is(err, dataintegrity.ErrPointer) {
			t.Errorf("Sign with mandatory %q = %v, want ErrPointer", pointer, err)
		}
	}
	shown, err := p.Derive(base, []string{"/name"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Derive(shown, []string{"/name"}); !errors.Is(err, dataintegrity.ErrProofShape) {
		t.Errorf("Derive from a derived proof = %v, want ErrProofShape", err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Sign(sample(t), sdOptions(), p384); !errors.Is(err, dataintegrity.ErrKey) {
		t.Errorf("Sign with P-384 = %v, want ErrKey", err)
	}
	if _, err := p.Sign(base, func() dataintegrity.ProofOptions { o := sdOptions(); o.Add = true; return o }(), key); !errors.Is(err, dataintegrity.ErrSigned) {
		t.Errorf("Sign beside another proof = %v, want ErrSigned", err)
	}
	o := sdOptions("/issuer")
	o.Cryptosuite = dataintegrity.ECDSARDFC2019
	if _, err := p.Sign(sample(t), o, key); !errors.Is(err, dataintegrity.ErrPointer) {
		t.Errorf("mandatory pointers for another suite: %v, want ErrPointer", err)
	}
	// What a stranger may send as proofValue.
	proofs, err := dataintegrity.Proofs(shown)
	if err != nil {
		t.Fatal(err)
	}
	good, _ := proofs[0]["proofValue"].(string)
	for _, value := range []string{"u", "z" + good[1:], good + "A", good[:len(good)-4], "u2V0BgA", "u2V0BhUBAQIB", good[:8] + "_" + good[9:]} {
		proof := maps.Clone(proofs[0])
		proof["proofValue"] = value
		if err := p.Check(shown, proof, crypto.PublicKey(key.Public())); err == nil {
			t.Errorf("proofValue %.20q verifies", value)
		}
	}
}

// FuzzDerivedValue: whatever stands as proofValue, Check neither panics nor says yes to another than the one that was made.
func FuzzDerivedValue(f *testing.F) {
	p, key := newProcessor(f), p256Key(f)
	base, err := p.Sign(sample(f), sdOptions("/issuer"), key)
	if err != nil {
		f.Fatal(err)
	}
	shown, err := p.Derive(base, []string{"/name"})
	if err != nil {
		f.Fatal(err)
	}
	proofs, err := dataintegrity.Proofs(shown)
	if err != nil {
		f.Fatal(err)
	}
	good, _ := proofs[0]["proofValue"].(string)
	for _, seed := range []string{good, "u", "u2V0BgA", "u2V0BhVhA", "z1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		proof := maps.Clone(proofs[0])
		proof["proofValue"] = value
		if err := p.Check(shown, proof, key.Public()); err == nil && value != good {
			t.Errorf("proofValue %q verifies", value)
		}
	})
}
