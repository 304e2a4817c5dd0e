package keys

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"heartmark/schemas"
)

// Config is what Open needs.
type Config struct {
	// KEKFile is the path of the key-encryption key: 32 bytes raw, in hexadecimal or in base64; see GenerateKEK.
	KEKFile string
	// DataDir is the data folder, in which the KEK file may not lie; "" skips that check.
	DataDir string
	Store   Store
	// Now tells the time. Required.
	Now func() time.Time
	// Controller returns the DID whose document lists the tenant's keys; nil means that keys have none.
	Controller func(tenant string) string
	// Audit is told of each change before it is made; its error stops the change. nil means no audit.
	Audit func(ctx context.Context, e Event) error
}

// Service is the key service. Its methods may be called at once.
type Service struct {
	store      Store
	now        func() time.Time
	controller func(tenant string) string
	audit      func(ctx context.Context, e Event) error
	wrap       cipher.AEAD // seals data keys; from the KEK
	kekID      string

	mu      sync.Mutex // guards data, handles and current; never held across I/O
	data    map[string]*dataKey
	handles map[schemas.KeyID]*handle
	current map[slot]schemas.KeyID // the key that SignerFor last chose
}

// slot is a place for one active key; alg is "" for the newest of any algorithm.
type slot struct {
	tenant string
	kind   Kind
	alg    string
}

// clearSlots forgets which key is the newest where key rec may have changed that; mu is held.
func (s *Service) clearSlots(rec Record) {
	delete(s.current, slot{rec.Tenant, rec.Kind, ""})
	delete(s.current, slot{rec.Tenant, rec.Kind, rec.Algorithm})
}

// Open reads the key-encryption key and returns the service. It fails with ErrKEKMissing, ErrKEKPermissions,
// ErrKEKPlacement or ErrKEKFormat where the file cannot serve, and with ErrKEKMismatch where the installation's own keys
// (tenant "") were sealed under another one.
func Open(ctx context.Context, c Config) (*Service, error) {
	if c.Store == nil || c.Now == nil {
		return nil, errors.New("keys: Config needs Store and Now")
	}
	kek, err := readKEK(c.KEKFile, c.DataDir)
	if err != nil {
		return nil, err
	}
	defer clear(kek)
	wrap, err1 := derive(kek, "kek-wrap/v1")
	id, err2 := kekFingerprint(kek)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	s := &Service{
		store: c.Store, now: c.Now, controller: c.Controller, audit: c.Audit, wrap: wrap, kekID: id,
		data: map[string]*dataKey{}, handles: map[schemas.KeyID]*handle{}, current: map[slot]schemas.KeyID{},
	}
	// A restore with another key-encryption key is refused at the start, not at the first signature.
	if _, err := s.dataKey(ctx, "", false); err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	return s, nil
}

// Create makes a key of the kind with one of Algorithms, active from now for the kind's default life, and
// stores it sealed. The id is the RFC 7638 thumbprint of its public key.
func (s *Service) Create(ctx context.Context, tenant string, kind Kind, alg string) (Info, error) {
	if err := checkKind(kind); err != nil {
		return Info{}, err
	}
	dk, err := s.dataKey(ctx, tenant, true)
	if err != nil {
		return Info{}, err
	}
	id, keySet, pub, err := create(dk, alg)
	if err != nil {
		return Info{}, err
	}
	multibase, err := Multibase(pub)
	if err != nil {
		return Info{}, err
	}
	now := s.now().UTC().Truncate(time.Second)
	rec := Record{
		ID: schemas.KeyID(id), Tenant: tenant, Kind: kind, Algorithm: alg, Status: StatusActive,
		From: now, Until: now.Add(kind.life()), Public: multibase, Version: 1,
	}
	rec.Sealed = sealBytes(dk.records, keySet, recordAAD(rec))
	if err := s.tell(ctx, "key.create", rec, now, ""); err != nil {
		return Info{}, err
	}
	if err := s.store.PutKey(ctx, rec); err != nil {
		return Info{}, fmt.Errorf("store key %s: %w", rec.ID, err)
	}
	s.mu.Lock()
	s.clearSlots(rec)
	s.mu.Unlock()
	return s.info(rec)
}

