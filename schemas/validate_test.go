package schemas_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"heartmark/internal/testkit"
	"heartmark/schemas"
)

// jsonLD names the inputs whose fault only a JSON-LD processor can see: terms and types that contexts define or redefine.
var jsonLD = map[string]bool{
	"credential-redef-type-fail.json": true, "credential-redef-type2-fail.json": true,
	"credential-type-mapped-nonurl-fail.json": true, "credential-type-unmapped-fail.json": true,
}

func readObject(t *testing.T, path string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := schemas.ParseObject(data)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return doc
}

// prepare does to an input what the suite does before it asks an issuer: it fills in its own issuer and dates.
func prepare(name string, doc map[string]any) {
	issuer, isObject := doc["issuer"].(map[string]any)
	if _, has := doc["issuer"]; !has && name != "credential-no-issuer-fail.json" && !strings.HasPrefix(name, "presentation") {
		doc["issuer"] = "did:example:issuer"
	}
	if isObject && !strings.Contains(name, "id-") {
		issuer["id"] = "did:example:issuer"
	}
	for _, member := range []string{"validFrom", "validUntil"} {
		switch doc[member] {
		case "PAST DATE":
			doc[member] = "2020-01-01T00:00:00Z"
		case "FUTURE DATE":
			doc[member] = "2120-01-01T00:00:00Z"
		}
	}
}

func TestDataModelInputs(t *testing.T) {
	t.Parallel()
	dir := testkit.Shared(t, "vectors/vcdm2-inputs")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(dir, "names-and-descriptions", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, more...)
	n := 0
	for _, path := range files {
		name := filepath.Base(path)
		if jsonLD[name] || strings.Contains(name, "self-asserted") && !strings.HasSuffix(name, "-ok.json") {
			continue // the second: what is wrong there is who signed, not the form
		}
		n++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := readObject(t, path)
			prepare(name, doc)
			check := schemas.ValidateCredential
			if strings.HasPrefix(name, "presentation") {
				check = schemas.ValidatePresentation
			}
			err := check(doc)
			if strings.HasSuffix(name, "-ok.json") && err != nil {
				t.Errorf("refused: %v", err)
			}
			if strings.Contains(name, "-fail") && err == nil {
				t.Error("accepted")
			}
		})
	}
	if n < 80 {
		t.Fatalf("%d inputs, want at least 80", n)
	}
}

func TestOpenBadgeVectors(t *testing.T) {
	t.Parallel()
	dir := testkit.Shared(t, "vectors/openbadges-3.0/1edtech-validator")
	accepted := []string{
		"simple.json", "simple-context-alias.json", "simple-context-version.json", "simple-did-key-method.json",
		"simple-did-web-method.json", "simple-multiple-proofs.json",
		// The fault of these is not in the model: dates, proofs.
		"simple-err-expired.json", "simple-err-proof-value.json", "simple-err-proof-method-unknown-scheme.json",
	}
	for _, name := range accepted {
		if err := bothModels(readObject(t, filepath.Join(dir, name))); err != nil {
			t.Errorf("%s refused: %v", name, err)
		}
	}
	refused := map[string]string{
		"simple-err-context.json": "",
		"simple-err-credential-subject-achievement-result-description-type.json": "/credentialSubject/achievement/resultDescription",
		"simple-err-credential-subject-identifier-type.json":                     "/credentialSubject/identifier/0/type",
		"simple-err-credential-subject-profile-type.json":                        "/credentialSubject/source/type",
		"simple-err-credential-subject-result-type.json":                         "/credentialSubject/result/1/type",
		"simple-err-credential-subject-type.json":                                "/credentialSubject/type",
		"simple-err-evidence-type.json":                                          "/evidence/1/type",
		"simple-err-issuer-otheridentifier-type.json":                            "/issuer/otherIdentifier/1/type",
		"simple-err-issuer-parentorg-type.json":                                  "/issuer/parentOrg/type",
		"simple-err-issuer-type.json":                                            "/issuer/type",
		"simple-err-issuer.json":                                                 "/issuer",
		"simple-err-type.json":                                                   "/type",
		"endorsement-valid.json":                                                 "/type",
	}
	for name, pointer := range refused {
		err := bothModels(readObject(t, filepath.Join(dir, name)))
		fe, ok := errors.AsType[*schemas.FieldError](err)
		if !ok {
			t.Errorf("%s: %v, want a FieldError", name, err)
			continue
		}
		if !strings.HasPrefix(fe.Pointer, pointer) {
			t.Errorf("%s: fault at %s, want %s", name, fe.Pointer, pointer)
		}
	}
}

