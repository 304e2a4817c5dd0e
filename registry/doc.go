// Package registry is the public registry: which issuer may issue what, under whose authority, as of when; with which
// keys, schemas and status lists; and the transparency log of all these statements (ToIP TRQP 2.0 vocabulary, W3C
// Bitstring Status List v1.0, 2.2, with its twin of Token Status List, 5.1; Controlled Identifiers 1.0). Anyone reads, roles write, nothing is overwritten.
//
// # Order of writes
//
// Every change is one Store.Apply: the new version of the record and its log entry in the outbox, in one atomic unit,
// durable on return. Before it stands the journal entry. Then DrainOutbox appends the entry to the log and marks it:
//
//   - a crash before Apply leaves nothing;
//   - a crash after Apply leaves an entry in the outbox, which the next DrainOutbox sends;
//   - a crash between log and mark leaves an entry in the log that nobody marked: the next DrainOutbox finds it there by
//     its bytes and marks it, so that no statement stands twice.
//
// A status list is published in the same way: build, sign, then insert version last+1 with its log entry; a reader sees
// the old or the new list, whole.
//
// # What it does not do
//
// It holds nothing about persons, answers no look-up by credential or holder, and keeps no record of look-ups. It knows
// no HTTP. Start with New; a trust.Snapshot answers the same questions without a registry.
package registry
