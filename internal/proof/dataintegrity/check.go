package dataintegrity

import (
	"crypto"
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
	config, err := normalizeObject(proof)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProofShape, err)
	}
	parsed, err := ParseProof(config)
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
	var signature []byte
	if !s.sd {
		if signature, err = decodeValue(parsed.Value, s.alg.size(key)); err != nil {
			return err
		}
	}
	own, err := normalizeObject(doc)
	if err != nil {
		return err
	}
	if err := proofContext(own, config, s); err != nil {
		return err
	}
	before, err := previous(own, parsed.ID, parsed.PreviousProof)
	if err != nil {
		return err
	}
	delete(own, "proof")
	delete(config, "proofValue")
	if s.sd {
		if len(before) > 0 {
			return fmt.Errorf("%w: a derived proof is no part of a chain", ErrPreviousProof)
		}
		return p.checkDerived(own, config, parsed.Value, key)
	}
	data, err := p.hashData(own, before, config, s, hash)
	if err != nil {
		return err
	}
	if !s.alg.verify(key, data, signature) {
		return ErrProofInvalid
	}
	return nil
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
