package keys_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"heartmark/internal/keys"
	"heartmark/internal/testkit"
)

func openVault(t *testing.T) (*keys.Vault, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "vault")
	v, err := keys.OpenVault(dir, openService(t, newMemory(), kekFile(t), testkit.NewClock(start)))
	if err != nil {
		t.Fatal(err)
	}
	return v, dir
}

func TestVaultDestroys(t *testing.T) {
	t.Parallel()
	v, dir := openVault(t)
	ctx, ref := t.Context(), keys.KeyRef{Tenant: "acme", Ring: "../../etc", Name: "passwd\x00"}
	sealed, err := v.Seal(ctx, ref, "text", "1", []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := v.Open(ctx, ref, "text", "1", sealed); err != nil || string(plain) != "hello" {
		t.Fatalf("Open = %q, %v", plain, err)
	}
	for name, wrong := range map[string]func() error{
		"kind":    func() error { _, err := v.Open(ctx, ref, "items", "1", sealed); return err },
		"id":      func() error { _, err := v.Open(ctx, ref, "text", "2", sealed); return err },
		"altered": func() error { _, err := v.Open(ctx, ref, "text", "1", append([]byte{1}, sealed...)); return err },
	} {
		if err := wrong(); !errors.Is(err, keys.ErrDamaged) {
			t.Errorf("another %s: %v, want ErrDamaged", name, err)
		}
	}
	for range 2 {
		if err := v.Destroy(ctx, ref); err != nil {
			t.Fatalf("Destroy: %v", err)
		}
	}
	if _, err := v.Open(ctx, ref, "text", "1", sealed); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("Open after Destroy: %v, want ErrNotFound", err)
	}
	if n := files(t, dir); n != 0 {
		t.Errorf("%d files left", n)
	}
	again, err := v.Seal(ctx, ref, "text", "1", []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Open(ctx, ref, "text", "1", sealed); !errors.Is(err, keys.ErrDamaged) {
		t.Errorf("a new key opens what the old one sealed: %v", err)
	}
	if bytes.Equal(again, sealed) {
		t.Error("the same ciphertext twice")
	}
}

// An overwrite is seen through another name of the same file: the bytes are gone, not only the name.
func TestVaultOverwrites(t *testing.T) {
	t.Parallel()
	v, dir := openVault(t)
	ref := keys.KeyRef{Tenant: "acme", Ring: "r", Name: "n"}
	if _, err := v.Seal(t.Context(), ref, "text", "1", nil); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			return os.Link(path, other)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Destroy(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(other)
	if err != nil || len(data) == 0 || len(bytes.Trim(data, "\x00")) != 0 {
		t.Errorf("the destroyed key's file holds %x, %v", data, err)
	}
}

func TestVaultRings(t *testing.T) {
	t.Parallel()
	v, dir := openVault(t)
	ctx := t.Context()
	seal := func(ref keys.KeyRef) []byte {
		t.Helper()
		sealed, err := v.Seal(ctx, ref, "text", "1", []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	kept := keys.KeyRef{Tenant: "acme", Ring: "other", Name: "1"}
	survivor := seal(kept)
	seal(keys.KeyRef{Tenant: "acme", Ring: "r", Name: "1"})
	seal(keys.KeyRef{Tenant: "acme", Ring: "r", Name: "2"})
	for range 2 {
		if err := v.DestroyRing(ctx, "acme", "r"); err != nil {
			t.Fatal(err)
		}
	}
	if n := files(t, dir); n != 1 {
		t.Errorf("%d files left, want 1", n)
	}
	if _, err := v.Open(ctx, kept, "text", "1", survivor); err != nil {
		t.Errorf("another ring: %v", err)
	}
}

func TestVaultManyAtOnce(t *testing.T) {
	t.Parallel()
	v, _ := openVault(t)
	ref := keys.KeyRef{Tenant: "acme", Ring: "r", Name: "1"}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			sealed, err := v.Seal(t.Context(), ref, "text", "1", []byte("x"))
			if err != nil {
				t.Errorf("Seal: %v", err)
				return
			}
			if _, err := v.Open(t.Context(), ref, "text", "1", sealed); err != nil {
				t.Errorf("Open: %v", err)
			}
		})
	}
	wg.Wait()
}

func files(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
