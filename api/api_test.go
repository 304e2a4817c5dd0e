package api_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"heartmark/api"
	"heartmark/api/problem"
	"heartmark/schemas"

	"github.com/prometheus/client_golang/prometheus"
)

// fill gives the parameters of a route's path values that exist in the test world.
func fill(path string) string {
	return strings.NewReplacer(
		":id", "urn:uuid:22222222-2222-4222-8222-222222222222", ":did", "did:web:localhost%3A8080:acme", ":issuer", "acme",
		":tenant", "acme", ":code", "not-found", ":name", "logo.svg", "/docs/api/:group", "/docs/api/issuing", ":group", "g1", ":index", "0", ":purpose", "revocation", ":ref", "r",
	).Replace(strings.ReplaceAll(path, "/log/tile/*", "/log/tile/0/000"))
}

func target(path string) string {
	out := strings.ReplaceAll(fill(path), "*", "dei/v1")
	sub := "sub=" + url.QueryEscape(origin+"/oid4vci/acme")
	switch path {
	case "/log/inclusion":
		out += "?index=1"
	case "/log/consistency":
		out += "?from=1&to=3"
	case "/1.0/identifiers/*":
		out = "/1.0/identifiers/did:web:dei.example"
	case "/registry/v1/federation/fetch":
		out += "?" + sub
	case "/registry/v1/federation/resolve":
		out += "?" + sub + "&trust_anchor=" + url.QueryEscape(origin)
	}
	return out
}

func TestRouterEqualsTable(t *testing.T) {
	t.Parallel()
	table, served, err := api.TableAndRouter(newWorld(t).again(t))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, r := range table {
		line := r.Method + " " + r.Path
		if want[line] {
			t.Errorf("%s stands twice in the table", line)
		}
		want[line] = true
		if r.CORS {
			want["OPTIONS "+r.Path] = true
		}
		if r.Time <= 0 || r.Access == "" || r.Cache == "" || r.Dialect == "" || r.Rate == "" {
			t.Errorf("%s: a rule is missing: %+v", line, r)
		}
		if (r.Access == api.WithKey || r.Access == api.OptionalKey) != (r.Scope != "") {
			t.Errorf("%s: access %q with scope %q", line, r.Access, r.Scope)
		}
		if r.CORS && r.Access == api.WithKey {
			t.Errorf("%s: CORS on a route of API keys", line)
		}
		if r.Method == http.MethodPost && r.Body == 0 {
			t.Errorf("%s takes no body", line)
		}
	}
	for _, r := range served {
		line := r.Method + " " + r.Path
		if !want[line] {
			t.Errorf("%s is served and not in the table", line)
		}
		delete(want, line)
	}
	for line := range want {
		t.Errorf("%s is in the table and not served", line)
	}
}

// TestSEC_166_NoRouteWithoutItsKey derives the list of guarded routes from the table.
func TestSEC_166_NoRouteWithoutItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *api.Config) { c.RateFactor = 100 })
	table, _, err := api.TableAndRouter(w.again(t))
	if err != nil {
		t.Fatal(err)
	}
	guarded := 0
	for _, r := range table {
		if r.Access != api.WithKey {
			continue
		}
		guarded++
		for name, tc := range map[string]struct {
			headers []string
			want    int
		}{
			"no key":      {nil, 401},
			"unknown key": {auth("hm_ZZZZZZZZZZZZZZZZZZZZZZZZ"), 401},
			"not a key":   {auth("password"), 401},
			"basic":       {[]string{"Authorization", "Basic " + goodKey}, 401},
			"two keys":    {append(auth(goodKey), auth(goodKey)...), 401},
			"no scope":    {auth(thinKey), 403},
		} {
			rec := w.do(r.Method, target(r.Path), "", tc.headers...)
			if rec.Code != tc.want {
				t.Errorf("%s %s with %s: %d, want %d", r.Method, r.Path, name, rec.Code, tc.want)
			}
			if got := decode[problem.Document](t, rec); got.Code == "" || rec.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s with %s: no problem document or challenge: %s %v", r.Method, r.Path, name, rec.Body, rec.Header())
			}
		}
	}
	if guarded == 0 {
		t.Fatal("no guarded route")
	}
}

