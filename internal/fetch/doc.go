// Package fetch is the one client for everything that goes out: DID documents, status lists, trust-registry answers and
// webhooks. It holds security.md R7 and protocols.md §16: https only, no user information, the address checked after name
// resolution and the connection made to that very address, every special range refused, ports by allowance, no redirects,
// no proxy, no cookies, no credentials but what a caller names, known encodings, a cap on opened content and on the whole
// exchange, and errors that look alike. Start at New and Client.Get.
//
// Requests for one address at one time are joined, and a failure is remembered for ten seconds; a success is not kept:
// how long an answer stays good is known to the caller alone.
package fetch
