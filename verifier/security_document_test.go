package verifier_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/schemas"
	"heartmark/verifier"
)

// refused fails the test if any of the documents is called valid.
func (w *world) refused(t *testing.T, docs map[string]map[string]any) {
	t.Helper()
	v := w.verifier(t)
	for name, doc := range docs {
		r, err := v.Verify(t.Context(), verifier.Input{Data: w.marshal(t, doc)})
		if r.Verdict == verifier.Valid || (err != nil && !errors.Is(err, verifier.ErrUnreadable)) {
			t.Errorf("%s: verdict %s, %v\n%s", name, r.Verdict, err, dump(r))
		}
	}
}

func TestSEC_027_UndefinedTerm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := w.credential(t)
	subject := maps.Clone(doc["credentialSubject"].(map[string]any))
	subject["memberLevel"] = "gold"
	r := w.verify(t, w.verifier(t), with(doc, "credentialSubject", subject))
	want(t, r, verifier.Invalid, "proof_undefined_term")
	if d := r.Find(verifier.CheckProof)[0].Detail; !strings.Contains(d, "memberLevel") {
		t.Errorf("detail %q does not name the term", d)
	}
	want(t, w.verify(t, w.verifier(t), with(doc, "memberLevel", "gold")), verifier.Invalid, "proof_undefined_term")
}

func TestSEC_028_029_ContextsThatRemapOrCatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := w.credential(t)
	contexts := doc["@context"].([]any)
	for name, extra := range map[string]any{
		"re-mapped term": map[string]any{"credentialStatus": "https://evil.example/x", "misc": "https://www.w3.org/2018/credentials#credentialStatus"},
		"catch-all":      map[string]any{"@vocab": "https://evil.example/"},
		"empty":          map[string]any{},
	} {
		r := w.verify(t, w.verifier(t), with(doc, "@context", append(slices.Clone(contexts), extra)))
		want(t, r, verifier.Invalid, "model_context_refused")
		if r.Find(verifier.CheckModel)[0].Pointer != "/@context/3" {
			t.Errorf("%s: pointer %q", name, r.Find(verifier.CheckModel)[0].Pointer)
		}
	}
	r := w.verify(t, w.verifier(t), with(doc, "@context", append(slices.Clone(contexts), "https://www.w3.org/ns/credentials/undefined-terms/v2")))
	want(t, r, verifier.Undetermined, "model_context_unknown")
}

func TestSEC_030_ContextListWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := w.credential(t)
	ob := schemas.ContextOpenBadges
	w.refused(t, map[string]map[string]any{
		"missing":        with(doc, "@context", nil),
		"base missing":   with(doc, "@context", []any{ob}),
		"base second":    with(doc, "@context", []any{ob, schemas.ContextV2}),
		"object":         with(doc, "@context", map[string]any{"@vocab": "https://x.example/"}),
		"trailing slash": with(doc, "@context", []any{schemas.ContextV2 + "/", ob}),
		"http":           with(doc, "@context", []any{strings.Replace(schemas.ContextV2, "https", "http", 1), ob}),
		"number":         with(doc, "@context", []any{json.Number("1")}),
		"nested":         with(doc, "@context", []any{[]any{schemas.ContextV2}, ob}),
		"in the subject": with(doc, "credentialSubject", map[string]any{"@context": schemas.ContextV2, "id": "did:example:x"}),
		"graph":          with(doc, "@graph", []any{}),
		"included":       with(doc, "@included", []any{}),
		"reverse":        with(doc, "@reverse", map[string]any{}),
		"null":           with(doc, "name", any(nil)),
	})
	// nil removes a member; a null must be written out.
	raw := strings.Replace(string(w.marshal(t, doc)), `"awardedDate":`, `"description":null,"awardedDate":`, 1)
	r, err := w.verifier(t).Verify(t.Context(), verifier.Input{Data: []byte(raw)})
	if err != nil {
		t.Fatal(err)
	}
	want(t, r, verifier.Invalid, "model_context_refused")
	deep := map[string]any{"id": "did:example:x", "a/b": []any{map[string]any{"@type": "x"}}}
	r = w.verify(t, w.verifier(t), with(doc, "credentialSubject", deep))
	if got := r.Find(verifier.CheckModel)[0].Pointer; got != "/credentialSubject/a~1b/0/@type" {
		t.Errorf("pointer %q", got)
	}
}

