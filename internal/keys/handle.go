package keys

import (
	"crypto"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"heartmark/schemas"
)

// Handle signs with one key. It stays usable for as long as the key is active; after Retire, Revoke or the end of the
// key's time every call fails with ErrNotActive. Handles may be used by many goroutines at once.
//
// Sign takes the whole message with crypto.Hash(0), for Ed25519 and for ECDSA alike; ECDSA signatures are DER, as
// crypto.Signer has them. The key manager hashes what it signs, so a digest cannot be signed: for ECDSA that is ErrDigest,
// and crypto.SignMessage works for all.
type Handle interface {
	crypto.MessageSigner
	KeyID() schemas.KeyID
	Tenant() string
	Kind() Kind
	// Algorithm is one of Algorithms.
	Algorithm() string
	// VerificationMethod is the DID URL under which the controller's document lists the key, and just the key's id
	// when the service was given no controller.
	VerificationMethod() string
}

// handle is shared by all who ask for the key.
type handle struct {
	id, tenant, alg, method string
	kind                    Kind
	pub                     crypto.PublicKey
	sign                    signFunc
	now                     func() time.Time
	from                    time.Time
	// until is the Unix time in nanoseconds from which the key signs nothing; Retire and Revoke lower it.
	until atomic.Int64
}

var _ Handle = (*handle)(nil)

func (h *handle) Public() crypto.PublicKey   { return h.pub }
func (h *handle) KeyID() schemas.KeyID       { return schemas.KeyID(h.id) }
func (h *handle) Tenant() string             { return h.tenant }
func (h *handle) Kind() Kind                 { return h.kind }
func (h *handle) Algorithm() string          { return h.alg }
func (h *handle) VerificationMethod() string { return h.method }

// String names the key; it never shows more.
func (h *handle) String() string { return "key " + h.id }

// LogValue is String, for structured logs.
func (h *handle) LogValue() slog.Value { return slog.StringValue(h.String()) }

func (h *handle) active() error {
	now := h.now()
	if now.Before(h.from) || now.UnixNano() >= h.until.Load() {
		return fmt.Errorf("key %s: %w", h.id, ErrNotActive)
	}
	return nil
}

// Sign implements crypto.Signer; see Handle. The generator argument is not used: the system's is.
func (h *handle) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts != nil && opts.HashFunc() != crypto.Hash(0) {
		return nil, fmt.Errorf("key %s: %w", h.id, ErrDigest)
	}
	return h.signMessage(message)
}

// SignMessage implements crypto.MessageSigner. The hash in opts must be the one that the algorithm applies itself, or 0.
func (h *handle) SignMessage(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts != nil && opts.HashFunc() != crypto.Hash(0) {
		if own := map[string]crypto.Hash{AlgES256: crypto.SHA256, AlgES384: crypto.SHA384}[h.alg]; opts.HashFunc() != own {
			return nil, fmt.Errorf("key %s with hash %v: %w", h.id, opts.HashFunc(), ErrUnsupported)
		}
	}
	return h.signMessage(message)
}

func (h *handle) signMessage(message []byte) ([]byte, error) {
	if err := h.active(); err != nil {
		return nil, err
	}
	sig, err := h.sign(message)
	if err != nil {
		return nil, fmt.Errorf("sign with key %s: %w", h.id, err)
	}
	return sig, nil
}
