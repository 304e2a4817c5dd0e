package verifier

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"heartmark/internal/statuslist"
	"heartmark/schemas"

	"golang.org/x/sync/singleflight"
)

// Limits of security.md §3 for status lists.
const (
	maxListPacked = 2 << 20
	maxListOpened = 16 << 20
	listTTL       = 5 * time.Minute // used where a list names none, and the longest that one is believed
	listTrust     = 5 * time.Minute // how long a verified signature stands before the signer's key is asked for again
	maxLists      = 1_000
)

// heldList is a status list whose credential was verified.
type heldList struct {
	bits       statuslist.Bits
	tokens     statuslist.Tokens // of a token status list, which has no bits and no purposes
	purposes   []string
	issuer     string
	validFrom  time.Time
	validUntil time.Time // zero if the list names none
	ttl        time.Duration

	sum        [sha256.Size]byte
	version    uint64
	local      bool
	evidence   Evidence
	fetchedAt  time.Time
	verifiedAt time.Time
}

func (h *heldList) hasPurpose(p string) bool { return slices.Contains(h.purposes, p) }

func (h *heldList) expired(now time.Time) bool {
	return !h.validUntil.IsZero() && !now.Before(h.validUntil)
}

// fresh tells whether the list may be used without asking its origin.
func (h *heldList) fresh(now time.Time) bool {
	return !h.local && !h.expired(now) && !now.Before(h.fetchedAt) && now.Before(h.fetchedAt.Add(h.ttl))
}

// readSince tells whether a list of our own store was read in this very run.
func (h *heldList) readSince(since, now time.Time) bool {
	return h.local && !since.IsZero() && !h.fetchedAt.Before(since) && !h.expired(now) && !now.Before(h.fetchedAt) && now.Before(h.fetchedAt.Add(listTTL))
}

// listFault is why a list cannot be used; it names a code of the table.
type listFault struct{ code, detail string }

// Error makes a listFault travel through the joined load.
func (f *listFault) Error() string { return f.code + ": " + f.detail }

func errOlderList() *listFault {
	return &listFault{"status_verification", "an older version than one seen before"}
}

// listCache keeps verified lists by URL, and the newest version that was seen of each.
type listCache struct {
	mu      sync.Mutex // guards lists; never held across I/O
	lists   map[string]*heldList
	flights singleflight.Group
}

func (c *listCache) get(url string) *heldList {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lists[url]
}

// put stores a list and reports whether it did: not if a newer one is there, since two loads may end in either order.
func (c *listCache) put(url string, h *heldList) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.lists[url]; old != nil && older(h, old) {
		return false
	}
	if c.lists == nil {
		c.lists = map[string]*heldList{}
	}
	if _, ok := c.lists[url]; !ok && len(c.lists) >= maxLists {
		for k := range c.lists {
			delete(c.lists, k)
			break
		}
	}
	c.lists[url] = h
	return true
}

// older tells whether a reader that has seen b must refuse a (security.md R6): by the publisher's version where both have
// one, else by the instant from which they are valid.
func older(a, b *heldList) bool {
	if a.version != 0 && b.version != 0 {
		return a.version < b.version
	}
	return a.validFrom.Before(b.validFrom)
}

// listQuery asks for a status list.
type listQuery struct {
	url    string
	issuer string    // of the credential that names the list
	since  time.Time // see Input.Since
	tokens bool      // a token status list, not a status list credential
}

// key tells lists of both kinds at one address apart.
func (q listQuery) key() string {
	if q.tokens {
		return "token " + q.url
	}
	return q.url
}

