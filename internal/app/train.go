package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"heartmark/assessment/evidence"
	"heartmark/assessment/head"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
	"heartmark/verifier/report"

	"github.com/spf13/cobra"
)

type trainFlags struct {
	read        head.ReadOptions
	name, out   string
	kind        string
	shares      string
	l2          []float64
	fit         head.FitOptions
	unlabelled  string
	suggest     int
	suggestions string
}

func trainCommand(c *console) *cobra.Command {
	f := trainFlags{fit: head.FitOptions{Hidden: head.DefaultHidden, Epochs: 60}}
	command := &cobra.Command{
		Use: "train FILE", Short: "Fit a head of your own labels on the frozen encoder",
		Long: "Train reads labelled texts (JSON Lines or CSV: text, label or labels, optional context, lang, group, split, id), fits a small\n" +
			"head on the frozen encoder of the built-in model, calibrates it, prints how it does on test rows that it has not seen, and\n" +
			"writes a folder that `heartmark classify` and the server load. Rows of one group, and repeated texts, stay on one side.\n" +
			"With --unlabelled it names the rows that are worth a label next. You vouch for the right to train on the texts; none of\n" +
			"them enters the folder.",
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error { return c.train(command.Context(), args[0], f) },
	}
	flags := command.Flags()
	flags.StringVar(&f.name, "name", "", "name of the head, such as tone (needed)")
	flags.StringVar(&f.out, "out", "", "folder to write; it must not exist, or be empty (needed)")
	flags.StringVar(&f.read.Format, "format", evidence.FormatAuto, "auto, csv or jsonl")
	flags.StringVar(&f.read.OnError, "on-error", evidence.OnErrorRefuse, "refuse the whole file on a bad line, or skip it")
	flags.StringVar(&f.kind, "kind", "", "softmax (one label a text) or sigmoid (any number); found out where empty")
	flags.StringVar(&f.shares, "split", "0.7,0.15,0.15", "shares of train, validation and test")
	flags.Uint64Var(&f.fit.Seed, "seed", 1, "seed; the same file, flags and seed give the same head")
	flags.Float64SliceVar(&f.l2, "l2", nil, "weight decays to try; the one with the lowest validation loss is kept (0.001,0.01,0.1,1 where empty)")
	flags.IntVar(&f.fit.Hidden, "hidden", f.fit.Hidden, "hidden units; 0 for a linear head")
	flags.IntVar(&f.fit.Epochs, "epochs", f.fit.Epochs, "at most so many passes over the training rows")
	flags.Float64Var(&f.fit.Dropout, "dropout", 0, "share of hidden units left out a step")
	flags.BoolVar(&f.fit.Balanced, "balanced", true, "weigh labels by their rarity")
	flags.StringVar(&f.unlabelled, "unlabelled", "", "file of unlabelled texts to suggest from")
	flags.IntVar(&f.suggest, "suggest", 20, "how many unlabelled rows to suggest")
	flags.StringVar(&f.suggestions, "suggestions", "", "JSON Lines file to write the suggested rows to, with their texts; beside the unlabelled file where empty")
	return command
}

// check finds what is wrong with the flags before any work.
func (f *trainFlags) check() error {
	if err := head.CheckName(f.name); err != nil {
		return fmt.Errorf("--name: %w", err)
	}
	if f.out == "" {
		return errors.New("--out: name a folder")
	}
	if f.read.Kind = model.Kind(f.kind); f.kind != "" && f.read.Kind != model.Softmax && f.read.Kind != model.Sigmoid {
		return fmt.Errorf("--kind: %q is neither softmax nor sigmoid", f.kind)
	}
	if f.l2 != nil {
		f.fit.L2 = f.l2
	}
	if err := f.fit.Validate(); err != nil {
		return err
	}
	if f.unlabelled == "" {
		return nil
	}
	if f.suggest < 1 {
		return fmt.Errorf("--suggest: %d is not a positive number", f.suggest)
	}
	if f.suggestions == "" {
		f.suggestions = strings.TrimSuffix(f.unlabelled, filepath.Ext(f.unlabelled)) + ".suggest.jsonl"
	}
	if inside, err := filepath.Rel(f.out, f.suggestions); err == nil && inside != ".." && !strings.HasPrefix(inside, ".."+string(filepath.Separator)) {
		return fmt.Errorf("--suggestions: %s lies in the folder of the head, which holds no texts", f.suggestions)
	}
	if _, err := os.Lstat(f.suggestions); err == nil {
		return fmt.Errorf("--suggestions: %s is there already and may hold your labels; name another file", f.suggestions)
	}
	return nil
}

