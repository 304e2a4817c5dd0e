package dataintegrity_test

import (
	"encoding/json"
	"flag"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/schemas"
	"heartmark/schemas/context"
)

// generator makes documents out of the terms of the embedded contexts: mostly sound ones with every feature that those
// contexts have, and now and then something that is to be refused. What it makes is decided by the bytes of choices, so
// that a fuzzer can steer it; when they are used up it comes to an end.
type generator struct {
	choices []byte
	base    string
	others  []string
	terms   map[string]*vocabulary // by address of the context
	known   []string               // terms of the contexts chosen, with those inside types and properties
	scoped  map[string][]string    // term to the terms of its scoped context
	values  int                    // left to make
}

// vocabulary is what a context defines.
type vocabulary struct {
	terms  []string
	scoped map[string][]string
}

// vocabularies reads the embedded contexts.
func vocabularies(t testing.TB) map[string]*vocabulary {
	t.Helper()
	loader, err := context.New()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*vocabulary{}
	for _, address := range append(loader.URLs(), origin+context.DEIPath) {
		data, err := loader.Document(address)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := schemas.ParseObject(data)
		if err != nil {
			t.Fatal(err)
		}
		v := &vocabulary{scoped: map[string][]string{}}
		v.read(doc["@context"], &v.terms)
		slices.Sort(v.terms)
		v.terms = slices.Compact(v.terms)
		all[address] = v
	}
	return all
}

func (v *vocabulary) read(c any, into *[]string) {
	switch c := c.(type) {
	case []any:
		for _, item := range c {
			v.read(item, into)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(c)) {
			if strings.HasPrefix(name, "@") {
				continue
			}
			*into = append(*into, name)
			if m, ok := c[name].(map[string]any); ok && m["@context"] != nil {
				var inside []string
				v.read(m["@context"], &inside)
				v.scoped[name] = append(v.scoped[name], inside...)
			}
		}
	}
}

// pick returns a number below n.
func (g *generator) pick(n int) int {
	v := 0
	for range 1 + n/256 {
		if len(g.choices) == 0 {
			break
		}
		v = v<<8 | int(g.choices[0])
		g.choices = g.choices[1:]
	}
	return v % n
}

func (g *generator) one(list ...string) string { return list[g.pick(len(list))] }

// document makes a document.
func (g *generator) document() map[string]any {
	g.values = 60
	g.base = dataintegrity.ContextV2
	if g.pick(4) == 0 {
		g.base = dataintegrity.ContextV1
	}
	addresses := slices.Sorted(maps.Keys(g.terms))
	for range g.pick(4) {
		a := addresses[g.pick(len(addresses))]
		if a != dataintegrity.ContextV1 && a != dataintegrity.ContextV2 && !slices.Contains(g.others, a) {
			g.others = append(g.others, a)
		}
	}
	g.learn()
	doc := g.node(0, g.one("VerifiableCredential", "VerifiablePresentation", "VerifiableCredential"), nil)
	doc["@context"] = g.contexts()
	return doc
}

func (g *generator) contexts() []any {
	list := []any{g.base}
	for _, a := range g.others {
		list = append(list, a)
	}
	return list
}

func (g *generator) learn() {
	g.known, g.scoped = nil, map[string][]string{}
	for _, a := range append([]string{g.base}, g.others...) {
		g.known = append(g.known, g.terms[a].terms...)
		for name, inside := range g.terms[a].scoped {
			g.scoped[name] = append(g.scoped[name], inside...)
		}
	}
}

// node makes an object of the given type ("" for any) that stands where the terms of hints are defined.
func (g *generator) node(depth int, typ string, hints []string) map[string]any {
	m := map[string]any{}
	var types []any
	if typ != "" {
		types = append(types, typ)
	}
	for range g.pick(3) {
		types = append(types, g.typeName(hints))
	}
	for _, t := range types {
		hints = append(slices.Clone(hints), g.scoped[t.(string)]...)
	}
	switch {
	case len(types) == 1 && g.pick(2) == 0:
		m["type"] = types[0]
	case len(types) > 0:
		m["type"] = types
	}
	if g.pick(2) == 0 {
		m["id"] = g.name()
	}
	for range g.pick(6) {
		name := g.memberName(hints)
		if g.values--; g.values < 0 {
			break
		}
		if _, taken := m[name]; !taken {
			m[name] = g.value(depth+1, name, false)
		}
	}
	return m
}

