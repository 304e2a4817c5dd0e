package dataintegrity_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/testkit"
	"heartmark/schemas"
	"heartmark/schemas/context"

	"github.com/mr-tron/base58"
)

// exampleContexts are contexts that official vectors use and that the program does not carry.
func exampleContexts(t testing.TB) []context.File {
	t.Helper()
	dir := testkit.Shared(t, "vectors/contexts")
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index map[string]struct{ File string }
	if err := json.Unmarshal(data, &index); err != nil {
		t.Fatal(err)
	}
	var files []context.File
	for _, url := range []string{"https://www.w3.org/ns/credentials/examples/v2", "https://w3id.org/citizenship/v4rc1", "https://www.w3.org/ns/credentials/undefined-terms/v2"} {
		data, err := os.ReadFile(filepath.Join(dir, index[url].File))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		files = append(files, context.File{URL: url, Data: data, SHA256: hex.EncodeToString(sum[:])})
	}
	return files
}

func newProcessor(t testing.TB, extra ...context.File) *dataintegrity.Processor {
	t.Helper()
	loader, err := context.New(extra...)
	if err != nil {
		t.Fatal(err)
	}
	return dataintegrity.New(loader)
}

func readObject(t testing.TB, path string) map[string]any {
	t.Helper()
	m, err := schemas.ParseObject(readFile(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// publicKey reads the Multikey at the end of a did:key verification method.
func publicKey(t testing.TB, method string) crypto.PublicKey {
	t.Helper()
	_, fragment, _ := strings.Cut(method, "#")
	raw, err := base58.Decode(strings.TrimPrefix(fragment, "z"))
	if err != nil || len(raw) < 3 {
		t.Fatalf("multikey %q: %v", fragment, err)
	}
	curve := elliptic.P256()
	switch {
	case bytes.HasPrefix(raw, []byte{0xed, 0x01}):
		return ed25519.PublicKey(raw[2:])
	case bytes.HasPrefix(raw, []byte{0x81, 0x24}):
		curve = elliptic.P384()
	}
	x, y := elliptic.UnmarshalCompressed(curve, raw[2:])
	if x == nil {
		t.Fatalf("multikey %q is no point", fragment)
	}
	return point(t, curve, x, y)
}

func point(t testing.TB, curve elliptic.Curve, x, y *big.Int) *ecdsa.PublicKey {
	t.Helper()
	size := (curve.Params().BitSize + 7) / 8
	b := make([]byte, 1+2*size)
	b[0] = 4
	x.FillBytes(b[1 : 1+size])
	y.FillBytes(b[1+size:])
	key, err := ecdsa.ParseUncompressedPublicKey(curve, b)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// mirrored returns the other key with the same x.
func mirrored(t testing.TB, key *ecdsa.PublicKey) *ecdsa.PublicKey {
	t.Helper()
	b, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	half := (len(b) - 1) / 2
	x, y := new(big.Int).SetBytes(b[1:1+half]), new(big.Int).SetBytes(b[1+half:])
	return point(t, key.Curve, x, y.Sub(key.Curve.Params().P, y))
}

// privateKey reads a secret Ed25519 key in multibase.
func privateKey(t testing.TB, multibase string) ed25519.PrivateKey {
	t.Helper()
	raw, err := base58.Decode(strings.TrimPrefix(multibase, "z"))
	if err != nil || len(raw) != 34 {
		t.Fatalf("secret key: %v", err)
	}
	return ed25519.NewKeyFromSeed(raw[2:])
}

type keyPair struct{ PublicKeyMultibase, PrivateKeyMultibase string }

func readKeys(t testing.TB, path string, v any) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, path), v); err != nil {
		t.Fatal(err)
	}
}

// options turns the proof of a vector into the options that should make it.
func options(t testing.TB, proof map[string]any) dataintegrity.ProofOptions {
	t.Helper()
	p, err := dataintegrity.ParseProof(proof)
	if err != nil {
		t.Fatal(err)
	}
	return dataintegrity.ProofOptions{
		VerificationMethod: p.VerificationMethod, Purpose: p.Purpose, Created: p.Created, Expires: p.Expires, Cryptosuite: p.Cryptosuite,
		Challenge: p.Challenge, ID: p.ID, PreviousProof: p.PreviousProof, Add: true,
	}
}

func TestEdDSAVectors(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(testkit.Shared(t, "vectors/vc-di-eddsa"), "TestVectors")
	p := newProcessor(t, exampleContexts(t)...)
	var pair keyPair
	readKeys(t, filepath.Join(dir, "keyPair.json"), &pair)
	key := privateKey(t, pair.PrivateKeyMultibase)
	for _, v := range []struct{ unsigned, signed, canonical string }{
		{"unsigned.json", "eddsa-rdfc-2022/signedDataInt.json", "eddsa-rdfc-2022/canonDocDataInt.txt"},
		{"employmentAuth.json", "eddsa-rdfc-2022/employ/signedDataInt.json", "eddsa-rdfc-2022/employ/canonDocDataInt.txt"},
		{"unsigned.json", "eddsa-jcs-2022/signedJCS.json", ""},
	} {
		t.Run(v.signed, func(t *testing.T) {
			t.Parallel()
			unsigned, signed := readObject(t, filepath.Join(dir, v.unsigned)), readObject(t, filepath.Join(dir, v.signed))
			proofs, err := dataintegrity.Proofs(signed)
			if err != nil || len(proofs) != 1 {
				t.Fatalf("Proofs = %v, %v", proofs, err)
			}
			if err := p.Check(signed, proofs[0], publicKey(t, proofs[0]["verificationMethod"].(string))); err != nil {
				t.Errorf("Check = %v, want nil", err)
			}
			got, err := p.Sign(unsigned, options(t, proofs[0]), key)
			if err != nil {
				t.Fatal(err)
			}
			made, err := dataintegrity.Proofs(got)
			if err != nil || made[0]["proofValue"] != proofs[0]["proofValue"] {
				t.Errorf("Sign gave %v (%v), want proofValue %v", made, err, proofs[0]["proofValue"])
			}
			if _, changed := unsigned["proof"]; changed {
				t.Error("Sign changed the document it was given")
			}
			if v.canonical != "" {
				want := readFile(t, filepath.Join(dir, v.canonical))
				if got, err := p.Canonical(signed); err != nil || !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(want)) {
					t.Errorf("Canonical = %s, %v; want %s", got, err, want)
				}
			}
		})
	}
}

