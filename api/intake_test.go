package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"heartmark/api"
	"heartmark/api/intakeapi"
	"heartmark/api/problem"
	"heartmark/assessment/intake"
	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/internal/store/badger"
	"heartmark/schemas"

	"github.com/prometheus/client_golang/prometheus"
)

// evidenceWorld is a world with a real intake over a store in memory.
type evidenceWorld struct {
	*world
	intake *intake.Service
	policy intake.Policy
	holder ed25519.PrivateKey
	did    string
}

func newEvidenceWorld(t *testing.T) *evidenceWorld {
	t.Helper()
	e := &evidenceWorld{}
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	multibase, err := keys.Multibase(pub)
	if err != nil {
		t.Fatal(err)
	}
	e.holder, e.did = priv, "did:key:"+multibase
	e.policy.DIDs = []string{e.did}
	e.world = newWorld(t, func(c *api.Config) { e.open(t, c) })
	return e
}

func (e *evidenceWorld) open(t *testing.T, c *api.Config) {
	t.Helper()
	db, err := badger.Open(badger.Config{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	kek := filepath.Join(t.TempDir(), "secrets", "kek")
	if err := keys.GenerateKEK(kek); err != nil {
		t.Fatal(err)
	}
	service, err := keys.Open(t.Context(), keys.Config{KEKFile: kek, Store: db, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	v, err := keys.OpenVault(filepath.Join(t.TempDir(), "vault"), service)
	if err != nil {
		t.Fatal(err)
	}
	sealer := intake.NewSealer(testVault{v}, []byte("k"), service)
	resolver, err := did.New(did.Config{Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	c.Reports = db.Assessments(sealer)
	e.intake, err = intake.New(intake.Config{
		Audience: c.DID, Store: db.Intake(sealer), Reports: db.Assessments(sealer), Vault: testVault{v}, Sealer: sealer, Keys: testResolver{resolver},
		Assessor: fakeAssessor{}, Policy: func(context.Context, string) (intake.Policy, error) { return e.policy, nil },
		Journal: func(context.Context, intake.Event) error { return nil }, Now: c.Now, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
		NewID: func() string { n++; return fmt.Sprintf("id-%d", n) },
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Intake = e.intake
}

type testVault struct{ v *keys.Vault }

func (a testVault) Seal(ctx context.Context, p intake.Place, plain []byte) ([]byte, error) {
	return a.v.Seal(ctx, keys.KeyRef{Tenant: p.Tenant, Ring: p.Ring, Name: p.Name}, p.Kind, p.ID, plain)
}

func (a testVault) Open(ctx context.Context, p intake.Place, sealed []byte) ([]byte, error) {
	return a.v.Open(ctx, keys.KeyRef{Tenant: p.Tenant, Ring: p.Ring, Name: p.Name}, p.Kind, p.ID, sealed)
}

func (a testVault) Destroy(ctx context.Context, tenant, ring, name string) error {
	return a.v.Destroy(ctx, keys.KeyRef{Tenant: tenant, Ring: ring, Name: name})
}

func (a testVault) DestroyRing(ctx context.Context, tenant, ring string) error {
	return a.v.DestroyRing(ctx, tenant, ring)
}

type testResolver struct{ r *did.Resolver }

func (r testResolver) HolderKey(ctx context.Context, id, method string) (crypto.PublicKey, error) {
	document, err := r.r.ResolveOffline(ctx, id)
	if err != nil {
		return nil, err
	}
	m, err := document.Method(method, did.Authentication)
	return m.Key, err
}

func (r testResolver) PlatformKey(ctx context.Context, id, method string) (crypto.PublicKey, error) {
	return r.HolderKey(ctx, id, method)
}

func (e *evidenceWorld) method() string { return e.did + "#" + strings.TrimPrefix(e.did, "did:key:") }

func (e *evidenceWorld) statement(typ string, claims map[string]any) string {
	e.t.Helper()
	claims["iss"], claims["aud"], claims["iat"] = e.did, "did:web:dei.example", e.clock.Now().Unix()
	payload, err := json.Marshal(claims)
	if err != nil {
		e.t.Fatal(err)
	}
	jws, err := jose.Sign(map[string]any{"typ": typ, "kid": e.method()}, payload, e.holder)
	if err != nil {
		e.t.Fatal(err)
	}
	return jws
}

// consentBody is the body of a receipt, confirmed by the holder's key.
func (e *evidenceWorld) consentBody(change func(*intake.Terms)) string {
	e.t.Helper()
	rec := e.do("GET", "/v1/consents/texts", "", auth(goodKey)...)
	texts := decode[intakeapi.ConsentTexts](e.t, rec)
	now := e.clock.Now()
	terms := intake.Terms{
		Subject: "u7", Platform: "plaza", Purposes: []string{"process", "score"}, DataClasses: []string{"messages"}, Adult: true,
		From: schemas.FormatTime(now), Until: schemas.FormatTime(now.Add(24 * 30 * time.Hour)),
		Text: intake.TextRef{Version: texts.Items[0].Version, Language: texts.Items[0].Language, Digest: texts.Items[0].Digest},
	}
	if change != nil {
		change(&terms)
	}
	digest, err := terms.Digest()
	if err != nil {
		e.t.Fatal(err)
	}
	body, err := json.Marshal(intakeapi.ConsentRequest{
		Terms: terms, Confirmation: intakeapi.Confirmation{JWS: e.statement(intake.TypConsent, map[string]any{"terms": digest})},
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return string(body)
}

func (e *evidenceWorld) give(change func(*intake.Terms)) string {
	e.t.Helper()
	rec := e.do("POST", "/v1/consents", e.consentBody(change), withJSON(goodKey)...)
	if rec.Code != 201 {
		e.t.Fatalf("consent: %d %s", rec.Code, rec.Body)
	}
	return decode[intakeapi.ConsentAnswer](e.t, rec).ID
}

const chatLines = `{"v":1,"type":"message","id":"m1","ts":"2026-01-31T09:00:05Z","platform":"plaza","actor":"u9","conversation":"r1","text":"My dog passed away."}
{"v":1,"type":"message","id":"m2","ts":"2026-01-31T09:00:19Z","platform":"plaza","actor":"u7","conversation":"r1","text":"I'm so sorry."}
`

func code(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	return decode[problem.Document](t, rec).Code
}

func TestEvidenceEndToEnd(t *testing.T) {
	t.Parallel()
	e := newEvidenceWorld(t)
	consent := e.give(nil)
	headers := append(auth(goodKey), "Content-Type", "application/jsonl", "Idempotency-Key", "1")
	rec := e.do("POST", "/v1/evidence?consent="+consent, chatLines, headers...)
	batch := decode[intakeapi.BatchAnswer](t, rec)
	if rec.Code != 202 || batch.State != "queued" || batch.Counts["own"] != 1 || rec.Header().Get("Location") != "/v1/evidence/"+batch.ID {
		t.Fatalf("submit: %d %s", rec.Code, rec.Body)
	}
	if rec = e.do("POST", "/v1/evidence?consent="+consent, chatLines, headers...); rec.Code != 200 || decode[intakeapi.BatchAnswer](t, rec).ID != batch.ID {
		t.Errorf("again: %d %s", rec.Code, rec.Body)
	}
	if rec = e.do("POST", "/v1/evidence?consent="+consent, strings.ReplaceAll(chatLines, "sorry", "glad"), headers...); rec.Code != 409 || code(t, rec) != "idempotency-reuse" {
		t.Errorf("other content: %d %s", rec.Code, rec.Body)
	}
	if rec = e.do("GET", "/v1/evidence/"+batch.ID, "", auth(otherKey)...); rec.Code != 404 {
		t.Errorf("another tenant: %d", rec.Code)
	}
	if found, err := e.intake.Step(t.Context()); !found || err != nil {
		t.Fatalf("Step: %v, %v", found, err)
	}
	batch = decode[intakeapi.BatchAnswer](t, e.do("GET", "/v1/evidence/"+batch.ID, "", auth(goodKey)...))
	if batch.State != "done" || batch.Report == "" || batch.DestroyedAt.IsZero() {
		t.Fatalf("batch = %+v", batch)
	}
	rec = e.do("GET", "/v1/assessments/"+batch.Report, "", auth(goodKey)...)
	if rec.Code != 200 || !strings.Contains(rec.Body.String(), `"view":"platform"`) || strings.Contains(rec.Body.String(), "61.5") {
		t.Errorf("report: %d %s", rec.Code, rec.Body)
	}
	e.export(batch.Report)
	rec = e.do("POST", "/v1/consents/"+consent+"/withdraw", "", auth(goodKey)...)
	if got := decode[intakeapi.ConsentAnswer](t, rec); got.State != "withdrawn" || got.WithdrawnAt.IsZero() {
		t.Errorf("withdraw: %d %s", rec.Code, rec.Body)
	}
	if rec = e.do("GET", "/v1/assessments/"+batch.Report, "", auth(goodKey)...); rec.Code != 404 {
		t.Errorf("report after withdrawal: %d", rec.Code)
	}
	if rec = e.do("DELETE", "/v1/subjects/u7", "", auth(goodKey)...); decode[intakeapi.ErasureAnswer](t, rec).Consents != 1 {
		t.Errorf("erase: %d %s", rec.Code, rec.Body)
	}
	rec = e.do("GET", "/v1/consents/"+consent, "", auth(goodKey)...)
	if got := decode[intakeapi.ConsentAnswer](t, rec); got.State != "erased" || got.Subject != "" || strings.Contains(rec.Body.String(), "u7") {
		t.Errorf("receipt after erasure: %s", rec.Body)
	}
}

// export reads what is held, as the platform and as the subject.
func (e *evidenceWorld) export(report string) {
	e.t.Helper()
	as := func(headers ...string) intakeapi.SubjectExport {
		e.t.Helper()
		rec := e.do("GET", "/v1/subjects/u7", "", append(auth(goodKey), headers...)...)
		if rec.Code != 200 {
			e.t.Fatalf("export: %d %s", rec.Code, rec.Body)
		}
		return decode[intakeapi.SubjectExport](e.t, rec)
	}
	platform := as()
	subject := as("Heartmark-Proof", e.statement(intake.TypSubject, map[string]any{"act": "export", "sub": "u7"}))
	for _, x := range []intakeapi.SubjectExport{platform, subject} {
		if len(x.Consents) != 1 || len(x.Batches) != 1 || len(x.Reports) != 1 || x.Reports[0].ID != report {
			e.t.Errorf("export = %+v", x)
		}
	}
	score := platform.Reports[0].Report.Dimensions[schemas.DimensionSocialAwareness].Score
	own := subject.Reports[0].Report.Dimensions[schemas.DimensionSocialAwareness].Score
	if platform.View != "platform" || score != nil || subject.View != "full" || own == nil {
		e.t.Errorf("the platform reads %v (%s), the subject %v (%s)", score, platform.View, own, subject.View)
	}
	rec := e.do("GET", "/v1/subjects/u7", "", append(auth(goodKey), "Heartmark-Proof", e.statement(intake.TypSubject, map[string]any{"act": "erase", "sub": "u7"}))...)
	if rec.Code != 403 || code(e.t, rec) != "consent-confirmation" {
		e.t.Errorf("a proof for another act: %d %s", rec.Code, rec.Body)
	}
}

// TestSEC_186_ExplanationForTheSubject: the subject's own key reads the whole report in plain words, the platform alone does not.
func TestSEC_186_ExplanationForTheSubject(t *testing.T) {
	t.Parallel()
	e := newEvidenceWorld(t)
	batch := decode[intakeapi.BatchAnswer](t, e.do("POST", "/v1/evidence?consent="+e.give(nil), chatLines, append(auth(goodKey), "Content-Type", "application/jsonl")...))
	if _, err := e.intake.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	report := decode[intakeapi.BatchAnswer](t, e.do("GET", "/v1/evidence/"+batch.ID, "", auth(goodKey)...)).Report
	proof := []string{"Heartmark-Proof", e.statement(intake.TypSubject, map[string]any{"act": "export", "sub": "u7"})}
	for _, tc := range []struct {
		path, accept string
		proof        []string
		status       int
		want         []string
	}{
		{report, "text/html", proof, 200, []string{"Social awareness", "likely", "Limits", "If you disagree", "within 14 days"}},
		{report, "application/pdf", proof, 200, []string{"%PDF-"}},
		{report, "application/json", proof, 200, []string{`"view":"full"`, "61.5"}},
		{report, "application/json", nil, 200, []string{`"view":"platform"`}},
		{report, "text/html", nil, 403, []string{"consent"}},
		{"urn:uuid:0", "text/html", proof, 404, []string{"not-found"}},
	} {
		rec := e.do("GET", "/v1/subjects/u7/reports/"+tc.path, "", append(append(auth(goodKey), "Accept", tc.accept), tc.proof...)...)
		if rec.Code != tc.status {
			t.Errorf("%s: %d %s, want %d", tc.accept, rec.Code, rec.Body, tc.status)
		}
		for _, w := range tc.want {
			if !strings.Contains(rec.Body.String(), w) {
				t.Errorf("%s %s: %q is missing", tc.path, tc.accept, w)
			}
		}
	}
	if rec := e.do("GET", "/v1/subjects/u7/reports/"+report, "", append(append(auth(otherKey), "Accept", "text/html"), proof...)...); rec.Code != 404 && rec.Code != 403 {
		t.Errorf("another tenant: %d", rec.Code)
	}
}

func TestEvidenceReadsTheWholeReportWithItsClass(t *testing.T) {
	t.Parallel()
	e := newEvidenceWorld(t)
	consent := e.give(func(x *intake.Terms) { x.DataClasses = append(x.DataClasses, "report") })
	rec := e.do("POST", "/v1/evidence?consent="+consent, chatLines, append(auth(goodKey), "Content-Type", "application/jsonl")...)
	batch := decode[intakeapi.BatchAnswer](t, rec)
	if _, err := e.intake.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	batch = decode[intakeapi.BatchAnswer](t, e.do("GET", "/v1/evidence/"+batch.ID, "", auth(goodKey)...))
	rec = e.do("GET", "/v1/assessments/"+batch.Report, "", auth(goodKey)...)
	if !strings.Contains(rec.Body.String(), `"view":"full"`) || !strings.Contains(rec.Body.String(), "61.5") {
		t.Errorf("report: %s", rec.Body)
	}
}

func TestEvidenceInPieces(t *testing.T) {
	t.Parallel()
	e := newEvidenceWorld(t)
	consent := e.give(nil)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(chatLines))
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	rec := e.do("POST", "/v1/evidence/uploads?format=jsonl&consent="+consent, "", append(auth(goodKey), "Content-Encoding", "gzip")...)
	b := decode[intakeapi.BatchAnswer](t, rec)
	if rec.Code != 201 || b.State != "received" || rec.Header().Get("Upload-Offset") != "0" {
		t.Fatalf("begin: %d %s", rec.Code, rec.Body)
	}
	append1 := func(at int, data string, more ...string) *httptest.ResponseRecorder {
		headers := append(auth(goodKey), "Content-Type", intakeapi.MediaTypePiece, "Upload-Offset", strconv.Itoa(at))
		return e.do("PATCH", "/v1/evidence/"+b.ID, data, append(headers, more...)...)
	}
	all := packed.String()
	if rec = append1(0, all[:40]); rec.Code != 204 || rec.Header().Get("Upload-Offset") != "40" {
		t.Fatalf("append: %d %s", rec.Code, rec.Body)
	}
	if rec = append1(0, all[:40]); rec.Code != 409 || code(t, rec) != "upload-offset" {
		t.Errorf("the same piece again: %d %s", rec.Code, rec.Body)
	}
	if rec = e.do("GET", "/v1/evidence/"+b.ID, "", auth(goodKey)...); rec.Header().Get("Upload-Offset") != "40" {
		t.Errorf("offset: %v", rec.Header())
	}
	if rec = append1(40, all[40:], "Upload-Offset", "41"); rec.Code != 400 {
		t.Errorf("two offsets: %d", rec.Code)
	}
	if rec = append1(40, all[40:]); rec.Code != 204 {
		t.Fatalf("append: %d %s", rec.Code, rec.Body)
	}
	digest := intake.ContentDigest(sha256.Sum256([]byte(all)))
	finish := func(q intakeapi.FinishRequest) *httptest.ResponseRecorder {
		body, _ := json.Marshal(q)
		return e.do("POST", "/v1/evidence/"+b.ID+"/finish", string(body), withJSON(goodKey)...)
	}
	e.policy.Signed = true
	if rec = finish(intakeapi.FinishRequest{}); rec.Code != 403 || code(t, rec) != "evidence-signature" {
		t.Errorf("unsigned: %d %s", rec.Code, rec.Body)
	}
	if rec = finish(intakeapi.FinishRequest{ContentDigest: intake.ContentDigest(sha256.Sum256(nil))}); rec.Code != 400 || code(t, rec) != "content-digest" {
		t.Errorf("wrong digest: %d %s", rec.Code, rec.Body)
	}
	jws, err := jose.Sign(map[string]any{"typ": intake.TypEvidence, "kid": e.method()}, intake.DetachedPayload(consent, digest), e.holder)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(jws, ".")
	rec = finish(intakeapi.FinishRequest{ContentDigest: digest, JWS: parts[0] + ".." + parts[2]})
	if got := decode[intakeapi.BatchAnswer](t, rec); rec.Code != 202 || got.State != "queued" || got.Signed != e.method() {
		t.Errorf("finish: %d %s", rec.Code, rec.Body)
	}
	if rec = e.do("DELETE", "/v1/evidence/"+b.ID, "", auth(goodKey)...); decode[intakeapi.BatchAnswer](t, rec).State != "destroyed" {
		t.Errorf("cancel: %d %s", rec.Code, rec.Body)
	}
	if rec = append1(0, "x"); rec.Code != 409 || code(t, rec) != "batch-state" {
		t.Errorf("append to what has ended: %d %s", rec.Code, rec.Body)
	}
}

// A message signature over the request as it stands on the wire (RFC 9421).
func TestEvidenceMessageSignature(t *testing.T) {
	t.Parallel()
	e := newEvidenceWorld(t)
	e.policy.Signed = true
	consent := e.give(nil)
	digest := intake.ContentDigest(sha256.Sum256([]byte(chatLines)))
	query := "?consent=" + consent + "&on_error=refuse"
	params := fmt.Sprintf(`("@method" "@target-uri" "@path" "@query" "@authority" "content-type" "content-digest");created=%d;keyid="%s"`, e.clock.Now().Unix(), e.method())
	base := "\"@method\": POST\n\"@target-uri\": " + origin + "/v1/evidence" + query + "\n\"@path\": /v1/evidence\n\"@query\": " + query +
		"\n\"@authority\": dei.example\n\"content-type\": application/jsonl\n\"content-digest\": " + digest + "\n\"@signature-params\": " + params
	sig := base64.StdEncoding.EncodeToString(ed25519.Sign(e.holder, []byte(base)))
	send := func(query string, headers ...string) *httptest.ResponseRecorder {
		all := append(auth(goodKey), "Content-Type", "application/jsonl", "Content-Digest", digest, "Signature-Input", "s="+params, "Signature", "s=:"+sig+":")
		return e.do("POST", "/v1/evidence"+query, chatLines, append(all, headers...)...)
	}
	if rec := send(strings.Replace(query, "refuse", "skip", 1)); rec.Code != 403 || code(t, rec) != "evidence-signature" {
		t.Errorf("another query: %d %s", rec.Code, rec.Body)
	}
	if rec := send(query, "Signature", "s=:"+sig+":"); rec.Code != 400 {
		t.Errorf("two signatures: %d %s", rec.Code, rec.Body)
	}
	rec := send(query)
	if got := decode[intakeapi.BatchAnswer](t, rec); rec.Code != 202 || got.Signed != e.method() {
		t.Errorf("signed: %d %s", rec.Code, rec.Body)
	}
}

func TestEvidenceRefusals(t *testing.T) {
	t.Parallel()
	e := newEvidenceWorld(t)
	consent := e.give(nil)
	jsonl := append(auth(goodKey), "Content-Type", "application/jsonl")
	cases := map[string]struct {
		method, target, body string
		headers              []string
		status               int
		code                 string
	}{
		"G4":                     {"POST", "/v1/consents", e.consentBody(func(x *intake.Terms) { x.Purposes = []string{"social_scoring"} }), withJSON(goodKey), 403, "forbidden-purpose"},
		"G3":                     {"POST", "/v1/consents", e.consentBody(func(x *intake.Terms) { x.Setting = &intake.Setting{Kind: "employer"} }), withJSON(goodKey), 403, "unfree-consent"},
		"G16":                    {"POST", "/v1/consents", e.consentBody(func(x *intake.Terms) { x.Adult = false }), withJSON(goodKey), 403, "underage"},
		"unknown text":           {"POST", "/v1/consents", e.consentBody(func(x *intake.Terms) { x.Text.Version = "1" }), withJSON(goodKey), 400, "consent-text"},
		"terms changed":          {"POST", "/v1/consents", strings.Replace(e.consentBody(nil), `"score"`, `"score","issue"`, 1), withJSON(goodKey), 403, "consent-confirmation"},
		"unknown member":         {"POST", "/v1/consents", `{"terms":{},"confirmation":{},"x":1}`, withJSON(goodKey), 400, "unknown-member"},
		"list of all":            {"GET", "/v1/consents", "", auth(goodKey), 400, "bad-query"},
		"thin key":               {"GET", "/v1/consents?subject=u7", "", auth(thinKey), 403, "forbidden"},
		"no consent":             {"POST", "/v1/evidence", chatLines, jsonl, 400, "bad-query"},
		"unknown consent":        {"POST", "/v1/evidence?consent=none", chatLines, jsonl, 404, "not-found"},
		"other's consent":        {"POST", "/v1/evidence?consent=" + consent, chatLines, append(auth(otherKey), "Content-Type", "application/jsonl"), 404, "not-found"},
		"media type":             {"POST", "/v1/evidence?consent=" + consent, chatLines, append(auth(goodKey), "Content-Type", "audio/ogg"), 415, "unsupported-media-type"},
		"format against type":    {"POST", "/v1/evidence?format=csv&consent=" + consent, chatLines, jsonl, 415, "unsupported-media-type"},
		"encoding":               {"POST", "/v1/evidence?consent=" + consent, chatLines, append([]string{"Content-Encoding", "br"}, jsonl...), 415, "unsupported-media-type"},
		"bad line":               {"POST", "/v1/evidence?consent=" + consent, chatLines + "{", jsonl, 400, "evidence-lines"},
		"nobody's":               {"POST", "/v1/evidence?consent=" + consent, strings.ReplaceAll(chatLines, "u7", "u8"), jsonl, 400, "no-own-messages"},
		"on_error":               {"POST", "/v1/evidence?on_error=x&consent=" + consent, chatLines, jsonl, 400, "malformed"},
		"offset missing":         {"PATCH", "/v1/evidence/x", "x", append(auth(goodKey), "Content-Type", intakeapi.MediaTypePiece), 400, "bad-query"},
		"offset spelt otherwise": {"PATCH", "/v1/evidence/x", "x", append(auth(goodKey), "Content-Type", intakeapi.MediaTypePiece, "Upload-Offset", "+1"), 400, "bad-query"},
		"no such upload":         {"PATCH", "/v1/evidence/x", "x", append(auth(goodKey), "Content-Type", intakeapi.MediaTypePiece, "Upload-Offset", "0"), 404, "not-found"},
		"no such subject":        {"GET", "/v1/subjects/nobody", "", auth(goodKey), 404, "not-found"},
		"no such event":          {"DELETE", "/v1/subjects/u7/events/m9", "", auth(goodKey), 404, "not-found"},
		"restriction":            {"PUT", "/v1/subjects/u7/restriction", `{"kind":"x"}`, withJSON(goodKey), 400, "malformed"},
	}
	for name, tc := range cases {
		rec := e.do(tc.method, tc.target, tc.body, tc.headers...)
		if rec.Code != tc.status || code(t, rec) != tc.code {
			t.Errorf("%s: %d %s, want %d %s", name, rec.Code, rec.Body, tc.status, tc.code)
		}
	}
	rec := e.do("POST", "/v1/evidence?consent="+consent, chatLines+"{", append(jsonl, "Accept-Language", "zh")...)
	if d := decode[problem.Document](t, rec); len(d.Errors) != 1 || d.Errors[0].Line != 3 || !strings.Contains(d.Title, "行") {
		t.Errorf("bad line in Chinese: %s", rec.Body)
	}
}

func TestEvidenceRestrictedAndStopped(t *testing.T) {
	t.Parallel()
	e := newEvidenceWorld(t)
	consent := e.give(nil)
	jsonl := append(auth(goodKey), "Content-Type", "application/jsonl")
	send := func() *httptest.ResponseRecorder {
		return e.do("POST", "/v1/evidence?consent="+consent, chatLines, jsonl...)
	}
	put := func(target, body string) {
		t.Helper()
		if rec := e.do("PUT", target, body, withJSON(goodKey)...); rec.Code != 200 {
			t.Fatalf("%s: %d %s", target, rec.Code, rec.Body)
		}
	}
	put("/v1/subjects/u7/restriction", `{"kind":"restriction"}`)
	if rec := send(); rec.Code != 403 || code(t, rec) != "processing-restricted" {
		t.Errorf("restricted: %d %s", rec.Code, rec.Body)
	}
	put("/v1/subjects/u7/restriction", `{"kind":""}`)
	put("/v1/scoring", `{"stopped":true,"reason":"drill"}`)
	if rec := send(); rec.Code != 503 || code(t, rec) != "scoring-stopped" || rec.Header().Get("Retry-After") == "" {
		t.Errorf("stopped: %d %s", rec.Code, rec.Body)
	}
	if got := decode[intakeapi.ScoringAnswer](t, e.do("GET", "/v1/scoring", "", auth(goodKey)...)); !got.Stopped || got.By != "k-acme" {
		t.Errorf("switch = %+v", got)
	}
	put("/v1/scoring", `{"stopped":true,"accept":true}`)
	if rec := send(); rec.Code != 202 {
		t.Errorf("stopped and accepting: %d %s", rec.Code, rec.Body)
	}
}

func TestEvidenceWithoutIntake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if rec := w.do("GET", "/v1/evidence/x", "", auth(goodKey)...); rec.Code != 503 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func FuzzParseOffset(f *testing.F) {
	for _, s := range []string{"0", "10", "-1", "+1", "01", "9223372036854775808"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := intakeapi.ParseOffset(text); err == nil && strconv.FormatInt(n, 10) != text {
			t.Fatalf("%q is read as %d", text, n)
		}
	})
}
