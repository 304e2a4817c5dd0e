package head_test

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
	"time"

	"heartmark/assessment/head"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
	"heartmark/internal/testkit"
)

func write(tb testing.TB, m *head.Model) []byte {
	tb.Helper()
	data, err := head.WriteONNX(m)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// What is written reads as the same model, for any shape, kind and labels.
func TestGraphRoundTrip(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(11, 3))
	for i := range 60 {
		kind := []model.Kind{model.Softmax, model.Sigmoid}[i%2]
		m := drawn(kind, 1+draw.IntN(40), draw.IntN(3)*draw.IntN(20), 1+draw.IntN(9), uint64(i))
		m.Labels[0] = []string{"!", "\"quoted\" <b>&", "  "[:1] + "x", "A 语气"}[i%4]
		m.Labels[0] = map[bool]string{true: "!", false: m.Labels[0]}[i%4 == 2]
		m.Created = m.Created.Add(time.Duration(i) * time.Hour)
		data := write(t, m)
		got, err := head.ReadONNX(data)
		if err != nil {
			t.Fatalf("model %d: %v", i, err)
		}
		if len(m.Network.W1) == 0 {
			m.Network.W1, m.Network.B1, got.Network.W1, got.Network.B1 = nil, nil, nil, nil
		}
		if !reflect.DeepEqual(got, m) {
			t.Fatalf("model %d reads as another: %+v, was %+v", i, got, m)
		}
		if !bytes.Equal(write(t, got), data) {
			t.Fatalf("model %d: other bytes the second time", i)
		}
	}
}

