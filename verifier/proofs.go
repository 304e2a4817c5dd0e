package verifier

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"heartmark/schemas"
)

const (
	purposeAssertion      = "assertionMethod"
	purposeAuthentication = "authentication"
	maxProofs             = 20
)

// proofQuery says whose proof over r.doc is looked for.
type proofQuery struct {
	owner   string // who must control the key; empty for a presentation without a holder
	purpose string
	network bool // the owner is known here: its keys may be fetched
}

// proofs checks every proof (security.md R4: all must verify) and notes proof, purpose and issuer binding for each.
func (r *run) proofs(ctx context.Context, q proofQuery) {
	value, present := r.doc["proof"]
	found := entries(r.doc, "proof")
	switch {
	case !present || value == nil, len(found) == 0:
		r.add("proof_missing", "/proof")
		return
	case len(found) > maxProofs:
		r.add("proof_too_many", "/proof")
		return
	case !r.chain(found):
		return
	}
	for _, p := range found {
		r.proof(ctx, p, q)
	}
}

// chain checks previousProof (Data Integrity 1.0, 2.1.2): what it names is there and no proof rests on itself. It reports
// whether that is so; what a chain signs is for the proof checker.
func (r *run) chain(found []entry) bool {
	previous, ids := map[string][]string{}, map[string]bool{}
	chained := false
	for i, p := range found {
		id := text(p.value, "id")
		if id == "" {
			id = "\n" + strconv.Itoa(i) // no JSON id has this form
		}
		if ids[id] {
			r.add("proof_malformed", p.pointer+"/id")
			return false
		}
		ids[id] = true
		previous[id] = texts(p.value["previousProof"])
		if _, named := p.value["previousProof"]; named {
			chained = true
			if len(previous[id]) == 0 {
				r.add("proof_malformed", p.pointer+"/previousProof")
				return false
			}
		}
	}
	if !chained {
		return true
	}
	// Proofs whose predecessors are all settled are settled; when a round settles none, the rest is a loop or dangles.
	settled := map[string]bool{}
	for progress := true; progress; {
		progress = false
		for id, before := range previous {
			if !settled[id] && all(before, settled) {
				settled[id], progress = true, true
			}
		}
	}
	if len(settled) != len(previous) {
		r.add("proof_chain", "/proof")
		return false
	}
	return true
}

func all(names []string, in map[string]bool) bool {
	for _, n := range names {
		if !in[n] {
			return false
		}
	}
	return true
}

func (r *run) proof(ctx context.Context, p entry, q proofQuery) {
	at := p.pointer
	for _, name := range []string{"type", "proofPurpose", "verificationMethod"} {
		if text(p.value, name) == "" {
			r.add("proof_malformed", at+"/"+name)
			return
		}
	}
	if text(p.value, "type") != "DataIntegrityProof" {
		r.add("proof_suite_unknown", at+"/type").say(shorten(text(p.value, "type")))
		return
	}
	if text(p.value, "cryptosuite") == "" || text(p.value, "proofValue") == "" {
		r.add("proof_malformed", at)
		return
	}
	if text(p.value, "proofPurpose") != q.purpose {
		r.add("purpose_wrong", at+"/proofPurpose").say("expected " + q.purpose)
		r.add(notChecked(CheckProof), at)
		return
	}
	method := text(p.value, "verificationMethod")
	controller, _, ok := strings.Cut(method, "#")
	if !ok {
		r.add("proof_malformed", at+"/verificationMethod")
		return
	}
	bound := q.owner == "" || controller == q.owner
	if bound && q.owner != "" {
		r.add("issuer_binding_ok", at+"/verificationMethod")
	} else if !bound {
		r.add("issuer_binding_mismatch", at+"/verificationMethod")
	}
	created, ok := r.proofDates(p)
	if !ok {
		return
	}
	// A key of somebody else than the owner is never worth a request.
	key, err := r.v.cfg.Keys.Key(ctx, KeyQuery{Controller: controller, Method: method, Purpose: q.purpose, Network: q.network && bound})
	if err != nil {
		r.keyFault(err, at+"/verificationMethod", at)
		return
	}
	r.add("purpose_ok", at+"/proofPurpose").rest(key.Evidence)
	if err := r.v.cfg.Proofs.Check(r.doc, p.value, key.Public); err != nil {
		r.proofFault(err, at)
		return
	}
	r.add("proof_ok", at).rest(key.Evidence)
	r.signatures = append(r.signatures, signature{method: method, controller: controller, created: created, pointer: at})
}

// keyFault notes why there is no key; method and at point to the verification method and to what it should have verified.
func (r *run) keyFault(err error, method, at string) {
	switch {
	case errors.Is(err, ErrKeyPurpose):
		r.add("purpose_not_listed", method)
		r.add(notChecked(CheckProof), at)
	case errors.Is(err, ErrKeyController):
		r.add("issuer_binding_mismatch", method)
		r.add(notChecked(CheckProof), at)
	case errors.Is(err, ErrKeyNotFound):
		r.add("proof_key_unknown", method)
	case errors.Is(err, ErrOffline):
		r.add("proof_key_not_looked_up", method)
	default:
		r.add("proof_key_unavailable", method)
	}
}

// proofDates checks created and expires, where the proof has them.
func (r *run) proofDates(p entry) (created time.Time, ok bool) {
	for _, name := range []string{"created", "expires"} {
		value, present := p.value[name]
		if !present {
			continue
		}
		s, _ := value.(string)
		at, err := schemas.ParseTimeLax(s)
		switch {
		case err != nil:
			r.add("proof_malformed", p.pointer+"/"+name)
			return created, false
		case name == "created" && at.After(r.now.Add(r.policy.Skew)):
			r.add("proof_created", p.pointer+"/created")
			return created, false
		case name == "expires" && at.Before(r.now.Add(-r.policy.Skew)):
			r.add("proof_expired", p.pointer+"/expires")
			return created, false
		case name == "created":
			created = at
		}
	}
	return created, true
}

// shorten keeps a stranger's text in a detail readable.
func shorten(s string) string {
	if runes := []rune(s); len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return s
}
