//go:build crashpoints && unix

package crash_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/statuslist"
	"heartmark/schemas"
)

// driver knows what was asked and what was answered. Its maps are guarded by mu while a load runs.
type driver struct {
	t *testing.T
	s *installation
	*client
	journal *journal

	mu      sync.Mutex
	issued  map[string]*held // acknowledged, by credential id
	places  map[place]string // who was given an index: a credential id, acknowledged or not
	lists   map[string]list  // newest bits seen, by address
	signed  map[string]bool  // digests of the lists seen, without their proofs
	wallets []*flow          // all that came as far as a code
	open    []*order         // issuings without an answer
	ending  []*held          // revocations without an answer
	fresh   []*held          // acknowledged since the last check
	// slow is the longest restart, published the longest wait for a revocation in a list.
	slow, published time.Duration
}

// place is an index of a group of lists.
type place struct{ group, index string }

// list is a status list as it was last seen.
type list struct{ bits statuslist.Bits }

// order is a request for a credential, which can be repeated.
type order struct {
	Key, Holder string
}

// held is a credential that was acknowledged.
type held struct {
	id         string
	credential json.RawMessage
	place      place
	lists      map[string]string // address by purpose
	order      *order            // nil for a wallet's
	revoked    bool              // acknowledged
	asked      bool              // revocation asked for
}

func newDriver(t *testing.T, s *installation) *driver {
	t.Helper()
	j := newJournal(t, s.dir)
	return &driver{
		t: t, s: s, client: &client{s: s, journal: j}, journal: j, issued: map[string]*held{}, places: map[place]string{},
		lists: map[string]list{}, signed: map[string]bool{},
	}
}

func (d *driver) counts() (issued, revoked, wallets int) {
	for _, h := range d.issued {
		if h.revoked {
			revoked++
		}
		if h.order == nil {
			wallets++
		}
	}
	return len(d.issued), revoked, wallets
}

// wasted counts the indexes that no acknowledged credential has.
func (d *driver) wasted() int { return len(d.places) - len(d.issued) }

// killRound loads the server until it is killed, at the named point or from outside, and returns how long it ran.
func (d *driver) killRound(n int, point string) time.Duration {
	d.t.Helper()
	if err := d.journal.write(entry{Event: "round", What: fmt.Sprintf("%d: %s", n+1, point)}); err != nil {
		d.t.Fatal(err)
	}
	p := d.s.start(point)
	ctx, cancel := context.WithTimeout(d.t.Context(), reachIn)
	defer cancel()
	_, err := p.ready(ctx)
	if err != nil && !(errors.Is(err, errEnded) && point != "") {
		d.t.Fatalf("round %d: %v\n%s", n+1, err, d.s.logTail())
	}
	if point == "" {
		timer := time.AfterFunc(50*time.Millisecond+rand.N(1950*time.Millisecond), func() { _ = p.cmd.Process.Kill() })
		defer timer.Stop()
	}
	var workers sync.WaitGroup
	for w := range 3 {
		workers.Go(func() { d.report(ctx, d.issuing(ctx, fmt.Sprintf("%d-%d", n, w))) })
	}
	workers.Go(func() { d.report(ctx, d.taking(ctx)) })
	workers.Go(func() { d.report(ctx, d.reading(ctx)) })
	select {
	case <-p.ended:
	case <-ctx.Done():
		_ = p.cmd.Process.Kill()
		<-p.ended
		d.t.Errorf("the load did not pass %s within %s", point, reachIn)
	}
	ran := time.Since(p.started)
	workers.Wait()
	d.s.client.CloseIdleConnections()
	if !p.killed() {
		d.t.Errorf("the server ended by itself: %s", p.state)
	}
	return ran
}

// report fails the test for whatever is not the loss of an answer, which is what the kill is for.
func (d *driver) report(ctx context.Context, err error) {
	if err != nil && !errors.Is(err, errLost) && ctx.Err() == nil {
		d.t.Error(err)
	}
}

// issuing issues to one new holder after the other, and revokes every second credential.
func (d *driver) issuing(ctx context.Context, worker string) error {
	for n := 0; ; n++ {
		// A pace that leaves the driver time to check everything, and lets the workers meet in ever new ways.
		if err := pause(ctx, rand.N(30*time.Millisecond)); err != nil {
			return err
		}
		holder, err := newHolder()
		if err != nil {
			return err
		}
		h, err := d.issue(ctx, &order{Key: fmt.Sprintf("%s-%d", worker, n), Holder: holder.did})
		if err != nil {
			return err
		}
		if n%2 == 0 {
			if err := d.revoke(ctx, h); err != nil {
				return err
			}
		}
	}
}

