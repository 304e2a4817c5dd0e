package verifier_test

import (
	"maps"
	"testing"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/schemas"
	"heartmark/verifier"
)

// presentation is a signed presentation of a good credential by its holder.
func (w *world) presentation(t testing.TB, purpose, challenge, domain string, credentials ...any) map[string]any {
	t.Helper()
	holder, method := w.didKey(t, "holder")
	return w.presentationBy(t, holder, method, purpose, challenge, domain, credentials...)
}

func (w *world) presentationBy(t testing.TB, holder, method, purpose, challenge, domain string, credentials ...any) map[string]any {
	t.Helper()
	return w.sign(t, w.container(t, holder, credentials...), method, purpose, func(o *dataintegrity.ProofOptions) {
		o.Challenge, o.Domain = challenge, domain
	})
}

func (w *world) container(t testing.TB, holder string, credentials ...any) map[string]any {
	t.Helper()
	if len(credentials) == 0 {
		credentials = []any{w.credential(t)}
	}
	return map[string]any{
		"@context": []any{schemas.ContextV2}, "type": []any{"VerifiablePresentation"}, "holder": holder, "verifiableCredential": credentials,
	}
}

func given(challenge, domain string) func(*verifier.Input) {
	return func(in *verifier.Input) { in.Challenge, in.Domain = challenge, domain }
}

func TestVerifyPresentation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.verify(t, w.verifier(t), w.presentation(t, verifierAuthentication, "c-1", "shop.example"), given("c-1", "shop.example"))
	if r.Verdict != verifier.Valid || r.Kind != verifier.KindPresentation || len(r.Inner) != 1 || r.Inner[0].Verdict != verifier.Valid {
		t.Fatalf("%s\n%s", r.Verdict, dump(r))
	}
	for _, code := range []string{"holder_binding_ok", "replay_ok", "inner_ok", "issuer_binding_ok"} {
		want(t, r, verifier.Valid, code)
	}
}

func TestContainer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lenient := verifier.Policy{
		Name: "container", Version: "1", Containers: true,
		Rules: map[verifier.CheckID]verifier.Rule{verifier.CheckHolderBinding: verifier.Report, verifier.CheckReplay: verifier.Report},
	}
	v := w.verifier(t, lenient)
	doc := w.container(t, "did:example:holder")
	want(t, w.verify(t, v, doc), verifier.Undetermined, "presentation_unsecured")
	want(t, w.verify(t, v, doc), verifier.Undetermined, "holder_binding_absent")
	under := func(in *verifier.Input) { in.Policy = "container" }
	if r := w.verify(t, v, doc, under); r.Verdict != verifier.Valid || r.Policy != "container" {
		t.Errorf("%s under %s\n%s", r.Verdict, r.Policy, dump(r))
	}
	bad := with(w.credential(t), "name", "other")
	want(t, w.verify(t, v, w.container(t, "did:example:holder", bad), under), verifier.Invalid, "inner_invalid")
	if r := w.verify(t, v, with(w.credential(t), "proof", nil), under); r.Verdict == verifier.Valid {
		t.Errorf("a credential without a proof is %s", r.Verdict)
	}
}

func TestSEC_037_PresentationPartsCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	r := w.verify(t, v, w.presentation(t, verifierAuthentication, "old", ""), given("c-1", ""))
	want(t, r, verifier.Invalid, "replay_challenge")
	want(t, r, verifier.Invalid, "inner_ok")
	bad := with(w.credential(t), "name", "other")
	r = w.verify(t, v, w.presentation(t, verifierAuthentication, "c-1", "", w.credential(t), bad), given("c-1", ""))
	want(t, r, verifier.Invalid, "inner_invalid")
	want(t, r, verifier.Invalid, "inner_ok")
	want(t, r, verifier.Invalid, "proof_ok")
}

func TestSEC_038_BareCredentialInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bare := with(w.credential(t), "proof", nil)
	r := w.verify(t, w.verifier(t), w.presentation(t, verifierAuthentication, "c-1", "", bare), given("c-1", ""))
	want(t, r, verifier.Invalid, "inner_invalid")
	want(t, r.Inner[0], verifier.Invalid, "proof_missing")
}

