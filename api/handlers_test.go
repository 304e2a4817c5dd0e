package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"heartmark/api"
	"heartmark/api/assessmentapi"
	"heartmark/api/issuerapi"
	"heartmark/api/problem"
	"heartmark/api/registryapi"
)

const order = `{"configuration":"dei-profile","report":"r1","subject":{"id":"did:key:z6Mk"}}`

func TestCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.do("POST", "/v1/credentials", order, withJSON(goodKey, "Idempotency-Key", "i-1")...)
	issued := decode[issuerapi.CredentialAnswer](t, rec)
	if rec.Code != 201 || issued.Status != "active" || len(issued.Credentials) != 2 || string(issued.Credentials[1].Credential) != `"ey~"` || issued.Log.State != "pending" {
		t.Fatalf("issue: %d %s", rec.Code, rec.Body)
	}
	if rec.Header().Get("Location") != "/v1/credentials/"+url.PathEscape(issued.ID) {
		t.Errorf("Location = %q", rec.Header().Get("Location"))
	}
	if rec := w.do("GET", rec.Header().Get("Location"), "", auth(goodKey)...); rec.Code != 200 {
		t.Errorf("get by Location: %d %s", rec.Code, rec.Body)
	}
	status := "/v1/credentials/" + issued.ID + "/status"
	for _, step := range []struct {
		body string
		code int
		want string
	}{
		{`{"status":"suspended","reason":"lost"}`, 200, `"status":"suspended"`},
		{`{"status":"active"}`, 200, `"status":"active"`},
		{`{"status":"paused"}`, 400, `"/status"`},
		{`{"status":"revoked","why":1}`, 400, `"unknown-member"`},
		{`{"status":"revoked"}`, 200, `"status":"revoked"`},
		{`{"status":"revoked"}`, 200, `"status":"revoked"`},
		{`{"status":"active"}`, 409, `"revoked"`},
	} {
		if rec := w.do("POST", status, step.body, withJSON(goodKey)...); rec.Code != step.code || !strings.Contains(rec.Body.String(), step.want) {
			t.Errorf("status %s: %d %s, want %d with %s", step.body, rec.Code, rec.Body, step.code, step.want)
		}
	}
	page := decode[issuerapi.CredentialPage](t, w.do("GET", "/v1/credentials?limit=10", "", auth(goodKey)...))
	if len(page.Items) != 1 || page.Next == "" || page.Items[0].Credentials != nil {
		t.Errorf("list = %+v", page)
	}
	for _, query := range []string{"?limit=0", "?limit=x", "?limit=501", "?lim=1", "?limit=1&limit=2"} {
		if rec := w.do("GET", "/v1/credentials"+query, "", auth(goodKey)...); rec.Code != 400 {
			t.Errorf("list%s: %d, want 400", query, rec.Code)
		}
	}
	if rec := w.do("GET", "/v1/configurations", "", auth(goodKey)...); rec.Code != 200 || !strings.Contains(rec.Body.String(), "数字情商") {
		t.Errorf("configurations: %d %s", rec.Code, rec.Body)
	}
}

func TestIssueRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tc := range []struct {
		name, body, mediaType string
		status                int
		code, pointer         string
	}{
		{"thin report", `{"configuration":"c","report":"thin","subject":{"id":"did:key:z"}}`, "application/json", 422, "nothing-to-issue", ""},
		{"no DID", `{"configuration":"c","report":"r1","subject":{"id":"me"}}`, "application/json", 400, "malformed", "/subject/id"},
		{"wrong kind", `{"configuration":7}`, "application/json", 400, "malformed", "/configuration"},
		{"unknown member", `{"configuration":"c","tenant":"beta"}`, "application/json", 400, "unknown-member", "/tenant"},
		{"not JSON", `configuration=c`, "application/json", 400, "malformed", ""},
		{"form", `configuration=c`, "application/x-www-form-urlencoded", 415, "unsupported-media-type", ""},
	} {
		rec := w.do("POST", "/v1/credentials", tc.body, append(auth(goodKey), "Content-Type", tc.mediaType, "Accept-Language", "zh-CN")...)
		got := decode[problem.Document](t, rec)
		if rec.Code != tc.status || got.Code != tc.code {
			t.Errorf("%s: %d %s, want %d %s", tc.name, rec.Code, rec.Body, tc.status, tc.code)
			continue
		}
		if tc.pointer != "" && (len(got.Errors) == 0 || got.Errors[0].Pointer != tc.pointer) {
			t.Errorf("%s: errors %+v, want %s", tc.name, got.Errors, tc.pointer)
		}
		if rec.Header().Get("Content-Language") != "zh" || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", tc.name, rec.Header())
		}
	}
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const body = `{"configuration":"dei-profile","report":"r1"}`
	send := func(key, body string, headers ...string) (int, string) {
		rec := w.do("POST", "/v1/offers", body, append(withJSON(key), headers...)...)
		return rec.Code, rec.Body.String()
	}
	code, first := send(goodKey, body, "Idempotency-Key", "k1")
	if code != 201 {
		t.Fatalf("first: %d %s", code, first)
	}
	if code, again := send(goodKey, body, "Idempotency-Key", "k1"); code != 201 || again != first {
		t.Errorf("again: %d %s, want the first answer", code, again)
	}
	if code, _ := send(goodKey, strings.Replace(body, "r1", "r2", 1), "Idempotency-Key", "k1"); code != 409 {
		t.Errorf("other body: %d, want 409", code)
	}
	if w.wallets.offers != 1 {
		t.Errorf("%d offers were made, want 1", w.wallets.offers)
	}
	if code, _ := send(otherKey, body, "Idempotency-Key", "k1"); code != 201 || w.wallets.offers != 2 {
		t.Errorf("another tenant under the same key: %d, %d offers", code, w.wallets.offers)
	}
	send(goodKey, body)
	send(goodKey, body)
	if w.wallets.offers != 4 {
		t.Errorf("without a key: %d offers, want 4", w.wallets.offers)
	}
	// What failed is not kept.
	if code, _ := send(goodKey, `{"configuration":"nope","report":"r1"}`, "Idempotency-Key", "k2"); code != 400 {
		t.Errorf("refused: %d", code)
	}
	if code, _ := send(goodKey, body, "Idempotency-Key", "k2"); code != 201 {
		t.Errorf("after a refusal: %d, want 201", code)
	}
	// An answer that could not be kept is not given: the request may be sent again.
	w.replays.fail = errors.New("disk full")
	if code, text := send(goodKey, body, "Idempotency-Key", "k3"); code != 500 || strings.Contains(text, "tx_code") {
		t.Errorf("not kept: %d %s", code, text)
	}
	w.replays.fail = nil
	if code, _ := send(goodKey, body, "Idempotency-Key", "k3"); code != 201 {
		t.Errorf("after that: %d, want 201", code)
	}
	w.clock.Advance(24 * time.Hour)
	if code, again := send(goodKey, strings.Replace(body, "r1", "r2", 1), "Idempotency-Key", "k1"); code != 201 {
		t.Errorf("a day later the key is free: %d %s", code, again)
	}
	for _, bad := range []string{strings.Repeat("k", 129), "with space", "中"} {
		if code, _ := send(goodKey, body, "Idempotency-Key", bad); code != 400 {
			t.Errorf("key %q: %d, want 400", bad, code)
		}
	}
}

func TestWalletRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	const grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code&pre-authorized_code=code&tx_code=1"
	for _, tc := range []struct {
		name, path, body string
		headers          []string
		status           int
		want             string
	}{
		{"token", "/token", grant, form, 200, `"access_token":"at"`},
		{"parameter twice", "/token", grant + "&tx_code=2", form, 400, `"error":"invalid_request"`},
		{"wrong code", "/token", strings.Replace(grant, "=code", "=x", 1), form, 400, `"error":"invalid_grant"`},
		{"JSON token request", "/token", `{}`, []string{"Content-Type", "application/json"}, 415, `"error":"invalid_request"`},
		{"nonce", "/nonce", "", nil, 200, `"c_nonce":"n"`},
		{"credential", "/credential", `{"credential_configuration_id":"c","proofs":{"jwt":["x"]}}`, []string{"Content-Type", "application/json", "Authorization", "Bearer at"}, 200, `"notification_id":"nid"`},
		{"token in the query", "/credential?access_token=at", `{}`, []string{"Content-Type", "application/json"}, 400, `"error":"invalid_request"`},
		{"two tokens", "/credential", `{}`, []string{"Content-Type", "application/json", "Authorization", "Bearer at", "Authorization", "Bearer at"}, 400, `"error":"invalid_request"`},
		{"no token", "/credential", `{"credential_configuration_id":"c"}`, []string{"Content-Type", "application/json"}, 401, `"error":"invalid_token"`},
		{"API key as token", "/credential", `{"credential_configuration_id":"c"}`, withJSON(goodKey), 401, `"error":"invalid_token"`},
		{"bad request", "/credential", `[]`, []string{"Content-Type", "application/json", "Authorization", "Bearer at"}, 400, `"error":"invalid_credential_request"`},
		{"held back", "/credential", `{"credential_configuration_id":"held","proofs":{"jwt":["x"]}}`, []string{"Content-Type", "application/json", "Authorization", "DPoP at"}, 202, `"transaction_id":"tid","interval":30`},
		{"encrypted request", "/credential", `jwe`, []string{"Content-Type", "application/jwt", "Authorization", "Bearer at"}, 200, `"notification_id":"nid"`},
		{"bad encryption", "/credential", `x`, []string{"Content-Type", "application/jwt", "Authorization", "Bearer at"}, 400, `"error":"invalid_encryption_parameters"`},
		{"deferred", "/deferred", `{"transaction_id":"tid"}`, []string{"Content-Type", "application/json", "Authorization", "Bearer at"}, 202, `"transaction_id":"tid"`},
		{"unknown transaction", "/deferred", `{"transaction_id":"x"}`, []string{"Content-Type", "application/json", "Authorization", "Bearer at"}, 400, `"error":"invalid_transaction_id"`},
		{"no transaction", "/deferred", `{}`, []string{"Content-Type", "application/json", "Authorization", "Bearer at"}, 400, `"error":"invalid_credential_request"`},
		{"pushed", "/par", "response_type=code&client_id=w&code_challenge_method=S256", form, 201, `"request_uri":"urn:`},
		{"pushed plain", "/par", "response_type=code&client_id=w&code_challenge_method=plain", form, 401, `"error":"invalid_client"`},
		{"pushed twice", "/par", "response_type=code&client_id=w&client_id=v&code_challenge_method=S256", form, 400, `"error":"invalid_request"`},
		{"pushed with request_uri", "/par", "request_uri=x&code_challenge_method=S256", form, 401, `"error":"invalid_client"`},
		{"challenge", "/challenge", "", nil, 200, `"attestation_challenge":"ch"`},
		{"notification", "/notification", `{"notification_id":"nid","event":"credential_accepted"}`, []string{"Content-Type", "application/json", "Authorization", "Bearer at"}, 204, ""},
	} {
		rec := w.do("POST", "/oid4vci/acme"+tc.path, tc.body, tc.headers...)
		if rec.Code != tc.status || !strings.Contains(rec.Body.String(), tc.want) {
			t.Errorf("%s: %d %s, want %d with %s", tc.name, rec.Code, rec.Body, tc.status, tc.want)
		}
		if rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", tc.name, rec.Header().Get("Cache-Control"))
		}
		if rec.Code == 401 && strings.Contains(tc.want, "token") && (!strings.HasPrefix(rec.Header().Get("WWW-Authenticate"), "Bearer") || rec.Header().Get("DPoP-Nonce") != "fresh") {
			t.Errorf("%s: headers %v, want a challenge and a nonce", tc.name, rec.Header())
		}
	}
	// SEC-107: an issuance token opens nothing else.
	if rec := w.do("GET", "/v1/credentials", "", "Authorization", "Bearer at"); rec.Code != 401 {
		t.Errorf("access token as API key: %d, want 401", rec.Code)
	}
	if rec := w.do("GET", "/.well-known/openid-credential-issuer/oid4vci/nobody", ""); rec.Code != 404 {
		t.Errorf("unknown issuer: %d", rec.Code)
	}
}

func TestVerifyRoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *api.Config) { c.RateFactor = 10 })
	const vc = `{"type":["VerifiableCredential"]}`
	for _, tc := range []struct {
		name, body, mediaType string
		status                int
		want                  string
	}{
		{"own type", vc, "application/vc", 200, `"verdict":"valid"`},
		{"older type", vc, "application/vc+ld+json", 200, `"verdict":"valid"`},
		{"as JSON", vc, "application/json; charset=utf-8", 200, `"verdict":"valid"`},
		{"as JSON-LD", vc, "application/ld+json", 200, `"verdict":"valid"`},
		{"wrapped", `{"credential":` + vc + `,"policy":"default","challenge":"c","domain":"d"}`, "application/json", 200, `"verdict":"valid"`},
		{"revoked is an answer", `{"type":["VerifiableCredential"],"name":"revoked"}`, "application/vc", 200, `"code":"status_revoked"`},
		{"both", `{"credential":` + vc + `,"presentation":` + vc + `}`, "application/json", 400, `"malformed"`},
		{"a string inside", `{"credential":"eyJ"}`, "application/json", 400, `"unreadable"`},
		{"unknown option", `{"credential":` + vc + `,"checks":[]}`, "application/json", 400, `"unknown-member"`},
		{"unknown policy", `{"credential":` + vc + `,"policy":"lax"}`, "application/json", 400, `"unknown-policy"`},
		{"no type", `{}`, "application/json", 400, `"unreadable"`},
		{"not JSON", `eyJhbGciOi`, "application/vc", 400, `PARSING_ERROR`},
		{"member twice", `{"type":["VerifiableCredential"],"type":[]}`, "application/json", 400, `"unreadable"`},
		{"not a token", vc + "~", "application/dc+sd-jwt", 400, `"unreadable"`},
		{"text", vc, "text/plain", 415, `"unsupported-media-type"`},
	} {
		rec := w.do("POST", "/v1/verify", tc.body, "Content-Type", tc.mediaType)
		if rec.Code != tc.status || !strings.Contains(rec.Body.String(), tc.want) {
			t.Errorf("%s: %d %s, want %d with %s", tc.name, rec.Code, rec.Body, tc.status, tc.want)
		}
		if rec.Code == 200 && strings.Contains(rec.Body.String(), `"credential":`) {
			t.Errorf("%s: the answer repeats the credential", tc.name)
		}
	}
	w.do("POST", "/v1/verify", `{"credential":`+vc+`,"challenge":"c","domain":"d","log":{"index":1,"proof":[],"checkpoint":"x","tree_size":2}}`, "Content-Type", "application/json")
	if in := w.verify.last; in.Challenge != "c" || in.Domain != "d" || !in.WantLog || in.LogProof == nil || in.LogProof.TreeSize != 2 {
		t.Errorf("input = %+v", in)
	}
	for _, token := range []string{"application/vc+jwt", "application/vp+jwt", "application/dc+sd-jwt"} {
		w.do("POST", "/v1/verify?challenge=c-1&domain=shop.example", "eyJ.e30.x", "Content-Type", token)
		if in := w.verify.last; in.MediaType != token || string(in.Data) != "eyJ.e30.x" || in.Challenge != "c-1" || in.Domain != "shop.example" {
			t.Errorf("%s: input = %+v", token, in)
		}
	}
	if rec := w.do("POST", "/v1/verify?challenge=c", `{"credential":`+vc+`,"challenge":"d"}`, "Content-Type", "application/json"); rec.Code != 400 {
		t.Errorf("challenge in query and body: %d, want 400", rec.Code)
	}
	rec := w.do("POST", "/v1/verify", `{"type":["VerifiableCredential"],"name":"revoked"}`, "Content-Type", "application/vc", "Accept-Language", "zh")
	if !strings.Contains(rec.Body.String(), "颁发者已将其撤销") || rec.Header().Get("Content-Language") != "zh" {
		t.Errorf("in Chinese: %s %v", rec.Body, rec.Header())
	}
	if rec := w.do("POST", "/v1/verify", `{"credential":`+vc+`,"return_credential":true}`, "Content-Type", "application/json"); !strings.Contains(rec.Body.String(), `"credential":{`) {
		t.Errorf("asked for the credential: %s", rec.Body)
	}
}