func TestSEC_031_ProofPurpose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := w.credential(t)
	unsigned := with(doc, "proof", nil)
	want(t, w.verify(t, w.verifier(t), w.sign(t, unsigned, acme+"#key-1", verifierAuthentication)), verifier.Invalid, "purpose_wrong")
	proof := maps.Clone(doc["proof"].([]any)[0].(map[string]any))
	delete(proof, "proofPurpose")
	want(t, w.verify(t, w.verifier(t), with(doc, "proof", []any{proof})), verifier.Invalid, "proof_malformed")
	vp := w.presentation(t, verifierAssertion, "", "")
	want(t, w.verify(t, w.verifier(t), vp), verifier.Invalid, "purpose_wrong")
}

func TestSEC_032_RelationshipMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(t, acme, did.Authentication)
	want(t, w.verify(t, w.verifier(t), w.credential(t)), verifier.Invalid, "purpose_not_listed")
}

func TestSEC_033_KeyOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, method := w.didKey(t, "stranger")
	unsigned := with(w.credential(t), "proof", nil)
	r := w.verify(t, w.verifier(t), w.sign(t, unsigned, method, verifierAssertion))
	want(t, r, verifier.Invalid, "issuer_binding_mismatch")
	want(t, w.verify(t, w.verifier(t), w.sign(t, unsigned, other+"#key-1", verifierAssertion)), verifier.Invalid, "issuer_binding_mismatch")
	for _, u := range w.sent() {
		if strings.Contains(u, "/other/") {
			t.Errorf("a key that is not the issuer's was fetched: %s", u)
		}
	}
	text, err := keys.Multibase(w.key("x").Public())
	if err != nil {
		t.Fatal(err)
	}
	// A method in the issuer's own document that belongs to somebody else.
	w2 := newWorld(t)
	w2.documents["https://registry.example/acme/did.json"] = `{"@context":["https://www.w3.org/ns/did/v1"],"id":"` + acme + `","verificationMethod":[{"id":"` +
		acme + `#key-1","type":"Multikey","controller":"` + other + `","publicKeyMultibase":"` + text + `"}],"assertionMethod":["` + acme + `#key-1"]}`
	want(t, w2.verify(t, w2.verifier(t), w2.credential(t)), verifier.Invalid, "issuer_binding_mismatch")
}

func TestSEC_034_ProofSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := w.credential(t)
	good := doc["proof"].([]any)[0].(map[string]any)
	broken := maps.Clone(good)
	broken["created"] = "2026-02-01T11:59:59Z"
	for _, set := range [][]any{{good, broken}, {broken, good}} {
		r := w.verify(t, w.verifier(t), with(doc, "proof", set))
		want(t, r, verifier.Invalid, "proof_invalid")
		want(t, r, verifier.Invalid, "proof_ok") // each is reported
	}
	many := make([]any, 21)
	for i := range many {
		many[i] = good
	}
	want(t, w.verify(t, w.verifier(t), with(doc, "proof", many)), verifier.Invalid, "proof_too_many")
}

func TestSEC_035_NoProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := w.credential(t)
	want(t, w.verify(t, w.verifier(t), with(doc, "proof", nil)), verifier.Invalid, "proof_missing")
	w.refused(t, map[string]map[string]any{
		"empty list":   with(doc, "proof", []any{}),
		"empty object": with(doc, "proof", map[string]any{}),
		"string":       with(doc, "proof", "x"),
		"empty in set": with(doc, "proof", []any{map[string]any{}}),
	})
	data := strings.Replace(string(w.marshal(t, with(doc, "proof", "x"))), `"proof":"x"`, `"proof":null`, 1)
	if r, err := w.verifier(t).Verify(t.Context(), verifier.Input{Data: []byte(data)}); err != nil || r.Verdict == verifier.Valid {
		t.Errorf("null: %s, %v", r.Verdict, err)
	}
	empty := map[string]any{"@context": []any{schemas.ContextV2}, "type": []any{"VerifiablePresentation"}, "verifiableCredential": []any{}}
	if r := w.verify(t, w.verifier(t), empty); r.Verdict != verifier.Invalid || r.Outcome(verifier.CheckModel) != verifier.Fail {
		t.Errorf("empty presentation: %s\n%s", r.Verdict, dump(r))
	}
	want(t, w.verify(t, w.verifier(t), with(empty, "verifiableCredential", nil)), verifier.Invalid, "model_empty")
}

