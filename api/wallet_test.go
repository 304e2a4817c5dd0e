package api_test

import (
	"net/http"
	"strings"
	"testing"
)

const formType = "application/x-www-form-urlencoded"

func TestOfferPictures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, want := range map[string]string{"qr.png": "image/png", "qr.svg": "image/svg+xml", "page": "text/html; charset=utf-8"} {
		rec := w.do("GET", "/oid4vci/acme/offers/r/"+path, "")
		if rec.Code != 200 || rec.Header().Get("Content-Type") != want || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", path, rec.Code, rec.Header())
		}
		if rec := w.do("GET", "/oid4vci/acme/offers/x/"+path, ""); rec.Code != 404 {
			t.Errorf("unknown offer, %s: %d", path, rec.Code)
		}
	}
	page := w.do("GET", "/oid4vci/acme/offers/r/page", "", "Accept-Language", "zh").Body.String()
	for _, want := range []string{`href="openid-credential-offer://?credential_offer_uri=x"`, `src="/oid4vci/acme/offers/r/qr.svg"`, "阿克米", "徽章"} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %s", want)
		}
	}
	if en := w.do("GET", "/oid4vci/acme/offers/r/page", "").Body.String(); !strings.Contains(en, "&lt;b&gt;Acme") {
		t.Error("SEC-143: the issuer's name is not escaped")
	}
}

func TestAuthorizePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.do("GET", "/oid4vci/acme/authorize?request_uri=ru&client_id=w&unknown=1", "")
	body, policy := rec.Body.String(), rec.Header().Get("Content-Security-Policy")
	if rec.Code != 200 || !strings.Contains(policy, "form-action 'self' https://w.example;") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Fatalf("%d with policy %q", rec.Code, policy)
	}
	if strings.Contains(body, "<script") || !strings.Contains(body, "&lt;script&gt;") || !strings.Contains(body, `name="tx_code"`) {
		t.Error("SEC-143: the page has a script, an unescaped name, or no field")
	}
	if !strings.Contains(body, `href="/oid4vci/acme/authorize?client_id=`) {
		t.Error("the link to the other language loses the request")
	}
	if rec := w.do("GET", "/oid4vci/acme/authorize?request_uri=login&client_id=w", "", "Accept-Language", "zh"); rec.Code != 200 || strings.Contains(rec.Body.String(), `name="tx_code"`) {
		t.Errorf("page with a provider: %d", rec.Code)
	}
	for _, query := range []string{"", "?request_uri=x&client_id=w", "?request_uri=" + strings.Repeat("x", 600)} {
		if rec := w.do("GET", "/oid4vci/acme/authorize"+query, ""); rec.Code != 404 || rec.Header().Get("Location") != "" {
			t.Errorf("%.30s: %d to %q, want 404 and no redirect", query, rec.Code, rec.Header().Get("Location"))
		}
	}
	if rec := w.do("GET", "/oid4vci/acme/authorize?request_uri=ru&request_uri=ru&client_id=w", ""); rec.Code != 400 {
		t.Errorf("parameter twice: %d", rec.Code)
	}
}

