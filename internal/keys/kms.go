package keys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"github.com/hyperledger/aries-framework-go/pkg/crypto/tinkcrypto"
	"github.com/hyperledger/aries-framework-go/pkg/kms"
	"github.com/hyperledger/aries-framework-go/pkg/kms/localkms"
	"github.com/hyperledger/aries-framework-go/pkg/secretlock"
	"github.com/hyperledger/aries-framework-go/pkg/secretlock/local"
)

// The Aries key manager makes and unseals key sets; it sees a store of one entry, which is the inner part of our record.

// keyURI names the lock inside the key manager; local locks ignore it.
const keyURI = "local-lock://heartmark"

// lockKey derives the key manager's master key. It is handed over in base64url always: given raw, 32 bytes that happen to
// be base64url letters would be taken for 24 bytes of key.
func lockKey(secret []byte) (string, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "heartmark/key-manager/v1", 32)
	if err != nil {
		return "", fmt.Errorf("derive key: %w", err)
	}
	defer clear(key)
	return base64.URLEncoding.EncodeToString(key), nil
}

// manager is a key manager over one entry.
type manager struct {
	kms  *localkms.LocalKMS
	cell *cell
}

// cell is the one-entry store that the key manager writes to and reads from.
type cell struct {
	mu   sync.Mutex // guards id and data
	id   string
	data []byte
}

var _ kms.Store = (*cell)(nil)

func (c *cell) Put(id string, key []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id, c.data = id, append([]byte(nil), key...)
	return nil
}

func (c *cell) Get(id string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.data == nil || id != c.id {
		return nil, fmt.Errorf("key set %s: %w", id, kms.ErrKeyNotFound)
	}
	return append([]byte(nil), c.data...), nil
}

func (c *cell) Delete(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id == c.id {
		c.id, c.data = "", nil
	}
	return nil
}

// provider hands the key manager its store and its lock.
type provider struct {
	cell *cell
	lock secretlock.Service
}

func (p provider) StorageProvider() kms.Store { return p.cell }

func (p provider) SecretLock() secretlock.Service { return p.lock }

func newManager(dk *dataKey, c *cell) (*manager, error) {
	lock, err := local.NewService(strings.NewReader(dk.lock), nil)
	if err != nil {
		return nil, fmt.Errorf("open key manager's lock: %w", err)
	}
	m, err := localkms.New(keyURI, provider{cell: c, lock: lock})
	if err != nil {
		return nil, fmt.Errorf("open key manager: %w", err)
	}
	return &manager{kms: m, cell: c}, nil
}

// keyType maps an algorithm to the key manager's type. For ECDSA it is the type whose signatures are DER, as crypto.Signer
// has them, and whose hash is that of the curve.
func keyType(alg string) (kms.KeyType, error) {
	switch alg {
	case AlgEdDSA:
		return kms.ED25519Type, nil
	case AlgES256:
		return kms.ECDSAP256TypeDER, nil
	case AlgES384:
		return kms.ECDSAP384TypeDER, nil
	}
	return "", fmt.Errorf("algorithm %q: %w", alg, ErrUnsupported)
}

// create makes a key and returns its id (the thumbprint of the public key), the sealed key set and the public key.
func create(dk *dataKey, alg string) (id string, keySet []byte, pub crypto.PublicKey, err error) {
	kt, err := keyType(alg)
	if err != nil {
		return "", nil, nil, err
	}
	m, err := newManager(dk, &cell{})
	if err != nil {
		return "", nil, nil, err
	}
	id, raw, err := m.kms.CreateAndExportPubKeyBytes(kt)
	if err != nil {
		return "", nil, nil, fmt.Errorf("make key: %w", err)
	}
	keySet, err = m.cell.Get(id)
	if err != nil {
		return "", nil, nil, fmt.Errorf("make key: %w", err)
	}
	pub, err = importPublic(alg, raw)
	return id, keySet, pub, err
}

func importPublic(alg string, raw []byte) (crypto.PublicKey, error) {
	switch alg {
	case AlgEdDSA:
		if len(raw) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("public key of %d bytes: %w", len(raw), ErrBadKey)
		}
		return ed25519.PublicKey(raw), nil
	case AlgES256, AlgES384:
		pub, err := x509.ParsePKIXPublicKey(raw)
		if err != nil {
			return nil, fmt.Errorf("public key: %w: %w", ErrBadKey, err)
		}
		if got, err := AlgorithmOf(pub); err != nil || got != alg {
			return nil, fmt.Errorf("public key made for %s is one for %q: %w", alg, got, ErrBadKey)
		}
		return pub, nil
	}
	return nil, fmt.Errorf("algorithm %q: %w", alg, ErrUnsupported)
}

// signFunc signs a whole message.
type signFunc func(message []byte) ([]byte, error)

// load unseals a key set and returns what signs with it.
func load(dk *dataKey, id string, keySet []byte) (signFunc, error) {
	m, err := newManager(dk, &cell{id: id, data: keySet})
	if err != nil {
		return nil, err
	}
	handle, err := m.kms.Get(id)
	if err != nil {
		return nil, fmt.Errorf("unseal key set: %w: %w", ErrDamaged, err)
	}
	signer, err := tinkcrypto.New()
	if err != nil {
		return nil, fmt.Errorf("open signer: %w", err)
	}
	return func(message []byte) ([]byte, error) { return signer.Sign(message, handle) }, nil
}
