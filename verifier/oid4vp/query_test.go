package oid4vp_test

import (
	"errors"
	"strings"
	"testing"

	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/oid4vp"
)

func TestQueryFaults(t *testing.T) {
	t.Parallel()
	const one = `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["v"]}%s}]%s}`
	in := func(credential, query string) string {
		return strings.Replace(strings.Replace(one, "%s", credential, 1), "%s", query, 1)
	}
	for pointer, query := range map[string]string{
		"/credentials":                                        `{}`,
		"/credentials/0/id":                                   `{"credentials":[{"id":"a b","format":"ldp_vc","meta":{}}]}`,
		"/credentials/0/format":                               `{"credentials":[{"id":"a","format":"mso_mdoc","meta":{}}]}`,
		"/credentials/0/meta":                                 `{"credentials":[{"id":"a","format":"ldp_vc"}]}`,
		"/credentials/0/meta/vct_values":                      `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{}}]}`,
		"/credentials/0/meta/type_values":                     `{"credentials":[{"id":"a","format":"ldp_vc","meta":{}}]}`,
		"/credentials/0/meta/type_values/0/0":                 `{"credentials":[{"id":"a","format":"ldp_vc","meta":{"type_values":[["OpenBadgeCredential"]]}}]}`,
		"/credentials/1/id":                                   `{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["v"]}},{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["v"]}}]}`,
		"/credentials/0/multiple":                             in(`,"multiple":"yes"`, ``),
		"/credentials/0/require_cryptographic_holder_binding": in(`,"require_cryptographic_holder_binding":0`, ``),
		"/credentials/0/trusted_authorities":                  in(`,"trusted_authorities":[{"type":"aki","values":["x"]}]`, ``),
		"/credentials/0/claims":                               in(`,"claims":[]`, ``),
		"/credentials/0/claims/0/path":                        in(`,"claims":[{"path":[]}]`, ``),
		"/credentials/0/claims/0/path/0":                      in(`,"claims":[{"path":[-1]}]`, ``),
		"/credentials/0/claims/0/path/1":                      in(`,"claims":[{"path":["a",true]}]`, ``),
		"/credentials/0/claims/0/values":                      in(`,"claims":[{"path":["a"],"values":[]}]`, ``),
		"/credentials/0/claims/0/values/0":                    in(`,"claims":[{"path":["a"],"values":[1.5]}]`, ``),
		"/credentials/0/claims/1/id":                          in(`,"claims":[{"id":"x","path":["a"]},{"id":"x","path":["b"]}]`, ``),
		"/credentials/0/claim_sets":                           in(`,"claim_sets":[["x"]]`, ``),
		"/credentials/0/claims/0/id":                          in(`,"claims":[{"path":["a"]}],"claim_sets":[["x"]]`, ``),
		"/credentials/0/claim_sets/0/0":                       in(`,"claims":[{"id":"x","path":["a"]}],"claim_sets":[["y"]]`, ``),
		"/credential_sets":                                    in(``, `,"credential_sets":[]`),
		"/credential_sets/0/options":                          in(``, `,"credential_sets":[{}]`),
		"/credential_sets/0/options/0/0":                      in(``, `,"credential_sets":[{"options":[["b"]]}]`),
		"/credential_sets/0/required":                         in(``, `,"credential_sets":[{"options":[["a"]],"required":1}]`),
	} {
		m, err := schemas.ParseObject([]byte(query))
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		_, err = oid4vp.ParseQuery(m)
		wantField(t, query, err, pointer)
	}
	m, err := schemas.ParseObject([]byte(in(`,"unheard":1`, `,"of":{}`)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oid4vp.ParseQuery(m); err != nil {
		t.Errorf("members that nobody knows: %v", err)
	}
}

func TestAskFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := func(change func(a *oid4vp.Ask)) oid4vp.Ask {
		a := oid4vp.Ask{Tenant: "acme", Template: template(3), Flow: oid4vp.CrossDevice}
		change(&a)
		return a
	}
	for name, c := range map[string]struct {
		ask     oid4vp.Ask
		pointer string
	}{
		"nothing asked":      {good(func(a *oid4vp.Ask) { a.Template = nil }), ""},
		"both":               {good(func(a *oid4vp.Ask) { a.Query = badgeQuery(t, nil) }), ""},
		"no flow":            {good(func(a *oid4vp.Ask) { a.Flow = "" }), "/flow"},
		"level 5":            {good(func(a *oid4vp.Ask) { a.Template = template(5) }), "/template/level"},
		"dimension":          {good(func(a *oid4vp.Ask) { a.Template = &oid4vp.Template{Dimension: "charm", Level: 1} }), "/template/dimension"},
		"short nonce":        {good(func(a *oid4vp.Ask) { a.Nonce = "abc" }), "/nonce"},
		"prefix":             {good(func(a *oid4vp.Ask) { a.Prefix = "x509_hash" }), "/client_id_prefix"},
		"template elsewhere": {good(func(a *oid4vp.Ask) { a.RedirectTemplate = "https://a.example/" + oid4vp.CodePlace }), "/redirect_uri_template"},
		"http": {good(func(a *oid4vp.Ask) {
			a.Flow, a.RedirectTemplate = oid4vp.SameDevice, "http://a.example/"+oid4vp.CodePlace
		}), "/redirect_uri_template"},
		"script": {good(func(a *oid4vp.Ask) {
			a.Flow, a.RedirectTemplate = oid4vp.SameDevice, "javascript:alert("+oid4vp.CodePlace+")"
		}), "/redirect_uri_template"},
		"code in the host": {good(func(a *oid4vp.Ask) {
			a.Flow, a.RedirectTemplate = oid4vp.SameDevice, "https://"+oid4vp.CodePlace+".example/"
		}), "/redirect_uri_template"},
		"code as userinfo": {good(func(a *oid4vp.Ask) {
			a.Flow, a.RedirectTemplate = oid4vp.SameDevice, "https://"+oid4vp.CodePlace+"@a.example/"
		}), "/redirect_uri_template"},
		"no code":            {good(func(a *oid4vp.Ask) { a.Flow, a.RedirectTemplate = oid4vp.SameDevice, "https://a.example/" }), "/redirect_uri_template"},
		"no origins":         {good(func(a *oid4vp.Ask) { a.Flow = oid4vp.BrowserAPI }), "/expected_origins"},
		"origin with a path": {good(func(a *oid4vp.Ask) { a.Flow, a.Origins = oid4vp.BrowserAPI, []string{"https://a.example/x"} }), "/expected_origins/0"},
		"unsigned in the browser": {good(func(a *oid4vp.Ask) {
			a.Flow, a.Origins, a.Prefix = oid4vp.BrowserAPI, []string{"https://a.example"}, oid4vp.PrefixRedirect
		}), "/client_id_prefix"},
		"query": {good(func(a *oid4vp.Ask) { a.Template, a.Query = nil, map[string]any{} }), "/dcql_query/credentials"},
		"transaction of a badge": {good(func(a *oid4vp.Ask) {
			a.TransactionData = []map[string]any{{"type": "x", "credential_ids": []any{"dei_ld"}}}
		}), "/transaction_data/0/credential_ids/0"},
		"transaction without type": {good(func(a *oid4vp.Ask) { a.TransactionData = []map[string]any{{}} }), "/transaction_data/0/type"},
	} {
		_, err := w.Create(t.Context(), c.ask)
		wantField(t, name, err, c.pointer)
	}
	if _, err := w.Create(t.Context(), good(func(a *oid4vp.Ask) { a.Policy = "none such" })); !errors.Is(err, verifier.ErrUnknownPolicy) {
		t.Errorf("unknown policy: %v", err)
	}
	if _, err := w.Create(t.Context(), good(func(a *oid4vp.Ask) { a.Prefix = oid4vp.PrefixX509 })); !errors.Is(err, oid4vp.ErrState) {
		t.Errorf("no certificate: %v", err)
	}
	for name, ask := range map[string]oid4vp.Ask{
		"a query":  {Query: badgeQuery(t, nil), Flow: oid4vp.CrossDevice},
		"unsigned": {Template: template(3), Flow: oid4vp.CrossDevice, Prefix: oid4vp.PrefixRedirect},
	} {
		if _, err := w.Create(t.Context(), ask); !errors.Is(err, oid4vp.ErrNotAllowed) {
			t.Errorf("%s without a key: %v", name, err)
		}
	}
	if len(w.store.sessions) != 0 {
		t.Errorf("%d sessions were stored", len(w.store.sessions))
	}
}

// FuzzQuery holds that whatever is taken as a query can be matched against anything without a panic, and that the query is
// read the same again.
func FuzzQuery(f *testing.F) {
	f.Add([]byte(`{"credentials":[{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":["v"]},"claims":[{"id":"x","path":["a",null,0],"values":[1,true,"s"]}],"claim_sets":[["x"]]}]}`), []byte(`{"vct":"v","a":[[1]]}`))
	f.Add([]byte(`{"credentials":[{"id":"a","format":"ldp_vc","meta":{"type_values":[["urn:x"]]}}],"credential_sets":[{"options":[["a"]],"required":false}]}`), []byte(`{"type":["urn:x"]}`))
	f.Fuzz(func(t *testing.T, query, credential []byte) {
		m, err := schemas.ParseObject(query)
		if err != nil {
			return
		}
		q, err := oid4vp.ParseQuery(m)
		if err != nil {
			if _, ok := errors.AsType[*schemas.FieldError](err); !ok {
				t.Fatalf("not a field error: %v", err)
			}
			return
		}
		doc, err := schemas.ParseObject(credential)
		if err != nil {
			return
		}
		for _, c := range q.Credentials {
			matched := c.Match(doc, []string{"urn:x"}) == nil
			if again := c.Match(doc, []string{"urn:x"}) == nil; again != matched {
				t.Fatal("the same question has two answers")
			}
			if matched && len(c.ClaimSets) == 0 {
				for _, claim := range c.Claims {
					if _, err := oid4vp.Select(doc, claim.Path); err != nil {
						t.Fatalf("matched without %v", claim.Path)
					}
				}
			}
		}
		if q.Satisfied(func(string) bool { return false }) {
			t.Fatal("nothing satisfies a query")
		}
	})
}
