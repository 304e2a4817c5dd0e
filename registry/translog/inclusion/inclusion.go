// Package inclusion checks what a transparency log says of itself: signed checkpoints (C2SP tlog-checkpoint), inclusion
// and consistency proofs (RFC 6962, 2.1). It needs the log's public key and nothing else: no log, no network, no store,
// so that an offline verifier can carry it. Start with Verify.
package inclusion

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"heartmark/schemas"

	formats "github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// ErrCheckpoint is returned for a checkpoint that is malformed or not signed with one of the keys asked for.
var ErrCheckpoint = errors.New("log checkpoint is not good")

// ErrProof is returned for a proof that does not lead from the entry to the checkpoint's root, or from one checkpoint to
// the next.
var ErrProof = errors.New("log proof does not hold")

// Limits of what a stranger may hand in.
const (
	maxCheckpoint = 16 << 10
	// maxHashes is the length of the longest proof in a tree of 2^63 entries.
	maxHashes = 64
)

// Checkpoint is what a log commits to: all entries below Size have the root Root.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   []byte
}

// VerifierKey returns the verifier key in note form ("name+hash+key") of a log's Ed25519 key. The name has no space and no
// plus sign (C2SP signed-note).
func VerifierKey(name string, key crypto.PublicKey) (string, error) {
	if name == "" || strings.ContainsFunc(name, unicode.IsSpace) || strings.Contains(name, "+") {
		return "", fmt.Errorf("log name %q has a space or a plus sign, or is empty", name)
	}
	pub, ok := key.(ed25519.PublicKey)
	if !ok {
		return "", fmt.Errorf("log key is %T, need Ed25519", key)
	}
	vkey, err := note.NewEd25519VerifierKey(name, pub)
	if err != nil {
		return "", fmt.Errorf("log verifier key: %w", err)
	}
	return vkey, nil
}

// ParseCheckpoint opens a signed checkpoint. It must carry a good signature of one of the keys, given as verifier keys in
// note form ("name+hash+key"), and its origin must be the name of that key. It returns ErrCheckpoint.
func ParseCheckpoint(signed []byte, keys ...string) (Checkpoint, error) {
	if len(signed) > maxCheckpoint {
		return Checkpoint{}, fmt.Errorf("%d bytes: %w", len(signed), ErrCheckpoint)
	}
	verifiers := make([]note.Verifier, 0, len(keys))
	for _, key := range keys {
		v, err := note.NewVerifier(key)
		if err != nil {
			return Checkpoint{}, fmt.Errorf("log verifier key: %w: %w", err, ErrCheckpoint)
		}
		verifiers = append(verifiers, v)
	}
	n, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", err, ErrCheckpoint)
	}
	var cp formats.Checkpoint
	rest, err := cp.Unmarshal([]byte(n.Text))
	if err != nil || len(rest) != 0 || len(cp.Hash) != sha256.Size {
		return Checkpoint{}, fmt.Errorf("unreadable text: %w", ErrCheckpoint)
	}
	for _, s := range n.Sigs {
		if s.Name == cp.Origin {
			return Checkpoint{Origin: cp.Origin, Size: cp.Size, Root: cp.Hash}, nil
		}
	}
	return Checkpoint{}, fmt.Errorf("origin %q is not the signer's name: %w", cp.Origin, ErrCheckpoint)
}

// Verify reports whether leaf, the bytes of an entry (schemas.LogEntry.Encode), stands in the log at p.Index: nil, or an
// error that wraps ErrCheckpoint or ErrProof. keys are the log's verifier keys, current and retired.
func Verify(leaf []byte, p schemas.LogProof, keys ...string) error {
	cp, err := ParseCheckpoint([]byte(p.Checkpoint), keys...)
	if err != nil {
		return err
	}
	if cp.Size != p.TreeSize || p.Index >= cp.Size {
		return fmt.Errorf("index %d, tree size %d, checkpoint of %d: %w", p.Index, p.TreeSize, cp.Size, ErrProof)
	}
	hashes, err := decodeHashes(p.Proof)
	if err != nil {
		return err
	}
	h := rfc6962.DefaultHasher
	if err := proof.VerifyInclusion(h, p.Index, cp.Size, h.HashLeaf(leaf), hashes, cp.Root); err != nil {
		return fmt.Errorf("%w: %w", err, ErrProof)
	}
	return nil
}

// VerifyConsistency reports whether the log of the newer checkpoint only appended to that of the older one. hashes is the
// consistency proof, standard base64; it is empty where the two have one size, or the older one is empty.
func VerifyConsistency(older, newer []byte, hashes []string, keys ...string) error {
	from, err := ParseCheckpoint(older, keys...)
	if err != nil {
		return fmt.Errorf("older: %w", err)
	}
	to, err := ParseCheckpoint(newer, keys...)
	if err != nil {
		return fmt.Errorf("newer: %w", err)
	}
	if from.Origin != to.Origin {
		return fmt.Errorf("checkpoints of two logs: %w", ErrProof)
	}
	raw, err := decodeHashes(hashes)
	if err != nil {
		return err
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, from.Size, to.Size, raw, from.Root, to.Root); err != nil {
		return fmt.Errorf("%w: %w", err, ErrProof)
	}
	return nil
}

func decodeHashes(in []string) ([][]byte, error) {
	if len(in) > maxHashes {
		return nil, fmt.Errorf("%d hashes: %w", len(in), ErrProof)
	}
	out := make([][]byte, len(in))
	for i, s := range in {
		raw, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || len(raw) != sha256.Size {
			return nil, fmt.Errorf("hash %d is not 32 bytes in base64: %w", i, ErrProof)
		}
		out[i] = raw
	}
	return out, nil
}