func (g *generator) typeName(hints []string) string {
	if g.pick(30) == 0 {
		return g.one("Undefined", "@json", "", "urn:x:Type", "_:type", "rel/Type", "@type", "ceasn:Competency", "name")
	}
	for range 8 {
		name := g.memberName(hints)
		if name != "" && name[0] >= 'A' && name[0] <= 'Z' {
			return name
		}
	}
	return "VerifiableCredential"
}

func (g *generator) memberName(hints []string) string {
	if g.pick(60) == 0 {
		return g.one("undefinedTerm", "@id", "@type", "", "urn:a:b", "_:b", "@graph", "@value", "@language", "@list", "@set", "@index", "@context", "@included", "@reverse", "@nest", "https://a.example/p", "a:b", "@none", "@base")
	}
	if len(hints) > 0 && g.pick(4) > 0 {
		return hints[g.pick(len(hints))]
	}
	return g.known[g.pick(len(g.known))]
}

func (g *generator) name() string {
	if g.pick(25) == 0 {
		return g.one("", "relative", "../x", "urn:", "urn:a b", "_:", "_:a b", "@id", "1a:b", "urn:a>b", "https://a.example/{x}", "urn:x\\y", "#fragment", "a:", "ü:b", "urn:ü", "urn:heartmark:undefined#x", "name", "urn:\u0001")
	}
	return g.one("urn:a:b", "did:example:a", "https://a.example/x#y", "_:b0", "_:b1", "https://a.example/x", "https://a.example/x-1", "urn:a:c", "ceasn:x", "sec:y", "urn:a:", "did:key:z6Mk", "https://a.example/ü", "urn:a:b#", "urn:a:b%20")
}

func (g *generator) text() string {
	return g.one("x", "", "x y", "情商 😀", "a\"b\\c\nd\te\rf\bg\fh", "\u0000\u001f\u007f\u0080\u00a0", "2026-01-01T00:00:00Z", "urn:a:b", "did:example:a", "name", "@json", "@id", "VerifiableCredential",
		"assertionMethod", "authentication", "_:b0", "1", "true", strings.Repeat("long ", 20), "\u2028", "x> .\n<urn:s> <urn:p> \"", "é", "e\u0301", "rel/x", "https://a.example/x")
}

func (g *generator) number() json.Number {
	return json.Number(g.one("0", "1", "-1", "-0", "1.0", "1.5", "1e2", "1E-7", "1e21", "1e20", "123456789", "9007199254740991", "9007199254740993", "0.1", "3.14159265358979", "0.30000000000000004", "1e400", "5e-324", "-0.0", "100", "2.5e-10", "12345.678"))
}

func (g *generator) value(depth int, name string, inArray bool) any {
	if g.values--; g.values < 0 || depth > 6 {
		return g.text()
	}
	switch g.pick(16) {
	case 0, 1, 2:
		return g.text()
	case 3, 4:
		return g.name()
	case 5:
		return g.number()
	case 6:
		return g.pick(2) == 0
	case 7:
		if g.pick(8) == 0 {
			return nil
		}
		return g.tagged()
	case 8, 9, 10:
		if inArray && g.pick(20) > 0 {
			return g.node(depth, "", g.scoped[name])
		}
		list := make([]any, g.pick(4))
		for i := range list {
			list[i] = g.value(depth, name, true)
		}
		return list
	case 11:
		return g.embedded(depth)
	case 12:
		return map[string]any{"id": g.name()}
	case 13:
		if t := g.scoped[name]; len(t) == 0 && g.pick(3) == 0 {
			return g.json(depth)
		}
	}
	return g.node(depth, "", g.scoped[name])
}

