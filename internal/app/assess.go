package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
	"heartmark/assessment/text"
	"heartmark/internal/config"
	"heartmark/schemas"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
)

// openClassifier opens the built-in model on the configured provider. The log says which one runs and why.
func openClassifier(c config.Model, log *slog.Logger) (*onnx.Classifier, error) {
	m, err := model.Open(model.Embedded())
	if err != nil {
		return nil, exitWith(ExitUnavailable, err)
	}
	classifier, err := onnx.Open(onnx.Config{LibraryPath: c.Library, Provider: c.Provider, GPUModel: c.GPUModel, Workers: c.Workers, Model: m, Log: log})
	if err != nil {
		return nil, exitWith(ExitUnavailable, err)
	}
	return classifier, nil
}

func newAssessor(classifier assessment.Classifier, hashKey []byte, progress func(done, total int)) (*assessment.Assessor, error) {
	return assessment.New(assessment.Config{Classifier: classifier, Language: text.Language, HashKey: hashKey, Progress: progress})
}

type assessFlags struct {
	options  evidence.Options
	report   string
	jsonOut  string
	lang     string
	provider string
}

func assessCommand(c *console) *cobra.Command {
	var f assessFlags
	command := &cobra.Command{
		Use: "assess FILE…", Short: "Score an event file offline and say how sure the result is",
		Long: "Assess reads events (JSON Lines, CSV, or a common chat export), scores the lines of each person with a live consent, and\n" +
			"prints the four dimensions. Nothing is stored. A file without consent lines needs --subject and --consent.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, files []string) error {
			return c.assess(command.Context(), files, f)
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.options.Format, "format", evidence.FormatAuto, "auto, jsonl, csv, discord, slack or text")
	flags.StringVar(&f.options.Subject, "subject", "", "whom to assess, as the file names this person")
	flags.StringSliceVar(&f.options.Consent, "consent", nil, "what this person agreed to: process,score[,issue,automated]; you vouch for it")
	flags.StringVar(&f.options.OnError, "on-error", evidence.OnErrorRefuse, "refuse the whole file on a bad line, or skip it")
	flags.StringVar(&f.report, "report", "", "write the report as a self-contained HTML page, or as PDF where the name ends in .pdf; %s in it stands for the subject where there are several")
	flags.StringVar(&f.jsonOut, "report-json", "", "write the report as JSON, likewise")
	flags.StringVar(&f.lang, "lang", "en", "language of the report: en or zh")
	flags.StringVar(&f.provider, "provider", "", "auto, cpu or cuda; the configuration's where empty")
	return command
}

