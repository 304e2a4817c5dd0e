// Package did resolves Decentralized Identifiers (DID Core 1.0, Controlled Identifiers 1.0) to keys that were checked:
// did:key and did:jwk from the identifier itself, did:web through the guarded client or, for what this installation
// publishes, from its own store. Start at New and Resolver.Resolve; Document.Method answers which key may be used for
// which purpose.
//
// Security.md R3 and R7 hold here: a name becomes a URL by strict rules, the document's id must be the DID asked for, a
// method must belong to that DID and be listed for the purpose, and a private key in a document refuses all of it.
// The aries resolvers for did:web and did:key run inside, with our client in their place for the network and our reader
// beside theirs: a document counts only where both readers agree. None of their types is exported.
package did
