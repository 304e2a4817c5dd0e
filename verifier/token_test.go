package verifier_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/internal/proof/jose"
	"heartmark/internal/proof/sdjwt"
	"heartmark/schemas"
	"heartmark/verifier"
)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func mediaType(m string) func(*verifier.Input) {
	return func(in *verifier.Input) { in.MediaType = m }
}

func TestVerifyVCJWT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, m := range []string{"", "application/vc+jwt"} {
		r := w.check(t, w.verifier(t), w.vcJWT(t, map[string]any{"iss": acme, "iat": start.Unix()}), mediaType(m))
		if r.Verdict != verifier.Valid || r.Kind != verifier.KindCredential || r.Summary.SignedBy != acme+"#key-1" || len(r.Summary.Levels) != 2 {
			t.Fatalf("%s, %+v\n%s", r.Verdict, r.Summary, dump(r))
		}
		for id, n := range map[verifier.CheckID]int{verifier.CheckStatus: 2, verifier.CheckAuthority: 2, verifier.CheckProof: 1, verifier.CheckSchema: 1} {
			if got := r.Find(id); len(got) != n || r.Outcome(id) != verifier.Pass {
				t.Errorf("%s: %d findings, %s", id, len(got), r.Outcome(id))
			}
		}
	}
}

func TestVerifyVPJWT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	for name, credential := range map[string]any{"enveloped": enveloped(w.vcJWT(t, nil)), "embedded": w.credential(t)} {
		r := w.check(t, v, w.vpJWT(t, nil, credential), given("c-1", "shop.example"), mediaType("application/vp+jwt"))
		for _, code := range []string{"holder_binding_ok", "replay_ok", "inner_ok", "issuer_binding_ok"} {
			want(t, r, verifier.Valid, code)
		}
		if r.Kind != verifier.KindPresentation || len(r.Inner) != 1 {
			t.Errorf("%s: %s with %d inside", name, r.Kind, len(r.Inner))
		}
	}
	// A Data Integrity presentation may hold an enveloped credential too.
	want(t, w.verify(t, v, w.presentation(t, verifierAuthentication, "c-1", "shop.example", enveloped(w.vcJWT(t, nil))), given("c-1", "shop.example")), verifier.Valid, "inner_ok")
	good := enveloped(w.vcJWT(t, nil))
	for name, c := range map[string]struct {
		compact string
		verdict verifier.Verdict
		code    string
	}{
		"SEC055 another audience": {w.vpJWT(t, map[string]any{"aud": "other.example"}, good), verifier.Invalid, "replay_domain"},
		"SEC055 two audiences":    {w.vpJWT(t, map[string]any{"aud": []any{"shop.example", "other.example"}}, good), verifier.Invalid, "replay_domain"},
		"SEC056 another nonce":    {w.vpJWT(t, map[string]any{"nonce": "c-2"}, good), verifier.Invalid, "replay_challenge"},
		"SEC012 expired":          {w.vpJWT(t, map[string]any{"exp": start.Add(-time.Hour).Unix()}, good), verifier.Invalid, "period_expired"},
		"SEC025 iss and holder":   {w.vpJWT(t, map[string]any{"iss": acme}, good), verifier.Invalid, "model_token_claim"},
		"a vp claim":              {w.vpJWT(t, map[string]any{"vp": "x"}, good), verifier.Invalid, "model_token_claim"},
		"SEC037 a bad credential": {w.vpJWT(t, nil, enveloped(w.vcJWT(t, map[string]any{"exp": start.Add(-time.Hour).Unix()}))), verifier.Invalid, "inner_invalid"},
		"SEC038 no credential":    {w.vpJWT(t, nil, map[string]any{"@context": schemas.ContextV2, "type": "EnvelopedVerifiableCredential", "id": "not-a-credential"}), verifier.Invalid, "inner_invalid"},
		"a presentation inside":   {w.vpJWT(t, nil, enveloped(w.vpJWT(t, nil, good))), verifier.Invalid, "inner_invalid"},
		"SEC001 none inside":      {w.vpJWT(t, nil, enveloped(b64(`{"alg":"none","typ":"vc+jwt"}`)+"."+b64(`{"type":"VerifiableCredential"}`)+".")), verifier.Invalid, "inner_invalid"},
	} {
		r := w.check(t, v, c.compact, given("c-1", "shop.example"))
		if t.Run(name, func(t *testing.T) { want(t, r, c.verdict, c.code) }); r.Verdict == verifier.Valid {
			t.Errorf("%s is valid", name)
		}
	}
	want(t, w.check(t, v, w.vpJWT(t, nil, good)), verifier.Undetermined, "replay_not_checked")
}

