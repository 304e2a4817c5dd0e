package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"heartmark/issuer"
	"heartmark/schemas"
)

func change(in issuer.Intent, to issuer.Status) issuer.StatusChange {
	return issuer.StatusChange{
		Tenant: in.Tenant, ID: in.Credential, To: to, Reason: "test", At: at(5),
		Audit:  issuer.AuditEvent{At: at(5), Event: issuer.AuditRevoke, Tenant: in.Tenant, Object: string(in.Credential)},
		Outbox: issuer.OutboxEvent{Kind: issuer.OutboxStatus, Tenant: in.Tenant, Credential: in.Credential, At: at(5)},
	}
}

func (e issuerSuite) status(t *testing.T) {
	ctx := t.Context()
	in := issue(t, e.s, "acme", "i1", at(3))
	must(t, drain(t, e.s))
	version := func(s issuer.Store, purpose string) (uint64, bool) {
		v, bits, err := s.ListState(ctx, in.Group, purpose)
		must(t, err)
		return v, isSet(bits, in.Index)
	}
	steps := []struct {
		to                issuer.Status
		changed           bool
		want              error
		revoked, suspends bool
	}{
		{issuer.StatusValid, false, nil, false, false},
		{issuer.StatusSuspended, true, nil, false, true},
		{issuer.StatusSuspended, false, nil, false, true},
		{issuer.StatusValid, true, nil, false, false},
		{issuer.StatusRevoked, true, nil, true, false},
		{issuer.StatusRevoked, false, nil, true, false},
		{issuer.StatusValid, false, issuer.ErrRevoked, true, false},
		{issuer.StatusSuspended, false, issuer.ErrRevoked, true, false},
	}
	changes := 0
	s := e.s
	for n, step := range steps {
		r0, _ := version(s, schemas.PurposeRevocation)
		s0, _ := version(s, schemas.PurposeSuspension)
		rec, changed, err := s.ChangeStatus(ctx, change(in, step.to))
		if !errors.Is(err, step.want) || changed != step.changed || (err == nil && rec.Status != step.to) {
			t.Errorf("step %d to %s = %s, changed %v, %v; want %v, %v", n, step.to, rec.Status, changed, err, step.changed, step.want)
		}
		s = e.reopen(t, s)
		r1, revoked := version(s, schemas.PurposeRevocation)
		s1, suspended := version(s, schemas.PurposeSuspension)
		if revoked != step.revoked || suspended != step.suspends {
			t.Errorf("step %d to %s: revoked %v, suspended %v; want %v, %v", n, step.to, revoked, suspended, step.revoked, step.suspends)
		}
		if rose := r1 + s1 - r0 - s0; (rose == 1) != step.changed || rose > 1 {
			t.Errorf("step %d to %s: versions rose by %d, changed %v", n, step.to, rose, step.changed)
		}
		if step.changed {
			changes++
		}
	}
	events, err := s.Outbox(ctx, 100)
	if err != nil || len(events) != changes || events[0].Group != in.Group {
		t.Errorf("Outbox = %+v, %v; want one event of group %s for each of %d changes", events, err, in.Group, changes)
	}
	for _, c := range []issuer.StatusChange{
		{Tenant: "beta", ID: in.Credential, To: issuer.StatusRevoked}, {Tenant: "acme", ID: "urn:uuid:none", To: issuer.StatusRevoked},
	} {
		if _, _, err := s.ChangeStatus(ctx, c); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("ChangeStatus of %s for %s: %v, want ErrNotFound", c.ID, c.Tenant, err)
		}
	}
	if _, _, err := s.ListState(ctx, "none", schemas.PurposeRevocation); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("ListState of an unknown group: %v, want ErrNotFound", err)
	}
}

