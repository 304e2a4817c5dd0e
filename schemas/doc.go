// Package schemas is the shared data model: the strict JSON reader that every input passes, the vocabulary of digital
// emotional intelligence (dimensions, levels, rubrics, achievements), the DEI credential as an Open Badges 3.0
// credential of VC Data Model 2.0, the rules both put on a document, and the entries of the transparency log.
//
// Start at DEICredential.Document to build a credential, ValidateCredential and ValidateOpenBadge to check one, and
// ParseJSON to read one. Specifications: W3C Verifiable Credentials Data Model 2.0 (section 4), 1EdTech Open Badges 3.0,
// RFC 8259, RFC 8785 and RFC 6901. The package signs nothing, fetches nothing and keeps no state.
package schemas
