// Package training turns reports into practice: a plan of at most three modules chosen by gap over error, repetitions
// that come back when they are due, progress over windows with reliable change, a recommendation that learns from marks,
// and suggestions for a reply from a tenant's own approved answers (assessment design, sections 6 and 9).
//
// Start at Load and Bank.Plan; Trainer does the same over a store, Library retrieves answers. Plan, Progress and
// Schedule are pure: the same input gives the same output, and time comes in as a value.
//
// It changes no score and no level. It knows a subject by the pseudonym of the report alone, reads no message, and no
// trait of a person: facets, scenes, completions and marks are all that it decides by. What it suggests goes to the
// person who writes; it has no way to send anything.
package training
