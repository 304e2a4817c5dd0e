package api_test

import (
	"context"
	"encoding/xml"
	"errors"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"heartmark/api"
	"heartmark/verifier"
	"heartmark/verifier/oid4vp"
)

// fakeSessions answers as a session would and keeps what it was asked.
type fakeSessions struct {
	asked   oid4vp.Ask
	wallet  oid4vp.Wallet
	answer  oid4vp.Answer
	tenant  string
	code    string
	status  oid4vp.Status
	err     error
	browser map[string]any
}

const walletURL = "openid4vp://?client_id=decentralized_identifier%3Adid%3Aweb%3Adei.example&request_uri=https%3A%2F%2Fdei.example%2Foid4vp%2Fabc"

func (f *fakeSessions) Create(_ context.Context, a oid4vp.Ask) (oid4vp.Created, error) {
	f.asked = a
	return oid4vp.Created{TransactionID: "tx-1", ClientID: "c", RequestURI: origin + "/oid4vp/abc", WalletURL: walletURL}, f.err
}

func (f *fakeSessions) Read(_ context.Context, tenant, _, code string) (oid4vp.Status, error) {
	f.tenant, f.code = tenant, code
	return f.status, f.err
}

func (f *fakeSessions) Wait(ctx context.Context, id string, last oid4vp.State) (oid4vp.State, error) {
	if id != "tx-1" && f.err == nil && !strings.HasPrefix(id, "urn:") {
		return "", oid4vp.ErrNotFound
	}
	if next, ok := map[oid4vp.State]oid4vp.State{"": oid4vp.StatePending, oid4vp.StatePending: oid4vp.StateRequested}[last]; ok {
		return next, nil
	}
	return oid4vp.StateReceived, ctx.Err()
}

func (f *fakeSessions) Request(_ context.Context, _ string, w oid4vp.Wallet) (string, error) {
	f.wallet = w
	return "a.b.c", f.err
}

func (f *fakeSessions) Respond(_ context.Context, _ string, a oid4vp.Answer) (string, error) {
	f.answer = a
	return "https://shop.example/done", f.err
}

func (f *fakeSessions) RespondFromBrowser(_ context.Context, tenant, _, _ string, data map[string]any) error {
	f.tenant, f.browser = tenant, data
	return f.err
}

func presentations(t *testing.T) (*world, *fakeSessions) {
	t.Helper()
	f := &fakeSessions{status: oid4vp.Status{State: oid4vp.StatePending, Flow: oid4vp.CrossDevice}}
	return newWorld(t, func(c *api.Config) { c.Presentations = f }), f
}

func TestPresentationSessions(t *testing.T) {
	t.Parallel()
	w, f := presentations(t)
	rec := w.do("POST", "/v1/presentations/requests", `{"flow":"cross_device","template":{"dimension":"social_awareness","level":3,"max_age_days":30},"policy":"mine"}`, withJSON(goodKey)...)
	created := decode[map[string]any](t, rec)
	if rec.Code != http.StatusCreated || created["transaction_id"] != "tx-1" || created["request_uri_method"] != "post" || rec.Header().Get("Location") != "/v1/presentations/requests/tx-1" {
		t.Errorf("created %d %v %v", rec.Code, created, rec.Header())
	}
	if f.asked.Tenant != "acme" || f.asked.Template.Level != 3 || f.asked.Template.MaxAge.Hours() != 720 || f.asked.Policy != "mine" || f.asked.Plain {
		t.Errorf("asked %+v", f.asked)
	}
	w.do("POST", "/v1/presentations/requests", `{"flow":"dc_api","response_mode":"dc_api","dcql_query":{"credentials":[]},"expected_origins":["https://a.example"]}`, "Content-Type", "application/json")
	if f.asked.Tenant != "" || !f.asked.Plain || f.asked.Query == nil || len(f.asked.Origins) != 1 {
		t.Errorf("asked %+v", f.asked)
	}
	for body, status := range map[string]int{
		`{"flow":"cross_device","response_mode":"dc_api"}`: 400, `{"flow":"cross_device","unheard":1}`: 400, `[]`: 400, `{`: 400,
	} {
		if rec := w.do("POST", "/v1/presentations/requests", body, withJSON(goodKey)...); rec.Code != status {
			t.Errorf("%s: %d, want %d", body, rec.Code, status)
		}
	}
	for err, status := range map[error]int{oid4vp.ErrNotAllowed: 403, oid4vp.ErrState: 409, verifier.ErrUnknownPolicy: 400, errors.New("broken"): 500} {
		f.err = err
		if rec := w.do("POST", "/v1/presentations/requests", `{"flow":"cross_device"}`, withJSON(goodKey)...); rec.Code != status {
			t.Errorf("%v: %d, want %d", err, rec.Code, status)
		}
	}
}

