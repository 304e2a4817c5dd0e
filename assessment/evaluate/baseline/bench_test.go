package baseline_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"heartmark/assessment/evaluate/baseline"
)

// texts returns vectors as TF-IDF makes them: about 190 terms a row of 100,000, the low ones the most frequent.
func texts(n, classes int) (x []baseline.Sparse, y []int) {
	random := rand.New(rand.NewPCG(6, 7))
	for range n {
		label := random.IntN(classes)
		var index []uint32
		for range 200 {
			u := random.Float64()
			index = append(index, uint32(u*u*u*100000))
		}
		for range 2 {
			index = append(index, uint32(label*300+random.IntN(300)))
		}
		slices.Sort(index)
		index = slices.Compact(index)
		value := make([]float32, len(index))
		for j := range value {
			value[j] = 0.05 + 0.04*random.Float32()
		}
		x, y = append(x, baseline.Sparse{Index: index, Value: value}), append(y, label)
	}
	return x, y
}

// vectors returns rows as wide as the frozen encoder's.
func vectors(n, classes int) (x [][]float32, y []int) {
	random := rand.New(rand.NewPCG(8, 9))
	for range n {
		label := random.IntN(classes)
		row := make([]float32, 1152)
		for f := range row {
			row[f] = float32(random.NormFloat64())
			if f < 300 && f%classes == label {
				row[f] += 0.5
			}
		}
		x, y = append(x, row), append(y, label)
	}
	return x, y
}

func BenchmarkFitLogistic(b *testing.B) {
	for _, c := range []struct {
		name    string
		classes int
	}{{"binary", 2}, {"softmax14", 14}} {
		b.Run(c.name, func(b *testing.B) {
			x, y := texts(8000, c.classes)
			for b.Loop() {
				baseline.FitLogistic(x, y, c.classes, baseline.Options{})
			}
			b.ReportMetric(float64(len(x)*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkFitSVM(b *testing.B) {
	x, y := vectors(8000, 14)
	for b.Loop() {
		baseline.FitSVM(x, y, 14, baseline.Options{})
	}
	b.ReportMetric(float64(len(x)*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkFitForest(b *testing.B) {
	x, y := vectors(8000, 14)
	for b.Loop() {
		baseline.FitForest(x, y, 14, baseline.ForestOptions{})
	}
	b.ReportMetric(200*float64(b.N)/b.Elapsed().Seconds(), "trees/s")
}
