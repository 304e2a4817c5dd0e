// Package trust is what a registry states in public (who may issue what, which key signed when, which schemas and status
// lists are published), the rule by which those statements answer as of a time, and the signed snapshot that carries all of
// them to those who verify without a network.
//
// The registry makes the statements and seals snapshots; a verifier opens them: both use the same records and the same
// rule, so that an answer off line is the answer on line. Start at Open, or at Decide. The package stores, fetches and
// signs nothing.
package trust
