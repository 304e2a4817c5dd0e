package oid4vp_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/proof/jose"
	"heartmark/internal/proof/sdjwt"
	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/oid4vp"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
)

func TestTemplateInEveryFormat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	badge, selective := w.badge(t), w.selective(t)
	for _, c := range []struct {
		name  string
		level schemas.Level
		show  func(a asked) map[string]any
		want  verifier.Verdict
	}{
		{"SD-JWT VC says at least 3", 3, func(a asked) map[string]any {
			return map[string]any{"dei_sd": []any{w.bind(t, selective, sdjwt.Binding{Audience: a.clientID, Nonce: a.nonce}, "/social_awareness/level_at_least/3")}}
		}, verifier.Valid},
		{"SD-JWT VC says the level", 2, func(a asked) map[string]any {
			return map[string]any{"dei_sd": []any{w.bind(t, selective, sdjwt.Binding{Audience: a.clientID, Nonce: a.nonce}, "/social_awareness/level")}}
		}, verifier.Valid},
		{"SD-JWT VC says less than asked", 3, func(a asked) map[string]any {
			return map[string]any{"dei_sd": []any{w.bind(t, selective, sdjwt.Binding{Audience: a.clientID, Nonce: a.nonce}, "/social_awareness/level_at_least/2")}}
		}, verifier.Invalid},
		{"SD-JWT VC says it of another dimension", 2, func(a asked) map[string]any {
			return map[string]any{"dei_sd": []any{w.bind(t, selective, sdjwt.Binding{Audience: a.clientID, Nonce: a.nonce}, "/self_management/level_at_least/2")}}
		}, verifier.Invalid},
		{"badge that reaches it", 3, func(a asked) map[string]any {
			return map[string]any{"dei_ld": []any{w.show(t, a.nonce, a.clientID, badge)}}
		}, verifier.Valid},
		{"badge that does not", 4, func(a asked) map[string]any {
			return map[string]any{"dei_ld": []any{w.show(t, a.nonce, a.clientID, badge)}}
		}, verifier.Invalid},
		{"VC-JOSE in vp+jwt", 3, func(a asked) map[string]any {
			return map[string]any{"dei_jwt": []any{w.vpJWT(t, a)}}
		}, verifier.Valid},
	} {
		a := w.ask(t, oid4vp.Ask{Template: template(c.level)})
		if _, err := w.answer(t, a, c.show(a)); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := w.outcome(t, a, "")
		if got.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", c.name, got.Verdict, c.want, got.Credentials[0].Result.Checks)
		}
		if p := got.Credentials[0]; c.want == verifier.Valid && (!p.HolderBound || p.Result.Outcome(verifier.CheckQuery) != verifier.Pass) {
			t.Errorf("%s: holder bound %v, query %s", c.name, p.HolderBound, p.Result.Outcome(verifier.CheckQuery))
		}
	}
}

// vpJWT wraps the credential as vc+jwt in a vp+jwt of the holder.
func (w *world) vpJWT(t testing.TB, a asked) string {
	t.Helper()
	doc, err := w.dei().Document()
	if err != nil {
		t.Fatal(err)
	}
	sign := func(typ, kid string, claims map[string]any, key int) string {
		raw, err := schemas.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		signer := w.issuer
		if key == 1 {
			signer = w.holder
		}
		compact, err := jose.Sign(map[string]any{"typ": typ, "kid": kid}, raw, signer)
		if err != nil {
			t.Fatal(err)
		}
		return compact
	}
	credential := map[string]any{
		"@context": schemas.ContextV2, "type": "EnvelopedVerifiableCredential",
		"id": "data:application/vc+jwt," + sign("vc+jwt", w.issuerMethod, doc, 0),
	}
	return sign("vp+jwt", w.holderMethod, merge(container(w.holderID, credential), map[string]any{"nonce": a.nonce, "aud": a.clientID}), 1)
}

func TestTemplateAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.badge(t, func(c *schemas.DEICredential) { c.ValidFrom = start.AddDate(0, 0, -366) })
	for age, want := range map[time.Duration]verifier.Verdict{0: verifier.Invalid, 400 * 24 * time.Hour: verifier.Valid} {
		a := w.ask(t, oid4vp.Ask{Template: &oid4vp.Template{Dimension: schemas.DimensionSocialAwareness, Level: 3, MaxAge: age}})
		if _, err := w.answer(t, a, map[string]any{"dei_ld": []any{w.show(t, a.nonce, a.clientID, old)}}); err != nil {
			t.Fatal(err)
		}
		if got := w.outcome(t, a, ""); got.Verdict != want {
			t.Errorf("max age %s: %s, want %s", age, got.Verdict, want)
		}
	}
}

func TestSEC_125_AnsweredOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.ask(t, oid4vp.Ask{Template: template(3)})
	token := map[string]any{"dei_ld": []any{w.show(t, a.nonce, a.clientID, w.badge(t))}}
	var good atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := w.answer(t, a, token); err == nil {
				good.Add(1)
			} else {
				wantRefused(t, "second answer", err)
			}
		})
	}
	wg.Wait()
	if good.Load() != 1 {
		t.Errorf("%d answers were taken, want 1", good.Load())
	}
	_, err := w.answer(t, a, token)
	wantRefused(t, "in series", err)
}

func TestSEC_126_MadeForAnother(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"", "lax"} {
		t.Run(policy, func(t *testing.T) { testMadeForAnother(t, policy) })
	}
}

func testMadeForAnother(t *testing.T, policy string) {
	w := newWorld(t)
	first, a := w.ask(t, oid4vp.Ask{Template: template(3)}), w.ask(t, oid4vp.Ask{Template: template(3), Policy: policy})
	badge, selective := w.badge(t), w.selective(t)
	bare := strings.TrimPrefix(a.clientID, "decentralized_identifier:")
	for name, token := range map[string]map[string]any{
		"nonce of another session":   {"dei_ld": []any{w.show(t, first.nonce, a.clientID, badge)}},
		"another verifier":           {"dei_ld": []any{w.show(t, a.nonce, "decentralized_identifier:did:web:evil.example", badge)}},
		"client id without a prefix": {"dei_ld": []any{w.show(t, a.nonce, bare, badge)}},
		"SD-JWT, another nonce":      {"dei_sd": []any{w.bind(t, selective, sdjwt.Binding{Audience: a.clientID, Nonce: first.nonce}, "/social_awareness/level_at_least/3")}},
		"SD-JWT, another audience":   {"dei_sd": []any{w.bind(t, selective, sdjwt.Binding{Audience: bare, Nonce: a.nonce}, "/social_awareness/level_at_least/3")}},
		"SD-JWT, without binding":    {"dei_sd": []any{selective.Compact()}},
		"SD-JWT, old binding": {"dei_sd": []any{w.bind(t, selective, sdjwt.Binding{
			Audience: a.clientID, Nonce: a.nonce, IssuedAt: start.Add(-7 * time.Minute),
		}, "/social_awareness/level_at_least/3")}},
		"good one beside a foreign one": {
			"dei_ld": []any{w.show(t, a.nonce, a.clientID, badge)},
			"dei_sd": []any{w.bind(t, selective, sdjwt.Binding{Audience: bare, Nonce: a.nonce}, "/social_awareness/level_at_least/3")},
		},
	} {
		_, err := w.answer(t, a, token)
		wantRefused(t, name, err)
		if got := w.state(t, a); got != oid4vp.StateRequested {
			t.Errorf("%s: the session is %s", name, got)
		}
	}
}

