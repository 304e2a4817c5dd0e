package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/schemas"
	"heartmark/schemas/trust"
)

// The statements about keys are those of package trust, which off-line readers share.
type (
	// Key is one version of the statement about a key.
	Key = trust.Key
	// KeyInterval is the time in which a key could sign for its DID.
	KeyInterval = trust.KeyInterval
)

// Status of a key.
const (
	KeyActive  = trust.KeyActive
	KeyRetired = trust.KeyRetired
	KeyRevoked = trust.KeyRevoked
)

// Kinds of keys that the registry records. They are never shared.
const (
	KindCredential = trust.KindCredential
	KindStatusList = trust.KindStatusList
	KindRequest    = trust.KindRequest
	KindMetadata   = trust.KindMetadata
	KindStatement  = trust.KindStatement
	KindSnapshot   = trust.KindSnapshot
	KindLog        = trust.KindLog
)

// NewKey asks for a key to be recorded.
type NewKey struct {
	DID                string
	Method             string
	Kind               string
	PublicKeyMultibase string
	From               time.Time
	Until              time.Time // zero: no planned end
}

// RegisterKey records a key of this installation or of one of its tenants. Recording the same key again changes nothing;
// another key under the same method is ErrConflict.
func (r *Registry) RegisterKey(ctx context.Context, actor Actor, k NewKey) error {
	if err := actor.must(RoleSystem, RoleOperator); err != nil {
		return err
	}
	if err := r.checkKey(k); err != nil {
		return err
	}
	existing, err := r.c.Store.Keys(ctx, k.DID)
	if err != nil {
		return err
	}
	// Proofs state whole seconds: one made in this very second must not lie before the key.
	from, until := k.From.UTC().Truncate(time.Second), k.Until.UTC().Truncate(time.Second)
	for _, old := range existing {
		if old.Method != k.Method {
			continue
		}
		if old.PublicKeyMultibase != k.PublicKeyMultibase || old.Kind != k.Kind || !old.From.Equal(from) {
			return fmt.Errorf("key %s: %w", k.Method, ErrConflict)
		}
		return nil
	}
	now := r.now()
	next := Key{
		DID: k.DID, Method: k.Method, Version: 1, Kind: k.Kind, PublicKeyMultibase: k.PublicKeyMultibase,
		From: from, Until: until, Status: KeyActive, Since: from, Recorded: now,
	}
	return r.recordKey(ctx, actor, next)
}

func (r *Registry) checkKey(k NewKey) error {
	if !r.hosts(k.DID) {
		return invalid("/did", "the DID of this installation or of one of its tenants")
	}
	owner, fragment, err := did.SplitURL(k.Method)
	if err != nil || owner != k.DID || fragment == "" {
		return invalid("/method", "a DID URL of the same DID with a fragment")
	}
	if !slices.Contains([]string{KindCredential, KindStatusList, KindRequest, KindMetadata, KindStatement, KindSnapshot, KindLog}, k.Kind) {
		return invalid("/kind", "a kind of key that is published")
	}
	if _, err := keys.ParseMultibase(k.PublicKeyMultibase); err != nil {
		return invalid("/publicKeyMultibase", "a Multikey of Ed25519, P-256 or P-384")
	}
	if k.From.IsZero() || !k.Until.IsZero() && !k.Until.After(k.From) {
		return invalid("/from", "a time before until")
	}
	return nil
}

// hosts reports whether a DID's document is served here.
func (r *Registry) hosts(id string) bool {
	tenant, ok := strings.CutPrefix(id, r.did+":")
	return id == r.did || ok && tenant != "" && !strings.Contains(tenant, ":") && did.FromOrigin(r.c.Origin, tenant) == id
}

func (r *Registry) recordKey(ctx context.Context, actor Actor, k Key) error {
	p, err := keyEntry(k)
	if err != nil {
		return err
	}
	k.Leaf = p.Leaf
	return r.record(ctx, actor, AuditKey, k.Method, Change{Keys: []Key{k}, Pending: []Pending{p}})
}

