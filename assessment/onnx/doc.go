// Package onnx runs the classifier of assessment/model on ONNX Runtime and implements assessment.Classifier
// (assessment design, section 4 "ONNX"). It is the only package that uses cgo for it; without cgo [Open] answers
// [ErrNoCgo].
//
// One session serves Config.Workers goroutines, each running one batch of at most 32 rows of one length bucket (16, 32,
// 64, 128 or 192 tokens and a little for the marks) on one thread. Batches wait in a bounded queue; a caller with much
// text waits for room, a caller beyond Config.MaxCalls gets [ErrBusy].
//
// The same input gives the same scores whatever stands beside it in a batch: a row is always padded to its own bucket,
// and the int8 graph has fixed scales and exact integer sums (see assessment/model/train/export.py).
//
// The library is not part of the program. It is looked for at Config.LibraryPath, in HEARTMARK_ONNXRUNTIME, beside the
// program, in .deps/onnxruntime upward from the working folder and from the program, then in the system's folders. The
// builds that `make deps` obtains are known by their SHA-256; others found by search are refused, one that is named
// expressly is used with a warning.
package onnx
