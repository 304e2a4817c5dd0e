package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evaluate"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
	"heartmark/internal/config"

	"github.com/spf13/cobra"
)

type evaluateFlags struct {
	data          string
	suites        []string
	rows          int
	seed          uint64
	baselines     bool
	html, jsonOut string

	provider, gpuModel string
	against            string
	folder, sum        string // of a model that is not built in
}

func evaluateCommand(c *console) *cobra.Command {
	var f evaluateFlags
	command := &cobra.Command{
		Use: "evaluate --data DIR", Short: "Measure the model and the product on annotated sets against their gates",
		Long: "Evaluate measures every head on every set it is judged on, with 90 % intervals, classical models beside it and a gate; its\n" +
			"calibration; and what becomes of people: contrast pairs, simulated people, robustness, fairness, gaming, validity, equivalence\n" +
			"and speed. It prints a table and the classification report of each head, and exits with 3 when a gate is not met. What could\n" +
			"not be measured counts as not met.\n\n" +
			"--rows gives a quick look with wide intervals; only a run over all rows and suites grounds a promotion (heartmark models).\n" +
			"--model with --sha256, the digest of its SHA256SUMS, evaluates a model that is not built in. Nothing is stored.",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.evaluate(command.Context(), f) },
	}
	flags := command.Flags()
	flags.StringVar(&f.data, "data", "", "folder of the annotated sets (needed)")
	flags.StringSliceVar(&f.suites, "suite", nil, "suites to run, all where empty: "+strings.Join(evaluate.Suites(), ", "))
	flags.IntVar(&f.rows, "rows", 0, "at most so many rows a head, set and language; 0 for all")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of every draw")
	flags.BoolVar(&f.baselines, "baselines", true, "fit the classical models too: TF-IDF with linear models, support vector machine, random forest")
	flags.StringVar(&f.html, "html", "", "write the evaluation as a self-contained HTML page")
	flags.StringVar(&f.jsonOut, "report-json", "", "write the evaluation as JSON; --json prints it")
	flags.StringVar(&f.provider, "provider", "", "auto, cpu or cuda; the configuration's where empty")
	flags.StringVar(&f.gpuModel, "gpu-model", "", "fp16 or fp32 export for CUDA; the configuration's where empty")
	flags.StringVar(&f.against, "against", "", "what the equivalence suite compares with: an fp32 export (run on the CPU), or cpu for the CPU graph of the model")
	flags.StringVar(&f.folder, "model", "", "folder of a model that is not built in")
	flags.StringVar(&f.sum, "sha256", "", "SHA-256 of that folder's SHA256SUMS")
	return command
}

// check finds what is wrong with the flags before any work.
func (f evaluateFlags) check() error {
	switch {
	case f.data == "":
		return errors.New("--data: name the folder of the annotated sets")
	case f.rows < 0:
		return fmt.Errorf("--rows: %d is negative", f.rows)
	case (f.folder == "") != (f.sum == ""):
		return errors.New("--model and --sha256 go together")
	}
	if err := evaluate.CheckSuites(f.suites); err != nil {
		return fmt.Errorf("--suite: %w", err)
	}
	return nil
}

