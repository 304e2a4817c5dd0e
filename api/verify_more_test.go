package api_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestBulkRoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	input := `{"type":["VerifiableCredential"],"name":"valid"}` + "\n" + `nonsense` + "\n" + `{"ref":"r-3","credential":{"type":["VerifiableCredential"],"name":"valid"}}` + "\n"
	rec := w.do("POST", "/v1/verify/bulk?policy=hiring", input, append(auth(goodKey), "Content-Type", "application/jsonl")...)
	lines := strings.Split(strings.TrimSpace(rec.Body.String()), "\n")
	if rec.Code != 200 || rec.Header().Get("Content-Type") != "application/jsonl" || len(lines) != 4 {
		t.Fatalf("%d %s\n%s", rec.Code, rec.Header(), rec.Body)
	}
	var last struct {
		Summary map[string]any `json:"summary"`
		Report  string         `json:"report"`
	}
	if err := json.Unmarshal([]byte(lines[3]), &last); err != nil || last.Summary["rows"] != 3.0 || last.Report != "report of acme over 3" {
		t.Errorf("last line %s, %v", lines[3], err)
	}
	if !strings.Contains(lines[1], `"row":2`) || !strings.Contains(lines[1], `"verdict":"invalid"`) || !strings.Contains(lines[2], `"ref":"r-3"`) {
		t.Errorf("lines %q", lines)
	}
	if w.verify.last.Policy != "hiring" || w.verify.last.Tenant != "acme" {
		t.Errorf("verified as %+v", w.verify.last)
	}
	for name, c := range map[string]struct {
		target, media, key string
		status             int
	}{
		"no key": {"/v1/verify/bulk", "application/jsonl", "", 401}, "no scope": {"/v1/verify/bulk", "application/jsonl", thinKey, 403},
		"another media type": {"/v1/verify/bulk", "application/json", goodKey, 415}, "no such policy": {"/v1/verify/bulk?policy=x", "application/jsonl", goodKey, 400},
		"another's policy": {"/v1/verify/bulk?policy=hiring", "application/jsonl", otherKey, 400}, "no column": {"/v1/verify/bulk", "text/csv", goodKey, 400},
	} {
		headers := []string{"Content-Type", c.media}
		if c.key != "" {
			headers = append(headers, auth(c.key)...)
		}
		if rec := w.do("POST", c.target, "a,b\n1,2\n", headers...); rec.Code != c.status {
			t.Errorf("%s: %d, want %d", name, rec.Code, c.status)
		}
	}
}

func TestReceiptOnRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const credential = `{"type":["VerifiableCredential"],"name":"valid"}`
	rec := w.do("POST", "/v1/verify", `{"receipt":true,"credential":`+credential+`}`, withJSON(goodKey)...)
	got := decode[map[string]any](t, rec)
	if text, _ := got["receipt"].(string); !strings.HasPrefix(text, "receipt of acme over jcs-sha256-") {
		t.Errorf("receipt %q", text)
	}
	if got := decode[map[string]any](t, w.do("POST", "/v1/verify?receipt=true", credential, append(auth(goodKey), "Content-Type", "application/vc")...)); got["receipt"] == nil {
		t.Error("no receipt for a credential under its own media type")
	}
	if got := decode[map[string]any](t, w.do("POST", "/v1/verify", credential, "Content-Type", "application/vc")); got["receipt"] != nil {
		t.Error("a receipt that nobody asked for")
	}
	for _, misspelt := range []string{"1", "yes", ""} { // asked for, and not given in silence
		if rec := w.do("POST", "/v1/verify?receipt="+misspelt, credential, append(auth(goodKey), "Content-Type", "application/vc")...); rec.Code != 400 {
			t.Errorf("receipt=%s: %d", misspelt, rec.Code)
		}
	}
	if rec := w.do("POST", "/v1/verify", `{"receipt":true,"credential":`+credential+`}`, "Content-Type", "application/json"); rec.Code != 401 {
		t.Errorf("without a key: %d", rec.Code)
	}
}

