package dataset_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/internal/testkit"
)

// write makes a folder of sets from the contents of "set/split.jsonl" files; splits of a set that are not given are empty.
func write(t *testing.T, files map[string]string) *dataset.Folder {
	t.Helper()
	dir := t.TempDir()
	var sets []string
	for name, content := range files {
		set, _, _ := strings.Cut(name, "/")
		if !slices.Contains(sets, set) {
			sets = append(sets, set)
		}
		for _, other := range []string{"train", "dev", "test"} {
			put(t, filepath.Join(dir, set, other+".jsonl"), "", false)
		}
		put(t, filepath.Join(dir, filepath.FromSlash(name)), content, true)
	}
	f, err := dataset.Open(dir, sets...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t *testing.T, path, content string, replace bool) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil && !replace {
		return
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRowsMapLabels(t *testing.T) {
	t.Parallel()
	f := write(t, map[string]string{
		"goemotions/test.jsonl": `{"id":"g0","lang":"en","text":"Well done, what a lovely cake","labels":{"emotions":["admiration","love"]}}
{"id":"g1","lang":"en","text":"Yes, fine by me","labels":{"emotions":["approval"]}}`,
		"xed/test.jsonl":                `{"id":"x0","lang":"zh-Hant","text":"我們等著瞧","labels":{"emotions":["anticipation"]},"source":"projected"}`,
		"cped/test.jsonl":               `{"id":"c0","lang":"zh","tv":"7","turns":[{"speaker":"甲","text":"你来吗","emotion":"neutral","sentiment":"neutral","act":"question"},{"speaker":"乙","text":"谢谢你请我","emotion":"positive-other","sentiment":"positive","act":"thanking"}]}`,
		"casino/test.jsonl":             `{"id":"k0","lang":"en","turns":[{"speaker":"1","text":"Any plans for the trip?","strategies":["small-talk","elicit-pref"]},{"speaker":"2","text":"Submit-Deal","deal":{"issue2youget":{}}},{"speaker":"2","text":"You don't need that much water.","strategies":["uv-part"]}]}`,
		"convabuse/test.jsonl":          `{"id":"a0","lang":"en","text":"useless thing","context":[{"speaker":"other","text":"one"},{"speaker":"self","text":"two"},{"speaker":"other","text":"three"},{"speaker":"other","text":"four"}],"labels":{"abusive":1,"severity":-1.6},"conv":"9"}`,
		"diasafety/test.jsonl":          `{"id":"d0","lang":"en","text":"Get over it.","context":[{"speaker":"other","text":"I feel so alone."}],"labels":{"category":"Risk Ignorance","unsafe":1}}`,
		"emobank/test.jsonl":            `{"id":"e0","lang":"en","text":"A fine day.","labels":{"V":4.5,"A":2.5,"D":3}}`,
		"empathic_reactions/test.jsonl": `{"id":"r0","lang":"en","text":"Poor souls.","labels":{"empathic_concern":7,"personal_distress":1},"user":"w"}`,
	})
	for _, test := range []struct {
		task   string
		row    int
		id     string
		lang   string
		labels []string
		turns  int
	}{
		{"emotion/goemotions", 0, "g0", "en", []string{"pride_admiration", "love_caring"}, 0},
		{"emotion27/goemotions", 1, "g1", "en", []string{"approval"}, 0},
		{"emotion/xed", 0, "x0", "zh", []string{"hope_desire"}, 0},
		{"emotion/cped", 0, "c0#0", "zh", []string{"neutral"}, 0},
		{"act19/cped", 1, "c0#1", "zh", []string{"thanking"}, 1},
		{"act/cped", 1, "c0#1", "zh", []string{"thanks"}, 1},
		{"sentiment/cped", 1, "c0#1", "zh", []string{"positive"}, 1},
		{"negotiation/casino", 0, "k0#0", "en", []string{"small-talk", "elicit-pref"}, 0},
		{"act/casino", 0, "k0#0", "en", []string{"small_talk"}, 0},
		{"act/casino", 1, "k0#2", "en", []string{"irony_or_undervalue"}, 1},
		{"hostility/convabuse", 0, "a0", "en", []string{"strong"}, 3},
		{"ctx_ignore/diasafety", 0, "d0", "en", []string{"ctx_ignore"}, 1},
		{"va/emobank", 0, "e0", "en", []string{"valence", "arousal"}, 0},
	} {
		rows, err := f.Rows(test.task, dataset.Test)
		if err != nil {
			t.Fatalf("Rows(%q): %v", test.task, err)
		}
		head, _, _ := strings.Cut(test.task, "/")
		r := rows[test.row]
		if r.ID != test.id || r.Lang != test.lang || !slices.Equal(r.Gold[head].Labels, test.labels) || len(r.Context) != test.turns {
			t.Errorf("Rows(%q)[%d] = %s %s %v with %d turns, want %s %s %v with %d", test.task, test.row, r.ID, r.Lang,
				r.Gold[head].Labels, len(r.Context), test.id, test.lang, test.labels, test.turns)
		}
	}
	rows, err := f.Rows("emotion/goemotions", dataset.Test)
	if err != nil || len(rows) != 1 {
		t.Errorf("approval alone has no common class: got %d rows, %v", len(rows), err)
	}
	rows, err = f.Rows("emotion/cped", dataset.Test)
	if err != nil || len(rows) != 1 {
		t.Errorf("positive-other names no class: got %d rows, %v", len(rows), err)
	}
	rows, err = f.Rows("act/cped", dataset.Test)
	if err != nil || rows[1].Context[0] != (assessment.Turn{Self: false, Text: "你来吗"}) {
		t.Errorf("context of the second turn: %v, %v", rows, err)
	}
	rows, err = f.Rows("empathic/empathic_reactions", dataset.Test)
	if err != nil || !slices.Equal(rows[0].Gold["empathic"].Values, []float64{1, -1}) {
		t.Errorf("ratings 7 and 1 = %v, %v, want 1 and -1", rows, err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	f := write(t, map[string]string{
		"cold/test.jsonl":           "{\"id\":\"a\",\"lang\":\"zh\",\"text\":\"好\",\"labels\":{\"offensive\":0}}\n\n{\"id\":",
		"epitome_reddit/test.jsonl": `{"id":"b","lang":"en","text":"Hm.","context":[{"speaker":"seeker","text":"I'm low."}],"labels":{"er":7,"ip":0,"ex":0}}`,
		"xed/test.jsonl":            `{"id":"c","lang":"en","text":"Go.","labels":{"emotions":["unheard-of"]}}`,
	})
	for _, test := range []struct {
		task, split string
		want        error
		text        string
	}{
		{"hostility/cold", "test", dataset.ErrLine, "cold/test.jsonl line 3"},
		{"er/epitome_reddit", "test", dataset.ErrLine, "row b"},
		{"emotion/xed", "test", dataset.ErrTask, "no test rows"},
		{"hostility/nowhere", "test", dataset.ErrTask, "nowhere"},
		{"hostility", "test", dataset.ErrTask, "hostility"},
		{"hostility/cold", "eval", dataset.ErrTask, "eval"},
		{"hostility/hatecheck_en_zh", "train", dataset.ErrTask, "hatecheck"},
		{"distress/ed_situations", "train", dataset.ErrTask, "ed_situations"},
		{"act19/cped", "test", os.ErrNotExist, "cped"},
	} {
		if _, err := f.Rows(test.task, test.split); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("Rows(%q, %q) = %v, want %v that says %q", test.task, test.split, err, test.want, test.text)
		}
	}
}

func TestOpenNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "hatecheck_en_zh", "eval.jsonl"), "", true)
	if _, err := dataset.Open(dir, dataset.SetHateCheck); err != nil {
		t.Errorf("Open with its one set there: %v", err)
	}
	_, err := dataset.Open(dir, dataset.SetHateCheck, dataset.SetCOLD, dataset.SetSituations)
	if !errors.Is(err, dataset.ErrMissing) {
		t.Fatalf("Open = %v, want ErrMissing", err)
	}
	for _, name := range []string{"cold/train.jsonl", "cold/test.jsonl", "ed_situations/dev.jsonl"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("Open = %q, does not name %s", err, name)
		}
	}
	if strings.Contains(err.Error(), "hatecheck") {
		t.Errorf("Open = %q, names a set that is there", err)
	}
	for _, dir := range []string{"", filepath.Join(dir, "none")} {
		if _, err := dataset.Open(dir); !errors.Is(err, dataset.ErrMissing) {
			t.Errorf("Open(%q) = %v, want ErrMissing", dir, err)
		}
	}
}

