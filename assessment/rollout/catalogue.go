package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"heartmark/assessment"
)

var (
	// ErrUnknown is returned for a name that no model has.
	ErrUnknown = errors.New("no such model")
	// ErrAmbiguous is returned for a name that several models have. Name the digest.
	ErrAmbiguous = errors.New("several models have that name")
	// ErrState is returned when a model's state does not allow the act.
	ErrState = errors.New("the model's state does not allow this")
	// ErrReason is returned for an act that must be explained and is not.
	ErrReason = errors.New("a reason is required")
)

// Event is one line of the journal, written before the act. It has identifiers and digests only.
type Event struct {
	At     time.Time
	Event  string // one of the Audit constants
	Actor  string
	Object string // id@version of the model
	Digest string // of the model's SHA256SUMS
	Detail string
}

// Events of the audit trail.
const (
	AuditRegister = "model.register"
	AuditShadow   = "model.shadow"
	AuditPromote  = "model.promote"
	AuditRollback = "model.rollback"
	AuditRemove   = "model.remove"
	AuditRebase   = "model.rebase"
)

// Policy is what a promotion must show.
type Policy struct {
	// MinShadowed is how many messages both models must have scored; 0 reads 1,000.
	MinShadowed uint64
}

// Config is what a Catalogue is made of.
type Config struct {
	Store   Store
	BuiltIn Model
	Policy  Policy
	// Sealer binds an entry to this installation, which holds its key.
	Sealer assessment.Sealer
	// Journal gets each act before it happens; its error stops the act.
	Journal func(ctx context.Context, e Event) error
	Now     func() time.Time
}

// Catalogue is the list of models of an installation. It is safe for concurrent use: of two acts that meet, the second gets
// ErrStale.
type Catalogue struct {
	c Config
}

// New returns a Catalogue, or an error that names what the configuration lacks.
func New(c Config) (*Catalogue, error) {
	if c.Store == nil || c.Sealer == nil || c.Journal == nil || c.Now == nil || c.BuiltIn.Digest == "" {
		return nil, errors.New("catalogue of models: store, sealer, journal, clock and built-in model are required")
	}
	if c.Policy.MinShadowed == 0 {
		c.Policy.MinShadowed = 1000
	}
	c.BuiltIn.BuiltIn = true
	return &Catalogue{c: c}, nil
}

func (c *Catalogue) ledger(ctx context.Context) (*ledger, error) {
	transitions, err := c.c.Store.Transitions(ctx)
	if err != nil {
		return nil, err
	}
	return fold(c.c.BuiltIn, transitions)
}

// List returns all models that are not removed, in the order of their registration.
func (c *Catalogue) List(ctx context.Context) ([]Entry, error) {
	l, err := c.ledger(ctx)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for _, d := range l.order {
		if e := l.entries[d]; e.State != StateRemoved {
			out = append(out, *e)
		}
	}
	return out, nil
}

// History returns the transitions of a model, or of all for "", in order.
func (c *Catalogue) History(ctx context.Context, d Digest) ([]Transition, error) {
	all, err := c.c.Store.Transitions(ctx)
	if err != nil || d == "" {
		return all, err
	}
	return slices.DeleteFunc(all, func(t Transition) bool { return t.Model != d }), nil
}

// Current returns the model that answers, and the one in its shadow, which may be nil.
func (c *Catalogue) Current(ctx context.Context) (current Entry, shadow *Entry, err error) {
	l, err := c.ledger(ctx)
	if err != nil {
		return Entry{}, nil, err
	}
	return *l.current(), l.inState(StateShadow), nil
}

// Find returns the model that a name means: id, id@version, or eight or more digits of its digest.
func (c *Catalogue) Find(ctx context.Context, name string) (Entry, error) {
	l, err := c.ledger(ctx)
	if err != nil {
		return Entry{}, err
	}
	e, err := l.find(name)
	if err != nil {
		return Entry{}, err
	}
	return *e, nil
}

func (l *ledger) find(name string) (*Entry, error) {
	var found []*Entry
	for _, d := range l.order {
		e := l.entries[d]
		if e.State == StateRemoved {
			continue
		}
		if name == e.ID || name == e.Name() || len(name) >= 8 && strings.HasPrefix(string(d), strings.ToLower(name)) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("model %q: %w", name, ErrUnknown)
	case 1:
		return found[0], nil
	}
	names := make([]string, len(found))
	for n, e := range found {
		names[n] = e.Name() + " " + e.Digest.Short()
	}
	return nil, fmt.Errorf("model %q: %w: %s", name, ErrAmbiguous, strings.Join(names, ", "))
}

