// Package rdfc canonicalises RDF datasets by RDF Dataset Canonicalization (RDFC-1.0, W3C Recommendation), with SHA-256
// or SHA-384, and reads and writes N-Quads (RDF 1.1 N-Quads; canonical form of RDFC-1.0, 5). Start at Canonicalize, or at
// Graph for a caller that makes statements itself.
//
// Work is bounded (RDFC-1.0, 7.1: dataset poisoning): a dataset over the budget is refused with ErrBudget. The package
// knows nothing of JSON-LD and of signatures.
package rdfc
