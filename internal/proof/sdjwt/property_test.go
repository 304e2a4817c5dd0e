package sdjwt_test

import (
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"heartmark/internal/proof/sdjwt"
)

// tree makes random claims and names which of them can be withheld.
type tree struct {
	rng         *rand.Rand
	disclosable []string
}

func (g *tree) object(at string, depth int) map[string]any {
	m := map[string]any{}
	for i := range 1 + g.rng.IntN(4) {
		name := []string{"a", "b/c", "d~e", "意"}[i]
		at := at + "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
		m[name] = g.value(at, depth)
	}
	return m
}

func (g *tree) value(at string, depth int) any {
	if g.rng.IntN(2) == 0 {
		g.disclosable = append(g.disclosable, at)
	}
	if depth == 0 {
		return []any{"text", true, nil, map[string]any{}, []any{}}[g.rng.IntN(5)]
	}
	switch g.rng.IntN(3) {
	case 0:
		return g.object(at, depth-1)
	case 1:
		items := []any{}
		for i := range g.rng.IntN(4) {
			items = append(items, g.value(at+"/"+strconv.Itoa(i), depth-1))
		}
		return items
	}
	return "leaf"
}

// reveal is the plain model: value at a pointer, without what can be withheld and is not chosen.
func reveal(v any, at string, withheld map[string]bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, item := range v {
			here := at + "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
			if !withheld[here] {
				out[name] = reveal(item, here, withheld)
			}
		}
		return out
	case []any:
		out := []any{}
		for i, item := range v {
			here := at + "/" + strconv.Itoa(i)
			if !withheld[here] {
				out = append(out, reveal(item, here, withheld))
			}
		}
		return out
	}
	return v
}

// Any choice of disclosures verifies and reveals exactly these.
func TestAnyChoiceRevealsExactlyItself(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		g := &tree{rng: rng}
		claims := g.object("", 3)
		pad := map[string]int{}
		if rng.IntN(2) == 0 {
			pad[""] = rng.IntN(6)
		}
		compact, err := sdjwt.Issue(claims, sdjwt.Options{Disclosable: g.disclosable, Pad: pad}, p.issuer)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		held := mustParse(t, compact)
		if !reflect.DeepEqual(held.Claims, claims) {
			t.Fatalf("seed %d: all disclosed: %v, want %v", seed, held.Claims, claims)
		}
		chosen, withheld := []string{}, map[string]bool{}
		for _, at := range g.disclosable {
			withheld[at] = true
			if rng.IntN(2) == 0 {
				chosen = append(chosen, at)
			}
		}
		for _, at := range chosen {
			for d := range withheld {
				if at == d || strings.HasPrefix(at, d+"/") { // what a chosen one lies in comes with it
					delete(withheld, d)
				}
			}
		}
		shown, err := held.Present(chosen...)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		token := mustParse(t, shown)
		if err := token.Verify(p.issuer.Public()); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if want := reveal(claims, "", withheld); !reflect.DeepEqual(token.Claims, want) {
			t.Errorf("seed %d: chosen %v: revealed %v, want %v", seed, chosen, token.Claims, want)
		}
		for i := 1; i < len(token.Disclosures); i++ { // order tells nothing
			parts := strings.Split(strings.TrimSuffix(shown, "~"), "~")
			parts[i], parts[i+1] = parts[i+1], parts[i]
			if again := mustParse(t, strings.Join(parts, "~")+"~"); !reflect.DeepEqual(again.Claims, token.Claims) {
				t.Errorf("seed %d: another order gives other claims", seed)
			}
		}
	}
}

// One byte changed anywhere in a bound presentation is refused.
func TestOneByteChangedIsRefused(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	shown, err := mustParse(t, p.issue(t, sdjwt.Options{})).Present("/given_name", "/address/town", "/nationalities/0")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := sdjwt.Bind(shown, sdjwt.Binding{Audience: "a", Nonce: "n", IssuedAt: noon}, p.holder)
	if err != nil {
		t.Fatal(err)
	}
	accepted := func(compact string) bool {
		token, err := sdjwt.Parse(compact)
		if err != nil || token.Verify(p.issuer.Public()) != nil {
			return false
		}
		_, err = token.VerifyBinding()
		return err == nil
	}
	if !accepted(bound) {
		t.Fatal("the unchanged one is refused")
	}
	for i := range len(bound) {
		for _, c := range []byte{bound[i] ^ 1, bound[i] ^ 0x20, 'A', '~', '.', '=', '\n'} {
			if c == bound[i] {
				continue
			}
			if changed := bound[:i] + string(rune(c)) + bound[i+1:]; accepted(changed) {
				t.Errorf("byte %d of %d changed to %q: accepted", i, len(bound), c)
			}
		}
		if accepted(bound[:i] + bound[i+1:]) {
			t.Errorf("byte %d left out: accepted", i)
		}
	}
}

// FuzzParse: what parses is spelt in the one way, shows no reserved name, and verifies with no key that did not sign it.
func FuzzParse(f *testing.F) {
	p := newPair(f)
	compact := p.issue(f, sdjwt.Options{Pad: map[string]int{"": 5}})
	bound, err := sdjwt.Bind(compact, sdjwt.Binding{Audience: "a", Nonce: "n", IssuedAt: noon}, p.holder)
	if err != nil {
		f.Fatal(err)
	}
	issuer, _, _ := strings.Cut(compact, "~")
	f.Add(compact)
	f.Add(bound)
	f.Add(p.signed(f, `{"_sd":["`+hash(`["s","a",{"_sd":["x"]}]`)+`"],"l":[{"...":"y"}]}`, `["s","a",{"_sd":["x"]}]`))
	f.Fuzz(func(t *testing.T, in string) {
		token, err := sdjwt.Parse(in)
		if err != nil {
			return
		}
		if token.Compact() != in {
			t.Errorf("%q has another spelling: %q", in, token.Compact())
		}
		data, err := token.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := sdjwt.ParseJSON(data); err != nil || !reflect.DeepEqual(again.Claims, token.Claims) {
			t.Errorf("%q: the JSON form says something else: %v", in, err)
		}
		if hasReserved(token.Claims) {
			t.Errorf("%q: a reserved name is left", in)
		}
		if token.Verify(p.issuer.Public()) == nil && !strings.HasPrefix(in, issuer+"~") {
			// The seeds are signed by this key too; their payloads have no iss.
			if _, present := token.Claims["iss"]; present {
				t.Errorf("%q verifies and nobody signed it", in)
			}
		}
	})
}

func hasReserved(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			if name == "_sd" || name == "..." || name == "_sd_alg" || hasReserved(item) {
				return true
			}
		}
	case []any:
		for _, item := range v {
			if hasReserved(item) {
				return true
			}
		}
	}
	return false
}