func TestVerifySelective(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, held := w.verifier(t), w.held(t)
	for name, c := range map[string]struct {
		pointers []string
		levels   []verifier.StatedLevel
	}{
		"nothing": {nil, nil},
		"a level": {[]string{"/social_awareness/level"}, []verifier.StatedLevel{
			{Dimension: "social_awareness", Name: "Social awareness", Level: "3", LevelName: "Proficient"},
		}},
		"at least a level": {[]string{"/social_awareness/level_at_least/2"}, []verifier.StatedLevel{
			{Dimension: "social_awareness", Name: "Social awareness", Level: "2", LevelName: "Developing or higher", AtLeast: true},
		}},
	} {
		r := w.check(t, v, w.shown(t, held, c.pointers...), given("c-1", "shop.example"), mediaType("application/dc+sd-jwt"))
		if r.Verdict != verifier.Valid || !slices.Equal(r.Summary.Levels, c.levels) || r.Summary.SignedBy != acme+"#key-1" {
			t.Errorf("%s: %s with %+v\n%s", name, r.Verdict, r.Summary, dump(r))
		}
		for _, id := range []verifier.CheckID{
			verifier.CheckModel, verifier.CheckProof, verifier.CheckPurpose, verifier.CheckIssuerBinding, verifier.CheckPeriod, verifier.CheckStatus,
			verifier.CheckSchema, verifier.CheckAuthority, verifier.CheckKeyInterval, verifier.CheckHolderBinding, verifier.CheckReplay,
		} {
			if r.Outcome(id) != verifier.Pass {
				t.Errorf("%s: %s is %s", name, id, r.Outcome(id))
			}
		}
		if c.pointers == nil && r.Credential["social_awareness"] != nil {
			t.Error("a withheld dimension is in the result")
		}
	}
	// The authority is asked about the levels that are shown.
	if i := slices.IndexFunc(w.asked, func(q verifier.AuthorityQuery) bool { return slices.Equal(q.Levels, []schemas.Level{3}) }); i < 0 {
		t.Error("the authority was not asked about level 3")
	}
}

func TestSelectiveInTheLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	compact := w.shown(t, w.held(t))
	holder, _ := w.didKey(t, "holder")
	c := w.deiCredential(holder)
	leaf := schemas.IssuedEntry(schemas.IssuedCommitment(c.ID, acme, schemas.FormatTime(c.ValidFrom), schemas.FormatTime(c.ValidUntil), "g1", index)).Encode()
	asked := func(in *verifier.Input) {
		given("c-1", "shop.example")(in)
		in.WantLog, in.LogProof = true, &schemas.LogProof{}
	}
	want(t, w.check(t, w.verifier(t), compact, asked), verifier.Invalid, "log_inclusion_mismatch")
	w.logged[string(leaf)] = true // the commitment of all forms of one credential
	want(t, w.check(t, w.verifier(t), compact, asked), verifier.Valid, "log_inclusion_ok")
	want(t, w.check(t, w.verifier(t), w.vcJWT(t, nil), func(in *verifier.Input) { in.WantLog, in.LogProof = true, &schemas.LogProof{} }), verifier.Valid, "log_inclusion_ok")
}

func TestSEC_001_UnsignedTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	for _, good := range []string{w.vcJWT(t, nil), w.shown(t, w.held(t))} {
		typ := "vc+jwt"
		if strings.Contains(good, "~") {
			typ = "dc+sd-jwt"
		}
		parts := strings.SplitN(good, ".", 3)
		for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "HS256", "RS256"} {
			for _, signature := range []string{parts[2], "", "AAAA"} {
				header := b64(`{"alg":"` + alg + `","typ":"` + typ + `","kid":"` + acme + `#key-1"}`)
				r, err := v.Verify(t.Context(), verifier.Input{Data: []byte(header + "." + parts[1] + "." + signature)})
				if r.Verdict != verifier.Invalid || r.Summary.SignedBy != "" || (err != nil && !errors.Is(err, verifier.ErrUnreadable)) {
					t.Errorf("alg %q: %s, %v", alg, r.Verdict, err)
				}
			}
		}
	}
}