func TestSEC_036_ProofChains(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := w.credential(t)
	good := doc["proof"].([]any)[0].(map[string]any)
	link := func(id string, previous any) map[string]any {
		p := maps.Clone(good)
		p["id"], p["previousProof"] = id, previous
		return p
	}
	long := make([]any, 1000)
	for i := range long {
		long[i] = link("urn:p:"+strconv.Itoa(i), "urn:p:"+strconv.Itoa((i+1)%1000))
	}
	for name, set := range map[string][]any{
		"loop":            {link("urn:p:a", "urn:p:b"), link("urn:p:b", "urn:p:a")},
		"itself":          {link("urn:p:a", "urn:p:a")},
		"dangles":         {link("urn:p:a", "urn:p:none")},
		"dangles in list": {link("urn:p:a", []any{"urn:p:b", "urn:p:none"}), link("urn:p:b", []any{})},
		"chain of 1000":   long,
		"not a name":      {link("urn:p:a", json.Number("1"))},
	} {
		begin := time.Now()
		r := w.verify(t, w.verifier(t), with(doc, "proof", set))
		if r.Verdict != verifier.Invalid || time.Since(begin) > time.Second {
			t.Errorf("%s: %s after %s\n%s", name, r.Verdict, time.Since(begin), dump(r))
		}
	}
	// A true chain holds.
	first := w.sign(t, with(doc, "proof", nil), acme+"#key-1", verifierAssertion, func(o *dataintegrity.ProofOptions) { o.ID = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544" })
	chain := w.sign(t, first, acme+"#key-1", verifierAssertion, func(o *dataintegrity.ProofOptions) {
		o.Add, o.PreviousProof = true, []string{"urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544"}
	})
	if r := w.verify(t, w.verifier(t), chain); r.Verdict != verifier.Valid {
		t.Errorf("true chain: %s\n%s", r.Verdict, dump(r))
	}
}

func TestSEC_039_PoisonGraph(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grant(acme, "VerifiableCredential")
	w.grant(acme, "NameCredential")
	nodes := 12
	subjects := make([]any, nodes)
	for i := range subjects {
		id := "_:n" + strconv.Itoa(i)
		var about []any
		for j := range nodes {
			if i != j {
				about = append(about, map[string]any{"id": "_:n" + strconv.Itoa(j), "type": "Evidence"})
			}
		}
		subjects[i] = map[string]any{"id": id, "evidence": about}
	}
	doc := plain(acme)
	doc["credentialSubject"] = map[string]any{"id": "did:example:x"}
	doc["evidence"] = subjects
	_, method := w.didKey(t, "x")
	proof := map[string]any{
		"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": "2026-02-01T11:00:00Z", "verificationMethod": method,
		"proofPurpose": "assertionMethod", "proofValue": "z" + strings.Repeat("2", 86),
	}
	begin := time.Now()
	r := w.verify(t, w.verifier(t), with(doc, "proof", proof))
	if r.Verdict != verifier.Invalid || time.Since(begin) > time.Second {
		t.Errorf("verdict %s after %s\n%s", r.Verdict, time.Since(begin), dump(r))
	}
}

func TestSEC_040_041_BadUnicodeAndNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data := string(w.marshal(t, w.credential(t)))
	for name, insert := range map[string]string{
		"lone surrogate": `"x":"\ude03\ud83d"`, "surrogate name": `"\ud800":1`, "raw byte": "\"x\":\"\xff\"", "too precise": `"x":9007199254740993`,
		"infinite": `"x":1e400`, "beyond": `"x":295147905179352825856`, "fraction": `"x":0.1`, "minus zero": `"x":-0`, "comment": `/**/"x":1`,
	} {
		raw := "{" + insert + "," + data[1:]
		r, err := w.verifier(t).Verify(t.Context(), verifier.Input{Data: []byte(raw)})
		if r.Verdict == verifier.Valid || (err != nil && !errors.Is(err, verifier.ErrUnreadable)) {
			t.Errorf("%s: %s, %v", name, r.Verdict, err)
		}
	}
}

func TestSEC_042_SuiteAndKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := w.credential(t)
	good := doc["proof"].([]any)[0].(map[string]any)
	relabel := func(name string, value any) map[string]any {
		p := maps.Clone(good)
		p[name] = value
		return with(doc, "proof", []any{p})
	}
	want(t, w.verify(t, w.verifier(t), relabel("cryptosuite", "unknown-2030")), verifier.Undetermined, "proof_suite_unknown")
	want(t, w.verify(t, w.verifier(t), relabel("type", "Ed25519Signature2018")), verifier.Undetermined, "proof_suite_unknown")
	for name, doc := range map[string]map[string]any{
		"ecdsa with an Ed25519 key": relabel("cryptosuite", "ecdsa-rdfc-2019"),
		"relabelled as jcs":         relabel("cryptosuite", "eddsa-jcs-2022"),
		"value without prefix":      relabel("proofValue", strings.TrimPrefix(good["proofValue"].(string), "z")),
		"value in another base":     relabel("proofValue", "u"+good["proofValue"].(string)[1:]),
		"value no text":             relabel("proofValue", json.Number("1")),
		"created no date":           relabel("created", "yesterday"),
		"expired":                   relabel("expires", "2026-02-01T11:00:00Z"),
	} {
		if r := w.verify(t, w.verifier(t), doc); r.Verdict == verifier.Valid {
			t.Errorf("%s: valid", name)
		}
	}
	jcs := w.sign(t, with(doc, "proof", nil), acme+"#key-1", verifierAssertion, func(o *dataintegrity.ProofOptions) { o.Cryptosuite = "eddsa-jcs-2022" })
	if r := w.verify(t, w.verifier(t), jcs); r.Verdict != verifier.Valid {
		t.Errorf("eddsa-jcs-2022: %s\n%s", r.Verdict, dump(r))
	}
	jcs["proof"].([]any)[0].(map[string]any)["cryptosuite"] = "eddsa-rdfc-2022"
	w.refused(t, map[string]map[string]any{"jcs relabelled as rdfc": jcs})
}

