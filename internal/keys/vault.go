//go:build !js

package keys

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Vault holds keys that are made to be destroyed: one for each submission, and a ring of them for each subject. Each
// lies in a small file of its own, sealed under the tenant's data key, and is never kept in memory. A store that writes
// logs keeps deleted records until it compacts; a file that is overwritten and removed is gone at once, and with it
// whatever was sealed under the key (security section 7, G8). Its methods may be called at once.
//
// Overwriting reaches the medium on file systems that write in place. On others the sealed file may linger as a freed
// block; it opens only with the tenant's data key.
type Vault struct {
	dir  string
	keys *Service
}

// KeyRef names a key of the vault: a tenant, a ring in it, and a name in the ring.
type KeyRef struct{ Tenant, Ring, Name string }

// vaultKind is the kind under which the files are sealed.
const vaultKind = "vault_key"

// OpenVault returns the vault in dir, which is made for the owner only when it is not there.
func OpenVault(dir string, s *Service) (*Vault, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return &Vault{dir: dir, keys: s}, nil
}

// Seal encrypts plaintext under the key, which is made, durably, on first use. Kind and id are bound to the ciphertext.
func (v *Vault) Seal(ctx context.Context, ref KeyRef, kind, id string, plaintext []byte) ([]byte, error) {
	secret, err := v.secret(ctx, ref)
	if errors.Is(err, ErrNotFound) {
		secret, err = v.make(ctx, ref)
	}
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	a, err := derive(secret, "vault/v1")
	if err != nil {
		return nil, err
	}
	return sealBytes(a, plaintext, ref.bind(kind, id)), nil
}

// Open decrypts what Seal gave under the same key, kind and id. It returns ErrNotFound when the key was destroyed, which
// no one can undo, and ErrDamaged for altered bytes.
func (v *Vault) Open(ctx context.Context, ref KeyRef, kind, id string, sealed []byte) ([]byte, error) {
	secret, err := v.secret(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	a, err := derive(secret, "vault/v1")
	if err != nil {
		return nil, err
	}
	plain, err := openBytes(a, sealed, ref.bind(kind, id))
	if err != nil {
		return nil, fmt.Errorf("open %s %s: %w", kind, id, err)
	}
	return plain, nil
}

// Destroy overwrites and removes the key, durably. Destroying one that is not there succeeds.
func (v *Vault) Destroy(_ context.Context, ref KeyRef) error {
	path := v.path(ref)
	if err := shred(path); err != nil {
		return fmt.Errorf("destroy key: %w", err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// DestroyRing destroys every key of a ring.
func (v *Vault) DestroyRing(_ context.Context, tenant, ring string) error {
	dir := v.ring(KeyRef{Tenant: tenant, Ring: ring})
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("destroy keys: %w", err)
	}
	for _, e := range entries {
		if err := shred(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("destroy keys: %w", err)
		}
	}
	if err := syncFolder(dir); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("destroy keys: %w", err)
	}
	return syncFolder(v.dir)
}

// secret reads a key.
func (v *Vault) secret(ctx context.Context, ref KeyRef) ([]byte, error) {
	sealed, err := os.ReadFile(v.path(ref))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("vault key: %w", ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("vault key: %w", err)
	}
	return v.keys.Open(ctx, ref.Tenant, vaultKind, ref.id(), sealed)
}

// make stores a new key; when another call was faster, its key is taken. The file appears whole or not at all.
func (v *Vault) make(ctx context.Context, ref KeyRef) ([]byte, error) {
	secret := make([]byte, dataKeySize)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("draw vault key: %w", err)
	}
	sealed, err := v.keys.Seal(ctx, ref.Tenant, vaultKind, ref.id(), secret)
	if err != nil {
		return nil, err
	}
	dir := v.ring(ref)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	if err := errors.Join(place(v.path(ref), sealed), syncFolder(dir), syncFolder(v.dir)); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return v.secret(ctx, ref)
		}
		return nil, fmt.Errorf("vault: %w", err)
	}
	return secret, nil
}

// place writes a file aside, flushes it and links it to its name, which must be free.
func place(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path)
}

// shred overwrites a file with zeros, flushes, and removes it.
func shred(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(make([]byte, info.Size()), 0)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (r KeyRef) id() string { return strings.Join([]string{r.Ring, r.Name}, "/") }

func (r KeyRef) bind(kind, id string) []byte {
	return bind("heartmark/vault/v1", r.Tenant, r.Ring, r.Name, kind, id)
}

// File names are hashes: a name that a stranger chose never becomes a path.
func fileName(parts ...string) string {
	sum := sha256.Sum256(bind(parts...))
	return hex.EncodeToString(sum[:16])
}

func (v *Vault) ring(r KeyRef) string { return filepath.Join(v.dir, fileName(r.Tenant, r.Ring)) }

func (v *Vault) path(r KeyRef) string {
	return filepath.Join(v.ring(r), fileName(r.Tenant, r.Ring, r.Name))
}
