package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"heartmark/internal/statuslist"
	"heartmark/schemas"
)

const (
	defaultPublishEvery = 5 * time.Second
	maxPublishEvery     = time.Minute
	// listValidity and listTTL are what a list says of itself; republishBefore is when an unchanged list is signed anew.
	listValidity    = 24 * time.Hour
	republishBefore = 6 * time.Hour
	listTTL         = "300000" // milliseconds
	// historyFor is how far back the list of an earlier time is answered.
	historyFor = 400 * 24 * time.Hour
)

// TypeStatusList is the type of a list, a credential of its own.
const TypeStatusList = "BitstringStatusListCredential"

type listKey struct {
	group   schemas.ListGroup
	purpose string
}

// StatusList returns a status list credential and its version: the newest for the zero time, else the one that stood at
// the time (Bitstring Status List 1.0, 3.2 timestamp). The newest is made on the way if the bits changed and the publish
// delay has passed. It returns ErrNotFound for a list, or a time, that there is nothing for, and ErrUnavailable where the
// list ran out and no new one could be made.
func (r *Registry) StatusList(
	ctx context.Context, group schemas.ListGroup, purpose string, at time.Time,
) (document []byte, version uint64, err error) {
	now := r.now()
	if !at.IsZero() && at.Before(now) {
		return r.pastList(ctx, group, purpose, at.UTC(), now)
	}
	key := listKey{group, purpose}
	publishErr := r.refresh(ctx, key, now)
	v, err := r.c.Store.ListVersion(ctx, group, purpose, time.Time{})
	if errors.Is(err, ErrNotFound) {
		// A new list has no older version to give meanwhile: its first reader waits for whoever publishes.
		if err := r.publishOne(ctx, key); err != nil {
			return nil, 0, err
		}
		v, err = r.c.Store.ListVersion(ctx, group, purpose, time.Time{})
	}
	if err != nil {
		return nil, 0, err
	}
	if !now.Before(v.ValidUntil) {
		return nil, 0, errors.Join(fmt.Errorf("list %s/%s ran out: %w", group, purpose, ErrUnavailable), publishErr)
	}
	return v.Document, v.Version, nil
}

func (r *Registry) pastList(ctx context.Context, group schemas.ListGroup, purpose string, at, now time.Time) ([]byte, uint64, error) {
	if at.Before(now.Add(-historyFor)) {
		return nil, 0, fmt.Errorf("list before the kept history: %w", ErrNotFound)
	}
	v, err := r.c.Store.ListVersion(ctx, group, purpose, at)
	if err != nil {
		return nil, 0, err
	}
	if !at.Before(v.ValidUntil) {
		return nil, 0, fmt.Errorf("no list was valid then: %w", ErrNotFound)
	}
	return v.Document, v.Version, nil
}

// refresh publishes one list if it is due. A reader does not wait for another's publication.
func (r *Registry) refresh(ctx context.Context, key listKey, now time.Time) error {
	if !r.due(key, now) || !r.publishing.TryLock() {
		return nil
	}
	defer r.publishing.Unlock()
	return r.publishKey(ctx, key)
}

// publishOne publishes one list if there is need, after whoever publishes now.
func (r *Registry) publishOne(ctx context.Context, key listKey) error {
	r.publishing.Lock()
	defer r.publishing.Unlock()
	return r.publishKey(ctx, key)
}

// publishKey publishes the list of that key if there is need, with publishing held.
func (r *Registry) publishKey(ctx context.Context, key listKey) error {
	groups, err := r.c.Lists.Groups(ctx)
	if err != nil {
		return fmt.Errorf("status list groups: %w", err)
	}
	for _, l := range groups {
		if l.Group == key.group && slices.Contains(l.published(), key.purpose) {
			return r.publishList(ctx, l, key.purpose)
		}
	}
	return fmt.Errorf("list %s/%s: %w", key.group, key.purpose, ErrNotFound)
}

// due reports whether the publish delay has passed since the list was last looked at.
func (r *Registry) due(key listKey, now time.Time) bool {
	r.watch.Lock()
	defer r.watch.Unlock()
	last, ok := r.seen[key]
	// A clock that went back must not stop publication.
	return !ok || now.Sub(last) >= r.c.PublishEvery || now.Before(last)
}