// TestSEC_156_ForeignObjects asks for each object by id with another tenant's key.
func TestSEC_156_ForeignObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("POST", "/v1/credentials", `{"configuration":"dei-profile","report":"r1","subject":{"id":"did:key:z6Mk"}}`, withJSON(goodKey)...)
	w.do("POST", "/v1/assessments?subject=me&consent=process,score&format=csv", "", append(auth(goodKey), "Content-Type", "text/csv")...)
	id := "urn:uuid:22222222-2222-4222-8222-222222222222"
	for _, tc := range []struct{ method, path, body string }{
		{"GET", "/v1/credentials/" + id, ""},
		{"POST", "/v1/credentials/" + id + "/status", `{"status":"revoked"}`},
		{"GET", "/v1/assessments/r1", ""},
		{"GET", "/v1/offers/o1", ""},
		{"DELETE", "/v1/offers/o1", ""},
	} {
		if rec := w.do(tc.method, tc.path, tc.body, withJSON(otherKey)...); rec.Code != 404 {
			t.Errorf("%s %s by another tenant: %d, want 404", tc.method, tc.path, rec.Code)
		}
	}
	if rec := w.do("GET", "/v1/credentials/"+id, "", auth(goodKey)...); rec.Code != 200 || !strings.Contains(rec.Body.String(), `"status":"active"`) {
		t.Errorf("own credential: %d %s", rec.Code, rec.Body)
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *api.Config) { c.RateFactor = 100 })
	table, _, err := api.TableAndRouter(w.again(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range table {
		if r.Method != http.MethodGet {
			continue
		}
		rec := w.do(r.Method, target(r.Path), "", append(auth(goodKey), "Origin", "https://evil.example")...)
		h := rec.Header()
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: headers %v", r.Path, h)
		}
		policy := h.Get("Content-Security-Policy")
		if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: policy %q", r.Path, policy)
		}
		if (h.Get("Access-Control-Allow-Origin") == "*") != r.CORS {
			t.Errorf("%s: CORS %q, table says %v", r.Path, h.Get("Access-Control-Allow-Origin"), r.CORS)
		}
		if h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s lets credentials through", r.Path)
		}
		cache := h.Get("Cache-Control")
		switch {
		case rec.Code != 200:
		case r.Cache == api.Shared && !strings.HasPrefix(cache, "public"),
			r.Cache == api.NoStore && cache != "no-store",
			r.Cache == api.Private && cache != "private, no-cache":
			t.Errorf("%s: Cache-Control %q under rule %s", r.Path, cache, r.Cache)
		}
		if r.Cache == api.Shared && rec.Code == 200 {
			again := w.do(r.Method, target(r.Path), "", "If-None-Match", h.Get("ETag"))
			if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
				t.Errorf("%s: the same tag gives %d with %d bytes, want 304", r.Path, again.Code, again.Body.Len())
			}
		}
	}
}

func TestPublicRoutesAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *api.Config) { c.RateFactor = 100 })
	table, _, err := api.TableAndRouter(w.again(t))
	if err != nil {
		t.Fatal(err)
	}
	query := map[string]string{"/oid4vci/:issuer/authorize": "?request_uri=ru&client_id=w"}
	other := map[string]int{"/assessment": 303, "/oid4vci/:issuer/authorize/login": 303, "/login/callback": 404} // the last needs a cookie
	for _, r := range table {
		if (r.Method != http.MethodGet && r.Method != http.MethodHead) || r.Access != api.Public {
			continue
		}
		rec := w.do(r.Method, target(r.Path)+query[r.Path], "", "Cookie", "heartmark-ask=tx-1")
		if want := cmp.Or(other[r.Path], 200); rec.Code != want {
			t.Errorf("%s %s: %d %s", r.Method, target(r.Path), rec.Code, rec.Body)
		}
		if r.Method == http.MethodHead && r.Cache == api.Shared && rec.Body.Len() != 0 {
			t.Errorf("HEAD %s has a body", r.Path)
		}
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.do("OPTIONS", "/v1/verify", "", "Origin", "https://shop.example", "Access-Control-Request-Method", "POST")
	if rec.Code != 204 || rec.Header().Get("Access-Control-Allow-Methods") != "POST" || !strings.Contains(rec.Header().Get("Access-Control-Allow-Headers"), "DPoP") {
		t.Errorf("preflight: %d %v", rec.Code, rec.Header())
	}
	if rec := w.do("OPTIONS", "/v1/credentials", "", "Origin", "https://evil.example"); rec.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("key route answers a preflight: %v", rec.Header())
	}
}