func TestAssessments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const line = "conversation,id,author,time,text\nc1,1,me,2026-01-10T09:00:00Z,hello\nc1,2,you,2026-01-10T09:01:00Z,hi\n"
	csv := append(auth(goodKey), "Content-Type", "text/csv")
	rec := w.do("POST", "/v1/assessments?format=csv&subject=me&consent=process,score,issue", line, csv...)
	if rec.Code != 201 {
		t.Fatalf("submit: %d %s", rec.Code, rec.Body)
	}
	got := decode[assessmentapi.AssessmentAnswer](t, rec)
	if len(got.Reports) != 1 || got.Reports[0].View != "platform" || strings.Contains(rec.Body.String(), "61.5") || !strings.Contains(rec.Body.String(), "proficient") {
		t.Errorf("platform view: %s", rec.Body)
	}
	// SEC: scores only where the consent says so (design, section 9.19).
	rec = w.do("POST", "/v1/assessments?format=csv&subject=me&consent=process,score,report", line, csv...)
	if rec.Code != 201 || !strings.Contains(rec.Body.String(), "61.5") || !strings.Contains(rec.Body.String(), `"view":"full"`) {
		t.Errorf("full view: %d %s", rec.Code, rec.Body)
	}
	if rec := w.do("GET", "/v1/assessments/r1", "", auth(goodKey)...); rec.Code != 200 || !strings.Contains(rec.Body.String(), "61.5") {
		t.Errorf("read: %d %s", rec.Code, rec.Body)
	}
	readForms(t, w)
	for _, tc := range []struct {
		name, query, body, mediaType string
		status                       int
		want                         string
	}{
		{"no consent", "?format=csv", line, "text/csv", 403, `"consent"`},
		{"subject alone", "?format=csv&subject=me", line, "text/csv", 400, `"bad-query"`},
		{"misspelt", "?format=csv&subjekt=me", line, "text/csv", 400, `"bad-query"`},
		{"unknown format", "?format=xml&subject=me&consent=process,score", line, "text/csv", 400, `"evidence-format"`},
		{"bad line", "?format=jsonl", "{\"type\":\"consent\"\n", "application/jsonl", 400, `"line":1`},
		{"media type", "?format=csv", line, "image/png", 415, `"unsupported-media-type"`},
	} {
		if rec := w.do("POST", "/v1/assessments"+tc.query, tc.body, append(auth(goodKey), "Content-Type", tc.mediaType)...); rec.Code != tc.status || !strings.Contains(rec.Body.String(), tc.want) {
			t.Errorf("%s: %d %s, want %d with %s", tc.name, rec.Code, rec.Body, tc.status, tc.want)
		}
	}
	if rec := w.do("DELETE", "/v1/assessments/r1", "", auth(goodKey)...); rec.Code != 204 {
		t.Errorf("erase: %d", rec.Code)
	}
	if rec := w.do("GET", "/v1/assessments/r1", "", auth(goodKey)...); rec.Code != 404 {
		t.Errorf("after erasing: %d", rec.Code)
	}
	none := newWorld(t, func(c *api.Config) { c.Assessor = nil })
	if rec := none.do("POST", "/v1/assessments?format=csv&subject=me&consent=process,score", line, csv...); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("without a classifier: %d %s", rec.Code, rec.Body)
	}
}

