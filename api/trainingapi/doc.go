// Package trainingapi serves plans, practice and coaching: POST /v1/plans makes or carries on a subject's plan from stored
// reports, /v1/practice says what is due and records what was done, /v1/coaching keeps a tenant's approved answers and
// suggests from them to the person who writes. Handlers decode, call one function of assessment/training and encode.
package trainingapi
