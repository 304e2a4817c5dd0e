package jsonschema_test

import (
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/internal/testkit"
	"heartmark/schemas"
	"heartmark/schemas/jsonschema"
)

const deiURL = "https://hm.example/schemas/dei/v1"

// golden pins the bytes of every published schema. A credential out there names them: a change of meaning is a v2.
var golden = map[string]string{schemas.SchemaDEI: "sha384-fUplCFvxT0R4cq4zHhUUuB6/yPcDIXcVUyNs9kZZq0ztq9kVKjd2/iaRmMGjzpeU"}

func TestDigestsAreTheGoldenOnes(t *testing.T) {
	t.Parallel()
	for name, want := range golden {
		data, err := os.ReadFile(strings.ReplaceAll(name, "/", "-") + ".json")
		if err != nil {
			t.Fatal(err)
		}
		sum := sha512.Sum384(data)
		got := "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
		if got != want {
			t.Errorf("%s: the file's digest is %s, want %s", name, got, want)
		}
		if d := schemas.SchemaDigestSRI(name); d != want {
			t.Errorf("SchemaDigestSRI(%q) = %s, want %s", name, d, want)
		}
	}
	if d := schemas.SchemaDigestSRI("dei/v2"); d != "" {
		t.Errorf("a schema that is not ours has the digest %s", d)
	}
}

