package api_test

import (
	"net/http"
	"strings"
	"testing"

	"heartmark/api/edge"
	"heartmark/api/registryapi"
)

func TestRegistryWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grant := func(more string) string {
		return `{"entity":"did:web:x.example","resources":["https://x.example/a"],"levels":[2],"control":{"challenge":{"registry":"did:web:dei.example","did":"did:web:x.example","nonce":"n","expires":"2026-02-01T12:10:00Z"},"method":"did:web:x.example#k","signature":"c2lnbmVk"}` + more + `}`
	}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		contains                 string
	}{
		{"challenge", "POST", "/challenges", `{"did":"did:web:x.example"}`, 201, `"message":"aGVhcnRtYXJrL2NvbnRyb2wvdjEK`},
		{"challenge for no DID", "POST", "/challenges", `{"did":"x"}`, 400, `"pointer":"/did"`},
		{"grant", "POST", "/authorities", grant(""), 201, `"levels":[2]`},
		{"bad signature", "POST", "/authorities", strings.Replace(grant(""), "c2lnbmVk", "AAAA", 1), 400, `"pointer":"/control/signature"`},
		{"padded signature", "POST", "/authorities", strings.Replace(grant(""), "c2lnbmVk", "AA==", 1), 400, `"pointer":"/control/signature"`},
		{"bad time", "POST", "/authorities", grant(`,"validUntil":"2026-13-01T00:00:00Z"`), 400, `"pointer":"/validUntil"`},
		{"unknown member", "POST", "/authorities", grant(`,"validuntil":"x"`), 400, `unknown-member`},
		{"suspend", "POST", "/authorities/a1/status", `{"status":"suspended","reason":"audit"}`, 200, `"status":"suspended"`},
		{"reinstate", "POST", "/authorities/a1/status", `{"status":"active"}`, 200, `"status":"active"`},
		{"withdraw in the past", "POST", "/authorities/a1/status", `{"status":"withdrawn","since":"2026-01-01T00:00:00Z"}`, 200, `"since":"2026-01-01T00:00:00Z"`},
		{"suspend in the past", "POST", "/authorities/a1/status", `{"status":"suspended","since":"2026-01-01T00:00:00Z"}`, 400, `"pointer":"/since"`},
		{"no such status", "POST", "/authorities/a1/status", `{"status":"revoked"}`, 400, `"pointer":"/status"`},
		{"no such authority", "POST", "/authorities/a9/status", `{"status":"active"}`, 404, ``},
		{"deactivate", "POST", "/issuers/did:web:dei.example:acme/deactivate", `{}`, 200, `{"suspended":2}`},
		{"publish", "PUT", "/schemas/own/v1", `{}`, 200, `"url":"https://dei.example/schemas/own/v1"`},
		{"published otherwise", "PUT", "/schemas/dei/v1", `{}`, 409, `published`},
	} {
		rec := w.do(c.method, "/registry/v1"+c.path, c.body, withJSON(goodKey)...)
		if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.contains) {
			t.Errorf("%s: %d %s, want %d with %s", c.name, rec.Code, rec.Body, c.status, c.contains)
		}
		if rec := w.do(c.method, "/registry/v1"+c.path, c.body, withJSON(thinKey)...); rec.Code != http.StatusForbidden {
			t.Errorf("%s with a key without the scope: %d", c.name, rec.Code)
		}
	}
}

// SEC-148: cursors are sealed; another list's, a changed one and a made-up one are refused.
func TestSEC_148_Cursors(t *testing.T) {
	t.Parallel()
	c := edge.Cursors{Key: []byte("k")}
	good := c.Seal("issuers", "did:web:a.example")
	if after, err := c.Open("issuers", good); err != nil || after != "did:web:a.example" {
		t.Fatalf("Open = %q, %v", after, err)
	}
	w := newWorld(t)
	for _, cursor := range []string{good, good[:len(good)-1] + "A", "ZGlkOndlYjphLmV4YW1wbGU", "' OR 1=1", strings.Repeat("A", 40)} {
		if rec := w.do("GET", "/registry/v1/issuers?cursor="+strings.ReplaceAll(cursor, " ", "%20"), ""); rec.Code != http.StatusBadRequest {
			t.Errorf("cursor %q: %d", cursor, rec.Code)
		}
	}
	if _, err := c.Open("schemas", good); err == nil {
		t.Error("a cursor of another list was taken")
	}
}

func TestSignedReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.do("GET", "/registry/v1/issuers/did:web:localhost%3A8080:acme?time=2026-01-05T00:00:00Z", "", "Accept", "application/jwt")
	if rec.Header().Get("Content-Type") != "application/jwt" || !strings.Contains(rec.Body.String(), "registry-answer+jwt") || !strings.Contains(rec.Body.String(), "?time=") {
		t.Errorf("signed read: %v %s", rec.Header(), rec.Body)
	}
	body := `{"entity_id":"did:web:dei.example:acme","authority_id":"did:web:dei.example","action":"issue","resource":"https://dei.example/a","context":{"level":"3"}}`
	rec = w.do("POST", "/trqp/authorization", body, "Content-Type", "application/json", "Accept", "application/jwt")
	if !strings.Contains(rec.Body.String(), "trqp-response+jwt") || !strings.Contains(rec.Body.String(), `"authorized":true`) {
		t.Errorf("signed TRQP answer: %d %s", rec.Code, rec.Body)
	}
	for _, level := range []string{"0", "5", "03", "x"} {
		rec = w.do("POST", "/trqp/authorization", strings.Replace(body, `"3"`, `"`+level+`"`, 1), "Content-Type", "application/json")
		if rec.Code != http.StatusBadRequest {
			t.Errorf("level %q: %d", level, rec.Code)
		}
	}
	rec = w.do("GET", "/registry/v1/authorities/a1/history", "")
	if got := decode[registryapi.Page[registryapi.AuthorityRecord]](t, rec); len(got.Items) != 2 || got.Items[1].Version != 2 {
		t.Errorf("history: %+v", got)
	}
}
