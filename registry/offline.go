package registry

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// maxSnapshot bounds a snapshot in bytes.
const maxSnapshot = 256 << 20

// Snapshot is a registry as it was exported: it answers what Registry answers, without a store or a network. What it says
// of "now" is no newer than Created.
type Snapshot struct {
	body        snapshotBody
	keyID       string
	authorities map[string][]Authority
	keys        map[string][]Key
}

// OpenSnapshot checks the signature over a snapshot with any of the keys, which the caller trusts from elsewhere, before
// it reads what was signed. It returns ErrSnapshot. Look at Expires before relying on an answer.
func OpenSnapshot(data []byte, keys ...crypto.PublicKey) (*Snapshot, error) {
	if len(data) > maxSnapshot {
		return nil, fmt.Errorf("%d bytes: %w", len(data), ErrSnapshot)
	}
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("envelope: %w: %w", ErrSnapshot, err)
	}
	payload, err := base64.RawURLEncoding.Strict().DecodeString(e.Payload)
	if err != nil {
		return nil, fmt.Errorf("payload: %w: %w", ErrSnapshot, err)
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(e.Signature.Value)
	if err != nil {
		return nil, fmt.Errorf("signature: %w: %w", ErrSnapshot, err)
	}
	good := false
	for _, key := range keys {
		good = good || verifySignature(key, append([]byte(snapshotLabel), payload...), signature)
	}
	if !good {
		return nil, fmt.Errorf("not signed with a key asked for: %w", ErrSnapshot)
	}
	s := &Snapshot{keyID: e.Signature.KeyID, authorities: map[string][]Authority{}, keys: map[string][]Key{}}
	if err := json.Unmarshal(payload, &s.body); err != nil || s.body.Format != snapshotFormat {
		return nil, fmt.Errorf("payload has format %q: %w", s.body.Format, ErrSnapshot)
	}
	for _, a := range s.body.Authorities {
		s.authorities[a.Entity] = append(s.authorities[a.Entity], a)
	}
	for _, k := range s.body.Keys {
		s.keys[k.DID] = append(s.keys[k.DID], k)
	}
	return s, nil
}

// Registry returns the DID of the registry that made the snapshot.
func (s *Snapshot) Registry() string { return s.body.Registry }

// Origin returns that registry's public origin.
func (s *Snapshot) Origin() string { return s.body.Origin }

// KeyID names the key that signed.
func (s *Snapshot) KeyID() string { return s.keyID }

// Created is when the snapshot was made, Expires when it should be replaced.
func (s *Snapshot) Created() time.Time { return s.body.Created }

// Expires is when the snapshot should be replaced.
func (s *Snapshot) Expires() time.Time { return s.body.Expires }

// Sequence rises from snapshot to snapshot; one who has seen a number refuses lower ones.
func (s *Snapshot) Sequence() uint64 { return s.body.Sequence }

// Checkpoint returns the log's checkpoint and the log's verifier keys in note form.
func (s *Snapshot) Checkpoint() (checkpoint string, verifierKeys []string) {
	return s.body.Log.Checkpoint, s.body.Log.VerifierKeys
}

// Authority answers as Registry.Authority does, with Created for now.
func (s *Snapshot) Authority(q AuthorityQuery) AuthorityAnswer {
	if q.Authority == "" {
		q.Authority = s.body.Registry
	}
	a := decide(s.authorities[q.Entity], q, s.body.Created)
	a.KnownAuthority = a.KnownAuthority || q.Authority == s.body.Registry
	for _, rec := range s.body.Authorities {
		a.KnownResource = a.KnownResource || rec.Resource == q.Resource
	}
	return a
}

// KeyIntervals answers as Registry.KeyIntervals does.
func (s *Snapshot) KeyIntervals(id string, at time.Time) []KeyInterval {
	var out []KeyInterval
	for _, k := range currentKeys(s.keys[id]) {
		if i := k.interval(); i.covers(at) {
			out = append(out, i)
		}
	}
	return out
}

// DIDDocument returns the document of a DID that the registry serves, and false for others.
func (s *Snapshot) DIDDocument(id string) ([]byte, bool) {
	text, ok := s.body.Documents[id]
	return []byte(text), ok
}

// StatusList returns the list credential at a URL, and false where the snapshot has none.
func (s *Snapshot) StatusList(url string) ([]byte, bool) {
	text, ok := s.body.StatusLists[url]
	return []byte(text), ok
}

// Artefacts returns what is published, without bytes.
func (s *Snapshot) Artefacts() []Artefact { return append([]Artefact(nil), s.body.Artefacts...) }
