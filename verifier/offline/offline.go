// Package offline verifies without a network, a server or a database: the signed snapshot of a registry (package
// schemas/trust) is its only source of issuers, authorities, keys with their intervals, status lists and schemas. Start at
// Open, then Bundle.Verifier.
//
// What the snapshot does not hold is undetermined, never guessed: an issuer that the registry does not know is not valid, a
// list that is missing or older than the policy allows is undetermined, and a snapshot that has run out, or that was made
// after the instant of the verification, answers nothing about authorities and keys.
package offline

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/internal/proof/dataintegrity"
	jsonldcontext "heartmark/schemas/context"
	"heartmark/schemas/jsonschema"
	"heartmark/schemas/trust"
	"heartmark/verifier"
)

// Errors of Open.
var (
	// ErrTrust says that the DIDs given name no key at hand: whoever calls must name the registry by a did:key or did:jwk.
	ErrTrust = errors.New("no key to check the snapshot with")
	// ErrSnapshot is trust.ErrSnapshot: the file is malformed, changed, or signed by a registry that is not trusted.
	ErrSnapshot = trust.ErrSnapshot
)

// clockSkew is how far a snapshot may seem to come from the future (security.md §3).
const clockSkew = time.Minute

// State says whether a snapshot may be relied on at an instant.
type State string

// The states of a snapshot.
const (
	Current State = "current"
	Expired State = "expired" // it should have been replaced by then
	Ahead   State = "ahead"   // it was made after that instant: the clock is wrong, or the past was asked about
	Absent  State = "absent"  // there is no snapshot
)