// readForms reads the whole report r1 in every form.
func readForms(t *testing.T, w *world) {
	t.Helper()
	for _, tc := range []struct {
		accept, query, mediaType, want string
		status                         int
	}{
		{"text/html", "", "text/html; charset=utf-8", "Your report on written communication", 200},
		{"text/html", "?lang=zh", "text/html; charset=utf-8", "你的文字沟通报告", 200},
		{"application/pdf", "", "application/pdf", "%PDF-", 200},
		{"image/png", "", "application/problem+json", "not-acceptable", 406},
	} {
		rec := w.do("GET", "/v1/assessments/r1"+tc.query, "", append(auth(goodKey), "Accept", tc.accept)...)
		if rec.Code != tc.status || rec.Header().Get("Content-Type") != tc.mediaType || !strings.Contains(rec.Body.String(), tc.want) {
			t.Errorf("%s%s: %d %s without %q", tc.accept, tc.query, rec.Code, rec.Header().Get("Content-Type"), tc.want)
		}
		if policy := rec.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: policy %q, cache %q", tc.accept, policy, rec.Header().Get("Cache-Control"))
		}
	}
}

func TestRegistryReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"did:web:localhost%3A8080:acme", "did:web:localhost%253A8080:acme", "did%3Aweb%3Alocalhost%253A8080%3Aacme"} {
		rec := w.do("GET", "/registry/v1/issuers/"+path, "")
		if rec.Code != 200 || decode[registryapi.IssuerRecord](t, rec).Name != "Acme" {
			t.Errorf("issuer %s: %d %s", path, rec.Code, rec.Body)
		}
	}
	for _, tc := range []struct {
		path, accept, mediaType string
		status                  int
	}{
		{"/status/g1/revocation", "", "application/vc", 200},
		{"/status/g1/revocation", "application/vc", "application/vc", 200},
		{"/status/g1/revocation", "application/ld+json, application/json", "application/ld+json", 200},
		{"/status/g1/revocation", "application/json;q=0.9", "application/json", 200},
		{"/status/g1/revocation?timestamp=2026-01-01T00:00:00Z", "", "application/vc", 200},
		{"/status/g1/revocation?timestamp=2025-01-01T00:00:00Z", "", "", 404},
		{"/status/g1/revocation?timestamp=yesterday", "", "", 400},
		{"/status/g1/revocation?time=2026-01-01T00:00:00Z", "", "", 400},
		{"/status/g2/revocation", "", "", 404},
		{"/status/g1/token", "", "application/statuslist+jwt", 200},
		{"/status/g1/token?time=1767225600", "application/statuslist+jwt", "application/statuslist+jwt", 200},
		{"/status/g1/token?time=1735689600", "", "", 404},
		{"/status/g1/token?time=-1", "", "", 400},
		{"/status/g1/token?time=2026-01-01T00:00:00Z", "", "", 400},
		{"/status/g1/token?timestamp=2026-01-01T00:00:00Z", "", "", 400},
		{"/acme/did.json", "", "application/did+json", 200},
		{"/nobody/did.json", "", "", 404},
		{"/contexts/dei/v1", "", "application/ld+json", 200},
		{"/contexts/dei/v2", "", "", 404},
		{"/log/tile/../checkpoint", "", "", 404},
		{"/registry/v1/keys/did:web:x?time=now", "", "", 400},
	} {
		rec := w.do("GET", tc.path, "", "Accept", tc.accept)
		if rec.Code != tc.status || tc.mediaType != "" && rec.Header().Get("Content-Type") != tc.mediaType {
			t.Errorf("%s (%s): %d %q, want %d %q", tc.path, tc.accept, rec.Code, rec.Header().Get("Content-Type"), tc.status, tc.mediaType)
		}
	}
}

