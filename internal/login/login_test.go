package login_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"heartmark/internal/fetch"
	"heartmark/internal/keys"
	"heartmark/internal/login"
	"heartmark/internal/proof/jose"
)

const (
	state, nonce = "s-1", "n-1"
	verifier     = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	redirect     = "https://dei.example/login/callback"
)

// provider is a small OpenID Connect provider.
type provider struct {
	*httptest.Server
	key       crypto.Signer
	challenge string
	claims    map[string]any // over those of a good ID token
	noToken   bool
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/jwks",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		raw, err := keys.MarshalJWK(key.Public())
		if err != nil {
			t.Error(err)
		}
		answer(w, map[string]any{"keys": []json.RawMessage{raw}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		id, secret, basic := r.BasicAuth()
		if !basic {
			id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
		}
		if r.FormValue("code") != "good" || r.FormValue("redirect_uri") != redirect || id != "hm" || secret != "shh" ||
			base64.RawURLEncoding.EncodeToString(sum[:]) != p.challenge {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if p.noToken {
			answer(w, map[string]any{"access_token": "a", "token_type": "Bearer"})
			return
		}
		claims := map[string]any{
			"iss": p.URL, "aud": "hm", "sub": "alice", "nonce": nonce, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		}
		for name, v := range p.claims {
			claims[name] = v
		}
		payload, err := json.Marshal(claims)
		if err != nil {
			t.Error(err)
		}
		token, err := jose.Sign(map[string]any{"typ": "JWT"}, payload, p.key)
		if err != nil {
			t.Error(err)
		}
		answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": token})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func client(t *testing.T, p *provider, change ...func(c *login.Config)) *login.Provider {
	t.Helper()
	f, err := fetch.New(fetch.Config{Now: time.Now, AllowLoopbackOrigins: []string{p.URL}})
	if err != nil {
		t.Fatal(err)
	}
	c := login.Config{Issuer: p.URL, ClientID: "hm", ClientSecret: "shh", RedirectURL: redirect, Fetch: f, Now: time.Now}
	for _, f := range change {
		f(&c)
	}
	out, err := login.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// begin asks for the address and remembers the challenge, as the provider does when the browser comes.
func begin(t *testing.T, p *provider, l *login.Provider) {
	t.Helper()
	address, err := l.URL(t.Context(), state, nonce, verifier)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("state") != state || q.Get("nonce") != nonce || q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != redirect || q.Get("scope") != "openid" || q.Get("response_type") != "code" {
		t.Fatalf("address %s", address)
	}
	p.challenge = q.Get("code_challenge")
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	l := client(t, p)
	begin(t, p, l)
	if subject, err := l.Subject(t.Context(), "good", nonce, verifier); err != nil || subject != "alice" {
		t.Errorf("Subject = %q, %v", subject, err)
	}
}

func TestSignInRefused(t *testing.T) {
	t.Parallel()
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		code, nonce, verifier string
		change                func(p *provider)
	}{
		"wrong code":       {code: "bad"},
		"other verifier":   {verifier: "another-verifier-another-verifier-another-ver"},
		"other nonce":      {nonce: "n-2"},
		"no ID token":      {change: func(p *provider) { p.noToken = true }},
		"other audience":   {change: func(p *provider) { p.claims = map[string]any{"aud": "evil"} }},
		"other issuer":     {change: func(p *provider) { p.claims = map[string]any{"iss": "https://evil.example"} }},
		"expired":          {change: func(p *provider) { p.claims = map[string]any{"exp": time.Now().Add(-time.Hour).Unix()} }},
		"no subject":       {change: func(p *provider) { p.claims = map[string]any{"sub": ""} }},
		"signed by others": {change: func(p *provider) { p.key = other }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			l := client(t, p)
			begin(t, p, l)
			if tc.change != nil {
				tc.change(p)
			}
			or := func(s, otherwise string) string {
				if s == "" {
					return otherwise
				}
				return s
			}
			subject, err := l.Subject(t.Context(), or(tc.code, "good"), or(tc.nonce, nonce), or(tc.verifier, verifier))
			if !errors.Is(err, login.ErrRefused) || subject != "" {
				t.Errorf("Subject = %q, %v, want ErrRefused", subject, err)
			}
		})
	}
}

// A provider that has gone away refused nobody: the holder may try again.
func TestProviderGone(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	l := client(t, p)
	begin(t, p, l)
	p.Close()
	if _, err := l.Subject(t.Context(), "good", nonce, verifier); err == nil || errors.Is(err, login.ErrRefused) || !strings.Contains(err.Error(), "reason=") {
		t.Errorf("Subject = %v, want an error with a reason that is not ErrRefused", err)
	}
}

func TestDiscoveryRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	wrong := client(t, p, func(c *login.Config) { c.Issuer = p.URL + "/" }) // not the name that the provider gives itself
	if _, err := wrong.URL(t.Context(), state, nonce, verifier); err == nil {
		t.Error("a provider under another name was taken")
	}
	gone := client(t, p)
	p.Close()
	if _, err := gone.URL(t.Context(), state, nonce, verifier); err == nil || errors.Is(err, login.ErrRefused) {
		t.Errorf("provider that is not there: %v", err)
	}
	f, err := fetch.New(fetch.Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := login.New(login.Config{Issuer: p.URL, ClientID: "hm", ClientSecret: "shh", RedirectURL: redirect, Fetch: f, Now: time.Now}); err == nil {
		t.Error("a loopback provider was taken without being named")
	}
	if _, err := login.New(login.Config{}); err == nil {
		t.Error("an empty configuration was taken")
	}
}
