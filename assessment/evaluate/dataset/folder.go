package dataset

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Sets by the names of their folders.
const (
	SetGoemotions = "goemotions"
	SetXED        = "xed"
	SetCPED       = "cped"
	SetEmory      = "emorynlp"
	SetPersonas   = "empathetic_personas"
	SetEpitome    = "epitome_reddit"
	SetCOLD       = "cold"
	SetConvAbuse  = "convabuse"
	SetDavidson   = "davidson_offensive"
	SetHateCheck  = "hatecheck_en_zh"
	SetDiaSafety  = "diasafety"
	SetPoliteness = "politeness"
	SetFrames     = "positive_frames"
	SetCasino     = "casino"
	SetEmoBank    = "emobank"
	SetReactions  = "empathic_reactions"
	SetSituations = "ed_situations"
	SetTopical    = "topical_chat"
	SetContrast   = "dei_contrast"
	SetIdentity   = "identity_templates"
)

// Splits of a set.
const (
	Train = "train"
	Dev   = "dev"
	Test  = "test"
	Eval  = "eval" // the one file of most sets of tier E
)

// files are the names of the files that a set must have, without .jsonl.
func files(set string) []string {
	switch set {
	case SetHateCheck, SetIdentity:
		return []string{Eval}
	case SetSituations:
		return []string{Dev, Test}
	case SetContrast:
		return []string{"pairs", "gaming"}
	default:
		return []string{Train, Dev, Test}
	}
}

// Sets are all sets that an evaluation reads.
func Sets() []string {
	return []string{
		SetGoemotions, SetXED, SetCPED, SetEmory, SetPersonas, SetEpitome, SetCOLD, SetConvAbuse, SetDavidson, SetHateCheck,
		SetDiaSafety, SetPoliteness, SetFrames, SetCasino, SetEmoBank, SetReactions, SetSituations, SetTopical, SetContrast,
		SetIdentity,
	}
}

var (
	// ErrMissing is wrapped by Open when the folder or files of it are not there; the text names them all.
	ErrMissing = errors.New("annotated sets are missing")
	// ErrLine is wrapped when a line of a set is not the record that is expected; the text names file and line.
	ErrLine = errors.New("line cannot be read")
	// ErrTask is returned by Rows for a head and set that are not measured together, or a split that does not exist.
	ErrTask = errors.New("no such task")
)

// Folder is the folder of the annotated sets. It is safe for concurrent use.
type Folder struct {
	dir  string
	sets []string
}

// Open checks that dir holds the given sets, all of them where none is named. It returns ErrMissing, naming everything
// that is not there.
func Open(dir string, sets ...string) (*Folder, error) {
	if dir == "" {
		return nil, fmt.Errorf("%w: no folder is named", ErrMissing)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%w: %s is not a folder", ErrMissing, dir)
	}
	if len(sets) == 0 {
		sets = Sets()
	}
	var absent []string
	for _, set := range sets {
		for _, name := range files(set) {
			rel := set + "/" + name + ".jsonl"
			if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(rel))); err != nil || !info.Mode().IsRegular() {
				absent = append(absent, rel)
			}
		}
	}
	if len(absent) > 0 {
		return nil, fmt.Errorf("%w: %s lacks %s", ErrMissing, dir, strings.Join(absent, ", "))
	}
	return &Folder{dir: dir, sets: slices.Clone(sets)}, nil
}

// Dir is the folder's path as it was given to Open.
func (f *Folder) Dir() string { return f.dir }

// Digests are the SHA-256 digests, hex, of all files of the sets, by "set/name.jsonl".
func (f *Folder) Digests() (map[string]string, error) {
	out := make(map[string]string)
	for _, set := range f.sets {
		for _, name := range files(set) {
			rel := set + "/" + name + ".jsonl"
			sum, err := digest(filepath.Join(f.dir, filepath.FromSlash(rel)))
			if err != nil {
				return nil, fmt.Errorf("digest of %s: %w", rel, err)
			}
			out[rel] = sum
		}
	}
	return out, nil
}

func digest(path string) (string, error) {
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// maxLine is the longest line in bytes: dialogues take one line.
const maxLine = 4 << 20

// Lines reads set/split.jsonl one record a line, in order. The first bad line ends it with ErrLine. Fields that T does not
// have are passed over: each reader takes what it needs.
func Lines[T any](f *Folder, set, split string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		rel := set + "/" + split + ".jsonl"
		in, err := os.Open(filepath.Join(f.dir, filepath.FromSlash(rel)))
		if err != nil {
			yield(zero, err)
			return
		}
		defer func() { _ = in.Close() }()
		lines := bufio.NewScanner(in)
		lines.Buffer(make([]byte, 0, 64<<10), maxLine)
		n := 0
		for lines.Scan() {
			n++
			if len(strings.TrimSpace(lines.Text())) == 0 {
				continue
			}
			var record T
			if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
				yield(zero, fmt.Errorf("%w: %s line %d: %w", ErrLine, rel, n, err))
				return
			}
			if !yield(record, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(zero, fmt.Errorf("%w: %s after line %d: %w", ErrLine, rel, n, err))
		}
	}
}
