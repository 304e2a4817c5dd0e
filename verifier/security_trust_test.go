package verifier_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/schemas"
	"heartmark/verifier"
)

func TestSEC_063_DocumentOfAnotherDID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.documents["https://registry.example/acme/did.json"] = w.documents["https://registry.example/other/did.json"]
	want(t, w.verify(t, w.verifier(t), w.credential(t)), verifier.Undetermined, "proof_key_unavailable")
}

func TestSEC_064_KeyOutsideItsLife(t *testing.T) {
	t.Parallel()
	method := acme + "#key-1"
	signed := start
	cases := []struct {
		name      string
		intervals []verifier.KeyInterval
		verdict   verifier.Verdict
		code      string
	}{
		{"in use", []verifier.KeyInterval{{Method: method, From: signed.Add(-time.Hour)}}, verifier.Valid, "key_interval_ok"},
		{"retired later", []verifier.KeyInterval{{Method: method, From: signed.Add(-time.Hour), Until: signed.Add(time.Second)}}, verifier.Valid, "key_interval_ok"},
		{"retired before", []verifier.KeyInterval{{Method: method, From: signed.Add(-time.Hour), Until: signed.Add(-time.Second)}}, verifier.Invalid, "key_interval_outside"},
		{"retired at that instant", []verifier.KeyInterval{{Method: method, From: signed.Add(-time.Hour), Until: signed}}, verifier.Invalid, "key_interval_outside"},
		{"not yet in use", []verifier.KeyInterval{{Method: method, From: signed.Add(time.Hour)}}, verifier.Invalid, "key_interval_outside"},
		{"revoked after signing", []verifier.KeyInterval{{Method: method, From: signed.Add(-time.Hour), Until: signed.Add(time.Minute), Revoked: signed.Add(time.Minute)}}, verifier.Invalid, "key_interval_revoked"},
		{"another key alone", []verifier.KeyInterval{{Method: acme + "#key-2", From: signed.Add(-time.Hour)}}, verifier.Invalid, "key_interval_outside"},
		{"nothing recorded", nil, verifier.Undetermined, "key_interval_unknown"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			doc := w.credential(t)
			w.intervals[acme] = tc.intervals
			w.clock.Advance(2 * time.Minute)
			want(t, w.verify(t, w.verifier(t), doc), tc.verdict, tc.code)
		})
	}
	w := newWorld(t)
	w.failing["intervals"] = true
	want(t, w.verify(t, w.verifier(t), w.credential(t)), verifier.Undetermined, "key_interval_unavailable")
}

func TestSEC_065_IssuerSwitchedOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.authority[acme+" "+schemas.AchievementID(origin, schemas.AchievementProfile)] = verifier.AuthorityInactive
	r := w.verify(t, w.verifier(t), w.credential(t))
	want(t, r, verifier.Invalid, "authority_inactive")
	want(t, r, verifier.Invalid, "proof_ok") // the signature is reported apart
	lenient := verifier.Policy{Name: "past", Version: "1", Rules: map[verifier.CheckID]verifier.Rule{verifier.CheckAuthority: verifier.Report}}
	r = w.verify(t, w.verifier(t, lenient), w.credential(t), func(in *verifier.Input) { in.Policy = "past" })
	want(t, r, verifier.Valid, "authority_inactive")
}

func TestSEC_066_TrustedForAnotherType(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grant("did:web:registry.example:acme", "TypeA")
	types := func(list ...any) map[string]any {
		doc := with(w.credential(t), "proof", nil)
		delete(doc, "credentialStatus")
		return with(doc, "type", append([]any{"VerifiableCredential"}, list...))
	}
	v := w.verifier(t)
	check := func(verdict verifier.Verdict, code string, list ...any) {
		t.Helper()
		want(t, w.verify(t, v, w.sign(t, types(list...), acme+"#key-1", verifierAssertion)), verdict, code)
	}
	check(verifier.Valid, "authority_ok", "OpenBadgeCredential")
	check(verifier.Valid, "authority_ok", "AchievementCredential")
	check(verifier.Invalid, "authority_not_authorized", "EndorsementCredential")
	check(verifier.Invalid, "authority_not_authorized", "OpenBadgeCredential", "EndorsementCredential")
	check(verifier.Invalid, "authority_not_authorized")
	// Both moments are asked, apart, and nothing else than achievement and type.
	w2 := newWorld(t)
	w2.verify(t, w2.verifier(t), w2.credential(t))
	moments := map[time.Time]bool{}
	for _, q := range w2.asked {
		moments[q.Time] = true
		if q.Entity != acme || q.Action != verifier.ActionIssue {
			t.Errorf("asked %+v", q)
		}
	}
	if !moments[start] || !moments[start.Add(-time.Hour)] {
		t.Errorf("moments asked: %v", moments)
	}
}

