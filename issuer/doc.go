// Package issuer issues DEI credentials and changes their status (design sections 3 and 9, security section 8). It knows
// assessment reports only as schemas.Attestation, keys only as handles, and neither HTTP nor an engine.
//
// Start with New, then Issue, or Prepare and Sign apart. Call Recover once before serving, and Run for as long as the
// process lives: it sends commitments to the log and tells the publisher of lists what changed.
//
// A credential comes in the forms of its configuration, all from one act: they share id, status index and commitment, are
// signed between the same two writes, and are stored as one (design section 9.8). Each signature has its audit entry.
//
// # Order of writes
//
// Issuing is an ordered list of durable steps; after each stands what a crash leaves and what Recover does with it.
//
//  1. Check the request: configuration, report, levels, consent, review, issuer, authority. Nothing is left.
//  2. Take the next random index of the list group and write the intent under the idempotency key: one atomic unit,
//     durable. Left: an open intent that was not signed. Recover closes it; its index is spent for good.
//  3. Write the audit entry "about to sign" and mark the intent as signing: one atomic unit, durable. No audit entry, no
//     signature. Left: an intent that may have been signed. Recover closes it and revokes its index, whose credential
//     nobody was given.
//  4. Sign. Left: the same.
//  5. Store digest and sealed credential, mark the intent as issued, add the outbox event: one atomic unit, durable.
//     Left: an issuance that is complete but for its answer; asking again under the idempotency key gives it.
//  6. Answer.
//
// A status change is one atomic unit: the record, the bit in each list under the list's next version, the audit entry and
// the outbox event. Revocation is final; suspension is not.
//
// The outbox is emptied afterwards, at least once for each event: the log gets the salted commitment of each credential,
// and the publisher of lists is told which groups changed.
package issuer
