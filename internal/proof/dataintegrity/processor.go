package dataintegrity

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"

	"heartmark/internal/proof/dataintegrity/rdfc"
	"heartmark/schemas"

	"github.com/piprate/json-gold/ld"
)

// maxGeneral bounds the values of a document that needs the general way, whose cost for each is that of making an active
// context: about half a second in all.
const maxGeneral = 3_000

// Processor makes and checks proofs. It keeps compiled contexts; any number of goroutines may use it.
type Processor struct {
	contexts *contexts
	policy   Policy
	budget   rdfc.Budget
	expanded *expandedKeys // nil: the standard library alone
}

// New returns a strict Processor whose contexts come from loader.
func New(loader DocumentLoader) *Processor {
	return &Processor{contexts: newContexts(loader), expanded: newExpandedKeys()}
}

// WithStandardEd25519 returns a Processor that checks Ed25519 signatures with the standard library alone and otherwise is p.
func (p *Processor) WithStandardEd25519() *Processor {
	q := *p
	q.expanded = nil
	return &q
}

// WithPolicy returns a Processor under another policy that shares compiled contexts with p.
func (p *Processor) WithPolicy(policy Policy) *Processor {
	q := *p
	q.policy = policy
	return &q
}

// Canonical returns the canonical N-Quads (RDFC-1.0, SHA-256) of doc without its proof: what an rdfc suite signs beside
// the proof's own options. It refuses what Sign refuses.
func (p *Processor) Canonical(doc map[string]any) ([]byte, error) {
	own, err := normalizeObject(doc)
	if err != nil {
		return nil, err
	}
	delete(own, "proof")
	list, err := p.inspect(own)
	if err != nil {
		return nil, err
	}
	return p.canonical(own, list, crypto.SHA256)
}

// inspect checks form, numbers and contexts of a document and returns its list of contexts.
func (p *Processor) inspect(doc map[string]any) ([]string, error) {
	list, err := p.policy.list(doc["@context"], false)
	if err != nil {
		return nil, err
	}
	ready, err := p.contexts.compile(list)
	if err != nil {
		return nil, err
	}
	form := plain{policy: p.policy, contexts: p.contexts, root: doc["@context"], literals: ready.literals}
	if err := form.object(doc); err != nil {
		return nil, err
	}
	if err := schemas.CheckExactNumbers(doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return list, nil
}

// canonical canonicalises doc under list; doc's own @context is not read.
func (p *Processor) canonical(doc map[string]any, list []string, hash crypto.Hash) ([]byte, error) {
	ready, err := p.contexts.compile(list)
	if err != nil {
		return nil, err
	}
	var text []byte
	o := rdfc.Options{Hash: hash, Budget: p.budget}
	err = p.contexts.canonical(ready, p.policy, doc, "", o, func(t []byte) { text = bytes.Clone(t) })
	if !errors.Is(err, errShape) {
		return text, err
	}
	ds, err := p.generalDataset(doc, ready)
	if err != nil {
		return nil, err
	}
	r, err := rdfc.Canonicalize(ds, o)
	switch {
	case errors.Is(err, rdfc.ErrTerm):
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	case err != nil:
		return nil, err
	}
	return r.NQuads, nil
}

// convertible refuses a doc that has no complete form in RDF.
func (p *Processor) convertible(doc map[string]any, list []string) error {
	ready, err := p.contexts.compile(list)
	if err != nil {
		return err
	}
	err = p.contexts.walk(ready, p.policy, doc, "", func(w *walker) error { return w.graph.Check() })
	if !errors.Is(err, errShape) {
		return err
	}
	ds, err := p.generalDataset(doc, ready)
	if err != nil {
		return err
	}
	if err := ds.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return nil
}

// generalDataset expands doc with json-gold and converts the outcome. It decides in all cases of doubt.
func (p *Processor) generalDataset(doc map[string]any, ready *compiled) (rdfc.Dataset, error) {
	if ready.aliases { // json-gold drops all but one of several members that stand for @type
		return nil, fmt.Errorf("%w: a context gives a keyword another name", ErrDocument)
	}
	if n := statementsIn(doc); n > maxGeneral {
		return nil, fmt.Errorf("%w: %d values in a document of unusual shape", ErrBudget, n)
	}
	body := make(map[string]any, len(doc))
	for name, v := range doc {
		if name != "@context" {
			body[name] = v
		}
	}
	active := ready.root.active
	expanded, err := expand(active, body, p.contexts.options())
	if err != nil {
		return nil, p.explain(err, active, body)
	}
	node, ok := expanded.(map[string]any)
	if !ok || len(node) == 0 {
		return nil, fmt.Errorf("%w: nothing in it is signed", ErrDocument)
	}
	c := converter{dataset: make(rdfc.Dataset, 0, 128)}
	if _, err := c.node(node, rdfc.Term{}); err != nil {
		return nil, err
	}
	if len(c.dataset) == 0 {
		return nil, fmt.Errorf("%w: nothing in it is signed", ErrDocument)
	}
	return c.dataset, nil
}

// expand calls json-gold. Its code asserts types in places; a panic there is the document's fault, not ours.
func expand(active *ld.Context, body map[string]any, o *ld.JsonLdOptions) (expanded any, err error) {
	defer func() {
		if r := recover(); r != nil {
			expanded, err = nil, fmt.Errorf("%w: expansion stopped: %v", ErrDocument, r)
		}
	}()
	return ld.NewJsonLdApi().Expand(active, "", body, o, false, nil)
}

// statementsIn is about how many statements a document gives: one a value.
func statementsIn(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, item := range v {
			n += statementsIn(item)
		}
	case []any:
		n = 0
		for _, item := range v {
			n += statementsIn(item)
		}
	}
	return n
}

// explain turns json-gold's error into ours. It does not say which term is undefined, so the document is expanded once
// more with undefined terms put under a vocabulary of our own, where the conversion finds them.
func (p *Processor) explain(err error, active *ld.Context, body map[string]any) error {
	var cause *ld.JsonLdError
	if !errors.As(err, &cause) || cause.Code != ld.InvalidProperty {
		if errors.Is(err, ErrDocument) || errors.Is(err, ErrContext) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrDocument, err)
	}
	marked := ld.CopyContext(active)
	mark := undefinedMark
	marked.Values.Vocab = &mark
	if expanded, err := expand(marked, body, p.contexts.options()); err == nil {
		if node, ok := expanded.(map[string]any); ok {
			var c converter
			if _, err := c.node(node, rdfc.Term{}); errors.Is(err, ErrUndefinedTerm) {
				return err
			}
		}
	}
	return fmt.Errorf("%w in the document", ErrUndefinedTerm)
}