// 1EdTech's own complete example names a level of another result description: good in shape, and refused by the rule.
func TestOpenBadgeCompleteExample(t *testing.T) {
	t.Parallel()
	doc := readObject(t, filepath.Join(testkit.Shared(t, "vectors/openbadges-3.0/1edtech-validator"), "complete.json"))
	if err := schemas.ValidateOpenBadgeShape(doc); err != nil {
		t.Errorf("shape refused: %v", err)
	}
	fe, ok := errors.AsType[*schemas.FieldError](schemas.ValidateOpenBadge(doc))
	if !ok || fe.Pointer != "/credentialSubject/result/1/achievedLevel" {
		t.Errorf("ValidateOpenBadge = %v, want a fault at the second result's level", fe)
	}
}

func bothModels(doc map[string]any) error {
	if err := schemas.ValidateCredential(doc); err != nil {
		return err
	}
	return schemas.ValidateOpenBadge(doc)
}

// set changes the value at a JSON Pointer-like path and returns the document; a nil value deletes the member.
func set(t *testing.T, doc map[string]any, path string, value any) map[string]any {
	t.Helper()
	steps := strings.Split(strings.TrimPrefix(path, "/"), "/")
	var v any = doc
	for _, s := range steps[:len(steps)-1] {
		switch c := v.(type) {
		case map[string]any:
			v = c[s]
		case []any:
			v = c[s[0]-'0']
		}
	}
	last := steps[len(steps)-1]
	switch c := v.(type) {
	case map[string]any:
		if value == nil {
			delete(c, last)
		} else {
			c[last] = value
		}
	case []any:
		c[last[0]-'0'] = value
	default:
		t.Fatalf("%s leads nowhere", path)
	}
	return doc
}

type jsonNull struct{}

