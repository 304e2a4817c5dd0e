// Package oid4vp is the verifier's side of OpenID for Verifiable Presentations 1.0: sessions with their secrets, DCQL
// queries (sections 6, 7), signed and unsigned requests (5), the answers direct_post and direct_post.jwt (8), transaction
// data (8.4), and the form for the Digital Credentials API (Appendix A). It knows no HTTP: the edge decodes requests, calls
// one method and writes what comes back; an *Error carries the OAuth code and status.
//
// Start at New. A session goes pending, requested (a wallet has fetched the request), received, consumed, or ends declined
// or expired. Its secrets are two that never meet: the transaction id, with which whoever asked reads the result, and the
// request id, which the wallet sees as address and state. Only hashes of both are stored; the result is sealed.
//
//  1. Create stores the session. A crash after it leaves one that nobody knows, which is purged.
//  2. Request hands the request object out once.
//  3. Respond verifies what came and ends the session with the first answer that was made for it: nonce and client id are
//     its own. What was not made for it, or cannot be read, changes nothing, so that a stranger cannot use the session up.
//  4. Read gives the result to one reader and destroys it.
//
// The query is put to what comes back again; nothing rests on the wallet's word. Verification itself is package verifier's.
package oid4vp
