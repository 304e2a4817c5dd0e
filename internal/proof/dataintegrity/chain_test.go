package dataintegrity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"heartmark/internal/proof/dataintegrity"
	"heartmark/schemas"
)

func TestSEC_034_035_Proofs(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	good := firstProof(t, sign(t, p, sample(t), assertion(""), testKey(1)))
	with := func(name string, v any) map[string]any {
		m := clone(t, good)
		m[name] = v
		return m
	}
	many := make([]any, 21)
	for i := range many {
		many[i] = good
	}
	for name, c := range map[string]struct {
		proof any
		want  error
	}{
		"null": {nil, dataintegrity.ErrNoProof}, "empty array": {[]any{}, dataintegrity.ErrNoProof}, "empty object": {map[string]any{}, dataintegrity.ErrNoProof},
		"string": {"x", dataintegrity.ErrProofShape}, "true": {true, dataintegrity.ErrProofShape}, "number": {json.Number("1"), dataintegrity.ErrProofShape},
		"array of null": {[]any{nil}, dataintegrity.ErrProofShape}, "good and string": {[]any{good, "x"}, dataintegrity.ErrProofShape}, "good and empty": {[]any{good, map[string]any{}}, dataintegrity.ErrProofShape},
		"array in array": {[]any{[]any{good}}, dataintegrity.ErrProofShape}, "too many": {many, dataintegrity.ErrProofShape},
		"same id": {[]any{with("id", "urn:uuid:1"), with("id", "urn:uuid:1")}, dataintegrity.ErrProofShape}, "relative id": {with("id", "x"), dataintegrity.ErrProofShape},
		"type array": {with("type", []any{"DataIntegrityProof"}), dataintegrity.ErrProofShape},
	} {
		if got, err := dataintegrity.Proofs(map[string]any{"proof": c.proof}); !errors.Is(err, c.want) {
			t.Errorf("Proofs(%s) = %v, %v; want %v", name, got, err, c.want)
		}
	}
	if _, err := dataintegrity.Proofs(map[string]any{}); !errors.Is(err, dataintegrity.ErrNoProof) {
		t.Errorf("Proofs without proof = %v, want ErrNoProof", err)
	}
	for _, v := range []any{good, []any{good}, []map[string]any{good}} {
		if got, err := dataintegrity.Proofs(map[string]any{"proof": v}); err != nil || len(got) != 1 {
			t.Errorf("Proofs(%T) = %v, %v; want one", v, got, err)
		}
	}
}

func TestSEC_036_Chains(t *testing.T) {
	t.Parallel()
	p := newProcessor(t)
	key := testKey(1)
	base := firstProof(t, sign(t, p, sample(t), assertion(""), key))
	link := func(id string, before ...any) map[string]any {
		m := clone(t, base)
		m["id"] = id
		if len(before) > 0 {
			m["previousProof"] = before
		}
		return m
	}
	for name, list := range map[string][]any{
		"two that name each other": {link("urn:a:a", "urn:a:b"), link("urn:a:b", "urn:a:a")},
		"names itself":             {link("urn:a:a", "urn:a:a")},
		"dangling":                 {link("urn:a:a", "urn:a:c"), link("urn:a:b")},
		"dangling further down":    {link("urn:a:a", "urn:a:b"), link("urn:a:b", "urn:a:c")},
		"loop further down":        {link("urn:a:a", "urn:a:b"), link("urn:a:b", "urn:a:c"), link("urn:a:c", "urn:a:b")},
	} {
		doc := sample(t)
		doc["proof"] = list
		if err := p.Check(doc, list[0].(map[string]any), key.Public()); !errors.Is(err, dataintegrity.ErrPreviousProof) {
			t.Errorf("Check(%s) = %v, want ErrPreviousProof", name, err)
		}
	}
	var thousand []any
	for i := range 1000 {
		thousand = append(thousand, link(fmt.Sprint("urn:a:", i), fmt.Sprint("urn:a:", i+1)))
	}
	doc := sample(t)
	doc["proof"] = thousand
	if err := p.Check(doc, thousand[0].(map[string]any), key.Public()); !errors.Is(err, dataintegrity.ErrProofShape) {
		t.Errorf("Check of a chain of 1000 = %v, want ErrProofShape", err)
	}
	for _, suite := range suites() {
		chained := sample(t)
		for i := range 4 {
			o := assertion(suite)
			o.ID, o.Add = fmt.Sprint("urn:a:", i), true
			if i > 0 {
				o.PreviousProof = []string{fmt.Sprint("urn:a:", i-1)}
			}
			chained = sign(t, p, chained, o, testKey(byte(i)))
		}
		proofs, err := dataintegrity.Proofs(chained)
		if err != nil || len(proofs) != 4 {
			t.Fatalf("Proofs = %d, %v", len(proofs), err)
		}
		for i, proof := range proofs {
			if err := p.Check(chained, proof, testKey(byte(i)).Public()); err != nil {
				t.Errorf("%s: Check of link %d = %v", suite, i, err)
			}
		}
		proofs[1]["created"] = "2026-01-10T09:00:05Z"
		if err := p.Check(chained, proofs[2], testKey(2).Public()); !errors.Is(err, dataintegrity.ErrProofInvalid) {
			t.Errorf("%s: Check over a changed link = %v, want ErrProofInvalid", suite, err)
		}
	}
}

func TestCheckPeriod(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		v, err := schemas.ParseTime(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	proof := dataintegrity.Proof{Created: at("2026-01-10T09:00:00Z"), Expires: at("2026-01-11T09:00:00Z")}
	for now, fine := range map[string]bool{
		"2026-01-10T08:58:59Z": false, "2026-01-10T08:59:00Z": true, "2026-01-10T12:00:00Z": true, "2026-01-11T09:01:00Z": true, "2026-01-11T09:01:01Z": false,
	} {
		if err := proof.CheckPeriod(at(now), time.Minute); (err == nil) != fine || err != nil && !errors.Is(err, dataintegrity.ErrProofPeriod) {
			t.Errorf("CheckPeriod(%s) = %v, want fine %v", now, err, fine)
		}
	}
	if err := (dataintegrity.Proof{}).CheckPeriod(at("2026-01-10T09:00:00Z"), 0); err != nil {
		t.Errorf("CheckPeriod without dates = %v, want nil", err)
	}
}
