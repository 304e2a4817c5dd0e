// Package policyapi serves a tenant's own verification policies: list, read by version, and put. Every change is a new
// version; package verifier/policies decides.
package policyapi
