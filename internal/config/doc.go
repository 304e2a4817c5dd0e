// Package config reads the one configuration file, strictly, and the environment over it. A misspelt key stops the start
// and is named; all faults are reported at once; the effective settings can be printed with secrets hidden.
package config