// statusList returns the verified list that q asks for. Fresh lists come from memory; a list of this
// installation's own store is read each time, so that a revocation is seen at once, and only its verification is saved.
func (v *Verifier) statusList(ctx context.Context, q listQuery, p Policy, now time.Time) (*heldList, Evidence, *listFault) {
	held := v.lists.get(q.key())
	fromCache := held != nil && (held.fresh(now) || held.readSince(q.since, now)) && !p.aged(held.fetchedAt, now)
	if !fromCache {
		loaded, err := v.loadList(ctx, q, held, now)
		if err != nil {
			fault := &listFault{code: "status_retrieval"}
			if f, ok := errors.AsType[*listFault](err); ok {
				fault = f
			}
			if fault.code != "status_retrieval" || held == nil {
				return nil, Evidence{Source: q.url}, fault
			}
			// The origin does not answer and an old list is at hand: the policy says how old is too old. Our own lists are never
			// taken from memory, and a clock that went back proves no age.
			if held.local || now.Before(held.fetchedAt) || held.expired(now) || now.Sub(held.fetchedAt.Add(held.ttl)) >= p.MaxStale {
				return nil, held.evidence, &listFault{"status_stale", "fetched " + schemas.FormatTime(held.fetchedAt)}
			}
			loaded, fromCache = held, true
		}
		held = loaded
	}
	evidence := held.evidence
	evidence.FromCache = fromCache
	if !fromCache && !held.local && now.Sub(held.fetchedAt) > held.ttl+p.MaxStale { // it came old, out of a snapshot
		return nil, evidence, &listFault{"status_stale", "as of " + schemas.FormatTime(held.fetchedAt)}
	}
	if !held.local && p.aged(held.fetchedAt, now) {
		return nil, evidence, &listFault{"status_stale", "as of " + schemas.FormatTime(held.fetchedAt)}
	}
	if !v.mayReport(ctx, held.issuer, q.issuer, now) {
		return nil, evidence, &listFault{"status_verification", "the list is issued by another than the credential's issuer"}
	}
	return held, evidence, nil
}

// loadList gets and verifies a list once for all who ask at one time; it does not end because the first of them left.
func (v *Verifier) loadList(ctx context.Context, q listQuery, held *heldList, now time.Time) (*heldList, error) {
	if v.cfg.Status == nil {
		return nil, &listFault{"status_retrieval", "no source is configured"}
	}
	shared := context.WithoutCancel(ctx)
	result := v.lists.flights.DoChan(q.key()+"\n"+q.issuer, func() (any, error) {
		doc, err := v.cfg.Status.StatusList(shared, q.url)
		if err != nil {
			return nil, err
		}
		h, fault := v.openList(shared, doc, q, held, now)
		if fault != nil {
			return nil, fault
		}
		if !v.lists.put(q.key(), h) {
			return nil, errOlderList()
		}
		return h, nil
	})
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*heldList), nil
	}
}

// openList verifies a list and opens its bits.
func (v *Verifier) openList(ctx context.Context, doc StatusDocument, q listQuery, held *heldList, now time.Time) (*heldList, *listFault) {
	sum := sha256.Sum256(doc.Data)
	if held != nil && held.sum == sum && held.local == doc.Local && now.Sub(held.verifiedAt) < listTrust && !now.Before(held.verifiedAt) {
		again := *held
		if again.expired(now) {
			return nil, &listFault{"status_verification", "the list has expired"}
		}
		again.fetchedAt = doc.obtained(now)
		again.evidence = listEvidence(doc, q.url, &again)
		return &again, nil
	}
	if len(doc.Data) > maxListPacked {
		return nil, &listFault{"status_verification", "the list is too large"}
	}
	open := v.openBits
	if q.tokens {
		open = v.openTokens
	}
	h, fault := open(ctx, doc.Data, q, now)
	if fault != nil {
		return nil, fault
	}
	h.sum, h.version, h.local, h.fetchedAt = sum, doc.Version, doc.Local, doc.obtained(now)
	if held != nil && older(h, held) {
		return nil, errOlderList()
	}
	h.evidence = listEvidence(doc, q.url, h)
	return h, nil
}

// openBits verifies a status list credential and opens its bits (Bitstring Status List 1.0, 3.2).
func (v *Verifier) openBits(ctx context.Context, data []byte, q listQuery, now time.Time) (*heldList, *listFault) {
	list := &run{v: v, policy: closedPolicy(), now: now, in: Input{Data: data}}
	var doc map[string]any
	var err error
	if isToken(data) {
		doc, _, err = list.parseToken(announced{kind: KindCredential, typ: tokenCredential})
	} else {
		doc, err = schemas.ParseObject(data)
	}
	if err != nil {
		return nil, &listFault{"status_retrieval", "what came is no JSON object, and no credential's token"}
	}
	list.setDocument(doc)
	h, fault := readList(doc, q.url)
	if fault != nil {
		return nil, fault
	}
	if !v.mayReport(ctx, h.issuer, q.issuer, now) { // before its key is looked up: a stranger's list costs no request
		return nil, &listFault{"status_verification", "the list is issued by another than the credential's issuer"}
	}
	if fault := list.verifyList(ctx, h.issuer); fault != nil {
		return nil, fault
	}
	h.verifiedAt = now
	if fault := h.open(doc); fault != nil {
		return nil, fault
	}
	return h, nil
}

