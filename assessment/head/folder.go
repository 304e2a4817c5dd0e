package head

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"heartmark/assessment/model"
	"heartmark/schemas"
)

// Names of the files of a head's folder.
const (
	FileGraph    = "head.onnx"
	FileManifest = "head.json"
	FileCard     = "head_card.md"
	FileSums     = "SHA256SUMS"
)

// Manifest is head.json: the model without its weights, and how it came to be. It holds counts and digests, no text.
type Manifest struct {
	Format      string      `json:"format"`
	Name        string      `json:"name"`
	Kind        model.Kind  `json:"kind"`
	Labels      []string    `json:"labels"`
	Encoder     EncoderRef  `json:"encoder"`
	Calibration Calibration `json:"calibration"`
	Created     time.Time   `json:"created"`
	GraphSHA256 string      `json:"graph_sha256"`
	Hidden      int         `json:"hidden"`
	Parameters  int         `json:"parameters"`
	Data        DataCounts  `json:"data"`
	Settings    Settings    `json:"settings"`
	Training    Training    `json:"training"`
	Report      Report      `json:"test"` // on the rows for test
}

// DataCounts says how many rows a head comes from.
type DataCounts struct {
	SHA256      string                  `json:"sha256"` // of the labelled file
	Rows        int                     `json:"rows"`
	Groups      int                     `json:"groups"` // units that were kept on one side, single rows included
	Left        int                     `json:"bad_lines_left_out"`
	Repeated    int                     `json:"repeated"`
	Parts       map[Part]int            `json:"parts"`
	Labels      map[Part]map[string]int `json:"labels"` // rows by label
	Languages   map[string]int          `json:"languages"`
	WithContext int                     `json:"rows_with_context"`
}

// Settings are the choices of the one who trained.
type Settings struct {
	Seed     uint64     `json:"seed"`
	Shares   [3]float64 `json:"shares"`
	Hidden   int        `json:"hidden"`
	Dropout  float64    `json:"dropout"`
	Balanced bool       `json:"balanced"`
	Epochs   int        `json:"epochs"`
}

// Save writes the folder of a head: graph, manifest, card and digests. The folder must not exist, or be empty. A crash
// leaves no folder that Load takes: SHA256SUMS is written last. It returns the SHA-256 of the graph.
func Save(dir string, m *Model, about Manifest) (graphSHA256 string, err error) {
	graph, err := WriteONNX(m)
	if err != nil {
		return "", err
	}
	about = about.of(m)
	about.GraphSHA256 = digest(graph)
	manifest, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if err := CheckFree(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	files := []struct {
		name string
		data []byte
	}{{FileGraph, graph}, {FileManifest, append(manifest, '\n')}, {FileCard, []byte(card(about))}}
	var sums strings.Builder
	for _, f := range files {
		fmt.Fprintf(&sums, "%s  %s\n", digest(f.data), f.name)
		if err := os.WriteFile(filepath.Join(dir, f.name), f.data, 0o600); err != nil {
			return "", err
		}
	}
	return about.GraphSHA256, os.WriteFile(filepath.Join(dir, FileSums), []byte(sums.String()), 0o600)
}

// CheckFree returns an error that wraps fs.ErrExist when dir holds anything.
func CheckFree(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty: %w; name another folder, or remove it", dir, fs.ErrExist)
	}
	return err
}

// of fills in what the model says.
func (a Manifest) of(m *Model) Manifest {
	a.Format, a.Name, a.Kind, a.Labels, a.Encoder = Format, m.Name, m.Kind, m.Labels, m.Encoder
	a.Calibration, a.Created, a.Data.SHA256 = m.Calibration, m.Created, m.DataSHA256
	a.Hidden, a.Parameters = m.Network.Hidden, m.Network.Parameters()
	return a
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Load reads the folder of a head. It checks every file against SHA256SUMS before it reads it, the manifest against the
// graph, and every weight. The digests are the folder's own: they tell damage, not a forger; compare the digest of the
// graph with what `heartmark train` printed. The error wraps ErrDigest, ErrManifest, ErrGraph or ErrWeights.
func Load(folder fs.FS) (*Model, Manifest, error) {
	sums, err := readSums(folder)
	if err != nil {
		return nil, Manifest{}, err
	}
	content := make(map[string][]byte, len(sums))
	for name, want := range sums {
		limit := int64(16 << 20)
		if name == FileGraph {
			limit = maxGraph
		}
		data, err := readFile(folder, name, limit)
		if err != nil {
			return nil, Manifest{}, err
		}
		// Compare before parsing: a parser must not see bytes whose digest is wrong.
		if got := digest(data); got != want {
			return nil, Manifest{}, fmt.Errorf("%w: %s has %s, expected %s", ErrDigest, name, got, want)
		}
		content[name] = data
	}
	var about Manifest
	if err := schemas.Decode(content[FileManifest], &about); err != nil {
		return nil, Manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	m, err := ReadONNX(content[FileGraph])
	if err != nil {
		return nil, Manifest{}, err
	}
	want := about.of(m)
	want.GraphSHA256 = sums[FileGraph]
	if !reflect.DeepEqual(about, want) {
		return nil, Manifest{}, fmt.Errorf("%w: %s says otherwise than %s", ErrManifest, FileManifest, FileGraph)
	}
	return m, about, nil
}

func readFile(folder fs.FS, name string, limit int64) ([]byte, error) {
	info, err := fs.Stat(folder, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDigest, err)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%w: %s is over %d bytes", ErrDigest, name, limit)
	}
	data, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDigest, err)
	}
	return data, nil
}

// readSums reads the digests; exactly the three files must be named.
func readSums(folder fs.FS) (map[string]string, error) {
	data, err := readFile(folder, FileSums, 4096)
	if err != nil {
		return nil, err
	}
	sums := make(map[string]string)
	for line := range strings.Lines(string(data)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || !digestPattern.MatchString(sum) || sums[name] != "" {
			return nil, fmt.Errorf("%w: %s is damaged", ErrDigest, FileSums)
		}
		sums[name] = sum
	}
	wanted := map[string]bool{FileGraph: true, FileManifest: true, FileCard: true}
	for name := range sums {
		if !wanted[name] {
			return nil, fmt.Errorf("%w: %s names %q, which is no file of a head", ErrDigest, FileSums, name)
		}
	}
	if len(sums) != len(wanted) {
		return nil, fmt.Errorf("%w: %s does not name every file", ErrDigest, FileSums)
	}
	return sums, nil
}
