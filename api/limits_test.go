package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"heartmark/api"
	"heartmark/api/problem"
	"heartmark/internal/testkit"
)

func TestBodyLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	big := strings.Repeat("x", 6<<20)
	for _, tc := range []struct{ path, mediaType string }{
		{"/v1/verify", "application/vc"},
		{"/v1/credentials", "application/json"},
		{"/v1/offers", "application/json"},
		{"/oid4vci/acme/token", "application/x-www-form-urlencoded"},
		{"/trqp/authorization", "application/json"},
		{"/verify", "text/plain"},
	} {
		rec := w.do("POST", tc.path, big, append(auth(goodKey), "Content-Type", tc.mediaType)...)
		if rec.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s with 6 MiB: %d, want 413", tc.path, rec.Code)
		}
	}
	// A body without a length is counted as it is read.
	r := newRequest("POST", "/trqp/authorization", strings.Repeat(" ", 70<<10))
	r.ContentLength = -1
	r.Header.Set("Content-Type", "application/json")
	if rec := w.serve(r); rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("unannounced body: %d, want 413", rec.Code)
	}
}

// TestSEC_149_ForgedClientAddress holds that a header of the client's own never opens a new allowance.
func TestSEC_149_ForgedClientAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	limited := 0
	for i := range 60 {
		rec := w.do("POST", "/v1/verify", `{"type":"VerifiableCredential"}`, "Content-Type", "application/vc",
			"X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i), "X-Real-IP", fmt.Sprintf("203.0.113.%d", i), "Forwarded", fmt.Sprintf("for=203.0.113.%d", i))
		if rec.Code == http.StatusTooManyRequests {
			limited++
			if rec.Header().Get("Retry-After") == "" {
				t.Fatal("429 without Retry-After")
			}
		}
	}
	if limited != 30 {
		t.Errorf("%d of 60 requests were limited, want 30", limited)
	}
	// Status data and keys have their own share.
	if rec := w.do("GET", "/status/g1/revocation", ""); rec.Code != 200 {
		t.Errorf("status list under load: %d", rec.Code)
	}
	if rec := w.do("POST", "/v1/verify", `{"type":"VerifiableCredential"}`, append(auth(goodKey), "Content-Type", "application/vc")...); rec.Code != 200 {
		t.Errorf("verify with a key under load: %d", rec.Code)
	}
	w.clock.Advance(time.Minute)
	if rec := w.do("POST", "/v1/verify", `{"type":"VerifiableCredential"}`, "Content-Type", "application/vc"); rec.Code != 200 {
		t.Errorf("after a minute: %d", rec.Code)
	}
}

func TestTrustedProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	codes := map[int]int{}
	for i := range 40 { // httptest's peer is 192.0.2.1, the trusted proxy; each client behind it has its own allowance
		rec := w.do("POST", "/v1/verify", `{"type":"VerifiableCredential"}`, "Content-Type", "application/vc", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i))
		codes[rec.Code]++
	}
	if codes[200] != 40 {
		t.Errorf("clients behind the proxy: %v", codes)
	}
	for range 40 { // what a client claims further left is not believed
		rec := w.do("POST", "/v1/verify", `{"type":"VerifiableCredential"}`, "Content-Type", "application/vc", "X-Forwarded-For", fmt.Sprintf("10.0.0.%d, 203.0.113.9", len(codes)))
		codes[rec.Code]++
	}
	if codes[429] != 10 {
		t.Errorf("one client behind the proxy: %v, want 10 limited", codes)
	}
}

func TestGuessingKeysIsStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	codes := map[int]int{}
	for i := range 30 {
		codes[w.do("GET", "/v1/credentials", "", auth(fmt.Sprintf("hm_%022d", i))...).Code]++
	}
	if codes[401] != 10 || codes[429] != 20 {
		t.Errorf("30 guesses: %v, want 10 refused and 20 limited", codes)
	}
	// The address is out, with any key, until it has calmed down.
	if rec := w.do("GET", "/v1/credentials", "", auth(goodKey)...); rec.Code != 429 {
		t.Errorf("after guessing: %d, want 429", rec.Code)
	}
	w.clock.Advance(time.Minute)
	if rec := w.do("GET", "/v1/credentials", "", auth(goodKey)...); rec.Code != 200 {
		t.Errorf("a minute later: %d, want 200", rec.Code)
	}
}