func (c *console) evaluate(ctx context.Context, f evaluateFlags) error {
	if err := f.check(); err != nil {
		return exitWith(ExitUsage, err)
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	if f.provider != "" {
		cfg.Model.Provider = f.provider
	}
	if f.gpuModel != "" {
		cfg.Model.GPUModel = f.gpuModel
	}
	if err := cfg.Validate(); err != nil {
		return exitWith(ExitUsage, err)
	}
	folder, err := dataset.Open(f.data, evaluate.Needs(f.suites)...)
	if err != nil {
		return exitWith(ExitUnavailable, fmt.Errorf("--data: %w", err))
	}
	log, err := c.logger(cfg)
	if err != nil {
		return err
	}
	found, err := c.measure(ctx, f, cfg.Model, folder, log)
	if err != nil {
		return err
	}
	return c.evaluated(found, f)
}

// measure opens what is to be measured, and what it is compared with, and runs the evaluation.
func (c *console) measure(ctx context.Context, f evaluateFlags, cfg config.Model, folder *dataset.Folder, log *slog.Logger) (*evaluate.Evaluation, error) {
	manifest, err := f.manifest()
	if err != nil {
		return nil, exitWith(ExitUnavailable, err)
	}
	start := time.Now()
	classifier, err := openManifest(cfg, manifest, log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = classifier.Close() }()
	settings := evaluate.Config{
		Classifier: classifier, Folder: folder, Now: time.Now, ReadsContext: contexts(manifest), Library: libraryName(classifier.Library()),
		StartUp: time.Since(start), Suites: f.suites, Rows: f.rows, Seed: f.seed, Baselines: f.baselines, Progress: c.stages(),
	}
	if f.against != "" {
		other, err := openAgainst(f.against, cfg, manifest, log)
		if err != nil {
			return nil, err
		}
		defer func() { _ = other.Close() }()
		settings.Against = other
	}
	found, err := evaluate.Run(ctx, settings)
	if errors.Is(err, dataset.ErrLine) || errors.Is(err, dataset.ErrTask) {
		return nil, exitWith(ExitData, err)
	}
	return found, err
}

// manifest is the built-in model, or the one in the folder that the flags name.
func (f evaluateFlags) manifest() (*model.Manifest, error) {
	if f.folder == "" {
		return model.Open(model.Embedded())
	}
	m, err := model.OpenFolder(os.DirFS(f.folder), f.sum)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", f.folder, err)
	}
	return m, nil
}

func openManifest(c config.Model, m *model.Manifest, log *slog.Logger) (*onnx.Classifier, error) {
	classifier, err := onnx.Open(onnx.Config{LibraryPath: c.Library, Provider: c.Provider, GPUModel: c.GPUModel, Workers: c.Workers, Model: m, Log: log})
	if err != nil {
		return nil, exitWith(ExitUnavailable, err)
	}
	return classifier, nil
}

// againstCPU is the value of --against that names the model's own CPU graph.
const againstCPU = "cpu"

// openAgainst opens the same model in another form on the CPU: its own CPU graph, or another export in its place.
func openAgainst(against string, c config.Model, m *model.Manifest, log *slog.Logger) (*onnx.Classifier, error) {
	c.Provider, c.GPUModel = onnx.ProviderCPU, ""
	if against == againstCPU {
		return openManifest(c, m, log)
	}
	graph, err := os.ReadFile(against)
	if err != nil {
		return nil, exitWith(ExitUnavailable, fmt.Errorf("--against: %w", err))
	}
	other := *m
	other.Model = graph
	other.Digests = maps.Clone(m.Digests)
	other.Digests[model.FileModel] = fmt.Sprintf("%x", sha256.Sum256(graph))
	classifier, err := openManifest(c, &other, log)
	if err != nil {
		return nil, fmt.Errorf("--against %s: %w", against, err)
	}
	return classifier, nil
}

// contexts tells which heads were trained on the pair form. Hostility is left to the classifier, as in an assessment.
func contexts(m *model.Manifest) map[string]bool {
	out := make(map[string]bool, len(m.Heads))
	for _, h := range m.Heads {
		if h.Name != assessment.HeadHostility {
			out[h.Name] = h.Context
		}
	}
	return out
}

// libraryName names the runtime without where it lies on this machine.
func libraryName(l onnx.Library) string {
	return fmt.Sprintf("%s (SHA-256 %s)", filepath.Base(l.Path), l.SHA256)
}

// evaluated writes the reports, prints the answer and gives gates that are not met their exit code.
func (c *console) evaluated(e *evaluate.Evaluation, f evaluateFlags) error {
	if err := errors.Join(writeTo(f.html, e.WriteHTML), writeTo(f.jsonOut, e.WriteJSON)); err != nil {
		return err
	}
	var b strings.Builder
	if !c.json {
		if err := e.WriteText(&b); err != nil {
			return err
		}
	}
	if err := c.answer(e, b.String()); err != nil {
		return err
	}
	if !e.Met() {
		return exitWith(ExitNotMet, nil)
	}
	return nil
}

// writeTo writes to path, readable by the owner only; to none where it is empty.
func writeTo(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(out), out.Close())
}
