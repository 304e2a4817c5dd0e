// Package issuerapi serves issuing over HTTP: credentials, offers and configurations by REST (/v1), and the wallet-facing
// endpoints of OpenID for Verifiable Credential Issuance 1.0 below /oid4vci/{issuer} with their well-known documents. Its
// handlers decode, call one function of package issuer or issuer/oid4vci, and encode. Wire types stand in wire.go.
package issuerapi
