//go:build cgo

package onnx_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
)

// nodeVariable names the folder with test/nodebench and its installed packages; `make bench-node` sets it.
const nodeVariable = "HEARTMARK_NODE_BENCH"

// nodeSlack is how much slower than onnxruntime-node the Go path may measure: the noise of a shared machine.
const nodeSlack = 1.10

// TestAgainstNode holds the whole Go path (text to scores) against onnxruntime-node on the same model, ids, batches and
// threads (ids to logits). Both take turns in one run, so that a busy machine disturbs both alike; the ratio counts.
func TestAgainstNode(t *testing.T) {
	folder := os.Getenv(nodeVariable)
	if folder == "" {
		t.Skip("the benchmark against onnxruntime-node runs by `make bench-node`")
	}
	in := benchMessages(128)
	classifiers := map[int]*onnx.Classifier{
		1: open(t, func(c *onnx.Config) { c.Workers, c.Threads = 1, 1 }),
		2: open(t, func(c *onnx.Config) { c.Workers, c.Threads = 1, 2 }),
	}
	two := open(t, func(c *onnx.Config) { c.Workers, c.Threads = 2, 1 }) // a batch on each of two cores
	node := startNode(t, folder, onnx.Batches(classifiers[1], in), in)
	const rounds = 7
	for _, k := range []struct {
		name    string
		go1     *onnx.Classifier
		what    string
		threads int
		lanes   int
	}{
		{"128 messages, 1 thread", classifiers[1], "batches", 1, 1},
		{"128 messages, 2 threads in a batch", classifiers[2], "batches", 2, 1},
		{"128 messages, 2 batches at a time", two, "batches", 1, 2},
		{"one message, 1 thread", classifiers[1], "ones", 1, 1},
		{"one message, 2 threads", classifiers[2], "ones", 2, 1},
	} {
		var ours, theirs []float64
		for range rounds {
			ours = append(ours, runGo(t, k.go1, in, k.what)...)
			theirs = append(theirs, node.run(t, k.what, k.threads, k.lanes)...)
		}
		at := 0.5
		if k.what == "ones" {
			at = 0.95
		}
		a, b := quantile(ours, at), quantile(theirs, at)
		t.Logf("%-36s p%.0f: Go %.2f ms, onnxruntime-node %.2f ms, ratio %.3f (median %.3f, least %.3f)", k.name, 100*at, 1e3*a, 1e3*b,
			a/b, quantile(ours, .5)/quantile(theirs, .5), quantile(ours, 0)/quantile(theirs, 0))
		if a > b*nodeSlack {
			t.Errorf("%s: Go takes %.3f times as long", k.name, a/b)
		}
	}
}

// benchMessages have 30 tokens on average.
func benchMessages(n int) []assessment.ClassifierInput {
	in := make([]assessment.ClassifierInput, 0, n)
	for i := range n {
		in = append(in, message(strings.Repeat("the team never listens when I say it is too late ", 1+i%4)+"ok", "en"))
	}
	return in
}

func quantile(values []float64, at float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(at*float64(len(sorted)-1)+0.5)]
}

func runGo(t *testing.T, c *onnx.Classifier, in []assessment.ClassifierInput, what string) []float64 {
	t.Helper()
	step := len(in)
	if what == "ones" {
		step = 1
	}
	var seconds []float64
	for part := range slices.Chunk(in, step) {
		started := time.Now()
		if _, err := c.Classify(t.Context(), part); err != nil {
			t.Fatal(err)
		}
		seconds = append(seconds, time.Since(started).Seconds())
	}
	return seconds
}

type nodeSide struct {
	to   io.Writer
	from *bufio.Scanner
}

// startNode writes the model and the ids to a temporary folder and starts the other side on them.
func startNode(t *testing.T, folder string, batches []onnx.IDs, in []assessment.ClassifierInput) *nodeSide {
	t.Helper()
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	var ones []onnx.IDs
	c := open(t, nil)
	for i := range in {
		ones = append(ones, onnx.Batches(c, in[i:i+1])...)
	}
	work, err := json.Marshal(map[string][]onnx.IDs{"batches": batches, "ones": ones})
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	for name, data := range map[string][]byte{"model.onnx": m.Model, "batches.json": work} {
		if err := os.WriteFile(filepath.Join(temp, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(folder, "classify.mjs"),
		filepath.Join(temp, "model.onnx"), filepath.Join(temp, "batches.json"))
	cmd.Stderr = os.Stderr
	to, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	from, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = to.Close()
		_ = cmd.Wait()
	})
	node := &nodeSide{to: to, from: bufio.NewScanner(from)}
	node.from.Buffer(nil, 1<<20)
	for _, threads := range []int{1, 2} { // load and warm
		node.run(t, "ones", threads, 1)
	}
	return node
}

func (n *nodeSide) run(t *testing.T, what string, threads, lanes int) []float64 {
	t.Helper()
	if _, err := fmt.Fprintf(n.to, "{\"threads\":%d,\"lanes\":%d,\"what\":%q}\n", threads, lanes, what); err != nil {
		t.Fatal(err)
	}
	if !n.from.Scan() {
		t.Fatal("onnxruntime-node has ended: ", n.from.Err())
	}
	var answer struct{ Seconds []float64 }
	if err := json.Unmarshal(n.from.Bytes(), &answer); err != nil || len(answer.Seconds) == 0 {
		t.Fatalf("onnxruntime-node answers %s: %v", n.from.Bytes(), err)
	}
	return answer.Seconds
}