func TestSEC_002_UnsignedStatusListToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	held := w.held(t)
	w.serveTokens(t, map[uint64]uint8{index: 1})
	w.mu.Lock()
	list := string(w.lists[tokenList].Data)
	w.mu.Unlock()
	clean := newWorld(t)
	clean.serveTokens(t, nil)
	body := strings.Split(string(clean.lists[tokenList].Data), ".")[1]
	for name, compact := range map[string]string{
		"none":            b64(`{"alg":"none","typ":"statuslist+jwt","kid":"`+acme+`#key-1"}`) + "." + body + ".AAAA",
		"empty signature": strings.Split(list, ".")[0] + "." + body + ".",
		"another's":       strings.Split(list, ".")[0] + "." + body + "." + strings.Split(list, ".")[2],
	} {
		w.putTokens(compact)
		r := w.check(t, w.verifier(t), w.shown(t, held), given("c-1", "shop.example"))
		if r.Verdict != verifier.Undetermined || r.Outcome(verifier.CheckStatus) != verifier.NotDetermined {
			t.Errorf("%s: %s\n%s", name, r.Verdict, dump(r))
		}
	}
}

func TestSEC_010_OneKindOfTokenAsAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, held := w.verifier(t), w.held(t)
	holder, _ := w.didKey(t, "holder")
	vc, vp, sd := w.vcJWT(t, nil), w.vpJWT(t, nil), w.shown(t, held)
	typed := func(typ string) string { return w.jws(t, typ, acme+"#key-1", w.unsigned(t, holder)) }
	issued := strings.Split(held.Compact(), "~")
	for name, in := range map[string]verifier.Input{
		"a presentation as vc+jwt":             {Data: []byte(vp), MediaType: "application/vc+jwt"},
		"a credential as vp+jwt":               {Data: []byte(vc), MediaType: "application/vp+jwt"},
		"vc+jwt as dc+sd-jwt":                  {Data: []byte(vc), MediaType: "application/dc+sd-jwt"},
		"vc+jwt with a tilde":                  {Data: []byte(vc + "~")},
		"dc+sd-jwt as vc+jwt":                  {Data: []byte(sd), MediaType: "application/vc+jwt"},
		"its issuer's part alone":              {Data: []byte(issued[0])},
		"JSON as vc+jwt":                       {Data: w.marshal(t, w.credential(t)), MediaType: "application/vc+jwt"},
		"a token as JSON":                      {Data: []byte(vc), MediaType: "application/vc"},
		"an object as vc+jwt":                  {Document: w.credential(t), MediaType: "application/vc+jwt"},
		"typ JWT":                              {Data: []byte(typed("JWT"))},
		"typ with application/":                {Data: []byte(typed("application/vc+jwt"))},
		"typ in capitals":                      {Data: []byte(typed("VC+JWT"))},
		"typ of a status list":                 {Data: []byte(typed("statuslist+jwt"))},
		"a key binding JWT":                    {Data: []byte(sd[strings.LastIndexByte(sd, '~')+1:])},
		"typ bad+typ":                          {Data: []byte(typed("bad+typ"))},
		"dc+sd-jwt over a VCDM credential":     {Data: []byte(typed("dc+sd-jwt"))},
		"SEC017 a line end":                    {Data: []byte(vc + "\n")},
		"SEC017 a fourth part":                 {Data: []byte(vc + ".AAAA")},
		"SEC018 a flood of dots":               {Data: []byte("e" + strings.Repeat(".", 1<<20))},
		"SEC018 a flood of tildes":             {Data: []byte("e" + strings.Repeat("~", 1<<20))},
		"SEC047 payload not an object":         {Data: []byte(w.raw(t, "vc+jwt", `[]`))},
		"SEC047 payload without type":          {Data: []byte(w.raw(t, "vc+jwt", `{}`))},
		"SEC014 two issuers":                   {Data: []byte(w.raw(t, "vc+jwt", `{"type":["VerifiableCredential"],"issuer":"did:a:b","issuer":"did:a:c"}`))},
		"SEC022 the flattened JSON form":       {Data: must(held.JSON())},
		"SEC022 the JSON form as its own type": {Data: must(held.JSON()), MediaType: "application/dc+sd-jwt"},
	} {
		r, err := v.Verify(t.Context(), in)
		if !errors.Is(err, verifier.ErrUnreadable) || r.Verdict != verifier.Invalid || r.Outcome(verifier.CheckParse) != verifier.Fail {
			t.Errorf("%s: %v, %s\n%s", name, err, r.Verdict, dump(r))
		}
	}
}

