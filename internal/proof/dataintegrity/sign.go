package dataintegrity

import (
	"crypto"
	"errors"
	"fmt"
	"maps"
	"time"

	"heartmark/schemas"
)

// ProofOptions are the members of the proof to make. VerificationMethod, Purpose and Created are needed.
type ProofOptions struct {
	VerificationMethod string
	Purpose            string
	Created            time.Time // written in UTC, to the second
	Expires            time.Time // left out when zero
	Cryptosuite        string    // EdDSARDFC2022 when empty
	Challenge, Domain  string
	ID                 string
	// Mandatory are the JSON Pointers of what every presentation shows, for ECDSASD2023.
	Mandatory     []string
	PreviousProof []string // ids of proofs in the document that this one endorses; needs Add
	// Add puts the proof beside those the document has. Without it, a document with a proof is refused.
	Add bool
}

// Sign returns doc with one proof more, made by signer; proof is always an array. doc is not changed, but may share members
// with what is returned. The signer may be one that takes whole messages only (crypto.MessageSigner). Sign refuses what
// Check would not verify: undefined terms, contexts outside the fixed set, numbers that readers could round, a key unfit
// for the suite.
func (p *Processor) Sign(doc map[string]any, o ProofOptions, signer crypto.Signer) (map[string]any, error) {
	if o.Cryptosuite == "" {
		o.Cryptosuite = EdDSARDFC2022
	}
	s, err := lookUp(o.Cryptosuite)
	if err != nil {
		return nil, err
	}
	if len(o.Mandatory) > 0 && !s.sd {
		return nil, fmt.Errorf("%w: %s signs the whole document", ErrPointer, o.Cryptosuite)
	}
	if signer == nil {
		return nil, fmt.Errorf("%w: no signer", ErrKey)
	}
	hash, err := s.alg.hash(signer.Public())
	if err != nil {
		return nil, err
	}
	config, err := o.config()
	if err != nil {
		return nil, err
	}
	if s.sd {
		return p.signSelective(doc, o, config, signer)
	}
	own, existing, data, err := p.signData(doc, o, config, s, hash)
	if err != nil {
		return nil, err
	}
	signature, err := s.alg.sign(signer, data)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if len(signature) != s.alg.size(signer.Public()) {
		return nil, fmt.Errorf("%w: signature of %d bytes", ErrKey, len(signature))
	}
	config["proofValue"] = encodeValue(signature)
	own["proof"] = append(existing, config)
	return own, nil
}

// signData returns what is to be signed, and a copy of doc of which that holds, with the proofs that doc has.
func (p *Processor) signData(doc map[string]any, o ProofOptions, config map[string]any, s suite, hash crypto.Hash) (own map[string]any, existing []any, data []byte, err error) {
	if existing, err = o.existing(doc); err != nil {
		return nil, nil, nil, err
	}
	if !s.jcs && len(o.PreviousProof) == 0 && len(existing) == 0 {
		if data, err = p.compiledHashes(doc, config, hash); !errors.Is(err, errShape) {
			return maps.Clone(doc), nil, data, err
		}
	}
	if own, err = normalizeObject(doc); err != nil {
		return nil, nil, nil, err
	}
	if existing, err = o.existing(own); err != nil {
		return nil, nil, nil, err
	}
	before, err := previous(own, o.ID, o.PreviousProof)
	if err != nil {
		return nil, nil, nil, err
	}
	delete(own, "proof")
	data, err = p.hashData(own, before, config, s, hash)
	return own, existing, data, err
}

// existing returns the proofs that doc has, which Add must allow.
func (o ProofOptions) existing(doc map[string]any) ([]any, error) {
	list, err := Proofs(doc)
	switch {
	case errors.Is(err, ErrNoProof):
		return nil, nil
	case !o.Add:
		return nil, ErrSigned
	case err != nil:
		return nil, err
	case len(list) == maxProofs:
		return nil, fmt.Errorf("%w: %d proofs already", ErrProofShape, maxProofs)
	}
	out := make([]any, len(list), len(list)+1)
	for i, m := range list {
		if o.ID != "" && m["id"] == o.ID {
			return nil, fmt.Errorf("%w: id stands twice", ErrProofShape)
		}
		out[i] = m
	}
	return out, nil
}

// config returns the proof options as they are hashed, but for the suite's own additions.
func (o ProofOptions) config() (map[string]any, error) {
	if o.Created.IsZero() {
		return nil, fmt.Errorf("%w: created is needed", ErrProofShape)
	}
	m := map[string]any{
		"type":               proofType,
		"cryptosuite":        o.Cryptosuite,
		"verificationMethod": o.VerificationMethod,
		"proofPurpose":       o.Purpose,
		"created":            schemas.FormatTime(o.Created),
	}
	for name, v := range map[string]string{"challenge": o.Challenge, "domain": o.Domain, "id": o.ID} {
		if v != "" {
			m[name] = v
		}
	}
	if !o.Expires.IsZero() {
		m["expires"] = schemas.FormatTime(o.Expires)
	}
	switch len(o.PreviousProof) {
	case 0:
	case 1:
		m["previousProof"] = o.PreviousProof[0]
	default:
		list := make([]any, len(o.PreviousProof))
		for i, id := range o.PreviousProof {
			list[i] = id
		}
		m["previousProof"] = list
	}
	m["proofValue"] = "z" // stands in while the other members are checked
	if _, err := ParseProof(m); err != nil {
		return nil, err
	}
	delete(m, "proofValue")
	return m, nil
}

// hashData is what gets signed: the hash of the canonical proof options, then that of the canonical document. doc has no
// proof; those of before are put into it. config is the proof without proofValue; for a jcs suite it gets the document's
// contexts, which the proof then shows.
func (p *Processor) hashData(doc map[string]any, before []any, config map[string]any, s suite, hash crypto.Hash) ([]byte, error) {
	if len(before) > 0 {
		doc = maps.Clone(doc)
		doc["proof"] = before
	}
	list, err := p.inspect(doc)
	if err != nil {
		return nil, err
	}
	options := maps.Clone(config)
	options["@context"] = doc["@context"]
	if _, err := p.inspect(options); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProofShape, err)
	}
	if s.jcs {
		config["@context"] = doc["@context"]
		return p.jcsHashes(doc, options, list, hash)
	}
	canonicalOptions, err := p.canonical(options, list, hash)
	if err != nil {
		return nil, fmt.Errorf("proof options: %w", err)
	}
	canonicalDocument, err := p.canonical(doc, list, hash)
	if err != nil {
		return nil, err
	}
	return digest(hash, digest(hash, make([]byte, 0, 96), canonicalOptions), canonicalDocument), nil
}

// jcsHashes hashes canonical JSON. The document is converted to RDF all the same: a term that no context defines is
// refused under every suite.
func (p *Processor) jcsHashes(doc, options map[string]any, list []string, hash crypto.Hash) ([]byte, error) {
	out := make([]byte, 0, 96)
	for _, m := range []map[string]any{options, doc} {
		if err := p.convertible(m, list); err != nil {
			return nil, err
		}
		text, err := schemas.CanonicalJSON(m)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDocument, err)
		}
		out = digest(hash, out, text)
	}
	return out, nil
}
