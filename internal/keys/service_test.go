package keys_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/testkit"
	"heartmark/schemas"
)

func TestHandleSigns(t *testing.T) {
	t.Parallel()
	for _, alg := range keys.Algorithms() {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			store, kek, clock := newMemory(), kekFile(t), testkit.NewClock(start)
			info, err := openService(t, store, kek, clock).Create(t.Context(), "acme", keys.KindCredential, alg)
			if err != nil {
				t.Fatalf("Create: %v", err)
			}
			if want := controller("acme") + "#" + string(info.ID); info.VerificationMethod != want || info.Status != keys.StatusActive {
				t.Errorf("Create = method %q, status %q; want %q, active", info.VerificationMethod, info.Status, want)
			}
			// A service opened again reads the key from the store.
			h, err := openService(t, store, kek, clock).SignerFor(t.Context(), "acme", keys.KindCredential)
			if err != nil {
				t.Fatalf("SignerFor: %v", err)
			}
			message := []byte("some message")
			sig, err := h.Sign(rand.Reader, message, crypto.Hash(0))
			if err != nil {
				t.Fatalf("Sign: %v", err)
			}
			if !verify(t, info.Public, message, sig) || !verify(t, h.Public(), message, sig) {
				t.Error("signature does not verify")
			}
			sig, err = crypto.SignMessage(h, rand.Reader, message, map[string]crypto.Hash{keys.AlgES256: crypto.SHA256, keys.AlgES384: crypto.SHA384}[alg])
			if err != nil || !verify(t, info.Public, message, sig) {
				t.Errorf("SignMessage: %v, or does not verify", err)
			}
		})
	}
}

func verify(t *testing.T, pub crypto.PublicKey, message, sig []byte) bool {
	t.Helper()
	switch k := pub.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(k, message, sig)
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P384() {
			digest := sha512.Sum384(message)
			return ecdsa.VerifyASN1(k, digest[:], sig)
		}
		digest := sha256.Sum256(message)
		return ecdsa.VerifyASN1(k, digest[:], sig)
	}
	t.Fatalf("public key of type %T", pub)
	return false
}

// The key manager hashes what it signs: a digest handed to it would be hashed twice and never verify. The handle refuses.
func TestECDSAHandleRefusesDigest(t *testing.T) {
	t.Parallel()
	s := openService(t, newMemory(), kekFile(t), testkit.NewClock(start))
	info, err := s.Create(t.Context(), "", keys.KindAccessToken, keys.AlgES256)
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.Signer(t.Context(), info.ID)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("m"))
	if _, err := h.Sign(rand.Reader, digest[:], crypto.SHA256); !errors.Is(err, keys.ErrDigest) {
		t.Errorf("Sign of a digest: %v, want ErrDigest", err)
	}
	if _, err := h.SignMessage(rand.Reader, []byte("m"), crypto.SHA384); !errors.Is(err, keys.ErrUnsupported) {
		t.Errorf("SignMessage with SHA-384: %v, want ErrUnsupported", err)
	}
}

// A tenant has a key for each algorithm; each is found by its own, rotated by its own, and the newest of all by none.
func TestSignerWith(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(start)
	s := openService(t, newMemory(), kekFile(t), clock)
	made := map[string]schemas.KeyID{}
	for _, alg := range keys.Algorithms() {
		if _, err := s.SignerWith(t.Context(), "acme", keys.KindCredential, alg); !errors.Is(err, keys.ErrNotFound) {
			t.Errorf("SignerWith %s before there is one: %v, want ErrNotFound", alg, err)
		}
		clock.Advance(time.Hour)
		info, err := s.Create(t.Context(), "acme", keys.KindCredential, alg)
		if err != nil {
			t.Fatal(err)
		}
		made[alg] = info.ID
		if got, err := keys.AlgorithmOf(info.Public); err != nil || got != alg {
			t.Errorf("AlgorithmOf = %q, %v; want %s", got, err, alg)
		}
	}
	want := func(alg string, id schemas.KeyID) {
		t.Helper()
		h, err := s.SignerWith(t.Context(), "acme", keys.KindCredential, alg)
		if err != nil || h.KeyID() != id || (alg != "" && h.Algorithm() != alg) {
			t.Errorf("SignerWith %q = %v, %v; want %s", alg, h, err, id)
		}
	}
	for alg, id := range made {
		want(alg, id)
	}
	want("", made[keys.AlgES384])
	clock.Advance(time.Hour)
	fresh, err := s.Create(t.Context(), "acme", keys.KindCredential, keys.AlgES256)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Retire(t.Context(), made[keys.AlgES256], clock.Now()); err != nil {
		t.Fatal(err)
	}
	want(keys.AlgES256, fresh.ID)
	want("", fresh.ID)
	want(keys.AlgEdDSA, made[keys.AlgEdDSA])
}