// obtained is when the bytes left their publisher; a time to come counts as now.
func (d StatusDocument) obtained(now time.Time) time.Time {
	if d.AsOf.IsZero() || d.AsOf.After(now) {
		return now
	}
	return d.AsOf
}

func listEvidence(doc StatusDocument, url string, h *heldList) Evidence {
	e := doc.Evidence
	if e.Source == "" {
		e.Source = url
	}
	if e.FetchedAt.IsZero() {
		e.FetchedAt = h.fetchedAt
	}
	e.ExpiresAt = h.fetchedAt.Add(h.ttl)
	if !h.validUntil.IsZero() && h.validUntil.Before(e.ExpiresAt) {
		e.ExpiresAt = h.validUntil
	}
	if e.Digest == "" {
		e.Digest = digest(doc.Data)
	}
	return e
}

// verifyList checks the list as the credential it is: model, period, and that its own issuer secured it.
func (r *run) verifyList(ctx context.Context, issuer string) *listFault {
	if r.model(schemas.ValidateCredential) && (r.envelope == nil || r.claimsAgree(issuer)) {
		r.period()
		r.secured(ctx, proofQuery{owner: issuer, purpose: purposeAssertion, network: true})
	}
	for _, id := range []CheckID{CheckModel, CheckPeriod, CheckProof, CheckPurpose, CheckIssuerBinding} {
		if r.has(id) {
			continue
		}
		for _, c := range r.checks {
			if c.ID == id && c.Outcome != Pass {
				return &listFault{"status_verification", "the list's " + string(id) + " check: " + c.Detail}
			}
		}
		return &listFault{"status_verification", "the list's " + string(id) + " could not be checked"}
	}
	return nil
}

// readList checks what the list says of itself.
func readList(doc map[string]any, url string) (*heldList, *listFault) {
	refuse := func(detail string) (*heldList, *listFault) {
		return nil, &listFault{"status_verification", detail}
	}
	if !slices.Contains(texts(doc["type"]), "BitstringStatusListCredential") {
		return refuse("what came is no status list credential")
	}
	if text(doc, "id") != url {
		return refuse("the list has another id than its URL")
	}
	subject := object(doc, "credentialSubject")
	if !slices.Contains(texts(subject["type"]), "BitstringStatusList") {
		return refuse("the subject is no status list")
	}
	h := &heldList{issuer: reference(doc["issuer"]), purposes: texts(subject["statusPurpose"]), ttl: listTTL}
	if len(h.purposes) == 0 {
		return refuse("the list names no purpose")
	}
	if value, present := subject["ttl"]; present {
		n, _ := value.(json.Number)
		ms, err := strconv.ParseUint(n.String(), 10, 32)
		if err != nil {
			return refuse("the list's ttl is not a number of milliseconds")
		}
		h.ttl = min(time.Duration(ms)*time.Millisecond, listTTL)
	}
	// Both dates are read again here; the period check has refused those that cannot be.
	h.validFrom, _ = schemas.ParseTime(text(doc, "validFrom"))
	h.validUntil, _ = schemas.ParseTime(text(doc, "validUntil"))
	return h, nil
}

func (h *heldList) open(doc map[string]any) *listFault {
	if h.expired(h.verifiedAt) { // no skew: an expired list is never used
		return &listFault{"status_verification", "the list has expired"}
	}
	bits, err := statuslist.Decode(text(object(doc, "credentialSubject"), "encodedList"), maxListOpened)
	switch {
	case errors.Is(err, statuslist.ErrTooLarge):
		return &listFault{"status_verification", "the list opens to more than allowed"}
	case err != nil:
		return &listFault{"status_malformed", "the list's bits cannot be read"}
	}
	h.bits = bits
	return nil
}