func TestDigestsChangeWithContent(t *testing.T) {
	t.Parallel()
	one := write(t, map[string]string{"cold/test.jsonl": "a"})
	two := write(t, map[string]string{"cold/test.jsonl": "b"})
	a, err := one.Digests()
	if err != nil {
		t.Fatal(err)
	}
	b, err := two.Digests()
	if err != nil {
		t.Fatal(err)
	}
	if len(a) != 3 || a["cold/test.jsonl"] == b["cold/test.jsonl"] || a["cold/dev.jsonl"] != b["cold/dev.jsonl"] {
		t.Errorf("Digests = %v and %v", a, b)
	}
}

// TestSharedSets reads every task of the real sets: rows in each split that the set has, labels that a head can have, and
// no row of one split in another.
func TestSharedSets(t *testing.T) {
	t.Parallel()
	f, err := dataset.Open(testkit.Shared(t, "data"))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range dataset.Tasks() {
		head, set, _ := strings.Cut(task, "/")
		ids := make(map[string]string)
		for _, split := range []string{dataset.Train, dataset.Dev, dataset.Test} {
			rows, err := f.Rows(task, split)
			if err != nil {
				if errors.Is(err, dataset.ErrTask) && (set == dataset.SetHateCheck || set == dataset.SetSituations) && split != dataset.Test {
					continue
				}
				t.Errorf("%s %s: %v", task, split, err)
				continue
			}
			labels := make(map[string]int)
			for _, r := range rows {
				if other, ok := ids[r.ID]; ok {
					t.Errorf("%s: row %s is in %s and %s", task, r.ID, other, split)
				}
				ids[r.ID] = split
				for _, label := range r.Gold[head].Labels {
					labels[label]++
				}
			}
			t.Logf("%-32s %-5s %6d rows %v", task, split, len(rows), labels)
			if len(labels) < 1 {
				t.Errorf("%s %s: no labels at all", task, split)
			}
		}
	}
}

// TestShuffledPairs wants a balance of true and wrong answers in both languages, the same ones at every call.
func TestShuffledPairs(t *testing.T) {
	t.Parallel()
	f, err := dataset.Open(testkit.Shared(t, "data"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := f.Rows("relevance/shuffled_pairs", dataset.Test)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.Rows("relevance/shuffled_pairs", dataset.Test)
	if err != nil {
		t.Fatal(err)
	}
	truths := map[string]int{}
	answers := map[string]string{}
	for i, r := range rows {
		if r.ID != again[i].ID || r.Text != again[i].Text {
			t.Fatalf("row %d differs between two calls", i)
		}
		kind := r.Lang + " wrong"
		if len(r.Gold[assessment.HeadRelevance].Labels) == 1 {
			kind = r.Lang + " true"
			answers[r.Group] = r.Text
		} else if answers[r.Group] == r.Text {
			t.Errorf("the wrong answer of %s is the true one", r.Group)
		}
		truths[kind]++
	}
	for _, lang := range []string{"en", "zh"} {
		if truths[lang+" true"] < 200 || truths[lang+" true"] != truths[lang+" wrong"] {
			t.Errorf("pairs of %s: %v, want as many wrong as true ones", lang, truths)
		}
	}
}
