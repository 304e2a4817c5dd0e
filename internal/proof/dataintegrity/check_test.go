package dataintegrity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"heartmark/internal/proof/dataintegrity"

	"github.com/mr-tron/base58"
)

func suites() []string {
	return []string{dataintegrity.EdDSARDFC2022, dataintegrity.EdDSAJCS2022}
}

// change is one way to falsify a document in place.
type change struct {
	name string
	do   func(doc, proof map[string]any)
}

// leaves lists a change for each member and each scalar under v.
func leaves(v any, path string, at func(doc map[string]any) any) []change {
	var out []change
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			out = append(out, change{"drop " + path + "/" + name, func(doc, _ map[string]any) { delete(at(doc).(map[string]any), name) }})
			out = append(out, leaves(v[name], path+"/"+name, func(doc map[string]any) any { return at(doc).(map[string]any)[name] })...)
			if _, ok := v[name].(string); ok {
				out = append(out, change{"alter " + path + "/" + name, func(doc, _ map[string]any) {
					m := at(doc).(map[string]any)
					m[name] = m[name].(string) + "x"
				}})
			}
		}
	case []any:
		for i := range v {
			out = append(out, leaves(v[i], fmt.Sprint(path, "/", i), func(doc map[string]any) any { return at(doc).([]any)[i] })...)
			if _, ok := v[i].(string); ok {
				out = append(out, change{fmt.Sprint("alter ", path, "/", i), func(doc, _ map[string]any) {
					list := at(doc).([]any)
					list[i] = list[i].(string) + "x"
				}})
			}
		}
	}
	return out
}

