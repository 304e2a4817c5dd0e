// Package metric holds the measures of the evaluation command and the functions that compute them (assessment design,
// section 10). A [Measure] is one number with its rows, its 90 % interval, the classical models beside it and the gate it
// is judged by; everything else is a pure function of labels and scores. It reads nothing, draws nothing but by seed, and
// knows no head or data set.
package metric
