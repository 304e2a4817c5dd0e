// Package crash holds the kill loop of the security specification, section 8: a driver keeps a journal of what it asked
// and what was answered, loads a real server, lets it be killed with SIGKILL at a named point or at any time, starts it
// again, and checks the invariants I1 to I6 against the journal. It runs with the build tag crashpoints only:
//
//	go test -tags crashpoints -run TestKillLoop -v ./test/crash/...
//
// What it does not do: power loss (unsynced writes are not dropped), full disks, more than one process on the data.
package crash