// Signer returns the handle of a key, from memory where it was asked for before. It returns ErrNotFound, ErrDamaged, or
// ErrNotActive for a key that may not sign now.
func (s *Service) Signer(ctx context.Context, id schemas.KeyID) (Handle, error) {
	s.mu.Lock()
	h := s.handles[id]
	s.mu.Unlock()
	if h == nil {
		var err error
		if h, err = s.load(ctx, id); err != nil {
			return nil, err
		}
	}
	if err := h.active(); err != nil {
		return nil, err
	}
	return h, nil
}

// SignerFor returns the handle of the tenant's active key of the kind: of several, the one that began last. It returns
// ErrNotFound when there is none.
func (s *Service) SignerFor(ctx context.Context, tenant string, kind Kind) (Handle, error) {
	return s.newest(ctx, slot{tenant: tenant, kind: kind})
}

// SignerWith is SignerFor among the keys of one algorithm.
func (s *Service) SignerWith(ctx context.Context, tenant string, kind Kind, alg string) (Handle, error) {
	return s.newest(ctx, slot{tenant, kind, alg})
}

func (s *Service) newest(ctx context.Context, place slot) (Handle, error) {
	s.mu.Lock()
	id, known := s.current[place]
	s.mu.Unlock()
	if known {
		if h, err := s.Signer(ctx, id); err == nil {
			return h, nil
		}
	}
	records, err := s.store.ListKeys(ctx, place.tenant)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	now := s.now()
	records = slices.DeleteFunc(records, func(r Record) bool {
		return r.Kind != place.kind || r.statusAt(now) != StatusActive || (place.alg != "" && r.Algorithm != place.alg)
	})
	if len(records) == 0 {
		return nil, fmt.Errorf("active %s key of tenant %q %s: %w", place.kind, place.tenant, place.alg, ErrNotFound)
	}
	newest := slices.MaxFunc(records, func(a, b Record) int { return a.From.Compare(b.From) })
	h, err := s.Signer(ctx, newest.ID)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.current[place] = newest.ID
	s.mu.Unlock()
	return h, nil
}

// load unseals a key and keeps its handle.
func (s *Service) load(ctx context.Context, id schemas.KeyID) (*handle, error) {
	rec, keySet, dk, err := s.unseal(ctx, id)
	if err != nil {
		return nil, err
	}
	defer clear(keySet)
	if status := rec.statusAt(s.now()); status != StatusActive {
		return nil, fmt.Errorf("key %s is %s: %w", id, status, ErrNotActive)
	}
	sign, err := load(dk, string(id), keySet)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", id, err)
	}
	pub, err := ParseMultibase(rec.Public)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w: %w", id, ErrDamaged, err)
	}
	h := &handle{
		id: string(id), tenant: rec.Tenant, kind: rec.Kind, alg: rec.Algorithm, method: s.method(rec),
		pub: pub, sign: sign, now: s.now, from: rec.From,
	}
	h.until.Store(rec.Until.UnixNano())
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.handles[id]; other != nil {
		return other, nil
	}
	if len(s.handles) >= maxCached {
		clear(s.handles)
	}
	s.handles[id] = h
	return h, nil
}

// unseal reads a record, checks its seal and returns the key manager's key set.
func (s *Service) unseal(ctx context.Context, id schemas.KeyID) (Record, []byte, *dataKey, error) {
	rec, err := s.store.GetKey(ctx, id)
	if err != nil {
		return Record{}, nil, nil, fmt.Errorf("key %s: %w", id, err)
	}
	if rec.ID != id || rec.Kind == KindSeal {
		return Record{}, nil, nil, fmt.Errorf("key %s: %w", id, ErrNotFound)
	}
	dk, err := s.dataKey(ctx, rec.Tenant, false)
	if err != nil {
		return Record{}, nil, nil, err
	}
	keySet, err := openBytes(dk.records, rec.Sealed, recordAAD(rec))
	if err != nil {
		return Record{}, nil, nil, fmt.Errorf("key %s: %w", id, err)
	}
	return rec, keySet, dk, nil
}