func parseShares(s string) ([3]float64, error) {
	var out [3]float64
	parts := strings.Split(s, ",")
	if len(parts) != len(out) {
		return out, fmt.Errorf("--split: %q is not three shares", s)
	}
	for i, p := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || !(v > 0 && v < 1) {
			return out, fmt.Errorf("--split: %q is not a share between 0 and 1", p)
		}
		out[i] = v
	}
	if sum := out[0] + out[1] + out[2]; sum < 0.999 || sum > 1.001 {
		return out, fmt.Errorf("--split: the shares sum to %g, not to 1", sum)
	}
	return out, nil
}

// trained is the answer under --json.
type trained struct {
	Folder      string            `json:"folder"`
	Manifest    head.Manifest     `json:"manifest"`
	Warnings    []string          `json:"warnings,omitempty"`
	Suggestions []suggestedRow    `json:"suggestions,omitempty"`
	Written     map[string]string `json:"written"`
}

func (c *console) train(ctx context.Context, file string, f trainFlags) error {
	if err := f.check(); err != nil {
		return exitWith(ExitUsage, err)
	}
	shares, err := parseShares(f.shares)
	if err != nil {
		return exitWith(ExitUsage, err)
	}
	if err := head.CheckFree(f.out); err != nil {
		return exitWith(ExitUsage, fmt.Errorf("--out: %w", err))
	}
	data, err := c.readTexts(file, f.read) // all is read before the model is opened: a bad line is told at once
	if err != nil {
		return err
	}
	var unlabelled head.Data
	if f.unlabelled != "" {
		if unlabelled, err = c.readTexts(f.unlabelled, head.ReadOptions{OnError: f.read.OnError, Unlabelled: true}); err != nil {
			return err
		}
	}
	return c.withEncoder(func(classifier *onnx.Classifier, ref head.EncoderRef) error {
		made, err := head.Make(ctx, data, head.Order{
			Name: f.name, Kind: f.read.Kind, Split: head.SplitOptions{Shares: shares, Seed: f.fit.Seed}, Fit: f.fit,
			Created: time.Now(), Encoder: classifier, Ref: ref, Progress: c.stages(),
		})
		if err != nil {
			return headError(file, err)
		}
		made.Manifest.GraphSHA256, err = head.Save(f.out, made.Model, made.Manifest)
		if err != nil {
			return fmt.Errorf("--out: %w", err)
		}
		answer := trained{Folder: f.out, Manifest: made.Manifest, Warnings: head.Warnings(made.Manifest), Written: map[string]string{"head": f.out}}
		if f.unlabelled != "" {
			if answer.Suggestions, err = c.suggest(ctx, made, unlabelled, classifier, f); err != nil {
				return err
			}
			answer.Written["suggestions"] = f.suggestions
		}
		return c.answer(answer, answer.text())
	})
}

// headError gives an error of package head its exit code.
func headError(file string, err error) error {
	if errors.Is(err, head.ErrData) {
		return exitWith(ExitData, fmt.Errorf("%s: %w", file, err))
	}
	return err
}

// stages is a progress bar for each stage in turn.
func (c *console) stages() func(what string, done, total int) {
	last, draw := "", func(int, int) {}
	return func(what string, done, total int) {
		if what != last {
			last, draw = what, func(int, int) {}
			if bar := c.progress(what); bar != nil {
				draw = bar
			}
		}
		draw(done, total)
	}
}

// readTexts reads a file, or standard input for "-", and prints the lines that were left out.
func (c *console) readTexts(file string, o head.ReadOptions) (head.Data, error) {
	in := io.Reader(os.Stdin)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return head.Data{}, exitWith(ExitData, err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := head.Read(in, o)
	if err != nil {
		return head.Data{}, exitWith(ExitData, fmt.Errorf("%s: %w", file, err))
	}
	for _, issue := range data.Issues.List {
		_, _ = fmt.Fprintf(c.err, "%s: %s\n", file, issue)
	}
	return data, nil
}

// withEncoder opens the built-in model for work on vectors.
func (c *console) withEncoder(work func(*onnx.Classifier, head.EncoderRef) error) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	log, err := c.logger(cfg)
	if err != nil {
		return err
	}
	classifier, err := openClassifier(cfg.Model, log)
	if err != nil {
		return err
	}
	defer func() { _ = classifier.Close() }()
	m, err := model.Open(model.Embedded())
	if err != nil {
		return exitWith(ExitUnavailable, err)
	}
	ref, err := encoderRef(m, classifier)
	if err != nil {
		return err
	}
	return work(classifier, ref)
}

