package dataintegrity_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/testkit"
	"heartmark/schemas"
)

// bothWays fails when the compiled way takes a document that the general way refuses or reads otherwise.
func bothWays(t *testing.T, p *dataintegrity.Processor, what string, doc map[string]any) (shortTaken, fine bool) {
	t.Helper()
	short, general, shortErr, generalErr := p.CanonicalBothWays(doc)
	if shortErr != nil {
		return false, generalErr == nil
	}
	if generalErr != nil || !bytes.Equal(short, general) {
		text, _ := schemas.Marshal(doc)
		t.Errorf("%s: the ways differ (general: %v)\n%s\nshort\n%s\ngeneral\n%s", what, generalErr, text, short, general)
	}
	return true, true
}

// published returns every JSON object with an @context under the shared vectors, by path.
func published(t *testing.T) map[string]map[string]any {
	t.Helper()
	docs := map[string]map[string]any{}
	for _, folder := range []string{"openbadges-3.0", "vcdm2-inputs", "vc-di-eddsa", "vc-di-ecdsa", "vc-di-bbs", "vc-di-proof-chain", "vc-di-sd-mocks", "dcc-verifier-core", "vc-jose-cose"} {
		err := filepath.WalkDir(testkit.Shared(t, "vectors/"+folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if doc, err := schemas.ParseObject(data); err == nil && doc["@context"] != nil {
				docs[path] = doc
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(docs) < 50 {
		t.Fatalf("only %d documents", len(docs))
	}
	return docs
}

func TestCompiledWayAgreesOnPublishedDocuments(t *testing.T) {
	t.Parallel()
	p := newProcessor(t, exampleContexts(t)...).WithPolicy(dataintegrity.Policy{Legacy: true})
	short, fine := 0, 0
	docs := published(t)
	for path, doc := range docs {
		for _, keep := range []bool{false, true} {
			d := clone(t, doc)
			if !keep {
				delete(d, "proof")
			}
			taken, ok := bothWays(t, p, path, d)
			if taken {
				short++
			}
			if ok {
				fine++
			}
		}
	}
	t.Logf("%d documents, %d forms convert, %d of them the compiled way", len(docs), fine, short)
	if short*10 < fine*6 {
		t.Errorf("the compiled way took %d of %d", short, fine)
	}
}

func TestCompiledWayTakesOurCredentials(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	doc := sample(t)
	if taken, _ := bothWays(t, p, "DEI credential", doc); !taken {
		t.Error("the compiled way did not take a DEI credential")
	}
	signed := sign(t, p, doc, assertion(""), testKey(1))
	delete(signed, "proof")
	presentation := map[string]any{
		"@context": []any{dataintegrity.ContextV2}, "type": []any{"VerifiablePresentation"}, "holder": "did:example:holder",
		"verifiableCredential": []any{sign(t, p, doc, assertion(""), testKey(1)), sign(t, p, doc, assertion(""), testKey(2))},
	}
	if taken, _ := bothWays(t, p, "presentation", presentation); !taken {
		t.Error("the compiled way did not take a presentation")
	}
}

// The one term of the embedded contexts with a list as its container.
func TestCompiledWayTakesLists(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	for _, c := range []struct {
		value any
		taken bool
	}{
		{[]any{}, true},
		{"a", true},
		{[]any{"a"}, true},
		{[]any{"b", "a", "b"}, true},
		{[]any{json.Number("1"), true, map[string]any{"@value": "x", "@language": "en"}}, true},
		{[]any{map[string]any{"id": "urn:a:b"}, map[string]any{"type": []any{"Profile"}, "name": "x"}}, true},
		{[]any{[]any{"a"}}, false},
		{[]any{nil}, false},
		{map[string]any{"@list": []any{"a"}}, false},
	} {
		doc := sample(t)
		achievement := doc["credentialSubject"].(map[string]any)["achievement"].(map[string]any)
		achievement["resultDescription"].([]any)[0].(map[string]any)["allowedValue"] = c.value
		if taken, _ := bothWays(t, p, "list", doc); taken != c.taken {
			t.Errorf("allowedValue %v: taken %v, want %v", c.value, taken, c.taken)
		}
	}
}

// mutate changes doc somewhere, in place.
func mutate(rng *rand.Rand, doc map[string]any, words []string) {
	names := make([]string, 0, len(doc))
	for name := range doc {
		names = append(names, name)
	}
	slices.Sort(names)
	name := names[rng.IntN(len(names))]
	word := func() string { return words[rng.IntN(len(words))] }
	if name == "@context" {
		return
	}
	switch v := doc[name].(type) {
	case map[string]any:
		if len(v) > 0 && rng.IntN(4) > 0 {
			mutate(rng, v, words)
			return
		}
	case []any:
		if len(v) > 0 && rng.IntN(4) > 0 {
			i := rng.IntN(len(v))
			if m, ok := v[i].(map[string]any); ok && len(m) > 0 {
				mutate(rng, m, words)
				return
			}
			v[i] = word()
			return
		}
	}
	switch rng.IntN(9) {
	case 0:
		delete(doc, name)
	case 1:
		doc[word()] = doc[name]
	case 2:
		doc[name] = word()
	case 3:
		doc[name] = []any{word(), map[string]any{"type": word(), word(): word()}}
	case 4:
		doc[name] = map[string]any{"id": "urn:x:" + word(), word(): word(), "type": []any{word(), word()}}
	case 5:
		doc[name] = json.Number([]string{"1", "1.50", "-0", "1e2", "123456789012345678"}[rng.IntN(5)])
	case 6:
		doc[name] = []any{}
	case 7:
		doc[name] = map[string]any{"id": word()}
	case 8:
		doc[word()] = rng.IntN(2) == 0
	}
}

// words are terms, types and values out of which changes are made.
func words(docs map[string]map[string]any) []string {
	set := map[string]bool{"@type": true, "@value": true, "@id": true, "@graph": true, "": true, "_:b0": true, "urn:a:b": true, "undefinedTerm": true, "rel/ative": true, "id": true, "type": true, "proof": true, "verifiableCredential": true}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, item := range v {
				set[name] = true
				if name == "type" {
					walk(item)
				} else if _, isString := item.(string); !isString {
					walk(item)
				}
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		case string:
			set[v] = true
		}
	}
	for _, doc := range docs {
		walk(doc)
	}
	delete(set, "@context")
	list := make([]string, 0, len(set))
	for w := range set {
		if len(w) < 60 {
			list = append(list, w)
		}
	}
	slices.Sort(list)
	return list
}

func TestCompiledWayAgreesOnChangedDocuments(t *testing.T) {
	t.Parallel()
	p := newProcessor(t, exampleContexts(t)...).WithPolicy(dataintegrity.Policy{Legacy: true})
	docs := published(t)
	docs["ours"] = sign(t, p, sample(t), assertion(""), testKey(1))
	all := words(docs)
	paths := make([]string, 0, len(docs))
	for path := range docs {
		if _, _, _, err := p.CanonicalBothWays(docs[path]); err == nil {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	rounds := 600
	if testing.Short() {
		rounds = 100
	}
	short := 0
	rng := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		path := paths[rng.IntN(len(paths))]
		doc := clone(t, docs[path])
		for range 1 + rng.IntN(3) {
			mutate(rng, doc, all)
		}
		if taken, _ := bothWays(t, p, path, doc); taken {
			short++
		}
		if t.Failed() {
			return
		}
	}
	if short == 0 {
		t.Error("no changed document went the compiled way")
	}
	t.Logf("%d of %d went the compiled way", short, rounds)
}

// FuzzWays: the compiled and the general way agree on whatever parses as a document.
func FuzzWays(f *testing.F) {
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"did:example:a","credentialSubject":{"id":"did:example:b"}}`))
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],"type":["VerifiableCredential","OpenBadgeCredential"],"issuer":{"id":"did:example:a","type":"Profile"},"credentialSubject":{"type":"AchievementSubject","achievement":{"id":"urn:a:b","type":"Achievement","name":"x","criteria":{"narrative":"y"}}},"proof":{"type":"DataIntegrityProof","proofPurpose":"assertionMethod","created":"2026-01-01T00:00:00Z"}}`))
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"VerifiablePresentation","verifiableCredential":[{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"VerifiableCredential","issuer":"did:example:a","name":{"@value":"x","@language":"en","@direction":"ltr"},"credentialSubject":{"id":"_:b"}}]}`))
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential","JsonSchemaCredential"],"credentialSubject":{"type":"JsonSchema","jsonSchema":{"enum":[null,[1.5]]}}}`))
	p := newProcessor(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := schemas.ParseObject(data)
		if err != nil {
			return
		}
		bothWays(t, p, "fuzz", doc)
		if _, err := p.Canonical(doc); err != nil && !known(err) {
			t.Fatalf("Canonical(%s): %v is none of the package's errors", data, err)
		}
	})
}

// known tells whether err is one that the package documents.
func known(err error) bool {
	for _, want := range []error{dataintegrity.ErrContext, dataintegrity.ErrDocument, dataintegrity.ErrUndefinedTerm, dataintegrity.ErrBudget, dataintegrity.ErrProofShape} {
		if errors.Is(err, want) {
			return true
		}
	}
	return strings.Contains(err.Error(), "budget")
}
