// Package dataintegrity makes and checks Data Integrity proofs (W3C VC Data Integrity 1.0, 4.2 to 4.6) with the
// cryptosuites eddsa-rdfc-2022 and eddsa-jcs-2022 (VC Data Integrity EdDSA Cryptosuites 1.0, 3.2 and 3.3),
// ecdsa-rdfc-2019, ecdsa-jcs-2019 and ecdsa-sd-2023 (VC Data Integrity ECDSA Cryptosuites 1.0, 3.2 to 3.6). Start at New,
// then Processor.Sign, Proofs and Processor.Check; a holder calls Processor.Derive.
//
// There are two ways from a document to its canonical form. The general one expands JSON-LD in safe mode with contexts from
// a fixed set, and turns it into RDF by code that refuses whatever would not be signed: undefined terms, relative names,
// null, index keys. So what was checked is what is there. The compiled one (walker) walks the document once along contexts
// whose terms were made ready, straight into statements; it takes the shapes that credentials are made of and hands on
// everything else, refusals included. Tests hold the two to the same bytes. Canonicalisation is in rdfc, with a bound on
// its work.
//
// The package fetches nothing, resolves no key, and knows neither clock nor trust: whether the key belongs to the
// issuer, is listed for the purpose, and whether purpose, challenge and domain are those expected, the verifier asks.
package dataintegrity
