package model_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"heartmark/assessment/model"
)

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// second is a model folder beside the built-in one: its files with a card that fits, and a list of its own.
func second(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range []string{
		model.FileModel, model.FileTokenizer, model.FileHeads, model.FileCalibration, model.FileErrorRates, model.FileCard,
	} {
		data, err := fs.ReadFile(model.Embedded(), name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	graph := regexp.MustCompile(`SHA-256 [0-9a-f]{64}`)
	files[model.FileCard].Data = graph.ReplaceAll(files[model.FileCard].Data, []byte("SHA-256 "+sum(files[model.FileModel].Data)))
	return files
}

// seal writes the list of digests and returns its own.
func seal(files fstest.MapFS) string {
	delete(files, model.FileSums)
	var list strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&list, "%s  %s\n", sum(files[name].Data), name)
	}
	files[model.FileSums] = &fstest.MapFile{Data: []byte(list.String())}
	return sum([]byte(list.String()))
}

func TestOpenFolder(t *testing.T) {
	t.Parallel()
	files := second(t)
	digest := seal(files)
	m, err := model.OpenFolder(files, digest)
	if err != nil {
		t.Fatal(err)
	}
	builtIn, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != builtIn.ID || m.Version != builtIn.Version || len(m.Heads) != len(builtIn.Heads) || m.Digests[model.FileCard] == "" {
		t.Errorf("OpenFolder = %s %s with %d heads, want those of the copied model", m.ID, m.Version, len(m.Heads))
	}
	if got, err := model.SumsDigest(files); err != nil || got != digest {
		t.Errorf("SumsDigest = %s, %v, want %s", got, err, digest)
	}
	if _, err := model.OpenFolder(files, strings.ToUpper(digest)); err != nil {
		t.Errorf("OpenFolder with the digest in capitals: %v", err)
	}
}

func TestOpenFolderRefuses(t *testing.T) {
	t.Parallel()
	replace := func(name, old, with string) func(fstest.MapFS) {
		return func(files fstest.MapFS) {
			data := string(files[name].Data)
			if !strings.Contains(data, old) {
				panic("the test looks for " + old)
			}
			files[name].Data = []byte(strings.Replace(data, old, with, 1))
		}
	}
	for name, c := range map[string]struct {
		before, after func(fstest.MapFS) // before and after the list is written
		want          error
	}{
		"one bit of the graph":      {after: func(f fstest.MapFS) { flip(f, model.FileModel) }, want: model.ErrDigest},
		"one bit of the card":       {after: func(f fstest.MapFS) { flip(f, model.FileCard) }, want: model.ErrDigest},
		"one bit of the list":       {after: func(f fstest.MapFS) { flip(f, model.FileSums) }, want: model.ErrDigest},
		"no list":                   {after: func(f fstest.MapFS) { delete(f, model.FileSums) }, want: model.ErrDigest},
		"a listed file gone":        {after: func(f fstest.MapFS) { delete(f, model.FileHeads) }, want: model.ErrDigest},
		"the card is not listed":    {before: func(f fstest.MapFS) { delete(f, model.FileCard) }, want: model.ErrDigest},
		"the graph is not listed":   {before: func(f fstest.MapFS) { delete(f, model.FileModel) }, want: model.ErrDigest},
		"card of another version":   {before: replace(model.FileCard, "# Model card: dei-m1 ", "# Model card: dei-m1 9."), want: model.ErrCard},
		"card of another model":     {before: replace(model.FileCard, "# Model card: dei-m1", "# Model card: dei-m9"), want: model.ErrCard},
		"card of another graph":     {before: replace(model.FileCard, ", SHA-256 ", ", SHA-256 "+strings.Repeat("0", 64)+" "), want: model.ErrCard},
		"card without its title":    {before: replace(model.FileCard, "# Model card", "# Card"), want: model.ErrCard},
		"card with two titles":      {before: replace(model.FileCard, "# Model card", "# Model card: a 1\n# Model card"), want: model.ErrCard},
		"heads contradict":          {before: replace(model.FileHeads, `"name": "distress"`, `"name": "emotion"`), want: model.ErrManifest},
		"a head without curve":      {before: replace(model.FileCalibration, `"distress"`, `"distrust"`), want: model.ErrManifest},
		"a graph in several files":  {before: appendTo(model.FileModel, "\x0a\x08location\x12\x05w.bin"), want: model.ErrManifest},
		"heads that are not a JSON": {before: replace(model.FileHeads, "{", "["), want: model.ErrManifest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := second(t)
			if c.before != nil {
				c.before(files)
			}
			digest := seal(files)
			if c.after != nil {
				c.after(files)
			}
			if m, err := model.OpenFolder(files, digest); !errors.Is(err, c.want) || m != nil {
				t.Errorf("OpenFolder = %v, %v, want %v", m != nil, err, c.want)
			}
		})
	}
}

func appendTo(name, tail string) func(fstest.MapFS) {
	return func(files fstest.MapFS) {
		files[name].Data = append(slices.Clone(files[name].Data), tail...)
	}
}

func flip(files fstest.MapFS, name string) {
	data := slices.Clone(files[name].Data)
	data[len(data)/2] ^= 1
	files[name].Data = data
}

// The built-in model has a card of its own, like every other one: no card, no start.
func TestBuiltInCard(t *testing.T) {
	t.Parallel()
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	card, err := fs.ReadFile(model.Embedded(), model.FileCard)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.CheckCard(card); err != nil {
		t.Errorf("%v: run assessment/model/train/card.py after the graph has changed", err)
	}
}

func TestParseSums(t *testing.T) {
	t.Parallel()
	digest := strings.Repeat("ab", 32)
	for name, list := range map[string]string{
		"empty":        "",
		"a path":       digest + "  ../canary\n",
		"a folder":     digest + "  sub/model.onnx\n",
		"twice":        digest + "  a\n" + digest + "  a\n",
		"short digest": digest[:60] + "  a\n",
		"one space":    digest + " a\n",
		"empty line":   digest + "  a\n\n",
		"capitals":     strings.ToUpper(digest) + "  a\n",
	} {
		if sums, err := model.ParseSums([]byte(list)); !errors.Is(err, model.ErrManifest) {
			t.Errorf("%s: ParseSums(%q) = %v, %v, want ErrManifest", name, list, sums, err)
		}
	}
	sums, err := model.ParseSums([]byte(digest + "  a.json\n" + digest + " *b\n"))
	if err != nil || len(sums) != 2 || sums["a.json"] != digest {
		t.Errorf("ParseSums = %v, %v", sums, err)
	}
}
