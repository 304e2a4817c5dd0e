package head

import (
	"context"
	"fmt"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/model"
	"heartmark/assessment/text"
)

// Order is what Make needs beside the rows.
type Order struct {
	Name    string
	Kind    model.Kind // empty: softmax where every row has exactly one label
	Split   SplitOptions
	Fit     FitOptions
	Created time.Time
	Encoder assessment.Encoder
	Ref     EncoderRef
	// Progress counts rows that are encoded and passes that are trained; may be nil.
	Progress func(what string, done, total int)
}

// Made is what Make answers.
type Made struct {
	Model    *Model
	Manifest Manifest
	Train    [][]float32 // vectors of the training rows, for Suggest
}

// Make goes the whole way from rows to a head: label, split, encode, fit, calibrate, measure.
func Make(ctx context.Context, d Data, o Order) (Made, error) {
	if err := CheckName(o.Name); err != nil {
		return Made{}, err
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	if o.Split.Shares == [3]float64{} {
		o.Split.Shares = DefaultShares()
	}
	o.Fit = o.Fit.withDefaults()
	o.Fit.Progress = func(done, total int) { o.Progress("training", done, total) }
	t, err := Label(d.Rows, o.Kind)
	if err != nil {
		return Made{}, err
	}
	parts, err := Split(d.Rows, t, o.Split)
	if err != nil {
		return Made{}, err
	}
	vectors, err := Vectors(ctx, o.Encoder, d.Rows, func(done, total int) { o.Progress("encoding", done, total) })
	if err != nil {
		return Made{}, err
	}
	network, training, err := Fit(ctx, vectors, t, parts, o.Fit)
	if err != nil {
		return Made{}, fmt.Errorf("fit: %w", err)
	}
	logits := make([][]float32, len(vectors))
	for i, v := range vectors {
		logits[i] = network.Forward(v)
	}
	m := &Model{
		Name: o.Name, Kind: t.Kind, Labels: t.Labels, Encoder: o.Ref, Calibration: Calibrate(logits, t, parts.Validation),
		Created: o.Created.UTC().Truncate(time.Second), DataSHA256: d.SHA256, Network: network,
	}
	if err := m.check(); err != nil {
		return Made{}, err
	}
	about := Manifest{
		Data: countData(d, t, parts), Training: training,
		Settings: Settings{
			Seed: o.Fit.Seed, Shares: o.Split.Shares, Hidden: o.Fit.Hidden, Dropout: o.Fit.Dropout, Balanced: o.Fit.Balanced, Epochs: o.Fit.Epochs,
		},
		Report: Measure(Measured{
			Rows: d.Rows, Targets: t, Logits: logits, Calibration: m.Calibration, Train: parts.Train, At: parts.Test, Seed: o.Fit.Seed,
		}),
	}
	made := Made{Model: m, Manifest: about.of(m)}
	for _, i := range parts.Train {
		made.Train = append(made.Train, vectors[i])
	}
	return made, nil
}

func countData(d Data, t Targets, p Parts) DataCounts {
	c := DataCounts{
		SHA256: d.SHA256, Rows: len(d.Rows), Groups: p.Groups, Left: d.Issues.Total, Repeated: d.Repeated,
		Parts: map[Part]int{}, Labels: map[Part]map[string]int{}, Languages: map[string]int{},
	}
	for _, part := range []struct {
		name Part
		at   []int
	}{{Train, p.Train}, {Validation, p.Validation}, {Test, p.Test}} {
		c.Parts[part.name] = len(part.at)
		c.Labels[part.name] = t.counts(part.at)
	}
	for _, r := range d.Rows {
		if len(r.Context) > 0 {
			c.WithContext++
		}
		c.Languages[r.language()]++
	}
	return c
}

// language is the language of a row, as given or detected.
func (r Row) language() string {
	if r.Lang != "" {
		return r.Lang
	}
	lang, _ := text.Language(r.Text)
	return lang
}