func TestBrokenCredentials(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, path string
		value      any
		pointer    string
	}{
		{"context missing", "/@context", nil, "/@context"},
		{"context a string", "/@context", schemas.ContextV2, "/@context"},
		{"base context second", "/@context/0", schemas.ContextOpenBadges, "/@context/0"},
		{"base context with slash", "/@context/0", schemas.ContextV2 + "/", "/@context/0"},
		{"base context over http", "/@context/0", "http://www.w3.org/ns/credentials/v2", "/@context/0"},
		{"both versions", "/@context/2", schemas.ContextV1, "/@context/2"},
		{"context null", "/@context/2", jsonNull{}, "/@context/2"},
		{"badge context missing", "/@context/1", "https://hm.example/contexts/dei/v1", "/@context/1"},
		{"type missing", "/type", nil, "/type"},
		{"type empty", "/type", []any{}, "/type"},
		{"type a number", "/type/1", json.Number("2"), "/type/1"},
		{"not a badge", "/type/1", "Other", "/type"},
		{"id missing in a badge", "/id", nil, "/id"},
		{"id not a URL", "/id", "urn:uuid:", "/id"},
		{"issuer missing", "/issuer", nil, "/issuer"},
		{"issuer id relative", "/issuer/id", "acme", "/issuer/id"},
		{"subject missing", "/credentialSubject", nil, "/credentialSubject"},
		{"subject a string", "/credentialSubject", "did:key:z6Mk", "/credentialSubject"},
		{"subject empty list", "/credentialSubject", []any{}, "/credentialSubject"},
		{"subject without id", "/credentialSubject/id", nil, "/credentialSubject/id"},
		{"date without zone", "/validUntil", "2027-01-10T09:00:00", "/validUntil"},
		{"date of no calendar", "/validUntil", "2026-02-30T00:00:00Z", "/validUntil"},
		{"date text", "/validUntil", "not-a-date", "/validUntil"},
		{"date empty", "/validUntil", "", "/validUntil"},
		{"date a number", "/validUntil", json.Number("1767949200"), "/validUntil"},
		{"until before from", "/validUntil", "2026-01-10T08:59:59Z", "/validUntil"},
		{"old date name", "/issuanceDate", "2026-01-10T09:00:00Z", "/issuanceDate"},
		{"awarded date", "/awardedDate", "yesterday", "/awardedDate"},
		{"graph", "/@graph", []any{map[string]any{}}, "/@graph"},
		{"included", "/@included", map[string]any{}, "/@included"},
		{"name with members", "/name", map[string]any{"@value": "x", "url": "y"}, "/name"},
		{"name direction", "/name", map[string]any{"@value": "x", "@direction": "up"}, "/name/@direction"},
		{"name language", "/name", map[string]any{"@value": "x", "@language": "en gb"}, "/name/@language"},
		{"name empty list", "/name", []any{}, "/name"},
		{"status without type", "/credentialStatus/0/type", nil, "/credentialStatus/0/type"},
		{"status a string", "/credentialStatus", "ok", "/credentialStatus"},
		{"terms without type", "/termsOfUse/0/type", nil, "/termsOfUse/0/type"},
		{"schema without id", "/credentialSchema/0/id", nil, "/credentialSchema/0/id"},
		{"schema digest weak", "/credentialSchema/0/digestSRI", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "/credentialSchema/0/digestSRI"},
		{"schema digest short", "/credentialSchema/0/digestSRI", "sha384-AAAA", "/credentialSchema/0/digestSRI"},
		{"related without digest", "/relatedResource", []any{map[string]any{"id": "https://a.example/x"}}, "/relatedResource/0"},
		{"related twice", "/relatedResource", []any{
			map[string]any{"id": "https://a.example/x", "digestMultibase": "zQm"}, map[string]any{"id": "https://a.example/x", "digestMultibase": "zQm"},
		}, "/relatedResource/1/id"},
		{"related itself", "/relatedResource", []any{
			map[string]any{"id": "urn:uuid:6f1c4b1e-7a56-4c50-9e1d-0a5d0c1c7f11", "digestMultibase": "zQm"},
		}, "/relatedResource/0/id"},
		{"related a string", "/relatedResource", "https://a.example/x", "/relatedResource"},
		{"proof without type", "/proof", []any{map[string]any{"proofValue": "z"}}, "/proof/0/type"},
		{"proof empty", "/proof", []any{}, "/proof"},
		{"null inside", "/credentialSubject/source/name", jsonNull{}, "/credentialSubject/source/name"},
		{"empty set inside", "/credentialSubject/achievement/alignment", []any{}, "/credentialSubject/achievement/alignment"},
		{"no achievement", "/credentialSubject/achievement", nil, "/credentialSubject/achievement"},
		{"no criteria", "/credentialSubject/achievement/criteria", nil, "/credentialSubject/achievement/criteria"},
		{"achievement name as language value", "/credentialSubject/achievement/name", map[string]any{"@value": "x"}, "/credentialSubject/achievement/name"},
		{"level of another dimension", "/credentialSubject/result/0/achievedLevel", origin + "/achievements/dei/profile/v1#social_awareness-3", "/credentialSubject/result/0/achievedLevel"},
		{"level of no rubric", "/credentialSubject/result/0/achievedLevel", origin + "/achievements/dei/profile/v1#self_management-5", "/credentialSubject/result/0/achievedLevel"},
		{"unknown result description", "/credentialSubject/result/0/resultDescription", origin + "/other#x", "/credentialSubject/result/0/resultDescription"},
		{"level without description", "/credentialSubject/result/0/resultDescription", nil, "/credentialSubject/result/0/resultDescription"},
		{"result status", "/credentialSubject/result/0/status", "Passed", "/credentialSubject/result/0/status"},
		{"value a number", "/credentialSubject/result/0/value", json.Number("3"), "/credentialSubject/result/0/value"},
		{"status wanted", "/credentialSubject/achievement/resultDescription/2/resultType", "Status", "/credentialSubject/result/0/status"},
		{"required level unknown", "/credentialSubject/achievement/resultDescription/0/requiredLevel", "x", "/credentialSubject/achievement/resultDescription/0/requiredLevel"},
		{"two descriptions with one id", "/credentialSubject/achievement/resultDescription/1/id", origin + "/achievements/dei/profile/v1#overall", "/credentialSubject/achievement/resultDescription/1/id"},
		{"evidence type", "/evidence/0/type", []any{"DEIAssessment"}, "/evidence/0/type"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			doc := document(t, sample())
			if _, null := tc.value.(jsonNull); null {
				doc = setNull(t, doc, tc.path)
			} else {
				doc = set(t, doc, tc.path, tc.value)
			}
			fe, ok := errors.AsType[*schemas.FieldError](bothModels(doc))
			if !ok {
				t.Fatal("accepted")
			}
			if fe.Pointer != tc.pointer || !errors.Is(fe, schemas.ErrMalformed) {
				t.Errorf("fault %v, want at %s", fe, tc.pointer)
			}
		})
	}
}