func TestSEC_043_044_045_Dates(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) string { return schemas.FormatTime(start.Add(d)) }
	cases := []struct {
		name, member string
		value        any
		verdict      verifier.Verdict
		code         string
	}{
		{"expired an hour ago", "validUntil", at(-time.Hour), verifier.Invalid, "period_expired"},
		{"expired 61 s ago", "validUntil", at(-61 * time.Second), verifier.Invalid, "period_expired"},
		{"expired within skew", "validUntil", at(-60 * time.Second), verifier.Valid, "period_ok"},
		{"far future", "validFrom", "2099-01-01T00:00:00Z", verifier.Invalid, "period_early"},
		{"in 30 s", "validFrom", at(30 * time.Second), verifier.Valid, "period_ok"},
		{"in 61 s", "validFrom", at(61 * time.Second), verifier.Invalid, "period_early"},
		{"with another zone", "validUntil", "2026-02-02T20:00:00+08:00", verifier.Valid, "period_ok"},
		{"no date", "validUntil", "not-a-date", verifier.Invalid, "model_malformed"},
		{"no such day", "validUntil", "2026-02-30T00:00:00Z", verifier.Invalid, "model_malformed"},
		{"no zone", "validUntil", "2027-01-01T00:00:00", verifier.Invalid, "model_malformed"},
		{"empty", "validUntil", "", verifier.Invalid, "model_malformed"},
		{"number", "validUntil", json.Number("1800000000"), verifier.Invalid, "model_malformed"},
		{"no such month", "validUntil", "2026-13-01T00:00:00Z", verifier.Invalid, "model_malformed"},
		{"until before from", "validUntil", "2020-01-01T00:00:00Z", verifier.Invalid, "model_malformed"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			holder, _ := w.didKey(t, "holder")
			doc := with(w.unsigned(t, holder), tc.member, tc.value)
			if strings.HasPrefix(tc.name, "expired") {
				doc["validFrom"] = at(-48 * time.Hour)
			}
			if strings.HasPrefix(tc.name, "far") {
				doc["validUntil"] = "2100-01-01T00:00:00Z"
			}
			if tc.value == "" || tc.name == "number" { // the signer refuses what the verifier must refuse for itself
				doc = with(w.credential(t), tc.member, tc.value)
			} else if signed, err := w.proofs.Sign(doc, dataintegrity.ProofOptions{
				VerificationMethod: acme + "#key-1", Purpose: verifierAssertion, Created: start,
			}, w.key(acme+"#key-1")); err == nil {
				doc = signed
			}
			want(t, w.verify(t, w.verifier(t), doc), tc.verdict, tc.code)
		})
	}
}