// issue asks for a credential. Without an answer the order stays open.
func (d *driver) issue(ctx context.Context, o *order) (*held, error) {
	var answer struct {
		ID          string
		Credentials []struct{ Credential json.RawMessage }
	}
	err := d.want(ctx, call{method: http.MethodPost, path: "/v1/credentials", key: o.Key, body: map[string]any{
		"configuration": "dei-profile", "report": reportID, "subject": map[string]any{"id": o.Holder},
	}}, http.StatusCreated, &answer)
	if errors.Is(err, errLost) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.open = append(d.open, o)
	}
	if err != nil {
		return nil, err
	}
	if len(answer.Credentials) != 1 {
		return nil, fmt.Errorf("issuing under %s gave %d credentials", o.Key, len(answer.Credentials))
	}
	return d.acknowledge(answer.ID, answer.Credentials[0].Credential, o)
}

// acknowledge notes a credential that was given out. I3: nobody else has its index.
func (d *driver) acknowledge(id string, credential json.RawMessage, o *order) (*held, error) {
	h, err := readHeld(id, credential, o)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known := d.issued[h.id]; known != nil {
		if string(known.credential) != string(h.credential) {
			return nil, fmt.Errorf("credential %s was given out twice with different content", h.id)
		}
		return known, nil
	}
	if err := d.take(h.place, h.id); err != nil {
		return nil, err
	}
	d.issued[h.id] = h
	d.fresh = append(d.fresh, h)
	return h, nil
}

// take notes who has an index, with mu held.
func (d *driver) take(p place, id string) error {
	if other, taken := d.places[p]; taken && other != id {
		return fmt.Errorf("I3: index %s of group %s was handed out to %s and to %s", p.index, p.group, other, id)
	}
	d.places[p] = id
	return nil
}

// readHeld reads the status entries of a credential and brings it into the one form that all its copies have.
func readHeld(id string, credential json.RawMessage, o *order) (*held, error) {
	doc, err := schemas.ParseObject(credential)
	if err != nil {
		return nil, err
	}
	var parts struct {
		ID               string
		CredentialStatus []struct{ StatusPurpose, StatusListIndex, StatusListCredential string }
	}
	if err := json.Unmarshal(credential, &parts); err != nil {
		return nil, err
	}
	h := &held{id: parts.ID, order: o, lists: map[string]string{}}
	if id != "" && id != parts.ID {
		return nil, fmt.Errorf("the answer names %s, the credential in it %s", id, parts.ID)
	}
	for _, entry := range parts.CredentialStatus {
		u, err := url.Parse(entry.StatusListCredential)
		if err != nil {
			return nil, err
		}
		h.lists[entry.StatusPurpose] = u.Path
		h.place = place{group: groupOf(u.Path), index: entry.StatusListIndex}
	}
	if h.lists[schemas.PurposeRevocation] == "" {
		return nil, fmt.Errorf("credential %s has no entry in a revocation list", parts.ID)
	}
	h.credential, err = schemas.Marshal(doc)
	return h, err
}

// revoke asks for a revocation. Without an answer it stays open.
func (d *driver) revoke(ctx context.Context, h *held) error {
	d.mu.Lock()
	h.asked = true
	d.mu.Unlock()
	var answer struct{ Status string }
	err := d.want(ctx, call{method: http.MethodPost, path: "/v1/credentials/" + h.id + "/status", body: map[string]any{
		"status": "revoked", "reason": "kill loop",
	}}, http.StatusOK, &answer)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case errors.Is(err, errLost):
		d.ending = append(d.ending, h)
	case err == nil && answer.Status != "revoked":
		err = fmt.Errorf("revoking %s gave status %q", h.id, answer.Status)
	case err == nil:
		h.revoked = true
	}
	return err
}

// reading reads the published lists again and again.
func (d *driver) reading(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := d.readLists(ctx); err != nil {
				return err
			}
		}
	}
}

// holder is a key of somebody who is issued to.
type holder struct {
	key      ed25519.PrivateKey
	did, kid string
}

func newHolder() (holder, error) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return holder{}, err
	}
	multibase, err := keys.Multibase(public)
	if err != nil {
		return holder{}, err
	}
	did := "did:key:" + multibase
	return holder{key: private, did: did, kid: did + "#" + multibase}, nil
}
