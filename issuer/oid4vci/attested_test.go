package oid4vci_test

import (
	"crypto"
	"errors"
	"strings"
	"testing"
	"time"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/issuer/oid4vci"
	jsonldcontext "heartmark/schemas/context"
)

const maker = "https://maker.example"

// attesting makes a world that believes the maker, whose key is returned.
func attesting(t *testing.T, change func(w *oid4vci.Wallets)) (*world, holder) {
	t.Helper()
	m := p256Holder(t)
	w := newWorld(t, func(c *oid4vci.Config) {
		c.Batch = 5
		c.Wallets.Attesters = []oid4vci.Attester{{Issuer: maker, Keys: []crypto.PublicKey{m.signer.Public()}}}
		if change != nil {
			change(&c.Wallets)
		}
	})
	return w, m
}

func with(claims map[string]any, change ...func(map[string]any)) map[string]any {
	for _, f := range change {
		f(claims)
	}
	return claims
}

func (w *world) walletAttestation(t *testing.T, m, instance holder, change ...func(map[string]any)) string {
	t.Helper()
	return signProof(t, m, map[string]any{"typ": "oauth-client-attestation+jwt"}, with(map[string]any{
		"iss": maker, "sub": walletID, "iat": w.clock.Now().Unix(), "exp": w.clock.Now().Add(time.Hour).Unix(),
		"cnf": map[string]any{"jwk": instance.jwk(t)},
	}, change...))
}

func (w *world) possession(t *testing.T, instance holder, change ...func(map[string]any)) string {
	t.Helper()
	return signProof(t, instance, map[string]any{"typ": "oauth-client-attestation-pop+jwt"}, with(map[string]any{
		"iss": walletID, "aud": issuerID, "iat": w.clock.Now().Unix(), "jti": "p" + string(rune(jtis.Add(1)+0x4e00)),
	}, change...))
}

func set(name string, v any) func(map[string]any) { return func(c map[string]any) { c[name] = v } }

func drop(name string) func(map[string]any) { return func(c map[string]any) { delete(c, name) } }

