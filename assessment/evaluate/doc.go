// Package evaluate measures a model and the product on it, as the assessment design asks in section 10: every head on
// every set that it is measured on, with 90 % intervals, classical models beside it and a gate; calibration; HateCheck by
// functionality and target; and the product-level suites of package suite. `heartmark evaluate` is this package on the
// command line.
//
// Start with [Run]. It classifies each text once, whatever the number of heads that are measured on it, and answers an
// [Evaluation], which holds all numbers, reports and diagrams and can be written as text ([Evaluation.WriteText]), JSON
// (schema [Schema]) and one self-contained page ([Evaluation.WriteHTML]).
//
// The table of gates, floors and literature is in gates.go, the way each line is judged in judge.go. Thresholds are found
// on development rows only. A head that the model does not have, or a suite that cannot run, gives a measure that is
// missing, and a gate on a missing measure is not met: nothing passes that was not measured.
package evaluate
