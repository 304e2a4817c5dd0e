// Package model carries the built-in classifier: its weights, tokenizer, heads, calibration and error rates, and the
// digests that make them authentic (assessment design, section 4 "Model"; design, section 9 decision 23).
//
// The files lie in files/ and are embedded; their SHA-256 digests are compiled in (digests.go), so that a changed file is
// refused with [ErrDigest] before anything reads it. The Python project in train/ builds them from the annotated sets; the
// card files/model_card.md states data, measurements and limits. [Open] reads them; assessment/onnx runs them.
package model
