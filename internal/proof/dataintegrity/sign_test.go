package dataintegrity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/internal/proof/dataintegrity"
)

// poison is a credential whose subject is a complete graph of n blank nodes.
func poison(n int) map[string]any {
	nodes := make([]any, n)
	for i := range nodes {
		relations := make([]any, n)
		for j := range relations {
			relations[j] = map[string]any{"id": fmt.Sprint("_:e", j)}
		}
		nodes[i] = map[string]any{"id": fmt.Sprint("_:e", i), "type": "Achievement", "related": relations}
	}
	return map[string]any{
		"@context": []any{dataintegrity.ContextV2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"}, "type": "VerifiableCredential",
		"issuer": "did:example:a", "credentialSubject": map[string]any{"type": "AchievementSubject", "achievement": nodes},
	}
}

func TestSEC_039_PoisonInACredential(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	for _, n := range []int{8, 10, 12} {
		doc := poison(n)
		for i := range n {
			for _, r := range doc["credentialSubject"].(map[string]any)["achievement"].([]any)[i].(map[string]any)["related"].([]any) {
				r.(map[string]any)["type"] = "Related"
			}
		}
		start := time.Now()
		if _, err := p.Sign(doc, assertion(""), testKey(1)); !errors.Is(err, dataintegrity.ErrBudget) {
			t.Errorf("Sign of %d nodes = %v, want ErrBudget", n, err)
		}
		// The budget is a count of work, a few tens of milliseconds; the bound leaves room for a busy machine.
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%d nodes took %v", n, took)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	signed := sign(t, p, sample(t), assertion(""), testKey(1))
	undefined := sample(t)
	undefined["credentialSubject"].(map[string]any)["memberLevel"] = "gold"
	number := sample(t)
	number["credentialSubject"].(map[string]any)["name"] = json.Number("9007199254740993")
	relative := sample(t)
	relative["id"] = "x"
	with := func(change func(o *dataintegrity.ProofOptions)) dataintegrity.ProofOptions {
		o := assertion("")
		change(&o)
		return o
	}
	for name, c := range map[string]struct {
		doc  map[string]any
		o    dataintegrity.ProofOptions
		key  crypto.Signer
		want error
	}{
		"signed already":    {signed, assertion(""), testKey(1), dataintegrity.ErrSigned},
		"undefined term":    {undefined, assertion(""), testKey(1), dataintegrity.ErrUndefinedTerm},
		"undefined in jcs":  {undefined, assertion(dataintegrity.EdDSAJCS2022), testKey(1), dataintegrity.ErrUndefinedTerm},
		"inexact number":    {number, assertion(""), testKey(1), dataintegrity.ErrDocument},
		"relative id":       {relative, assertion(""), testKey(1), dataintegrity.ErrDocument},
		"empty document":    {map[string]any{}, assertion(""), testKey(1), dataintegrity.ErrContext},
		"contexts alone":    {map[string]any{"@context": []any{dataintegrity.ContextV2}}, assertion(""), testKey(1), dataintegrity.ErrDocument},
		"nil document":      {nil, assertion(""), testKey(1), dataintegrity.ErrContext},
		"unknown suite":     {sample(t), assertion("none"), testKey(1), dataintegrity.ErrUnknownSuite},
		"no key":            {sample(t), assertion(""), nil, dataintegrity.ErrKey},
		"other key":         {sample(t), assertion(dataintegrity.ECDSARDFC2019), testKey(1), dataintegrity.ErrKey},
		"no method":         {sample(t), with(func(o *dataintegrity.ProofOptions) { o.VerificationMethod = "" }), testKey(1), dataintegrity.ErrProofShape},
		"no purpose":        {sample(t), with(func(o *dataintegrity.ProofOptions) { o.Purpose = "" }), testKey(1), dataintegrity.ErrProofShape},
		"unknown purpose":   {sample(t), with(func(o *dataintegrity.ProofOptions) { o.Purpose = "anything" }), testKey(1), dataintegrity.ErrDocument},
		"expires at once":   {sample(t), with(func(o *dataintegrity.ProofOptions) { o.Expires = o.Created.Add(-time.Hour) }), testKey(1), dataintegrity.ErrProofShape},
		"chain to nothing":  {sample(t), with(func(o *dataintegrity.ProofOptions) { o.PreviousProof = []string{"urn:a:b"} }), testKey(1), dataintegrity.ErrNoProof},
		"same id in a set":  {sign(t, p, sample(t), with(func(o *dataintegrity.ProofOptions) { o.ID = "urn:a:b" }), testKey(1)), with(func(o *dataintegrity.ProofOptions) { o.ID, o.Add = "urn:a:b", true }), testKey(1), dataintegrity.ErrProofShape},
		"broken proof kept": {map[string]any{"@context": []any{dataintegrity.ContextV2}, "type": "VerifiableCredential", "issuer": "did:example:a", "proof": "x"}, with(func(o *dataintegrity.ProofOptions) { o.Add = true }), testKey(1), dataintegrity.ErrProofShape},
	} {
		if got, err := p.Sign(c.doc, c.o, c.key); !errors.Is(err, c.want) {
			t.Errorf("Sign(%s) = %v, %v; want %v", name, got, err, c.want)
		}
	}
}

// A legacy document is taken under the legacy policy only.
func TestPolicyLegacy(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	doc := map[string]any{
		"@context": []any{dataintegrity.ContextV1, "https://w3id.org/security/data-integrity/v2"}, "type": []any{"VerifiableCredential"},
		"issuer": "did:example:a", "issuanceDate": "2026-01-10T09:00:00Z", "credentialSubject": map[string]any{"id": "did:example:b"},
	}
	if _, err := p.Sign(doc, assertion(""), testKey(1)); !errors.Is(err, dataintegrity.ErrContext) {
		t.Errorf("Sign under the strict policy = %v, want ErrContext", err)
	}
	legacy := p.WithPolicy(dataintegrity.Policy{Legacy: true})
	signed := sign(t, legacy, doc, assertion(""), testKey(1))
	if err := legacy.Check(signed, firstProof(t, signed), testKey(1).Public()); err != nil {
		t.Errorf("Check under the legacy policy = %v", err)
	}
	if err := p.Check(signed, firstProof(t, signed), testKey(1).Public()); !errors.Is(err, dataintegrity.ErrContext) {
		t.Errorf("Check under the strict policy = %v, want ErrContext", err)
	}
}

// Many goroutines, many origins: shared contexts stay as they are and verdicts too.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	key := testKey(1)
	doc := sample(t)
	want, err := p.Canonical(doc)
	if err != nil {
		t.Fatal(err)
	}
	bad := sample(t)
	bad["memberLevel"] = "gold"
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 80 {
				d := clone(t, doc)
				list := d["@context"].([]any)
				list[2] = fmt.Sprintf("https://o%d-%d.example/contexts/dei/v1", g, i)
				if got, err := p.Canonical(d); err != nil || string(got) != string(want) {
					t.Errorf("canonical form changed (%v)", err)
					return
				}
				if _, err := p.Canonical(bad); !errors.Is(err, dataintegrity.ErrUndefinedTerm) {
					t.Errorf("Canonical of a bad document = %v", err)
				}
				if _, err := p.Sign(poison(3), assertion(dataintegrity.EdDSAJCS2022), key); err != nil && !known(err) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestSignAndCheck(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for suite, keys := range map[string][]crypto.Signer{
		dataintegrity.EdDSARDFC2022: {testKey(1)}, dataintegrity.EdDSAJCS2022: {testKey(1)},
		dataintegrity.ECDSARDFC2019: {p256, p384}, dataintegrity.ECDSAJCS2019: {p256, p384},
	} {
		for _, key := range keys {
			doc := sample(t)
			before := clone(t, doc)
			signed, err := p.Sign(doc, assertion(suite), key)
			if err != nil {
				t.Fatalf("%s: %v", suite, err)
			}
			if !reflect.DeepEqual(doc, before) {
				t.Errorf("%s: Sign changed its document", suite)
			}
			if list, ok := signed["proof"].([]any); !ok || len(list) != 1 {
				t.Errorf("%s: proof is %T, want an array of one", suite, signed["proof"])
			}
			wire := clone(t, signed)
			if err := p.Check(wire, firstProof(t, wire), key.Public()); err != nil {
				t.Errorf("%s: Check = %v", suite, err)
			}
		}
	}
}

// A presentation may hold credentials under every suite; each keeps its own contexts, also inside a jcs proof.
func TestPresentation(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	for _, suite := range suites() {
		var inner []any
		for i, s := range suites() {
			inner = append(inner, sign(t, p, sample(t), assertion(s), testKey(byte(i))))
		}
		o := assertion(suite)
		o.Purpose, o.Challenge, o.Domain = "authentication", "n-1", "https://verifier.example"
		presentation := sign(t, p, map[string]any{
			"@context": []any{dataintegrity.ContextV2}, "type": []any{"VerifiablePresentation"}, "holder": "did:example:holder", "verifiableCredential": inner,
		}, o, testKey(9))
		if err := p.Check(presentation, firstProof(t, presentation), testKey(9).Public()); err != nil {
			t.Errorf("%s: Check of the presentation = %v", suite, err)
		}
		for i, item := range presentation["verifiableCredential"].([]any) {
			credential := item.(map[string]any)
			if err := p.Check(credential, firstProof(t, credential), testKey(byte(i)).Public()); err != nil {
				t.Errorf("%s: Check of credential %d = %v", suite, i, err)
			}
		}
		credential := presentation["verifiableCredential"].([]any)[1].(map[string]any)
		proof := firstProof(t, credential)
		proof["@context"] = []any{dataintegrity.ContextV2}
		if err := p.Check(presentation, firstProof(t, presentation), testKey(9).Public()); !errors.Is(err, dataintegrity.ErrContext) {
			t.Errorf("%s: Check with another context in an inner proof = %v, want ErrContext", suite, err)
		}
	}
}

// The other documents that an installation signs have all their terms in the base context.
func TestStatusListCredential(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	doc := map[string]any{
		"@context": []any{dataintegrity.ContextV2}, "id": origin + "/status/3/revocation", "type": []string{"VerifiableCredential", "BitstringStatusListCredential"},
		"issuer": "did:web:hm.example", "validFrom": "2026-01-10T09:00:00Z", "validUntil": "2026-01-11T09:00:00Z",
		"credentialSubject": map[string]any{
			"id": origin + "/status/3/revocation#list", "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": "u" + strings.Repeat("A", 30_000), "ttl": 300000,
		},
	}
	if taken, _ := bothWays(t, p, "status list", doc); !taken {
		t.Error("the compiled way did not take a status list")
	}
	for _, suite := range suites() {
		signed := sign(t, p, doc, assertion(suite), testKey(1))
		if err := p.Check(signed, firstProof(t, signed), testKey(1).Public()); err != nil {
			t.Errorf("%s: Check = %v", suite, err)
		}
	}
}

// What an embedded credential says stays in a graph of its own: it is not said by the presentation.
func TestPresentationKeepsGraphsApart(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	credential := map[string]any{
		"@context": []any{dataintegrity.ContextV2}, "type": []any{"VerifiableCredential"}, "issuer": "did:example:issuer",
		"credentialSubject": map[string]any{"id": "did:example:subject", "name": "x"},
	}
	got, err := p.Canonical(map[string]any{
		"@context": []any{dataintegrity.ContextV2}, "type": []any{"VerifiablePresentation"}, "verifiableCredential": []any{credential},
	})
	const want = `<did:example:subject> <https://schema.org/name> "x" _:c14n0 .
_:c14n1 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://www.w3.org/2018/credentials#VerifiablePresentation> .
_:c14n1 <https://www.w3.org/2018/credentials#verifiableCredential> _:c14n0 .
_:c14n2 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://www.w3.org/2018/credentials#VerifiableCredential> _:c14n0 .
_:c14n2 <https://www.w3.org/2018/credentials#credentialSubject> <did:example:subject> _:c14n0 .
_:c14n2 <https://www.w3.org/2018/credentials#issuer> <did:example:issuer> _:c14n0 .
`
	if err != nil || string(got) != want {
		t.Errorf("Canonical = %v\n%s\nwant\n%s", err, got, want)
	}
}
