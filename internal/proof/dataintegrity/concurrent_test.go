package dataintegrity_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"heartmark/internal/proof/dataintegrity"
)

// Contexts, their terms and their scopes are made ready by whoever comes first, while others wait for nothing: with many
// at once, each gets what one alone gets.
func TestManyCanonicaliseAtOnce(t *testing.T) {
	t.Parallel()
	docs := []map[string]any{sample(t), small(t)}
	for i := range 6 {
		doc := small(t)
		doc["@context"].([]any)[2] = fmt.Sprintf("https://host%d.example/contexts/dei/v1", i)
		docs = append(docs, map[string]any{
			"@context": []any{dataintegrity.ContextV2}, "type": []any{"VerifiablePresentation"}, "verifiableCredential": []any{doc, sample(t)},
		})
	}
	alone := make([][]byte, len(docs))
	for i, doc := range docs {
		var err error
		if alone[i], err = newProcessor(t).Canonical(doc); err != nil {
			t.Fatal(err)
		}
	}
	p, key := newProcessor(t), testKey(1)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for round := range len(docs) {
				i := (worker + round) % len(docs)
				got, err := p.Canonical(docs[i])
				if err != nil || !bytes.Equal(got, alone[i]) {
					t.Errorf("document %d: %v\n%s\nwant\n%s", i, err, got, alone[i])
				}
				signed, err := p.Sign(docs[i], assertion(""), key)
				if err == nil {
					err = p.Check(signed, signed["proof"].([]any)[0].(map[string]any), key.Public())
				}
				if err != nil {
					t.Errorf("document %d: %v", i, err)
				}
			}
		})
	}
	group.Wait()
}
