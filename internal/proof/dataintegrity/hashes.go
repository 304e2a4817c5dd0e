package dataintegrity

import (
	"crypto"

	"heartmark/internal/proof/dataintegrity/rdfc"
)

// ready returns the contexts of doc made ready.
func (p *Processor) ready(doc map[string]any) (*compiled, error) {
	list, err := p.policy.list(doc["@context"], false)
	if err != nil {
		return nil, err
	}
	return p.contexts.compile(list)
}

// compiledHashes is hashData of an rdfc suite by the compiled way alone: nothing is copied, and doc and config, which may
// hold proof and proofValue, are each walked once. It returns errShape where hashData must find the answer or the error.
func (p *Processor) compiledHashes(doc, config map[string]any, hash crypto.Hash) ([]byte, error) {
	ready, err := p.ready(doc)
	if err != nil {
		return nil, errShape
	}
	if _, ok := config["@context"]; ok {
		return nil, errShape
	}
	out := make([]byte, 0, 96)
	add := func(text []byte) { out = digest(hash, out, text) }
	o := rdfc.Options{Hash: hash, Budget: p.budget}
	if err := p.contexts.canonical(ready, p.policy, config, "proofValue", o, add); err != nil {
		return nil, err
	}
	if err := p.contexts.canonical(ready, p.policy, doc, "proof", o, add); err != nil {
		return nil, err
	}
	return out, nil
}
