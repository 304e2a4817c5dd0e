package intake

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"heartmark/assessment"
)

// Vault seals under keys that are made to be destroyed. A ring holds the keys of one subject; a name is one of them. Destroying
// is durable and cannot be undone; destroying what is not there succeeds.
type Vault interface {
	Seal(ctx context.Context, at Place, plaintext []byte) ([]byte, error)
	Open(ctx context.Context, at Place, sealed []byte) ([]byte, error)
	Destroy(ctx context.Context, tenant, ring, name string) error
	DestroyRing(ctx context.Context, tenant, ring string) error
}

// Place says under which key something is sealed, and binds what and which it is.
type Place struct{ Tenant, Ring, Name, Kind, ID string }

// What is sealed under a subject's keys, beside reports and items.
const (
	sealReceipt = "consent_receipt"
	sealPiece   = "evidence_piece"
	sealPart    = "evidence_submission"
)

// Names of keys in a subject's ring.
const (
	keyReceipts = "receipts"
	keyReports  = "reports/"    // and the receipt's id: a withdrawal destroys what rests on that receipt
	keyText     = "submission/" // and the batch's id
)

// Sealer seals reports and items under the key of the subject they are about and opens what it, or the tenant's sealer
// below it, has sealed.
type Sealer struct {
	vault   Vault
	hashKey []byte
	below   assessment.Sealer
}

var _ assessment.SubjectSealer = (*Sealer)(nil)

// NewSealer returns a Sealer. hashKey keys the references that stand for subjects; below seals what is about nobody.
func NewSealer(vault Vault, hashKey []byte, below assessment.Sealer) *Sealer {
	return &Sealer{vault: vault, hashKey: hashKey, below: below}
}

// envelope is the first byte of what lies under a subject's key; the tenant's sealer never writes it.
const envelope = 0x53

// Seal implements assessment.Sealer: under the tenant's key.
func (s *Sealer) Seal(ctx context.Context, tenant, kind, id string, plaintext []byte) ([]byte, error) {
	return s.below.Seal(ctx, tenant, kind, id, plaintext)
}

// Open implements assessment.Sealer.
func (s *Sealer) Open(ctx context.Context, tenant, kind, id string, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != envelope {
		return s.below.Open(ctx, tenant, kind, id, sealed)
	}
	ring, rest, ok := cutText(sealed[1:])
	name, rest, ok2 := cutText(rest)
	if !ok || !ok2 {
		return nil, fmt.Errorf("open %s %s: the envelope is cut short", kind, id)
	}
	return s.vault.Open(ctx, Place{tenant, ring, name, kind, id}, rest)
}

// ForSubject implements assessment.SubjectSealer, for reports that rest on no receipt of ours.
func (s *Sealer) ForSubject(tenant, subject string) (assessment.Sealer, string) {
	ref := s.Ref(tenant, subject)
	return s.Under(ref, ""), ref
}

// Ref is the keyed hash that stands for a subject in the store.
func (s *Sealer) Ref(tenant, subject string) string { return s.hash("subject", tenant, subject) }

// hash is a keyed hash, 128 bits in hex.
func (s *Sealer) hash(parts ...string) string {
	mac := hmac.New(sha256.New, s.hashKey)
	for _, p := range parts {
		_, _ = fmt.Fprintf(mac, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// Under returns the sealer under the key of a subject for what rests on a receipt, "" for none.
func (s *Sealer) Under(ref, consent string) assessment.Sealer {
	return ringSealer{s, ref, keyReports + consent}
}

// ringSealer seals under one key of a ring and says so in front.
type ringSealer struct {
	*Sealer
	ring, name string
}

// Seal implements assessment.Sealer.
func (r ringSealer) Seal(ctx context.Context, tenant, kind, id string, plaintext []byte) ([]byte, error) {
	sealed, err := r.vault.Seal(ctx, Place{tenant, r.ring, r.name, kind, id}, plaintext)
	if err != nil {
		return nil, err
	}
	return append(appendText(appendText([]byte{envelope}, r.ring), r.name), sealed...), nil
}

func appendText(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

func cutText(b []byte) (string, []byte, bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", nil, false
	}
	n := int(b[0])
	return string(b[1 : 1+n]), b[1+n:], true
}