func TestAuthorizeDecision(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const allow = "request_uri=ru&client_id=w&decision=allow&tx_code="
	for name, tc := range map[string]struct {
		body     string
		headers  []string
		status   int
		location string
	}{
		"allow":                     {allow + "123456", nil, 303, "https://w.example/cb?code=c"},
		"from our own page":         {allow + "123456", []string{"Sec-Fetch-Site", "same-origin", "Origin", origin}, 303, "https://w.example/cb?code=c"},
		"without referrer":          {allow + "123456", []string{"Origin", "null"}, 303, "https://w.example/cb?code=c"},
		"wrong code":                {allow + "1", nil, 403, ""},
		"deny":                      {"request_uri=ru&client_id=w&decision=deny", nil, 303, "https://w.example/cb?error=access_denied"},
		"no decision":               {"request_uri=ru&client_id=w", nil, 303, "https://w.example/cb?error=access_denied"},
		"SEC-146 of another site":   {allow + "123456", []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		"SEC-146 sibling subdomain": {allow + "123456", []string{"Sec-Fetch-Site", "same-site"}, 403, ""},
		"SEC-146 of another origin": {allow + "123456", []string{"Origin", "https://evil.example"}, 403, ""},
		"SEC-146 from plain http":   {allow + "123456", []string{"Origin", strings.Replace(origin, "https", "http", 1)}, 403, ""},
		"twice":                     {allow + "1&tx_code=123456", nil, 400, ""},
	} {
		rec := w.do("POST", "/oid4vci/acme/authorize", tc.body, append([]string{"Content-Type", formType}, tc.headers...)...)
		if rec.Code != tc.status || rec.Header().Get("Location") != tc.location {
			t.Errorf("%s: %d to %q, want %d to %q", name, rec.Code, rec.Header().Get("Location"), tc.status, tc.location)
		}
	}
	if rec := w.do("POST", "/oid4vci/acme/authorize", `{}`, "Content-Type", "text/plain"); rec.Code != 415 {
		t.Errorf("SEC-146 text/plain: %d", rec.Code)
	}
}

func TestExternalLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.do("GET", "/oid4vci/acme/authorize/login?request_uri=login&client_id=w", "")
	cookie := rec.Header().Get("Set-Cookie")
	if rec.Code != 303 || rec.Header().Get("Location") != "https://idp.example/auth?state=s" {
		t.Fatalf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
	for _, want := range []string{"heartmark-login=ck", "HttpOnly", "Secure", "SameSite=Lax", "Path=/login/callback"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
	for name, tc := range map[string]struct {
		query, cookie string
		status        int
		location      string
	}{
		"signed in":         {"state=s&code=c", "ck", http.StatusSeeOther, "https://w.example/cb?code=c"},
		"other account":     {"state=s&code=other", "ck", 403, ""},
		"provider's error":  {"state=s&error=access_denied&code=c", "ck", 403, ""},
		"other browser":     {"state=s&code=c", "xx", 404, ""},
		"no cookie":         {"state=s&code=c", "", 404, ""},
		"other state":       {"state=x&code=c", "ck", 404, ""},
		"state given twice": {"state=s&state=s&code=c", "ck", 400, ""},
	} {
		rec := w.do("GET", "/login/callback?"+tc.query, "", "Cookie", "heartmark-login="+tc.cookie)
		if rec.Code != tc.status || rec.Header().Get("Location") != tc.location {
			t.Errorf("%s: %d to %q, want %d to %q", name, rec.Code, rec.Header().Get("Location"), tc.status, tc.location)
		}
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tc := range map[string]struct {
		key, id, body string
		status        int
	}{
		"released":          {goodKey, "o1", `{"decision":"released"}`, 200},
		"decided before":    {goodKey, "o1", `{"decision":"refused","reason":"x"}`, 409},
		"long reason":       {goodKey, "o1", `{"decision":"refused","reason":"` + strings.Repeat("x", 501) + `"}`, 400},
		"no reason":         {goodKey, "o1", `{"decision":"refused"}`, 400},
		"other word":        {goodKey, "o1", `{"decision":"held"}`, 400},
		"SEC-156 of others": {otherKey, "o1", `{"decision":"released"}`, 404},
		"without scope":     {thinKey, "o1", `{"decision":"released"}`, 403},
	} {
		if rec := w.do("POST", "/v1/offers/"+tc.id+"/release", tc.body, withJSON(tc.key)...); rec.Code != tc.status {
			t.Errorf("%s: %d %s, want %d", name, rec.Code, rec.Body, tc.status)
		}
	}
}

// A refused offer names the member that is wrong.
func TestOfferFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, want := range map[string]string{
		`{"configuration":"nope","report":"r1"}`:                        `"pointer":"/configuration"`,
		`{"configurations":["nope"],"report":"r1"}`:                     `"pointer":"/configurations"`,
		`{"configuration":"dei-profile","report":"r1","language":"xx"}`: `"pointer":"/language"`,
	} {
		if rec := w.do("POST", "/v1/offers", body, withJSON(goodKey)...); rec.Code != 400 || !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: %d %s, want %s", body, rec.Code, rec.Body, want)
		}
	}
}

func TestSignedMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = "/.well-known/openid-credential-issuer/oid4vci/acme"
	for accept, want := range map[string]string{
		"": "application/json", "application/json": "application/json", "application/jwt": "application/jwt", "*/*": "application/json",
		"application/jwt;q=0.9, application/json;q=0.5": "application/jwt", "application/json, application/jwt": "application/json",
	} {
		rec := w.do("GET", path, "", "Accept", accept)
		if rec.Code != 200 || rec.Header().Get("Content-Type") != want || !strings.Contains(rec.Header().Get("Vary"), "Accept") {
			t.Errorf("Accept %q: %d %v", accept, rec.Code, rec.Header())
		}
	}
}
