// Package intake takes evidence in and lets it go again: consent receipts, evidence batches, the sealed submission, the
// queue of what is to be scored, and the rights of the people behind it (assessment design 11 and 12; security rules G1 to
// G16; design.md §9.17 to §9.20).
//
// Start at New; Service.Give, Submit and Run are the main path, and what a crash after each step leaves is this:
//
//  1. A receipt is given: one durable write. Nothing is taken without one.
//  2. A batch is read, checked and scrubbed in memory. A refused one leaves nothing.
//  3. A record of the batch is made (state received). A crash here leaves a record without text, which ends after 24 hours.
//  4. The scrubbed text is sealed under a key of its own, piece by piece, and the batch is queued in one transaction that
//     looks at the receipt again.
//  5. A worker claims it, scores it, and in one transaction, which looks at the receipt once more, stores the report and marks
//     the batch done. A crash before that transaction leads to scoring again, with the same bytes; after it, never.
//  6. The key is destroyed, then the ciphertext. A crash between is completed by Recover and by every Sweep.
//
// The text of an upload in pieces waits sealed likewise until it is finished. Actor ids are replaced by keyed hashes and times by
// day and order before anything is sealed. Subjects are known to the store by a keyed hash; their own id, reports and quotes are
// sealed under keys that Erase destroys.
//
// The package decides nothing about levels and knows no HTTP.
package intake
