package verifier

import (
	"context"
	"slices"
	"strconv"

	"heartmark/schemas"
)

// maxCredentials bounds the credentials of one presentation, and with them all that are verified inside others in one call
// (security.md §3).
const maxCredentials = 20

// presentation checks the container's form, then each credential inside for itself, then the container's own proof and
// what ties the two together.
func (r *run) presentation(ctx context.Context) {
	r.add("query_none", "")
	for _, id := range insideOnly() {
		r.add(askedInside(id), "")
	}
	if !r.model(schemas.ValidatePresentation) {
		return
	}
	inside := list(r.doc["verifiableCredential"])
	switch {
	case len(inside) == 0:
		r.unmodel("model_empty", "/verifiableCredential")
		return
	case len(inside) > maxCredentials:
		r.unmodel("model_too_many", "/verifiableCredential")
		return
	}
	_, isList := r.doc["verifiableCredential"].([]any)
	holder, vouched := reference(r.doc["holder"]), false
	if r.envelope != nil {
		if holder == "" {
			holder = text(r.doc, "iss")
		}
		if !r.claimsAgree(holder) {
			return
		}
		r.tokenPeriod()
	}
	for i, item := range inside {
		result := r.verifyInside(ctx, item, insidePointer(i, isList), "")
		vouched = vouched || (result.Verdict == Valid && holder != "" && result.Summary.HolderID == holder)
	}
	if proof, present := r.doc["proof"]; r.envelope == nil && (!present || proof == nil) {
		r.add(codePresentationUnsecured, "/proof")
		r.add("purpose_none", "")
		r.add("issuer_binding_none", "")
	} else {
		if holder == "" {
			r.add("issuer_binding_none", "/holder")
		}
		// A holder's key is worth a request only where a credential that we trust names that holder.
		r.secured(ctx, proofQuery{owner: holder, purpose: purposeAuthentication, network: vouched})
	}
	r.replay()
	r.holderBinding(isList)
}

// unmodel replaces the finding that the form is good by one of what is not.
func (r *run) unmodel(code, pointer string) {
	r.checks = slices.DeleteFunc(r.checks, func(c Check) bool { return c.ID == CheckModel })
	r.add(code, pointer)
}

// unmodelField is unmodel for a *schemas.FieldError.
func (r *run) unmodelField(err error) {
	r.checks = slices.DeleteFunc(r.checks, func(c Check) bool { return c.ID == CheckModel })
	r.addField("model_malformed", err)
}

func insidePointer(i int, isList bool) string {
	if !isList {
		return "/verifiableCredential"
	}
	return "/verifiableCredential/" + strconv.Itoa(i)
}

// verifyInside verifies one credential of this document under the same policy and instant, and notes how it came out.
func (r *run) verifyInside(ctx context.Context, item any, pointer, about string) Result {
	doc, ok := item.(map[string]any)
	*r.spent++
	inner := &run{v: r.v, policy: r.policy, now: r.now, doc: doc, common: doc, depth: r.depth + 1, spent: r.spent}
	inner.in = Input{Policy: r.in.Policy, WantLog: r.in.WantLog}
	result := Result{Policy: r.policy.Name, PolicyVersion: r.policy.Version, CheckedAt: r.now, Kind: KindCredential}
	switch {
	case ok && isEnveloped(doc):
		if inner.openEnveloped(doc) {
			inner.credential(ctx)
			result = inner.result(result)
			break
		}
		result.Checks, result.Verdict = inner.finish(), Invalid
	case ok && kindOf(doc) == KindCredential:
		inner.add("parse_ok", "")
		inner.credential(ctx)
		result = inner.result(result)
	default:
		inner.add("parse_no_type", "")
		result.Checks, result.Verdict = inner.finish(), Invalid
	}
	r.inner = append(r.inner, result)
	code := "inner_undetermined"
	switch result.Verdict {
	case Valid:
		code = "inner_ok"
	case Invalid:
		code = "inner_invalid"
	case Undetermined:
	}
	r.add(code, pointer).about(about)
	return result
}