func validator(t *testing.T) *jsonschema.Validator {
	t.Helper()
	v, err := jsonschema.New()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func read(t *testing.T, path string) map[string]any {
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

func TestValidDocuments(t *testing.T) {
	t.Parallel()
	v := validator(t)
	files, _ := filepath.Glob("testdata/valid/*.json")
	if len(files) == 0 {
		t.Fatal("no documents")
	}
	for _, path := range files {
		doc := read(t, path)
		entry := doc["credentialSchema"].([]any)[0].(map[string]any)
		if err := v.CheckEntry(entry, doc); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestInvalidDocuments(t *testing.T) {
	t.Parallel()
	v := validator(t)
	type change struct {
		pointer string // where the fault is reported
		apply   func(doc, subject, evidence map[string]any)
	}
	cases := map[string]change{
		"no evidence":       {"", func(d, _, _ map[string]any) { delete(d, "evidence") }},
		"no end":            {"", func(d, _, _ map[string]any) { delete(d, "validUntil") }},
		"end no date":       {"/validUntil", func(d, _, _ map[string]any) { d["validUntil"] = "soon" }},
		"id not random":     {"/id", func(d, _, _ map[string]any) { d["id"] = "https://hm.example/1" }},
		"context order":     {"/@context/0", func(d, _, _ map[string]any) { l := d["@context"].([]any); l[0], l[1] = l[1], l[0] }},
		"no dei context":    {"/@context", func(d, _, _ map[string]any) { d["@context"].([]any)[2] = "https://hm.example/contexts/x/v1" }},
		"not a badge":       {"/type", func(d, _, _ map[string]any) { d["type"].([]any)[1] = "Other" }},
		"issuer a string":   {"/issuer", func(d, _, _ map[string]any) { d["issuer"] = "did:web:a" }},
		"two evidences":     {"/evidence", func(d, _, e map[string]any) { d["evidence"] = []any{e, e} }},
		"evidence extra":    {"/evidence/0", func(_, _, e map[string]any) { e["deiScore"] = "66" }},
		"score in a result": {"/credentialSubject/result/0", func(_, s, _ map[string]any) { s["result"].([]any)[0].(map[string]any)["value"] = "66" }},
		"confidence low":    {"/evidence/0/deiConfidence/0/deiValue", func(_, _, e map[string]any) { e["deiConfidence"].([]any)[0].(map[string]any)["deiValue"] = "0.80" }},
		"confidence a number": {"/evidence/0/deiConfidence/0/deiValue", func(_, _, e map[string]any) {
			e["deiConfidence"].([]any)[0].(map[string]any)["deiValue"] = json.Number("0.93")
		}},
		"window with time":   {"/evidence/0/deiWindowEnd", func(_, _, e map[string]any) { e["deiWindowEnd"] = "2026-01-09T00:00:00Z" }},
		"review unknown":     {"/evidence/0/deiReview", func(_, _, e map[string]any) { e["deiReview"] = "never" }},
		"digest in capitals": {"/evidence/0/deiModelDigest", func(_, _, e map[string]any) { e["deiModelDigest"] = "sha256:" + strings.Repeat("A", 64) }},
		"language a string":  {"/evidence/0/deiLanguage", func(_, _, e map[string]any) { e["deiLanguage"] = "en" }},
		"purpose twice":      {"/evidence/0/deiPurpose", func(_, _, e map[string]any) { e["deiPurpose"] = []any{"score", "score"} }},
		"level five": {"/credentialSubject/result/0/achievedLevel", func(_, s, _ map[string]any) {
			s["result"].([]any)[0].(map[string]any)["achievedLevel"] = "https://hm.example/achievements/dei/profile/v1#overall-5"
		}},
		"no result": {"/credentialSubject/result", func(_, s, _ map[string]any) { s["result"] = []any{} }},
		"six results": {"/credentialSubject/result", func(_, s, _ map[string]any) {
			r := s["result"].([]any)
			s["result"] = append(r, r[0], r[0], r[0], r[0], r[0])
		}},
		"achievement elsewhere": {"/credentialSubject/achievement/id", func(_, s, _ map[string]any) {
			s["achievement"].(map[string]any)["id"] = "https://hm.example/achievements/dei/overall/v1"
		}},
		"three levels": {"/credentialSubject/achievement/resultDescription/0/rubricCriterionLevel", func(_, s, _ map[string]any) {
			rd := s["achievement"].(map[string]any)["resultDescription"].([]any)[0].(map[string]any)
			rd["rubricCriterionLevel"] = rd["rubricCriterionLevel"].([]any)[:3]
		}},
		"status index a number": {"", func(d, _, _ map[string]any) {
			d["credentialStatus"].([]any)[0].(map[string]any)["statusListIndex"] = json.Number("7")
		}},
		"terms extra":           {"/termsOfUse", func(d, _, _ map[string]any) { d["termsOfUse"].([]any)[0].(map[string]any)["x"] = "y" }},
		"schema without digest": {"/credentialSchema", func(d, _, _ map[string]any) { delete(d["credentialSchema"].([]any)[0].(map[string]any), "digestSRI") }},
		"name endless":          {"/name", func(d, _, _ map[string]any) { d["name"] = strings.Repeat("x", 1000) }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := read(t, "testdata/valid/profile-en.json")
			c.apply(doc, doc["credentialSubject"].(map[string]any), doc["evidence"].([]any)[0].(map[string]any))
			err := v.Validate(deiURL, doc)
			fe, ok := errors.AsType[*schemas.FieldError](err)
			if !ok || !errors.Is(err, schemas.ErrMalformed) {
				t.Fatalf("Validate = %v, want a FieldError", err)
			}
			if !strings.HasPrefix(fe.Pointer, c.pointer) {
				t.Errorf("fault %v, want at %s", fe, c.pointer)
			}
		})
	}
}

func TestSchemaAddresses(t *testing.T) {
	t.Parallel()
	v := validator(t)
	for in, want := range map[string]bool{
		deiURL: true, "https://other.example:8443/schemas/dei/v1": true, "http://localhost:8080/schemas/dei/v1": true,
		"https://w3id.org/heartmark/schemas/dei/v1": true,
		"https://hm.example/schemas/dei/v2":         false, "https://hm.example/x/schemas/dei/v1": false,
		"https://hm.example/schemas/dei/v1?x=1": false, "https://hm.example/schemas/dei/v1#x": false, "https://u@hm.example/schemas/dei/v1": false,
		"ftp://hm.example/schemas/dei/v1": false, "/schemas/dei/v1": false, "file:///schemas/dei/v1": false, "": false, "https://hm.example/schemas/": false,
	} {
		if _, got := v.Name(in); got != want {
			t.Errorf("Name(%q) = %v, want %v", in, got, want)
		}
		_, err := v.Digest(in)
		if want != (err == nil) || !want && !errors.Is(err, jsonschema.ErrUnknownSchema) {
			t.Errorf("Digest(%q): %v", in, err)
		}
	}
	if err := v.Validate("https://hm.example/schemas/x", map[string]any{}); !errors.Is(err, jsonschema.ErrUnknownSchema) {
		t.Errorf("Validate of an unknown schema = %v", err)
	}
}

func TestCheckEntry(t *testing.T) {
	t.Parallel()
	v := validator(t)
	doc := read(t, "testdata/valid/profile-en.json")
	cases := map[string]struct {
		entry map[string]any
		want  error
	}{
		"other digest":   {map[string]any{"id": deiURL, "type": "JsonSchema", "digestSRI": "sha384-" + strings.Repeat("A", 64)}, jsonschema.ErrDigest},
		"digest no text": {map[string]any{"id": deiURL, "type": "JsonSchema", "digestSRI": json.Number("1")}, jsonschema.ErrDigest},
		"other type":     {map[string]any{"id": deiURL, "type": "JsonSchemaCredential"}, jsonschema.ErrUnknownSchema},
		"no id":          {map[string]any{"type": "JsonSchema"}, jsonschema.ErrUnknownSchema},
		"without digest": {map[string]any{"id": deiURL, "type": "JsonSchema"}, nil},
	}
	for name, c := range cases {
		if err := v.CheckEntry(c.entry, doc); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A schema may not reach outside itself: no address is ever asked.
func TestCompileReadsNothingElse(t *testing.T) {
	t.Parallel()
	for _, ref := range []string{"https://evil.example/s.json", "file:///etc/passwd", "other.json", "../x"} {
		data, err := json.Marshal(map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": ref})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jsonschema.Compile("https://w3id.org/heartmark/schemas/x", data); err == nil {
			t.Errorf("a schema that refers to %s compiles", ref)
		}
	}
	if _, err := jsonschema.Compile("https://w3id.org/heartmark/schemas/x", []byte(`{"type":`)); err == nil {
		t.Error("a broken schema compiles")
	}
}

// The credential that we write also fits the schema of Open Badges, taken one status entry at a time.
func TestOpenBadgesOwnSchema(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(testkit.Shared(t, "vectors/openbadges-3.0/schema/ob_v3p0_achievementcredential_schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := jsonschema.Compile("https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json", data)
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("testdata/valid/*.json")
	for _, path := range files {
		doc := read(t, path)
		entries, ok := doc["credentialStatus"].([]any)
		if !ok {
			entries = []any{doc["credentialStatus"]}
		}
		doc["proof"] = []any{map[string]any{
			"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "assertionMethod",
			"verificationMethod": "did:web:hm.example#k1", "created": "2026-01-10T09:00:00Z", "proofValue": "z1",
		}}
		for _, entry := range entries {
			doc["credentialStatus"] = entry
			if err := s.Validate(doc); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}