func (w *world) raw(t testing.TB, typ, payload string) string {
	t.Helper()
	compact, err := jose.Sign(map[string]any{"typ": typ, "kid": acme + "#key-1"}, []byte(payload), w.key(acme+"#key-1"))
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

func TestTokenCases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	holder, holderMethod := w.didKey(t, "holder")
	hour := func(n time.Duration) int64 { return start.Add(n * time.Hour).Unix() }
	for name, c := range map[string]struct {
		compact string
		verdict verifier.Verdict
		code    string
	}{
		"SEC012 exp an hour ago":     {w.vcJWT(t, map[string]any{"exp": hour(-1)}), verifier.Invalid, "model_token_claim"}, // and validUntil says otherwise
		"SEC012 nbf in an hour":      {w.vcJWT(t, map[string]any{"nbf": hour(1), "validFrom": schemas.FormatTime(start.Add(time.Hour))}), verifier.Invalid, "period_early"},
		"SEC012 iat in a day":        {w.vcJWT(t, map[string]any{"iat": hour(24)}), verifier.Invalid, "period_early"},
		"SEC012 iat a text":          {w.vcJWT(t, map[string]any{"iat": "2026-02-01T12:00:00Z"}), verifier.Invalid, "period_malformed"},
		"SEC012 exp with a fraction": {w.vcJWT(t, map[string]any{"exp": json.Number("1769940000.5")}), verifier.Invalid, "period_malformed"},
		"SEC025 iss":                 {w.vcJWT(t, map[string]any{"iss": other}), verifier.Invalid, "model_token_claim"},
		"SEC025 sub":                 {w.vcJWT(t, map[string]any{"sub": other}), verifier.Invalid, "model_token_claim"},
		"SEC025 jti":                 {w.vcJWT(t, map[string]any{"jti": "urn:uuid:0"}), verifier.Invalid, "model_token_claim"},
		"SEC025 exp and validUntil":  {w.vcJWT(t, map[string]any{"exp": start.AddDate(2, 0, 0).Unix()}), verifier.Invalid, "model_token_claim"},
		"SEC025 nbf and validFrom":   {w.vcJWT(t, map[string]any{"nbf": hour(-5)}), verifier.Invalid, "model_token_claim"},
		"a vc claim":                 {w.vcJWT(t, map[string]any{"vc": "oops"}), verifier.Invalid, "model_token_claim"},
		"a proof beside":             {w.vcJWT(t, map[string]any{"proof": w.credential(t)["proof"]}), verifier.Invalid, "model_token_claim"},
		"SEC043 expired":             {w.vcJWT(t, map[string]any{"validUntil": schemas.FormatTime(start.Add(-61 * time.Second))}), verifier.Invalid, "period_expired"},
		"SEC033 a fresh did:key":     {w.jws(t, "vc+jwt", holderMethod, w.unsigned(t, holder)), verifier.Invalid, "issuer_binding_mismatch"},
		"SEC033 another issuer":      {w.jws(t, "vc+jwt", other+"#key-1", w.unsigned(t, holder)), verifier.Invalid, "issuer_binding_mismatch"},
		"SEC024 a signature by another key": {
			must2(jose.Sign(map[string]any{"typ": "vc+jwt", "kid": acme + "#key-1"}, w.marshal(t, w.unsigned(t, holder)), w.key("x"))), verifier.Invalid, "proof_invalid",
		},
		"SEC026 another algorithm": {must2(jose.Sign(map[string]any{"typ": "vc+jwt", "kid": acme + "#key-1"}, w.marshal(t, w.unsigned(t, holder)), p256(t))), verifier.Invalid, "proof_suite_mismatch"},
		"no kid":                   {must2(jose.Sign(map[string]any{"typ": "vc+jwt"}, w.marshal(t, w.unsigned(t, holder)), w.key(acme+"#key-1"))), verifier.Invalid, "proof_malformed"},
		"kid no DID URL":           {must2(jose.Sign(map[string]any{"typ": "vc+jwt", "kid": "key-1"}, w.marshal(t, w.unsigned(t, holder)), w.key(acme+"#key-1"))), verifier.Invalid, "proof_malformed"},
		"SEC059 x5c alone":         {must2(jose.Sign(map[string]any{"typ": "vc+jwt", "x5c": []string{base64.StdEncoding.EncodeToString([]byte("x"))}}, w.marshal(t, w.unsigned(t, holder)), w.key("x"))), verifier.Undetermined, "proof_key_unavailable"},
		"a nonce nobody asked for": {w.vcJWT(t, map[string]any{"nonce": "c-9"}), verifier.Undetermined, "replay_not_checked"},
		"an unknown key":           {w.jws(t, "vc+jwt", acme+"#key-9", w.unsigned(t, holder)), verifier.Invalid, "proof_key_unknown"},
		"no kid, an https issuer":  {must2(jose.Sign(map[string]any{"typ": "vc+jwt"}, w.marshal(t, plain("https://issuer.example")), w.key("x"))), verifier.Invalid, "proof_key_unavailable"}, // and unknown
		"an unknown issuer":        {w.jws(t, "vc+jwt", holderMethod, plain(holder)), verifier.Invalid, "authority_unknown"},
	} {
		t.Run(name, func(t *testing.T) { want(t, w.check(t, v, c.compact), c.verdict, c.code) })
	}
	w.publish(t, acme, "authentication")
	want(t, w.check(t, w.verifier(t), w.vcJWT(t, nil)), verifier.Valid, "purpose_ok") // the document is cached
	fresh := newWorld(t)
	fresh.publish(t, acme, "authentication")
	want(t, fresh.check(t, fresh.verifier(t), fresh.vcJWT(t, nil)), verifier.Invalid, "purpose_not_listed") // SEC032
}

