package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"heartmark/internal/did"
	"heartmark/schemas"
	"heartmark/schemas/trust"
)

const (
	challengeLife = 10 * time.Minute
	// controlLabel keeps a signature over a challenge from being one over anything else.
	controlLabel = "heartmark/control/v1\n"
	maxResources = 50
	maxReason    = 200
)

// Challenge is what an entity signs to prove that it controls its DID. It is good once, for this registry and this DID.
type Challenge struct {
	Registry string    `json:"registry"`
	DID      string    `json:"did"`
	Nonce    string    `json:"nonce"`
	Expires  time.Time `json:"expires"`
}

// Message returns the bytes to sign: a label, then the canonical JSON (RFC 8785) of the challenge.
func (c Challenge) Message() []byte {
	body, err := schemas.CanonicalJSON(map[string]any{
		"registry": c.Registry, "did": c.DID, "nonce": c.Nonce, "expires": schemas.FormatTime(c.Expires),
	})
	if err != nil {
		// Text that is not UTF-8 has no canonical form; such a challenge was never given out and nothing verifies for it.
		return nil
	}
	return append([]byte(controlLabel), body...)
}

// ControlProof answers a challenge. Signature is Ed25519, or ECDSA as r and s of fixed length, over Challenge.Message,
// with the key of Method.
type ControlProof struct {
	Challenge Challenge
	Method    string
	Signature []byte
}

// Challenge gives out a challenge for a DID, good for ten minutes and one grant.
func (r *Registry) Challenge(ctx context.Context, id string) (Challenge, error) {
	if _, err := did.Parse(id); err != nil {
		return Challenge{}, invalid("/did", "a DID")
	}
	nonce := make([]byte, 32)
	if _, err := rand.Read(nonce); err != nil {
		return Challenge{}, fmt.Errorf("nonce: %w", err)
	}
	c := Challenge{
		Registry: r.did, DID: id, Nonce: base64.RawURLEncoding.EncodeToString(nonce),
		Expires: r.now().Add(challengeLife).Truncate(time.Second),
	}
	stored := StoredChallenge{ID: sha256Hex([]byte(c.Nonce)), DID: id, Expires: c.Expires}
	if err := r.c.Store.Apply(ctx, Change{PutChallenge: &stored}); err != nil {
		return Challenge{}, fmt.Errorf("store challenge: %w", err)
	}
	return c, nil
}

// checkControl checks a proof and returns the id of the challenge, which the caller takes in the same change.
func (r *Registry) checkControl(ctx context.Context, entity string, p ControlProof, now time.Time) (string, error) {
	c := p.Challenge
	if c.Registry != r.did {
		return "", refuse("/control/challenge/registry", "a challenge of "+r.did, ErrProof)
	}
	if c.DID != entity {
		return "", refuse("/control/challenge/did", "a challenge for the entity", ErrProof)
	}
	id := sha256Hex([]byte(c.Nonce))
	stored, err := r.c.Store.Challenge(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return "", refuse("/control/challenge/nonce", "a challenge that this registry gave out and that was not used", ErrProof)
	}
	if err != nil {
		return "", err
	}
	if stored.DID != entity {
		return "", refuse("/control/challenge/did", "the DID that the challenge was given out for", ErrProof)
	}
	if !stored.Expires.Equal(c.Expires) || !now.Before(stored.Expires) {
		return "", refuse("/control/challenge/expires", "a challenge that has not expired", ErrProof)
	}
	owner, _, err := did.SplitURL(p.Method)
	if err != nil || owner != entity {
		return "", refuse("/control/method", "a verification method of the entity", ErrProof)
	}
	key, err := r.c.Control.ControlKey(ctx, entity, p.Method)
	if err != nil {
		return "", fmt.Errorf("key of %s: %w: %w", p.Method, refuse("/control/method", "a key that the entity's DID document lists", ErrProof), err)
	}
	if !trust.VerifySignature(key, c.Message(), p.Signature) {
		return "", refuse("/control/signature", "a signature over the challenge", ErrProof)
	}
	return id, nil
}