// keyEntry is what the log says of a version.
func keyEntry(k Key) (Pending, error) {
	k.Leaf = ""
	return entry(schemas.LogKey, k.Method, k, k.Recorded)
}

// RetireKey records that a key signs nothing from at on (zero: now). What it signed before stands, and the key stays in
// the DID document, so that it can be verified.
func (r *Registry) RetireKey(ctx context.Context, actor Actor, method string, at time.Time) error {
	return r.endKey(ctx, actor, method, KeyRetired, at, "")
}

// RevokeKey records that a key is not trustworthy from at on (zero: now), which may lie in the past. It leaves the
// document's assertionMethod at once. Nothing undoes it; a second call may only move the time to an earlier one.
func (r *Registry) RevokeKey(ctx context.Context, actor Actor, method string, at time.Time, reason string) error {
	return r.endKey(ctx, actor, method, KeyRevoked, at, reason)
}

func (r *Registry) endKey(ctx context.Context, actor Actor, method, status string, at time.Time, reason string) error {
	if err := actor.must(RoleSystem, RoleOperator); err != nil {
		return err
	}
	if err := checkReason(reason); err != nil {
		return err
	}
	owner, _, err := did.SplitURL(method)
	if err != nil {
		return invalid("/method", "a DID URL")
	}
	for try := 0; ; try++ {
		last, err := r.lastKey(ctx, owner, method)
		if err != nil {
			return err
		}
		if last.Status == KeyRevoked && status != KeyRevoked {
			return fmt.Errorf("key %s is revoked: %w", method, ErrFinal)
		}
		// A later finding may move a revocation to an earlier time, never to a later one.
		earlier := status == KeyRevoked && !at.IsZero() && last.Since.After(last.From) && at.UTC().Truncate(time.Millisecond).Before(last.Since)
		if last.Status == status && !earlier {
			return nil
		}
		now := r.now()
		next := last
		if last.Status == KeyRetired && (next.Until.IsZero() || last.Since.Before(next.Until)) {
			next.Until = last.Since // a revocation does not reopen the time after the key's retirement
		}
		next.Version++
		next.Status, next.Reason, next.Recorded, next.Since = status, reason, now, now
		if !at.IsZero() {
			next.Since = at.UTC().Truncate(time.Millisecond)
		}
		if next.Since.Before(last.From) {
			next.Since = last.From
		}
		err = r.recordKey(ctx, actor, next)
		if errors.Is(err, ErrStale) && try < maxStale {
			continue
		}
		return err
	}
}

func (r *Registry) lastKey(ctx context.Context, owner, method string) (Key, error) {
	all, err := r.c.Store.Keys(ctx, owner)
	if err != nil {
		return Key{}, err
	}
	for _, k := range trust.CurrentKeys(all) {
		if k.Method == method {
			return k, nil
		}
	}
	return Key{}, fmt.Errorf("key %s: %w", method, ErrNotFound)
}

// KeyIntervals returns the intervals of a DID's keys that hold at the time, or all for the zero time, in the order in
// which they begin. A revoked key is among them with Revoked set, up to then. No interval at all is an answer.
func (r *Registry) KeyIntervals(ctx context.Context, id string, at time.Time) ([]KeyInterval, error) {
	all, err := r.c.Store.Keys(ctx, id)
	if err != nil {
		return nil, err
	}
	current := trust.CurrentKeys(all)
	leaves := make([]string, len(current))
	for n, k := range current {
		leaves[n] = k.Leaf
	}
	logged, err := r.c.Store.Logged(ctx, leaves)
	if err != nil {
		return nil, err
	}
	var out []KeyInterval
	for _, k := range current {
		i := k.Interval()
		if !i.Covers(at) {
			continue
		}
		if index, ok := logged[k.Leaf]; ok {
			i.LogIndex = &index
		}
		out = append(out, i)
	}
	return out, nil
}