func must2(compact string, err error) string {
	if err != nil {
		panic(err)
	}
	return compact
}

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestSelectiveCases spoils one thing of a good presentation each.
func TestSelectiveCases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, held := w.verifier(t), w.held(t)
	good := w.shown(t, held, "/social_awareness/level", "/self_management")
	parts := strings.Split(good, "~")
	last := len(parts) - 1
	issue := func(change func(s *schemas.SelectiveClaims)) string {
		s := w.selectiveClaims(t)
		s.Claims = maps.Clone(s.Claims)
		change(&s)
		return w.issueSelective(t, s)
	}
	bind := func(compact string) string {
		return w.bound(t, compact, sdjwt.Binding{Audience: "shop.example", Nonce: "c-1", IssuedAt: start})
	}
	claim := func(name string, value any) string {
		return bind(issue(func(s *schemas.SelectiveClaims) { s.Claims[name] = value }))
	}
	without := func(name string) string {
		return bind(issue(func(s *schemas.SelectiveClaims) { delete(s.Claims, name) }))
	}
	hidden := func(name string) string {
		return issue(func(s *schemas.SelectiveClaims) { s.Disclosable = append(slices.Clone(s.Disclosable), name) })
	}
	binding := func(b sdjwt.Binding) string { return w.bound(t, strings.Join(parts[:last], "~")+"~", b) }
	for name, c := range map[string]struct {
		compact string
		verdict verifier.Verdict
		code    string
	}{
		"SEC049 a reserved name":         {parts[0] + "~" + b64(`["c2FsdA","_sd",[]]`) + "~", verifier.Invalid, "proof_disclosures"},
		"SEC051 a disclosure twice":      {parts[0] + "~" + parts[1] + "~" + strings.Join(parts[1:], "~"), verifier.Invalid, "proof_disclosures"},
		"SEC052 a disclosure of nothing": {parts[0] + "~" + b64(`["c2FsdA","overall",{"level":4}]`) + "~" + strings.Join(parts[1:], "~"), verifier.Invalid, "proof_disclosures"},
		"SEC053 a weak algorithm":        {w.raw(t, "dc+sd-jwt", `{"_sd_alg":"sha-1"}`) + "~", verifier.Invalid, "proof_algorithm"},
		"SEC054 no key binding":          {strings.Join(parts[:last], "~") + "~", verifier.Invalid, "replay_challenge"},
		"SEC054 an altered one":          {good[:len(good)-6] + "AAAAAA", verifier.Invalid, "holder_binding_invalid"},
		"SEC055 another audience":        {binding(sdjwt.Binding{Audience: "other.example", Nonce: "c-1", IssuedAt: start}), verifier.Invalid, "replay_domain"},
		"SEC056 another nonce":           {binding(sdjwt.Binding{Audience: "shop.example", Nonce: "c-2", IssuedAt: start}), verifier.Invalid, "replay_challenge"},
		"SEC012 an old binding":          {binding(sdjwt.Binding{Audience: "shop.example", Nonce: "c-1", IssuedAt: start.Add(-7 * time.Minute)}), verifier.Invalid, "replay_stale"},
		"SEC057 one disclosure less":     {strings.Join(slices.Delete(slices.Clone(parts), 1, 2), "~"), verifier.Invalid, "holder_binding_invalid"},
		"SEC058 cnf by reference":        {issue(func(s *schemas.SelectiveClaims) { s.Claims["cnf"] = map[string]any{"jku": "https://canary.example"} }), verifier.Invalid, "holder_binding_key"},
		"SEC060 vct missing":             {without("vct"), verifier.Invalid, "model_malformed"},
		"SEC060 vct empty":               {claim("vct", ""), verifier.Invalid, "model_malformed"},
		"SEC060 vct a number":            {claim("vct", 1), verifier.Invalid, "model_malformed"},
		"SEC060 another integrity":       {claim("vct#integrity", schemas.DigestSRI(nil)), verifier.Invalid, "schema_digest"},
		"SEC060 no integrity":            {without("vct#integrity"), verifier.Invalid, "schema_digest"},
		"SEC060 an unknown type":         {claim("vct", "https://types.example/x"), verifier.Invalid, "authority_not_authorized"},
		"vct beside @context":            {claim("@context", []string{schemas.ContextV2}), verifier.Invalid, "model_malformed"},
		"iss withheld":                   {hidden("/iss"), verifier.Invalid, "model_malformed"},
		"exp disclosed":                  {hidden("/exp"), verifier.Invalid, "model_malformed"},
		"cnf disclosed":                  {hidden("/cnf"), verifier.Invalid, "model_malformed"},
		"status disclosed":               {hidden("/status"), verifier.Invalid, "model_malformed"},
		"status within disclosed":        {hidden("/status/status_list"), verifier.Invalid, "model_malformed"},
		"SEC012 exp past":                {claim("exp", start.Add(-2*time.Minute).Unix()), verifier.Invalid, "period_expired"},
		"SEC012 nbf ahead":               {claim("nbf", start.Add(2*time.Minute).Unix()), verifier.Invalid, "period_early"},
		"SEC012 exp a text":              {claim("exp", "2027"), verifier.Invalid, "model_malformed"},
		"a level outside the scale":      {claim("overall", map[string]any{"level": 7}), verifier.Invalid, "schema_violated"},
		"a score":                        {claim("overall", map[string]any{"score": "81"}), verifier.Invalid, "schema_violated"},
		"no exp":                         {without("exp"), verifier.Invalid, "schema_violated"},
		"another issuer's name":          {claim("iss", other), verifier.Invalid, "issuer_binding_mismatch"},
		"another status mechanism":       {claim("status", map[string]any{"identifier_list": map[string]any{}}), verifier.Undetermined, "status_type_unknown"},
		"an index that is a text":        {claim("status", map[string]any{"status_list": map[string]any{"idx": "1", "uri": tokenList}}), verifier.Undetermined, "status_malformed"},
		"an index past the list":         {claim("status", map[string]any{"status_list": map[string]any{"idx": 1 << 20, "uri": tokenList}}), verifier.Undetermined, "status_range"},
	} {
		t.Run(name, func(t *testing.T) { want(t, w.check(t, v, c.compact, given("c-1", "shop.example")), c.verdict, c.code) })
	}
	want(t, w.check(t, v, strings.Join(parts[:last], "~")+"~"), verifier.Undetermined, "holder_binding_absent")
	want(t, w.check(t, v, good), verifier.Undetermined, "replay_not_checked")
	want(t, w.check(t, v, good, given("c-1", "")), verifier.Undetermined, "replay_not_checked")
	want(t, w.check(t, v, good, given("c-2", "")), verifier.Invalid, "replay_challenge")
	want(t, w.check(t, v, issue(func(s *schemas.SelectiveClaims) {
		delete(s.Claims, "cnf")
		delete(s.Claims, "vct#integrity")
		s.Claims["vct"] = "https://types.example/y"
	})), verifier.Invalid, "holder_binding_none") // a bearer's, of a type that acme may not issue
	for _, u := range w.sent() {
		if strings.Contains(u, "canary") || strings.Contains(u, "/vct/") || strings.Contains(u, "types.example") {
			t.Errorf("%s was fetched", u)
		}
	}
}

func TestTypeThatNothingIsKnownOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grant(acme, "https://types.example/y")
	bearer := func(integrity string) string {
		claims := map[string]any{"iss": acme, "vct": "https://types.example/y", "iat": start.Unix()}
		if integrity != "" {
			claims["vct#integrity"] = integrity
		}
		return w.issueSelective(t, schemas.SelectiveClaims{Claims: claims})
	}
	want(t, w.check(t, w.verifier(t), bearer("")), verifier.Valid, "schema_none")
	want(t, w.check(t, w.verifier(t), bearer("sha384-x")), verifier.Undetermined, "schema_unknown")
}

func TestTokenStatusValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	compact := w.shown(t, w.held(t))
	for name, c := range map[string]struct {
		values  map[uint64]uint8
		change  func(map[string]any)
		verdict verifier.Verdict
		code    string
	}{
		"valid":             {map[uint64]uint8{index - 1: 1, index + 1: 2}, nil, verifier.Valid, "status_ok"},
		"revoked":           {map[uint64]uint8{index: 1}, nil, verifier.Invalid, "status_revoked"},
		"suspended":         {map[uint64]uint8{index: 2}, nil, verifier.Invalid, "status_suspended"},
		"an unknown value":  {map[uint64]uint8{index: 3}, nil, verifier.Undetermined, "status_purpose_unknown"},
		"another address":   {nil, func(c map[string]any) { c["sub"] = tokenList + "2" }, verifier.Undetermined, "status_verification"},
		"expired":           {nil, func(c map[string]any) { c["exp"] = start.Unix() }, verifier.Undetermined, "status_verification"},
		"no iat":            {nil, func(c map[string]any) { delete(c, "iat") }, verifier.Undetermined, "status_verification"},
		"iat ahead":         {nil, func(c map[string]any) { c["iat"] = start.Add(time.Hour).Unix() }, verifier.Undetermined, "status_verification"},
		"ttl of zero":       {nil, func(c map[string]any) { c["ttl"] = 0 }, verifier.Undetermined, "status_verification"},
		"another iss":       {nil, func(c map[string]any) { c["iss"] = other }, verifier.Undetermined, "status_verification"},
		"bits of three":     {nil, func(c map[string]any) { c["status_list"].(map[string]any)["bits"] = 3 }, verifier.Undetermined, "status_malformed"},
		"no list":           {nil, func(c map[string]any) { delete(c, "status_list") }, verifier.Undetermined, "status_malformed"},
		"bits not packed":   {nil, func(c map[string]any) { c["status_list"].(map[string]any)["lst"] = "AAAA" }, verifier.Undetermined, "status_malformed"},
		"a list too short":  {nil, func(c map[string]any) { c["status_list"].(map[string]any)["lst"] = "eNrbuRgAAhcBXQ" }, verifier.Undetermined, "status_list_length"},
		"read as one bit":   {map[uint64]uint8{index / 2: 1}, func(c map[string]any) { c["status_list"].(map[string]any)["bits"] = 1 }, verifier.Valid, "status_ok"},
		"without exp, ttl":  {nil, func(c map[string]any) { delete(c, "exp"); delete(c, "ttl") }, verifier.Valid, "status_ok"},
		"ttl that is a day": {nil, func(c map[string]any) { c["ttl"] = 86400 }, verifier.Valid, "status_ok"},
	} {
		t.Run(name, func(t *testing.T) {
			w.serveTokens(t, c.values, func(claims map[string]any) {
				if c.change != nil {
					c.change(claims)
				}
			})
			want(t, w.check(t, w.verifier(t), compact, given("c-1", "shop.example")), c.verdict, c.code)
		})
	}
	list := func(typ, method string) {
		w.putTokens(w.jws(t, typ, method, map[string]any{"sub": tokenList, "iat": start.Unix(), "status_list": map[string]any{"bits": 1, "lst": "eNrbuRgAAhcBXQ"}}))
	}
	list("JWT", acme+"#key-1")
	want(t, w.check(t, w.verifier(t), compact, given("c-1", "shop.example")), verifier.Undetermined, "status_verification")
	list("statuslist+jwt", other+"#key-1") // SEC069
	want(t, w.check(t, w.verifier(t), compact, given("c-1", "shop.example")), verifier.Undetermined, "status_verification")
	w.putTokens("<html>")
	want(t, w.check(t, w.verifier(t), compact, given("c-1", "shop.example")), verifier.Undetermined, "status_retrieval")
	w.listErr = errors.New("down")
	want(t, w.check(t, w.verifier(t), compact, given("c-1", "shop.example")), verifier.Undetermined, "status_retrieval")
}