func TestWalletAttestation(t *testing.T) {
	t.Parallel()
	w, m := attesting(t, func(w *oid4vci.Wallets) { w.Attestation = oid4vci.Required })
	instance, other := newHolder(t), newHolder(t)
	now := w.clock.Now()
	replayed := w.possession(t, instance)
	use := func(attestation, proof []string) error {
		r := tokenRequest(t, w.offer(t))
		r.ClientID, r.ClientAssertion = walletID, oid4vci.ClientAssertion{Attestation: attestation, Proof: proof}
		_, err := w.Token(t.Context(), r)
		return err
	}
	challenge, err := w.Challenge(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	good := func() []string { return []string{w.walletAttestation(t, m, instance)} }
	for name, proof := range map[string]string{
		"plain": replayed, "with challenge": w.possession(t, instance, set("challenge", challenge)), "aud as a list": w.possession(t, instance, set("aud", []string{issuerID})),
	} {
		if err := use(good(), []string{proof}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, tc := range map[string]struct{ attestation, proof []string }{
		"none":                 {nil, nil},
		"without proof":        {good(), nil},
		"proof alone":          {nil, []string{w.possession(t, instance)}},
		"twice":                {append(good(), good()...), []string{w.possession(t, instance)}},
		"unknown maker":        {[]string{w.walletAttestation(t, other, instance)}, []string{w.possession(t, instance)}},
		"maker's name taken":   {[]string{w.walletAttestation(t, m, instance, set("iss", "https://evil.example"))}, []string{w.possession(t, instance)}},
		"other client":         {[]string{w.walletAttestation(t, m, instance, set("sub", "evil.example"))}, []string{w.possession(t, instance)}},
		"expired":              {[]string{w.walletAttestation(t, m, instance, set("exp", now.Add(-2*time.Minute).Unix()))}, []string{w.possession(t, instance)}},
		"without end":          {[]string{w.walletAttestation(t, m, instance, drop("exp"))}, []string{w.possession(t, instance)}},
		"not yet":              {[]string{w.walletAttestation(t, m, instance, set("nbf", now.Add(2*time.Minute).Unix()))}, []string{w.possession(t, instance)}},
		"no key":               {[]string{w.walletAttestation(t, m, instance, drop("cnf"))}, []string{w.possession(t, instance)}},
		"a proof as one":       {[]string{w.possession(t, m)}, []string{w.possession(t, instance)}},
		"other instance":       {good(), []string{w.possession(t, other)}},
		"replayed":             {good(), []string{replayed}},
		"for another server":   {good(), []string{w.possession(t, instance, set("aud", origin+"/oid4vci/other"))}},
		"of another client":    {good(), []string{w.possession(t, instance, set("iss", "evil.example"))}},
		"old":                  {good(), []string{w.possession(t, instance, set("iat", now.Add(-6*time.Minute).Unix()))}},
		"no jti":               {good(), []string{w.possession(t, instance, drop("jti"))}},
		"attestation as proof": {good(), good()},
	} {
		err := use(tc.attestation, tc.proof)
		wantCode(t, name, err, oid4vci.CodeInvalidClient)
		if e, ok := errors.AsType[*oid4vci.Error](err); ok && e.Status != 401 {
			t.Errorf("%s: status %d", name, e.Status)
		}
	}
	err = use(good(), []string{w.possession(t, instance, set("challenge", w.nonce(t)))})
	wantCode(t, "a c_nonce as challenge", err, oid4vci.CodeUseAttestationChallenge)
	if e, ok := errors.AsType[*oid4vci.Error](err); ok && use(good(), []string{w.possession(t, instance, set("challenge", e.AttestationChallenge))}) != nil {
		t.Error("the challenge of the answer is not taken")
	}
	as, err := w.ASMetadata(t.Context(), "acme")
	if err != nil || as["challenge_endpoint"] == nil || as["pre-authorized_grant_anonymous_access_supported"] != false {
		t.Errorf("metadata %v, %v", as, err)
	}
}

// A code and a refresh token of an attested wallet are for that instance alone.
func TestSEC_117_CodeOfAnotherInstance(t *testing.T) {
	t.Parallel()
	w, m := attesting(t, nil)
	instance, other := newHolder(t), newHolder(t)
	by := func(h holder) oid4vci.ClientAssertion {
		return oid4vci.ClientAssertion{Attestation: []string{w.walletAttestation(t, m, h)}, Proof: []string{w.possession(t, h)}}
	}
	flow := func() oid4vci.TokenRequest {
		o := w.codeOffer(t)
		r := pushRequest(t, o)
		r.ClientAssertion = by(instance)
		return codeRequest(w.authorize(t, o, r))
	}
	for name, assertion := range map[string]oid4vci.ClientAssertion{"unattested": {}, "another instance": by(other)} {
		r := flow()
		r.ClientAssertion = assertion
		_, err := w.Token(t.Context(), r)
		wantCode(t, name, err, oid4vci.CodeInvalidGrant)
	}
	r := flow()
	r.ClientAssertion = by(instance)
	tok, err := w.Token(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	refresh := oid4vci.TokenRequest{Tenant: "acme", GrantType: oid4vci.GrantRefreshToken, RefreshToken: tok.RefreshToken, ClientID: walletID, ClientAssertion: by(other)}
	_, err = w.Token(t.Context(), refresh)
	wantCode(t, "refresh by another instance", err, oid4vci.CodeInvalidGrant)
	refresh.ClientAssertion = by(instance)
	if _, err := w.Token(t.Context(), refresh); err != nil {
		t.Errorf("refresh: %v", err)
	}
}

func (w *world) keyAttestation(t *testing.T, m holder, attested []holder, change ...func(map[string]any)) string {
	t.Helper()
	var list []any
	for _, h := range attested {
		list = append(list, h.jwk(t))
	}
	return signProof(t, m, map[string]any{"typ": "key-attestation+jwt"}, with(map[string]any{
		"iss": maker, "iat": w.clock.Now().Unix(), "exp": w.clock.Now().Add(time.Hour).Unix(), "attested_keys": list,
		"key_storage": []string{"iso_18045_high"}, "user_authentication": []string{"iso_18045_moderate"},
	}, change...))
}

func TestProofOfTypeAttestation(t *testing.T) {
	t.Parallel()
	w, m := attesting(t, func(w *oid4vci.Wallets) { w.KeyStorage = []string{"iso_18045_high"} })
	a, b := newHolder(t), p256Holder(t)
	tok := w.token(t)
	ask := func(proofs ...string) (oid4vci.CredentialResponse, error) {
		return w.Credential(t.Context(), "acme", bearer(tok), oid4vci.CredentialRequest{CredentialConfigurationID: config, ProofType: oid4vci.ProofAttestation, Proofs: proofs})
	}
	nonce := func() func(map[string]any) { return set("nonce", w.nonce(t)) }
	many := []holder{newHolder(t), newHolder(t), newHolder(t), newHolder(t), newHolder(t), newHolder(t)}
	for name, tc := range map[string]struct {
		code  string
		proof string
	}{
		"no nonce":        {oid4vci.CodeInvalidProof, w.keyAttestation(t, m, []holder{a})},
		"old nonce":       {oid4vci.CodeInvalidNonce, w.keyAttestation(t, m, []holder{a}, set("nonce", "x"))},
		"nonce number":    {oid4vci.CodeInvalidProof, w.keyAttestation(t, m, []holder{a}, set("nonce", 7))},
		"unknown maker":   {oid4vci.CodeInvalidProof, w.keyAttestation(t, a, []holder{a}, nonce())},
		"weak storage":    {oid4vci.CodeInvalidProof, w.keyAttestation(t, m, []holder{a}, nonce(), set("key_storage", []string{"iso_18045_basic"}))},
		"storage untold":  {oid4vci.CodeInvalidProof, w.keyAttestation(t, m, []holder{a}, nonce(), drop("key_storage"))},
		"no keys":         {oid4vci.CodeInvalidProof, w.keyAttestation(t, m, nil, nonce())},
		"key twice":       {oid4vci.CodeInvalidProof, w.keyAttestation(t, m, []holder{a, a}, nonce())},
		"too many keys":   {oid4vci.CodeInvalidProof, w.keyAttestation(t, m, many, nonce())},
		"private key":     {oid4vci.CodeInvalidProof, w.keyAttestation(t, m, nil, nonce(), set("attested_keys", []any{map[string]any{"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}}))},
		"no iat":          {oid4vci.CodeInvalidProof, w.keyAttestation(t, m, []holder{a}, nonce(), drop("iat"))},
		"expired":         {oid4vci.CodeInvalidProof, w.keyAttestation(t, m, []holder{a}, nonce(), set("exp", w.clock.Now().Add(-time.Hour).Unix()))},
		"wallet's one":    {oid4vci.CodeInvalidProof, w.walletAttestation(t, m, a, nonce())},
		"a jwt key proof": {oid4vci.CodeInvalidProof, w.proof(t, a, w.nonce(t))},
	} {
		_, err := ask(tc.proof)
		wantCode(t, name, err, tc.code)
	}
	_, err := ask(w.keyAttestation(t, m, []holder{a}, nonce()), w.keyAttestation(t, m, []holder{b}, nonce()))
	wantCode(t, "two", err, oid4vci.CodeInvalidProof)
	if w.calls != 0 {
		t.Fatal("the issuer was asked")
	}
	resp, err := ask(w.keyAttestation(t, m, []holder{a, b}, nonce(), drop("exp")))
	if err != nil || len(resp.Credentials) != 2 {
		t.Fatalf("%+v, %v", resp, err)
	}
}

func TestKeyAttestationBesideAProof(t *testing.T) {
	t.Parallel()
	w, m := attesting(t, func(w *oid4vci.Wallets) { w.KeyAttestation = oid4vci.Required })
	a, b := newHolder(t), newHolder(t)
	tok := w.token(t)
	ask := func(h holder, attestation string) (oid4vci.CredentialResponse, error) {
		header := map[string]any{"typ": "openid4vci-proof+jwt", "kid": h.kid()}
		if attestation != "" {
			header["key_attestation"] = attestation
		}
		return w.Credential(t.Context(), "acme", bearer(tok), request(signProof(t, h, header, w.claims(w.nonce(t)))))
	}
	for name, attestation := range map[string]string{
		"none": "", "of another key": w.keyAttestation(t, m, []holder{b}), "by nobody": w.keyAttestation(t, a, []holder{a}),
		"with another nonce": w.keyAttestation(t, m, []holder{a}, set("nonce", w.nonce(t))),
		"without end":        w.keyAttestation(t, m, []holder{a}, drop("exp")),
	} {
		_, err := ask(a, attestation)
		wantCode(t, name, err, oid4vci.CodeInvalidProof)
	}
	resp, err := ask(a, w.keyAttestation(t, m, []holder{b, a}))
	if err != nil || len(resp.Credentials) != 2 || !strings.Contains(string(resp.Credentials[0].Credential), a.did) {
		t.Errorf("%+v, %v; want one credential for each attested key, the proof's own first", resp, err)
	}
	meta, err := w.Metadata(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	types := meta["credential_configurations_supported"].(map[string]any)[config].(map[string]any)["proof_types_supported"].(map[string]any)
	if types["jwt"].(map[string]any)["key_attestations_required"] == nil || types["attestation"] == nil || types["di_vp"] != nil {
		t.Errorf("proof types %v", types)
	}
}

// presentations checks proofs of type di_vp with the real suites.
type presentations struct{ processor *dataintegrity.Processor }

func (presentations) Suites() []string {
	return []string{dataintegrity.EdDSARDFC2022, dataintegrity.ECDSARDFC2019}
}

func (presentations) Read(doc map[string]any) (oid4vci.ClaimedProof, error) {
	list, err := dataintegrity.Proofs(doc)
	if err != nil {
		return oid4vci.ClaimedProof{}, err
	}
	p, err := dataintegrity.ParseProof(list[0])
	return oid4vci.ClaimedProof{
		VerificationMethod: p.VerificationMethod, Purpose: p.Purpose, Challenge: p.Challenge, Domain: p.Domain, Created: p.Created, Expires: p.Expires,
	}, err
}

func (v presentations) Check(doc map[string]any, key crypto.PublicKey) error {
	list, err := dataintegrity.Proofs(doc)
	if err != nil {
		return err
	}
	return v.processor.Check(doc, list[0], key)
}

func TestProofOfTypeDIVP(t *testing.T) {
	t.Parallel()
	loader, err := jsonldcontext.New()
	if err != nil {
		t.Fatal(err)
	}
	processor := dataintegrity.New(loader)
	w := newWorld(t, func(c *oid4vci.Config) { c.CheckProof = presentations{processor} })
	h, other, ec := newHolder(t), newHolder(t), p256Holder(t)
	make := func(h holder, doc map[string]any, change func(o *dataintegrity.ProofOptions)) map[string]any {
		o := dataintegrity.ProofOptions{
			VerificationMethod: h.kid(), Purpose: "authentication", Created: w.clock.Now(), Cryptosuite: dataintegrity.EdDSARDFC2022,
			Domain: issuerID, Challenge: w.nonce(t),
		}
		if change != nil {
			change(&o)
		}
		vp := map[string]any{"@context": []any{"https://www.w3.org/ns/credentials/v2"}, "type": []any{"VerifiablePresentation"}}
		for name, v := range doc {
			vp[name] = v
		}
		signed, err := processor.Sign(vp, o, h.signer)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	ask := func(tok string, vps ...map[string]any) (oid4vci.CredentialResponse, error) {
		return w.Credential(t.Context(), "acme", bearer(tok), oid4vci.CredentialRequest{CredentialConfigurationID: config, ProofType: oid4vci.ProofDIVP, Presentations: vps})
	}
	tok := w.token(t)
	forged := make(h, nil, nil)
	forged["holder"] = h.did
	for name, tc := range map[string]struct {
		code string
		vp   map[string]any
	}{
		"SEC-108 other domain":      {oid4vci.CodeInvalidProof, make(h, nil, func(o *dataintegrity.ProofOptions) { o.Domain = origin + "/oid4vci/other" })},
		"SEC-108 no domain":         {oid4vci.CodeInvalidProof, make(h, nil, func(o *dataintegrity.ProofOptions) { o.Domain = "" })},
		"SEC-108 no challenge":      {oid4vci.CodeInvalidProof, make(h, nil, func(o *dataintegrity.ProofOptions) { o.Challenge = "" })},
		"SEC-108 unknown challenge": {oid4vci.CodeInvalidNonce, make(h, nil, func(o *dataintegrity.ProofOptions) { o.Challenge = "x" })},
		"other purpose":             {oid4vci.CodeInvalidProof, make(h, nil, func(o *dataintegrity.ProofOptions) { o.Purpose = "assertionMethod" })},
		"old":                       {oid4vci.CodeInvalidProof, make(h, nil, func(o *dataintegrity.ProofOptions) { o.Created = w.clock.Now().Add(-2 * time.Hour) })},
		"SEC-109 another's key":     {oid4vci.CodeInvalidProof, make(h, nil, func(o *dataintegrity.ProofOptions) { o.VerificationMethod = other.kid() })},
		"SEC-109 another's holder":  {oid4vci.CodeInvalidProof, make(h, map[string]any{"holder": other.did}, nil)},
		"changed":                   {oid4vci.CodeInvalidProof, forged},
		"no presentation":           {oid4vci.CodeInvalidProof, map[string]any{"type": "VerifiableCredential"}},
		"no proof":                  {oid4vci.CodeInvalidProof, map[string]any{"type": "VerifiablePresentation"}},
	} {
		_, err := ask(tok, tc.vp)
		wantCode(t, name, err, tc.code)
	}
	if w.calls != 0 {
		t.Fatal("the issuer was asked")
	}
	for _, vp := range []map[string]any{
		make(h, map[string]any{"holder": h.did}, nil),
		make(ec, nil, func(o *dataintegrity.ProofOptions) { o.Cryptosuite = dataintegrity.ECDSARDFC2019 }),
	} {
		resp, err := ask(w.token(t), vp)
		if err != nil || len(resp.Credentials) != 1 {
			t.Errorf("%+v, %v", resp, err)
		}
	}
}
