package ui_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/api/problem"
	"heartmark/api/ui"
	"heartmark/assessment"
	"heartmark/assessment/training"
	"heartmark/issuer/oid4vci"
	"heartmark/schemas"
	"heartmark/verifier"
)

// parts is a verifier and a registry whose answers a test sets.
type parts struct {
	result   verifier.Result
	err      error
	got      verifier.Input
	overview ui.Overview
	entries  [][]byte

	bank      *training.Bank
	practised assessment.Practised
	exchange  assessment.Exchange
	marks     []string
}

func (p *parts) Verify(_ context.Context, in verifier.Input) (verifier.Result, error) {
	p.got = in
	return p.result, p.err
}

func (p *parts) Issuer(_ context.Context, did string) (ui.IssuerOverview, error) {
	for _, i := range p.overview.Issuers {
		if i.DID == did {
			return i, nil
		}
	}
	return ui.IssuerOverview{}, problem.ErrNotFound
}

func (p *parts) LogState(context.Context) (ui.LogOverview, error) {
	return ui.LogOverview{Size: uint64(len(p.entries)), Note: p.overview.Log.Note, Keys: []string{"dei.example/log+1+x"}}, nil
}

func (p *parts) LogEntries(_ context.Context, first uint64, limit int) ([][]byte, error) {
	return p.entries[first:min(int(first)+limit, len(p.entries))], nil
}

func (p *parts) LogProof(_ context.Context, index uint64) (schemas.LogProof, error) {
	return schemas.LogProof{Index: index, Proof: []string{"aGFzaA=="}, Checkpoint: "dei.example/log", TreeSize: uint64(len(p.entries))}, nil
}

func (p *parts) Scenarios() []training.Scenario { return p.bank.Scenarios("", "") }
func (p *parts) Available() bool                { return p.practised.Status != "" }
func (p *parts) Mark(id string, m ui.FeedbackMark) {
	p.marks = append(p.marks, id+" "+string(m))
}

func (p *parts) Practise(_ context.Context, x assessment.Exchange) (assessment.Practised, error) {
	p.exchange = x
	return p.practised, p.err
}

func (p *parts) SnapshotKeys(context.Context) ([]string, error) {
	return []string{"did:key:z6MkTest"}, nil
}

func (p *parts) Overview(context.Context, string) (ui.Overview, error) { return p.overview, p.err }

