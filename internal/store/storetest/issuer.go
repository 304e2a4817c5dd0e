package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"heartmark/issuer"
	"heartmark/schemas"
)

// Issuer checks an issuer.Store. open returns an empty one; reopen, if not nil, closes it and opens what it left behind.
func Issuer(t *testing.T, open func(t *testing.T) issuer.Store, reopen func(t *testing.T, s issuer.Store) issuer.Store) {
	if reopen == nil {
		reopen = func(_ *testing.T, s issuer.Store) issuer.Store { return s }
	}
	tests := map[string]func(e issuerSuite, t *testing.T){
		"indexes are never given twice":  issuerSuite.indexes,
		"many reserve at once":           issuerSuite.crowd,
		"idempotency keys":               issuerSuite.idempotency,
		"states of an intent":            issuerSuite.states,
		"closing":                        issuerSuite.closing,
		"open intents in pages":          issuerSuite.openIntents,
		"records in pages":               issuerSuite.records,
		"status":                         issuerSuite.status,
		"many change one list":           issuerSuite.statusCrowd,
		"outbox":                         issuerSuite.outbox,
		"audit in pages":                 issuerSuite.audit,
		"epochs":                         issuerSuite.epochs,
		"writes lost, or stored unheard": issuerSuite.faults,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(issuerSuite{open(t), reopen}, t) })
	}
}

// issuerSuite is a store under test.
type issuerSuite struct {
	s      issuer.Store
	reopen func(t *testing.T, s issuer.Store) issuer.Store
}

func at(second int) time.Time {
	return time.Date(2026, 1, 10, 9, 0, second, 0, time.UTC)
}

func newIntent(tenant, id, key string) issuer.Intent {
	return issuer.Intent{
		ID: id, Tenant: tenant, Configuration: "c", Holder: "h", Key: key, Request: "q" + key,
		Credential: schemas.CredentialID("urn:uuid:" + id), State: issuer.StatePrepared, CreatedAt: at(0), UpdatedAt: at(0),
	}
}

func newGroup(tenant, id string, size, usable uint64) issuer.Group {
	return issuer.Group{
		ID: schemas.ListGroup(id), Tenant: tenant, Size: size, Usable: usable, CreatedAt: at(0),
		Permutation: []byte(fmt.Sprintf("%-16s", id)[:issuer.PermutationKeySize]),
		Purposes:    []string{schemas.PurposeRevocation, schemas.PurposeSuspension},
	}
}

func reserve(t testing.TB, s issuer.Store, tenant, id, key string) issuer.Intent {
	t.Helper()
	in, found, err := s.Reserve(t.Context(), newIntent(tenant, id, key), newGroup(tenant, "g-"+tenant, 1024, 1000))
	if err != nil || found {
		t.Fatalf("Reserve = found %v, %v", found, err)
	}
	return in
}

func begin(t testing.TB, s issuer.Store, in issuer.Intent) {
	t.Helper()
	must(t, s.Begin(t.Context(), beginning(in)))
}

func beginning(in issuer.Intent) issuer.Beginning {
	return issuer.Beginning{
		IntentID: in.ID, SigningKey: "k", Template: "t", At: at(1),
		Audit: []issuer.AuditEvent{
			{At: at(1), Event: issuer.AuditSign, Tenant: in.Tenant, Intent: in.ID, Detail: "first form"},
			{At: at(1), Event: issuer.AuditSign, Tenant: in.Tenant, Intent: in.ID, Detail: "second form"},
		},
	}
}

func completion(in issuer.Intent, digest string, when time.Time) issuer.Completion {
	return issuer.Completion{
		IntentID: in.ID,
		Record: issuer.Record{
			ID: in.Credential, Tenant: in.Tenant, IntentID: in.ID, Configuration: "c", Group: in.Group, Index: in.Index,
			Purposes: []string{schemas.PurposeRevocation, schemas.PurposeSuspension}, Digest: digest, Sealed: []byte("sealed " + digest),
			Status: issuer.StatusValid, IssuedAt: when, StatusAt: when,
		},
		Audit:  []issuer.AuditEvent{{At: when, Event: issuer.AuditSigned, Tenant: in.Tenant, Intent: in.ID}},
		Outbox: issuer.OutboxEvent{Kind: issuer.OutboxIssued, Tenant: in.Tenant, Credential: in.Credential, Group: in.Group, At: when, Commitment: [32]byte{1}},
	}
}