func (e issuerSuite) statusCrowd(t *testing.T) {
	const n = 96
	intents := make([]issuer.Intent, n)
	for i := range intents {
		intents[i] = issue(t, e.s, "acme", fmt.Sprintf("i%03d", i), at(3))
	}
	var wg sync.WaitGroup
	for i, in := range intents {
		for range 2 { // twice each, of which one changes something
			wg.Go(func() {
				to := issuer.StatusRevoked
				if i%3 == 0 {
					to = issuer.StatusSuspended
				}
				if _, _, err := e.s.ChangeStatus(t.Context(), change(in, to)); err != nil {
					t.Errorf("ChangeStatus: %v", err)
				}
			})
		}
	}
	wg.Wait()
	s := e.reopen(t, e.s)
	count := map[string]int{}
	for _, purpose := range []string{schemas.PurposeRevocation, schemas.PurposeSuspension} {
		_, bits, err := s.ListState(t.Context(), intents[0].Group, purpose)
		must(t, err)
		for i := range uint64(len(bits) * 8) {
			if isSet(bits, i) {
				count[purpose]++
			}
		}
		for i, in := range intents {
			if want := (i%3 == 0) == (purpose == schemas.PurposeSuspension); isSet(bits, in.Index) != want {
				t.Errorf("%s bit of credential %d is %v", purpose, i, !want)
			}
		}
	}
	if count[schemas.PurposeRevocation] != n*2/3 || count[schemas.PurposeSuspension] != n/3 {
		t.Errorf("bits set: %v, want %d and %d", count, n*2/3, n/3)
	}
}

func drain(t testing.TB, s issuer.Store) error {
	t.Helper()
	events, err := s.Outbox(t.Context(), 1000)
	if err != nil {
		return err
	}
	return s.Sent(t.Context(), events)
}

func (e issuerSuite) outbox(t *testing.T) {
	ctx := t.Context()
	ins := []issuer.Intent{
		issue(t, e.s, "acme", "i1", at(1)), issue(t, e.s, "acme", "i2", at(2)), issue(t, e.s, "acme", "i3", at(3)),
	}
	s := e.reopen(t, e.s)
	events, err := s.Outbox(ctx, 2)
	if err != nil || len(events) != 2 || events[0].Credential != ins[0].Credential || events[1].Credential != ins[1].Credential {
		t.Fatalf("Outbox = %+v, %v; want the two oldest", events, err)
	}
	index := uint64(7)
	events[0].LogIndex = &index
	for range 2 { // a repetition changes nothing
		must(t, s.Sent(ctx, events[:1]))
	}
	s = e.reopen(t, s)
	rec, err := s.Record(ctx, "acme", ins[0].Credential)
	if err != nil || rec.LogIndex == nil || *rec.LogIndex != 7 || string(rec.Sealed) != "sealed di1" {
		t.Errorf("Record = %+v, %v; want place 7 in the log", rec, err)
	}
	left, err := s.Outbox(ctx, 10)
	if err != nil || len(left) != 2 || left[0].Credential != ins[1].Credential {
		t.Errorf("Outbox = %+v, %v; want the two that were not sent", left, err)
	}
	// A second place in the log, from sending twice, does not replace the first.
	other := uint64(9)
	events[0].LogIndex = &other
	must(t, s.Sent(ctx, events[:1]))
	if rec, err = s.Record(ctx, "acme", ins[0].Credential); err != nil || *rec.LogIndex != 7 {
		t.Errorf("place in the log after sending twice: %v, %v; want 7", rec.LogIndex, err)
	}
}

func (e issuerSuite) audit(t *testing.T) {
	ctx := t.Context()
	for n := range 7 {
		must(t, e.s.AppendAudit(ctx, issuer.AuditEvent{At: at(6 - n), Event: "x", Object: fmt.Sprint(6 - n)}))
	}
	must(t, e.s.AppendAudit(ctx, issuer.AuditEvent{At: at(0), Event: "x", Object: "0"})) // the same instant
	s := e.reopen(t, e.s)
	var got string
	cursor := ""
	for pages := 0; ; pages++ {
		events, next, err := s.Audit(ctx, cursor, 3)
		if err != nil || pages > 4 {
			t.Fatalf("Audit: %v after %d pages", err, pages)
		}
		for _, ev := range events {
			got += ev.Object
		}
		if cursor = next; next == "" {
			break
		}
	}
	if got != "00123456" {
		t.Errorf("Audit in the order %s, want 00123456", got)
	}
}