func pages(t *testing.T, p *parts) *ui.Pages {
	t.Helper()
	catalog, err := problem.New("https://dei.example")
	if err != nil {
		t.Fatal(err)
	}
	if p.bank, err = training.Load(); err != nil {
		t.Fatal(err)
	}
	out, err := ui.New(ui.Config{
		Origin: "https://dei.example", DID: "did:web:dei.example", Dev: true, Problems: catalog, Verifier: p, Registry: p, Practice: p,
		Now: func() time.Time { return at }, Contract: []byte(contract),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// contract is a small OpenAPI document with one of everything that the page reads.
const contract = `{"info":{"title":"Heartmark","version":"1","summary":"s","description":"one\n\ntwo"},"tags":[{"name":"verifying","description":"d"}],
"paths":{"/v1/verify/{id}":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],
"post":{"tags":["verifying"],"summary":"<b>Check</b>","security":[{},{"apiKey":["verify"]}],"parameters":[{"$ref":"#/components/parameters/lang"}],
"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Request"}}}},
"responses":{"200":{"description":"ok","content":{"application/json":{"schema":{"type":"array","items":{"$ref":"#/components/schemas/Answer"}}}}}}}}},
"components":{"parameters":{"lang":{"name":"lang","in":"query","schema":{"type":"string","enum":["en","zh"]}}},
"schemas":{"Request":{"type":"object","required":["b"],"properties":{"a":{"type":"string"},"b":{"$ref":"#/components/schemas/Inner"}}},
"Inner":{"oneOf":[{"type":"string"},{"type":"integer"}]},"Answer":{"type":"object","properties":{"self":{"$ref":"#/components/schemas/Answer"}}}}}}`

var at = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

// result is a result with one check of each outcome and hostile texts.
func result(verdict verifier.Verdict) verifier.Result {
	const evil = `</span><script>alert(1)</script>`
	return verifier.Result{
		Verdict: verdict, Policy: "default", PolicyVersion: "1", CheckedAt: at, Kind: verifier.KindCredential,
		Checks: []verifier.Check{
			{ID: verifier.CheckParse, Outcome: verifier.Pass, Code: "parse_ok"},
			{ID: verifier.CheckProof, Outcome: verifier.Pass, Code: "proof_ok"},
			{ID: verifier.CheckStatus, Outcome: verifier.Pass, Code: "status_ok", About: "suspension"},
			{ID: verifier.CheckSchema, Outcome: verifier.Skipped, Code: "schema_not_checked"},
			{ID: verifier.CheckReplay, Outcome: verifier.NotApplicable, Code: "replay_none"},
		},
		Credential: map[string]any{"issuer": map[string]any{"url": "javascript:alert(1)"}},
		Summary: verifier.Summary{
			Name: evil + strings.Repeat("\u202e", 10) + strings.Repeat("x", 10_000), IssuerID: "did:web:dei.example:acme", IssuerName: evil,
			HolderID: "did:key:z6Mk", ValidFrom: "2026-01-01T00:00:00Z", ValidUntil: "2027-01-01T00:00:00Z",
			Levels: []verifier.StatedLevel{
				{Dimension: schemas.DimensionSocialAwareness, Level: "3", Confidence: "0.93"},
				{Dimension: "https://other.example/x", Name: evil, Level: "A", LevelName: evil},
			},
		},
	}
}

func with(r verifier.Result, c verifier.Check) verifier.Result {
	r.Checks = append(slices.Clone(r.Checks), c)
	return r
}

func form(t *testing.T, fields map[string]string, file string) *http.Request {
	t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		part, err := w.CreateFormFile("file", "credential.json")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(part, file)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/verify", &buf)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r
}

func inLanguage(r *http.Request, lang string) *http.Request {
	r.Header.Set("Accept-Language", lang)
	return r
}

var (
	// ownScript is the one way in which a page may name a script; forbidden are all others, handlers and inline styles.
	ownScript = regexp.MustCompile(`<script src="/static/(verify|device|entry)\.js\?v=[\w-]+" defer></script>`)
	forbidden = regexp.MustCompile(`(?i)<script|\son\w+\s*=|\sstyle\s*=|javascript:`)
)

func checkPage(t *testing.T, name, lang, body string) {
	t.Helper()
	if found := forbidden.FindString(ownScript.ReplaceAllString(body, "")); found != "" {
		t.Errorf("%s (%s) has %q inline", name, lang, found)
	}
	want := map[string]string{"en": `<html lang="en">`, "zh": `<html lang="zh-Hans">`}[lang]
	if !strings.Contains(body, want) || strings.Count(body, "<h1") != 1 || !strings.Contains(body, `<main id="main"`) {
		t.Errorf("%s (%s) lacks its language, its one heading or its main part", name, lang)
	}
	if strings.Contains(body, "<no value>") || strings.Contains(body, "%!") {
		t.Errorf("%s (%s) was not filled in: %s", name, lang, body)
	}
	if !strings.Contains(body, `class="banner"`) {
		t.Errorf("%s (%s) does not say that this is development mode", name, lang)
	}
}

func TestEveryPageInBothLanguages(t *testing.T) {
	t.Parallel()
	full := ui.Overview{
		Issuers: []ui.IssuerOverview{{
			DID: "did:web:dei.example:acme", Name: `<b>Acme</b>`, Status: "active",
			Authorities: []ui.AuthorityOverview{
				{Action: "issue", Resource: "https://dei.example/achievements/dei/profile/v1", Framework: "https://dei.example/registry/v1/framework", From: at, Status: "active", Levels: schemas.Levels()},
				{Action: "unheard", Resource: "https://other.example/", From: at, Until: at, Status: "strange"},
			},
			Keys: []ui.KeyOverview{{Method: "did:web:dei.example:acme#1", Multibase: "z6Mk", Kind: "credential", From: at, Until: at.AddDate(1, 0, 0), Status: "retired"}},
		}},
		Artifacts: []ui.ArtifactOverview{{Kind: "schemas", Path: "/schemas/dei/v1", Digest: "sha384-x"}},
		Lists:     []ui.ListOverview{{Path: "/status/g/revocation", Purpose: "revocation", Version: 4}},
		Log:       ui.LogOverview{Size: 9, Note: "dei.example/log\n9\nroot"},
	}
	empty, filled := pages(t, &parts{}), pages(t, &parts{overview: full})
	for _, lang := range schemas.Languages() {
		for name, call := range map[string]func(*ui.Pages, http.ResponseWriter, *http.Request) error{
			"home":     (*ui.Pages).Home,
			"verify":   (*ui.Pages).VerifyForm,
			"registry": (*ui.Pages).Registry,
			"problems": (*ui.Pages).Problems,
			"practice": (*ui.Pages).PracticeHome,
			"log":      (*ui.Pages).Log,
			"scene": func(p *ui.Pages, w http.ResponseWriter, r *http.Request) error {
				return p.PracticeScene(w, r, "zh-family-group-asks")
			},
			"docs":       func(p *ui.Pages, w http.ResponseWriter, r *http.Request) error { return p.Docs(w, r, "") },
			"docs group": func(p *ui.Pages, w http.ResponseWriter, r *http.Request) error { return p.Docs(w, r, "verifying") },
			"problem": func(p *ui.Pages, w http.ResponseWriter, r *http.Request) error {
				return p.Problem(w, r, "not-found")
			},
			"finding": func(p *ui.Pages, w http.ResponseWriter, r *http.Request) error {
				return p.Problem(w, r, "status-revoked")
			},
			"error": func(p *ui.Pages, w http.ResponseWriter, r *http.Request) error {
				p.Error(w, r, errors.New("a secret cause"), "r-1")
				return nil
			},
		} {
			for _, p := range []*ui.Pages{empty, filled} {
				rec := httptest.NewRecorder()
				if err := call(p, rec, inLanguage(httptest.NewRequest(http.MethodGet, "/", nil), lang)); err != nil {
					t.Fatalf("%s (%s): %v", name, lang, err)
				}
				checkPage(t, name, lang, rec.Body.String())
				if strings.Contains(rec.Body.String(), "<b>Acme") || strings.Contains(rec.Body.String(), "secret") {
					t.Errorf("%s (%s) shows what it must not", name, lang)
				}
			}
		}
	}
	if err := pages(t, &parts{}).Problem(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), "no-such"); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("unknown problem: %v, want ErrNotFound", err)
	}
}

func TestEveryVerdictInBothLanguages(t *testing.T) {
	t.Parallel()
	revoked := verifier.Check{ID: verifier.CheckStatus, Outcome: verifier.Fail, Code: "status_revoked", About: "revocation"}
	stale := verifier.Check{ID: verifier.CheckStatus, Outcome: verifier.NotDetermined, Code: "status_retrieval"}
	presentation := verifier.Result{
		Verdict: verifier.Invalid, CheckedAt: at, Kind: verifier.KindPresentation,
		Checks: []verifier.Check{{ID: verifier.CheckInner, Outcome: verifier.Fail, Code: "inner_invalid"}},
		Inner:  []verifier.Result{with(result(verifier.Invalid), revoked)},
	}
	cases := []struct {
		name   string
		result verifier.Result
		class  string
		want   map[string][]string
	}{
		{"valid", result(verifier.Valid), "valid", map[string][]string{
			"en": {">Valid</h2>", "All required checks passed", "Proficient", "confidence of 93%", "1 January 2026"},
			"zh": {">有效</h2>", "所有必需的查验均已通过", "熟练", "93%", "2026年1月1日"},
		}},
		{"revoked", with(result(verifier.Invalid), revoked), "invalid", map[string][]string{
			"en": {">Not valid</h2>", "The issuer has revoked it", "none of it is confirmed"}, "zh": {">无效</h2>", "颁发者已将其撤销", "均未得到证实"},
		}},
		{"list gone", with(result(verifier.Undetermined), stale), "undetermined", map[string][]string{
			"en": {">Could not be decided</h2>", "could not be obtained"}, "zh": {">无法判定</h2>", "无法取得"},
		}},
		{"presentation", presentation, "invalid", map[string][]string{"en": {"The issuer has revoked it"}, "zh": {"颁发者已将其撤销"}}},
		{"unheard verdict", verifier.Result{Verdict: "splendid", CheckedAt: at}, "undetermined", map[string][]string{
			"en": {">Could not be decided</h2>"}, "zh": {">无法判定</h2>"},
		}},
	}
	p := &parts{}
	shown := pages(t, p)
	for _, tc := range cases {
		for _, lang := range schemas.Languages() {
			rec := httptest.NewRecorder()
			p.result = tc.result
			if err := shown.VerifyPost(rec, inLanguage(form(t, map[string]string{"text": "{}"}, `{"file":1}`), lang)); err != nil {
				t.Fatalf("%s (%s): %v", tc.name, lang, err)
			}
			body := rec.Body.String()
			checkPage(t, tc.name, lang, body)
			if string(p.got.Data) != `{"file":1}` {
				t.Errorf("%s: verified %q, want the file before the text", tc.name, p.got.Data)
			}
			if !strings.Contains(body, `data-verdict="`+tc.class+`"`) || rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s (%s): no verdict %s, or it may be cached", tc.name, lang, tc.class)
			}
			for _, words := range tc.want[lang] {
				if !strings.Contains(body, words) {
					t.Errorf("%s (%s): %q is missing", tc.name, lang, words)
				}
			}
			// SEC-143, SEC-144: what the document says is text, short, without direction marks, and only https is a link.
			if strings.Contains(body, "<script>alert") || strings.Contains(body, "\u202e") || strings.Contains(body, strings.Repeat("x", 500)) {
				t.Errorf("%s (%s) shows hostile text as it came", tc.name, lang)
			}
		}
	}
}

