// Package translog is the append-only Merkle log of the registry, on Tessera's POSIX driver: one folder in the C2SP
// tlog-tiles layout, checkpoints as signed notes (tlog-checkpoint), hashes of RFC 6962, 2.1. Start with Open; Append
// returns when a published checkpoint commits to the entries, so that a proof can be given at once.
//
// The folder is the log: a static file server or a mirror can serve it, and File does so with the paths checked. Proofs
// are checked with package inclusion, which needs no log. A process that is killed leaves a folder that opens again:
// entries without a checkpoint were never acknowledged; Find tells the caller which of them made it all the same.
package translog