func TestProofSetAndChainVectors(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(testkit.Shared(t, "vectors/vc-di-eddsa"), "TestVectors", "proof-set-chain")
	p := newProcessor(t, exampleContexts(t)...)
	var pairs map[string]keyPair
	readKeys(t, filepath.Join(dir, "multiKeyPairs.json"), &pairs)
	secret := func(method string) ed25519.PrivateKey {
		for _, pair := range pairs {
			if strings.HasSuffix(method, "#"+pair.PublicKeyMultibase) {
				return privateKey(t, pair.PrivateKeyMultibase)
			}
		}
		t.Fatalf("no key for %s", method)
		return nil
	}
	for _, name := range []string{"signedProofSet1.json", "signedProofSet2.json", "signedProofChain1.json", "signedProofChain2.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signed := readObject(t, filepath.Join(dir, name))
			proofs, err := dataintegrity.Proofs(signed)
			if err != nil {
				t.Fatal(err)
			}
			doc := readObject(t, filepath.Join(dir, "unsigned.json"))
			for i, proof := range proofs {
				method := proof["verificationMethod"].(string)
				if err := p.Check(signed, proof, publicKey(t, method)); err != nil {
					t.Errorf("Check of proof %d = %v", i, err)
				}
				if doc, err = p.Sign(doc, options(t, proof), secret(method)); err != nil {
					t.Fatalf("Sign %d: %v", i, err)
				}
			}
			made, err := dataintegrity.Proofs(doc)
			if err != nil || len(made) != len(proofs) {
				t.Fatalf("made %d proofs (%v), want %d", len(made), err, len(proofs))
			}
			for i := range proofs {
				if made[i]["proofValue"] != proofs[i]["proofValue"] {
					t.Errorf("proof %d: made %v, want %v", i, made[i]["proofValue"], proofs[i]["proofValue"])
				}
			}
			// A proof that others build on cannot be taken away, and a changed one breaks those.
			for i, proof := range proofs {
				if proof["previousProof"] == nil {
					continue
				}
				without := map[string]any{"proof": []any{proof}}
				for k, v := range signed {
					if k != "proof" {
						without[k] = v
					}
				}
				if err := p.Check(without, proof, publicKey(t, proof["verificationMethod"].(string))); !errors.Is(err, dataintegrity.ErrPreviousProof) {
					t.Errorf("Check of proof %d alone = %v, want ErrPreviousProof", i, err)
				}
			}
		})
	}
}

func TestECDSAVectors(t *testing.T) {
	t.Parallel()
	dir := testkit.Shared(t, "vectors/vc-di-ecdsa")
	p := newProcessor(t, exampleContexts(t)...)
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(d.Name(), "signed") || !strings.HasSuffix(d.Name(), ".json") {
			return err
		}
		doc := readObject(t, path)
		proofs, err := dataintegrity.Proofs(doc)
		if err != nil {
			t.Errorf("%s: %v", d.Name(), err)
			return nil
		}
		for _, proof := range proofs {
			if suite := proof["cryptosuite"]; suite != dataintegrity.ECDSARDFC2019 && suite != dataintegrity.ECDSAJCS2019 {
				continue
			}
			n++
			key := publicKey(t, proof["verificationMethod"].(string))
			if err := p.Check(doc, proof, key); err != nil {
				t.Errorf("%s: Check = %v, want nil", path, err)
			}
			if err := p.Check(doc, proof, mirrored(t, key.(*ecdsa.PublicKey))); !errors.Is(err, dataintegrity.ErrProofInvalid) {
				t.Errorf("%s: Check with the mirrored key = %v, want ErrProofInvalid", path, err)
			}
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d vectors (%v)", n, err)
	}
}
