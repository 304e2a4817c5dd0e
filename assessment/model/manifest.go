package model

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Names of the files of a model.
const (
	FileModel       = "model.int8.onnx"
	FileTokenizer   = "tokenizer.json"
	FileHeads       = "heads.json"
	FileCalibration = "calibration.json"
	FileErrorRates  = "error_rates.json"
	FileCard        = "model_card.md"
	FileReport      = "train_report.json"
	FileFP32        = "model.fp32.onnx" // built by train/, not in the repository: for GPUs
	FileFP16        = "model.fp16.onnx" // likewise
)

var (
	// ErrDigest is wrapped when a model file is missing or is not the one this program was built with. Restore the file;
	// nothing is classified until then.
	ErrDigest = errors.New("model file does not have the digest that is compiled in")
	// ErrManifest is wrapped when the files of a model contradict each other.
	ErrManifest = errors.New("model manifest is not consistent")
)

//go:embed files/*
var embedded embed.FS

// Embedded is the folder of the built-in model.
func Embedded() fs.FS {
	sub, err := fs.Sub(embedded, "files")
	if err != nil {
		panic("model: embedded folder: " + err.Error())
	}
	return sub
}

// Kind tells how the values of a head are to be read.
type Kind string

// Kinds of heads.
const (
	Sigmoid Kind = "sigmoid" // labels are independent probabilities
	Softmax Kind = "softmax" // labels exclude each other
	Value   Kind = "value"   // numbers in [-1, 1]
)

// Head is one output of the model. Its tensor is named logits_<name>: fp32, one row a text, columns in label order.
type Head struct {
	Name    string   `json:"name"`
	Kind    Kind     `json:"kind"`
	Labels  []string `json:"labels"`
	Context bool     `json:"context"` // trained on the pair form
}

// Output is the name of the head's tensor.
func (h Head) Output() string { return "logits_" + h.Name }

// Manifest is all that must be known of a model to run it and to read its outputs.
type Manifest struct {
	ID      string // "dei-m1"
	Version string
	Scale   string // scale version; a provisional one ends in "-provisional"
	Heads   []Head

	// MaxContext and MaxMessage are the token limits of the pair form that the model was trained for.
	MaxContext int
	MaxMessage int

	// Digests are the SHA-256 of the files, hex, by name.
	Digests map[string]string

	Model     []byte // the ONNX graph that runs on the CPU
	Tokenizer []byte // tokenizer.json

	// ErrorRates are, by facet and language, {s1, s0}: the mean outcome on skilful and on unskilful held-out rows.
	ErrorRates map[string]map[string][2]float64
	// ErrorRateSE are their standard errors, doubled while no two people have labelled the rows.
	ErrorRateSE map[string]map[string][2]float64
	// ErrorRatesFinal tells that two people labelled the rows.
	ErrorRatesFinal bool

	calibration map[string]map[string]curve
}

type headsFile struct {
	ID         string `json:"id"`
	Version    string `json:"version"`
	Scale      string `json:"scale"`
	MaxContext int    `json:"max_context"`
	MaxMessage int    `json:"max_message"`
	Heads      []Head `json:"heads"`
}

type ratesFile struct {
	Final bool                             `json:"final"`
	Rates map[string]map[string][2]float64 `json:"rates"`
	SE    map[string]map[string][2]float64 `json:"standard_errors"`
}

// Open reads a model from a folder and checks every file against the digests that are compiled in. Use Embedded for the
// built-in one; a folder on disk must hold the same files.
func Open(folder fs.FS) (*Manifest, error) {
	m, err := open(folder, digests)
	if err != nil {
		return nil, err
	}
	card, err := checkFile(folder, FileCard, m.Digests[FileCard])
	if err != nil {
		return nil, err
	}
	if err := m.CheckCard(card); err != nil {
		return nil, err
	}
	return m, nil
}

func open(folder fs.FS, want func() map[string]string) (*Manifest, error) {
	m := &Manifest{Digests: want()}
	content := make(map[string][]byte, len(m.Digests))
	for _, name := range []string{FileModel, FileTokenizer, FileHeads, FileCalibration, FileErrorRates} {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDigest, err)
		}
		// Compare before parsing: a parser must not see bytes whose digest is wrong.
		sum := sha256.Sum256(data)
		if got := hex.EncodeToString(sum[:]); got != m.Digests[name] {
			return nil, fmt.Errorf("%w: %s has %s, expected %s", ErrDigest, name, got, m.Digests[name])
		}
		content[name] = data
	}
	m.Model, m.Tokenizer = content[FileModel], content[FileTokenizer]
	var heads headsFile
	var rates ratesFile
	for name, to := range map[string]any{FileHeads: &heads, FileCalibration: &m.calibration, FileErrorRates: &rates} {
		if err := json.Unmarshal(content[name], to); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrManifest, name, err)
		}
	}
	m.ID, m.Version, m.Scale, m.Heads = heads.ID, heads.Version, heads.Scale, heads.Heads
	m.MaxContext, m.MaxMessage = heads.MaxContext, heads.MaxMessage
	m.ErrorRates, m.ErrorRateSE, m.ErrorRatesFinal = rates.Rates, rates.SE, rates.Final
	return m, m.check()
}

func (m *Manifest) check() error {
	if m.ID == "" || m.Scale == "" || len(m.Heads) == 0 || m.MaxContext < 1 || m.MaxMessage < 1 {
		return fmt.Errorf("%w: id, scale, limits or heads are missing", ErrManifest)
	}
	seen := make(map[string]bool)
	for _, h := range m.Heads {
		if seen[h.Name] || len(h.Labels) == 0 || !slices.Contains([]Kind{Sigmoid, Softmax, Value}, h.Kind) {
			return fmt.Errorf("%w: head %q", ErrManifest, h.Name)
		}
		seen[h.Name] = true
		curves := m.calibration[h.Name]
		if _, ok := curves[anyLanguage]; !ok {
			return fmt.Errorf("%w: head %q has no calibration for all languages", ErrManifest, h.Name)
		}
		for lang, c := range curves {
			if len(c.Scale) != len(h.Labels) || len(c.Shift) != len(h.Labels) {
				return fmt.Errorf("%w: calibration of head %q for %s has %d scales and %d shifts for %d labels",
					ErrManifest, h.Name, lang, len(c.Scale), len(c.Shift), len(h.Labels))
			}
		}
	}
	return nil
}

// Labels are the labels of every head by its name, in output order.
func (m *Manifest) Labels() map[string][]string {
	labels := make(map[string][]string, len(m.Heads))
	for _, h := range m.Heads {
		labels[h.Name] = slices.Clone(h.Labels)
	}
	return labels
}