func (r *Registry) looked(key listKey, at time.Time) {
	r.watch.Lock()
	defer r.watch.Unlock()
	r.seen[key] = at
}

// Publish makes the next version of every list whose bits changed or whose validity nears its end, now, and sends the
// outbox. Lists that cannot be published do not hold up the others; their errors are joined.
func (r *Registry) Publish(ctx context.Context) error {
	return errors.Join(r.publish(ctx, true), r.DrainOutbox(ctx))
}

// ListsChanged tells that the bits of the groups changed. Run publishes them at once, or when the publish delay has passed
// since their last version. It returns without waiting.
func (r *Registry) ListsChanged(_ context.Context, groups []schemas.ListGroup) error {
	now := r.now()
	r.watch.Lock()
	for key := range r.seen {
		if made := r.made[key]; slices.Contains(groups, key.group) && (now.Sub(made) >= r.c.PublishEvery || now.Before(made)) {
			delete(r.seen, key)
		}
	}
	r.watch.Unlock()
	r.wakeUp()
	return nil
}

// publish looks at all lists, or at those whose delay has passed.
func (r *Registry) publish(ctx context.Context, force bool) error {
	r.publishing.Lock()
	defer r.publishing.Unlock()
	groups, err := r.c.Lists.Groups(ctx)
	if err != nil {
		return fmt.Errorf("status list groups: %w", err)
	}
	var faults []error
	for _, l := range groups {
		for _, purpose := range l.published() {
			if !force && !r.due(listKey{l.Group, purpose}, r.now()) {
				continue
			}
			if err := r.publishList(ctx, l, purpose); err != nil {
				faults = append(faults, fmt.Errorf("list %s/%s: %w", l.Group, purpose, err))
			}
		}
	}
	return errors.Join(faults...)
}

// publishList makes the next version of a list if there is need, with publishing held.
func (r *Registry) publishList(ctx context.Context, l List, purpose string) error {
	for try := 0; ; try++ {
		err := r.nextList(ctx, l, purpose)
		// Another process published: compare with what it made.
		if errors.Is(err, ErrStale) && try < maxStale {
			continue
		}
		return err
	}
}

func (r *Registry) nextList(ctx context.Context, l List, purpose string) error {
	now := r.now()
	r.c.Crash("list.before_build")
	last, err := r.c.Store.ListVersion(ctx, l.Group, purpose, time.Time{})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	sourceVersion, raw, size, err := r.listState(ctx, l, purpose)
	if err != nil {
		return fmt.Errorf("bits: %w", err)
	}
	r.looked(listKey{l.Group, purpose}, now)
	if last.Version > 0 && sourceVersion == last.SourceVersion && now.Before(last.ValidUntil.Add(-republishBefore)) {
		return nil
	}
	next := ListVersion{
		Group: l.Group, Purpose: purpose, Version: last.Version + 1, SourceVersion: sourceVersion, ValidFrom: now.Truncate(time.Second),
	}
	// Readers order versions by validFrom, so it rises even within one second and when the clock goes back.
	if !next.ValidFrom.After(last.ValidFrom) {
		next.ValidFrom = last.ValidFrom.Add(step(purpose))
	}
	next.ValidUntil = next.ValidFrom.Truncate(time.Second).Add(listValidity)
	if next.Document, err = r.makeList(ctx, l, last, next, raw, size); err != nil {
		return err
	}
	next.SHA256 = sha256Hex(next.Document)
	return r.storeList(ctx, next)
}

// checkForward refuses bits that are behind what was published. A revocation is never taken back (only the index of a
// suspension may be cleared), whatever the source says.
func checkForward(last ListVersion, sourceVersion uint64, bits statuslist.Bits, purpose string) error {
	if err := bits.CheckLength(); err != nil {
		return err
	}
	if last.Version == 0 {
		return nil
	}
	if sourceVersion < last.SourceVersion {
		return fmt.Errorf("bits have version %d, version %d was published: %w", sourceVersion, last.SourceVersion, ErrRollback)
	}
	if purpose != schemas.PurposeRevocation {
		return nil
	}
	published, err := publishedBits(last.Document)
	if err != nil {
		return fmt.Errorf("published list: %w", err)
	}
	now, before := bits.Bytes(), published.Bytes()
	if len(now) < len(before) {
		return fmt.Errorf("list became shorter: %w", ErrRollback)
	}
	for i, b := range before {
		if b&^now[i] != 0 {
			return fmt.Errorf("a revocation would be taken back: %w", ErrRollback)
		}
	}
	return nil
}