func issue(t testing.TB, s issuer.Store, tenant, id string, when time.Time) issuer.Intent {
	t.Helper()
	in := reserve(t, s, tenant, id, "")
	begin(t, s, in)
	must(t, s.Complete(t.Context(), completion(in, "d"+id, when)))
	return in
}

func closing(in issuer.Intent, from string) issuer.Closing {
	return issuer.Closing{
		IntentID: in.ID, From: from, Reason: "test", At: at(2),
		Audit:  issuer.AuditEvent{At: at(2), Event: issuer.AuditClosed, Tenant: in.Tenant, Intent: in.ID},
		Outbox: issuer.OutboxEvent{Kind: issuer.OutboxStatus, Tenant: in.Tenant, Group: in.Group, At: at(2)},
	}
}

func isSet(bits []byte, index uint64) bool { return bits[index/8]&(0x80>>(index%8)) != 0 }

func (e issuerSuite) indexes(t *testing.T) {
	s := e.s
	const usable = 60
	seen := map[string]bool{}
	groups := map[schemas.ListGroup]int{}
	for n := range 3 * usable {
		if n%25 == 24 {
			s = e.reopen(t, s)
		}
		fresh := newGroup("acme", fmt.Sprintf("g%03d", n), 64, usable)
		in, found, err := s.Reserve(t.Context(), newIntent("acme", fmt.Sprintf("i%03d", n), ""), fresh)
		if err != nil || found {
			t.Fatalf("Reserve = found %v, %v", found, err)
		}
		place := fmt.Sprintf("%s/%d", in.Group, in.Index)
		if seen[place] || in.Index >= 64 {
			t.Fatalf("index %s outside, or twice", place)
		}
		seen[place] = true
		groups[in.Group]++
	}
	if len(groups) != 3 {
		t.Errorf("%d groups for three times the usable part, want 3: %v", len(groups), groups)
	}
	list, err := s.Groups(t.Context(), "", 10)
	if err != nil || len(list) != 3 || list[0].ID >= list[1].ID {
		t.Fatalf("Groups = %+v, %v; want three in order", list, err)
	}
	if rest, err := s.Groups(t.Context(), list[0].ID, 1); err != nil || len(rest) != 1 || rest[0].ID != list[1].ID {
		t.Errorf("Groups after the first = %+v, %v", rest, err)
	}
	for _, purpose := range list[0].Purposes {
		version, bits, err := s.ListState(t.Context(), list[0].ID, purpose)
		if err != nil || version == 0 || len(bits) != 8 || !slices.Equal(bits, make([]byte, 8)) {
			t.Errorf("ListState = version %d, bits %x, %v; want 64 zero bits under a version", version, bits, err)
		}
	}
}

func (e issuerSuite) crowd(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for n := range 20 {
				id := fmt.Sprintf("%02d-%02d", worker, n)
				in, _, err := e.s.Reserve(t.Context(), newIntent("acme", id, ""), newGroup("acme", "g"+id, 64, 60))
				if err != nil {
					t.Errorf("Reserve: %v", err)
					return
				}
				mu.Lock()
				seen[fmt.Sprintf("%s/%d", in.Group, in.Index)] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != 320 {
		t.Errorf("%d distinct indexes for 320 intents", len(seen))
	}
	if list, err := e.s.Groups(t.Context(), "", 100); err != nil || len(list) != 6 {
		t.Errorf("%d groups, %v; want 6: none is opened while another has room", len(list), err)
	}
}

func (e issuerSuite) idempotency(t *testing.T) {
	first := reserve(t, e.s, "acme", "i1", "key")
	again, found, err := e.s.Reserve(t.Context(), newIntent("acme", "i2", "key"), newGroup("acme", "x", 1024, 1000))
	if err != nil || !found || again.ID != first.ID || again.Index != first.Index {
		t.Errorf("Reserve under a used key = %+v, found %v, %v; want the first", again, found, err)
	}
	if other := reserve(t, e.s, "beta", "i3", "key"); other.Group == first.Group {
		t.Error("two tenants share a group")
	}
	s := e.reopen(t, e.s)
	if in, err := s.IntentByKey(t.Context(), "acme", "key"); err != nil || in.ID != first.ID {
		t.Errorf("IntentByKey = %+v, %v; want the first", in, err)
	}
	if _, err := s.IntentByKey(t.Context(), "acme", "none"); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("IntentByKey of an unused key: %v, want ErrNotFound", err)
	}
	var wg sync.WaitGroup
	ids := make([]string, 16)
	for n := range ids {
		wg.Go(func() {
			in, _, err := s.Reserve(t.Context(), newIntent("acme", fmt.Sprint("c", n), "crowd"), newGroup("acme", "x", 1024, 1000))
			if err != nil {
				t.Errorf("Reserve: %v", err)
			}
			ids[n] = in.ID
		})
	}
	wg.Wait()
	if slices.Sort(ids); ids[0] != ids[15] {
		t.Errorf("one key gave intents %v", ids)
	}
}

