package dataintegrity

import (
	"bytes"
	"crypto"
	"crypto/ed25519"

	"heartmark/internal/proof/dataintegrity/rdfc"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// ErrShape means that the compiled way handed the document on to the general one.
var ErrShape = errShape

// CompiledTakes tells whether doc, proof included, is canonicalised the compiled way.
func (p *Processor) CompiledTakes(doc map[string]any) bool {
	ready, err := p.ready(doc)
	return err == nil && p.contexts.canonical(ready, p.policy, doc, "", rdfc.Options{}, func([]byte) {}) == nil
}

// CanonicalBothWays canonicalises doc, proof included, by the compiled way and by the general way.
func (p *Processor) CanonicalBothWays(doc map[string]any) (short, general []byte, shortErr, generalErr error) {
	own, err := normalizeObject(doc)
	if err != nil {
		return nil, nil, err, err
	}
	ready, shortErr := p.ready(own)
	if shortErr == nil {
		shortErr = p.contexts.canonical(ready, p.policy, own, "", rdfc.Options{}, func(t []byte) { short = bytes.Clone(t) })
	}
	list, err := p.inspect(own)
	if err != nil {
		return short, nil, shortErr, err
	}
	if ready, err = p.contexts.compile(list); err != nil {
		return short, nil, shortErr, err
	}
	ds, generalErr := p.generalDataset(own, ready)
	if generalErr == nil {
		var r rdfc.Result
		r, generalErr = rdfc.Canonicalize(ds, rdfc.Options{})
		general = r.NQuads
	}
	return short, general, shortErr, generalErr
}

// SoundPoint is the check of Ed25519 keys.
var SoundPoint = soundPoint

// HiddenStatements returns the statements of doc under hidden labels, and the places of those that pointers select.
func (p *Processor) HiddenStatements(doc map[string]any, key []byte, pointers []string) ([]string, []int, error) {
	own, err := normalizeObject(doc)
	if err != nil {
		return nil, nil, err
	}
	contexts, err := p.inspect(own)
	if err != nil {
		return nil, nil, err
	}
	d, err := p.hideLabels(own, contexts, key)
	if err != nil {
		return nil, nil, err
	}
	places, _, err := d.group(pointers)
	return d.lines, places, err
}

// ExpandedVerify is the check by a key's tables alone, and whether the key could be expanded.
func ExpandedVerify(key ed25519.PublicKey, data, signature []byte) (valid, expanded bool) {
	k, err := voi.NewExpandedPublicKey(voi.PublicKey(key))
	if err != nil {
		return false, false
	}
	return confirms(k, data, signature), true
}

// ExpandedCount returns how many keys p keeps in expanded form.
func (p *Processor) ExpandedCount() int { return len(p.expanded.keys) }

// MaxExpanded is how many it may keep.
const MaxExpanded = maxExpanded

// The spelling and the hash of proofs, for tests that make them otherwise.
var (
	DecodeValue = decodeValue
	EncodeValue = encodeValue
	SHA256      = func(dst, data []byte) []byte { return digest(crypto.SHA256, dst, data) }
)