func TestSEC_172_RetiredKeySignsNothing(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(start)
	store, kek := newMemory(), kekFile(t)
	s := openService(t, store, kek, clock)
	old, err := s.Create(t.Context(), "acme", keys.KindCredential, keys.AlgEdDSA)
	if err != nil {
		t.Fatal(err)
	}
	held, err := s.Signer(t.Context(), old.ID)
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	next, err := s.Create(t.Context(), "acme", keys.KindCredential, keys.AlgEdDSA)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := s.SignerFor(t.Context(), "acme", keys.KindCredential); err != nil || h.KeyID() != next.ID {
		t.Fatalf("SignerFor after rotation: %v, want key %s", err, next.ID)
	}
	if err := s.Retire(t.Context(), old.ID, clock.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := held.Sign(nil, []byte("m"), crypto.Hash(0)); !errors.Is(err, keys.ErrNotActive) {
		t.Errorf("held handle of a retired key: %v, want ErrNotActive", err)
	}
	for name, svc := range map[string]*keys.Service{"same": s, "reopened": openService(t, store, kek, clock)} {
		if _, err := svc.Signer(t.Context(), old.ID); !errors.Is(err, keys.ErrNotActive) {
			t.Errorf("%s service: Signer of a retired key: %v, want ErrNotActive", name, err)
		}
	}
	list, err := s.List(t.Context(), "acme")
	if err != nil || len(list) != 2 || list[0].Status != keys.StatusRetired || list[0].Public == nil {
		t.Errorf("List = %+v, %v; want the retired key with its public half first", list, err)
	}
}

func TestRevokeIsFinal(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(start)
	s := openService(t, newMemory(), kekFile(t), clock)
	info, err := s.Create(t.Context(), "acme", keys.KindCredential, keys.AlgEdDSA)
	if err != nil {
		t.Fatal(err)
	}
	held, err := s.Signer(t.Context(), info.ID)
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	compromised := start.Add(30 * time.Minute)
	if err := s.Revoke(t.Context(), info.ID, compromised, "laptop stolen"); err != nil {
		t.Fatal(err)
	}
	if err := s.Revoke(t.Context(), info.ID, clock.Now(), "later"); err != nil {
		t.Fatal(err)
	}
	if err := s.Retire(t.Context(), info.ID, clock.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := held.Sign(nil, []byte("m"), crypto.Hash(0)); !errors.Is(err, keys.ErrNotActive) {
		t.Errorf("handle of a revoked key: %v, want ErrNotActive", err)
	}
	list, err := s.List(t.Context(), "acme")
	if err != nil || list[0].Status != keys.StatusRevoked || !list[0].Until.Equal(compromised) || list[0].Reason != "laptop stolen" {
		t.Errorf("List = %+v, %v; want revoked from %v for the first reason", list, err, compromised)
	}
}

func TestKeyEndsWithItsTime(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(start)
	s := openService(t, newMemory(), kekFile(t), clock)
	info, err := s.Create(t.Context(), "", keys.KindAccessToken, keys.AlgEdDSA)
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.Signer(t.Context(), info.ID)
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(30*24*time.Hour - time.Second)
	if _, err := h.Sign(nil, nil, crypto.Hash(0)); err != nil {
		t.Errorf("one second before the end: %v", err)
	}
	clock.Advance(time.Second)
	if _, err := h.Sign(nil, nil, crypto.Hash(0)); !errors.Is(err, keys.ErrNotActive) {
		t.Errorf("at the end: %v, want ErrNotActive", err)
	}
	clock.Advance(-31 * 24 * time.Hour)
	if _, err := h.Sign(nil, nil, crypto.Hash(0)); !errors.Is(err, keys.ErrNotActive) {
		t.Errorf("before the beginning: %v, want ErrNotActive", err)
	}
}

func TestSealBindsItsPlace(t *testing.T) {
	t.Parallel()
	store, kek, clock := newMemory(), kekFile(t), testkit.NewClock(start)
	s := openService(t, store, kek, clock)
	plain := []byte("a credential")
	sealed, err := s.Seal(t.Context(), "acme", "credential", "urn:uuid:1", plain)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, plain) {
		t.Fatal("sealed bytes hold the plain text")
	}
	if got, err := openService(t, store, kek, clock).Open(t.Context(), "acme", "credential", "urn:uuid:1", sealed); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("Open = %q, %v", got, err)
	}
	if _, err := s.Seal(t.Context(), "other", "credential", "urn:uuid:1", plain); err != nil {
		t.Fatal(err)
	}
	places := []struct{ tenant, kind, id string }{
		{"other", "credential", "urn:uuid:1"},
		{"acme", "report", "urn:uuid:1"},
		{"acme", "credential", "urn:uuid:2"},
		{"acme", "credentialu", "rn:uuid:1"},
	}
	for _, p := range places {
		if _, err := s.Open(t.Context(), p.tenant, p.kind, p.id, sealed); !errors.Is(err, keys.ErrDamaged) {
			t.Errorf("Open as %+v: %v, want ErrDamaged", p, err)
		}
	}
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if _, err := s.Open(t.Context(), "acme", "credential", "urn:uuid:1", bad); !errors.Is(err, keys.ErrDamaged) {
				t.Fatalf("Open with bit %d of byte %d flipped: %v, want ErrDamaged", bit, i, err)
			}
		}
	}
	for n := range len(sealed) {
		if _, err := s.Open(t.Context(), "acme", "credential", "urn:uuid:1", sealed[:n]); !errors.Is(err, keys.ErrDamaged) {
			t.Fatalf("Open of the first %d bytes: %v, want ErrDamaged", n, err)
		}
	}
}