// TestSEC_151_SpellingOfPaths holds that other spellings of a guarded path lead nowhere or to the same decision.
func TestSEC_151_SpellingOfPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{
		"/v1/credentials?x=/healthz", "//v1/credentials", "/v1//credentials", "/./v1/credentials", "/healthz/../v1/credentials",
		"/healthz/%2e%2e/v1/credentials", "/v1/credentials;a=b", "/v1/credentials/", "/V1/credentials", "/v1/%63redentials",
		"/static/..%2f..%2fv1%2fcredentials", "/static/../v1/credentials",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		u, err := r.URL.Parse(origin + "/")
		if err != nil {
			t.Fatal(err)
		}
		r.URL = u
		raw, query, _ := strings.Cut(path, "?")
		r.URL.RawQuery = query
		if plain, err := r.URL.Parse("https://dei.example" + raw); err == nil && !strings.Contains(raw, "..") && !strings.HasPrefix(raw, "//") {
			r.URL.Path, r.URL.RawPath = plain.Path, plain.RawPath
		} else {
			r.URL.Path = raw
		}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		if rec.Code != 401 && rec.Code != 404 {
			t.Errorf("%s: %d, want 401 or 404", path, rec.Code)
		}
	}
}

// TestSEC_121_HostHeader holds that what is published never comes from the request.
func TestSEC_121_HostHeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/.well-known/openid-credential-issuer/oid4vci/acme", "/registry/v1/metadata", "/", "/oid4vci/acme/offers/r", "/nowhere"} {
		r := httptest.NewRequest(http.MethodGet, "https://evil.example"+path, nil)
		for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-URL"} {
			r.Header.Set(name, "evil.example")
		}
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		if strings.Contains(rec.Body.String(), "evil.example") {
			t.Errorf("%s repeats the Host header: %s", path, rec.Body)
		}
	}
}

// TestSEC_152_NothingToDebug holds that no operator's page is on the public port.
func TestSEC_152_NothingToDebug(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/vars", "/pprof", "/vars", "/admin", "/.env"} {
		if rec := w.do("GET", path, ""); rec.Code != 404 {
			t.Errorf("%s: %d, want 404", path, rec.Code)
		}
	}
}

func TestUnmatched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if rec := w.do("GET", "/nowhere", "", "Accept", "text/html", "Accept-Language", "zh"); rec.Code != 404 ||
		!strings.Contains(rec.Header().Get("Content-Type"), "text/html") || !strings.Contains(rec.Body.String(), "此处没有内容") ||
		!strings.Contains(rec.Header().Get("Content-Security-Policy"), "style-src 'self'") {
		t.Errorf("browser: %d %v", rec.Code, rec.Header())
	}
	if rec := w.do("GET", "/v1/nowhere", ""); rec.Code != 404 || decode[problem.Document](t, rec).Code != "not-found" {
		t.Errorf("program: %d %s", rec.Code, rec.Body)
	}
	rec := w.do("DELETE", "/v1/verify", "")
	if rec.Code != 405 || decode[problem.Document](t, rec).Code != "method-not-allowed" || !slices.Contains(strings.Split(rec.Header().Get("Allow"), ", "), "POST") {
		t.Errorf("method: %d %s %v", rec.Code, rec.Body, rec.Header())
	}
}

// again returns the configuration with fresh metrics, for a second server.
func (w *world) again(t *testing.T) api.Config {
	t.Helper()
	c := w.config
	c.Metrics = prometheus.NewRegistry()
	return c
}

// TestTenantNamesMeetNoRoute holds that no tenant's DID document can hide behind a route of ours.
func TestTenantNamesMeetNoRoute(t *testing.T) {
	t.Parallel()
	table, _, err := api.TableAndRouter(newWorld(t).again(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range table {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
		if first == "" || strings.HasPrefix(first, ":") {
			continue
		}
		if schemas.CheckTenantName(first) == nil {
			t.Errorf("%s: %q may be a tenant's name", r.Path, first)
		}
	}
}