func TestVerdictPart(t *testing.T) {
	t.Parallel()
	r := form(t, map[string]string{"text": "{}"}, "")
	r.Header.Set("X-Heartmark-Part", "verdict")
	rec := httptest.NewRecorder()
	if err := pages(t, &parts{result: result(verifier.Valid)}).VerifyPost(rec, r); err != nil {
		t.Fatal(err)
	}
	if body := rec.Body.String(); strings.Contains(body, "<html") || !strings.Contains(body, `data-verdict="valid"`) {
		t.Errorf("part = %s", body)
	}
}

func TestVerifyPostFaults(t *testing.T) {
	t.Parallel()
	unreadable := errors.Join(verifier.ErrUnreadable, &schemas.FieldError{Pointer: "/a", Expected: "a value", Err: schemas.ErrMalformed})
	for _, tc := range []struct {
		name   string
		r      *http.Request
		parts  *parts
		status int
		want   string
		err    error
	}{
		{"nothing", form(t, nil, ""), &parts{}, 400, "Nothing to check yet", nil},
		{"blank", form(t, map[string]string{"text": " \n"}, " "), &parts{}, 400, "Nothing to check yet", nil},
		{"unreadable", form(t, map[string]string{"text": "xx"}, ""), &parts{err: unreadable}, 400, "Cannot be read as a credential", nil},
		{"our fault", form(t, map[string]string{"text": "xx"}, ""), &parts{err: errors.New("disk")}, 0, "", errors.New("any")},
		{"many parts", form(t, map[string]string{"a": "", "b": "", "c": "", "d": "", "e": "", "f": "", "g": "", "h": ""}, "x"), &parts{}, 0, "", schemas.ErrMalformed},
		{"JSON", httptest.NewRequest(http.MethodPost, "/verify", strings.NewReader("{}")), &parts{}, 0, "", problem.ErrMediaType},
	} {
		rec := httptest.NewRecorder()
		err := pages(t, tc.parts).VerifyPost(rec, tc.r)
		if tc.err != nil {
			if err == nil || tc.name != "our fault" && !errors.Is(err, tc.err) {
				t.Errorf("%s: error %v, want %v", tc.name, err, tc.err)
			}
			continue
		}
		if err != nil || rec.Code != tc.status || !strings.Contains(rec.Body.String(), tc.want) {
			t.Errorf("%s: %v %d %s, want %d with %q", tc.name, err, rec.Code, rec.Body, tc.status, tc.want)
		}
	}
}

