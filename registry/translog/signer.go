package translog

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"heartmark/registry/translog/inclusion"

	"golang.org/x/mod/sumdb/note"
)

// algEd25519 is the algorithm byte of Ed25519 in a note's key (C2SP signed-note).
const algEd25519 = 1

// noteSigner signs notes with a crypto.Signer, so that the private key stays where it is kept.
type noteSigner struct {
	name   string
	hash   uint32
	signer crypto.Signer
}

var _ note.Signer = (*noteSigner)(nil)

// newSigner returns a note signer for an Ed25519 key under the log's name, and the verifier key in note form, which
// whoever checks the log needs.
func newSigner(name string, signer crypto.Signer) (note.Signer, string, error) {
	if signer == nil {
		return nil, "", errors.New("log needs a signer")
	}
	vkey, err := inclusion.VerifierKey(name, signer.Public())
	if err != nil {
		return nil, "", err
	}
	pub, _ := signer.Public().(ed25519.PublicKey)
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write([]byte{algEd25519})
	h.Write(pub)
	return &noteSigner{name: name, hash: binary.BigEndian.Uint32(h.Sum(nil)), signer: signer}, vkey, nil
}

func (s *noteSigner) Name() string    { return s.name }
func (s *noteSigner) KeyHash() uint32 { return s.hash }

func (s *noteSigner) Sign(msg []byte) ([]byte, error) {
	// Ed25519 takes the message itself.
	return s.signer.Sign(nil, msg, crypto.Hash(0))
}