func TestSEC_127_SessionFixation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.ask(t, oid4vp.Ask{Template: template(3), Flow: oid4vp.SameDevice, RedirectTemplate: "https://shop.example/done?code=" + oid4vp.CodePlace})
	redirect, err := w.answer(t, a, map[string]any{"dei_ld": []any{w.show(t, a.nonce, a.clientID, w.badge(t))}})
	if err != nil {
		t.Fatal(err)
	}
	status, err := w.Read(t.Context(), "acme", a.TransactionID, "")
	if err != nil || status.Outcome != nil || !status.NeedsCode || status.State != oid4vp.StateReceived {
		t.Errorf("without the code: %+v, %v", status, err)
	}
	if _, err := w.Read(t.Context(), "acme", a.TransactionID, a.id); !errors.Is(err, oid4vp.ErrResponseCode) {
		t.Errorf("another code: %v", err)
	}
	if got := w.outcome(t, a, codeOf(t, redirect)); got.Verdict != verifier.Valid || !got.BrowserBound {
		t.Errorf("with the code: %+v", got)
	}
	late := w.ask(t, oid4vp.Ask{Template: template(3), Flow: oid4vp.SameDevice, RedirectTemplate: "https://shop.example/done?code=" + oid4vp.CodePlace})
	if redirect, err = w.answer(t, late, map[string]any{"dei_ld": []any{w.show(t, late.nonce, late.clientID, w.badge(t))}}); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(oid4vp.ResponseCodeLife)
	if status, err := w.Read(t.Context(), "acme", late.TransactionID, codeOf(t, redirect)); err != nil || status.State != oid4vp.StateExpired || status.Outcome != nil {
		t.Errorf("a code past its time: %+v, %v", status, err)
	}
	cross := w.ask(t, oid4vp.Ask{Template: template(3)})
	if _, err := w.answer(t, cross, map[string]any{"dei_ld": []any{w.show(t, cross.nonce, cross.clientID, w.badge(t))}}); err != nil {
		t.Fatal(err)
	}
	if w.outcome(t, cross, "").BrowserBound {
		t.Error("a cross-device result claims that browser and person are tied")
	}
}

func TestSEC_128_ResultNeedsTheTransactionID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.ask(t, oid4vp.Ask{Template: template(3)})
	if _, err := w.answer(t, a, map[string]any{"dei_ld": []any{w.show(t, a.nonce, a.clientID, w.badge(t))}}); err != nil {
		t.Fatal(err)
	}
	for name, id := range map[string]string{"state": a.id, "nonce": a.nonce, "empty": "", "guess": b64(strings.Repeat("x", 32))} {
		if _, err := w.Read(t.Context(), "acme", id, ""); !errors.Is(err, oid4vp.ErrNotFound) {
			t.Errorf("read by %s: %v", name, err)
		}
		if _, err := w.Wait(t.Context(), id, ""); !errors.Is(err, oid4vp.ErrNotFound) {
			t.Errorf("wait by %s: %v", name, err)
		}
	}
	for _, tenant := range []string{"", "other"} {
		if _, err := w.Read(t.Context(), tenant, a.TransactionID, ""); !errors.Is(err, oid4vp.ErrNotFound) {
			t.Errorf("read by tenant %q: %v", tenant, err)
		}
	}
	for _, s := range w.store.sessions {
		if s.ID == a.TransactionID || s.Request == a.id || strings.Contains(string(s.SealedResult), "credential") {
			t.Error("a secret, or a result, is stored as it is")
		}
	}
}

func TestSEC_129_UnknownAndFinished(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.ask(t, oid4vp.Ask{Template: template(3), Plain: true})
	raw, err := schemas.Marshal(map[string]any{"dei_ld": []any{w.show(t, a.nonce, a.clientID, w.badge(t))}})
	if err != nil {
		t.Fatal(err)
	}
	token := string(raw)
	for name, c := range map[string]struct {
		id     string
		answer oid4vp.Answer
	}{
		"random id":       {b64(strings.Repeat("x", 32)), oid4vp.Answer{State: a.id, VPToken: token}},
		"no state":        {a.id, oid4vp.Answer{VPToken: token}},
		"another state":   {a.id, oid4vp.Answer{State: a.nonce, VPToken: token}},
		"error, no state": {a.id, oid4vp.Answer{Error: "access_denied"}},
		"no vp_token":     {a.id, oid4vp.Answer{State: a.id}},
		"no JSON":         {a.id, oid4vp.Answer{State: a.id, VPToken: "x"}},
		"transaction id":  {a.TransactionID, oid4vp.Answer{State: a.TransactionID, VPToken: token}},
	} {
		_, err := w.Respond(t.Context(), c.id, c.answer)
		wantRefused(t, name, err)
	}
	fresh, err := w.Create(t.Context(), oid4vp.Ask{Tenant: "acme", Template: template(3), Flow: oid4vp.CrossDevice})
	if err != nil {
		t.Fatal(err)
	}
	id := fresh.RequestURI[strings.LastIndex(fresh.RequestURI, "/")+1:]
	_, err = w.Respond(t.Context(), id, oid4vp.Answer{State: id, Error: "access_denied"})
	wantRefused(t, "before the request was fetched", err)
	w.clock.Advance(oid4vp.SessionLife)
	_, err = w.Respond(t.Context(), a.id, oid4vp.Answer{State: a.id, VPToken: token})
	wantRefused(t, "past its life", err)
	if got := w.state(t, a); got != oid4vp.StateExpired {
		t.Errorf("state %s, want expired", got)
	}
	w.clock.Advance(time.Hour)
	if n, err := w.Purge(t.Context(), 100); err != nil || n != 2 {
		t.Errorf("Purge = %d, %v", n, err)
	}
}