func TestSEC_170_AlteredRecordsDoNotOpen(t *testing.T) {
	t.Parallel()
	edits := map[string]func(*keys.Record){
		"retired key made active": func(r *keys.Record) { r.Status = keys.StatusActive; r.Until = start.Add(time.Hour) },
		"tenant":                  func(r *keys.Record) { r.Tenant = "other" },
		"kind":                    func(r *keys.Record) { r.Kind = keys.KindLog },
		"version":                 func(r *keys.Record) { r.Version++ },
		"until":                   func(r *keys.Record) { r.Until = r.Until.Add(time.Hour) },
		"public key":              func(r *keys.Record) { r.Public = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK" },
		"first sealed byte":       func(r *keys.Record) { r.Sealed = flip(r.Sealed, 0) },
		"middle sealed byte":      func(r *keys.Record) { r.Sealed = flip(r.Sealed, len(r.Sealed)/2) },
		"last sealed byte":        func(r *keys.Record) { r.Sealed = flip(r.Sealed, len(r.Sealed)-1) },
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, kek, clock := newMemory(), kekFile(t), testkit.NewClock(start)
			s := openService(t, store, kek, clock)
			info, err := s.Create(t.Context(), "acme", keys.KindCredential, keys.AlgEdDSA)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Create(t.Context(), "other", keys.KindCredential, keys.AlgEdDSA); err != nil {
				t.Fatal(err)
			}
			if name == "retired key made active" {
				if err := s.Retire(t.Context(), info.ID, clock.Now()); err != nil {
					t.Fatal(err)
				}
			}
			store.edit(info.ID, edit)
			if _, err := openService(t, store, kek, clock).Signer(t.Context(), info.ID); !errors.Is(err, keys.ErrDamaged) {
				t.Errorf("Signer: %v, want ErrDamaged", err)
			}
		})
	}
}

func flip(b []byte, i int) []byte {
	out := bytes.Clone(b)
	out[i] ^= 1
	return out
}

// Nothing that the service stores holds the private seed in any usual spelling.
func TestSEC_169_NoPlainKeyInStore(t *testing.T) {
	t.Parallel()
	store := newMemory()
	s := openService(t, store, kekFile(t), testkit.NewClock(start))
	secret := []byte("0123456789abcdef0123456789abcdef")
	if _, err := s.Seal(t.Context(), "acme", "key", "1", secret); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), "acme", keys.KindCredential, keys.AlgEdDSA); err != nil {
		t.Fatal(err)
	}
	dump, err := json.Marshal(store.records)
	if err != nil {
		t.Fatal(err)
	}
	for _, spelling := range []string{string(secret), hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret)} {
		if bytes.Contains(dump, []byte(spelling)) {
			t.Errorf("store holds %q", spelling)
		}
	}
	// The key manager's own form never reaches the store either: it lies inside the seal.
	for _, word := range []string{"encryptedKeyset", "keysetInfo", "Ed25519PrivateKey"} {
		if bytes.Contains(dump, []byte(word)) {
			t.Errorf("store holds %q outside the seal", word)
		}
	}
}