// Register loads a folder with the digest that the operator gives, and adds it. Registering it again, with the same digest,
// notes where it lies now. It wraps what Load wraps.
func (c *Catalogue) Register(ctx context.Context, actor, folder string, digest Digest) (Entry, error) {
	path, err := filepath.Abs(folder)
	if err != nil {
		return Entry{}, fmt.Errorf("model folder: %w", err)
	}
	manifest, err := load(Model{Digest: digest, Folder: path})
	if err != nil {
		return Entry{}, err
	}
	m := describe(manifest, digest)
	m.Folder = path
	if m.Seal, err = c.c.Sealer.Seal(ctx, "", sealKind, string(digest), statement(m)); err != nil {
		return Entry{}, fmt.Errorf("seal %s: %w", m.Name(), err)
	}
	l, err := c.ledger(ctx)
	if err != nil {
		return Entry{}, err
	}
	if e := l.entries[digest]; e != nil && e.State != StateRemoved {
		if e.BuiltIn {
			return Entry{}, fmt.Errorf("register %s: %w: it is built into this program", m.Name(), ErrState)
		}
		if e.Folder == path {
			return *e, nil
		}
		if e.State != StateRegistered {
			return Entry{}, fmt.Errorf("register %s: %w: it is %s and lies in %s", m.Name(), ErrState, e.State, e.Folder)
		}
	}
	if err := c.act(ctx, l, AuditRegister, path, Transition{Actor: actor, Act: ActRegister, Model: digest, To: StateRegistered, Details: &m}); err != nil {
		return Entry{}, err
	}
	return c.Find(ctx, string(digest))
}

// Shadow lets a model score a share, in (0, 1], of what the current one scores. One model is in the shadow at a time.
func (c *Catalogue) Shadow(ctx context.Context, actor, name string, share float64) error {
	if !(share > 0 && share <= 1) {
		return fmt.Errorf("share %v: want more than 0 and at most 1", share)
	}
	l, err := c.ledger(ctx)
	if err != nil {
		return err
	}
	e, err := l.find(name)
	if err != nil {
		return err
	}
	if e.State == StateCurrent {
		return fmt.Errorf("shadow %s: %w: it is the current model", e.Name(), ErrState)
	}
	if other := l.inState(StateShadow); other != nil && other.Digest != e.Digest {
		return fmt.Errorf("shadow %s: %w: %s is in the shadow; end that first", e.Name(), ErrState, other.Name())
	}
	if _, err := c.Load(ctx, e.Model); err != nil {
		return err
	}
	return c.act(ctx, l, AuditShadow, fmt.Sprintf("share %g", share),
		Transition{Actor: actor, Act: ActShadow, Model: e.Digest, From: e.State, To: StateShadow, Share: share, Details: c.details(e)})
}

// EndShadow takes the model out of the shadow. What was compared stays.
func (c *Catalogue) EndShadow(ctx context.Context, actor string) error {
	l, err := c.ledger(ctx)
	if err != nil {
		return err
	}
	e := l.inState(StateShadow)
	if e == nil {
		return fmt.Errorf("end the shadow: %w: no model is in it", ErrState)
	}
	return c.act(ctx, l, AuditShadow, "ended", Transition{Actor: actor, Act: ActUnshadow, Model: e.Digest, From: e.State, To: StateRegistered})
}

// Remove takes a registered or retired model off the list. Its files are not touched.
func (c *Catalogue) Remove(ctx context.Context, actor, name, reason string) error {
	l, err := c.ledger(ctx)
	if err != nil {
		return err
	}
	e, err := l.find(name)
	if err != nil {
		return err
	}
	if e.BuiltIn || e.State != StateRegistered && e.State != StateRetired {
		return fmt.Errorf("remove %s: %w: it is %s", e.Name(), ErrState, map[bool]State{true: "built in", false: e.State}[e.BuiltIn])
	}
	return c.act(ctx, l, AuditRemove, reason, Transition{Actor: actor, Act: ActRemove, Model: e.Digest, From: e.State, To: StateRemoved, Reason: reason})
}

// details are what a transition must carry of a model that no transition names yet: the built-in one.
func (c *Catalogue) details(e *Entry) *Model {
	if e.Digest != c.c.BuiltIn.Digest {
		return nil
	}
	m := c.c.BuiltIn
	return &m
}

// act is actOn for one transition.
func (c *Catalogue) act(ctx context.Context, l *ledger, event, detail string, t Transition) error {
	subject := l.entries[t.Model]
	if t.Act == ActRegister {
		subject = &Entry{Model: *t.Details}
	}
	return c.actOn(ctx, l, subject, event, detail, t)
}

// actOn journals what is about to happen to subject and appends it.
func (c *Catalogue) actOn(ctx context.Context, l *ledger, subject *Entry, event, detail string, ts ...Transition) error {
	now := c.c.Now().UTC()
	for n := range ts {
		ts[n].Seq, ts[n].At = l.next+uint64(n), now
		if ts[n].Actor == "" {
			return errors.New("catalogue of models: an act needs an actor")
		}
	}
	err := c.c.Journal(ctx, Event{
		At: now, Event: event, Actor: ts[0].Actor, Object: subject.Name(), Digest: string(subject.Digest), Detail: detail,
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return c.c.Store.Append(ctx, ts)
}

// document reads a JSON document.
func (c *Catalogue) document(ctx context.Context, key DocumentKey, into any) ([]byte, error) {
	data, err := c.c.Store.Document(ctx, key)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, key.Kind, err)
	}
	return data, nil
}
