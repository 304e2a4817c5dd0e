package dataintegrity

import (
	"errors"

	"heartmark/internal/proof/dataintegrity/rdfc"
)

// ErrShortWay means that the short way handed the document on to the general one.
var ErrShortWay = errors.New("short way not taken")

// ErrShortRefused means that the short way refused the document for good.
var ErrShortRefused = errors.New("refused on the short way")

// CanonicalBothWays canonicalises doc, proof included, by the short and by the general way.
func (p *Processor) CanonicalBothWays(doc map[string]any) (short, general []byte, shortErr, generalErr error) {
	own, err := normalizeObject(doc)
	if err != nil {
		return nil, nil, err, err
	}
	list, err := p.inspect(own)
	if err != nil {
		return nil, nil, err, err
	}
	ready, err := p.contexts.compile(list)
	if err != nil {
		return nil, nil, err, err
	}
	shortErr = ErrShortWay
	if ds, err := p.contexts.convert(ready, own, p.policy); err == nil {
		var r rdfc.Result
		r, shortErr = rdfc.Canonicalize(ds, rdfc.Options{})
		short = r.NQuads
	} else if !errors.Is(err, errShape) {
		shortErr = ErrShortRefused
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
