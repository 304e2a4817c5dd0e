package dataintegrity

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"heartmark/schemas"
)

const (
	proofType = "DataIntegrityProof"
	// maxProofs bounds the proofs of one document.
	maxProofs = 20
)

// Proof is the proof object of VC Data Integrity 1.0, 2.1, read strictly. It is untrusted until Processor.Check returns nil.
type Proof struct {
	ID                 string
	Cryptosuite        string
	Created, Expires   time.Time // zero where absent
	VerificationMethod string
	Purpose            string
	Domain             []string // a set
	Challenge          string
	Nonce              string
	PreviousProof      []string
	Value              string // proofValue
}

// Proofs returns the proofs of doc, each with its shape checked. It returns ErrNoProof when there is none (absent, null,
// empty) and ErrProofShape when one is malformed, when there are more than 20, or when two share an id.
func Proofs(doc map[string]any) ([]map[string]any, error) {
	var list []map[string]any
	switch v := doc["proof"].(type) {
	case nil:
		return nil, ErrNoProof
	case map[string]any:
		if len(v) == 0 {
			return nil, ErrNoProof
		}
		list = []map[string]any{v}
	case []map[string]any:
		list = v
	case []any:
		for i, item := range v {
			m, ok := item.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("%w: /proof/%d is no object", ErrProofShape, i)
			}
			list = append(list, m)
		}
	default:
		return nil, fmt.Errorf("%w: /proof is no object and no array", ErrProofShape)
	}
	switch {
	case len(list) == 0:
		return nil, ErrNoProof
	case len(list) > maxProofs:
		return nil, fmt.Errorf("%w: %d proofs", ErrProofShape, len(list))
	}
	var ids []string
	for i, m := range list {
		proof, err := ParseProof(m)
		if err != nil {
			return nil, fmt.Errorf("/proof/%d: %w", i, err)
		}
		if proof.ID != "" && slices.Contains(ids, proof.ID) {
			return nil, fmt.Errorf("%w: /proof/%d: id stands twice", ErrProofShape, i)
		}
		ids = append(ids, proof.ID)
	}
	return list, nil
}

// ParseProof reads one proof object. Dates without offset are read as UTC. Members that it does not know are left to
// Check, which refuses them where no context defines them. Errors wrap ErrProofShape.
func ParseProof(m map[string]any) (Proof, error) {
	r := proofReader{m: m}
	p := Proof{
		ID:                 r.str("id", optional),
		Cryptosuite:        r.str("cryptosuite", required),
		Created:            r.time("created"),
		Expires:            r.time("expires"),
		VerificationMethod: r.str("verificationMethod", required),
		Purpose:            r.str("proofPurpose", required),
		Domain:             r.set("domain"),
		Challenge:          r.str("challenge", optional),
		Nonce:              r.str("nonce", optional),
		PreviousProof:      r.set("previousProof"),
		Value:              r.str("proofValue", required),
	}
	if typ := r.str("type", required); r.err == nil && typ != proofType {
		return Proof{}, fmt.Errorf("%w: type %.100q, expected %s", ErrProofShape, typ, proofType)
	}
	if r.err == nil && !strings.Contains(p.VerificationMethod, ":") {
		r.fail("verificationMethod", "an absolute URL")
	}
	if r.err == nil && p.ID != "" && !strings.Contains(p.ID, ":") {
		r.fail("id", "an absolute URL")
	}
	if r.err == nil && !p.Expires.IsZero() && !p.Created.IsZero() && p.Expires.Before(p.Created) {
		r.fail("expires", "a time after created")
	}
	return p, r.err
}

// CheckPeriod tells whether now is within the proof's own dates, give or take skew: not created in the future, not
// expired. It returns ErrProofPeriod.
func (p Proof) CheckPeriod(now time.Time, skew time.Duration) error {
	if !p.Created.IsZero() && p.Created.After(now.Add(skew)) {
		return fmt.Errorf("%w: created %s", ErrProofPeriod, schemas.FormatTime(p.Created))
	}
	if !p.Expires.IsZero() && p.Expires.Before(now.Add(-skew)) {
		return fmt.Errorf("%w: expired %s", ErrProofPeriod, schemas.FormatTime(p.Expires))
	}
	return nil
}

type presence int

const (
	optional presence = iota
	required
)

// proofReader reads members and keeps the first error.
type proofReader struct {
	m   map[string]any
	err error
}

func (r *proofReader) fail(name, expected string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s: expected %s", ErrProofShape, name, expected)
	}
}

func (r *proofReader) str(name string, p presence) string {
	v, ok := r.m[name]
	if !ok && p == optional {
		return ""
	}
	s, isString := v.(string)
	if !isString || s == "" {
		r.fail(name, "a string that is not empty")
	}
	return s
}

func (r *proofReader) time(name string) time.Time {
	s := r.str(name, optional)
	if s == "" {
		return time.Time{}
	}
	t, err := schemas.ParseTimeLax(s)
	if err != nil {
		r.fail(name, "a date and time")
	}
	return t
}

// set reads a string or an array of different strings.
func (r *proofReader) set(name string) []string {
	v, ok := r.m[name]
	if !ok {
		return nil
	}
	var list []string
	switch v := v.(type) {
	case string:
		list = []string{v}
	case []string:
		list = v
	case []any:
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				r.fail(name, "strings")
				return nil
			}
			list = append(list, s)
		}
	}
	if len(list) == 0 || len(list) > maxProofs {
		r.fail(name, "a string or an array of strings")
		return nil
	}
	for i, s := range list {
		if s == "" || slices.Contains(list[:i], s) {
			r.fail(name, "different strings that are not empty")
			return nil
		}
	}
	return slices.Clone(list)
}

// previous returns the proofs of doc that ids name, in doc's order (VC Data Integrity 1.0, 4.5). It refuses names that
// are not there and chains that come back to where they began, proof being the id of the one that asks.
func previous(doc map[string]any, asker string, ids []string) ([]any, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	all, err := Proofs(doc)
	if err != nil {
		return nil, err
	}
	next := map[string][]string{}
	for _, m := range all {
		p, err := ParseProof(m)
		if err != nil {
			return nil, err
		}
		if p.ID != "" {
			next[p.ID] = append([]string{}, p.PreviousProof...)
		}
	}
	state := map[string]int{} // 1 while its ancestors are walked, 2 when done
	if asker != "" {
		state[asker] = 1
	}
	var walk func(list []string) error
	walk = func(list []string) error { // at most maxProofs deep: a name in state 1 ends it
		for _, id := range list {
			before, ok := next[id]
			switch {
			case !ok:
				return fmt.Errorf("%w: no proof has the id %.200q", ErrPreviousProof, id)
			case state[id] == 1:
				return fmt.Errorf("%w: it loops at %.200q", ErrPreviousProof, id)
			case state[id] == 2:
				continue
			}
			state[id] = 1
			if err := walk(before); err != nil {
				return err
			}
			state[id] = 2
		}
		return nil
	}
	if err := walk(ids); err != nil {
		return nil, err
	}
	var found []any
	for _, m := range all {
		if id, _ := m["id"].(string); slices.Contains(ids, id) {
			found = append(found, m)
		}
	}
	return found, nil
}
