// Package oid4vci is the issuer's side of OpenID for Verifiable Credential Issuance 1.0: the pre-authorised code flow with
// a transaction code (section 3.5), nonces (7), key proofs of type jwt (Appendix F.1, F.4), the credential request (8),
// notifications (11) and the metadata of both roles (12.2, 12.3 and RFC 8414). It knows no HTTP: the edge decodes requests,
// calls one method and writes what comes back; an *Error carries the OAuth code and status.
//
// Start at New. An offer goes created, retrieved, redeemed, or ends expired, revoked or locked. What is durable, and what
// a crash leaves, step by step:
//
//  1. CreateOffer stores the offer with hashes of its secrets. The secrets exist only in what it returns.
//  2. Token takes the code in one atomic update that also counts wrong transaction codes and stores the token's hash.
//     A crash after it (code.after_take) leaves the code used up: the holder asks for a new offer.
//  3. Credential checks every proof, then takes the nonce. A crash after that (nonce.after_take) costs the nonce alone:
//     the token stays good, the wallet asks for another nonce, and since the issuer is asked under an idempotency key
//     made from the offer, there is one credential for the key, however often it is asked for.
//
// Not here: authorization code flow, deferred issuing, response encryption, key attestations, DPoP. Metadata names none
// of them.
package oid4vci
