//go:build cgo

package onnx_test

import (
	"errors"
	"testing"

	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
)

func TestOutputWidths(t *testing.T) {
	t.Parallel()
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	widths, err := onnx.OutputWidths(m.Model)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range m.Heads {
		if widths[h.Output()] != len(h.Labels) {
			t.Errorf("output %s has width %d, want %d", h.Output(), widths[h.Output()], len(h.Labels))
		}
	}
	if widths["pooled"] == 0 {
		t.Error("no width of the vectors")
	}
	for _, n := range []int{0, 1, 1000, len(m.Model) / 2, len(m.Model) - 1} {
		if _, err := onnx.OutputWidths(m.Model[:n]); err == nil {
			t.Errorf("a graph cut to %d bytes is read", n)
		}
	}
}

// A head that the graph lacks, or has in another width, and a head that the manifest lacks are refused at Open.
func TestOpenRefusesMissingOutputs(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*model.Manifest, *onnx.Config){
		"no output": func(m *model.Manifest, _ *onnx.Config) {
			m.Heads = append(m.Heads, model.Head{Name: "absent", Kind: model.Sigmoid, Labels: []string{"yes"}})
		},
		"other width": func(m *model.Manifest, _ *onnx.Config) { m.Heads[0].Labels = m.Heads[0].Labels[:3] },
		"no head":     func(_ *model.Manifest, cfg *onnx.Config) { cfg.Heads = []string{"emotion", "absent"} },
	} {
		m, err := model.Open(model.Embedded())
		if err != nil {
			t.Fatal(err)
		}
		cfg := onnx.Config{Model: m}
		change(m, &cfg)
		if _, err := onnx.OpenFakes(cfg, cpu(), cpu()); !errors.Is(err, onnx.ErrHead) {
			t.Errorf("%s: Open = %v, want ErrHead", name, err)
		}
	}
}

// Any bytes are read without a panic, and what is read has names and widths in range.
func FuzzOutputWidths(f *testing.F) {
	// graph { output { name: "a" type { tensor_type { shape { dim { dim_value: 2 } dim { dim_value: 3 } } } } } }
	f.Add([]byte("\x3a\x15\x62\x13\x0a\x01a\x12\x0e\x0a\x0c\x12\x0a\x0a\x02\x08\x02\x0a\x02\x08\x03"))
	f.Add([]byte("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, graph []byte) {
		widths, err := onnx.OutputWidths(graph)
		if err == nil && len(widths) == 0 {
			t.Error("no outputs and no error")
		}
		for name, width := range widths {
			if width < 0 || width >= 1<<20 {
				t.Errorf("output %q has width %d", name, width)
			}
		}
	})
}