func TestSEC_130_WrongCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	badge, selective := w.badge(t), w.selective(t)
	ld := func(path []any, values ...any) map[string]any {
		return badgeQuery(t, func(c map[string]any) {
			claim := map[string]any{"path": path}
			if len(values) > 0 {
				claim["values"] = values
			}
			c["claims"] = []any{claim}
		})
	}
	for name, c := range map[string]struct {
		query map[string]any
		want  verifier.Verdict
	}{
		"as asked": {badgeQuery(t, nil), verifier.Valid},
		"another type": {badgeQuery(t, func(c map[string]any) {
			c["meta"] = map[string]any{"type_values": []any{[]any{"https://example.org/Diploma"}}}
		}), verifier.Invalid},
		"the short name of a type": {badgeQuery(t, func(c map[string]any) {
			c["meta"] = map[string]any{"type_values": []any{[]any{"https://example.org/OpenBadgeCredential"}}}
		}), verifier.Invalid},
		"an alias of the type": {badgeQuery(t, func(c map[string]any) {
			c["meta"] = map[string]any{"type_values": []any{[]any{"urn:other:x"}, []any{"https://www.w3.org/2018/credentials#VerifiableCredential"}}}
		}), verifier.Valid},
		"a claim that is there":     {ld([]any{"credentialSubject", "achievement", "name"}), verifier.Valid},
		"a claim that is not there": {ld([]any{"credentialSubject", "birthDate"}), verifier.Invalid},
		"a name on a list":          {ld([]any{"credentialSubject", "result", "achievedLevel"}), verifier.Invalid},
		"an index":                  {ld([]any{"credentialSubject", "result", 0, "achievedLevel"}), verifier.Valid},
		"an index beyond the end":   {ld([]any{"credentialSubject", "result", 9, "achievedLevel"}), verifier.Invalid},
		"all elements":              {ld([]any{"credentialSubject", "result", nil, "achievedLevel"}), verifier.Valid},
		"a value outside the set":   {ld([]any{"issuer", "name"}, "Emca", "acme"), verifier.Invalid},
		"a value in the set":        {ld([]any{"issuer", "name"}, "Emca", "Acme"), verifier.Valid},
	} {
		a := w.ask(t, oid4vp.Ask{Query: c.query})
		if _, err := w.answer(t, a, map[string]any{"badge": []any{w.show(t, a.nonce, a.clientID, badge)}}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := w.outcome(t, a, ""); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s: %+v", name, got.Verdict, c.want, got.Credentials[0].Result.Find(verifier.CheckQuery))
		}
	}
	for name, c := range map[string]struct {
		values []any
		want   verifier.Verdict
	}{"number": {[]any{3}, verifier.Valid}, "the number as a text": {[]any{"3"}, verifier.Invalid}, "true": {[]any{true}, verifier.Invalid}} {
		a := w.ask(t, oid4vp.Ask{Query: sdQuery(t, map[string]any{"path": []any{"social_awareness", "level"}, "values": c.values})})
		token := w.bind(t, selective, sdjwt.Binding{Audience: a.clientID, Nonce: a.nonce}, "/social_awareness/level")
		if _, err := w.answer(t, a, map[string]any{"dei": []any{token}}); err != nil {
			t.Fatal(err)
		}
		if got := w.outcome(t, a, ""); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, got.Verdict, c.want)
		}
	}
}

