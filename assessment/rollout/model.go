package rollout

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Digest names a model's files as a whole: the SHA-256 of its SHA256SUMS, 64 hex digits.
type Digest string

// ParseDigest reads a digest as sha256sum prints it.
func ParseDigest(s string) (Digest, error) {
	s = strings.ToLower(strings.TrimPrefix(s, "sha256:"))
	if raw, err := hex.DecodeString(s); err != nil || len(raw) != 32 {
		return "", fmt.Errorf("%q is not a SHA-256 in hex", s)
	}
	return Digest(s), nil
}

// Short is the beginning of the digest, for people.
func (d Digest) Short() string { return string(d[:min(12, len(d))]) }

// State is what a model is used for.
type State string

// States of a model.
const (
	StateRegistered State = "registered" // known and sound when it was added
	StateShadow     State = "shadow"     // scores a share of what the current one scores; nobody sees its scores
	StateCurrent    State = "current"    // answers
	StateRetired    State = "retired"    // was current
	StateRemoved    State = "removed"    // no longer offered; its transitions stay
)

// Act is why a state changed.
type Act string

// Acts, as transitions and the audit trail name them.
const (
	ActRegister Act = "register"
	ActShadow   Act = "shadow"
	ActUnshadow Act = "unshadow"
	ActPromote  Act = "promote"
	ActRollback Act = "rollback"
	ActRemove   Act = "remove"
)

// Model is what is known of one model.
type Model struct {
	Digest  Digest   `json:"digest"`
	ID      string   `json:"id"`
	Version string   `json:"version"`
	SHA256  string   `json:"sha256"` // of the graph that runs on the CPU; reports name it
	Scale   string   `json:"scale"`  // that its files declare
	Heads   []string `json:"heads"`  // in output order
	Folder  string   `json:"folder,omitempty"`
	BuiltIn bool     `json:"built_in,omitempty"`
	// Seal is what the operator vouched for when the model was added, sealed by the installation.
	Seal []byte `json:"seal,omitempty"`
}

// Name is the model as people name it: id@version.
func (m Model) Name() string { return m.ID + "@" + m.Version }

// Transition is one change of one model's state. Transitions are only ever appended.
type Transition struct {
	Seq    uint64    `json:"seq"` // 1, 2, 3 …
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Act    Act       `json:"act"`
	Model  Digest    `json:"model"`
	From   State     `json:"from,omitempty"`
	To     State     `json:"to"`
	Reason string    `json:"reason,omitempty"`
	// Details tell what was registered; of the built-in model, what it was when it first changed its state.
	Details *Model `json:"details,omitempty"`
	// Share is the share of assessments that a shadow scores.
	Share float64 `json:"share,omitempty"`
	// Grounds are what a promotion rests on.
	Grounds *Grounds `json:"grounds,omitempty"`
	// Scale is the scale version that a current model reports on.
	Scale string `json:"scale,omitempty"`
}

// Grounds are what a promotion rests on, and what it was lacking.
type Grounds struct {
	Link       string   `json:"link,omitempty"`       // SHA-256 of the linking record
	Evaluation string   `json:"evaluation,omitempty"` // SHA-256 of the evaluation report
	Shadowed   uint64   `json:"shadowed"`             // messages that both models scored
	Unmet      []string `json:"unmet,omitempty"`      // codes of what was overridden
}

// Entry is a model with its state.
type Entry struct {
	Model
	State State     `json:"state"`
	Since time.Time `json:"since,omitzero"` // of the state; zero for a built-in model that never changed
	Share float64   `json:"share,omitempty"`
	// RunsAs is the scale version of its reports while it is current, and was when it last was.
	RunsAs string `json:"runs_as,omitempty"`
}

// ledger is what the transitions say together.
type ledger struct {
	entries map[Digest]*Entry
	order   []Digest
	reigns  []Digest // current models, the present one last
	scales  []string // every scale version that was ever reported on
	next    uint64   // sequence number of the next transition
}

// fold reads the transitions over the built-in model of this program.
func fold(builtIn Model, transitions []Transition) (*ledger, error) {
	l := &ledger{entries: map[Digest]*Entry{}, next: 1}
	for _, t := range transitions {
		if t.Seq != l.next {
			return nil, fmt.Errorf("%w: transition %d follows %d", ErrDamaged, t.Seq, l.next-1)
		}
		l.next++
		if err := l.apply(t); err != nil {
			return nil, err
		}
	}
	l.settle(builtIn)
	return l, nil
}

// settle puts the built-in model of this program in its place. One that was built into an earlier program is gone with it:
// where it was current, the built-in model of this program is, as in an installation that never promoted any.
func (l *ledger) settle(builtIn Model) {
	for _, e := range l.entries {
		if e.BuiltIn && e.Digest != builtIn.Digest {
			e.State = StateRemoved
		}
	}
	own := l.entries[builtIn.Digest]
	if own == nil {
		own = l.add(builtIn)
	}
	own.Model = builtIn
	if own.State == StateRemoved { // a folder once stood for what is built in now
		own.State = StateRegistered
	}
	if n := len(l.reigns) - 1; n < 0 || l.entries[l.reigns[n]].State == StateRemoved {
		l.reigns = append(l.reigns[:max(n, 0)], builtIn.Digest)
		own.State, own.RunsAs = StateCurrent, builtIn.Scale
	}
	l.scales = append(l.scales, builtIn.Scale)
}

func (l *ledger) add(m Model) *Entry {
	e := &Entry{Model: m, State: StateRegistered}
	if l.entries[m.Digest] == nil {
		l.order = append(l.order, m.Digest)
	}
	l.entries[m.Digest] = e
	return e
}

func (l *ledger) apply(t Transition) error {
	e := l.entries[t.Model]
	if t.Details != nil && (e == nil || t.Act == ActRegister) {
		e = l.add(*t.Details)
	}
	if e == nil {
		return fmt.Errorf("%w: transition %d is about an unknown model", ErrDamaged, t.Seq)
	}
	switch t.Act {
	case ActPromote:
		if t.To != StateCurrent && len(l.reigns) > 0 {
			l.reigns = l.reigns[:len(l.reigns)-1] // put back next line: what leaves is what reigned, also after a new program
		}
		l.reigns = append(l.reigns, t.Model)
	case ActRollback:
		if t.To == StateRetired && len(l.reigns) > 1 {
			l.reigns = l.reigns[:len(l.reigns)-1]
		}
	case ActRegister, ActShadow, ActUnshadow, ActRemove:
	}
	e.State, e.Since, e.Share = t.To, t.At, t.Share
	if t.Scale != "" {
		e.RunsAs = t.Scale
		l.scales = append(l.scales, t.Scale)
	}
	return nil
}

func (l *ledger) current() *Entry { return l.entries[l.reigns[len(l.reigns)-1]] }

// inState returns the one model in a state, or nil.
func (l *ledger) inState(s State) *Entry {
	for _, d := range l.order {
		if l.entries[d].State == s {
			return l.entries[d]
		}
	}
	return nil
}
