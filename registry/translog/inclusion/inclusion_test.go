package inclusion_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"heartmark/registry/translog/inclusion"
	"heartmark/schemas"

	"golang.org/x/mod/sumdb/note"
)

// signed returns a checkpoint text signed under name, and the verifier key.
func signed(t testing.TB, name, text string) (checkpoint []byte, vkey string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err = note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return checkpoint, vkey
}

const (
	root  = "LaTaGzyoqNfBFwvqrAdzOvOLYhqYcLCtAI0xG8cIzMM="
	short = "LaTaGzyo"
)

func TestParseCheckpoint(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, signer, text string
		ok                 bool
	}{
		{"good", "a.example/log", "a.example/log\n7\n" + root + "\n", true},
		{"empty tree", "a.example/log", "a.example/log\n0\n" + root + "\n", true},
		{"origin of another", "a.example/log", "b.example/log\n7\n" + root + "\n", false},
		{"extension", "a.example/log", "a.example/log\n7\n" + root + "\nmore\n", false},
		{"short root", "a.example/log", "a.example/log\n7\n" + short + "\n", false},
		{"no size", "a.example/log", "a.example/log\nx\n" + root + "\n", false},
		{"negative size", "a.example/log", "a.example/log\n-7\n" + root + "\n", false},
		{"one line", "a.example/log", "a.example/log\n", false},
		{"long", "a.example/log", "a.example/log\n7\n" + root + "\n" + strings.Repeat("x", 20_000) + "\n", false},
	} {
		checkpoint, vkey := signed(t, c.signer, c.text)
		cp, err := inclusion.ParseCheckpoint(checkpoint, vkey)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, inclusion.ErrCheckpoint) {
			t.Errorf("%s: ParseCheckpoint = %+v, %v, want ok %t", c.name, cp, err, c.ok)
		}
	}
}

func TestVerifierKey(t *testing.T) {
	t.Parallel()
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		key  crypto.PublicKey
		ok   bool
	}{{"a.example/log", pub, true}, {"", pub, false}, {"a log", pub, false}, {"a+log", pub, false}, {"a\u00a0log", pub, false}, {"a.example/log", other.Public(), false}, {"a.example/log", nil, false}} {
		key, err := inclusion.VerifierKey(c.name, c.key)
		if (err == nil) != c.ok {
			t.Errorf("VerifierKey(%q, %T) = %q, %v, want ok %t", c.name, c.key, key, err, c.ok)
		}
	}
}

// One entry is its own tree: RFC 6962, 2.1 gives its root without a log.
func TestVerifySingleEntry(t *testing.T) {
	t.Parallel()
	// SHA-256 of a zero byte, the hash of the empty entry.
	checkpoint, vkey := signed(t, "a.example/log", "a.example/log\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n")
	p := schemas.LogProof{Checkpoint: string(checkpoint), TreeSize: 1}
	if err := inclusion.Verify(nil, p, vkey); err != nil {
		t.Error(err)
	}
	if err := inclusion.Verify([]byte("x"), p, vkey); !errors.Is(err, inclusion.ErrProof) {
		t.Errorf("another entry: %v, want ErrProof", err)
	}
}

func FuzzCheckpoint(f *testing.F) {
	checkpoint, vkey := signed(f, "a.example/log", "a.example/log\n7\n"+root+"\n")
	f.Add(checkpoint)
	f.Fuzz(func(t *testing.T, in []byte) {
		// Only the bytes that were signed may pass, whatever signature lines of others are added.
		if _, err := inclusion.ParseCheckpoint(in, vkey); err == nil && !strings.HasPrefix(string(in), "a.example/log\n7\n"+root+"\n\n") {
			t.Fatalf("accepted %q", in)
		}
	})
}
