//go:build unix

package app

import "syscall"

// ownerOnly makes every file that this process creates readable by its owner only: the engine and the log create theirs by
// the process's mask.
func ownerOnly() { syscall.Umask(0o077) }