// endorsements verifies the credentials that vouch for this one (Open Badges 3.0, Endorsement). An
// endorsement of an endorsement of a credential in a presentation is too deep and left undetermined.
func (r *run) endorsements(ctx context.Context) {
	found := entries(r.doc, "endorsement")
	switch {
	case len(found) == 0:
		r.add("inner_none", "")
		return
	case r.omitted(CheckInner):
		return
	}
	for _, e := range found {
		if *r.spent >= maxCredentials || r.depth > 1 {
			r.add("inner_undetermined", e.pointer).about("endorsement").say("too many, or too deep")
			return
		}
		r.verifyInside(ctx, e.value, e.pointer, "endorsement")
	}
}

// holderBinding compares the key that signed the presentation with the subject of each credential.
func (r *run) holderBinding(isList bool) {
	if r.omitted(CheckHolderBinding) {
		return
	}
	if !r.has(CheckProof) || !r.has(CheckPurpose) {
		r.add("holder_binding_absent", "")
		return
	}
	for i, inner := range r.inner {
		pointer := insidePointer(i, isList)
		subjects := entries(inner.Credential, "credentialSubject")
		if len(subjects) == 0 {
			r.add("holder_binding_absent", pointer)
		}
		for _, s := range subjects {
			r.subjectBinding(text(s.value, "id"), pointer+s.pointer+"/id")
		}
	}
}

func (r *run) subjectBinding(subject, pointer string) {
	if subject == "" {
		r.add("holder_binding_absent", pointer)
		return
	}
	for _, s := range r.signatures {
		if s.controller == subject {
			r.add("holder_binding_ok", pointer)
			return
		}
	}
	r.add("holder_binding_mismatch", pointer)
}

// replay compares challenge and domain with what the caller gave (Data Integrity 1.0, 4.4; security.md SEC-139). Not given
// by the caller, a presentation may be an old one.
func (r *run) replay() {
	if r.omitted(CheckReplay) {
		return
	}
	if r.in.Challenge == "" {
		r.add(notChecked(CheckReplay), "").say("the caller gave no challenge")
	}
	if r.in.Challenge != "" || r.in.Domain != "" {
		r.compareReplay()
	}
}

// replayOfCredential is replay for a credential by itself, which needs none unless one side speaks of it.
func (r *run) replayOfCredential() {
	if r.omitted(CheckReplay) {
		return
	}
	if r.in.Challenge != "" || r.in.Domain != "" {
		r.compareReplay()
		return
	}
	if r.envelope != nil && (r.doc["nonce"] != nil || r.doc["aud"] != nil) {
		r.add(notChecked(CheckReplay), "/nonce").say("the token was made for one exchange, and the caller gave nothing to compare")
		return
	}
	for _, p := range entries(r.doc, "proof") {
		if p.value["challenge"] != nil || p.value["domain"] != nil {
			r.add(notChecked(CheckReplay), p.pointer).say("the proof was made for one exchange, and the caller gave nothing to compare")
			return
		}
	}
	r.add("replay_none", "")
}

// compareReplay compares what the caller gave with every proof; what it did not give is not compared.
func (r *run) compareReplay() {
	if r.envelope != nil {
		r.nonceAndAudience()
		return
	}
	found := entries(r.doc, "proof")
	if len(found) == 0 {
		r.add("replay_challenge", "/proof")
		return
	}
	for _, p := range found {
		domains := texts(p.value["domain"])
		switch {
		case r.in.Challenge != "" && text(p.value, "challenge") != r.in.Challenge:
			r.add("replay_challenge", p.pointer+"/challenge")
		case r.in.Domain != "" && (len(domains) != 1 || domains[0] != r.in.Domain):
			r.add("replay_domain", p.pointer+"/domain")
		default:
			r.add("replay_ok", p.pointer)
		}
	}
}
