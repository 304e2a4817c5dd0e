//go:build !unix

package app

// ownerOnly has nothing to set where files have no such mask.
func ownerOnly() {}