// Grant asks for authorities: one for each resource.
type Grant struct {
	Entity string
	// Name is the organisation's public name, as people will read it.
	Name string
	// Authority is the DID that grants; empty is this registry.
	Authority string
	// Action is one of Actions; empty is ActionIssue.
	Action    string
	Resources []string
	Levels    []schemas.Level
	Framework string
	// ValidFrom zero is now; ValidUntil zero has no end.
	ValidFrom  time.Time
	ValidUntil time.Time
	Control    ControlProof
	// AcceptSimilarName lets a name stand that looks like another entity's; the record is flagged.
	AcceptSimilarName bool
}

// GrantAuthority records that an entity may do something, after it proved control of its DID. Only an operator grants. It
// returns the new authorities, ErrForbidden, ErrProof, ErrConfusable, ErrPersonalData, or an *schemas.FieldError.
func (r *Registry) GrantAuthority(ctx context.Context, actor Actor, g Grant) ([]Authority, error) {
	if err := actor.must(RoleOperator); err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		now := r.now()
		if err := r.complete(&g, now); err != nil {
			return nil, err
		}
		flags, err := r.nameFlags(ctx, g)
		if err != nil {
			return nil, err
		}
		challenge, err := r.checkControl(ctx, g.Entity, g.Control, now)
		if err != nil {
			return nil, err
		}
		change, err := r.grantChange(ctx, g, flags, now)
		if err != nil {
			return nil, err
		}
		change.TakeChallenge = challenge
		err = r.record(ctx, actor, AuditGrant, g.Entity, change)
		if errors.Is(err, ErrStale) && try < maxStale {
			continue // a grant for the same was faster: look again
		}
		if err != nil {
			return nil, err
		}
		return change.Authorities, nil
	}
}

// grantChange makes the first versions of the authorities. Their ids follow from what they are about and how many there
// were for that, so that of two grants made at once for the same the store takes one.
func (r *Registry) grantChange(ctx context.Context, g Grant, flags []string, now time.Time) (Change, error) {
	existing, err := r.c.Store.Authorities(ctx, g.Entity)
	if err != nil {
		return Change{}, err
	}
	var change Change
	for i, resource := range g.Resources {
		a := Authority{
			Version: 1, Entity: g.Entity, Name: g.Name, Authority: g.Authority, Action: g.Action,
			Resource: resource, Levels: g.Levels, Framework: g.Framework, ValidFrom: g.ValidFrom, ValidUntil: g.ValidUntil,
			Status: Active, Since: g.ValidFrom, Recorded: now, ControlMethod: g.Control.Method, Flags: flags,
		}
		same, err := checkOverlap(a, existing)
		if err != nil {
			return Change{}, err
		}
		if err := r.checkAccredited(ctx, a, "/resources/"+strconv.Itoa(i)); err != nil {
			return Change{}, err
		}
		a.ID = authorityID(a, same)
		if err := change.addAuthority(a); err != nil {
			return Change{}, err
		}
	}
	return change, nil
}

// authorityID is a UUID (RFC 9562, version 8) out of what an authority is about and its number among those.
func authorityID(a Authority, number int) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		"heartmark/authority/v1", a.Entity, a.Authority, a.Action, a.Resource, strconv.Itoa(number),
	}, "\x00")))
	id := sum[:16]
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// checkOverlap refuses a second authority by the same body for the same act, resource and level in a time that another
// has. A withdrawn one has no time left from its withdrawal on. It returns how many authorities there are for the same.
func checkOverlap(a Authority, existing []Authority) (same int, err error) {
	for _, versions := range trust.ByID(existing) {
		last := versions[len(versions)-1]
		if last.Authority != a.Authority || last.Action != a.Action || last.Resource != a.Resource {
			continue
		}
		same++
		until := last.ValidUntil
		if last.Status == Withdrawn && (until.IsZero() || last.Since.Before(until)) {
			until = last.Since
		}
		disjoint := len(a.Levels) > 0 && len(last.Levels) > 0 &&
			!slices.ContainsFunc(a.Levels, func(l schemas.Level) bool { return slices.Contains(last.Levels, l) })
		before := !a.ValidUntil.IsZero() && !a.ValidUntil.After(last.ValidFrom)
		after := !until.IsZero() && !a.ValidFrom.Before(until)
		if !disjoint && !before && !after {
			return same, refuse("/validFrom", "a time in which authority "+last.ID+" is not in force", ErrOverlap)
		}
	}
	return same, nil
}

