// Package testkit holds what tests of several packages share: where the official test vectors and the annotated data
// lie, a fixed clock, and temporary folders with the rights the program asks for. Only test files import it.
package testkit