func TestSEC_131_132_HolderBinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	holder, _ := w.didKey(t, "holder")
	thief, method := w.didKey(t, "thief")
	r := w.verify(t, v, w.presentationBy(t, thief, method, verifierAuthentication, "c-1", ""), given("c-1", ""))
	want(t, r, verifier.Invalid, "holder_binding_mismatch")
	r = w.verify(t, v, w.presentationBy(t, holder, method, verifierAuthentication, "c-1", ""), given("c-1", ""))
	want(t, r, verifier.Invalid, "issuer_binding_mismatch")
	unbound := w.unsigned(t, holder)
	subject := maps.Clone(unbound["credentialSubject"].(map[string]any))
	delete(subject, "id")
	subject["identifier"] = []any{map[string]any{"type": "IdentityObject", "hashed": false, "identityHash": "a", "identityType": "name"}}
	unbound["credentialSubject"] = subject
	r = w.verify(t, v, w.presentation(t, verifierAuthentication, "c-1", "", w.sign(t, unbound, acme+"#key-1", verifierAssertion)), given("c-1", ""))
	if r.Verdict == verifier.Valid {
		t.Errorf("without a subject id: %s\n%s", r.Verdict, dump(r))
	}
	want(t, r, r.Verdict, "holder_binding_absent")
}

func TestSEC_137_TooManyCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many := make([]any, 1000)
	for i := range many {
		many[i] = map[string]any{"@context": []any{schemas.ContextV2}, "type": []any{"VerifiableCredential"}}
	}
	holder, _ := w.didKey(t, "holder")
	want(t, w.verify(t, w.verifier(t), w.container(t, holder, many...)), verifier.Invalid, "model_too_many")
	if len(w.sent()) != 0 || len(w.asked) != 0 {
		t.Errorf("work was done: %v", w.sent())
	}
	for name, item := range map[string]any{"string": "eyJ", "number": true, "presentation": w.container(t, holder)} {
		r := w.verify(t, w.verifier(t), w.container(t, holder, item))
		if r.Verdict != verifier.Invalid {
			t.Errorf("%s inside: %s", name, r.Verdict)
		}
	}
}

func TestSEC_139_ChallengeAndDomain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	cases := []struct {
		name                          string
		proofChallenge, proofDomain   string
		callerChallenge, callerDomain string
		verdict                       verifier.Verdict
		code                          string
	}{
		{"both agree", "c", "d", "c", "d", verifier.Valid, "replay_ok"},
		{"challenge missing in the proof", "", "", "c", "", verifier.Invalid, "replay_challenge"},
		{"challenge differs", "x", "", "c", "", verifier.Invalid, "replay_challenge"},
		{"challenge in other case", "C", "", "c", "", verifier.Invalid, "replay_challenge"},
		{"domain missing in the proof", "c", "", "c", "d", verifier.Invalid, "replay_domain"},
		{"domain differs", "c", "d.example", "c", "d", verifier.Invalid, "replay_domain"},
		{"domain given by the proof alone", "c", "d", "c", "", verifier.Valid, "replay_ok"},
		{"nothing given", "c", "d", "", "", verifier.Undetermined, "replay_not_checked"},
		{"domain alone given", "c", "d", "", "d", verifier.Undetermined, "replay_not_checked"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			r := w.verify(t, v, w.presentation(t, verifierAuthentication, tc.proofChallenge, tc.proofDomain), given(tc.callerChallenge, tc.callerDomain))
			want(t, r, tc.verdict, tc.code)
		})
	}
	// Several domains are a set that must be exactly the one expected.
	holder, method := w.didKey(t, "holder")
	vp := w.sign(t, w.container(t, holder), method, verifierAuthentication, func(o *dataintegrity.ProofOptions) { o.Challenge, o.Domain = "c", "d" })
	vp["proof"].([]any)[0].(map[string]any)["domain"] = []any{"d", "e"}
	want(t, w.verify(t, v, vp, given("c", "d")), verifier.Invalid, "replay_domain")
	// A credential by itself.
	unsigned := with(w.credential(t), "proof", nil)
	bound := w.sign(t, unsigned, acme+"#key-1", verifierAssertion, func(o *dataintegrity.ProofOptions) { o.Challenge = "c" })
	want(t, w.verify(t, v, bound, given("c", "")), verifier.Valid, "replay_ok")
	want(t, w.verify(t, v, bound, given("x", "")), verifier.Invalid, "replay_challenge")
	want(t, w.verify(t, v, bound), verifier.Undetermined, "replay_not_checked")
	want(t, w.verify(t, v, w.credential(t), given("c", "")), verifier.Invalid, "replay_challenge")
}
