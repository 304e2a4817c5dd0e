package trust

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"heartmark/schemas"
)

const (
	// Format names the form of a snapshot's contents; a reader refuses any other. A new meaning is a new version.
	Format = "heartmark/registry-snapshot/v1"
	// label keeps a snapshot's signature from being one over anything else.
	label = Format + "\n"
	// MaxSnapshot bounds a snapshot in bytes, as it is stored and sent.
	MaxSnapshot = 256 << 20
	// SnapshotLife is how long after it was made a snapshot says that it may be relied on.
	SnapshotLife = 24 * time.Hour
)

// Errors of Open.
var (
	// ErrSnapshot says that a snapshot is malformed, or not signed with a key asked for. Nothing in it may be believed.
	ErrSnapshot = errors.New("registry snapshot is not good")
	// ErrFormat says, beside ErrSnapshot, that a snapshot is well signed and of a form that this program does not read.
	ErrFormat = errors.New("registry snapshot has another form than this program reads")
)

// Contents is all that a snapshot says. Encode it to sign it; Open reads it back.
type Contents struct {
	Format string `json:"format"`
	// Registry is the DID of the registry, Origin its public address.
	Registry string `json:"registry"`
	Origin   string `json:"origin"`
	// Created is when the snapshot was made, Expires when it should be replaced; UTC.
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	// Sequence is the size of the log: a later snapshot has no smaller one.
	Sequence uint64 `json:"sequence"`
	// Authorities and Keys hold every version, so that they answer as of any time. Registries that this one recognises
	// are entities with the action "recognize".
	Authorities []Authority `json:"authorities"`
	Keys        []Key       `json:"keys"`
	// Documents are the DID documents that the registry serves, as text by DID.
	Documents map[string]string `json:"didDocuments"`
	// Artefacts are all that are published; only schemas come with their bytes.
	Artefacts []Artefact `json:"artefacts"`
	// StatusLists are the newest status list credentials, as text by their URL.
	StatusLists map[string]string `json:"statusLists"`
	Log         LogHead           `json:"log"`
}

// LogHead is where the transparency log stands.
type LogHead struct {
	Checkpoint   string   `json:"checkpoint"`   // C2SP tlog-checkpoint, signed
	VerifierKeys []string `json:"verifierKeys"` // of the log, in note form ("name+hash+key")
}

// envelope is a snapshot on the wire. The payload stands as a text, so that the very bytes that were signed are checked
// before anything reads them.
type envelope struct {
	Payload   string            `json:"payload"` // base64url of the JSON of Contents
	Signature envelopeSignature `json:"signature"`
}

type envelopeSignature struct {
	KeyID string `json:"keyId"` // DID URL of the snapshot key
	Value string `json:"value"` // base64url; Ed25519, ES256 or ES384 over label and the payload's bytes
}

// Encode returns the payload of a snapshot and the message that its signature is over.
func (c Contents) Encode() (payload, message []byte, err error) {
	if payload, err = schemas.Marshal(c); err != nil {
		return nil, nil, fmt.Errorf("snapshot: %w", err)
	}
	return payload, append([]byte(label), payload...), nil
}

// Seal joins a payload of Encode with the signature over its message by the key that the DID URL keyID names.
func Seal(payload []byte, keyID string, signature []byte) ([]byte, error) {
	encode := base64.RawURLEncoding.EncodeToString
	sealed, err := schemas.Marshal(envelope{
		Payload: encode(payload), Signature: envelopeSignature{KeyID: keyID, Value: encode(signature)},
	})
	if err == nil && len(sealed) > MaxSnapshot {
		err = fmt.Errorf("snapshot of %d bytes, %d are allowed", len(sealed), MaxSnapshot)
	}
	return sealed, err
}

// Snapshot is a registry as it was exported: it answers what the registry answers, without a store or a network. What it
// says of "now" is no newer than Created. It may be used by many goroutines at once.
type Snapshot struct {
	contents    Contents
	keyID       string
	key         crypto.PublicKey
	authorities map[string][]Authority // by entity
	resources   map[string]bool        // that some authority names
	keys        map[string][]Key       // by DID
}

// Open checks the signature over a snapshot with any of the keys, which the caller trusts from elsewhere, before it reads
// what was signed. Only the one form that Encode and Seal write is read: unknown members, members that stand twice, other
// spellings and anything behind the value are refused. It returns ErrSnapshot. Look at Created and Expires before relying
// on an answer.
func Open(data []byte, keys ...crypto.PublicKey) (*Snapshot, error) {
	e, payload, signature, err := openEnvelope(data)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{
		keyID: e.Signature.KeyID, authorities: map[string][]Authority{}, resources: map[string]bool{}, keys: map[string][]Key{},
	}
	message := append([]byte(label), payload...)
	for _, key := range keys {
		if VerifySignature(key, message, signature) {
			s.key = key
			break
		}
	}
	if s.key == nil {
		return nil, fmt.Errorf("not signed with a key asked for: %w", ErrSnapshot)
	}
	if err := s.read(payload); err != nil {
		return nil, err
	}
	for _, a := range s.contents.Authorities {
		s.authorities[a.Entity] = append(s.authorities[a.Entity], a)
		s.resources[a.Resource] = true
	}
	for _, k := range s.contents.Keys {
		s.keys[k.DID] = append(s.keys[k.DID], k)
	}
	return s, nil
}

