package api_test

import (
	"strings"
	"testing"
)

func TestKeysOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tc := range map[string]struct {
		key, body string
		status    int
		want      string
	}{
		"made":                      {goodKey, `{"scopes":["issue","verify"],"name":"night run","per_second":3,"expires_at":"2026-03-01T00:00:00Z"}`, 201, `"key":"hm_secret"`},
		"no scope":                  {goodKey, `{"scopes":[]}`, 400, `"/scopes"`},
		"unknown scope":             {goodKey, `{"scopes":["issue","all"]}`, 400, `"/scopes/1"`},
		"scope twice":               {goodKey, `{"scopes":["issue","issue"]}`, 400, `"/scopes/1"`},
		"past end":                  {goodKey, `{"scopes":["issue"],"expires_at":"2026-02-01T12:00:30Z"}`, 400, `"/expires_at"`},
		"end without zone":          {goodKey, `{"scopes":["issue"],"expires_at":"soon"}`, 400, `"/expires_at"`},
		"long name":                 {goodKey, `{"scopes":["issue"],"name":"` + strings.Repeat("n", 65) + `"}`, 400, `"/name"`},
		"rate":                      {goodKey, `{"scopes":["issue"],"per_second":-1}`, 400, `"/per_second"`},
		"tenant named":              {goodKey, `{"scopes":["issue"],"tenant":"beta"}`, 400, `unknown-member`},
		"without the scope":         {thinKey, `{"scopes":["issue"]}`, 403, `"code":"forbidden"`},
		"more rights than its own":  {slowKey, `{"scopes":["issue","operate"],"per_second":1}`, 403, `"code":"forbidden"`},
		"a faster one than its own": {slowKey, `{"scopes":["issue"]}`, 403, `"code":"forbidden"`},
		"faster than the default":   {goodKey, `{"scopes":["issue"],"per_second":51}`, 403, `"code":"forbidden"`},
		"as fast as the default":    {goodKey, `{"scopes":["issue"],"per_second":50}`, 201, `"per_second":50`},
		"one that outlives it":      {briefKey, `{"scopes":["issue"],"expires_at":"2026-03-01T00:00:01Z"}`, 403, `"code":"forbidden"`},
		"one without end":           {briefKey, `{"scopes":["issue"]}`, 403, `"code":"forbidden"`},
		"one that ends with it":     {briefKey, `{"scopes":["issue"],"expires_at":"2026-03-01T00:00:00Z"}`, 201, `"key":"hm_secret"`},
		"as fast as its own":        {slowKey, `{"scopes":["issue"],"per_second":5}`, 201, `"per_second":5`},
	} {
		rec := w.do("POST", "/v1/keys", tc.body, withJSON(tc.key)...)
		if rec.Code != tc.status || !strings.Contains(rec.Body.String(), tc.want) {
			t.Errorf("%s: %d %s, want %d with %s", name, rec.Code, rec.Body, tc.status, tc.want)
		}
	}
	// What a key with more rights was answered is not repeated to one with fewer.
	grand := `{"scopes":["issue","operate"],"per_second":1}`
	if rec := w.do("POST", "/v1/keys", grand, withJSON(goodKey, "Idempotency-Key", "1")...); rec.Code != 201 {
		t.Fatalf("made: %d %s", rec.Code, rec.Body)
	}
	if rec := w.do("POST", "/v1/keys", grand, withJSON(slowKey, "Idempotency-Key", "1")...); rec.Code != 403 {
		t.Errorf("repeated by another key: %d %s", rec.Code, rec.Body)
	}
	list := w.do("GET", "/v1/keys", "", "Authorization", "Bearer "+goodKey)
	if list.Code != 200 || strings.Contains(list.Body.String(), "secret") || strings.Contains(list.Body.String(), "digest") || !strings.Contains(list.Body.String(), `"state":"active"`) {
		t.Errorf("list: %d %s", list.Code, list.Body)
	}
	if list := w.do("GET", "/v1/keys", "", "Authorization", "Bearer "+otherKey); strings.Contains(list.Body.String(), "k1") {
		t.Errorf("SEC-156: keys of another tenant: %s", list.Body)
	}
	for key, want := range map[string]int{goodKey: 204, otherKey: 404, thinKey: 403} {
		if rec := w.do("DELETE", "/v1/keys/k1", "", "Authorization", "Bearer "+key); rec.Code != want {
			t.Errorf("revoke with %s: %d, want %d", key, rec.Code, want)
		}
	}
}