func publishedBits(document []byte) (statuslist.Bits, error) {
	doc, err := schemas.ParseObject(document)
	if err != nil {
		return statuslist.Bits{}, err
	}
	subject, _ := doc["credentialSubject"].(map[string]any)
	encoded, _ := subject["encodedList"].(string)
	return statuslist.Decode(encoded, 0)
}

// signList builds the credential (Bitstring Status List 1.0, 2.2) and secures it with the issuer's list key.
func (r *Registry) signList(ctx context.Context, l List, v ListVersion, bits statuslist.Bits) ([]byte, error) {
	encoded, err := bits.Encode()
	if err != nil {
		return nil, err
	}
	url := r.ListURL(v.Group, v.Purpose)
	doc := map[string]any{
		"@context":   []any{schemas.ContextV2},
		"id":         url,
		"type":       []any{schemas.TypeVerifiableCredential, TypeStatusList},
		"issuer":     l.Issuer,
		"validFrom":  formatMilli(v.ValidFrom),
		"validUntil": schemas.FormatTime(v.ValidUntil),
		"credentialSubject": map[string]any{
			"id": url + "#list", "type": "BitstringStatusList", "statusPurpose": v.Purpose,
			"encodedList": encoded, "ttl": json.Number(listTTL),
		},
	}
	signer, method, err := r.c.Signers.ListSigner(ctx, l.Issuer)
	if err != nil {
		return nil, fmt.Errorf("status list key of %s: %w", l.Issuer, err)
	}
	unsecured, err := schemas.Marshal(doc)
	if err != nil {
		return nil, err
	}
	audit := AuditEvent{At: r.now(), Event: AuditListSign, Object: url, Method: method, Digest: sha256Hex(unsecured)}
	if err := r.journal(ctx, audit); err != nil {
		return nil, err
	}
	secured, err := r.c.Securer.Secure(ctx, doc, method, v.ValidFrom.Truncate(time.Second), signer)
	if err != nil {
		return nil, fmt.Errorf("secure list: %w", err)
	}
	r.c.Crash("list.after_sign")
	return schemas.Marshal(secured)
}

// storeList inserts the version with its log entry, in one unit: readers see the old list or the new one.
func (r *Registry) storeList(ctx context.Context, v ListVersion) error {
	p, err := r.listEntry(v)
	if err != nil {
		return err
	}
	v.Leaf = p.Leaf
	r.c.Crash("list.before_rename")
	if err := r.c.Store.Apply(ctx, Change{List: &v, Pending: []Pending{p}}); err != nil {
		return fmt.Errorf("store version %d: %w", v.Version, err)
	}
	r.c.Crash("list.after_rename")
	r.watch.Lock()
	r.made[listKey{v.Group, v.Purpose}] = r.now()
	r.watch.Unlock()
	return nil
}

// listEntry is what the log says of a list: which version had which digest. It does not tell how many bits are set.
func (r *Registry) listEntry(v ListVersion) (Pending, error) {
	return entry(schemas.LogStatusList, r.ListURL(v.Group, v.Purpose), map[string]any{
		"version": v.Version, "sha256": v.SHA256, "validFrom": formatMilli(v.ValidFrom), "validUntil": schemas.FormatTime(v.ValidUntil),
	}, v.ValidFrom)
}

// ListURL is the address of a list, which is its id.
func (r *Registry) ListURL(group schemas.ListGroup, purpose string) string {
	return r.c.Origin + "/status/" + string(group) + "/" + purpose
}

// formatMilli writes whole seconds as schemas.FormatTime does, and a fraction only where there is one.
func formatMilli(t time.Time) string {
	if t.Nanosecond() == 0 {
		return schemas.FormatTime(t)
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}