func TestLimiterForgets(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	l := api.NewLimiter(clock.Now)
	for i := range api.MaxBuckets + 100 {
		if err := l.Take(api.RateReads, fmt.Sprint(i)); err != nil {
			t.Fatalf("caller %d: %v", i, err)
		}
	}
	if got := l.Known(); got != api.MaxBuckets {
		t.Errorf("limiter knows %d callers, want %d", got, api.MaxBuckets)
	}
}

func TestCallerNet(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][2]string{
		"203.0.113.7":               {"203.0.113.7", "203.0.113.0/24"},
		"::ffff:203.0.113.7":        {"203.0.113.7", "203.0.113.0/24"},
		"2001:db8:1:2:3:4:5:6":      {"2001:db8:1:2::/64", "2001:db8:1::/48"},
		"2001:db8:1:2:ffff::1%eth0": {"2001:db8:1:2::/64", "2001:db8:1::/48"},
		"nonsense":                  {"unknown", "unknown"},
	} {
		if got := api.CallerNet(in); got != want[0] {
			t.Errorf("CallerNet(%q) = %q, want %q", in, got, want[0])
		}
		if got := api.ShortNet(in); got != want[1] {
			t.Errorf("ShortNet(%q) = %q, want %q", in, got, want[1])
		}
	}
}

// TestSEC_179_NothingPersonalInLogs sends canaries wherever a request can carry text.
func TestSEC_179_NothingPersonalInLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("GET", "/v1/credentials/canary-id?canary=1", "", auth("hm_canarycanarycanarycanary")...)
	w.do("POST", "/v1/credentials", `{"configuration":"canary","report":"panic","subject":{"id":"did:key:canary"}}`, withJSON(goodKey, "Idempotency-Key", "canary-key")...)
	w.do("POST", "/v1/assessments?subject=canary&consent=process,score&format=csv", "canary", append(auth(goodKey), "Content-Type", "text/csv")...)
	w.do("POST", "/verify", "text=canary", "Content-Type", "application/x-www-form-urlencoded", "Cookie", "x=canary")
	w.do("GET", "/registry/v1/keys/did:web:canary.example", "", "User-Agent", "canary", "Referer", "https://canary.example")
	if strings.Contains(w.log.String(), "canary") {
		t.Errorf("the log repeats what was sent:\n%s", w.log)
	}
	events := 0
	for line := range strings.SplitSeq(strings.TrimSpace(w.log.String()), "\n") {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatal(err)
		}
		if event["msg"] == "request" {
			events++
			if event["route"] == "" || event["request_id"] == "" || event["client_net"] == nil {
				t.Errorf("event lacks a field: %s", line)
			}
		}
	}
	if events != 5 {
		t.Errorf("%d request events for 5 requests", events)
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.do("POST", "/v1/credentials", `{"configuration":"c","report":"panic","subject":{"id":"did:key:z"}}`, withJSON(goodKey)...)
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "secret") || decode[problem.Document](t, rec).Code != "internal" {
		t.Errorf("panic: %d %s", rec.Code, rec.Body)
	}
	if strings.Contains(w.log.String(), "secret text") || !strings.Contains(w.log.String(), "handler panicked") {
		t.Errorf("log of the panic: %s", w.log)
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for sent, want := range map[string]string{
		"":                       "11111111-1111-4111-8111-111111111111",
		"abc-123":                "abc-123",
		"evil\" injected":        "11111111-1111-4111-8111-111111111111",
		strings.Repeat("a", 100): "11111111-1111-4111-8111-111111111111",
	} {
		rec := w.do("GET", "/v1/nowhere", "", "X-Request-ID", sent)
		if got := rec.Header().Get("X-Request-ID"); got != want {
			t.Errorf("sent %q: got %q, want %q", sent, got, want)
		}
		if got := decode[problem.Document](t, rec).Instance; got != "urn:request:"+want {
			t.Errorf("sent %q: instance %q", sent, got)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("GET", "/healthz", "")
	w.do("GET", "/x/y/z", "")
	w.do("BREW", "/healthz", "")
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]bool{}
	for _, f := range families {
		if f.GetName() != "heartmark_http_request_seconds" {
			continue
		}
		for _, m := range f.GetMetric() {
			line := ""
			for _, l := range m.GetLabel() {
				line += l.GetName() + "=" + l.GetValue() + " "
			}
			labels[line] = true
		}
	}
	for _, want := range []string{"class=2xx method=GET route=/healthz ", "class=4xx method=GET route=unmatched ", "class=4xx method=other route=/healthz "} {
		if !labels[want] {
			t.Errorf("no series %q among %v", want, labels)
		}
	}
}
