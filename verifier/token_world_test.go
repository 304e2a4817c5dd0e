package verifier_test

import (
	"maps"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/internal/proof/sdjwt"
	"heartmark/internal/statuslist"
	"heartmark/schemas"
	"heartmark/verifier"
)

const tokenList = origin + "/status/g1/token"

// jws signs claims as a token of a type under a method.
func (w *world) jws(t testing.TB, typ, method string, claims map[string]any) string {
	t.Helper()
	compact, err := jose.Sign(map[string]any{"typ": typ, "kid": method}, w.marshal(t, claims), w.key(method))
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// vcJWT is a complete and good DEI credential of acme as vc+jwt, with more members where given.
func (w *world) vcJWT(t testing.TB, more map[string]any) string {
	t.Helper()
	holder, _ := w.didKey(t, "holder")
	doc := w.unsigned(t, holder)
	maps.Copy(doc, more)
	return w.jws(t, "vc+jwt", acme+"#key-1", doc)
}

func (w *world) vpJWT(t testing.TB, more map[string]any, credentials ...any) string {
	t.Helper()
	holder, method := w.didKey(t, "holder")
	doc := w.container(t, holder, credentials...)
	doc["nonce"], doc["aud"] = "c-1", "shop.example"
	maps.Copy(doc, more)
	return w.jws(t, "vp+jwt", method, doc)
}

func enveloped(compact string) map[string]any {
	return map[string]any{
		"@context": schemas.ContextV2, "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt," + compact,
	}
}

// serveTokens publishes a token status list of 2 bits an entry.
func (w *world) serveTokens(t testing.TB, values map[uint64]uint8, change ...func(claims map[string]any)) {
	t.Helper()
	list, err := statuslist.NewTokens(statuslist.MinEntries, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		if err := list.Set(i, v); err != nil {
			t.Fatal(err)
		}
	}
	lst, err := list.Encode()
	if err != nil {
		t.Fatal(err)
	}
	now := w.clock.Now()
	claims := map[string]any{
		"sub": tokenList, "iat": now.Unix(), "exp": now.Add(24 * time.Hour).Unix(), "ttl": 300,
		"status_list": map[string]any{"bits": 2, "lst": lst},
	}
	for _, c := range change {
		c(claims)
	}
	w.putTokens(w.jws(t, "statuslist+jwt", acme+"#key-1", claims))
}

func (w *world) putTokens(compact string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lists[tokenList] = verifier.StatusDocument{Data: []byte(compact)}
}

// selectiveClaims are those of a complete DEI credential for the holder.
func (w *world) selectiveClaims(t testing.TB) schemas.SelectiveClaims {
	t.Helper()
	jwk, err := keys.MarshalJWK(w.key("holder").Public())
	if err != nil {
		t.Fatal(err)
	}
	holder, _ := w.didKey(t, "holder")
	s, err := w.deiCredential(holder).SelectiveClaims(jwk, &schemas.TokenStatus{Index: index, URI: tokenList})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) issueSelective(t testing.TB, s schemas.SelectiveClaims) string {
	t.Helper()
	compact, err := sdjwt.Issue(s.Claims, sdjwt.Options{
		Header: map[string]any{"typ": "dc+sd-jwt", "kid": acme + "#key-1"}, Disclosable: s.Disclosable, Pad: s.Pad,
	}, w.key(acme+"#key-1"))
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// held is a good DEI credential as SD-JWT VC, with a served list.
func (w *world) held(t testing.TB) sdjwt.Token {
	t.Helper()
	w.serveTokens(t, nil)
	return parseSelective(t, w.issueSelective(t, w.selectiveClaims(t)))
}

func parseSelective(t testing.TB, compact string) sdjwt.Token {
	t.Helper()
	token, err := sdjwt.Parse(compact)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// shown presents what the pointers name to shop.example for the challenge c-1.
func (w *world) shown(t testing.TB, held sdjwt.Token, pointers ...string) string {
	t.Helper()
	presentation, err := held.Present(pointers...)
	if err != nil {
		t.Fatal(err)
	}
	return w.bound(t, presentation, sdjwt.Binding{Audience: "shop.example", Nonce: "c-1", IssuedAt: w.clock.Now()})
}

func (w *world) bound(t testing.TB, presentation string, b sdjwt.Binding) string {
	t.Helper()
	compact, err := sdjwt.Bind(presentation, b, w.key("holder"))
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// check verifies a token and wants no error.
func (w *world) check(t testing.TB, v *verifier.Verifier, compact string, change ...func(*verifier.Input)) verifier.Result {
	t.Helper()
	in := verifier.Input{Data: []byte(compact)}
	for _, c := range change {
		c(&in)
	}
	r, err := v.Verify(t.Context(), in)
	if err != nil {
		t.Fatalf("Verify: %v\n%s", err, dump(r))
	}
	for _, id := range verifier.CheckIDs() {
		if len(r.Find(id)) == 0 {
			t.Errorf("check %s is not listed", id)
		}
	}
	return r
}