func TestSEC_175_OtherKEKIsRefused(t *testing.T) {
	t.Parallel()
	store, clock := newMemory(), testkit.NewClock(start)
	s := openService(t, store, kekFile(t), clock)
	if _, err := s.Create(t.Context(), "", keys.KindStatusList, keys.AlgEdDSA); err != nil {
		t.Fatal(err)
	}
	_, err := keys.Open(t.Context(), keys.Config{KEKFile: kekFile(t), Store: store, Now: clock.Now})
	if !errors.Is(err, keys.ErrKEKMismatch) {
		t.Errorf("Open with another key-encryption key: %v, want ErrKEKMismatch", err)
	}
}

func TestAuditStopsChanges(t *testing.T) {
	t.Parallel()
	store := newMemory()
	full := errors.New("audit full")
	var events []keys.Event
	var fail error
	s, err := keys.Open(t.Context(), keys.Config{
		KEKFile: kekFile(t), Store: store, Now: testkit.NewClock(start).Now,
		Audit: func(_ context.Context, e keys.Event) error { events = append(events, e); return fail },
	})
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.Create(t.Context(), "acme", keys.KindCredential, keys.AlgEdDSA)
	if err != nil || len(events) != 1 || events[0].Name != "key.create" || events[0].KeyID != info.ID {
		t.Fatalf("Create: %v, events %+v", err, events)
	}
	fail = full
	if _, err := s.Create(t.Context(), "acme", keys.KindCredential, keys.AlgEdDSA); !errors.Is(err, full) {
		t.Errorf("Create without audit: %v, want the audit's error", err)
	}
	if err := s.Revoke(t.Context(), info.ID, start, "x"); !errors.Is(err, full) {
		t.Errorf("Revoke without audit: %v, want the audit's error", err)
	}
	if list, err := s.List(t.Context(), "acme"); err != nil || len(list) != 1 || list[0].Status != keys.StatusActive {
		t.Errorf("List = %+v, %v; want the one key as it was", list, err)
	}
}

func TestConcurrentFirstUseMakesOneDataKey(t *testing.T) {
	t.Parallel()
	store, kek, clock := newMemory(), kekFile(t), testkit.NewClock(start)
	s := openService(t, store, kek, clock)
	var wg sync.WaitGroup
	sealed := make([][]byte, 16)
	for i := range sealed {
		wg.Go(func() {
			out, err := s.Seal(t.Context(), "acme", "k", fmt.Sprint(i), []byte("x"))
			if err != nil {
				t.Errorf("Seal: %v", err)
			}
			sealed[i] = out
		})
	}
	wg.Wait()
	again := openService(t, store, kek, clock)
	for i := range sealed {
		if _, err := again.Open(t.Context(), "acme", "k", fmt.Sprint(i), sealed[i]); err != nil {
			t.Errorf("Open %d: %v", i, err)
		}
	}
}

func TestUnknownAndUnsupported(t *testing.T) {
	t.Parallel()
	s := openService(t, newMemory(), kekFile(t), testkit.NewClock(start))
	if _, err := s.Signer(t.Context(), "nope"); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("Signer: %v, want ErrNotFound", err)
	}
	if _, err := s.Seal(t.Context(), "acme", "k", "1", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Signer(t.Context(), schemas.KeyID("seal:acme")); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("Signer of a data key: %v, want ErrNotFound", err)
	}
	if _, err := s.SignerFor(t.Context(), "acme", keys.KindLog); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("SignerFor: %v, want ErrNotFound", err)
	}
	for _, c := range []struct {
		kind keys.Kind
		alg  string
	}{{keys.KindSeal, keys.AlgEdDSA}, {"", keys.AlgEdDSA}, {keys.KindLog, "RS256"}, {keys.KindLog, "none"}} {
		if _, err := s.Create(t.Context(), "acme", c.kind, c.alg); !errors.Is(err, keys.ErrUnsupported) {
			t.Errorf("Create(%q, %q): %v, want ErrUnsupported", c.kind, c.alg, err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	message := make([]byte, 64)
	b.Run("raw", func(b *testing.B) {
		_, priv, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			ed25519.Sign(priv, message)
		}
	})
	b.Run("handle", func(b *testing.B) {
		s := openService(b, newMemory(), kekFile(b), testkit.NewClock(start))
		info, err := s.Create(b.Context(), "", keys.KindCredential, keys.AlgEdDSA)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			h, err := s.Signer(b.Context(), info.ID)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := h.Sign(nil, message, crypto.Hash(0)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