func (e issuerSuite) states(t *testing.T) {
	ctx := t.Context()
	in := reserve(t, e.s, "acme", "i1", "key")
	if err := e.s.Complete(ctx, completion(in, "d", at(3))); !errors.Is(err, issuer.ErrIntent) {
		t.Errorf("Complete before Begin: %v, want ErrIntent", err)
	}
	begin(t, e.s, in)
	if err := e.s.Begin(ctx, beginning(in)); !errors.Is(err, issuer.ErrIntent) {
		t.Errorf("second Begin: %v, want ErrIntent", err)
	}
	wrong := completion(in, "d", at(3))
	wrong.Record.Index++
	if err := e.s.Complete(ctx, wrong); !errors.Is(err, issuer.ErrIntent) {
		t.Errorf("Complete with another index: %v, want ErrIntent", err)
	}
	if _, err := e.s.Record(ctx, "acme", in.Credential); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("Record before Complete: %v, want ErrNotFound", err)
	}
	must(t, e.s.Complete(ctx, completion(in, "d", at(3))))
	must(t, e.s.Complete(ctx, completion(in, "d", at(3))))
	if err := e.s.Complete(ctx, completion(in, "other", at(3))); !errors.Is(err, issuer.ErrIntent) {
		t.Errorf("Complete with other bytes: %v, want ErrIntent", err)
	}
	s := e.reopen(t, e.s)
	rec, err := s.Record(ctx, "acme", in.Credential)
	if err != nil || rec.Digest != "d" || string(rec.Sealed) != "sealed d" || rec.Index != in.Index || !rec.IssuedAt.Equal(at(3)) {
		t.Errorf("Record = %+v, %v", rec, err)
	}
	if have, err := s.IntentByKey(ctx, "acme", "key"); err != nil || have.State != issuer.StateIssued || have.Digest != "d" || have.Signatures != 2 {
		t.Errorf("intent = %+v, %v; want it issued with two signatures", have, err)
	}
	announced := map[string]bool{}
	events, _, err := s.Audit(ctx, "", 100)
	for _, e := range events {
		if e.Event == issuer.AuditSign {
			announced[e.Detail] = true
		}
	}
	if err != nil || len(announced) != 2 {
		t.Errorf("audit trail %+v, %v; want an entry for each signature", events, err)
	}
	if _, err := s.Record(ctx, "beta", in.Credential); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("Record for another tenant: %v, want ErrNotFound", err)
	}
	if events, err := s.Outbox(ctx, 10); err != nil || len(events) != 1 || events[0].Commitment != [32]byte{1} {
		t.Errorf("Outbox = %+v, %v; want one commitment", events, err)
	}
	if err := s.Begin(ctx, issuer.Beginning{IntentID: "none"}); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("Begin of an unknown intent: %v, want ErrNotFound", err)
	}
}