func TestPresentationQR(t *testing.T) {
	t.Parallel()
	w, _ := presentations(t)
	ask := func(accept string) (int, string, string) {
		rec := w.do("POST", "/v1/presentations/requests", `{"flow":"cross_device"}`, withJSON(goodKey, "Accept", accept)...)
		if rec.Header().Get("Location") == "" {
			t.Errorf("%s: no Location", accept)
		}
		return rec.Code, rec.Header().Get("Content-Type"), rec.Body.String()
	}
	code, media, body := ask("image/png")
	picture, err := png.Decode(strings.NewReader(body))
	if err != nil || code != 201 || media != "image/png" || picture.Bounds().Dx() < 200 {
		t.Errorf("PNG: %d %s %v", code, media, err)
	}
	code, media, body = ask("image/svg+xml, */*;q=0.1")
	if err := xml.Unmarshal([]byte(body), new(struct{})); err != nil || code != 201 || media != "image/svg+xml" {
		t.Errorf("SVG: %d %s %v", code, media, err)
	}
}

func TestPresentationResult(t *testing.T) {
	t.Parallel()
	w, f := presentations(t)
	check := verifier.Check{ID: verifier.CheckPeriod, Outcome: verifier.Pass, Code: "period_ok", Detail: "within the period of validity"}
	f.status = oid4vp.Status{State: oid4vp.StateConsumed, Flow: oid4vp.SameDevice, Outcome: &oid4vp.Outcome{
		Verdict: verifier.Valid, Credentials: []oid4vp.Presented{{Query: "dei", Result: verifier.Result{Verdict: verifier.Valid, Checks: []verifier.Check{check}}}},
	}}
	rec := w.do("GET", "/v1/presentations/requests/tx-1?response_code=r-1", "", append(auth(goodKey), "Accept-Language", "zh")...)
	if rec.Code != 200 || f.tenant != "acme" || f.code != "r-1" || rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d, tenant %q, code %q", rec.Code, f.tenant, f.code)
	}
	if !regexp.MustCompile(`"detail":"[^"]*[一-龥]`).MatchString(rec.Body.String()) {
		t.Errorf("details are not in Chinese: %s", rec.Body)
	}
	w.do("GET", "/v1/presentations/requests/tx-1", "")
	if f.tenant != "" {
		t.Errorf("without a key the tenant is %q", f.tenant)
	}
	for err, status := range map[error]int{oid4vp.ErrNotFound: 404, oid4vp.ErrResponseCode: 403} {
		f.err = err
		if rec := w.do("GET", "/v1/presentations/requests/tx-1", "", auth(goodKey)...); rec.Code != status {
			t.Errorf("%v: %d, want %d", err, rec.Code, status)
		}
	}
}

func TestPresentationEvents(t *testing.T) {
	t.Parallel()
	w, _ := presentations(t)
	rec := w.do("GET", "/v1/presentations/requests/tx-1/events", "")
	want := "event: state\ndata: {\"state\":\"pending\"}\n\nevent: state\ndata: {\"state\":\"requested\"}\n\nevent: state\ndata: {\"state\":\"received\"}\n\n"
	if rec.Body.String() != want || rec.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("events %q", rec.Body)
	}
	if rec := w.do("GET", "/v1/presentations/requests/other/events", ""); rec.Code != 404 {
		t.Errorf("unknown session: %d", rec.Code)
	}
	if rec := w.do("GET", "/verify/ask/events", "", "Cookie", "heartmark-ask=tx-1"); rec.Body.String() != want {
		t.Errorf("by cookie: %d %q", rec.Code, rec.Body)
	}
}

func TestWalletRoutesOfPresentations(t *testing.T) {
	t.Parallel()
	w, f := presentations(t)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	rec := w.do("POST", "/oid4vp/abc", url.Values{"wallet_nonce": {"n"}, "wallet_metadata": {"{}"}, "unheard": {"1"}}.Encode(), form...)
	if rec.Code != 200 || rec.Body.String() != "a.b.c" || rec.Header().Get("Content-Type") != "application/oauth-authz-req+jwt" || f.wallet.Nonce != "n" {
		t.Errorf("request object: %d %s %+v", rec.Code, rec.Body, f.wallet)
	}
	rec = w.do("POST", "/oid4vp/abc/response", url.Values{"response": {"jwe"}}.Encode(), form...)
	if got := decode[map[string]any](t, rec); got["redirect_uri"] != "https://shop.example/done" || f.answer.Response != "jwe" {
		t.Errorf("answer: %v %+v", got, f.answer)
	}
	// SEC-222: a repeated parameter is an error.
	if rec := w.do("POST", "/oid4vp/abc/response", "state=a&state=b", form...); rec.Code != 400 {
		t.Errorf("repeated parameter: %d", rec.Code)
	}
	f.err = &oid4vp.Error{Code: "invalid_request", Description: "no", Status: 400}
	rec = w.do("POST", "/oid4vp/abc/response", "state=a", form...)
	if got := decode[map[string]any](t, rec); rec.Code != 400 || got["error"] != "invalid_request" || got["error_description"] != "no" {
		t.Errorf("refusal: %d %v", rec.Code, got)
	}
	rec = w.do("POST", "/v1/presentations/requests/tx-1/dc-api", `{"origin":"https://a.example","data":{"response":"jwe"}}`, withJSON(goodKey)...)
	if got := decode[map[string]any](t, rec); rec.Code != 400 || got["code"] != "malformed" {
		t.Errorf("refusal in the other dialect: %d %v", rec.Code, got)
	}
	f.err = nil
	if rec := w.do("POST", "/v1/presentations/requests/tx-1/dc-api", `{"origin":"https://a.example","data":{"response":"jwe"}}`, withJSON(goodKey)...); rec.Code != 204 || f.browser["response"] != "jwe" {
		t.Errorf("from a browser: %d %v", rec.Code, f.browser)
	}
}

