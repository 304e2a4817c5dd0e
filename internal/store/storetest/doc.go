// Package storetest holds the contract suites that every engine passes: each takes a function that opens an empty store
// and checks what the part's Store interface promises, then breaks the writes, each in two ways: lost, and stored but
// reported as failed. Only tests import it.
package storetest
