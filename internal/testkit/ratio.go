package testkit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Contender is something that is timed beside others: each call of Run returns how long, in seconds, each of some runs took.
type Contender struct {
	Name string
	Run  func() []float64
}

// Timed returns a Contender that does work times times at a turn. An error of work is a fault of the benchmark: it panics.
func Timed(name string, times int, work func() error) Contender {
	return Contender{name, func() []float64 {
		seconds := make([]float64, times)
		for i := range seconds {
			start := time.Now()
			err := work()
			seconds[i] = time.Since(start).Seconds()
			if err != nil {
				panic(fmt.Sprintf("%s: %v", name, err))
			}
		}
		return seconds
	}}
}

// Ratios lets the contenders take turns, so that a busy machine disturbs all alike, and reports the least time of each,
// which others' work does not lengthen, and how many times that of the first it is.
func Ratios(b *testing.B, list []Contender) {
	b.Helper()
	const warm, rounds = 10, 60
	seconds := make([][]float64, len(list))
	for b.Loop() {
		for round := range warm + rounds {
			for i, c := range list {
				if s := c.Run(); round >= warm {
					seconds[i] = append(seconds[i], s...)
				}
			}
		}
	}
	first := slices.Min(seconds[0])
	for i, c := range list {
		slices.Sort(seconds[i])
		least, median := seconds[i][0], seconds[i][len(seconds[i])/2]
		b.Logf("%-28s %8.1f µs, %8.2f × %s (median %.1f µs)", c.Name, 1e6*least, least/first, list[0].Name, 1e6*median)
		b.ReportMetric(least/first, strings.ReplaceAll(c.Name, " ", "-")+"/first")
	}
	b.ReportMetric(0, "ns/op") // how often the framework asks means nothing here
}