func (c *console) assess(ctx context.Context, files []string, f assessFlags) error {
	if _, ok := schemas.ParseLanguage(f.lang); !ok {
		return exitWith(ExitUsage, fmt.Errorf("--lang: %q is neither en nor zh", f.lang))
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	if f.provider != "" {
		cfg.Model.Provider = f.provider
		if err := cfg.Validate(); err != nil {
			return exitWith(ExitUsage, err)
		}
	}
	batches := make([]evidence.Batch, len(files)) // all are read before the model is opened: a bad line is told at once
	for n, file := range files {
		if batches[n], err = c.readEvidence(file, f.options); err != nil {
			return err
		}
	}
	reports, err := c.score(ctx, cfg, files, batches)
	if err != nil {
		return err
	}
	if err := writeReports(reports, f); err != nil {
		return err
	}
	var b strings.Builder
	for _, r := range reports {
		writeReport(&b, r, allReasons)
	}
	return c.answer(reports, b.String())
}

func (c *console) readEvidence(file string, o evidence.Options) (evidence.Batch, error) {
	in, err := os.Open(file)
	if err != nil {
		return evidence.Batch{}, exitWith(ExitData, err)
	}
	defer func() { _ = in.Close() }()
	batch, issues, err := evidence.Read(in, o)
	if err != nil {
		return evidence.Batch{}, exitWith(ExitData, fmt.Errorf("%s: %w", file, err))
	}
	for _, issue := range issues.List {
		_, _ = fmt.Fprintf(c.err, "%s: %s\n", file, issue)
	}
	return batch, nil
}

// score opens the classifier and assesses the batches, each read from the file of the same place.
func (c *console) score(ctx context.Context, cfg config.Config, files []string, batches []evidence.Batch) ([]assessment.Report, error) {
	log, err := c.logger(cfg)
	if err != nil {
		return nil, err
	}
	classifier, err := openClassifier(cfg.Model, log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = classifier.Close() }()
	assessor, err := newAssessor(classifier, nil, c.progress("classifying"))
	if err != nil {
		return nil, err
	}
	var reports []assessment.Report
	for n, batch := range batches {
		found, err := assessor.Assess(ctx, batch)
		if err != nil {
			return nil, exitWith(ExitData, fmt.Errorf("%s: %w", files[n], err))
		}
		reports = append(reports, found...)
	}
	return reports, nil
}

// progress returns a bar on standard error, which is drawn on a terminal only.
func (c *console) progress(what string) func(done, total int) {
	file, ok := c.err.(*os.File)
	if !ok || c.json {
		return nil
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(done, total int) {
		if bar == nil || bar.GetMax() != total {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(c.err), progressbar.OptionSetDescription(what),
				progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set(done)
	}
}

func writeReports(reports []assessment.Report, f assessFlags) error {
	for _, r := range reports {
		if err := writeFile(f.report, len(reports), r, func(w io.Writer) error { return renderReport(w, r, f.report, f.lang) }); err != nil {
			return err
		}
		err := writeFile(f.jsonOut, len(reports), r, func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			e.SetEscapeHTML(false)
			return e.Encode(r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes to path, readable by the owner only: a report is personal. With several reports the path must have a
// place for the subject.
func writeFile(path string, reports int, r assessment.Report, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	switch {
	case strings.Contains(path, "%s"):
		path = strings.ReplaceAll(path, "%s", filepath.Base(r.Subject))
	case reports > 1:
		return exitWith(ExitUsage, fmt.Errorf("%s: there are %d reports; put %%s where the subject's name goes", path, reports))
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// barWidth is the width of a score on a terminal, in characters.
const barWidth = 40

// allReasons prints every reason that a report gives.
const allReasons = 1 << 10

// writeReport prints a report for a terminal: a bar, the interval and the level of each dimension, or up to reasons of
// what is missing.
func writeReport(w io.Writer, r assessment.Report, reasons int) {
	fmt.Fprintf(w, "subject %s, %s to %s, model %s on %s\n", r.Subject, r.Window.From, r.Window.To, r.Model.ID, r.Model.Runtime)
	for _, d := range schemas.Dimensions() {
		rep := r.Dimensions[d]
		name := fmt.Sprintf("  %-18s", d.Name("en"))
		if rep.Status != assessment.StatusScored || rep.Score == nil || rep.Interval90 == nil {
			fmt.Fprintf(w, "%s %s\n", name, strings.ReplaceAll(rep.Status, "_", " "))
			for _, reason := range rep.Reasons[:min(reasons, len(rep.Reasons))] {
				fmt.Fprintf(w, "    %s\n", reason.Text("en"))
			}
			continue
		}
		level := "no level (interval too wide)"
		if rep.Level != nil {
			level = *rep.Level
		}
		if rep.Certifiable != nil {
			level += ", certifiable: " + *rep.Certifiable
		}
		fmt.Fprintf(w, "%s %s %3.0f [%.0f-%.0f]  %s, %d opportunities\n", name, bar(*rep.Score, *rep.Interval90), *rep.Score,
			rep.Interval90[0], rep.Interval90[1], level, rep.Opportunities)
	}
	if r.Overall.Status != assessment.StatusScored {
		fmt.Fprintf(w, "  %-18s %s: not all four dimensions are scored\n", "Overall", r.Overall.Status)
	}
}

// bar draws the interval as a line and the score as a mark on it.
func bar(score float64, interval [2]float64) string {
	cell := func(v float64) int { return max(0, min(barWidth-1, int(v/100*barWidth))) }
	cells := []rune(strings.Repeat("·", barWidth))
	for n := cell(interval[0]); n <= cell(interval[1]); n++ {
		cells[n] = '─'
	}
	cells[cell(score)] = '◆'
	return string(cells)
}
