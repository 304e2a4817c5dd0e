package sdjwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/internal/proof/sdjwt"
	"heartmark/schemas"
)

var noon = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func newKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func jwkOf(t testing.TB, pub crypto.PublicKey) map[string]any {
	t.Helper()
	raw, err := keys.MarshalJWK(pub)
	if err != nil {
		t.Fatal(err)
	}
	m, err := schemas.ParseObject(raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func object(t testing.TB, text string) map[string]any {
	t.Helper()
	m, err := schemas.ParseObject([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

// pair is an issuer and a holder.
type pair struct{ issuer, holder ed25519.PrivateKey }

func newPair(t testing.TB) pair { return pair{newKey(t), newKey(t)} }

const person = `{"iss":"https://issuer.example","given_name":"Ada","address":{"street":"1 Main","town":"Any"},"nationalities":["NL","UK"],"n":1.5}`

func disclosable() []string {
	return []string{"/given_name", "/address", "/address/street", "/address/town", "/nationalities/0", "/nationalities/1"}
}

func (p pair) issue(t testing.TB, o sdjwt.Options) string {
	t.Helper()
	claims := object(t, person)
	claims["cnf"] = map[string]any{"jwk": jwkOf(t, p.holder.Public())}
	if o.Disclosable == nil {
		o.Disclosable = disclosable()
	}
	compact, err := sdjwt.Issue(claims, o, p.issuer)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func mustParse(t testing.TB, compact string) sdjwt.Token {
	t.Helper()
	token, err := sdjwt.Parse(compact)
	if err != nil {
		t.Fatalf("Parse(%q) = %v", compact, err)
	}
	return token
}

// signed is an SD-JWT over a payload written by hand, with disclosures written by hand.
func (p pair) signed(t testing.TB, payload string, disclosures ...string) string {
	t.Helper()
	jws, err := jose.Sign(map[string]any{"typ": "example+sd-jwt"}, []byte(payload), p.issuer)
	if err != nil {
		t.Fatal(err)
	}
	out := jws + "~"
	for _, d := range disclosures {
		out += b64(d) + "~"
	}
	return out
}

func hash(disclosure string) string {
	sum := sha256.Sum256([]byte(b64(disclosure)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestIssuePresentVerify(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for _, h := range []sdjwt.Hash{"", sdjwt.SHA256, sdjwt.SHA384, sdjwt.SHA512} {
		compact := p.issue(t, sdjwt.Options{Hash: h, Header: map[string]any{"typ": "example+sd-jwt"}, Pad: map[string]int{"": 9, "/address": 4, "/nationalities": 5}})
		token := mustParse(t, compact)
		if err := token.Verify(p.issuer.Public()); err != nil {
			t.Fatalf("%s: %v", h, err)
		}
		if len(token.Disclosures) != len(disclosable()) || token.Header.Typ != "example+sd-jwt" || token.Compact() != compact {
			t.Errorf("%s: %d disclosures, header %+v", h, len(token.Disclosures), token.Header)
		}
		for _, want := range []string{`"Ada"`, `"1 Main"`, `"NL"`} {
			if strings.Contains(string(marshal(t, token.Payload)), want) {
				t.Errorf("%s: %q stands in the signed payload in clear", h, want)
			}
		}
		if n := len(token.Payload["_sd"].([]any)); n != 9 {
			t.Errorf("%s: the whole shows %d digests, want 9", h, n)
		}
		shown, err := token.Present("/address/town", "/nationalities/1")
		if err != nil {
			t.Fatal(err)
		}
		got := mustParse(t, shown)
		want := object(t, `{"iss":"https://issuer.example","address":{"town":"Any"},"nationalities":["UK"],"n":1.5}`)
		want["cnf"] = token.Claims["cnf"]
		if !reflect.DeepEqual(got.Claims, want) {
			t.Errorf("%s: revealed %s, want %s", h, marshal(t, got.Claims), marshal(t, want))
		}
		if err := got.Verify(p.issuer.Public()); err != nil {
			t.Errorf("%s: %v", h, err)
		}
		if err := got.Verify(p.holder.Public()); !errors.Is(err, jose.ErrSignature) {
			t.Errorf("%s: another key: %v", h, err)
		}
	}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := schemas.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for name, c := range map[string]struct {
		claims string
		o      sdjwt.Options
		want   error
	}{
		"a pointer to nothing":        {person, sdjwt.Options{Disclosable: []string{"/addres"}}, sdjwt.ErrPointer},
		"a pointer past an array":     {person, sdjwt.Options{Disclosable: []string{"/nationalities/2"}}, sdjwt.ErrPointer},
		"a pad for nothing":           {person, sdjwt.Options{Pad: map[string]int{"/given_name": 3}}, sdjwt.ErrPointer},
		"an unknown hash":             {person, sdjwt.Options{Hash: "md5"}, sdjwt.ErrHash},
		"a claim called _sd":          {`{"_sd":[]}`, sdjwt.Options{}, sdjwt.ErrDisclosure},
		"a claim called _sd_alg":      {`{"a":{"_sd_alg":"sha-256"}}`, sdjwt.Options{}, sdjwt.ErrDisclosure},
		"an element like a digest":    {`{"a":[{"...":"x"}]}`, sdjwt.Options{}, sdjwt.ErrDisclosure},
		"an alg in the header":        {person, sdjwt.Options{Header: map[string]any{"alg": "none"}}, jose.ErrAlgorithm},
		"a number that is not finite": {`{"a":1e400}`, sdjwt.Options{}, nil},
	} {
		_, err := sdjwt.Issue(object(t, c.claims), c.o, p.issuer)
		if c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := mustParse(t, p.issue(t, sdjwt.Options{})).Present("/iss"); !errors.Is(err, sdjwt.ErrPointer) {
		t.Errorf("Present of a plain claim: %v, want ErrPointer", err)
	}
}

func TestSEC061SaltsAreFresh(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	seen := map[string]bool{}
	for range 200 {
		token := mustParse(t, p.issue(t, sdjwt.Options{Pad: map[string]int{"": 8}}))
		for _, d := range token.Disclosures {
			raw, err := base64.RawURLEncoding.DecodeString(d.Salt)
			if err != nil || len(raw) < 16 || seen[d.Salt] {
				t.Fatalf("salt %q is short or stands twice", d.Salt)
			}
			seen[d.Salt] = true
		}
		for _, digest := range token.Payload["_sd"].([]any) {
			if seen[digest.(string)] {
				t.Fatalf("digest or decoy %v stands twice", digest)
			}
			seen[digest.(string)] = true
		}
	}
}

// TestParseRefuses breaks each rule of RFC 9901, 7.1 once.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	const a, b, element = `["c2FsdHNhbHRzYWx0","a",1]`, `["c2FsdHNhbHRzYWx1","b",{"c":1}]`, `["c2FsdHNhbHRzYWx2",7]`
	type cases map[string]string
	groups := map[string]struct {
		want  error
		cases cases
	}{
		"SEC049 a reserved name": {sdjwt.ErrDisclosure, cases{
			"_sd":                        p.signed(t, `{"_sd":["`+hash(`["s","_sd",["x"]]`)+`"]}`, `["s","_sd",["x"]]`),
			"...":                        p.signed(t, `{"_sd":["`+hash(`["s","...","x"]`)+`"]}`, `["s","...","x"]`),
			"_sd_alg":                    p.signed(t, `{"_sd":["`+hash(`["s","_sd_alg","x"]`)+`"]}`, `["s","_sd_alg","x"]`),
			"... in clear":               p.signed(t, `{"...":"x"}`),
			"_sd_alg further down":       p.signed(t, `{"a":{"_sd_alg":"sha-256"}}`),
			"_sd_alg inside a disclosed": p.signed(t, `{"_sd":["`+hash(`["s","a",{"_sd_alg":"sha-256"}]`)+`"]}`, `["s","a",{"_sd_alg":"sha-256"}]`),
			"... as a disclosed value":   p.signed(t, `{"a":[{"...":"`+hash(`["s",{"...":"x"}]`)+`"}]}`, `["s",{"...":"x"}]`),
		}},
		"SEC050 a claim that is there already": {sdjwt.ErrDisclosure, cases{
			"in clear":        p.signed(t, `{"a":0,"_sd":["`+hash(a)+`"]}`, a),
			"two disclosures": p.signed(t, `{"_sd":["`+hash(a)+`","`+hash(`["t","a",2]`)+`"]}`, a, `["t","a",2]`),
		}},
		"SEC051 a digest in two places": {sdjwt.ErrDisclosure, cases{
			"twice in one _sd":             p.signed(t, `{"_sd":["`+hash(a)+`","`+hash(a)+`"]}`, a),
			"in two objects":               p.signed(t, `{"_sd":["`+hash(a)+`"],"o":{"_sd":["`+hash(a)+`"]}}`, a),
			"of nothing, twice":            p.signed(t, `{"_sd":["x"],"o":{"_sd":["x"]}}`),
			"in _sd and in an element":     p.signed(t, `{"_sd":["`+hash(a)+`"],"l":[{"...":"`+hash(a)+`"}]}`, a),
			"again inside a disclosure":    p.signed(t, `{"_sd":["x","`+hash(`["s","a",{"_sd":["x"]}]`)+`"]}`, `["s","a",{"_sd":["x"]}]`),
			"one disclosure sent twice":    p.signed(t, `{"_sd":["`+hash(a)+`"]}`, a, a),
			"in two elements of one array": p.signed(t, `{"l":[{"...":"x"},{"...":"x"}]}`),
		}},
		"SEC052 a disclosure that matches nothing": {sdjwt.ErrDisclosure, cases{
			"extra":                   p.signed(t, `{"_sd":["`+hash(a)+`"]}`, a, b),
			"below one that is away":  p.signed(t, `{"_sd":["`+hash(`["s","o",{"_sd":["`+hash(a)+`"]}]`)+`"]}`, a),
			"only another salt":       p.signed(t, `{"_sd":["`+hash(a)+`"]}`, strings.Replace(a, "c2Fs", "c2Ft", 1)),
			"of another algorithm":    p.signed(t, `{"_sd_alg":"sha-512","_sd":["`+hash(a)+`"]}`, a),
			"white space in it":       p.signed(t, `{"_sd":["`+hash(a)+`"]}`, " "+a),
			"digest spelt with =":     p.signed(t, `{"_sd":["`+hash(a)+`="]}`, a),
			"digest in another claim": p.signed(t, `{"_sda":["`+hash(a)+`"]}`, a),
		}},
		"SEC053 a digest algorithm outside the list": {sdjwt.ErrHash, cases{
			"md5": p.signed(t, `{"_sd_alg":"md5"}`), "sha-1": p.signed(t, `{"_sd_alg":"sha-1"}`), "none": p.signed(t, `{"_sd_alg":"none"}`),
			"other case": p.signed(t, `{"_sd_alg":"SHA-256"}`), "a number": p.signed(t, `{"_sd_alg":256}`), "null": p.signed(t, `{"_sd_alg":null}`),
			"empty": p.signed(t, `{"_sd_alg":""}`),
		}},
		"a wrong shape": {sdjwt.ErrDisclosure, cases{
			"_sd no array":                   p.signed(t, `{"_sd":"`+hash(a)+`"}`, a),
			"_sd null":                       p.signed(t, `{"_sd":null}`),
			"_sd of numbers":                 p.signed(t, `{"_sd":[1]}`),
			"placeholder with other members": p.signed(t, `{"l":[{"...":"`+hash(element)+`","x":1}]}`, element),
			"placeholder of a number":        p.signed(t, `{"l":[{"...":1}]}`),
			"an element in _sd":              p.signed(t, `{"_sd":["`+hash(element)+`"]}`, element),
			"a claim in an element":          p.signed(t, `{"l":[{"...":"`+hash(a)+`"}]}`, a),
		}},
		"what is malformed": {sdjwt.ErrMalformed, cases{
			"empty": "", "no separator": strings.TrimSuffix(p.signed(t, `{}`), "~"), "separators alone": "~~~",
			"a flood of separators":     strings.Repeat("~", 1<<17),
			"too long":                  p.signed(t, `{}`) + strings.Repeat("A", 256<<10) + "~",
			"an empty disclosure":       p.signed(t, `{}`) + "~",
			"no JWT":                    "x~",
			"payload an array":          p.signed(t, `[]`),
			"a name twice":              p.signed(t, `{"a":1,"a":2}`),
			"a disclosure not base64":   p.signed(t, `{}`) + "!!~",
			"a disclosure with padding": p.signed(t, `{}`) + b64(`["s",1]`) + "=~",
			"a disclosure with LF":      p.signed(t, `{}`) + b64(`["s",1]`)[:4] + "\n" + b64(`["s",1]`)[4:] + "~",
			"unused bits set":           p.signed(t, `{}`) + "WyJzIiwxXR~",
			"not JSON":                  p.signed(t, `{}`, `["s",1`), "trailing JSON": p.signed(t, `{}`, `["s",1]{}`),
			"an object":                 p.signed(t, `{}`, `{}`),
			"one item":                  p.signed(t, `{}`, `["s"]`),
			"four items":                p.signed(t, `{}`, `["s","a",1,1]`),
			"salt a number":             p.signed(t, `{}`, `[1,"a",1]`),
			"salt empty":                p.signed(t, `{}`, `["","a",1]`),
			"name a number":             p.signed(t, `{}`, `["s",1,1]`),
			"a name twice in a value":   p.signed(t, `{}`, `["s","a",{"x":1,"x":2}]`),
			"a key binding that is not": p.signed(t, `{}`) + "x.y",
			"a line end":                p.signed(t, `{}`) + "\n",
		}},
	}
	for group, g := range groups {
		for name, in := range g.cases {
			if _, err := sdjwt.Parse(in); !errors.Is(err, g.want) {
				t.Errorf("%s, %s: %v, want %v", group, name, err, g.want)
			}
		}
	}
	for name, good := range map[string]string{
		"nothing disclosed": p.signed(t, `{"_sd":["`+hash(a)+`","`+hash(b)+`"]}`),
		"both":              p.signed(t, `{"_sd":["`+hash(b)+`","`+hash(a)+`"]}`, a, b),
		"an element":        p.signed(t, `{"l":[{"...":"`+hash(element)+`"}]}`, element),
		"an empty _sd":      p.signed(t, `{"_sd":[]}`),
	} {
		if _, err := sdjwt.Parse(good); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSEC001UnsignedIsRefused(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	parts := strings.SplitN(p.issue(t, sdjwt.Options{}), ".", 3)
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "HS256"} {
		for _, signature := range []string{"", parts[2]} {
			in := b64(`{"alg":"`+alg+`","typ":"example+sd-jwt"}`) + "." + parts[1] + "." + signature
			if _, err := sdjwt.Parse(in); err == nil {
				t.Errorf("alg %q with signature %.10q: accepted", alg, signature)
			}
		}
	}
}

func TestDepthAndNumberAreBounded(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	nest := func(n int) error {
		claims, pointers, at := map[string]any{"a": 1}, []string{}, ""
		for range n - 1 {
			claims = map[string]any{"a": claims}
		}
		for range n {
			at += "/a"
			pointers = append(pointers, at)
		}
		_, err := sdjwt.Issue(claims, sdjwt.Options{Disclosable: pointers}, p.issuer)
		return err
	}
	if err := nest(sdjwt.MaxDepth); err != nil {
		t.Errorf("%d levels: %v", sdjwt.MaxDepth, err)
	}
	if err := nest(sdjwt.MaxDepth + 1); !errors.Is(err, sdjwt.ErrDisclosure) {
		t.Errorf("%d levels: %v, want ErrDisclosure", sdjwt.MaxDepth+1, err)
	}
	in := p.signed(t, `{}`) + strings.Repeat(b64(`["s",1]`)+"~", sdjwt.MaxDisclosures+1)
	if _, err := sdjwt.Parse(in); !errors.Is(err, sdjwt.ErrMalformed) {
		t.Errorf("%d disclosures: %v, want ErrMalformed", sdjwt.MaxDisclosures+1, err)
	}
}

// bind makes a key binding JWT by hand.
func bind(t testing.TB, presentation string, header map[string]any, claims map[string]any, key crypto.Signer) string {
	t.Helper()
	if _, present := claims["sd_hash"]; !present {
		sum := sha256.Sum256([]byte(presentation))
		claims["sd_hash"] = base64.RawURLEncoding.EncodeToString(sum[:])
	} else if claims["sd_hash"] == nil {
		delete(claims, "sd_hash")
	}
	jws, err := jose.Sign(header, marshal(t, claims), key)
	if err != nil {
		t.Fatal(err)
	}
	return presentation + jws
}

func TestKeyBinding(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	held := mustParse(t, p.issue(t, sdjwt.Options{}))
	shown, err := held.Present("/given_name")
	if err != nil {
		t.Fatal(err)
	}
	asked := sdjwt.Expected{Audience: "x509_san_dns:shop.example", Nonce: "n-1", Now: noon, MaxAge: 5 * time.Minute, Skew: time.Minute}
	compact, err := sdjwt.Bind(shown, sdjwt.Binding{Audience: asked.Audience, Nonce: asked.Nonce, IssuedAt: noon}, p.holder)
	if err != nil {
		t.Fatal(err)
	}
	check := func(compact string) error {
		token, err := sdjwt.Parse(compact)
		if err != nil {
			return err
		}
		b, err := token.VerifyBinding()
		if err != nil {
			return err
		}
		return b.Check(asked)
	}
	if err := check(compact); err != nil {
		t.Fatalf("a good binding: %v", err)
	}
	if _, err := sdjwt.Bind(shown, sdjwt.Binding{}, p.issuer); !errors.Is(err, sdjwt.ErrHolderKey) {
		t.Errorf("Bind with another key: %v", err)
	}
	if _, err := sdjwt.Bind(compact, sdjwt.Binding{}, p.holder); !errors.Is(err, sdjwt.ErrBinding) {
		t.Errorf("Bind of a bound one: %v", err)
	}
	binding := strings.TrimPrefix(compact, shown)
	more, err := held.Present("/given_name", "/address")
	if err != nil {
		t.Fatal(err)
	}
	none, err := held.Present()
	if err != nil {
		t.Fatal(err)
	}
	typed := map[string]any{"typ": "kb+jwt"}
	says := func(change ...any) map[string]any {
		m := map[string]any{"aud": asked.Audience, "nonce": asked.Nonce, "iat": noon.Unix()}
		for i := 0; i < len(change); i += 2 {
			if m[change[i].(string)] = change[i+1]; change[i+1] == nil && change[i] != "sd_hash" {
				delete(m, change[i].(string))
			}
		}
		return m
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		compact string
		want    error
	}{
		"SEC054 none":                         {shown, sdjwt.ErrNoBinding},
		"SEC054 signature altered":            {compact[:len(compact)-8] + "AAAAAAAA", nil},
		"SEC054 another typ":                  {bind(t, shown, map[string]any{"typ": "JWT"}, says(), p.holder), sdjwt.ErrBinding},
		"SEC054 no typ":                       {bind(t, shown, nil, says(), p.holder), sdjwt.ErrBinding},
		"SEC055 another verifier":             {bind(t, shown, typed, says("aud", "x509_san_dns:other.example"), p.holder), sdjwt.ErrAudience},
		"SEC055 without its prefix":           {bind(t, shown, typed, says("aud", "shop.example"), p.holder), sdjwt.ErrAudience},
		"SEC055 ours and another":             {bind(t, shown, typed, says("aud", []any{asked.Audience, "x"}), p.holder), sdjwt.ErrBinding},
		"SEC055 a slash more":                 {bind(t, shown, typed, says("aud", asked.Audience+"/"), p.holder), sdjwt.ErrAudience},
		"SEC056 nonce missing":                {bind(t, shown, typed, says("nonce", nil), p.holder), sdjwt.ErrBinding},
		"SEC056 nonce empty":                  {bind(t, shown, typed, says("nonce", ""), p.holder), sdjwt.ErrBinding},
		"SEC056 nonce of another session":     {bind(t, shown, typed, says("nonce", "n-2"), p.holder), sdjwt.ErrNonce},
		"SEC057 one disclosure more":          {more + binding, sdjwt.ErrBinding},
		"SEC057 one disclosure less":          {none + binding, sdjwt.ErrBinding},
		"SEC057 sd_hash missing":              {bind(t, shown, typed, says("sd_hash", nil), p.holder), sdjwt.ErrBinding},
		"SEC057 sd_hash without last tilde":   {bind(t, shown, typed, says("sd_hash", hashText(strings.TrimSuffix(shown, "~"))), p.holder), sdjwt.ErrBinding},
		"SEC058 another key":                  {bind(t, shown, typed, says(), newKey(t)), sdjwt.ErrBinding},
		"SEC058 a key of another kind":        {bind(t, shown, typed, says(), p256), sdjwt.ErrBinding},
		"SEC058 its own key in the header":    {bind(t, shown, map[string]any{"typ": "kb+jwt", "jwk": jwkOf(t, p.issuer.Public())}, says(), p.issuer), sdjwt.ErrBinding},
		"SEC012 too old":                      {bind(t, shown, typed, says("iat", noon.Add(-7*time.Minute).Unix()), p.holder), sdjwt.ErrStale},
		"SEC012 in the future":                {bind(t, shown, typed, says("iat", noon.Add(2*time.Minute).Unix()), p.holder), sdjwt.ErrStale},
		"SEC012 iat missing":                  {bind(t, shown, typed, says("iat", nil), p.holder), sdjwt.ErrBinding},
		"SEC012 iat a text":                   {bind(t, shown, typed, says("iat", "1769947200"), p.holder), sdjwt.ErrBinding},
		"SEC012 iat with a fraction":          {bind(t, shown, typed, says("iat", 1769947200.5), p.holder), sdjwt.ErrBinding},
		"SEC012 iat beyond the years we have": {bind(t, shown, typed, says("iat", json.Number("253402300800")), p.holder), sdjwt.ErrBinding},
	} {
		err := check(c.compact)
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := (sdjwt.Binding{IssuedAt: noon}).Check(sdjwt.Expected{Now: noon}); err == nil {
		t.Error("nothing asked for matched nothing said")
	}
}

func hashText(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestSEC058HolderKeyByValueOnly(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	key := string(marshal(t, jwkOf(t, p.holder.Public())))
	for name, cnf := range map[string]string{
		"none": `{}`, "jku": `{"cnf":{"jku":"https://canary.example"}}`, "x5u": `{"cnf":{"x5u":"https://canary.example"}}`,
		"kid": `{"cnf":{"kid":"did:key:z"}}`, "kid beside": `{"cnf":{"kid":"x","jwk":` + key + `}}`, "a string": `{"cnf":"x"}`,
		"a private key": `{"cnf":{"jwk":` + strings.Replace(key, "{", `{"d":"AAAA",`, 1) + `}}`, "a MAC key": `{"cnf":{"jwk":{"kty":"oct","k":"AAAA"}}}`,
		"x too short": `{"cnf":{"jwk":{"kty":"OKP","crv":"Ed25519","x":"AAAA"}}}`,
	} {
		token := mustParse(t, p.signed(t, cnf))
		if _, err := token.HolderKey(); !errors.Is(err, sdjwt.ErrHolderKey) {
			t.Errorf("%s: %v, want ErrHolderKey", name, err)
		}
	}
}

func TestJSONForm(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	shown, err := mustParse(t, p.issue(t, sdjwt.Options{})).Present("/given_name", "/address/town")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := sdjwt.Bind(shown, sdjwt.Binding{Audience: "a", Nonce: "n", IssuedAt: noon}, p.holder)
	if err != nil {
		t.Fatal(err)
	}
	for _, compact := range []string{shown, bound} {
		data, err := mustParse(t, compact).JSON()
		if err != nil {
			t.Fatal(err)
		}
		token, err := sdjwt.ParseJSON(data)
		if err != nil || token.Compact() != compact {
			t.Errorf("JSON form of %.40q: %v", compact, err)
		}
	}
	good := object(t, string(func() []byte { d, _ := mustParse(t, bound).JSON(); return d }()))
	for name, change := range map[string]func(m, header map[string]any){
		"SEC022 several signatures":  func(m, _ map[string]any) { m["signatures"] = []any{} },
		"SEC022 unprotected alg":     func(_, h map[string]any) { h["alg"] = "none" },
		"no header":                  func(m, _ map[string]any) { delete(m, "header"); m["x"] = 1 },
		"payload a number":           func(m, _ map[string]any) { m["payload"] = 1 },
		"disclosures a text":         func(_, h map[string]any) { h["disclosures"] = "x" },
		"disclosures of numbers":     func(_, h map[string]any) { h["disclosures"] = []any{1} },
		"a tilde in a disclosure":    func(_, h map[string]any) { h["disclosures"] = []any{strings.Join(strs(h["disclosures"]), "~")} },
		"a tilde in the signature":   func(m, _ map[string]any) { m["signature"] = m["signature"].(string) + "~" },
		"an empty kb_jwt":            func(_, h map[string]any) { h["kb_jwt"] = "" },
		"a kb_jwt that is an object": func(_, h map[string]any) { h["kb_jwt"] = map[string]any{} },
	} {
		m := object(t, string(marshal(t, good)))
		change(m, m["header"].(map[string]any))
		if _, err := sdjwt.ParseJSON(marshal(t, m)); !errors.Is(err, sdjwt.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
}

func strs(v any) []string {
	var out []string
	for _, item := range v.([]any) {
		out = append(out, item.(string))
	}
	return slices.Clip(out)
}
