package dataintegrity

import (
	"crypto"
	"errors"
	"fmt"
	"reflect"
)

// Check verifies one proof of doc with key (VC Data Integrity 1.0, 4.4 and 4.5): nil means that the holder of key signed
// exactly the document and the proof's own options, and, for a chain, the proofs that it names in previousProof, which
// are to be checked in turn. doc may still hold its proofs, and must for a chain.
//
// Check does not ask whose key it is, whether the purpose, challenge, domain and dates are those expected: see ParseProof
// and Proof.CheckPeriod. Every proof of a document must be checked.
func (p *Processor) Check(doc, proof map[string]any, key crypto.PublicKey) error {
	parsed, err := ParseProof(proof)
	if err != nil {
		return err
	}
	s, err := lookUp(parsed.Cryptosuite)
	if err != nil {
		return err
	}
	hash, err := s.alg.hash(key)
	if err != nil {
		return err
	}
	if s.sd {
		return p.checkSelective(doc, proof, parsed, key)
	}
	signature, err := decodeValue(parsed.Value, s.alg.size(key))
	if err != nil {
		return err
	}
	data, err := []byte(nil), errShape
	if !s.jcs && len(parsed.PreviousProof) == 0 {
		data, err = p.compiledHashes(doc, proof, hash)
	}
	if errors.Is(err, errShape) {
		data, err = p.checkData(doc, proof, parsed, s, hash)
	}
	if err != nil {
		return err
	}
	alg := s.alg
	if _, ok := alg.(eddsa); ok {
		alg = eddsa{keys: p.expanded}
	}
	if !alg.verify(key, data, signature) {
		return ErrProofInvalid
	}
	return nil
}

// checkData is what proof should have signed, found on copies of doc and proof.
func (p *Processor) checkData(doc, proof map[string]any, parsed Proof, s suite, hash crypto.Hash) ([]byte, error) {
	config, err := normalizeObject(proof)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProofShape, err)
	}
	own, err := normalizeObject(doc)
	if err != nil {
		return nil, err
	}
	if err := proofContext(own, config, s); err != nil {
		return nil, err
	}
	before, err := previous(own, parsed.ID, parsed.PreviousProof)
	if err != nil {
		return nil, err
	}
	delete(own, "proof")
	delete(config, "proofValue")
	return p.hashData(own, before, config, s, hash)
}

// proofContext checks the context inside a proof: the document's own in a jcs proof, none otherwise. The suite would allow
// the document to have more contexts than the proof; those would not be signed, so they are refused.
func proofContext(doc, config map[string]any, s suite) error {
	inner, ok := config["@context"]
	switch {
	case !s.jcs && ok:
		return fmt.Errorf("%w: a context inside the proof", ErrContext)
	case s.jcs && (!ok || !reflect.DeepEqual(inner, doc["@context"])):
		return fmt.Errorf("%w: the proof's is not the document's", ErrContext)
	}
	return nil
}
