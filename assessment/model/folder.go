package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
)

// FileSums is the list of digests of a model folder, in the form that sha256sum writes and checks.
const FileSums = "SHA256SUMS"

// ErrCard is wrapped when a model has no card, or one that speaks of another model. No card, no start (security
// requirements, section 7, G17): write the card that belongs to these files.
var ErrCard = errors.New("model card does not belong to this model")

// Bounds of what is read from a folder: far above what a model needs.
const (
	maxSums  = 64 << 10
	maxGraph = 512 << 20
	maxOther = 64 << 20
)

// OpenFolder reads a model that is not built in. sumsDigest, hex, is the SHA-256 of its SHA256SUMS and was given by the
// operator, apart from the folder: it stands in the place of the digests that are compiled in for the built-in model. Every
// file of the list is checked against it, and the card against what the files say. It wraps ErrDigest, ErrCard and
// ErrManifest.
func OpenFolder(folder fs.FS, sumsDigest string) (*Manifest, error) {
	sums, err := readSums(folder, sumsDigest)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{FileModel, FileTokenizer, FileHeads, FileCalibration, FileErrorRates, FileCard} {
		if sums[name] == "" {
			return nil, fmt.Errorf("%w: %s does not list %s", ErrDigest, FileSums, name)
		}
	}
	var card []byte
	for name, want := range sums {
		data, err := checkFile(folder, name, want)
		if err != nil {
			return nil, err
		}
		if name == FileCard {
			card = data
		}
		if name == FileModel && externalData(data) {
			return nil, fmt.Errorf("%w: %s keeps weights in another file; only self-contained graphs are taken", ErrManifest, name)
		}
	}
	m, err := open(folder, func() map[string]string { return sums })
	if err != nil {
		return nil, err
	}
	if err := m.CheckCard(card); err != nil {
		return nil, err
	}
	return m, nil
}

// readSums reads the list whose digest is sumsDigest.
func readSums(folder fs.FS, sumsDigest string) (map[string]string, error) {
	data, err := readBounded(folder, FileSums, maxSums)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDigest, err)
	}
	// Compare before parsing: a parser must not see bytes whose digest is wrong.
	if got := hexSum(data); got != strings.ToLower(sumsDigest) {
		return nil, fmt.Errorf("%w: %s has %s, expected %s", ErrDigest, FileSums, got, sumsDigest)
	}
	return ParseSums(data)
}

// SumsDigest is the SHA-256 of a folder's SHA256SUMS, hex: the name of its files as a whole. It checks nothing.
func SumsDigest(folder fs.FS) (string, error) {
	data, err := readBounded(folder, FileSums, maxSums)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrDigest, err)
	}
	return hexSum(data), nil
}

var sumsLine = regexp.MustCompile(`^([0-9a-f]{64}) [ *]([A-Za-z0-9][A-Za-z0-9._-]*)$`)

// ParseSums reads a list of digests by file name. A path, a name that stands twice and a line of another form wrap
// ErrManifest: what a list says must be one thing only.
func ParseSums(data []byte) (map[string]string, error) {
	sums := make(map[string]string)
	for n, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		part := sumsLine.FindStringSubmatch(line)
		if part == nil {
			return nil, fmt.Errorf("%w: %s line %d is not a digest and a file name", ErrManifest, FileSums, n+1)
		}
		if sums[part[2]] != "" {
			return nil, fmt.Errorf("%w: %s names %s twice", ErrManifest, FileSums, part[2])
		}
		sums[part[2]] = part[1]
	}
	return sums, nil
}

func checkFile(folder fs.FS, name, want string) ([]byte, error) {
	limit := int64(maxOther)
	if strings.HasSuffix(name, ".onnx") {
		limit = maxGraph
	}
	data, err := readBounded(folder, name, limit)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDigest, err)
	}
	if got := hexSum(data); got != want {
		return nil, fmt.Errorf("%w: %s has %s, expected %s", ErrDigest, name, got, want)
	}
	return data, nil
}

func readBounded(folder fs.FS, name string, limit int64) ([]byte, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, limit)
	}
	return data, nil
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// The two lines of a card that bind it to its model, as train/card.py writes them.
var (
	cardTitle = regexp.MustCompile(`(?m)^# Model card: (\S+) (\S+)\s*$`)
	cardGraph = regexp.MustCompile(`(?m)^- File: (\S+), SHA-256 ([0-9a-f]{64})\b`)
)

// CheckCard compares a card with the model: id and version in its title, name and digest of the graph in its line "File".
// It wraps ErrCard.
func (m *Manifest) CheckCard(card []byte) error {
	titles, graphs := cardTitle.FindAllSubmatch(card, -1), cardGraph.FindAllSubmatch(card, -1)
	if len(titles) != 1 || len(graphs) != 1 {
		return fmt.Errorf("%w: %s needs one line \"# Model card: ID VERSION\" and one line \"- File: %s, SHA-256 …\"", ErrCard, FileCard, FileModel)
	}
	if id, version := string(titles[0][1]), string(titles[0][2]); id != m.ID || version != m.Version {
		return fmt.Errorf("%w: the card is of %s %s, the model is %s %s", ErrCard, id, version, m.ID, m.Version)
	}
	name, sum := string(graphs[0][1]), string(graphs[0][2])
	if name != FileModel || sum != hexSum(m.Model) {
		return fmt.Errorf("%w: the card is of %s with %s, the graph has %s", ErrCard, name, sum, hexSum(m.Model))
	}
	return nil
}

// externalData reports whether an ONNX graph points to another file for its weights. A tensor that does says so by the key
// "location" in TensorProto.external_data (onnx.proto, field 13: StringStringEntryProto, field 1 the key). The bytes are
// looked for as they are encoded, so that no part of the graph, however deep, is overlooked; a hit by chance is refused too.
func externalData(graph []byte) bool {
	return bytes.Contains(graph, []byte("\x0a\x08location\x12"))
}
