// Package oid4vci is the issuer's side of OpenID for Verifiable Credential Issuance 1.0, with the authorization server that
// goes with it: offers (4.1), the pre-authorised code flow with a transaction code (3.5), the authorisation code flow (5) by
// pushed requests (RFC 9126) with PKCE (RFC 7636) and iss in the answer (RFC 9207), refresh tokens, DPoP (RFC 9449),
// attestation-based client authentication, nonces (7), key proofs of type jwt, di_vp and attestation with key attestations
// (Appendices D and F), the credential request (8), deferred issuing (9), encryption (10), notifications (11) and the
// metadata of both roles, signed where asked for (12.2, 12.3 and RFC 8414). It knows no HTTP: the edge decodes requests, calls
// one method and writes what comes back; an *Error carries the OAuth code and status.
//
// Start at New. An offer goes created, retrieved, redeemed, or ends expired, revoked or locked. All of a flow hangs on it and
// stands in its one record, so that each step is one atomic update. What is durable, and what a crash leaves, step by step:
//
//  1. CreateOffer stores the offer with hashes of its secrets. The secrets exist only in what it returns.
//  2. Push keeps an authorisation request with the offer that its issuer_state names; there are no others, since this
//     server knows nobody but holders of offers. A crash loses nothing; the wallet may push again.
//  3. Approve, or FinishLogin with an external provider, takes the pushed request and puts a code in its place, in one
//     update that also counts wrong transaction codes. A crash after it costs the code: the wallet pushes again.
//  4. Token takes a code in one update that stores the token's hash. A crash after it (code.after_take) leaves the code used
//     up: the holder asks for a new offer. A code that comes twice ends what it gave.
//  5. Credential checks every proof, then takes the nonce. A crash after that (nonce.after_take) costs the nonce alone:
//     the token stays good, the wallet asks for another nonce, and since the issuer is asked under an idempotency key
//     made from the offer, there is one credential for the key, however often it is asked for.
//  6. A credential that is held back, or waits for a review, is a transaction in the record. Deferred issues first, under the
//     same idempotency keys, and ends the transaction after: a crash between leaves it to be asked for again.
//
// Not here: requests that were not pushed, certificates as keys (x5c), wallet-initiated flows without an offer.
package oid4vci
