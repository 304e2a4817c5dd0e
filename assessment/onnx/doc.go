// Package onnx runs the classifier of assessment/model on ONNX Runtime and implements assessment.Classifier and
// assessment.Encoder (assessment design, section 4 "ONNX"). It is the only package that uses cgo for it; without cgo
// [Open] answers [ErrNoCgo].
//
// A process loads a graph once, whichever classifiers run it. A classifier has Config.Workers goroutines, each running one
// batch of at most 32 rows of one length bucket (16, 32, 64, 128 or 192 tokens and a little for the marks) on
// Config.Threads threads, in buffers of its own that are bound to the session once for each shape of a batch. The rows of
// all calls pass one queue: what comes while the workers run shares the next batches, and an idle worker takes a row at
// once. The queue is bounded: a caller with much text waits for room, or until its context ends, and has at most two
// batches a worker under way, so that short calls pass between; a call beyond Config.MaxCalls gets [ErrBusy].
//
// The same input gives the same scores whatever stands beside it in a batch: a row is always padded to its own bucket,
// and the int8 graph has fixed scales and exact integer sums (see assessment/model/train/export.py).
//
// CUDA runs where a GPU model with a known digest is configured and the library carries it. When it has no memory for a
// batch, the batch is done again in halves and batches stay that small; when it fails otherwise, the CPU takes over for
// good and does the batch again. [Classifier.Info] names the runtime, which tells the provider and the file, and the
// file's SHA-256.
//
// [Open] reads the names and widths of the outputs from the graph and refuses a head that is missing ([ErrHead]), then runs
// every bucket once. Metrics are listed in metrics.go; times are measured only where Config.Now is given.
//
// The library is not part of the program. It is looked for at Config.LibraryPath, in HEARTMARK_ONNXRUNTIME, beside the
// program, in .deps/onnxruntime upward from the working folder and from the program, then in the system's folders. The
// builds that `make deps` obtains are known by their SHA-256; others found by search are refused, one that is named
// expressly is used with a warning.
package onnx