// A revocation is seen once the held list's time to live is over, and an older list is refused then.
func TestTokenListIsHeldForItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, held := w.verifier(t), w.held(t)
	show := func() verifier.Result { return w.check(t, v, w.shown(t, held), given("c-1", "shop.example")) }
	want(t, show(), verifier.Valid, "status_ok")
	old := w.lists[tokenList]
	w.clock.Advance(time.Minute)
	w.serveTokens(t, map[uint64]uint8{index: 1})
	want(t, show(), verifier.Valid, "status_ok")
	w.clock.Advance(5 * time.Minute)
	want(t, show(), verifier.Invalid, "status_revoked")
	w.clock.Advance(6 * time.Minute)
	w.lists[tokenList] = old
	want(t, show(), verifier.Undetermined, "status_verification")
}

// A status list credential may come as vc+jwt, like the credentials that name it (Bitstring Status List, 3.6).
func TestStatusListCredentialAsToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	put := func(typ string, set ...uint64) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lists[revList] = verifier.StatusDocument{Data: []byte(w.jws(t, typ, acme+"#key-1", listDocument(t, start, acme, revList, "revocation", set...)))}
	}
	put("vc+jwt")
	want(t, w.check(t, w.verifier(t), w.vcJWT(t, nil)), verifier.Valid, "status_ok")
	put("vc+jwt", index)
	want(t, w.check(t, w.verifier(t), w.vcJWT(t, nil)), verifier.Invalid, "status_revoked")
	put("JWT")
	want(t, w.check(t, w.verifier(t), w.vcJWT(t, nil)), verifier.Undetermined, "status_retrieval")
}