func TestSEC_131_HolderBinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	strangerKey, stranger, strangerMethod := party(t, "stranger")
	for name, c := range map[string]struct {
		credential map[string]any
		holder     bool
	}{
		"a credential of somebody else":        {w.badge(t), false},
		"a credential that names no subject":   {w.nobodys(t), true},
		"nobody's credential, from a stranger": {w.nobodys(t), false},
	} {
		a := w.ask(t, oid4vp.Ask{Query: badgeQuery(t, nil)})
		presentation := w.show(t, a.nonce, a.clientID, c.credential)
		if !c.holder {
			presentation = w.secure(t, container(stranger, c.credential), dataintegrity.ProofOptions{
				VerificationMethod: strangerMethod, Purpose: "authentication", Challenge: a.nonce, Domain: a.clientID,
			}, strangerKey)
		}
		if _, err := w.answer(t, a, map[string]any{"badge": []any{presentation}}); err != nil {
			t.Fatal(err)
		}
		if got := w.outcome(t, a, ""); got.Verdict == verifier.Valid || got.Credentials[0].HolderBound {
			t.Errorf("%s: %s, bound %v", name, got.Verdict, got.Credentials[0].HolderBound)
		}
	}
	unbound := badgeQuery(t, func(c map[string]any) { c["require_cryptographic_holder_binding"] = false })
	a := w.ask(t, oid4vp.Ask{Query: unbound})
	if _, err := w.answer(t, a, map[string]any{"badge": []any{w.badge(t)}}); err != nil {
		t.Fatal(err)
	}
	if got := w.outcome(t, a, ""); got.Verdict != verifier.Valid || got.Credentials[0].HolderBound {
		t.Errorf("without binding asked: %s, bound %v", got.Verdict, got.Credentials[0].HolderBound)
	}
}

func TestSEC_132_HolderIsSigner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, _, method := party(t, "stranger")
	a := w.ask(t, oid4vp.Ask{Query: badgeQuery(t, nil)})
	forged := w.secure(t, container(w.holderID, w.badge(t)), dataintegrity.ProofOptions{
		VerificationMethod: method, Purpose: "authentication", Challenge: a.nonce, Domain: a.clientID,
	}, key)
	if _, err := w.answer(t, a, map[string]any{"badge": []any{forged}}); err != nil {
		t.Fatal(err)
	}
	if got := w.outcome(t, a, ""); got.Verdict != verifier.Invalid {
		t.Errorf("holder A, proof of B: %s", got.Verdict)
	}
}

func TestSEC_133_PlainForEncrypted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.ask(t, oid4vp.Ask{Template: template(3)})
	raw, _ := schemas.Marshal(map[string]any{"dei_ld": []any{w.show(t, a.nonce, a.clientID, w.badge(t))}})
	_, err := w.Respond(t.Context(), a.id, oid4vp.Answer{State: a.id, VPToken: string(raw)})
	wantRefused(t, "plain vp_token", err)
	_, err = w.Respond(t.Context(), a.id, oid4vp.Answer{State: a.id, Error: "Not A Code"})
	wantRefused(t, "a text as error code", err)
	if _, err := w.Respond(t.Context(), a.id, oid4vp.Answer{State: a.id, Error: "access_denied"}); err != nil {
		t.Errorf("plain error: %v", err)
	}
	if status, err := w.Read(t.Context(), "acme", a.TransactionID, ""); err != nil || status.State != oid4vp.StateDeclined || status.Declined != "access_denied" || status.Outcome != nil {
		t.Errorf("after it: %+v, %v", status, err)
	}
}