// checkAccredited holds a grant of another body to what that body was accredited for: the resource, its levels, and its
// time. The registry itself may grant anything.
func (r *Registry) checkAccredited(ctx context.Context, a Authority, pointer string) error {
	if a.Authority == r.did {
		return nil
	}
	beyond := func(pointer, expected string) error { return refuse(pointer, expected, ErrWider) }
	if a.Action == ActionRecognize {
		return beyond("/action", "an action that accrediting bodies may grant")
	}
	line, err := r.lineage(ctx, []Authority{a}, a.ValidFrom)
	if err != nil {
		return err
	}
	if len(line) == 0 {
		return beyond(pointer, "a resource, with levels, for which the authority is accredited then")
	}
	if until := line[1].ValidUntil; !until.IsZero() && (a.ValidUntil.IsZero() || a.ValidUntil.After(until)) {
		return beyond("/validUntil", "a time until "+schemas.FormatTime(until))
	}
	return nil
}

// complete fills in what was left out and checks the rest.
func (r *Registry) complete(g *Grant, now time.Time) error {
	if g.Authority == "" {
		g.Authority = r.did
	}
	if g.Action == "" {
		g.Action = ActionIssue
	}
	if g.ValidFrom.IsZero() {
		// Credentials state whole seconds: one issued in this very second must not lie before the authority.
		g.ValidFrom = now.Truncate(time.Second)
	}
	g.ValidFrom, g.ValidUntil = g.ValidFrom.UTC().Truncate(time.Millisecond), g.ValidUntil.UTC().Truncate(time.Millisecond)
	if _, err := did.Parse(g.Entity); err != nil {
		return invalid("/entity", "a DID")
	}
	if _, err := did.Parse(g.Authority); err != nil {
		return invalid("/authority", "a DID")
	}
	if g.Entity == g.Authority {
		return invalid("/authority", "another DID than the entity's")
	}
	if !slices.Contains(Actions(), g.Action) {
		return invalid("/action", "one of the registry's actions")
	}
	if len(g.Resources) == 0 || len(g.Resources) > maxResources {
		return invalid("/resources", "1 to 50 resources")
	}
	for i, resource := range g.Resources {
		if !schemas.IsURL(resource) || slices.Contains(g.Resources[:i], resource) {
			return invalid("/resources/"+strconv.Itoa(i), "a URL, named once")
		}
	}
	for i, level := range g.Levels {
		if level < 1 || level > 4 || slices.Contains(g.Levels[:i], level) {
			return invalid("/levels/"+strconv.Itoa(i), "a level from 1 to 4, named once")
		}
	}
	if g.Framework != "" && !schemas.IsURL(g.Framework) {
		return invalid("/framework", "a URL")
	}
	if !g.ValidUntil.IsZero() && !g.ValidUntil.After(g.ValidFrom) {
		return invalid("/validUntil", "a time after validFrom")
	}
	return named("/name", checkPersonal(g.Name))
}

// addAuthority puts a version and its log entry into the change.
func (c *Change) addAuthority(a Authority) error {
	p, err := authorityEntry(a)
	if err != nil {
		return err
	}
	a.Leaf = p.Leaf
	c.Authorities = append(c.Authorities, a)
	c.Pending = append(c.Pending, p)
	return nil
}

// record writes the journal, then makes the change, then wakes the sender.
func (r *Registry) record(ctx context.Context, actor Actor, event, object string, c Change) error {
	digest := ""
	if len(c.Pending) > 0 {
		digest = c.Pending[0].Leaf
	}
	at := r.now()
	if err := r.journal(ctx, AuditEvent{At: at, Event: event, Actor: actor.ID, Object: object, Digest: digest}); err != nil {
		return err
	}
	if err := r.c.Store.Apply(ctx, c); err != nil {
		return fmt.Errorf("record %s: %w", event, err)
	}
	r.wakeUp()
	return nil
}