// setNull puts a JSON null at a path.
func setNull(t *testing.T, doc map[string]any, path string) map[string]any {
	t.Helper()
	doc = set(t, doc, path, "to be null")
	data, err := schemas.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	out, err := schemas.ParseObject([]byte(strings.Replace(string(data), `"to be null"`, "null", 1)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestStatusEntriesRefused(t *testing.T) {
	t.Parallel()
	for member, values := range map[string][]any{
		"statusListIndex":      {json.Number("23"), "-1", "+1", "01", "0x1", "１", "", "12345678901234567890"},
		"statusPurpose":        {nil, "", json.Number("1")},
		"statusListCredential": {nil, "/status/1", json.Number("1")},
		"id":                   {origin + "/status/3/revocation"},
	} {
		for _, v := range values {
			doc := set(t, document(t, sample()), "/credentialStatus/0/"+member, v)
			if err := schemas.ValidateStatusEntries(doc); !errors.Is(err, schemas.ErrMalformed) {
				t.Errorf("%s = %v: %v, want ErrMalformed", member, v, err)
			}
		}
	}
}

// Each character is allowed exactly where RFC 3986 allows it, in the scheme and behind it.
func TestIsURLCharacters(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+$`)
	for c := range 256 {
		for _, around := range [][2]string{{"x", ":y"}, {"", "x:y"}, {"", ":y"}, {"x:", ""}, {"x:y", "z"}, {"x:y", ""}} {
			in := around[0] + string([]byte{byte(c)}) + around[1]
			_, err := url.Parse(in)
			if want := form.MatchString(in) && err == nil; schemas.IsURL(in) != want {
				t.Errorf("IsURL(%q) = %v, want %v", in, !want, want)
			}
		}
	}
}

func TestIsURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"https://a.example": true, "http://127.0.0.1:80/x?y#z": true, "did:key:z6Mk": true, "urn:uuid:6f1c4b1e": true,
		"mailto:a@example.org": true, "data:text/plain,x": true, "did:web:localhost%3A8080:acme": true,
		"": false, "acme": false, "/x": false, "//a.example": false, "https:": false, "https:///x": false, "https ://a": false,
		"did:key": false, "did::x": false, "urn:uuid:": false, "https://a.example/\u202e": false, "https://a b": false,
		"1a:b": false, "https:a.example": false, "https://a.example/<x>": false, "https://a.example/" + strings.Repeat("x", 5000): false,
	} {
		if got := schemas.IsURL(in); got != want {
			t.Errorf("IsURL(%.40q) = %v, want %v", in, got, want)
		}
	}
}
