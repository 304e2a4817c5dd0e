package dataintegrity

import (
	"errors"

	"heartmark/internal/proof/dataintegrity/rdfc"
)

// What can be wrong with a document or a proof. All but ErrUnknownSuite mean that the document is not verified and never
// will be; an unknown suite means not checked.
var (
	// ErrNoProof is returned by Proofs for a document without proof, or with an empty one.
	ErrNoProof = errors.New("no proof")
	// ErrProofShape is returned for a proof whose members are not as the specification says.
	ErrProofShape = errors.New("malformed proof")
	// ErrProofInvalid is returned when the signature does not fit document, proof options and key.
	ErrProofInvalid = errors.New("proof does not verify")
	// ErrProofPeriod is returned by Proof.CheckPeriod outside the proof's own dates.
	ErrProofPeriod = errors.New("proof is not valid at this time")
	// ErrPreviousProof is returned for a chain that loops or names a proof that is not there.
	ErrPreviousProof = errors.New("broken proof chain")
	// ErrUnknownSuite is returned for a cryptosuite that is not implemented or not allowed.
	ErrUnknownSuite = errors.New("unknown cryptosuite")
	// ErrKey is returned for a key that does not fit the cryptosuite, or is no sound key at all.
	ErrKey = errors.New("key does not fit the cryptosuite")
	// ErrSigned is returned by Sign for a document that has a proof already.
	ErrSigned = errors.New("document is signed already")
	// ErrPointer is returned by Sign and Derive for a JSON Pointer that names no part of the document which can stand alone.
	ErrPointer = errors.New("pointer selects nothing that can be disclosed")
	// ErrContext is returned for a list of contexts that is not allowed, or a context out of place.
	ErrContext = errors.New("context not allowed")
	// ErrUndefinedTerm is returned for a term or type that no context defines: it would not be signed. The text names it.
	ErrUndefinedTerm = errors.New("undefined term")
	// ErrDocument is returned for a document that is no JSON-LD of the plain form that credentials have.
	ErrDocument = errors.New("unusable document")
	// ErrBudget is returned when canonicalisation would take more work than allowed.
	ErrBudget = rdfc.ErrBudget
)