func TestLanguageChoice(t *testing.T) {
	t.Parallel()
	rec := httptest.NewRecorder()
	if err := pages(t, &parts{}).Home(rec, httptest.NewRequest(http.MethodGet, "/?lang=zh", nil)); err != nil {
		t.Fatal(err)
	}
	cookies := rec.Result().Cookies()
	if len(cookies) != 1 || cookies[0].Value != "zh" || !cookies[0].HttpOnly || !cookies[0].Secure || cookies[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("cookies = %v", cookies)
	}
	if !strings.Contains(rec.Body.String(), `href="?lang=en"`) || !strings.Contains(rec.Header().Get("Vary"), "Accept-Language") {
		t.Error("the page does not offer the other language, or hides that it varies")
	}
}

func TestStatic(t *testing.T) {
	t.Parallel()
	p := pages(t, &parts{})
	home := httptest.NewRecorder()
	if err := p.VerifyForm(home, httptest.NewRequest(http.MethodGet, "/verify", nil)); err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`/static/([\w.]+)\?v=[\w-]+`).FindAllStringSubmatch(home.Body.String(), -1)
	if len(links) < 3 {
		t.Fatalf("links = %v, want style, script and logo", links)
	}
	for _, link := range links {
		rec := httptest.NewRecorder()
		if err := p.Static(rec, httptest.NewRequest(http.MethodGet, link[0], nil), link[1]); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(rec.Header().Get("Cache-Control"), "immutable") || rec.Header().Get("ETag") == "" || rec.Body.Len() == 0 {
			t.Errorf("%s: %v", link[0], rec.Header())
		}
		rec = httptest.NewRecorder()
		if err := p.Static(rec, httptest.NewRequest(http.MethodGet, "/static/"+link[1]+"?v=old", nil), link[1]); err != nil || strings.Contains(rec.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s under an old version: %v %v", link[1], err, rec.Header())
		}
	}
	for _, name := range []string{"", "nope.css", "../pages.go", "..%2fpages.go"} {
		if err := p.Static(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/static/x", nil), name); !errors.Is(err, problem.ErrNotFound) {
			t.Errorf("Static(%q) = %v, want ErrNotFound", name, err)
		}
	}
}