func TestSEC_067_UnknownIssuerMakesNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	evil := "did:web:evil.example"
	w.publish(t, evil, did.AssertionMethod)
	holder, _ := w.didKey(t, "holder")
	doc := w.unsigned(t, holder)
	doc["issuer"] = map[string]any{"id": evil, "type": []any{"Profile"}, "name": "Evil"}
	r := w.verify(t, w.verifier(t), w.sign(t, doc, evil+"#key-1", verifierAssertion))
	want(t, r, verifier.Invalid, "authority_unknown")
	want(t, r, verifier.Invalid, "proof_key_not_looked_up")
	// Nor inside a presentation, nor for a holder that no trusted credential names.
	vp := w.presentationBy(t, evil, evil+"#key-1", verifierAuthentication, "c", "", w.sign(t, doc, evil+"#key-1", verifierAssertion))
	r = w.verify(t, w.verifier(t), vp, given("c", ""))
	if r.Verdict == verifier.Valid {
		t.Error("presentation of an unknown issuer's credential is valid")
	}
	w.failing["authority"] = true
	want(t, w.verify(t, w.verifier(t), w.credential(t)), verifier.Undetermined, "authority_unavailable")
	if got := w.sent(); len(got) != 0 {
		t.Errorf("requests made: %v", got)
	}
}

func TestSEC_098_SideLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := with(w.credential(t), "proof", nil)
	evidence := maps.Clone(doc["evidence"].([]any)[0].(map[string]any))
	evidence["id"] = "https://canary.example/evidence"
	doc["evidence"] = []any{evidence}
	issuer := maps.Clone(doc["issuer"].(map[string]any))
	issuer["url"], issuer["image"] = "https://canary.example/", map[string]any{"id": "https://canary.example/logo", "type": "Image"}
	doc["issuer"] = issuer
	doc["termsOfUse"] = []any{map[string]any{"id": "https://canary.example/terms", "type": "DEITermsOfUse", "deiPurpose": []any{"x"}}}
	w.verify(t, w.verifier(t), w.sign(t, doc, acme+"#key-1", verifierAssertion))
	for _, u := range w.sent() {
		if strings.Contains(u, "canary") {
			t.Errorf("fetched %s", u)
		}
	}
}

func TestSEC_140_OwnSchema(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	entry := func(id, digest, kind string) []any {
		m := map[string]any{"id": id, "type": kind}
		if digest != "" {
			m["digestSRI"] = digest
		}
		return []any{m}
	}
	signed := func(doc map[string]any) map[string]any { return w.sign(t, doc, acme+"#key-1", verifierAssertion) }
	unsigned := with(w.credential(t), "proof", nil)
	want(t, w.verify(t, v, signed(with(unsigned, "credentialSchema", entry(origin+"/schemas/dei/v1", "sha384-"+strings.Repeat("A", 64), "JsonSchema")))), verifier.Invalid, "schema_digest")
	want(t, w.verify(t, v, signed(with(unsigned, "credentialSchema", entry("https://elsewhere.example/s", "", "JsonSchema")))), verifier.Undetermined, "schema_unknown")
	want(t, w.verify(t, v, signed(with(unsigned, "credentialSchema", nil))), verifier.Valid, "schema_none")
	broken := maps.Clone(unsigned)
	evidence := maps.Clone(unsigned["evidence"].([]any)[0].(map[string]any))
	delete(evidence, "deiMethod")
	broken["evidence"] = []any{evidence}
	want(t, w.verify(t, v, signed(broken)), verifier.Invalid, "schema_violated")
	// A level of another result description: no schema can say so, and people would read it.
	stray := maps.Clone(unsigned)
	subject := maps.Clone(unsigned["credentialSubject"].(map[string]any))
	results := subject["result"].([]any)
	first, second := maps.Clone(results[0].(map[string]any)), results[1].(map[string]any)
	first["achievedLevel"] = second["achievedLevel"]
	subject["result"] = []any{first, second}
	stray["credentialSubject"] = subject
	want(t, w.verify(t, v, signed(stray)), verifier.Invalid, "schema_violated")
	// Open Badges' own entry names a schema that is never fetched; its rules are built in. The term needs their context.
	extensions := append(append([]any{}, unsigned["@context"].([]any)...), "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json")
	both := with(with(unsigned, "@context", extensions), "credentialSchema", append(entry("https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json", "", "1EdTechJsonSchemaValidator2019"), unsigned["credentialSchema"].([]any)...))
	r := w.verify(t, v, signed(both))
	if got := r.Find(verifier.CheckSchema)[0]; got.Code != "schema_ok" {
		t.Errorf("Open Badges' own entry: %s %s\n%s", got.Code, got.Detail, dump(r))
	}
}