func TestSEC_138_VCAPIVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	post := func(path, body string) (int, map[string]any) {
		rec := w.do("POST", "/vc/acme"+path, body, "Content-Type", "application/ld+json")
		return rec.Code, decode[map[string]any](t, rec)
	}
	const good = `{"type":["VerifiableCredential"],"name":"valid"}`
	for _, options := range []string{``, `,"options":{}`, `,"options":{"checks":["proof"]}`, `,"options":{"checks":["proof","credentialStatus"],"returnCredential":true}`} {
		code, got := post("/credentials/verify", `{"verifiableCredential":`+good+options+`}`)
		if code != 200 || got["verified"] != true || got["problemDetails"] == nil {
			t.Errorf("%q: %d %v", options, code, got)
		}
		if w.verify.last.Policy != "" || w.verify.last.Unbound || w.verify.last.MediaType != "application/vc" {
			t.Errorf("%q changed what is checked: %+v", options, w.verify.last)
		}
	}
	code, got := post("/credentials/verify", `{"verifiableCredential":{"type":["VerifiableCredential"],"name":"revoked"}}`)
	if code != 400 || got["verified"] != false || got["problemDetails"] == nil || got["status"] != 400.0 {
		t.Errorf("not valid: %d %v", code, got)
	}
	for body, status := range map[string]int{
		`{"verifiableCredential":` + good + `,"options":{"skipProof":true}}`:     400,
		`{"verifiableCredential":` + good + `,"options":{"checks":["nothing"]}}`: 400,
		`{"verifiableCredential":` + good + `,"options":{"challenge":""}}`:       400,
		`{"verifiableCredential":` + good + `,"options":[]}`:                     400,
		`{"verifiableCredential":` + good + `,"more":1}`:                         400,
		`{"verifiableCredential":"text"}`:                                        400,
		`{"verifiableCredential":null}`:                                          400,
		`{}`:                                                                     400,
		`{"verifiableCredential":{"type":"EnvelopedVerifiableCredential","id":"data:application/vc+jwt,x"}}`:                                                      400,
		`{"verifiableCredential":{"@context":"https://www.w3.org/ns/credentials/v2","type":"EnvelopedVerifiableCredential","id":"https://a.example/vc+jwt,eyJ"}}`: 400,
	} {
		if code, got := post("/credentials/verify", body); code != status {
			t.Errorf("%s: %d %v", body, code, got)
		}
	}
	_, got = post("/credentials/verify", `{"verifiableCredential":`+good+`,"options":{"skipProof":true}}`)
	if got["type"] != "https://w3id.org/vc/vcalm#UNKNOWN_OPTION_PROVIDED" {
		t.Errorf("unknown option: %v", got["type"])
	}
	post("/credentials/verify", `{"verifiableCredential":{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"EnvelopedVerifiableCredential","id":"data:application/vc+jwt,eyJ.a.b"}}`)
	if w.verify.last.MediaType != "application/vc+jwt" || string(w.verify.last.Data) != "eyJ.a.b" {
		t.Errorf("enveloped: %+v", w.verify.last)
	}
	post("/presentations/verify", `{"verifiablePresentation":{"type":["VerifiablePresentation"],"name":"valid"},"options":{"challenge":"c","domain":"d","returnPresentation":true}}`)
	if in := w.verify.last; in.Challenge != "c" || in.Domain != "d" || in.MediaType != "application/vp" || in.Tenant != "acme" {
		t.Errorf("presentation: %+v", in)
	}
	if code, _ := post("/presentations/verify", `{"presentation":{"type":["VerifiablePresentation"]},"verifiablePresentation":{"type":["VerifiablePresentation"]}}`); code != 400 {
		t.Errorf("two documents: %d", code)
	}
	if rec := w.do("POST", "/vc/nobody/credentials/verify", `{"verifiableCredential":`+good+`}`, "Content-Type", "application/json"); rec.Code != 404 {
		t.Errorf("unknown instance: %d", rec.Code)
	}
}