// Sources that are down never leave a token valid.
func TestTokenWithSourcesDown(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"authority", "intervals"} {
		w := newWorld(t)
		compact := w.shown(t, w.held(t))
		w.failing[source] = true
		for _, c := range []string{compact, w.vcJWT(t, nil)} {
			if r := w.check(t, w.verifier(t), c, given("c-1", "shop.example")); r.Verdict == verifier.Valid {
				t.Errorf("without %s: valid\n%s", source, dump(r))
			}
		}
	}
}

// One byte changed anywhere in a presentation is refused.
func TestOneByteOfATokenChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, held := w.verifier(t), w.held(t)
	for _, good := range []string{w.shown(t, held, "/social_awareness/level_at_least/3"), w.vpJWT(t, nil, enveloped(w.vcJWT(t, nil)))} {
		step := 1
		if !strings.Contains(good, "~") {
			step = 7
		}
		for i := 0; i < len(good); i += step {
			changed := []byte(good)
			changed[i] ^= 1
			r, err := v.Verify(t.Context(), verifier.Input{Data: changed, Challenge: "c-1", Domain: "shop.example"})
			if r.Verdict == verifier.Valid {
				t.Errorf("byte %d of %d changed: valid, %v", i, len(good), err)
			}
		}
	}
}

// FuzzVerifyToken: what is valid bears, by the standard library alone, the signature of the key that the result names, and
// every check is listed.
func FuzzVerifyToken(f *testing.F) {
	w := newWorld(f)
	v, held := w.verifier(f), w.held(f)
	for _, compact := range []string{
		w.shown(f, held, "/social_awareness/level"), held.Compact(), w.vcJWT(f, nil), w.vpJWT(f, nil, enveloped(w.vcJWT(f, nil))),
	} {
		f.Add(compact)
	}
	f.Fuzz(func(t *testing.T, in string) {
		r, err := v.Verify(t.Context(), verifier.Input{Data: []byte(in), Challenge: "c-1", Domain: "shop.example"})
		if err != nil && !errors.Is(err, verifier.ErrUnreadable) {
			t.Fatalf("error %v", err)
		}
		if r.Verdict == verifier.Valid && !signedBy(w, r.Summary.SignedBy, in) {
			t.Errorf("%q is valid and %q did not sign it", in, r.Summary.SignedBy)
		}
		for _, id := range verifier.CheckIDs() {
			if err == nil && len(r.Find(id)) == 0 {
				t.Errorf("check %s is not listed", id)
			}
		}
	})
}

func signedBy(w *world, method, compact string) bool {
	token, _, _ := strings.Cut(compact, "~")
	last := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[last+1:])
	key, known := w.keys[method]
	return err == nil && known && ed25519.Verify(key.Public().(ed25519.PublicKey), []byte(token[:last]), signature)
}
