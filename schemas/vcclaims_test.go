package schemas_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"heartmark/schemas"
)

const holderJWK = `{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

func selective(t *testing.T, c schemas.DEICredential) schemas.SelectiveClaims {
	t.Helper()
	s, err := c.SelectiveClaims(json.RawMessage(holderJWK), &schemas.TokenStatus{Index: 7, URI: origin + "/status/3/token"})
	if err != nil {
		t.Fatal(err)
	}
	s.Claims = reparse(t, s.Claims)
	return s
}

func TestSelectiveClaimsHoldWhatTheDesignSays(t *testing.T) {
	t.Parallel()
	s := selective(t, sample())
	for _, p := range []string{
		"/social_awareness", "/social_awareness/level", "/social_awareness/level_at_least", "/social_awareness/level_at_least/2",
		"/social_awareness/level_at_least/3", "/social_awareness/confidence", "/self_management/level_at_least/2", "/evidence/deiPlatform",
	} {
		if !slices.Contains(s.Disclosable, p) {
			t.Errorf("%s cannot be withheld", p)
		}
	}
	if got := at(t, s.Claims, "social_awareness"); !reflect.DeepEqual(got, map[string]any{
		"level": json.Number("3"), "level_at_least": map[string]any{"2": true, "3": true}, "confidence": "0.93",
	}) {
		t.Errorf("social_awareness = %v", got)
	}
	for _, p := range []string{"iss", "vct", "exp", "nbf", "cnf", "status", "vct#integrity"} {
		if slices.Contains(s.Disclosable, "/"+p) || s.Claims[p] == nil {
			t.Errorf("%s is missing or can be withheld", p)
		}
	}
	if err := schemas.ValidateVCClaims(s.Claims, s.Claims); err != nil {
		t.Error(err)
	}
	got, err := schemas.ReadDEIClaims(s.Claims)
	want := []schemas.DEIStatement{
		{Dimension: "self_management", Level: 2, AtLeast: 2, Confidence: "0.97"},
		{Dimension: "social_awareness", Level: 3, AtLeast: 3, Confidence: "0.93"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("ReadDEIClaims = %v, %v, want %v", got, err, want)
	}
	// What must not be told: levels in words, and anything that depends on how many or which levels are stated.
	clear, err := schemas.Marshal(s.Claims["evidence"])
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"roficient", "deiConfidence", "0.93", "awareness"} {
		if strings.Contains(string(clear), word) {
			t.Errorf("%q stands in clear in the evidence", word)
		}
	}
	all := sample()
	all.Attestation.Levels = allLevels(schemas.LevelAdvanced, schemas.LevelProficient)
	if other := selective(t, all); other.Pad[""] != 5 || s.Pad[""] != 5 || other.Pad["/overall/level_at_least"] != 3 || s.Pad["/self_management/level_at_least"] != 3 {
		t.Errorf("digests can be counted: %v and %v", s.Pad, other.Pad)
	}
}

func TestSelectiveClaimsRefuse(t *testing.T) {
	t.Parallel()
	if _, err := sample().SelectiveClaims(json.RawMessage(`[]`), nil); !errors.Is(err, schemas.ErrMalformed) {
		t.Errorf("a key that is no object: %v", err)
	}
	c := sample()
	c.Attestation.Levels = nil
	if _, err := c.SelectiveClaims(json.RawMessage(holderJWK), nil); !errors.Is(err, schemas.ErrNothingToState) {
		t.Errorf("no level: %v", err)
	}
}

func TestValidateVCClaims(t *testing.T) {
	t.Parallel()
	good := selective(t, sample()).Claims
	for pointer, change := range map[string]func(signed, claims map[string]any){
		"/vct":      func(s, c map[string]any) { delete(s, "vct"); delete(c, "vct") },
		"/vct ":     func(s, c map[string]any) { s["vct"], c["vct"] = "", "" },
		"/vct  ":    func(s, c map[string]any) { s["vct"], c["vct"] = true, true },
		"/iss":      func(s, c map[string]any) { s["iss"], c["iss"] = "acme", "acme" },
		"/iss ":     func(s, _ map[string]any) { delete(s, "iss") },
		"/exp":      func(s, _ map[string]any) { delete(s, "exp") },
		"/cnf":      func(s, _ map[string]any) { s["cnf"] = map[string]any{"_sd": []any{"x"}} },
		"/status":   func(_, c map[string]any) { delete(c, "status") },
		"/nbf":      func(s, c map[string]any) { s["nbf"], c["nbf"] = "1", "1" },
		"/nbf ":     func(s, c map[string]any) { s["nbf"], c["nbf"] = json.Number("1.5"), json.Number("1.5") },
		"/iat":      func(s, c map[string]any) { s["iat"], c["iat"] = json.Number("-1"), json.Number("-1") },
		"/exp ":     func(s, c map[string]any) { s["exp"], c["exp"] = c["nbf"], c["nbf"] },
		"/sub":      func(_, c map[string]any) { c["sub"] = json.Number("1") },
		"/@context": func(_, c map[string]any) { c["@context"] = []any{} },
	} {
		signed, claims := reparse(t, good), reparse(t, good)
		change(signed, claims)
		err := schemas.ValidateVCClaims(signed, claims)
		if f, ok := errors.AsType[*schemas.FieldError](err); !ok || f.Pointer != strings.TrimSpace(pointer) {
			t.Errorf("%s: %v", pointer, err)
		}
	}
}

func TestParseTokenStatusRefuses(t *testing.T) {
	t.Parallel()
	for status, pointer := range map[string]string{
		`{}`: "/status", `{"status_list":{"idx":1,"uri":"https://a.example"},"other":{}}`: "/status", `{"status_list":[]}`: "/status",
		`{"status_list":{"idx":"7","uri":"https://a.example"}}`: "/status/status_list/idx", `{"status_list":{"idx":-1,"uri":"https://a.example"}}`: "/status/status_list/idx",
		`{"status_list":{"idx":1.0,"uri":"https://a.example"}}`: "/status/status_list/idx", `{"status_list":{"idx":1,"uri":"list"}}`: "/status/status_list/uri",
	} {
		claims, err := schemas.ParseObject([]byte(`{"status":` + status + `}`))
		if err != nil {
			t.Fatal(err)
		}
		_, present, err := schemas.ParseTokenStatus(claims)
		if f, ok := errors.AsType[*schemas.FieldError](err); !ok || f.Pointer != pointer || !present {
			t.Errorf("%s: %v, want %s", status, err, pointer)
		}
	}
	if _, present, err := schemas.ParseTokenStatus(map[string]any{}); present || err != nil {
		t.Errorf("no status: %v, %v", present, err)
	}
}

func TestReadDEIClaimsRefuses(t *testing.T) {
	t.Parallel()
	good := selective(t, sample()).Claims
	for pointer, value := range map[string]string{
		"/social_awareness": `3`, "/social_awareness/level": `{"level":5}`, "/social_awareness/level ": `{"level":"3"}`, "/social_awareness/level  ": `{"level":3.0}`,
		"/social_awareness/level_at_least":   `{"level":2,"level_at_least":{"3":true}}`,
		"/social_awareness/level_at_least/1": `{"level_at_least":{"1":true}}`, "/social_awareness/level_at_least/2": `{"level_at_least":{"2":false}}`,
		"/social_awareness/confidence": `{"confidence":"0.5"}`, "/social_awareness/score": `{"score":"71"}`,
	} {
		claims := reparse(t, good)
		v, err := schemas.ParseJSON([]byte(value))
		if err != nil {
			t.Fatal(err)
		}
		claims["social_awareness"] = v
		_, err = schemas.ReadDEIClaims(claims)
		if f, ok := errors.AsType[*schemas.FieldError](err); !ok || f.Pointer != strings.TrimSpace(pointer) {
			t.Errorf("%s = %s: %v", pointer, value, err)
		}
	}
	for _, name := range []string{"exp", "nbf", "cnf", "evidence"} {
		claims := reparse(t, good)
		delete(claims, name)
		if _, err := schemas.ReadDEIClaims(claims); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// Every SD-JWT VC out there repeats the digest of its type: a change of the document is a new vct.
func TestTypeDocumentIsPinned(t *testing.T) {
	t.Parallel()
	const want = "sha384-MFdpFq99b99OEbsTaeSzNjfpLWSVOipWMZIgkQOA90SI1DNTr6k5dFuHcaJUbftZ"
	got, err := schemas.VCTypeIntegrity(origin)
	if err != nil || got != want {
		t.Errorf("digest of the type document = %s, %v, want %s", got, err, want)
	}
	data, err := schemas.VCTypeDocument(origin)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := schemas.ParseObject(data)
	if err != nil || doc["vct"] != origin+"/vct/dei/v1" {
		t.Errorf("vct = %v, %v", doc["vct"], err)
	}
	if o, ok := schemas.IsDEIType(doc["vct"].(string)); !ok || o != origin {
		t.Errorf("IsDEIType = %q, %v", o, ok)
	}
}