// TestWalletPages holds the pages of an offer and of a wallet's request against a hostile wallet, in both languages.
func TestWalletPages(t *testing.T) {
	t.Parallel()
	p := pages(t, &parts{})
	const evil = `"><script>alert(1)</script>`
	names := map[string]string{"en": evil, "zh": evil}
	request := ui.Authorize{
		AuthorizationPage: oid4vci.AuthorizationPage{
			Issuer: names, Credentials: []map[string]string{names}, Client: evil + strings.Repeat("\u202e", 10), ReturnTo: evil,
		},
		RequestURI: evil, Path: "/oid4vci/acme/authorize",
	}
	card := oid4vci.OfferCard{URI: "openid-credential-offer://?credential_offer_uri=x", Issuer: names, Credentials: []map[string]string{names}, NeedsCode: true, ExpiresAt: at}
	for _, lang := range []string{"en", "zh"} {
		for name, show := range map[string]func(w http.ResponseWriter, r *http.Request) error{
			"offer":   func(w http.ResponseWriter, r *http.Request) error { return p.Offer(w, r, card, "/q.svg") },
			"request": func(w http.ResponseWriter, r *http.Request) error { return p.Authorize(w, r, request) },
			"wrong": func(w http.ResponseWriter, r *http.Request) error {
				again := request
				again.Wrong = true
				return p.Authorize(w, r, again)
			},
			"login": func(w http.ResponseWriter, r *http.Request) error {
				with := request
				with.Login = true
				return p.Authorize(w, r, with)
			},
			"other account": p.OtherAccount,
		} {
			rec := httptest.NewRecorder()
			if err := show(rec, inLanguage(httptest.NewRequest(http.MethodGet, "/x", nil), lang)); err != nil {
				t.Fatalf("%s in %s: %v", name, lang, err)
			}
			body := rec.Body.String()
			if forbidden.MatchString(body) || strings.Contains(body, "\u202e") || strings.Contains(body, "ZgotmplZ") {
				t.Errorf("SEC-143: %s in %s has active content:\n%s", name, lang, body)
			}
			if want := map[bool]int{true: 403, false: 200}[name == "wrong" || name == "other account"]; rec.Code != want {
				t.Errorf("%s: %d, want %d", name, rec.Code, want)
			}
		}
	}
}
