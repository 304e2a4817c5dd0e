//go:build crashpoints && unix

package crash_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"heartmark/internal/statuslist"
	"heartmark/internal/store/badger"
	"heartmark/issuer"
	"heartmark/registry"
	"heartmark/schemas"

	"golang.org/x/sync/errgroup"
)

// checkRound starts the killed server again and checks the invariants. It returns how long the server took to be ready.
func (d *driver) checkRound(point string) time.Duration {
	d.t.Helper()
	d.lookInto(point)
	ctx := d.t.Context()
	p := d.s.start("")
	ready, err := p.ready(ctx)
	if err != nil {
		d.t.Fatalf("I6: after a kill at %q: %v\n%s", point, err, d.s.logTail())
	}
	d.slow = max(d.slow, ready)
	for _, step := range []func(context.Context) error{
		d.checkRevoked, // first, with nothing but the start in between
		d.askAgain,
		func(ctx context.Context) error { return d.checkWallets(ctx, point) },
		func(ctx context.Context) error { return d.checkIssued(ctx, false) },
	} {
		if err := step(ctx); err != nil {
			d.t.Errorf("after a kill at %q: %v", point, err)
		}
	}
	d.s.client.CloseIdleConnections()
	p.stop()
	d.checkStore()
	return ready
}

// lookInto opens the store as the kill left it, before anything recovers it, and notes which indexes are taken by
// intents that nobody has heard of. The intents must stand where the crash point says.
func (d *driver) lookInto(point string) {
	d.t.Helper()
	db, err := badger.Open(badger.Config{Dir: filepath.Join(d.s.config.DataDir, "db")})
	if err != nil {
		d.t.Fatalf("open the store after a kill at %q: %v", point, err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			d.t.Error(err)
		}
	}()
	open, err := db.OpenIntents(d.t.Context(), "", 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	states := map[string]int{}
	for _, in := range open {
		states[in.State]++
		if err := d.take(place{string(in.Group), strconv.FormatUint(in.Index, 10)}, string(in.Credential)); err != nil {
			d.t.Error(err)
		}
		if d.issued[string(in.Credential)] != nil {
			d.t.Errorf("I1: credential %s was acknowledged and its intent is %s", in.Credential, in.State)
		}
	}
	name, _, _ := strings.Cut(point, ":")
	want := map[string]string{
		"issue.after_reserve": issuer.StatePrepared, "issue.after_intent_commit": issuer.StatePrepared,
		"issue.before_sign": issuer.StateSigning, "issue.after_sign": issuer.StateSigning, "issue.before_record_commit": issuer.StateSigning,
	}[name]
	if want != "" && states[want] == 0 {
		d.t.Errorf("killed at %s: no intent is %s, but %v", point, want, states)
	}
}

// readLists reads the lists of all groups seen so far. I2: a revocation that was published once stays.
func (d *driver) readLists(ctx context.Context) error {
	d.mu.Lock()
	paths := map[string]bool{}
	for _, h := range d.issued {
		paths[h.lists[schemas.PurposeRevocation]] = true
	}
	d.mu.Unlock()
	for path := range paths {
		if err := d.readList(ctx, path); err != nil {
			return err
		}
	}
	return nil
}

func (d *driver) readList(ctx context.Context, path string) error {
	status, body, err := d.do(ctx, call{method: http.MethodGet, path: path, public: true})
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("status list %s answered %d: %s", path, status, body)
	}
	doc, err := schemas.ParseObject(body)
	if err != nil {
		return err
	}
	subject, _ := doc["credentialSubject"].(map[string]any)
	encoded, _ := subject["encodedList"].(string)
	bits, err := statuslist.Decode(encoded, 0)
	if err != nil {
		return fmt.Errorf("status list %s: %w", path, err)
	}
	delete(doc, "proof")
	unsecured, err := schemas.Marshal(doc)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.signed[digest(unsecured)] = true
	if before, seen := d.lists[path]; seen {
		now := bits.Bytes()
		for n, b := range before.bits.Bytes() {
			if b&^now[n] != 0 {
				return fmt.Errorf("I2: list %s took a revocation back, near index %d", path, n*8)
			}
		}
	}
	d.lists[path] = list{bits}
	return nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// groupOf is the group in the address of a list.
func groupOf(path string) string {
	group, _, _ := strings.Cut(strings.TrimPrefix(path, "/status/"), "/")
	return group
}

// checkRevoked is I2: every acknowledged revocation stands in the published list within the promise, and nothing else does.
func (d *driver) checkRevoked(ctx context.Context) error {
	for start := time.Now(); ; {
		if err := d.readLists(ctx); err != nil {
			return err
		}
		missing, err := d.unpublished()
		took := time.Since(start)
		if err != nil || len(missing) == 0 {
			d.published = max(d.published, took)
			return err
		}
		if took > publishedIn {
			return fmt.Errorf("I2: %d revocations were acknowledged and are not in the published list after %s, among them %s", len(missing), took, missing[0])
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// unpublished returns the credentials whose acknowledged revocation is not in the list that was read last.
func (d *driver) unpublished() (missing []string, err error) {
	for _, h := range d.issued {
		on, err := d.bit(h)
		switch {
		case err != nil:
			return nil, err
		case on && !h.asked:
			return nil, fmt.Errorf("I2: %s is revoked in the published list and nobody asked for it", h.id)
		case h.revoked && !on:
			missing = append(missing, h.id)
		}
	}
	return missing, nil
}

// pause lets the server work before it is asked again.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// bit reports whether a credential is revoked in the list that was read last.
func (d *driver) bit(h *held) (bool, error) {
	index, err := statuslist.ParseIndex(h.place.index)
	if err != nil {
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	l, seen := d.lists[h.lists[schemas.PurposeRevocation]]
	if !seen {
		return false, nil
	}
	v, err := l.bits.Get(index)
	return v != 0, err
}

// askAgain repeats what had no answer, under the same idempotency key, and once more to see that it is the same act. Every
// third client never comes back: what it left open, the start must have settled.
func (d *driver) askAgain(ctx context.Context) error {
	orders, revocations := d.open, d.ending
	d.open, d.ending = nil, nil
	for _, o := range orders {
		if rand.IntN(3) == 0 {
			continue
		}
		first, err := d.issue(ctx, o)
		if err != nil {
			return err
		}
		second, err := d.issue(ctx, o)
		if err != nil {
			return err
		}
		if first != second {
			return fmt.Errorf("I4: idempotency key %s gave %s and then %s", o.Key, first.id, second.id)
		}
	}
	for _, h := range revocations {
		if err := d.revoke(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// Of the credentials of earlier rounds, as many are looked for and verified again in each round; at the end all are
// looked for.
const (
	foundAgain    = 20
	verifiedAgain = 5
)

// checkIssued is I1: the credentials of the last round are found, unchanged, with the status that they were given, and
// verify as they should; and so do some, or all, of those before.
func (d *driver) checkIssued(ctx context.Context, all bool) error {
	older := make([]*held, 0, len(d.issued))
	for _, h := range d.issued {
		older = append(older, h)
	}
	rand.Shuffle(len(older), func(i, j int) { older[i], older[j] = older[j], older[i] })
	find, verify := older[:min(foundAgain, len(older))], older[:min(verifiedAgain, len(older))]
	if all {
		find = older
	}
	find, verify = slices.Concat(find, d.fresh), slices.Concat(verify, d.fresh)
	d.fresh = nil
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, h := range find {
		g.Go(func() error { return d.found(ctx, h) })
	}
	for _, h := range verify {
		g.Go(func() error { return d.verifies(ctx, h) })
	}
	return g.Wait()
}

func (d *driver) found(ctx context.Context, h *held) error {
	var answer struct {
		Status      string
		Credentials []struct{ Credential json.RawMessage }
	}
	if err := d.want(ctx, call{method: http.MethodGet, path: "/v1/credentials/" + h.id}, http.StatusOK, &answer); err != nil {
		return fmt.Errorf("I1: %w", err)
	}
	if len(answer.Credentials) != 1 {
		return fmt.Errorf("I1: credential %s is found without its content", h.id)
	}
	got, err := readHeld(h.id, answer.Credentials[0].Credential, nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(got.credential, h.credential) {
		return fmt.Errorf("I1: credential %s is not the one that was acknowledged", h.id)
	}
	if want := map[bool]string{false: "active", true: "revoked"}[h.revoked]; answer.Status != want {
		return fmt.Errorf("I2: credential %s is %s, acknowledged was %s", h.id, answer.Status, want)
	}
	return nil
}

// verifies asks the verifier. A revocation that was acknowledged after the list was last read may wait for the publish
// delay; it is checked in the next round.
func (d *driver) verifies(ctx context.Context, h *held) error {
	published, err := d.bit(h)
	if err != nil || published != h.revoked {
		return err
	}
	var answer struct {
		Verdict string
		Checks  []struct{ ID, Outcome, Code string }
	}
	if err := d.want(ctx, call{
		method: http.MethodPost, path: "/v1/verify", body: map[string]any{"credential": h.credential},
	}, http.StatusOK, &answer); err != nil {
		return err
	}
	revoked := false
	for _, c := range answer.Checks {
		revoked = revoked || c.Code == "status_revoked"
	}
	if want := map[bool]string{false: "valid", true: "invalid"}[h.revoked]; answer.Verdict != want || revoked != h.revoked {
		return fmt.Errorf("I1: credential %s verifies as %s, want %s: %+v", h.id, answer.Verdict, want, answer.Checks)
	}
	return nil
}

// checkStore is I3, I5 and I6 on the data of the stopped server: the program's own check finds issuer, registry and log
// in agreement, nothing is left open, each index has one credential, and each signature an audit entry and an intent.
func (d *driver) checkStore() {
	d.t.Helper()
	d.s.run("registry", "fsck")
	db, err := badger.Open(badger.Config{Dir: filepath.Join(d.s.config.DataDir, "db")})
	if err != nil {
		d.t.Fatal(err)
	}
	ctx := d.t.Context()
	open, err := db.OpenIntents(ctx, "", 1000)
	if err != nil || len(open) > 0 {
		d.t.Errorf("I6: %d intents are open after a restart: %v", len(open), err)
	}
	d.checkTrail(ctx, db)
	if err := db.Close(); err != nil {
		d.t.Error(err)
	}
}

// trail is what the audit trail says of signatures.
type trail struct {
	signing map[string]issuer.AuditEvent // "about to sign", by intent
	done    map[string]issuer.AuditEvent // signed and stored, by credential
	ended   map[string]bool              // intents whose signature was given up
	lists   map[string]bool              // digests of lists
}

func (d *driver) checkTrail(ctx context.Context, db *badger.DB) {
	d.t.Helper()
	t := d.readTrail(ctx, db)
	records, cursor := 0, ""
	for {
		page, next, err := db.Records(ctx, tenant, cursor, 500)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, rec := range page {
			records++
			if err := d.take(place{string(rec.Group), strconv.FormatUint(rec.Index, 10)}, string(rec.ID)); err != nil {
				d.t.Error(err)
			}
			signed, ok := t.done[string(rec.ID)]
			if !ok || signed.Intent != rec.IntentID || signed.Digest != rec.Digest || t.signing[rec.IntentID].Object != string(rec.ID) {
				d.t.Errorf("I5: credential %s has no audit entries, or those of another intent", rec.ID)
			}
			if h := d.issued[string(rec.ID)]; h != nil && digest(h.credential) != rec.Digest {
				d.t.Errorf("I5: credential %s has digest %s, its record %s", rec.ID, digest(h.credential), rec.Digest)
			}
			if rec.LogIndex == nil { // the check empties the outbox
				d.t.Errorf("credential %s is not in the log", rec.ID)
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	if records != len(t.done) || len(t.signing) != len(t.done)+len(t.ended) {
		d.t.Errorf("I5: %d signatures were announced, %d led to a credential and %d were given up; %d credentials are stored",
			len(t.signing), len(t.done), len(t.ended), records)
	}
	for list := range d.signed {
		if !t.lists[list] {
			d.t.Errorf("I5: a status list was published whose signature has no audit entry (%s)", list)
		}
	}
}

func (d *driver) readTrail(ctx context.Context, db *badger.DB) trail {
	d.t.Helper()
	t := trail{signing: map[string]issuer.AuditEvent{}, done: map[string]issuer.AuditEvent{}, ended: map[string]bool{}, lists: map[string]bool{}}
	for cursor := ""; ; {
		page, next, err := db.Audit(ctx, cursor, 500)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, e := range page {
			switch {
			case e.Event == issuer.AuditSign:
				if _, twice := t.signing[e.Intent]; twice || e.Intent == "" {
					d.t.Errorf("I5: intent %q was to be signed twice, or is none", e.Intent)
				}
				t.signing[e.Intent] = e
			case e.Event == issuer.AuditSigned:
				if _, twice := t.done[e.Object]; twice {
					d.t.Errorf("I5: credential %s was signed twice", e.Object)
				}
				t.done[e.Object] = e
			case e.Event == issuer.AuditRevoke && e.Intent != "":
				t.ended[e.Intent] = true
			case e.Event == registry.AuditListSign:
				t.lists[e.Digest] = true
			}
		}
		if cursor = next; next == "" {
			return t
		}
	}
}

// checkEnd measures P5 on the running server, and checks everything once more.
func (d *driver) checkEnd() {
	d.t.Helper()
	ctx := d.t.Context()
	p := d.s.start("")
	if _, err := p.ready(ctx); err != nil {
		d.t.Fatal(err)
	}
	var last *held
	for _, h := range d.issued {
		if !h.asked {
			last = h
		}
	}
	if last == nil {
		d.t.Fatal("no credential is left to revoke")
	}
	if err := d.revoke(ctx, last); err != nil {
		d.t.Fatal(err)
	}
	d.published = 0 // of all before: from a start of the server
	faults := d.checkRevoked(ctx)
	d.t.Logf("published %s after the revocation; slowest restart %s", d.published.Round(time.Millisecond), d.slow.Round(time.Millisecond))
	if err := errors.Join(faults, d.checkIssued(ctx, true)); err != nil {
		d.t.Error(err)
	}
	d.s.client.CloseIdleConnections()
	p.stop()
	d.checkStore()
}