func (e issuerSuite) closing(t *testing.T) {
	ctx := t.Context()
	unsigned, signed, done := reserve(t, e.s, "acme", "i1", "k1"), reserve(t, e.s, "acme", "i2", "k2"), issue(t, e.s, "acme", "i3", at(3))
	begin(t, e.s, signed)
	if err := e.s.CloseIntent(ctx, closing(signed, issuer.StatePrepared)); !errors.Is(err, issuer.ErrIntent) {
		t.Errorf("CloseIntent of a signing one as prepared: %v, want ErrIntent", err)
	}
	for _, from := range []string{issuer.StatePrepared, issuer.StateSigning, issuer.StateIssued} {
		if err := e.s.CloseIntent(ctx, closing(done, from)); !errors.Is(err, issuer.ErrIntent) {
			t.Errorf("CloseIntent of an issued one as %s: %v, want ErrIntent", from, err)
		}
	}
	for range 2 {
		must(t, e.s.CloseIntent(ctx, closing(unsigned, issuer.StatePrepared)))
		must(t, e.s.CloseIntent(ctx, closing(signed, issuer.StateSigning)))
	}
	s := e.reopen(t, e.s)
	_, bits, err := s.ListState(ctx, signed.Group, schemas.PurposeRevocation)
	if err != nil || !isSet(bits, signed.Index) || isSet(bits, unsigned.Index) || isSet(bits, done.Index) {
		t.Errorf("revocation bits: signed %v, unsigned %v, issued %v, %v; want the signed one alone",
			isSet(bits, signed.Index), isSet(bits, unsigned.Index), isSet(bits, done.Index), err)
	}
	if err := s.Begin(ctx, beginning(unsigned)); !errors.Is(err, issuer.ErrIntent) {
		t.Errorf("Begin of a closed one: %v, want ErrIntent", err)
	}
	if _, err := s.IntentByKey(ctx, "acme", "k1"); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("the key of a closed intent: %v, want it free", err)
	}
	if next := reserve(t, s, "acme", "i4", "k1"); next.Index == unsigned.Index || next.Index == signed.Index {
		t.Error("the index of a closed intent was given again")
	}
	if events, err := s.Outbox(ctx, 10); err != nil || len(events) != 2 {
		t.Errorf("%d outbox events, %v; want one of the issued and one of the revoked", len(events), err)
	}
}

func (e issuerSuite) openIntents(t *testing.T) {
	ctx := t.Context()
	for n := range 5 {
		reserve(t, e.s, "acme", fmt.Sprint("i", n), "")
	}
	issue(t, e.s, "acme", "i9", at(3))
	s := e.reopen(t, e.s)
	first, err1 := s.OpenIntents(ctx, "", 3)
	if err1 != nil || len(first) != 3 {
		t.Fatalf("OpenIntents = %+v, %v; want three", first, err1)
	}
	rest, err := s.OpenIntents(ctx, first[2].ID, 3)
	if err != nil || len(rest) != 2 || rest[0].ID != "i3" || rest[1].ID != "i4" {
		t.Errorf("OpenIntents after %s = %+v, %v; want i3 and i4", first[2].ID, rest, err)
	}
}

func (e issuerSuite) records(t *testing.T) {
	ctx := t.Context()
	for n := range 5 {
		issue(t, e.s, "acme", fmt.Sprint("i", 5-n), at(n))
	}
	issue(t, e.s, "acm", "j1", at(0))
	issue(t, e.s, "acmee", "j2", at(0))
	s := e.reopen(t, e.s)
	var got []schemas.CredentialID
	cursor := ""
	for pages := 0; ; pages++ {
		page, next, err := s.Records(ctx, "acme", cursor, 2)
		if err != nil || pages > 3 {
			t.Fatalf("Records: %v after %d pages", err, pages)
		}
		for _, rec := range page {
			if rec.Sealed != nil {
				t.Error("Records gives the sealed credential")
			}
			got = append(got, rec.ID)
		}
		if cursor = next; next == "" {
			break
		}
	}
	if want := []schemas.CredentialID{"urn:uuid:i5", "urn:uuid:i4", "urn:uuid:i3", "urn:uuid:i2", "urn:uuid:i1"}; !slices.Equal(got, want) {
		t.Errorf("Records = %v, want %v", got, want)
	}
	if _, _, err := s.Records(ctx, "acme", "?", 2); !errors.Is(err, issuer.ErrInvalid) {
		t.Errorf("Records with a bad cursor: %v, want ErrInvalid", err)
	}
}