func TestSEC_134_EncryptionParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, a := w.ask(t, oid4vp.Ask{Template: template(3)}), w.ask(t, oid4vp.Ask{Template: template(3)})
	payload := map[string]any{"vp_token": map[string]any{"dei_ld": []any{w.show(t, a.nonce, a.clientID, w.badge(t))}}, "state": a.id}
	good := a.encrypt(t, payload)
	for name, response := range map[string]string{
		"key of another session": other.encrypt(t, payload),
		"another kid":            a.encrypt(t, payload, func(h jwe.Headers) { _ = h.Set("kid", "other") }),
		"no kid":                 a.encrypt(t, payload, func(h jwe.Headers) { _ = h.Remove("kid") }),
		"an enc not offered":     encryptTo(t, a.encryptionKeyText, payload, jwa.A128CBC_HS256),
		"compressed":             compressed(t, a.encryptionKeyText, payload),
		"a crit":                 a.encrypt(t, payload, func(h jwe.Headers) { _ = h.Set("crit", []string{"x"}) }),
		"one byte changed":       good[:len(good)-1] + map[bool]string{true: "B", false: "A"}[good[len(good)-1] == 'A'],
		"cut":                    good[:strings.LastIndex(good, ".")],
		"RSA1_5 in the header":   b64(`{"alg":"RSA1_5","enc":"A128GCM","kid":"answer"}`) + good[strings.Index(good, "."):],
		"no state inside":        a.encrypt(t, map[string]any{"vp_token": payload["vp_token"]}),
		"no token inside":        a.encrypt(t, map[string]any{"state": a.id}),
	} {
		_, err := w.Respond(t.Context(), a.id, oid4vp.Answer{Response: response})
		wantRefused(t, name, err)
	}
	if _, err := w.Respond(t.Context(), a.id, oid4vp.Answer{Response: good}); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestSEC_135_OneReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.ask(t, oid4vp.Ask{Template: template(3)})
	if _, err := w.answer(t, a, map[string]any{"dei_ld": []any{w.show(t, a.nonce, a.clientID, w.badge(t))}}); err != nil {
		t.Fatal(err)
	}
	var got atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			status, err := w.Read(t.Context(), "acme", a.TransactionID, "")
			if err != nil || status.State != oid4vp.StateConsumed {
				t.Errorf("Read: %+v, %v", status, err)
			}
			if status.Outcome != nil {
				got.Add(1)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Errorf("%d readers got the result, want 1", got.Load())
	}
}

func TestSEC_136_RequestObjectOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := func() (oid4vp.Created, string) {
		created, err := w.Create(t.Context(), oid4vp.Ask{Tenant: "acme", Template: template(3), Flow: oid4vp.CrossDevice})
		if err != nil {
			t.Fatal(err)
		}
		return created, created.RequestURI[strings.LastIndex(created.RequestURI, "/")+1:]
	}
	created, id := create()
	_, err := w.Request(t.Context(), id, oid4vp.Wallet{Nonce: strings.Repeat("n", 600)})
	wantRefused(t, "a long wallet nonce", err)
	_, err = w.Request(t.Context(), id, oid4vp.Wallet{Metadata: "[]"})
	wantRefused(t, "metadata that is no object", err)
	object, err := w.Request(t.Context(), id, oid4vp.Wallet{Nonce: "n-1", Metadata: `{"vp_formats_supported":{}}`})
	if err != nil {
		t.Fatal(err)
	}
	a := w.readRequest(t, created, id, object)
	for name, want := range map[string]any{
		"wallet_nonce": "n-1", "state": id, "aud": "https://self-issued.me/v2", "response_type": "vp_token", "response_mode": "direct_post.jwt",
		"response_uri": origin + "/oid4vp/" + id + "/response", "client_id": "decentralized_identifier:did:web:dei.example:acme",
	} {
		if a.claims[name] != want {
			t.Errorf("%s is %v, want %v", name, a.claims[name], want)
		}
	}
	if _, present := a.claims["redirect_uri"]; present {
		t.Error("redirect_uri stands beside direct_post")
	}
	_, err = w.Request(t.Context(), id, oid4vp.Wallet{})
	wantRefused(t, "a second fetch", err)
	_, late := create()
	w.clock.Advance(oid4vp.SessionLife)
	_, err = w.Request(t.Context(), late, oid4vp.Wallet{})
	wantRefused(t, "a late fetch", err)
	if w.events[0] != oid4vp.AuditSign {
		t.Errorf("audit trail begins with %v", w.events)
	}
}

