package head

import "errors"

var (
	// ErrData is wrapped when the rows are readable and cannot be trained on: too few, too few of a label, groups that
	// cannot be parted. The message says what to add.
	ErrData = errors.New("rows cannot be trained on")
	// ErrEncoder is returned by Open when a head was fitted on another encoder than the running one. Fit it again.
	ErrEncoder = errors.New("head was fitted on another encoder")
	// ErrDigest is wrapped when a file of a head's folder is missing or is not the one in SHA256SUMS. Restore the folder.
	ErrDigest = errors.New("head file does not have the digest of SHA256SUMS")
	// ErrManifest is wrapped when head.json cannot be read or contradicts the graph.
	ErrManifest = errors.New("head manifest is not consistent")
	// ErrGraph is wrapped when an ONNX file is not a graph of the form that this package writes.
	ErrGraph = errors.New("not the graph of a head")
	// ErrWeights is wrapped when a graph or a vector holds a value that is not a finite number.
	ErrWeights = errors.New("value is not a finite number")
	// ErrRun is wrapped when the runner answers something else than one row of logits a vector.
	ErrRun = errors.New("head answer cannot be used")
)