func openEnvelope(data []byte) (e envelope, payload, signature []byte, err error) {
	if len(data) > MaxSnapshot {
		return e, nil, nil, fmt.Errorf("%d bytes: %w", len(data), ErrSnapshot)
	}
	// A file may have a newline at its end; nothing else is allowed around the one spelling.
	data = bytes.TrimSuffix(data, []byte("\n"))
	if err := decodeExactly(data, &e); err != nil {
		return e, nil, nil, fmt.Errorf("envelope: %w", err)
	}
	if payload, err = base64.RawURLEncoding.Strict().DecodeString(e.Payload); err != nil {
		return e, nil, nil, fmt.Errorf("payload: %w: %w", ErrSnapshot, err)
	}
	if signature, err = base64.RawURLEncoding.Strict().DecodeString(e.Signature.Value); err != nil {
		return e, nil, nil, fmt.Errorf("signature: %w: %w", ErrSnapshot, err)
	}
	return e, payload, signature, nil
}

// read takes in a payload whose signature is good.
func (s *Snapshot) read(payload []byte) error {
	var head struct {
		Format string `json:"format"`
	}
	if err := json.Unmarshal(payload, &head); err != nil {
		return fmt.Errorf("payload: %w: %w", ErrSnapshot, err)
	}
	if head.Format != Format {
		return fmt.Errorf("form %q, this program reads %q: %w: %w", head.Format, Format, ErrSnapshot, ErrFormat)
	}
	if err := decodeExactly(payload, &s.contents); err != nil {
		return fmt.Errorf("payload: %w", err)
	}
	c := s.contents
	if c.Registry == "" || c.Origin == "" || c.Created.IsZero() || !c.Expires.After(c.Created) {
		return fmt.Errorf("payload without registry, origin or a life: %w", ErrSnapshot)
	}
	return nil
}

// decodeExactly decodes into v and demands that v encodes back to the very same bytes: what was not understood, stood
// twice or was spelt otherwise does not come back.
func decodeExactly[T any](data []byte, v *T) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	again, err := schemas.Marshal(*v)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if !bytes.Equal(again, data) {
		return fmt.Errorf("not in the form that registries write: %w", ErrSnapshot)
	}
	return nil
}

// Contents returns all that the snapshot says. It is shared: do not change it.
func (s *Snapshot) Contents() Contents { return s.contents }

// Registry returns the DID of the registry that made the snapshot.
func (s *Snapshot) Registry() string { return s.contents.Registry }

// Origin returns that registry's public origin.
func (s *Snapshot) Origin() string { return s.contents.Origin }

// KeyID names the key that signed, as the envelope says; Key is the key whose signature was found good.
func (s *Snapshot) KeyID() string { return s.keyID }

// Key returns the key, of those given to Open, that signed the snapshot.
func (s *Snapshot) Key() crypto.PublicKey { return s.key }

// Created is when the snapshot was made.
func (s *Snapshot) Created() time.Time { return s.contents.Created }

// Expires is when the snapshot should be replaced.
func (s *Snapshot) Expires() time.Time { return s.contents.Expires }

// Sequence rises from snapshot to snapshot; one who has seen a number refuses lower ones.
func (s *Snapshot) Sequence() uint64 { return s.contents.Sequence }

// Checkpoint returns the log's checkpoint and the log's verifier keys in note form.
func (s *Snapshot) Checkpoint() (checkpoint string, verifierKeys []string) {
	return s.contents.Log.Checkpoint, s.contents.Log.VerifierKeys
}

// Authority answers as the registry does, with Created for now.
func (s *Snapshot) Authority(q AuthorityQuery) AuthorityAnswer {
	records := func(entity string) ([]Authority, error) { return s.authorities[entity], nil }
	a, err := Decide(s.contents.Registry, records, q, s.contents.Created)
	if err != nil {
		panic("trust: records of a snapshot are at hand") // they are in memory
	}
	a.KnownResource = s.resources[q.Resource]
	return a
}

// KeyRecords returns the newest version of each key of a DID, in the order in which the keys begin.
func (s *Snapshot) KeyRecords(id string) []Key { return CurrentKeys(s.keys[id]) }

// KeyIntervals returns the intervals of a DID's keys that hold at the time, or all for the zero time.
func (s *Snapshot) KeyIntervals(id string, at time.Time) []KeyInterval {
	var out []KeyInterval
	for _, k := range s.KeyRecords(id) {
		if i := k.Interval(); i.Covers(at) {
			out = append(out, i)
		}
	}
	return out
}

// DIDDocument returns the document of a DID that the registry serves, and false for others.
func (s *Snapshot) DIDDocument(id string) ([]byte, bool) {
	text, ok := s.contents.Documents[id]
	return []byte(text), ok
}

// StatusList returns the list credential at a URL, and false where the snapshot has none.
func (s *Snapshot) StatusList(url string) ([]byte, bool) {
	text, ok := s.contents.StatusLists[url]
	return []byte(text), ok
}

// Artefacts returns what is published; only schemas have their bytes.
func (s *Snapshot) Artefacts() []Artefact { return append([]Artefact(nil), s.contents.Artefacts...) }