func TestSEC_137_Shapes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.ask(t, oid4vp.Ask{Query: badgeQuery(t, nil)})
	good := w.show(t, a.nonce, a.clientID, w.badge(t))
	many := make([]any, 21)
	for i := range many {
		many[i] = good
	}
	for name, token := range map[string]map[string]any{
		"nothing": {}, "a key that is not asked": {"badge": []any{good}, "more": []any{good}}, "not an array": {"badge": good},
		"an empty array": {"badge": []any{}}, "two for one": {"badge": []any{good, good}}, "a text for an object": {"badge": []any{"eyJ.a.b"}},
	} {
		_, err := w.answer(t, a, token)
		wantRefused(t, name, err)
	}
	multiple := w.ask(t, oid4vp.Ask{Query: badgeQuery(t, func(c map[string]any) { c["multiple"] = true })})
	_, err := w.answer(t, multiple, map[string]any{"badge": many})
	wantRefused(t, "too many", err)
	two := w.show(t, multiple.nonce, multiple.clientID, w.badge(t))
	if _, err := w.answer(t, multiple, map[string]any{"badge": []any{two, two}}); err != nil {
		t.Errorf("two where several are asked: %v", err)
	}
}

func TestCredentialSets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	query := parsed(t, map[string]any{
		"credentials": []any{
			badgeQuery(t, nil)["credentials"].([]any)[0],
			sdQuery(t)["credentials"].([]any)[0],
			badgeQuery(t, func(c map[string]any) { c["id"] = "extra" })["credentials"].([]any)[0],
		},
		"credential_sets": []any{
			map[string]any{"options": []any{[]any{"badge", "dei"}, []any{"dei"}}},
			map[string]any{"options": []any{[]any{"extra"}}, "required": false},
		},
	})
	for name, c := range map[string]struct {
		ids  []string
		want verifier.Verdict
	}{
		"second option": {[]string{"dei"}, verifier.Valid}, "first option": {[]string{"badge", "dei"}, verifier.Valid},
		"half of the first": {[]string{"badge"}, verifier.Invalid}, "only what is optional": {[]string{"extra"}, verifier.Invalid},
	} {
		a := w.ask(t, oid4vp.Ask{Query: query})
		token := map[string]any{}
		for _, id := range c.ids {
			token[id] = []any{w.show(t, a.nonce, a.clientID, w.badge(t))}
			if id == "dei" {
				token[id] = []any{w.bind(t, w.selective(t), sdjwt.Binding{Audience: a.clientID, Nonce: a.nonce})}
			}
		}
		if _, err := w.answer(t, a, token); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := w.outcome(t, a, ""); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s", name, got.Verdict, c.want)
		}
	}
}