func TestSEC_046_RelatedResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const sha384 = "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"
	entry := func(id string, members ...any) map[string]any {
		m := map[string]any{"id": id}
		for i := 0; i < len(members); i += 2 {
			m[members[i].(string)] = members[i+1]
		}
		return m
	}
	check := func(verdict verifier.Verdict, code string, resources ...any) {
		t.Helper()
		unsigned := with(with(w.credential(t), "proof", nil), "relatedResource", resources)
		signed, err := w.proofs.Sign(unsigned, dataintegrity.ProofOptions{VerificationMethod: acme + "#key-1", Purpose: verifierAssertion, Created: start}, w.key(acme+"#key-1"))
		if err != nil {
			t.Fatalf("sign: %v", err)
		}
		want(t, w.verify(t, w.verifier(t), signed), verdict, code)
	}
	check(verifier.Valid, "related_resource_ok", entry(schemas.ContextV2, "digestSRI", sha384))
	check(verifier.Invalid, "related_resource_digest", entry(schemas.ContextV2, "digestSRI", "sha384-"+strings.Repeat("A", 64)))
	check(verifier.Invalid, "model_malformed", entry(schemas.ContextV2, "digestSRI", sha384), entry(schemas.ContextV2, "digestSRI", sha384))
	check(verifier.Invalid, "model_malformed", entry(schemas.ContextV2, "digestSRI", "md5-AAAA"))
	check(verifier.Invalid, "related_resource_malformed", entry(schemas.ContextV2, "digestMultibase", "uAAAA"))
	check(verifier.Valid, "related_resource_none", entry("https://elsewhere.example/logo", "digestSRI", sha384)) // not used, not fetched
	for _, u := range w.sent() {
		if strings.Contains(u, "elsewhere") {
			t.Errorf("fetched %s", u)
		}
	}
}

func TestSEC_047_UnreadablePayload(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	doc := w.credential(t)
	for name, data := range map[string]string{
		"string": `"text"`, "array": `[` + string(w.marshal(t, doc)) + `]`, "no type": string(w.marshal(t, with(doc, "type", nil))),
		"two documents": string(w.marshal(t, doc)) + `{}`, "byte order mark": "\ufeff" + string(w.marshal(t, doc)),
	} {
		r, err := w.verifier(t).Verify(t.Context(), verifier.Input{Data: []byte(data)})
		if !errors.Is(err, verifier.ErrUnreadable) || r.Verdict != verifier.Invalid {
			t.Errorf("%s: %s, %v", name, r.Verdict, err)
		}
	}
}

func TestSEC_048_CheckedIsReturned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	data := string(w.marshal(t, w.credential(t)))
	v := w.verifier(t)
	// Other spellings of the same values verify, and the answer holds what was parsed.
	spelt := strings.Replace(data, `"Acme"`, `"\u0041c\u006de"`, 1)
	r, err := v.Verify(t.Context(), verifier.Input{Data: []byte(" " + spelt + "\n")})
	if err != nil || r.Verdict != verifier.Valid {
		t.Fatalf("%s, %v", r.Verdict, err)
	}
	if again := string(w.marshal(t, r.Credential)); again != data {
		t.Error("what is returned is not what was verified")
	}
	twice := strings.Replace(data, `"name":"Acme"`, `"name":"Acme","name":"Evil"`, 1)
	if r, err := v.Verify(t.Context(), verifier.Input{Data: []byte(twice)}); !errors.Is(err, verifier.ErrUnreadable) || r.Credential != nil {
		t.Errorf("duplicate name: %s, %v", r.Verdict, err)
	}
}