// Suspend stops an authority for a time. Suspending again changes nothing.
func (r *Registry) Suspend(ctx context.Context, actor Actor, id, reason string) (Authority, error) {
	return r.change(ctx, actor, AuditSuspend, id, Suspended, time.Time{}, reason)
}

// Reinstate ends a suspension.
func (r *Registry) Reinstate(ctx context.Context, actor Actor, id, reason string) (Authority, error) {
	return r.change(ctx, actor, AuditReinstate, id, Active, time.Time{}, reason)
}

// Withdraw ends an authority for good, from since on; zero is now, and a past instant is allowed, since what comes to
// light late may have been wrong from early on.
func (r *Registry) Withdraw(ctx context.Context, actor Actor, id string, since time.Time, reason string) (Authority, error) {
	return r.change(ctx, actor, AuditWithdraw, id, Withdrawn, since, reason)
}

func (r *Registry) change(
	ctx context.Context, actor Actor, event, id string, to Status, since time.Time, reason string,
) (Authority, error) {
	if err := actor.must(RoleOperator); err != nil {
		return Authority{}, err
	}
	if err := checkReason(reason); err != nil {
		return Authority{}, err
	}
	for try := 0; ; try++ {
		versions, err := r.c.Store.AuthorityByID(ctx, id)
		if err != nil {
			return Authority{}, err
		}
		next, changed, err := nextVersion(versions[len(versions)-1], to, since, reason, r.now())
		if err != nil || !changed {
			return next, err
		}
		var c Change
		if err := c.addAuthority(next); err != nil {
			return Authority{}, err
		}
		err = r.record(ctx, actor, event, id, c)
		if errors.Is(err, ErrStale) && try < maxStale {
			continue
		}
		if err != nil {
			return Authority{}, err
		}
		return c.Authorities[0], nil
	}
}

// maxStale bounds how often a change is tried when others were faster.
const maxStale = 5

func nextVersion(last Authority, to Status, since time.Time, reason string, now time.Time) (next Authority, changed bool, err error) {
	if last.Status == to {
		return last, false, nil
	}
	if last.Status == Withdrawn {
		return last, false, fmt.Errorf("authority %s is withdrawn: %w", last.ID, ErrFinal)
	}
	if since.IsZero() {
		since = now
	}
	since = since.UTC().Truncate(time.Millisecond)
	if since.After(now) {
		return last, false, invalid("/since", "no time in the future")
	}
	next = last
	next.Version++
	next.Status, next.Since, next.Reason, next.Recorded = to, since, reason, now
	next.Leaf, next.Log = "", nil
	return next, true, nil
}

// Deactivate suspends every active authority of an entity at once, in one change, and returns how many.
func (r *Registry) Deactivate(ctx context.Context, actor Actor, entity, reason string) (int, error) {
	if err := actor.must(RoleOperator); err != nil {
		return 0, err
	}
	if err := checkReason(reason); err != nil {
		return 0, err
	}
	for try := 0; ; try++ {
		records, err := r.c.Store.Authorities(ctx, entity)
		if err != nil {
			return 0, err
		}
		if len(records) == 0 {
			return 0, fmt.Errorf("entity %s: %w", entity, ErrNotFound)
		}
		var c Change
		for _, versions := range trust.ByID(records) {
			last := versions[len(versions)-1]
			if last.Status != Active {
				continue
			}
			next, _, err := nextVersion(last, Suspended, time.Time{}, reason, r.now())
			if err != nil {
				return 0, err
			}
			if err := c.addAuthority(next); err != nil {
				return 0, err
			}
		}
		if len(c.Authorities) == 0 {
			return 0, nil
		}
		err = r.record(ctx, actor, AuditSuspend, entity, c)
		if errors.Is(err, ErrStale) && try < maxStale {
			continue
		}
		return len(c.Authorities), err
	}
}

func checkReason(reason string) error {
	if len(reason) > maxReason {
		return invalid("/reason", "at most 200 bytes")
	}
	return named("/reason", checkPersonal(reason))
}
