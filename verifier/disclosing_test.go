package verifier_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/sdjwt"
	"heartmark/schemas"
	"heartmark/verifier"
)

// disclosing are the claims of a complete DEI credential as an SD-JWT of the data model.
func (w *world) disclosing(t testing.TB) schemas.SelectiveClaims {
	t.Helper()
	jwk, err := keys.MarshalJWK(w.key("holder").Public())
	if err != nil {
		t.Fatal(err)
	}
	holder, _ := w.didKey(t, "holder")
	s, err := w.deiCredential(holder).SelectiveDocument(jwk)
	if err != nil {
		t.Fatal(err)
	}
	s.Claims["iat"] = start.Unix()
	return s
}

func (w *world) issueDisclosing(t testing.TB, typ string, s schemas.SelectiveClaims) string {
	t.Helper()
	compact, err := sdjwt.Issue(s.Claims, sdjwt.Options{
		Header: map[string]any{"typ": typ, "cty": "vc", "kid": acme + "#key-1"}, Disclosable: s.Disclosable, Pad: s.Pad,
	}, w.key(acme+"#key-1"))
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// A holder shows one result with its confidence and nothing else of what can be withheld.
func TestVerifyDisclosing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	held := parseSelective(t, w.issueDisclosing(t, "vc+sd-jwt", w.disclosing(t)))
	shown := w.shown(t, held, "/credentialSubject/result/0", "/evidence/0/deiConfidence/0")
	for _, media := range []string{"", "application/vc+sd-jwt"} {
		r := w.check(t, v, shown, given("c-1", "shop.example"), mediaType(media))
		if r.Verdict != verifier.Valid || len(r.Summary.Levels) != 1 || r.Summary.SignedBy != acme+"#key-1" {
			t.Errorf("%q: %s with %+v\n%s", media, r.Verdict, r.Summary, dump(r))
		}
		for _, id := range []verifier.CheckID{
			verifier.CheckModel, verifier.CheckProof, verifier.CheckPurpose, verifier.CheckIssuerBinding, verifier.CheckPeriod, verifier.CheckStatus,
			verifier.CheckSchema, verifier.CheckAuthority, verifier.CheckKeyInterval, verifier.CheckHolderBinding, verifier.CheckReplay,
		} {
			if r.Outcome(id) != verifier.Pass {
				t.Errorf("%s is %s", id, r.Outcome(id))
			}
		}
		if evidence := r.Credential["evidence"].([]any)[0].(map[string]any); evidence["deiPlatform"] != nil || evidence["deiBatchDigest"] != nil {
			t.Error("withheld sources are in the result")
		}
	}
	// The name must not tell what is withheld, and the number of digests not how much is stated.
	if name, _ := held.Claims["name"].(string); strings.Contains(strings.ToLower(name), "proficient") || name == "" {
		t.Errorf("name %q", name)
	}
	subject := held.Payload["credentialSubject"].(map[string]any)
	if n := len(subject["result"].([]any)); n != len(schemas.ResultDimensions()) {
		t.Errorf("%d digests of results, want one for each dimension that there is", n)
	}
}

func TestDisclosingCases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	issue := func(change func(s *schemas.SelectiveClaims)) string {
		s := w.disclosing(t)
		change(&s)
		return w.issueDisclosing(t, "vc+sd-jwt", s)
	}
	bind := func(compact string) string {
		return w.bound(t, compact, sdjwt.Binding{Audience: "shop.example", Nonce: "c-1", IssuedAt: start})
	}
	hidden := func(at string) string {
		compact := issue(func(s *schemas.SelectiveClaims) { s.Disclosable = append(slices.Clone(s.Disclosable), at) })
		if strings.HasPrefix(at, "/cnf") {
			return compact
		}
		return bind(compact)
	}
	claim := func(name string, value any) string {
		return bind(issue(func(s *schemas.SelectiveClaims) { s.Claims[name] = value }))
	}
	whole := issue(func(*schemas.SelectiveClaims) {})
	shown := func(pointers ...string) string { return w.shown(t, parseSelective(t, whole), pointers...) }
	for name, c := range map[string]struct {
		compact string
		verdict verifier.Verdict
		code    string
	}{
		"issuer within disclosed":       {hidden("/issuer/name"), verifier.Invalid, "model_malformed"},
		"context disclosed":             {hidden("/@context/2"), verifier.Invalid, "model_malformed"},
		"type disclosed":                {hidden("/type/1"), verifier.Invalid, "model_malformed"},
		"status disclosed":              {hidden("/credentialStatus"), verifier.Invalid, "model_malformed"},
		"schema disclosed":              {hidden("/credentialSchema"), verifier.Invalid, "model_malformed"},
		"end disclosed":                 {hidden("/validUntil"), verifier.Invalid, "model_malformed"},
		"cnf disclosed":                 {hidden("/cnf"), verifier.Invalid, "model_malformed"},
		"no result shown":               {shown("/evidence/0/deiConfidence/0"), verifier.Invalid, "schema_violated"},
		"a proof beside":                {claim("proof", []any{map[string]any{"type": "DataIntegrityProof"}}), verifier.Invalid, "model_token_claim"},
		"SEC025 iss of another":         {claim("iss", other), verifier.Invalid, "model_token_claim"},
		"SEC054 no key binding":         {whole, verifier.Invalid, "replay_challenge"},
		"SEC058 cnf by reference":       {issue(func(s *schemas.SelectiveClaims) { s.Claims["cnf"] = map[string]any{"jku": "https://canary.example"} }), verifier.Invalid, "holder_binding_key"},
		"SEC052 disclosure of nothing":  {whole + b64(`["c2FsdA","overall",1]`) + "~", verifier.Invalid, "proof_disclosures"},
		"SEC012 iat ahead":              {claim("iat", start.Add(time.Hour).Unix()), verifier.Invalid, "period_early"},
		"SEC057 one disclosure dropped": {strings.Replace(bind(whole), "~"+strings.Split(whole, "~")[1]+"~", "~", 1), verifier.Invalid, "holder_binding_invalid"},
	} {
		t.Run(name, func(t *testing.T) { want(t, w.check(t, v, c.compact, given("c-1", "shop.example")), c.verdict, c.code) })
	}
	want(t, w.check(t, v, whole), verifier.Undetermined, "holder_binding_absent")
	want(t, w.check(t, v, bind(whole)), verifier.Undetermined, "replay_not_checked")
	// SEC-010: one kind of SD-JWT is not taken for the other, in either direction, whatever media type is claimed.
	for typ, media := range map[string]string{"vc+sd-jwt": "application/dc+sd-jwt", "dc+sd-jwt": "application/vc+sd-jwt", "example+sd-jwt": ""} {
		compact := w.issueDisclosing(t, typ, w.disclosing(t))
		r, err := v.Verify(t.Context(), verifier.Input{Data: []byte(compact), MediaType: media})
		if !errors.Is(err, verifier.ErrUnreadable) || r.Verdict != verifier.Invalid {
			t.Errorf("typ %s as %q: %s, %v; want a refusal", typ, media, r.Verdict, err)
		}
	}
	want(t, w.check(t, v, w.issueDisclosing(t, "dc+sd-jwt", w.disclosing(t))), verifier.Invalid, "model_malformed")
}