// tagged makes a value object, mostly one that is sound.
func (g *generator) tagged() any {
	m := map[string]any{"@value": g.text()}
	switch g.pick(6) {
	case 0:
		m["@language"] = g.one("en", "zh-Hans", "EN-us", "e n", "", "languages", "x-1", "12")
	case 1:
		m["@direction"] = g.one("ltr", "rtl", "up", "")
	case 2:
		m["@language"], m["@direction"] = "ar", "rtl"
	case 3:
		m["@type"] = g.one("urn:t", "@json", "rel", "http://www.w3.org/2001/XMLSchema#string", "name", "xsd:date", "@id")
	case 4:
		m["@value"] = g.json(3)
	case 5:
		m[g.one("@index", "name", "@id", "@context", "@list")] = g.text()
	}
	return m
}

// embedded makes a credential with contexts of its own.
func (g *generator) embedded(depth int) any {
	others := g.others
	if len(others) > 0 && g.pick(2) == 0 {
		g.others = others[:g.pick(len(others))]
	}
	m := g.node(depth, g.one("VerifiableCredential", "EnvelopedVerifiableCredential", "VerifiablePresentation", "VerifiableCredential", "Profile"), nil)
	m["@context"] = g.contexts()
	switch g.pick(12) {
	case 0:
		m["@context"] = g.base
	case 1:
		m["@context"] = g.one("https://unknown.example/c", "")
	case 2:
		delete(m, "@context")
	}
	g.others = others
	return m
}

// json makes any JSON value.
func (g *generator) json(depth int) any {
	if g.values--; g.values < 0 || depth > 8 {
		return nil
	}
	switch g.pick(7) {
	case 0:
		return nil
	case 1:
		return g.number()
	case 2:
		return g.pick(2) == 0
	case 3:
		list := make([]any, g.pick(3))
		for i := range list {
			list[i] = g.json(depth + 1)
		}
		return list
	case 4, 5:
		m := map[string]any{}
		for range g.pick(3) {
			m[g.one("b", "a", "@id", "é", "@context", "", "type")] = g.json(depth + 1)
		}
		return m
	}
	return g.text()
}

// FuzzGenerated: the compiled and the general way agree on documents made of the terms of the embedded contexts, and the
// compiled one never takes what the general one refuses.
func FuzzGenerated(f *testing.F) {
	random := rand.NewChaCha8([32]byte{1})
	for range 40 {
		seed := make([]byte, 200)
		if _, err := random.Read(seed); err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	p := newProcessor(f).WithPolicy(dataintegrity.Policy{Legacy: true})
	terms := vocabularies(f)
	f.Fuzz(func(t *testing.T, choices []byte) {
		g := generator{choices: choices, terms: terms}
		if doc := g.document(); p.CompiledTakes(doc) { // what it hands on, only the general way says anything about
			bothWays(t, p, "generated", doc)
		}
	})
}

var rounds = flag.Int("rounds", 4_000, "documents that TestGeneratedDocumentsBothWays makes")

// Out of documents that are made at random, those that the general way takes are taken the compiled way too, nearly always,
// and all give the same bytes.
func TestGeneratedDocumentsBothWays(t *testing.T) {
	t.Parallel()
	p := newProcessor(t).WithPolicy(dataintegrity.Policy{Legacy: true})
	terms := vocabularies(t)
	const counted = 4_000 // the documents for which it is asked too what only the general way takes
	rounds := *rounds
	if testing.Short() {
		rounds = min(rounds, 400)
	}
	random := rand.NewChaCha8([32]byte{2, byte(rounds), byte(rounds >> 8)})
	compiled, sound := 0, 0
	choices := make([]byte, 240)
	for i := range rounds {
		if _, err := random.Read(choices); err != nil {
			t.Fatal(err)
		}
		g := generator{choices: choices[:16+int(choices[238])*int(choices[239])/300], terms: terms} // small ones more often
		doc := g.document()
		if i >= counted && !p.CompiledTakes(doc) {
			continue
		}
		taken, fine := bothWays(t, p, "generated", doc)
		if taken && i < counted {
			compiled++
		}
		if fine && i < counted {
			sound++
		}
		if t.Failed() {
			return
		}
	}
	first := min(counted, rounds)
	t.Logf("%d documents; of the first %d, %d convert, %d of them the compiled way", rounds, first, sound, compiled)
	if sound*20 < first || compiled*10 < sound*9 {
		t.Errorf("of %d documents %d convert, %d of them the compiled way", first, sound, compiled)
	}
}