// Basis says what a verification rested on and how old it was.
type Basis struct {
	State    State  `json:"state"`
	Registry string `json:"registry,omitempty"`
	Origin   string `json:"origin,omitempty"`
	// SignedBy is the DID URL of the key that signed the snapshot, Format the form it has.
	SignedBy string    `json:"signedBy,omitempty"`
	Format   string    `json:"format,omitempty"`
	Sequence uint64    `json:"sequence,omitempty"`
	Created  time.Time `json:"created,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
	// AgeSeconds is how long before the instant of the verification the snapshot was made.
	AgeSeconds int64 `json:"ageSeconds,omitempty"`
}

// Bundle is an opened snapshot with the clock that it is read by. It may be used by many goroutines at once.
type Bundle struct {
	snapshot *trust.Snapshot // nil: without a snapshot
	resolver *did.Resolver
	now      func() time.Time
}

// Open checks a snapshot, as a registry writes it, with the keys of the DIDs in trusted: did:key or did:jwk, which need no
// network to be looked up. It returns ErrTrust or ErrSnapshot. Empty data gives a bundle without a registry, which can
// check signatures of issuers that are their own keys and calls nothing valid.
func Open(data []byte, trusted []string, now func() time.Time) (*Bundle, error) {
	b := &Bundle{now: now}
	if len(data) > 0 {
		anchors, err := anchorKeys(trusted, now)
		if err != nil {
			return nil, err
		}
		if b.snapshot, err = trust.Open(data, anchors...); err != nil {
			return nil, err
		}
		if err := checkSigner(b.snapshot); err != nil {
			return nil, err
		}
	}
	return b, b.makeResolver()
}

// OpenFile is Open for a file; an empty path gives a bundle without a registry. A file that is named and empty is no
// snapshot, which is not the same as none named. Beside the errors of Open it returns *os.PathError.
func OpenFile(path string, trusted []string, now func() time.Time) (*Bundle, error) {
	if path == "" {
		return Open(nil, trusted, now)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, trust.MaxSnapshot+1)) // one more, so that Open sees that there is too much
	if err == nil && len(data) == 0 {
		err = fmt.Errorf("it is empty: %w", ErrSnapshot)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b, err := Open(data, trusted, now)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// FromSnapshot returns a bundle for a snapshot that the caller has opened with a key it trusts.
func FromSnapshot(s *trust.Snapshot, now func() time.Time) (*Bundle, error) {
	b := &Bundle{snapshot: s, now: now}
	if err := checkSigner(s); err != nil {
		return nil, err
	}
	return b, b.makeResolver()
}

func (b *Bundle) makeResolver() (err error) {
	c := did.Config{Now: b.now}
	if b.snapshot != nil {
		// The origin's own DIDs may be those of a development installation; nothing is fetched, whatever it is.
		c.Local, c.DevOrigins = documents{b.snapshot}, []string{b.snapshot.Origin()}
	}
	b.resolver, err = did.New(c)
	return err
}

// anchorKeys returns the keys that the DIDs stand for by themselves.
func anchorKeys(trusted []string, now func() time.Time) ([]crypto.PublicKey, error) {
	if len(trusted) == 0 {
		return nil, fmt.Errorf("no registry is trusted: %w", ErrTrust)
	}
	resolver, err := did.New(did.Config{Now: now})
	if err != nil {
		return nil, err
	}
	var out []crypto.PublicKey
	for _, id := range trusted {
		document, err := resolver.ResolveOffline(context.Background(), id)
		if errors.Is(err, did.ErrOffline) {
			return nil, fmt.Errorf("%s can be looked up over the network only; name the registry by the did:key of its snapshot key: %w", id, ErrTrust)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w: %w", id, ErrTrust, err)
		}
		for _, m := range document.Methods {
			out = append(out, m.Key)
		}
	}
	return out, nil
}

// checkSigner demands that the key which signed is, by the registry's own statements, its snapshot key, and was when the
// snapshot was made: no other key that happens to be trusted speaks for a registry.
func checkSigner(s *trust.Snapshot) error {
	text, err := keys.Multibase(s.Key())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	for _, k := range s.KeyRecords(s.Registry()) {
		if k.Method == s.KeyID() && k.Kind == trust.KindSnapshot && k.PublicKeyMultibase == text && k.Interval().Covers(s.Created()) {
			return nil
		}
	}
	return fmt.Errorf("%s is not the snapshot key of %s: %w", s.KeyID(), s.Registry(), ErrSnapshot)
}

// Documents answers for the DIDs that the registry serves, for a resolver of the caller's own. It needs a snapshot.
func (b *Bundle) Documents() did.LocalSource { return documents{b.snapshot} }

// Snapshot returns the snapshot, nil where there is none.
func (b *Bundle) Snapshot() *trust.Snapshot { return b.snapshot }

// Basis returns what verifications rest on at this instant.
func (b *Bundle) Basis() Basis {
	s := b.snapshot
	if s == nil {
		return Basis{State: Absent}
	}
	return Basis{
		State: b.state(), Registry: s.Registry(), Origin: s.Origin(), SignedBy: s.KeyID(), Format: trust.Format, Sequence: s.Sequence(),
		Created: s.Created(), Expires: s.Expires(), AgeSeconds: int64(b.now().Sub(s.Created()) / time.Second),
	}
}

func (b *Bundle) state() State {
	switch now := b.now(); {
	case b.snapshot == nil:
		return Absent
	case now.Before(b.snapshot.Created().Add(-clockSkew)):
		return Ahead
	case !now.Before(b.snapshot.Expires()):
		return Expired
	}
	return Current
}

// Verifier returns a verifier on this bundle, with the policies of Policies beside the default one.
func (b *Bundle) Verifier() (*verifier.Verifier, error) {
	c, err := b.Config()
	if err != nil {
		return nil, err
	}
	return verifier.New(c)
}

// Config returns the configuration of Verifier, for those who add a source or replace one. It has no log source.
func (b *Bundle) Config() (verifier.Config, error) {
	loader, err := jsonldcontext.New()
	if err != nil {
		return verifier.Config{}, err
	}
	validator, err := jsonschema.New()
	if err != nil {
		return verifier.Config{}, err
	}
	c := verifier.Config{
		Keys: bundleKeys{b}, Proofs: dataintegrity.New(loader), Contexts: loader, Schemas: validator, Now: b.now, Policies: Policies(),
	}
	if b.snapshot != nil {
		c.Status, c.Authority, c.Intervals = lists{b}, authorities{b}, intervals{b}
		c.Schemas = newPublished(b.snapshot, validator)
		c.ProblemBase = b.snapshot.Origin() + "/problems/"
	}
	return c, nil
}