// ONNX Runtime computes what Forward computes, whatever stands beside a vector in the call.
func TestGraphsRunInONNXRuntime(t *testing.T) {
	t.Parallel()
	draw := rand.New(rand.NewPCG(5, 3))
	for i, shape := range [][3]int{{1152, 32, 3}, {1152, 0, 28}, {384, 64, 2}, {7, 3, 1}, {1, 0, 1}, {1, 1, 200}} {
		m := drawn(model.Sigmoid, shape[0], shape[1], shape[2]%26, uint64(i))
		if shape[2] == 200 {
			m = drawn(model.Sigmoid, shape[0], shape[1], 20, uint64(i))
		}
		// Sums of a trained head's size.
		for k := range m.Network.W1 {
			m.Network.W1[k] /= float32(math.Sqrt(float64(shape[0])))
		}
		for k := range m.Network.W2 {
			m.Network.W2[k] /= float32(math.Sqrt(float64(max(shape[1], 1))))
		}
		runner, err := onnx.OpenHead(write(t, m), shape[0], m.Network.Outputs)
		if errors.Is(err, onnx.ErrLibraryMissing) && os.Getenv(testkit.RequireShared) == "" {
			t.Skip("ONNX Runtime:", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		vectors := make([][]float32, 50)
		for j := range vectors {
			vectors[j] = make([]float32, shape[0])
			for d := range vectors[j] {
				vectors[j][d] = float32(draw.NormFloat64())
			}
		}
		together, err := runner.Run(vectors)
		if err != nil {
			t.Fatal(err)
		}
		for j, v := range vectors {
			alone, err := runner.Run(vectors[j : j+1])
			if err != nil || !reflect.DeepEqual(alone[0], together[j]) {
				t.Fatalf("shape %v: alone %v, together %v, %v", shape, alone, together[j], err)
			}
			for k, z := range m.Network.Forward(v) {
				if gap := math.Abs(float64(z - together[j][k])); !(gap <= 1e-5*max(1, math.Abs(float64(z)))) {
					t.Fatalf("shape %v: logit %g here, %g in ONNX Runtime", shape, z, together[j][k])
				}
			}
		}
		if err := errors.Join(runner.Close(), runner.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := runner.Run(vectors); !errors.Is(err, onnx.ErrClosed) {
			t.Errorf("Run after Close: %v, want ErrClosed", err)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	cases := []struct {
		name   string
		change func(*head.Model)
		want   error
	}{
		{"name", func(m *head.Model) { m.Name = "Tone of voice" }, head.ErrManifest},
		{"kind", func(m *head.Model) { m.Kind = model.Value }, head.ErrManifest},
		{"labels out of order", func(m *head.Model) { m.Labels[0], m.Labels[1] = m.Labels[1], m.Labels[0] }, head.ErrManifest},
		{"label twice", func(m *head.Model) { m.Labels[1] = m.Labels[0] }, head.ErrManifest},
		{"label not printable", func(m *head.Model) { m.Labels[0] = "\a" }, head.ErrManifest},
		{"digest", func(m *head.Model) { m.Encoder.SHA256 = "abc" }, head.ErrManifest},
		{"time in nanoseconds", func(m *head.Model) { m.Created = m.Created.Add(1) }, head.ErrManifest},
		{"calibration missing", func(m *head.Model) { m.Calibration.Shift = nil }, head.ErrManifest},
		{"calibration NaN", func(m *head.Model) { m.Calibration.Shift[0] = math.NaN() }, head.ErrManifest},
		{"label too many", func(m *head.Model) {
			m.Labels = append(m.Labels, "z")
			m.Calibration = head.Uncalibrated(m.Kind, len(m.Labels))
		}, head.ErrGraph},
		{"width", func(m *head.Model) { m.Encoder.Width++ }, head.ErrGraph},
		{"weights short", func(m *head.Model) { m.Network.W1 = m.Network.W1[1:] }, head.ErrGraph},
		{"no network", func(m *head.Model) { m.Network = nil }, head.ErrGraph},
		{"NaN weight", func(m *head.Model) { m.Network.W2[1] = nan }, head.ErrWeights},
		{"infinite mean", func(m *head.Model) { m.Network.Mean[0] = float32(math.Inf(1)) }, head.ErrWeights},
	}
	for _, tc := range cases {
		m := drawn(model.Softmax, 6, 4, 3, 1)
		tc.change(m)
		if _, err := head.WriteONNX(m); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
}

func TestReadRefusesOtherGraphs(t *testing.T) {
	t.Parallel()
	whole := write(t, drawn(model.Softmax, 6, 4, 3, 1))
	// Any one byte changed is refused, or is the value of a weight, a calibration or a digest: then it encodes back.
	for i := range whole {
		for _, bit := range []byte{1, 0x80} {
			changed := append([]byte(nil), whole...)
			changed[i] ^= bit
			m, err := head.ReadONNX(changed)
			if err == nil && !bytes.Equal(write(t, m), changed) {
				t.Fatalf("byte %d changed: reads and encodes to other bytes", i)
			}
			if err != nil && !errors.Is(err, head.ErrGraph) && !errors.Is(err, head.ErrManifest) && !errors.Is(err, head.ErrWeights) {
				t.Fatalf("byte %d changed: %v is none of the sentinels", i, err)
			}
		}
	}
	for n := range whole {
		if _, err := head.ReadONNX(whole[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are taken", n, len(whole))
		}
	}
	// A field that this program does not write, such as another operator set or an unknown one, is refused too.
	for _, extra := range [][]byte{{0x42, 0x02, 0x10, 0x15}, {0xfa, 0x01, 0x00}, {0x28, 0x01}} {
		if _, err := head.ReadONNX(append(append([]byte(nil), whole...), extra...)); !errors.Is(err, head.ErrGraph) {
			t.Errorf("with %x at the end: %v, want ErrGraph", extra, err)
		}
	}
	relu := bytes.Replace(whole, []byte("Relu"), []byte("Tanh"), 1)
	if _, err := head.ReadONNX(relu); !errors.Is(err, head.ErrGraph) {
		t.Errorf("another operator: %v, want ErrGraph", err)
	}
	if _, err := onnx.OpenHead(whole, 7, 3); err == nil || !errors.Is(err, onnx.ErrRun) && !errors.Is(err, onnx.ErrLibraryMissing) {
		t.Errorf("OpenHead of another width: %v, want ErrRun", err)
	}
}

// What is read encodes to the same bytes.
func FuzzReadONNX(f *testing.F) {
	for i, kind := range []model.Kind{model.Softmax, model.Sigmoid} {
		f.Add(write(f, drawn(kind, 3, 2*i, 2, uint64(i))))
	}
	f.Add([]byte{0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := head.ReadONNX(data)
		if err != nil {
			return
		}
		if again, err := head.WriteONNX(m); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("read, and encodes to other bytes: %v", err)
		}
	})
}
