package onnx

import (
	"strings"
)

// engine is one loaded graph. It stays open while a runner of it is.
type engine interface {
	runtime() string // RuntimeCPU, RuntimeCUDAFP16 or RuntimeCUDAFP32
	digest() string  // SHA-256 of the file that runs, hex
	cuda() bool
	// runner answers what one worker needs to run batches: buffers of its own.
	runner() (runner, error)
	close() error
}

// runner runs batches on one engine, one at a time.
type runner interface {
	// run answers the outputs of a batch in the order that its want has them. They are overwritten by the next run.
	run(b *batch) ([]output, error)
	close() error
}

// output is one output tensor of a run.
type output struct {
	data  []float32 // [rows, width]
	width int
}

// memoryFault tells whether a run of CUDA failed for want of memory: then smaller batches may still run. The runtime has
// no code for it; these are the words of its allocator, of CUDA and of cuBLAS.
func memoryFault(err error) bool {
	said := strings.ToLower(err.Error())
	for _, words := range []string{"out of memory", "failed to allocate memory", "out_of_memory", "alloc_failed"} {
		if strings.Contains(said, words) {
			return true
		}
	}
	return false
}