func TestTRQP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(route, entity, action, context string) (int, registryapi.TRQPAnswer, string) {
		body := `{"entity_id":"` + entity + `","authority_id":"did:web:dei.example","action":"` + action + `","resource":"https://dei.example/achievements/dei/profile/v1"` + context + `}`
		rec := w.do("POST", "/trqp/"+route, body, "Content-Type", "application/json")
		if rec.Code != 200 {
			return rec.Code, registryapi.TRQPAnswer{}, rec.Body.String()
		}
		return rec.Code, decode[registryapi.TRQPAnswer](t, rec), rec.Body.String()
	}
	code, answer, body := ask("authorization", "did:web:dei.example:acme", "issue", `,"context":{"time":"2026-01-10T09:00:00Z","assurance":"high"}`)
	if code != 200 || answer.Authorized == nil || !*answer.Authorized || answer.Recognized != nil || answer.TimeRequested != "2026-01-10T09:00:00Z" || !strings.Contains(answer.Message, "assurance") {
		t.Errorf("yes: %d %s", code, body)
	}
	if code, answer, body := ask("recognition", "did:web:dei.example:acme", "issue", ""); code != 200 || answer.Recognized == nil || *answer.Recognized || answer.Action != "issue" {
		t.Errorf("recognition: %d %s", code, body)
	}
	for _, tc := range []struct {
		name, entity, action, context string
		want                          int
	}{
		{"unknown entity", "did:web:nobody.example", "issue", "", 404},
		{"unknown action", "did:web:dei.example:acme", "bake", "", 404},
		{"not a URL", "acme", "issue", "", 400},
		{"no action", "did:web:dei.example:acme", "", "", 400},
		{"time without Z", "did:web:dei.example:acme", "issue", `,"context":{"time":"2026-01-10T09:00:00+01:00"}`, 400},
		{"number in the context", "did:web:dei.example:acme", "issue", `,"context":{"x":1}`, 400},
	} {
		if code, _, body := ask("authorization", tc.entity, tc.action, tc.context); code != tc.want {
			t.Errorf("%s: %d %s, want %d", tc.name, code, body, tc.want)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	if rec := newWorld(t).do("GET", "/readyz", ""); rec.Code != 200 {
		t.Errorf("ready: %d", rec.Code)
	}
	w := newWorld(t, func(c *api.Config) {
		c.Ready = func(context.Context) error { return errors.New("disk /secret/path is full") }
	})
	rec := w.do("GET", "/readyz", "")
	if rec.Code != http.StatusServiceUnavailable || strings.Contains(rec.Body.String(), "secret") || rec.Header().Get("Retry-After") == "" {
		t.Errorf("not ready: %d %s", rec.Code, rec.Body)
	}
	if !strings.Contains(w.log.String(), "is full") {
		t.Error("the log does not tell why")
	}
	if rec := w.do("GET", "/healthz", ""); rec.Code != 200 {
		t.Errorf("alive: %d", rec.Code)
	}
}

// The page of an issuer says so where the body that granted does not accredit now.
func TestPageOfUnbackedIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for did, want := range map[string]bool{"did:web:school.example": true, "did:web:localhost%253A8080:acme": false} {
		rec := w.do("GET", "/registry/issuers/"+did, "", "Accept", "text/html")
		if got := strings.Contains(rec.Body.String(), "granting body not in force"); rec.Code != http.StatusOK || got != want {
			t.Errorf("%s: %d, unbacked %t, want %t", did, rec.Code, got, want)
		}
	}
}
