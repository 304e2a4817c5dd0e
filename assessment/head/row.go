package head

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/model"
)

// Part is one of the three parts of a labelled file.
type Part string

// The parts.
const (
	Train      Part = "train"
	Validation Part = "validation" // chooses weight decay, the epoch and the calibration
	Test       Part = "test"       // is only measured
)

// Row is one text of the operator's file.
type Row struct {
	Line    int    // 1-based, in the file
	ID      string // empty where the file gives none
	Text    string
	Context []assessment.Turn // what was said before, oldest first; nil for none
	Lang    string            // "en", "zh" or empty
	Group   string            // rows of one group, such as a conversation or an author, stay on one side; empty for none
	Labels  []string          // sorted, each once; nil in a file without labels
	Part    Part              // where the file says so; else empty
}

// LogValue hides the text.
func (r Row) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf("[row of line %d]", r.Line)) }

// input is what the encoder reads of a row: contact data masked, as in assessment.
func input(s *evidence.Scrubber, text, lang string, context []assessment.Turn) assessment.ClassifierInput {
	in := assessment.ClassifierInput{Text: s.Scrub(text), Lang: lang}
	for _, turn := range context {
		in.Context = append(in.Context, assessment.Turn{Self: turn.Self, Text: s.Scrub(turn.Text)})
	}
	return in
}

// Targets are the labels of rows as classes.
type Targets struct {
	Kind   model.Kind // model.Softmax or model.Sigmoid
	Labels []string   // sorted
	// Class is, a row, the place of its one label; softmax only.
	Class []int
	// Has is, a row, which labels hold, in label order; for softmax one is true.
	Has [][]bool
}

// Bounds of a labelled file.
const (
	MinRows         = 30 // fewer cannot be parted and measured
	MinRowsPerLabel = 8
	MaxLabels       = 200
	MaxRows         = 200_000 // encoded rows are held in memory: 4.6 kB each
)

// Label collects the labels of rows. An empty kind takes softmax where every row has exactly one label, else sigmoid. The
// error wraps ErrData and names what is missing: a label with too few rows, a second label, a row with none.
func Label(rows []Row, kind model.Kind) (Targets, error) {
	counts := make(map[string]int)
	single := true
	for _, r := range rows {
		for _, l := range r.Labels {
			counts[l]++
		}
		single = single && len(r.Labels) == 1
	}
	if kind == "" {
		kind = model.Sigmoid
		if single {
			kind = model.Softmax
		}
	}
	t := Targets{Kind: kind, Labels: slices.Sorted(keysOf(counts))}
	if err := t.check(rows, counts, single); err != nil {
		return Targets{}, err
	}
	for _, r := range rows {
		has := make([]bool, len(t.Labels))
		class := 0
		for _, l := range r.Labels {
			class, _ = slices.BinarySearch(t.Labels, l)
			has[class] = true
		}
		t.Has = append(t.Has, has)
		if kind == model.Softmax {
			t.Class = append(t.Class, class)
		}
	}
	return t, nil
}

func keysOf[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (t Targets) check(rows []Row, counts map[string]int, single bool) error {
	switch {
	case t.Kind != model.Softmax && t.Kind != model.Sigmoid:
		return fmt.Errorf("%w: kind %q is neither softmax nor sigmoid", ErrData, t.Kind)
	case len(rows) < MinRows:
		return fmt.Errorf("%w: %d rows, at least %d are needed", ErrData, len(rows), MinRows)
	case t.Kind == model.Softmax && !single:
		return fmt.Errorf("%w: rows without exactly one label; use kind sigmoid", ErrData)
	case t.Kind == model.Softmax && len(t.Labels) < 2, len(t.Labels) == 0:
		return fmt.Errorf("%w: %d labels; there is nothing to tell apart", ErrData, len(t.Labels))
	case len(t.Labels) > MaxLabels:
		return fmt.Errorf("%w: %d labels, at most %d", ErrData, len(t.Labels), MaxLabels)
	}
	var thin []string
	for _, l := range t.Labels {
		if n := counts[l]; n < MinRowsPerLabel || t.Kind == model.Sigmoid && len(rows)-n < MinRowsPerLabel {
			thin = append(thin, fmt.Sprintf("%q with %d of %d", l, n, len(rows)))
		}
	}
	if len(thin) > 0 {
		return fmt.Errorf("%w: labels with too few rows: %s; %d with and, for sigmoid, %d without are needed",
			ErrData, strings.Join(thin, ", "), MinRowsPerLabel, MinRowsPerLabel)
	}
	return nil
}

// counts says, a label, how many of the rows at the given places have it.
func (t Targets) counts(at []int) map[string]int {
	out := make(map[string]int, len(t.Labels))
	for k, l := range t.Labels {
		out[l] = 0
		for _, i := range at {
			if t.Has[i][k] {
				out[l]++
			}
		}
	}
	return out
}

// normalLabels sorts labels and drops repeated ones.
func normalLabels(labels []string) []string {
	slices.SortFunc(labels, cmp.Compare)
	return slices.Compact(labels)
}