func TestTransactionData(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	transaction := map[string]any{"type": "payment", "credential_ids": []any{"dei"}, "amount": "12"}
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	for name, c := range map[string]struct {
		hashes  func(asked string) []string
		alg     string
		refused bool
		want    verifier.Verdict
	}{
		"agreed":              {hashes: func(s string) []string { return []string{hash(s)} }, want: verifier.Valid},
		"agreed, named alg":   {hashes: func(s string) []string { return []string{hash(s)} }, alg: "sha-256", want: verifier.Valid},
		"not agreed":          {hashes: func(string) []string { return nil }, want: verifier.Invalid},
		"another transaction": {hashes: func(s string) []string { return []string{hash(s + "x")} }, refused: true},
		"more than asked":     {hashes: func(s string) []string { return []string{hash(s), hash("x")} }, refused: true},
		"another alg":         {hashes: func(s string) []string { return []string{hash(s)} }, alg: "sha-512", refused: true},
	} {
		a := w.ask(t, oid4vp.Ask{Query: sdQuery(t), TransactionData: []map[string]any{parsed(t, transaction)}})
		asked := a.claims["transaction_data"].([]any)[0].(string)
		token := w.bind(t, w.selective(t), sdjwt.Binding{Audience: a.clientID, Nonce: a.nonce, TransactionHashes: c.hashes(asked), TransactionAlg: c.alg})
		_, err := w.answer(t, a, map[string]any{"dei": []any{token}})
		if c.refused {
			if known, ok := errors.AsType[*oid4vp.Error](err); !ok || known.Code != oid4vp.CodeInvalidTransact {
				t.Errorf("%s: %v, want %s", name, err, oid4vp.CodeInvalidTransact)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := w.outcome(t, a, ""); got.Verdict != c.want {
			t.Errorf("%s: %s, want %s (%v)", name, got.Verdict, c.want, got.Agreed)
		}
	}
}

func TestBrowserAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created, err := w.Create(t.Context(), oid4vp.Ask{Tenant: "acme", Template: template(3), Flow: oid4vp.BrowserAPI, Plain: true, Origins: []string{"https://shop.example"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(created.BrowserRequests) != 2 || created.WalletURL != "" || created.RequestURI != "" {
		t.Fatalf("created %+v", created)
	}
	signed := w.readRequest(t, created, "", created.BrowserRequests[0].Data["request"].(string))
	for _, name := range []string{"state", "response_uri"} {
		if _, present := signed.claims[name]; present {
			t.Errorf("%s stands in a request for the browser", name)
		}
	}
	if origins := signed.claims["expected_origins"].([]any); len(origins) != 1 || origins[0] != "https://shop.example" {
		t.Errorf("expected_origins %v", origins)
	}
	if _, present := created.BrowserRequests[1].Data["client_id"]; present {
		t.Error("client_id stands in an unsigned request")
	}
	data := func(audience string) map[string]any {
		return map[string]any{"vp_token": map[string]any{"dei_ld": []any{w.show(t, signed.nonce, audience, w.badge(t))}}}
	}
	respond := func(tenant, origin string, d map[string]any) error {
		return w.RespondFromBrowser(t.Context(), tenant, created.TransactionID, origin, d)
	}
	wantRefused(t, "audience of the client id", respond("acme", "https://shop.example", data(signed.clientID)))
	wantRefused(t, "audience of another origin", respond("acme", "https://shop.example", data("origin:https://evil.example")))
	wantField(t, "an origin not expected", respond("acme", "https://evil.example", data("origin:https://evil.example")), "/origin")
	if err := respond("other", "https://shop.example", data("origin:https://shop.example")); !errors.Is(err, oid4vp.ErrNotFound) {
		t.Errorf("another tenant: %v", err)
	}
	if err := respond("acme", "https://shop.example", data("origin:https://shop.example")); err != nil {
		t.Fatal(err)
	}
	if got := w.outcome(t, signed, ""); got.Verdict != verifier.Valid || !got.BrowserBound {
		t.Errorf("outcome %+v", got)
	}
	if err := respond("acme", "https://shop.example", data("origin:https://shop.example")); !errors.Is(err, oid4vp.ErrState) {
		t.Errorf("a second answer: %v", err)
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		created, err := w.Create(t.Context(), oid4vp.Ask{Tenant: "acme", Template: template(3), Flow: oid4vp.CrossDevice})
		if err != nil {
			t.Fatal(err)
		}
		id := created.RequestURI[strings.LastIndex(created.RequestURI, "/")+1:]
		if state, err := w.Wait(t.Context(), created.TransactionID, ""); err != nil || state != oid4vp.StatePending {
			t.Fatalf("at first: %s, %v", state, err)
		}
		seen := make(chan oid4vp.State, 1)
		go func() {
			state, _ := w.Wait(t.Context(), created.TransactionID, oid4vp.StatePending)
			seen <- state
		}()
		synctest.Wait()
		before := time.Now()
		if _, err := w.Request(t.Context(), id, oid4vp.Wallet{}); err != nil {
			t.Fatal(err)
		}
		if state := <-seen; state != oid4vp.StateRequested || time.Since(before) != 0 {
			t.Errorf("after the fetch: %s, %s later; want it at once", state, time.Since(before))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := w.Wait(ctx, created.TransactionID, oid4vp.StateRequested); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with nothing happening: %v", err)
		}
		ended := make(chan error, 1)
		go func() {
			_, err := w.Wait(t.Context(), created.TransactionID, oid4vp.StateRequested)
			ended <- err
		}()
		synctest.Wait()
		w.Stop()
		w.Stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("after Stop: %v", err)
		}
	})
}