// Every member and every string of a signed credential is covered: leaving one out or altering it breaks the proof.
func TestEveryChangeBreaksTheProof(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	key := testKey(1)
	for _, suite := range suites() {
		o := assertion(suite)
		o.Challenge, o.Domain, o.ID, o.Expires = "c-1", "https://verifier.example", "urn:uuid:1", o.Created.AddDate(0, 1, 0)
		signed := sign(t, p, sample(t), o, key)
		changes := leaves(signed, "", func(doc map[string]any) any { return doc })
		if len(changes) < 200 {
			t.Fatalf("only %d changes", len(changes))
		}
		for i, c := range changes {
			if strings.HasSuffix(c.name, "/proof") || testing.Short() && i%7 != 0 {
				continue
			}
			doc := clone(t, signed)
			c.do(doc, nil)
			proofs, err := dataintegrity.Proofs(doc)
			if err == nil {
				err = p.Check(doc, proofs[0], key.Public())
			}
			if err == nil {
				t.Errorf("%s: %s: still verifies", suite, c.name)
			}
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	key := testKey(1)
	context := func(list ...any) func(doc, proof map[string]any) {
		return func(doc, proof map[string]any) {
			doc["@context"] = list
			if proof["@context"] != nil {
				proof["@context"] = list
			}
		}
	}
	const ob = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
	set := func(name string, v any) func(doc, proof map[string]any) {
		return func(doc, _ map[string]any) { doc[name] = v }
	}
	subject := func(name string, v any) func(doc, proof map[string]any) {
		return func(doc, _ map[string]any) { doc["credentialSubject"].(map[string]any)[name] = v }
	}
	inProof := func(name string, v any) func(doc, proof map[string]any) {
		return func(_, proof map[string]any) { proof[name] = v }
	}
	dei := origin + "/contexts/dei/v1"
	cases := []struct {
		name string
		do   func(doc, proof map[string]any)
		want error
	}{
		{"SEC-027 undefined term in the subject", subject("memberLevel", "gold"), dataintegrity.ErrUndefinedTerm},
		{"SEC-027 undefined term at the top", set("memberLevel", "gold"), dataintegrity.ErrUndefinedTerm},
		{"SEC-027 undefined type", set("type", []any{"VerifiableCredential", "OpenBadgeCredential", "Gold"}), dataintegrity.ErrUndefinedTerm},
		{"SEC-027 undefined term in the proof", inProof("memberLevel", "gold"), dataintegrity.ErrUndefinedTerm},
		{"SEC-028 inline context", context(dataintegrity.ContextV2, ob, dei, map[string]any{"misc": "https://a.example/m"}), dataintegrity.ErrContext},
		{"SEC-029 catch-all", context(dataintegrity.ContextV2, ob, dei, map[string]any{"@vocab": "https://evil.example/"}), dataintegrity.ErrContext},
		{"SEC-029 pinned catch-all", context(dataintegrity.ContextV2, ob, dei, "https://www.w3.org/ns/credentials/undefined-terms/v2"), dataintegrity.ErrContext},
		{"SEC-030 base missing", context(ob, dei), dataintegrity.ErrContext},
		{"SEC-030 base second", context(ob, dataintegrity.ContextV2, dei), dataintegrity.ErrContext},
		{"SEC-030 an object", func(doc, _ map[string]any) { doc["@context"] = map[string]any{} }, dataintegrity.ErrContext},
		{"SEC-030 a string", func(doc, _ map[string]any) { doc["@context"] = dataintegrity.ContextV2 }, dataintegrity.ErrContext},
		{"SEC-030 null", func(doc, _ map[string]any) { doc["@context"] = nil }, dataintegrity.ErrContext},
		{"SEC-030 absent", func(doc, _ map[string]any) { delete(doc, "@context") }, dataintegrity.ErrContext},
		{"SEC-030 empty", context(), dataintegrity.ErrContext},
		{"SEC-030 null inside", context(dataintegrity.ContextV2, nil, ob, dei), dataintegrity.ErrContext},
		{"SEC-030 trailing slash", context(dataintegrity.ContextV2+"/", ob, dei), dataintegrity.ErrContext},
		{"SEC-030 http", context("http://www.w3.org/ns/credentials/v2", ob, dei), dataintegrity.ErrContext},
		{"twice the same context", context(dataintegrity.ContextV2, ob, ob, dei), dataintegrity.ErrContext},
		{"base of another version", context(dataintegrity.ContextV1, ob, dei), dataintegrity.ErrContext},
		{"both bases", context(dataintegrity.ContextV2, dataintegrity.ContextV1, ob, dei), dataintegrity.ErrContext},
		{"unknown context", context(dataintegrity.ContextV2, ob, dei, "https://evil.example/c"), dataintegrity.ErrContext},
		{"context in the subject", subject("@context", []any{dataintegrity.ContextV2}), dataintegrity.ErrContext},
		{"context null in the subject", subject("@context", nil), dataintegrity.ErrContext},
		{"null at the top", set("validUntil", nil), dataintegrity.ErrDocument},
		{"null in the subject", subject("name", nil), dataintegrity.ErrDocument},
		{"null in an array", set("name", []any{"a", nil}), dataintegrity.ErrDocument},
		{"array in an array", set("name", []any{[]any{"a"}}), dataintegrity.ErrDocument},
		{"@graph", set("@graph", []any{map[string]any{"id": "urn:a:b", "name": "x"}}), dataintegrity.ErrDocument},
		{"@included", set("@included", []any{map[string]any{"id": "urn:a:b", "name": "x"}}), dataintegrity.ErrDocument},
		{"@reverse", subject("@reverse", map[string]any{"name": map[string]any{"id": "urn:a:b"}}), dataintegrity.ErrDocument},
		{"@nest", subject("@nest", map[string]any{"name": "x"}), dataintegrity.ErrDocument},
		{"@index", subject("@index", "x"), dataintegrity.ErrDocument},
		{"@list", set("name", map[string]any{"@list": []any{"x"}}), dataintegrity.ErrDocument},
		{"@set", set("name", map[string]any{"@set": []any{"x"}}), dataintegrity.ErrDocument},
		{"@base", subject("@base", "https://a.example/"), dataintegrity.ErrDocument},
		{"@foo", subject("@foo", "x"), dataintegrity.ErrDocument},
		{"type twice", set("@type", "VerifiableCredential"), dataintegrity.ErrDocument},
		{"type twice in the subject", subject("@type", "Gold"), dataintegrity.ErrDocument},
		{"member without name", subject("", "gold"), dataintegrity.ErrUndefinedTerm},
		{"language without value", set("name", map[string]any{"@language": "en"}), dataintegrity.ErrDocument},
		{"id beside a value", set("name", map[string]any{"@value": "x", "@id": "urn:a:b"}), dataintegrity.ErrDocument},
		{"id twice", set("@id", "urn:uuid:6f1c4b1e-7a56-4c50-9e1d-0a5d0c1c7f11"), dataintegrity.ErrDocument},
		{"relative id", set("id", "relative"), dataintegrity.ErrDocument},
		{"relative issuer", set("issuer", "acme"), dataintegrity.ErrDocument},
		{"name with a space", set("issuer", "did:example:a b"), dataintegrity.ErrDocument},
		{"name that closes itself", set("issuer", "did:example:a> <urn:x"), dataintegrity.ErrDocument},
		{"id a number", set("id", json.Number("1")), dataintegrity.ErrDocument},
		{"id an array", set("id", []any{"urn:a:b"}), dataintegrity.ErrDocument},
		{"type a number", set("type", json.Number("1")), dataintegrity.ErrDocument},
		{"type of objects", set("type", []any{map[string]any{}}), dataintegrity.ErrDocument},
		{"bad direction", set("name", map[string]any{"@value": "x", "@direction": "up"}), dataintegrity.ErrDocument},
		{"bad language", set("name", map[string]any{"@value": "x", "@language": "e n"}), dataintegrity.ErrDocument},
		{"long language", set("name", map[string]any{"@value": "x", "@language": "languages"}), dataintegrity.ErrDocument},
		{"language and type", set("name", map[string]any{"@value": "x", "@language": "en", "@type": "urn:t"}), dataintegrity.ErrDocument},
		{"value with members", set("name", map[string]any{"@value": "x", "name": "y"}), dataintegrity.ErrDocument},
		{"SEC-041 integer past 2^53", subject("name", json.Number("9007199254740993")), dataintegrity.ErrDocument},
		{"SEC-041 overflow", subject("name", json.Number("1e400")), dataintegrity.ErrDocument},
		{"SEC-041 17 digits", subject("name", json.Number("0.30000000000000004")), dataintegrity.ErrDocument},
		{"Go type", subject("name", struct{}{}), dataintegrity.ErrDocument},
		{"SEC-042 unknown suite", inProof("cryptosuite", "eddsa-rdfc-2099"), dataintegrity.ErrUnknownSuite},
		{"SEC-042 suite of another case", inProof("cryptosuite", "EDDSA-RDFC-2022"), dataintegrity.ErrUnknownSuite},
		{"SEC-042 suite of another key", inProof("cryptosuite", dataintegrity.ECDSARDFC2019), dataintegrity.ErrKey},
		{"SEC-042 old suite", inProof("type", "Ed25519Signature2020"), dataintegrity.ErrProofShape},
		{"SEC-042 no suite", func(_, proof map[string]any) { delete(proof, "cryptosuite") }, dataintegrity.ErrProofShape},
		{"no purpose", func(_, proof map[string]any) { delete(proof, "proofPurpose") }, dataintegrity.ErrProofShape},
		{"no method", func(_, proof map[string]any) { delete(proof, "verificationMethod") }, dataintegrity.ErrProofShape},
		{"method as object", inProof("verificationMethod", map[string]any{"id": "did:web:a#b"}), dataintegrity.ErrProofShape},
		{"relative method", inProof("verificationMethod", "key-1"), dataintegrity.ErrProofShape},
		{"other purpose", inProof("proofPurpose", "authentication"), dataintegrity.ErrProofInvalid},
		{"other date", inProof("created", "2026-01-10T09:00:02Z"), dataintegrity.ErrProofInvalid},
		{"same date spelt otherwise", inProof("created", "2026-01-10T09:00:01+00:00"), dataintegrity.ErrProofInvalid},
		{"bad date", inProof("created", "2026-02-30T00:00:00Z"), dataintegrity.ErrProofShape},
		{"bad expiry", inProof("expires", "soon"), dataintegrity.ErrProofShape},
		{"expires before created", inProof("expires", "2026-01-10T09:00:00Z"), dataintegrity.ErrProofShape},
		{"challenge added", inProof("challenge", "x"), dataintegrity.ErrProofInvalid},
		{"domain added", inProof("domain", []any{"a.example"}), dataintegrity.ErrProofInvalid},
		{"nonce added", inProof("nonce", "x"), dataintegrity.ErrProofInvalid},
		{"domain of numbers", inProof("domain", []any{json.Number("1")}), dataintegrity.ErrProofShape},
		{"domain empty", inProof("domain", []any{}), dataintegrity.ErrProofShape},
		{"domain twice", inProof("domain", []any{"a", "a"}), dataintegrity.ErrProofShape},
		{"challenge null", inProof("challenge", nil), dataintegrity.ErrProofShape},
		{"SEC-036 unknown previous proof", inProof("previousProof", "urn:uuid:2"), dataintegrity.ErrPreviousProof},
		{"no value", func(_, proof map[string]any) { delete(proof, "proofValue") }, dataintegrity.ErrProofShape},
		{"empty value", inProof("proofValue", ""), dataintegrity.ErrProofShape},
		{"value in base64url", inProof("proofValue", "uAAAA"), dataintegrity.ErrProofShape},
		{"value not base58", inProof("proofValue", "z0OIl"), dataintegrity.ErrProofShape},
		{"short value", inProof("proofValue", "z"+base58.Encode(make([]byte, 63))), dataintegrity.ErrProofShape},
		{"long value", inProof("proofValue", "z"+base58.Encode(make([]byte, 65))), dataintegrity.ErrProofShape},
		{"zero value", inProof("proofValue", "z"+base58.Encode(make([]byte, 64))), dataintegrity.ErrProofInvalid},
		{"huge value", inProof("proofValue", "z"+strings.Repeat("2", 1<<20)), dataintegrity.ErrProofShape},
		{"value of numbers", inProof("proofValue", json.Number("1")), dataintegrity.ErrProofShape},
	}
	for _, suite := range suites() {
		signed := sign(t, p, sample(t), assertion(suite), key)
		for _, c := range cases {
			t.Run(suite+" "+c.name, func(t *testing.T) {
				t.Parallel()
				doc := clone(t, signed)
				proof := firstProof(t, doc)
				c.do(doc, proof)
				err := p.Check(doc, proof, key.Public())
				if !errors.Is(err, c.want) {
					t.Errorf("Check = %v, want %v", err, c.want)
				}
				if strings.HasPrefix(c.name, "SEC-027") && err != nil && !strings.Contains(err.Error(), "memberLevel") && !strings.Contains(err.Error(), "Gold") {
					t.Errorf("Check = %v does not name the term", err)
				}
			})
		}
	}
}

func TestSuiteRelabelled(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	key := testKey(1)
	jcs := sign(t, p, sample(t), assertion(dataintegrity.EdDSAJCS2022), key)
	proof := firstProof(t, jcs)
	proof["cryptosuite"] = dataintegrity.EdDSARDFC2022
	if err := p.Check(jcs, proof, key.Public()); !errors.Is(err, dataintegrity.ErrContext) {
		t.Errorf("jcs proof relabelled rdfc: %v, want ErrContext", err)
	}
	delete(proof, "@context")
	if err := p.Check(jcs, proof, key.Public()); !errors.Is(err, dataintegrity.ErrProofInvalid) {
		t.Errorf("jcs proof relabelled rdfc, context dropped: %v, want ErrProofInvalid", err)
	}
	rdf := sign(t, p, sample(t), assertion(dataintegrity.EdDSARDFC2022), key)
	proof = firstProof(t, rdf)
	proof["cryptosuite"] = dataintegrity.EdDSAJCS2022
	if err := p.Check(rdf, proof, key.Public()); !errors.Is(err, dataintegrity.ErrContext) {
		t.Errorf("rdfc proof relabelled jcs: %v, want ErrContext", err)
	}
	proof["@context"] = rdf["@context"]
	if err := p.Check(rdf, proof, key.Public()); !errors.Is(err, dataintegrity.ErrProofInvalid) {
		t.Errorf("rdfc proof relabelled jcs with context: %v, want ErrProofInvalid", err)
	}
}
