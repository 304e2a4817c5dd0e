// Package verifierapi serves POST /v1/verify (design, sections 9.13 and 9.14): a credential or presentation comes under its
// own media type, or inside a JSON object with a policy, a challenge and a domain. A verification that ran is answered 200
// with its verdict, whatever it is; 400 is for what cannot be read as a credential at all.
package verifierapi