func TestSEC_141_UntrustedIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, method := w.didKey(t, "nobody")
	holder, _ := w.didKey(t, "holder")
	doc := w.unsigned(t, holder)
	doc["issuer"] = map[string]any{"id": id, "type": []any{"Profile"}, "name": "Nobody"}
	signed := w.sign(t, doc, method, verifierAssertion)
	r := w.verify(t, w.verifier(t), signed)
	want(t, r, verifier.Invalid, "authority_unknown")
	want(t, r, verifier.Invalid, "proof_ok")
	if r.Summary.SignedBy != method || r.Outcome(verifier.CheckStatus) != verifier.Skipped {
		t.Errorf("signed by %q, status %s", r.Summary.SignedBy, r.Outcome(verifier.CheckStatus))
	}
	bare := with(with(doc, "credentialStatus", nil), "name", "no status")
	trustless := verifier.Policy{Name: "trustless", Version: "1", Rules: map[verifier.CheckID]verifier.Rule{verifier.CheckAuthority: verifier.Omit}}
	r = w.verify(t, w.verifier(t, trustless), w.sign(t, bare, method, verifierAssertion), func(in *verifier.Input) { in.Policy = "trustless" })
	want(t, r, verifier.Valid, "authority_by_policy")
	if r.Policy != "trustless" {
		t.Errorf("result names policy %q", r.Policy)
	}
}

func TestLogInclusion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	doc := w.credential(t)
	asked := func(in *verifier.Input) { in.WantLog = true }
	proved := func(in *verifier.Input) { in.LogProof = &schemas.LogProof{} }
	want(t, w.verify(t, v, doc), verifier.Valid, "log_inclusion_not_asked")
	want(t, w.verify(t, v, doc, asked), verifier.Undetermined, "log_inclusion_missing")
	want(t, w.verify(t, v, doc, asked, proved), verifier.Invalid, "log_inclusion_mismatch")
	commitment := schemas.IssuedCommitment(schemas.CredentialID(doc["id"].(string)), acme, doc["validFrom"].(string), doc["validUntil"].(string), "g1", index)
	w.logged[string(schemas.IssuedEntry(commitment).Encode())] = true
	want(t, w.verify(t, v, doc, asked, proved), verifier.Valid, "log_inclusion_ok")
	w.failing["log"] = true
	want(t, w.verify(t, v, doc, asked, proved), verifier.Undetermined, "log_inclusion_unavailable")
}

func TestEndorsement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grant(other, "EndorsementCredential")
	v := w.verifier(t)
	endorsement := map[string]any{
		"@context": []any{schemas.ContextV2, schemas.ContextOpenBadges}, "id": "urn:uuid:3c8fe6a2-3a57-4f42-9a4e-3a8b3f0a52e1",
		"type": []any{"VerifiableCredential", "EndorsementCredential"}, "name": "Endorsed", "issuer": map[string]any{"id": other, "type": []any{"Profile"}, "name": "Other"},
		"validFrom":         schemas.FormatTime(start.Add(-time.Hour)),
		"credentialSubject": map[string]any{"id": acme, "type": []any{"EndorsementSubject"}, "endorsementComment": "good"},
	}
	good := w.sign(t, endorsement, other+"#key-1", verifierAssertion)
	// Both orders of signing: the endorsement is part of what the issuer signs.
	check := func(verdict verifier.Verdict, code string, e map[string]any) {
		t.Helper()
		doc := with(with(w.credential(t), "proof", nil), "endorsement", []any{e})
		signed, err := w.proofs.Sign(doc, dataintegrity.ProofOptions{VerificationMethod: acme + "#key-1", Purpose: verifierAssertion, Created: start}, w.key(acme+"#key-1"))
		if err != nil {
			t.Skipf("signing with an endorsement inside is not possible yet: %v", err)
		}
		r := w.verify(t, v, signed)
		want(t, r, verdict, code)
		if len(r.Inner) != 1 {
			t.Errorf("%d inner results", len(r.Inner))
		}
	}
	check(verifier.Valid, "inner_ok", good)
	check(verifier.Invalid, "inner_invalid", with(good, "name", "changed"))
	doc := with(with(w.credential(t), "proof", nil), "endorsement", []any{good})
	vp := w.presentation(t, verifierAuthentication, "c", "", w.sign(t, doc, acme+"#key-1", verifierAssertion))
	if r := w.verify(t, v, vp, given("c", "")); r.Verdict != verifier.Valid || len(r.Inner) != 1 || len(r.Inner[0].Inner) != 1 {
		t.Errorf("in a presentation: %s\n%s", r.Verdict, dump(r))
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := w.verifier(t).Verify(ctx, verifier.Input{Data: w.marshal(t, w.credential(t))})
	if err == nil && r.Verdict == verifier.Valid && r.Outcome(verifier.CheckStatus) != verifier.Pass {
		t.Errorf("%s\n%s", r.Verdict, dump(r))
	}
}
