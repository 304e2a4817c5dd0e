// Package e2e runs the real program as a person or a script would: exit codes, what is printed, and above all what bad
// input is answered. It needs no network and no other program.
//
//	go test ./test/e2e/...
package e2e