func (t trained) text() string {
	var b strings.Builder
	m := t.Manifest
	fmt.Fprintf(&b, "head %s (%s, %d labels) on %d rows: %d train, %d validation, %d test, in %d groups\n", m.Name, m.Kind, len(m.Labels),
		m.Data.Rows, m.Data.Parts[head.Train], m.Data.Parts[head.Validation], m.Data.Parts[head.Test], m.Data.Groups)
	chosen := m.Training.Trials[m.Training.Chosen]
	fmt.Fprintf(&b, "weight decay %g of %d tried, epoch %d of %d kept, %d weights\n\non the test rows:\n%s", chosen.L2, len(m.Training.Trials),
		chosen.Best, chosen.Epochs, m.Parameters, m.Report)
	for _, w := range t.Warnings {
		fmt.Fprintf(&b, "note: %s\n", w)
	}
	fmt.Fprintf(&b, "\nwritten to %s, graph SHA-256 %s\n", t.Folder, m.GraphSHA256)
	if len(t.Suggestions) == 0 {
		return b.String()
	}
	fmt.Fprintf(&b, "\nworth a label next (all in %s):\n", t.Written["suggestions"])
	for _, s := range t.Suggestions {
		fmt.Fprintf(&b, "  line %d: %s (entropy %.2f, distance %.2f): %s\n", s.Line, strings.Join(s.Suggestion.Labels, ", "),
			s.Suggestion.Entropy, s.Suggestion.Distance, excerpt(s.Text))
	}
	return b.String()
}

// excerpt is the start of a text on one line of a terminal.
func excerpt(s string) string {
	const longest = 60
	if r := []rune(s); len(r) > longest {
		s = string(r[:longest]) + "…"
	}
	return report.Printable(strings.Join(strings.Fields(s), " "))
}

// suggestedRow is one line of the file of suggestions: the row as it was read, so that a label can be added and the file
// given to train, and why it was named.
type suggestedRow struct {
	Line       int            `json:"line"`
	ID         string         `json:"id,omitempty"`
	Text       string         `json:"text"`
	Context    []turnLine     `json:"context,omitempty"`
	Lang       string         `json:"lang,omitempty"`
	Group      string         `json:"group,omitempty"`
	Suggestion suggestionNote `json:"suggestion"`
}

type turnLine struct {
	Text string `json:"text"`
	Self bool   `json:"self"`
}

type suggestionNote struct {
	Rank     int                `json:"rank"`
	Labels   []string           `json:"labels"` // as the head answers now
	Values   map[string]float64 `json:"values"`
	Entropy  float64            `json:"entropy"`
	Margin   float64            `json:"margin"`
	Distance float64            `json:"distance"`
}

func (c *console) suggest(ctx context.Context, made head.Made, d head.Data, classifier *onnx.Classifier, f trainFlags) ([]suggestedRow, error) {
	stage := c.stages()
	vectors, err := head.Vectors(ctx, classifier, d.Rows, func(done, total int) { stage("encoding unlabelled rows", done, total) })
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(d.Rows))
	for i, r := range d.Rows {
		texts[i] = r.Text
	}
	found, err := head.Suggest(made.Model, head.Candidates{Vectors: vectors, Texts: texts, Known: made.Train}, f.suggest)
	if err != nil {
		return nil, err
	}
	rows := make([]suggestedRow, len(found))
	for i, s := range found {
		from := d.Rows[s.Row]
		rows[i] = suggestedRow{
			Line: from.Line, ID: from.ID, Text: from.Text, Lang: from.Lang, Group: from.Group,
			Suggestion: suggestionNote{
				Rank: i + 1, Labels: made.Model.Held(s.Probabilities), Values: named(made.Model.Labels, s.Probabilities),
				Entropy: s.Entropy, Margin: s.Margin, Distance: s.Distance,
			},
		}
		for _, turn := range from.Context {
			rows[i].Context = append(rows[i].Context, turnLine{Text: turn.Text, Self: turn.Self})
		}
	}
	return rows, writeLines(f.suggestions, rows)
}

func named(labels []string, values []float64) map[string]float64 {
	out := make(map[string]float64, len(labels))
	for k, l := range labels {
		out[l] = values[k]
	}
	return out
}

// writeLines writes JSON Lines to a new file, readable by the owner only: they hold texts.
func writeLines[T any](path string, lines []T) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return exitWith(ExitUsage, err)
	}
	if err != nil {
		return err
	}
	e := json.NewEncoder(f)
	e.SetEscapeHTML(false)
	for _, line := range lines {
		if err := e.Encode(line); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}