func (e issuerSuite) epochs(t *testing.T) {
	ctx := t.Context()
	before := reserve(t, e.s, "acme", "i1", "")
	must(t, e.s.StartEpoch(ctx, issuer.AuditEvent{At: at(1), Event: issuer.AuditEpoch}))
	s := e.reopen(t, e.s)
	in, _, err := s.Reserve(ctx, newIntent("acme", "i2", ""), newGroup("acme", "fresh", 1024, 1000))
	if err != nil || in.Group == before.Group {
		t.Errorf("Reserve in the new epoch = group %s, %v; want a new group", in.Group, err)
	}
	groups, err := s.Groups(ctx, "", 10)
	if err != nil || len(groups) != 2 || groups[0].Epoch == groups[1].Epoch {
		t.Errorf("Groups = %+v, %v; want one of each epoch", groups, err)
	}
}

// faults breaks each write in both ways and repeats it: the repetition succeeds or says that it happened, and what stands
// in the store in the end is what one write leaves.
func (e issuerSuite) faults(t *testing.T) {
	ctx := t.Context()
	for _, fault := range []Fault{Lost, StoredButFailed} {
		f := NewFaultyIssuer(e.s)
		id := fmt.Sprint("f", int(fault))
		twice := func(name string, write func() error, happened error) {
			t.Helper()
			f.FailWrite(0, fault)
			if err := write(); !errors.Is(err, ErrFault) {
				t.Errorf("%s, %v: %v, want ErrFault", name, fault, err)
			}
			err := write()
			if err != nil && (fault == Lost || happened == nil || !errors.Is(err, happened)) {
				t.Errorf("%s repeated, %v: %v", name, fault, err)
			}
		}
		var in issuer.Intent
		twice("Reserve", func() (err error) {
			in, _, err = f.Reserve(ctx, newIntent("acme", id, id), newGroup("acme", "g", 1024, 1000))
			return err
		}, nil)
		twice("Begin", func() error { return f.Begin(ctx, beginning(in)) }, issuer.ErrIntent)
		twice("Complete", func() error { return f.Complete(ctx, completion(in, "d", at(3))) }, nil)
		twice("ChangeStatus", func() error {
			_, _, err := f.ChangeStatus(ctx, change(in, issuer.StatusRevoked))
			return err
		}, nil)
		events, err := f.Outbox(ctx, 10)
		if err != nil || len(events) != 2 {
			t.Errorf("%v: %d outbox events, %v; want 2", fault, len(events), err)
		}
		twice("Sent", func() error { return f.Sent(ctx, events) }, nil)
		rec, err := f.Record(ctx, "acme", in.Credential)
		_, bits, err2 := f.ListState(ctx, in.Group, schemas.PurposeRevocation)
		if err := errors.Join(err, err2); err != nil || rec.Status != issuer.StatusRevoked || !isSet(bits, in.Index) {
			t.Errorf("%v: record %+v, %v; want it revoked", fault, rec, err)
		}
		other, _, err := f.Reserve(ctx, newIntent("acme", id+"c", id+"c"), newGroup("acme", "g", 1024, 1000))
		must(t, err)
		twice("CloseIntent", func() error { return f.CloseIntent(ctx, closing(other, issuer.StatePrepared)) }, nil)
		if left, err := f.OpenIntents(ctx, "", 10); err != nil || len(left) > 0 {
			t.Errorf("%v: open intents %+v, %v", fault, left, err)
		}
	}
}
