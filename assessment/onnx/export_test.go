//go:build cgo

package onnx

import (
	"fmt"
	"sync/atomic"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/model"
)

// Fake is an engine for tests of what happens when a run fails. Its outputs follow from the ids alone.
type Fake struct {
	Name string
	GPU  bool
	// Fail answers the fault of a run of so many rows; nil: none.
	Fail func(rows, length int) error
	// Gate, where set, is received from before each run.
	Gate chan struct{}

	Runs    atomic.Int32
	Rows    atomic.Int32
	open    atomic.Int32 // references
	widths  [wants][]int
	started atomic.Bool
}

func (f *Fake) runtime() string { return f.Name }
func (f *Fake) digest() string  { return "digest of " + f.Name }
func (f *Fake) cuda() bool      { return f.GPU }

func (f *Fake) runner() (runner, error) {
	f.open.Add(1)
	return &fakeRunner{f}, nil
}

func (f *Fake) close() error {
	if f.open.Add(-1) < 0 {
		return fmt.Errorf("%s is closed twice", f.Name)
	}
	return nil
}

// Open tells how many hold the engine.
func (f *Fake) Open() int { return int(f.open.Load()) }

type fakeRunner struct{ f *Fake }

func (r *fakeRunner) close() error { return r.f.close() }

func (r *fakeRunner) run(b *batch) ([]output, error) {
	if r.f.Gate != nil && r.f.started.Load() {
		<-r.f.Gate
	}
	r.f.Runs.Add(1)
	if r.f.Fail != nil {
		if err := r.f.Fail(len(b.rows), b.length()); err != nil {
			return nil, err
		}
	}
	r.f.Rows.Add(int32(len(b.rows)))
	var outputs []output
	for _, width := range r.f.widths[b.want] {
		o := output{width: width}
		for _, row := range b.rows {
			sum := int64(0)
			for i, id := range row.ids {
				sum += id * int64(i+1)
			}
			for at := range width {
				o.data = append(o.data, float32(sum%997)/997-float32(at)/10)
			}
		}
		outputs = append(outputs, o)
	}
	return outputs, nil
}

// OpenFakes opens a classifier that starts on first and falls back to cpu.
func OpenFakes(cfg Config, first, cpu *Fake) (*Classifier, error) {
	c, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	c.release = func() error { return nil }
	for _, f := range []*Fake{first, cpu} {
		for _, h := range c.heads {
			f.widths[wantHeads] = append(f.widths[wantHeads], len(h.Labels))
		}
		f.widths[wantVectors] = []int{c.width}
	}
	c.openCPU = func() (engine, error) {
		cpu.open.Add(1)
		return cpu, nil
	}
	err = c.start(func() (engine, error) {
		first.open.Add(1)
		return first, nil
	})
	first.started.Store(true)
	cpu.started.Store(true)
	return c, err
}

// MemoryFault is an inner door to the reading of CUDA's faults.
func MemoryFault(err error) bool { return memoryFault(err) }

// Sessions counts the graphs that this process has loaded.
func Sessions() int {
	environment.mu.Lock()
	defer environment.mu.Unlock()
	return len(environment.sessions)
}

// OutputWidths is an inner door to the reading of graphs.
func OutputWidths(graph []byte) (map[string]int, error) { return outputWidths(graph) }

// Waiting counts the rows in the queue.
func Waiting(c *Classifier) int { return c.queue.waiting() }

// IDs are the rows of one batch, as another runtime may read them.
type IDs struct {
	Length int       `json:"length"`
	Rows   [][]int64 `json:"rows"`
}

// Batches cuts inputs into the batches that one idle worker would run.
func Batches(c *Classifier, in []assessment.ClassifierInput) []IDs {
	q := newQueue(2 * len(in))
	for _, input := range in {
		ids, folded := c.encoder.encode(input)
		for _, r := range []row{{ids: ids}, {ids: folded}} {
			if r.ids != nil && q.tryReserve() {
				q.push(wantHeads, []row{r}, time.Time{})
			}
		}
	}
	q.close()
	var all []IDs
	var b batch
	for q.take(&b, MaxBatch, false) {
		ids := IDs{Length: b.length()}
		for _, r := range b.rows {
			ids.Rows = append(ids.Rows, r.ids)
		}
		all = append(all, ids)
	}
	return all
}

// GPURuntime is an inner door to the naming of GPU graphs.
func GPURuntime(m *model.Manifest, graph []byte) (string, bool) { return gpuRuntime(m, graph) }
