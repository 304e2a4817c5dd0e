// Package verifier answers whether a credential or presentation is true, still good, and on whose word. Start at New and
// Verifier.Verify; its answer is a Result that lists every check of protocols.md §15 as pass, fail, undetermined, skipped
// or not applicable, and a verdict that is a function of the checks and of a named Policy.
//
// It reads VC Data Model 2.0 credentials and presentations with Data Integrity proofs; the signature itself is checked by
// the ProofChecker it is given. The order is fixed: parse, data model, contexts, whether the issuer is one we know (before
// any network), key, signature, and only then what the credential names (its status lists). Schemas, contexts, evidence,
// terms, images and refresh services are never fetched. It needs no server, no database and no cgo: everything outside
// comes through the interfaces of sources.go.
//
// A credential that fails a check is an answer, not an error. Verify returns an error when there is nothing to judge
// (ErrUnreadable), no way to judge it (ErrMediaType), or no such policy (ErrUnknownPolicy).
package verifier