func TestAskPage(t *testing.T) {
	t.Parallel()
	w, f := presentations(t)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	rec := w.do("POST", "/verify/ask", "dimension=social_awareness&level=3&where=phone", form...)
	body := rec.Body.String()
	cookie := rec.Header().Get("Set-Cookie")
	if rec.Code != 200 || !strings.Contains(body, `src="data:image/svg&#43;xml;base64,`) || strings.Contains(body, "tx-1") {
		t.Errorf("code page: %d", rec.Code)
	}
	for _, part := range []string{"heartmark-ask=tx-1", "HttpOnly", "SameSite=Lax", "Secure", "Path=/verify/ask"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %q lacks %s", cookie, part)
		}
	}
	rec = w.do("POST", "/verify/ask", "dimension=overall&level=1&where=here", form...)
	if !strings.Contains(rec.Body.String(), `href="openid4vp://?client_id`) || f.asked.Flow != oid4vp.SameDevice || !strings.HasPrefix(f.asked.RedirectTemplate, origin+"/verify/ask/result") {
		t.Errorf("same device: %d %+v", rec.Code, f.asked)
	}
	for name, headers := range map[string][]string{
		"foreign site": append(form, "Sec-Fetch-Site", "cross-site"), "foreign origin": append(form, "Origin", "https://evil.example"),
	} {
		if rec := w.do("POST", "/verify/ask", "dimension=overall&level=1", headers...); rec.Code != 403 || rec.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
	for _, bad := range []string{"", "dimension=charm&level=1", "dimension=overall&level=9", "dimension=overall&level=x"} {
		if rec := w.do("POST", "/verify/ask", bad, form...); rec.Code != 400 {
			t.Errorf("%q: %d", bad, rec.Code)
		}
	}
	for _, state := range []oid4vp.State{oid4vp.StatePending, oid4vp.StateRequested, oid4vp.StateReceived, oid4vp.StateDeclined, oid4vp.StateConsumed, oid4vp.StateExpired} {
		f.status = oid4vp.Status{State: state}
		for _, lang := range []string{"en", "zh"} {
			rec := w.do("GET", "/verify/ask/result?lang="+lang, "", "Cookie", "heartmark-ask=tx-1")
			if rec.Code != 200 || !strings.Contains(rec.Body.String(), `data-state="`+string(state)+`"`) {
				t.Errorf("%s in %s: %d", state, lang, rec.Code)
			}
		}
	}
	f.status = oid4vp.Status{State: oid4vp.StateConsumed, Outcome: &oid4vp.Outcome{
		Verdict:     verifier.Invalid, // one good credential does not make a good answer
		Credentials: []oid4vp.Presented{{Query: "dei", Result: verifier.Result{Verdict: verifier.Valid}}},
	}}
	rec = w.do("GET", "/verify/ask/result?response_code=r-2", "", "Cookie", "heartmark-ask=tx-1")
	if body := rec.Body.String(); !strings.Contains(body, `data-verdict="invalid"`) || strings.Contains(body, `data-verdict="valid"`) || f.code != "r-2" {
		t.Errorf("result: %d, code %q", rec.Code, f.code)
	}
	f.err = oid4vp.ErrResponseCode
	if rec := w.do("GET", "/verify/ask/result?response_code=x", "", "Cookie", "heartmark-ask=tx-1"); rec.Code != 403 {
		t.Errorf("wrong code: %d", rec.Code)
	}
	if rec := w.do("GET", "/verify/ask/result", ""); rec.Code != 200 || !strings.Contains(rec.Body.String(), `data-state="none"`) {
		t.Errorf("without a cookie: %d", rec.Code)
	}
}
