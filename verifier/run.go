package verifier

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"heartmark/schemas"
)

// run is one document under judgement: a credential, a presentation, or a status list's credential.
type run struct {
	v      *Verifier
	in     Input
	policy Policy
	now    time.Time
	doc    map[string]any
	common map[string]any // doc under the names of the data model: doc itself, but for an SD-JWT VC
	// envelope is the token that doc came in, nil for a document that holds its proofs.
	envelope *envelope
	depth    int  // how many documents this one lies in
	spent    *int // credentials verified inside others during this call, shared by its runs

	checks     []Check
	inner      []Result
	signatures []signature // those that verified
}

// signature is a proof that verified.
type signature struct {
	method, controller string
	created            time.Time // zero if the proof has none
	pointer            string
}

// setDocument gives the run what was read.
func (r *run) setDocument(doc map[string]any) {
	r.doc, r.common = doc, doc
	if r.isSelective() {
		r.common = inModelTerms(doc)
	}
}

// isSelective tells an SD-JWT VC from a credential of the data model.
func (r *run) isSelective() bool {
	return r.isDisclosing() && r.envelope.header.Typ == tokenSelective
}

// isDisclosing tells an SD-JWT of either kind, which its holder shows with a key binding.
func (r *run) isDisclosing() bool { return r.envelope != nil && r.envelope.selective != nil }

func (r *run) summary(kind Kind) Summary {
	if r.isSelective() {
		return summariseSelective(r.doc)
	}
	return summarise(r.doc, kind)
}

// add notes a finding under a code of the table.
func (r *run) add(code, pointer string) *Check {
	info, ok := r.v.codes[code]
	if !ok {
		panic("verifier: code " + code + " is not in the table")
	}
	r.checks = append(r.checks, Check{
		ID: info.Check, Outcome: info.Outcome, Code: code, Type: info.problemType(r.v.cfg.ProblemBase), Detail: info.Detail, Pointer: pointer,
	})
	return &r.checks[len(r.checks)-1]
}

// say appends the particulars of the case to the text.
func (c *Check) say(detail string) *Check {
	c.Detail += ": " + detail
	return c
}

func (c *Check) about(what string) *Check {
	c.About = what
	return c
}

func (c *Check) rest(on Evidence) *Check {
	if on != (Evidence{}) {
		c.Evidence = &on
	}
	return c
}

// addField notes a finding with the pointer and expectation of a *schemas.FieldError.
func (r *run) addField(code string, err error) *Check {
	f, ok := errors.AsType[*schemas.FieldError](err)
	if !ok {
		return r.add(code, "").say(err.Error())
	}
	c := r.add(code, f.Pointer)
	if f.Expected != "" {
		c.say("expected " + f.Expected)
	}
	return c
}

// omitted notes a check that the policy leaves out, and reports whether it does.
func (r *run) omitted(id CheckID) bool {
	if r.policy.Rule(id) != Omit {
		return false
	}
	r.add(byPolicy(id), "")
	return true
}

// has reports whether the checks with this id are all passed, and that there is one.
func (r *run) has(id CheckID) bool {
	found := false
	for _, c := range r.checks {
		if c.ID != id {
			continue
		}
		if c.Outcome != Pass {
			return false
		}
		found = true
	}
	return found
}

// finish puts the checks in order and lists those that were not reached.
func (r *run) finish() []Check {
	ids := CheckIDs()
	for _, id := range ids {
		if !slices.ContainsFunc(r.checks, func(c Check) bool { return c.ID == id }) {
			r.add(notChecked(id), "")
		}
	}
	slices.SortStableFunc(r.checks, func(a, b Check) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return r.checks
}

// judge runs the checks in the order in which trust is built: form, trust, signature, and only then what the document
// names.
func (r *run) judge(ctx context.Context, kind Kind) {
	if kind == KindPresentation {
		r.presentation(ctx)
		return
	}
	if r.isSelective() {
		r.selectiveCredential(ctx)
		return
	}
	r.credential(ctx)
}

func (r *run) credential(ctx context.Context) {
	r.add("query_none", "")
	switch {
	case r.isDisclosing(): // the key binding answers, once the issuer's signature holds
	case r.depth == 0: // a presentation answers these for the credentials inside it
		r.add("holder_binding_none", "")
	default:
		r.add("holder_binding_none", "").say("the presentation answers for it")
	}
	if !r.model(schemas.ValidateCredential) {
		return
	}
	issuer := reference(r.doc["issuer"])
	if r.envelope != nil && !r.claimsAgree(issuer) {
		return
	}
	if r.isDisclosing() {
		if err := schemas.ValidateSelectiveCredential(r.envelope.selective.Payload, r.doc); err != nil {
			r.unmodelField(err)
			return
		}
	}
	r.period()
	known := r.authority(ctx, issuer)
	r.secured(ctx, proofQuery{owner: issuer, purpose: purposeAssertion, network: known})
	if !r.isDisclosing() {
		r.replayOfCredential()
	}
	if !r.has(CheckProof) || !r.has(CheckPurpose) {
		return // what nobody signed earns no further work
	}
	if r.isDisclosing() {
		r.keyBinding()
	}
	r.keyInterval(ctx)
	r.schema()
	r.related()
	r.log(ctx)
	r.endorsements(ctx)
	if known && (r.has(CheckIssuerBinding) || r.policy.Rule(CheckIssuerBinding) != Require) {
		r.status(ctx, issuer)
	} else if len(entries(r.doc, "credentialStatus")) == 0 {
		r.add("status_none", "")
	}
}

// period: VC Data Model 2.0, 4.9. The skew is granted once at either end.
func (r *run) period() {
	for _, name := range []string{"validFrom", "validUntil"} {
		text, present := r.doc[name]
		if !present {
			continue
		}
		s, _ := text.(string)
		at, err := schemas.ParseTime(s)
		switch {
		case err != nil:
			r.add("period_malformed", "/"+name)
			return
		case name == "validFrom" && at.After(r.now.Add(r.policy.Skew)):
			r.add("period_early", "/validFrom").say("valid from " + schemas.FormatTime(at))
			return
		case name == "validUntil" && at.Before(r.now.Add(-r.policy.Skew)):
			r.add("period_expired", "/validUntil").say("valid until " + schemas.FormatTime(at))
			return
		}
	}
	if r.envelope == nil || r.tokenPeriod() {
		r.add("period_ok", "")
	}
}

// texts reads a string or a list of strings; anything else in it is left out, as the data model check has refused it.
func texts(v any) []string {
	switch t := v.(type) {
	case string:
		return []string{t}
	case []any:
		out := make([]string, 0, len(t))
		for _, item := range t {
			if s, ok := item.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// reference reads a URL, or the id of an object.
func reference(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case map[string]any:
		s, _ := t["id"].(string)
		return s
	}
	return ""
}

func text(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

func object(m map[string]any, name string) map[string]any {
	o, _ := m[name].(map[string]any)
	return o
}

// entry is one object of a member that is an object or a list of objects.
type entry struct {
	value   map[string]any
	pointer string
}

func entries(m map[string]any, name string) []entry {
	switch t := m[name].(type) {
	case map[string]any:
		return []entry{{t, "/" + name}}
	case []any:
		out := make([]entry, 0, len(t))
		for i, item := range t {
			o, _ := item.(map[string]any)
			out = append(out, entry{o, "/" + name + "/" + strconv.Itoa(i)})
		}
		return out
	}
	return nil
}
