// Package badger is the embedded engine: the stores that the parts declare, over one Badger folder that one process owns
// (security rule R15, section 8).
//
// Every commit is flushed to disk before it is answered, checksums are checked on reading, transactions that collide are
// run again within a bound, and a folder that was written before but looks empty or robbed of files is refused. The
// engine's own encryption is not used: it does not notice changes, so the parts seal what must stay secret before it
// comes here. Deleted data lingers in old files until compaction; what must vanish is made unreadable by destroying its
// key.
//
// Start with Open. Run, or GC on a timer of the caller's, collects the value log. keys.go lists every key prefix.
package badger