// List tells of the tenant's keys in the order in which they began, data keys left out.
func (s *Service) List(ctx context.Context, tenant string) ([]Info, error) {
	records, err := s.store.ListKeys(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	slices.SortStableFunc(records, func(a, b Record) int { return a.From.Compare(b.From) })
	out := make([]Info, 0, len(records))
	for _, rec := range records {
		if rec.Kind == KindSeal {
			continue
		}
		info, err := s.info(rec)
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	return out, nil
}

// Retire ends a key's active life at the given time, or now when at is earlier: from then on it signs nothing, and what
// it signed stays good. Retiring a key that is retired or revoked already changes nothing.
func (s *Service) Retire(ctx context.Context, id schemas.KeyID, at time.Time) error {
	return s.change(ctx, id, "key.retire", "", func(rec *Record, now time.Time) bool {
		if rec.Status == StatusRevoked || rec.statusAt(now) == StatusRetired {
			return false
		}
		if at.Before(now) {
			at = now
		}
		if !at.After(now) {
			rec.Status = StatusRetired
		}
		rec.Until = at.UTC().Truncate(time.Second)
		return true
	})
}

// Revoke marks a key as not to be trusted from the given time on, which may lie in the past, for the reason. It signs
// nothing from now on. A revocation is not taken back; a second one may only move the time to an earlier one.
func (s *Service) Revoke(ctx context.Context, id schemas.KeyID, at time.Time, reason string) error {
	return s.change(ctx, id, "key.revoke", reason, func(rec *Record, now time.Time) bool {
		if rec.Status == StatusRevoked && !at.Before(rec.Until) {
			return false
		}
		if at.After(now) {
			at = now
		}
		rec.Status, rec.Until, rec.Reason = StatusRevoked, at.UTC().Truncate(time.Second), reason
		return true
	})
}

// change applies edit to a record under its version and seals it again; edit reports whether anything is to be changed.
func (s *Service) change(ctx context.Context, id schemas.KeyID, event, reason string, edit func(*Record, time.Time) bool) error {
	const tries = 8
	for range tries {
		rec, keySet, dk, err := s.unseal(ctx, id)
		if err != nil {
			return err
		}
		now := s.now()
		if !edit(&rec, now) {
			clear(keySet)
			return nil
		}
		rec.Version++
		rec.Sealed = sealBytes(dk.records, keySet, recordAAD(rec))
		clear(keySet)
		if err := s.tell(ctx, event, rec, now, reason); err != nil {
			return err
		}
		err = s.store.PutKey(ctx, rec)
		if errors.Is(err, ErrConflict) {
			continue
		}
		// Also when the outcome is unknown the cached handle goes: a key that may be retired signs nothing.
		s.forget(rec)
		if err != nil {
			return fmt.Errorf("store key %s: %w", id, err)
		}
		return nil
	}
	return fmt.Errorf("store key %s: %w", id, ErrConflict)
}

// forget ends a cached handle at the record's new end, also in the hands of those who hold it.
func (s *Service) forget(rec Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.handles[rec.ID]; h != nil {
		end := rec.Until.UnixNano()
		if rec.Status != StatusActive {
			end = min(end, s.now().UnixNano())
		}
		h.until.Store(end)
		delete(s.handles, rec.ID)
	}
	s.clearSlots(rec)
}

func (s *Service) tell(ctx context.Context, name string, rec Record, at time.Time, reason string) error {
	if s.audit == nil {
		return nil
	}
	err := s.audit(ctx, Event{Name: name, Tenant: rec.Tenant, KeyID: rec.ID, Kind: rec.Kind, At: at, Reason: reason})
	if err != nil {
		return fmt.Errorf("audit %s of key %s: %w", name, rec.ID, err)
	}
	return nil
}

// method is the DID URL of a key.
func (s *Service) method(rec Record) string {
	if s.controller == nil {
		return string(rec.ID)
	}
	return s.controller(rec.Tenant) + "#" + string(rec.ID)
}
