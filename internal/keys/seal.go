//go:build !js

package keys

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"heartmark/schemas"
)

// sealVersion is the first byte of everything sealed and part of its associated data.
const sealVersion = 1

// dataKeySize is the length of a data key in bytes.
const dataKeySize = 32

// maxCached bounds how many unsealed data keys stay in memory.
const maxCached = 4096

// derive returns an AES-256-GCM with random nonces under a key that serves label alone.
func derive(secret []byte, label string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "heartmark/"+label, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// bind encodes the associated data without room for doubt: each part is preceded by its length.
func bind(parts ...string) []byte {
	var out []byte
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}

func sealBytes(a cipher.AEAD, plaintext, aad []byte) []byte {
	out := make([]byte, 1, 1+len(plaintext)+a.Overhead())
	out[0] = sealVersion
	return a.Seal(out, nil, plaintext, aad) //nolint:gosec // G407: this AEAD draws its nonce itself
}

func openBytes(a cipher.AEAD, sealed, aad []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != sealVersion {
		return nil, ErrDamaged
	}
	plain, err := a.Open(nil, nil, sealed[1:], aad)
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

// Seal encrypts plaintext under the tenant's data key by AES-256-GCM. The result opens only with the same tenant, kind
// and id: kind says what is sealed ("credential", "report"), id which one. The tenant's data key is made on first use.
func (s *Service) Seal(ctx context.Context, tenant, kind, id string, plaintext []byte) ([]byte, error) {
	dk, err := s.dataKey(ctx, tenant, true)
	if err != nil {
		return nil, err
	}
	return sealBytes(dk.seal, plaintext, bind("heartmark/seal/v1", tenant, kind, id, strconv.Itoa(sealVersion))), nil
}

// Open decrypts what Seal gave. It returns ErrDamaged for altered bytes or another tenant, kind or id, and ErrNotFound
// when the tenant's data key is gone, which no one can undo.
func (s *Service) Open(ctx context.Context, tenant, kind, id string, sealed []byte) ([]byte, error) {
	dk, err := s.dataKey(ctx, tenant, false)
	if err != nil {
		return nil, err
	}
	plain, err := openBytes(dk.seal, sealed, bind("heartmark/seal/v1", tenant, kind, id, strconv.Itoa(sealVersion)))
	if err != nil {
		return nil, fmt.Errorf("open %s %s: %w", kind, id, err)
	}
	return plain, nil
}

// dataKey is an unsealed data key, cut into one key for each use.
type dataKey struct {
	seal    cipher.AEAD // records of other parts
	records cipher.AEAD // key records
	lock    string      // master key of the key manager, base64url
}

func newDataKey(secret []byte) (*dataKey, error) {
	seal, err1 := derive(secret, "seal/v1")
	records, err2 := derive(secret, "key-record/v1")
	lock, err3 := lockKey(secret)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return &dataKey{seal: seal, records: records, lock: lock}, nil
}

func dataKeyID(tenant string) schemas.KeyID { return schemas.KeyID("seal:" + tenant) }

// dataKey returns the tenant's data key, making it if create is set.
func (s *Service) dataKey(ctx context.Context, tenant string, create bool) (*dataKey, error) {
	s.mu.Lock()
	dk := s.data[tenant]
	s.mu.Unlock()
	if dk != nil {
		return dk, nil
	}
	if strings.ContainsRune(tenant, 0) || len(tenant) > 255 {
		return nil, fmt.Errorf("tenant name: %w", ErrUnsupported)
	}
	rec, err := s.store.GetKey(ctx, dataKeyID(tenant))
	if errors.Is(err, ErrNotFound) && create {
		rec, err = s.makeDataKey(ctx, tenant)
	}
	if err != nil {
		return nil, fmt.Errorf("data key of tenant %q: %w", tenant, err)
	}
	if rec.KEK != s.kekID {
		return nil, fmt.Errorf("data key of tenant %q is under key-encryption key %s, the file holds %s: %w",
			tenant, rec.KEK, s.kekID, ErrKEKMismatch)
	}
	secret, err := openBytes(s.wrap, rec.Sealed, recordAAD(rec))
	if err != nil {
		return nil, fmt.Errorf("data key of tenant %q: %w", tenant, err)
	}
	defer clear(secret)
	if dk, err = newDataKey(secret); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.data) >= maxCached {
		clear(s.data)
	}
	s.data[tenant] = dk
	return dk, nil
}

// makeDataKey stores a new data key; when another call was faster, its key is taken.
func (s *Service) makeDataKey(ctx context.Context, tenant string) (Record, error) {
	secret := make([]byte, dataKeySize)
	if _, err := rand.Read(secret); err != nil {
		return Record{}, fmt.Errorf("draw data key: %w", err)
	}
	defer clear(secret)
	now := s.now()
	rec := Record{
		ID: dataKeyID(tenant), Tenant: tenant, Kind: KindSeal, Algorithm: "A256GCM", Status: StatusActive,
		From: now, Until: now.Add(KindSeal.life()), Version: 1, KEK: s.kekID,
	}
	rec.Sealed = sealBytes(s.wrap, secret, recordAAD(rec))
	err := s.store.PutKey(ctx, rec)
	if errors.Is(err, ErrConflict) {
		return s.store.GetKey(ctx, rec.ID)
	}
	return rec, err
}

// recordAAD binds everything a record says, so that no field can be changed without the seal breaking.
func recordAAD(r Record) []byte {
	return bind("heartmark/key-record/v1", string(r.ID), r.Tenant, string(r.Kind), r.Algorithm, r.Status,
		schemas.FormatTime(r.From), schemas.FormatTime(r.Until), r.Reason, r.Public,
		strconv.FormatUint(r.Version, 10), r.KEK, strconv.Itoa(sealVersion))
}

// kekFingerprint names a key-encryption key without telling anything of it.
func kekFingerprint(kek []byte) (string, error) {
	id, err := hkdf.Key(sha256.New, kek, nil, "heartmark/kek-id/v1", 8)
	if err != nil {
		return "", fmt.Errorf("derive fingerprint: %w", err)
	}
	return hex.EncodeToString(id), nil
}
