// Package keys holds the private keys of the installation and everything that is sealed at rest (security rules R2
// and R13, section 6).
//
// Three layers protect what is stored. The key-encryption key (KEK) is 32 random bytes in a file of its own, readable by
// the owner only and never beside the data. Under it lies one random data key for each tenant, sealed by AES-256-GCM.
// Under the data key lie the tenant's signing keys, made and used by the Aries key manager, each record sealed once more
// with its tenant, key id, kind, state and version as associated data, and whatever other parts hand to Seal.
//
// Start with Open, then Create and Signer. A Handle signs and tells its public half; no call gives a private key away.
// A key that is planned, retired, revoked or past its time signs nothing, also through a Handle taken earlier.
//
// Multibase, ParseMultibase, MarshalJWK and ParseJWK are the one place where public keys enter: Multikey of Controlled
// Identifiers 1.0 (section 2.2.2) and JWK of RFC 7517 and 8037, with every point checked.
//
// The package keeps no list of DIDs, publishes nothing and knows no credential.
package keys
