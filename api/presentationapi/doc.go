// Package presentationapi serves OpenID4VP: the session API for whoever asks (design.md, section 5), the addresses that
// wallets call, and server-sent events for a page that waits. What it means is decided by package verifier/oid4vp.
package presentationapi
