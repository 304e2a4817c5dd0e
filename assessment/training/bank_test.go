package training_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"heartmark/assessment"
	"heartmark/assessment/training"
	"heartmark/schemas"
)

func load(t testing.TB) *training.Bank {
	t.Helper()
	b, err := training.Load()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBankIsComplete(t *testing.T) {
	t.Parallel()
	b := load(t)
	facets := map[string]int{}
	for _, m := range b.Modules() {
		facets[m.Facet]++
		for _, text := range append([]training.Text{m.Title, m.Goal, m.Why, m.Check}, m.Exercises...) {
			checkLanguages(t, string(m.ID), text)
		}
	}
	scenarios, scenes := b.Scenarios("", ""), map[string]int{}
	for _, s := range scenarios {
		scenes[s.Scene]++
		for _, text := range []training.Text{s.Situation, s.Message, s.Skilful} {
			checkLanguages(t, s.ID, text)
		}
	}
	for _, d := range schemas.Dimensions() {
		for _, f := range assessment.Facets(d) {
			if facets[f.Code] == 0 || len(b.Scenarios(f.Code, "")) == 0 {
				t.Errorf("facet %s: %d modules, %d scenarios", f.Code, facets[f.Code], len(b.Scenarios(f.Code, "")))
			}
		}
	}
	if len(scenarios) < 60 {
		t.Errorf("%d scenarios, want 60 or more", len(scenarios))
	}
	origins, spread := map[string]int{}, map[string]int{}
	for _, s := range scenarios {
		origins[s.Origin]++
		spread[fmt.Sprintf("%s %d", s.Dimension(), s.Difficulty)]++
	}
	if 2*origins[schemas.LanguageChinese] < len(scenarios) {
		t.Errorf("%d of %d scenarios were written in Chinese, want half", origins[schemas.LanguageChinese], len(scenarios))
	}
	for _, d := range schemas.Dimensions() {
		for difficulty := 1; difficulty <= training.Difficulties; difficulty++ {
			if n := spread[fmt.Sprintf("%s %d", d, difficulty)]; n < 3 {
				t.Errorf("%d scenarios of %s and difficulty %d, want 3 or more", n, d, difficulty)
			}
		}
	}
	for _, kind := range []string{"game", "social", "class", "work", "support", "event"} {
		if scenes[kind] < 3 {
			t.Errorf("%d scenarios of kind %s, want 3 or more", scenes[kind], kind)
		}
	}
}

// checkLanguages holds that each text is in its own language and ends as a sentence of it does.
func checkLanguages(t *testing.T, id string, text training.Text) {
	t.Helper()
	han := func(r rune) bool { return unicode.Is(unicode.Han, r) }
	if strings.ContainsFunc(text.EN, han) || strings.ContainsAny(text.EN, "，。？！；：") {
		t.Errorf("%s: English text holds Chinese: %q", id, text.EN)
	}
	if !strings.ContainsFunc(text.ZH, han) || strings.ContainsAny(text.ZH, ",;?!") || strings.Contains(text.ZH, ". ") {
		t.Errorf("%s: Chinese text holds English or its punctuation: %q", id, text.ZH)
	}
}

func TestBankLookups(t *testing.T) {
	t.Parallel()
	b := load(t)
	for _, m := range b.Modules() {
		for i, id := range m.ExerciseIDs() {
			if got, ok := b.Exercise(id); !ok || got != m.Exercises[i] || id.Module() != m.ID {
				t.Errorf("Exercise(%q) = %+v, %v", id, got, ok)
			}
		}
	}
	for _, id := range []training.ExerciseID{"", "-", "so1-read-it", "so1-read-it-0", "so1-read-it-4", "so1-read-it-01", "nothing-1"} {
		if got, ok := b.Exercise(id); ok {
			t.Errorf("Exercise(%q) = %+v, want none", id, got)
		}
	}
	if got := b.Scenarios("SO1", "game"); len(got) != 1 || got[0].ID != "game-quiet-friend" {
		t.Errorf("Scenarios(SO1, game) = %+v", got)
	}
}

// TestReadBankRefuses changes the real files one fault at a time.
func TestReadBankRefuses(t *testing.T) {
	t.Parallel()
	read := func(change func(modules, scenarios string) (string, string)) error {
		modules, err1 := os.ReadFile("bank/modules.json")
		scenarios, err2 := os.ReadFile("bank/scenarios.json")
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		m, s := change(string(modules), string(scenarios))
		if m == string(modules) && s == string(scenarios) {
			t.Error("the change changed nothing")
		}
		_, err := training.ReadBank(fstest.MapFS{"bank/modules.json": {Data: []byte(m)}, "bank/scenarios.json": {Data: []byte(s)}})
		return err
	}
	module := func(old, with string) func(m, s string) (string, string) {
		return func(m, s string) (string, string) { return strings.Replace(m, old, with, 1), s }
	}
	scenario := func(old, with string) func(m, s string) (string, string) {
		return func(m, s string) (string, string) { return m, strings.Replace(s, old, with, 1) }
	}
	for name, change := range map[string]func(m, s string) (string, string){
		"module twice":        module(`"id": "sa2-because"`, `"id": "sa1-name-it"`),
		"module without id":   module(`"id": "sa2-because"`, `"id": ""`),
		"facet without one":   module(`"facet": "SA2"`, `"facet": "SA1"`),
		"unknown facet":       module(`"facet": "SA2"`, `"facet": "SA9"`),
		"unknown scene":       module(`"support", "class", "work"]`, `"support", "class", "office"]`),
		"unknown member":      module(`"id": "sa2-because",`, `"id": "sa2-because", "note": "x",`),
		"language missing":    module(`"zh": "给感受一个名字"`, `"zh": ""`),
		"space around":        module(`"en": "Put a name to it"`, `"en": "Put a name to it "`),
		"four exercises":      module(`"exercises": [`, `"exercises": [{"en": "a", "zh": "甲"},`),
		"scenario twice":      scenario(`"id": "game-after-tilt"`, `"id": "game-lost-round"`),
		"scenario facet":      scenario(`"facet": "SM4"`, `"facet": "XX"`),
		"scenario scene":      scenario(`"scene": "game"`, `"scene": "assessment"`),
		"scenario difficulty": scenario(`"difficulty": 1`, `"difficulty": 4`),
		"scenario origin":     scenario(`"origin": "en"`, `"origin": "fr"`),
		"scenario language":   scenario(`"zh": "会不会玩啊，赶紧卸载吧。"`, `"zh": ""`),
		"cut off":             func(m, s string) (string, string) { return m[:len(m)/2], s },
		"member given twice":  scenario(`"facet": "SM1", "scene"`, `"facet": "SM1", "facet": "SM1", "scene"`),
		"scenario empty name": scenario(`"id": "game-lost-round"`, `"id": ""`),
	} {
		if err := read(change); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
	if _, err := training.ReadBank(fstest.MapFS{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no files: %v", err)
	}
	if !slices.Contains(training.Scenes(), "market") || training.SceneName("game", "zh") != "游戏" || training.SceneName("x", "en") != "x" {
		t.Error("names of scenes")
	}
}
