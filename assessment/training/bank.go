package training

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"heartmark/assessment"
	"heartmark/schemas"
)

//go:embed bank/modules.json bank/scenarios.json
var bankFiles embed.FS

// exercisesPerModule is how many exercises a module has (assessment design, section 9).
const exercisesPerModule = 3

// ModuleID names a module, such as "so1-read-it".
type ModuleID string

// ExerciseID names an exercise: its module's id, a hyphen, and its number from 1.
type ExerciseID string

// Module is the module that the exercise belongs to, "" where the id has no such form.
func (e ExerciseID) Module() ModuleID {
	at := strings.LastIndexByte(string(e), '-')
	return ModuleID(e[:max(at, 0)])
}

// Text is what a person reads, in both languages.
type Text struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// In returns the words in lang: Chinese for "zh", else English.
func (t Text) In(lang string) string {
	if lang == schemas.LanguageChinese {
		return t.ZH
	}
	return t.EN
}

// complete reports whether both languages are there, without space around them.
func (t Text) complete() bool {
	return t.EN != "" && t.ZH != "" && t.EN == strings.TrimSpace(t.EN) && t.ZH == strings.TrimSpace(t.ZH)
}

// Module is a unit of training that moves one facet.
type Module struct {
	ID        ModuleID `json:"id"`
	Facet     string   `json:"facet"`  // SA1 … SK5
	Scenes    []string `json:"scenes"` // kinds of scene in which it can be practised; empty: in any
	Title     Text     `json:"title"`
	Goal      Text     `json:"goal"`
	Why       Text     `json:"why"`
	Exercises []Text   `json:"exercises"` // three
	Check     Text     `json:"check"`     // the question to ask oneself afterwards
}

// ExerciseIDs are the ids of the module's exercises, in order.
func (m Module) ExerciseIDs() []ExerciseID {
	out := make([]ExerciseID, len(m.Exercises))
	for i := range out {
		out[i] = ExerciseID(string(m.ID) + "-" + strconv.Itoa(i+1))
	}
	return out
}

// Scenario is a situation to practise an answer in.
type Scenario struct {
	ID    string `json:"id"`
	Facet string `json:"facet"`
	Scene string `json:"scene"` // kind of scene
	// Difficulty is 1 (plain), 2 (takes thought) or 3 (subtle, or much at stake).
	Difficulty int `json:"difficulty"`
	// Origin is the language in which the scenario was written; the other one follows it.
	Origin    string `json:"origin"`
	Situation Text   `json:"situation"`
	Message   Text   `json:"message"` // what the other one writes
	Skilful   Text   `json:"skilful"` // what a skilful answer does; no wording to copy
}

// Difficulties is how many difficulties there are, from 1.
const Difficulties = 3

// Dimension is that of the scenario's facet.
func (s Scenario) Dimension() schemas.Dimension { return dimensionOf(s.Facet) }

// Bank holds modules and scenarios in the order of the files. It is read-only and safe for concurrent use.
type Bank struct {
	modules   []Module
	scenarios []Scenario
	byID      map[ModuleID]int
}

// Load reads the embedded bank.
func Load() (*Bank, error) { return ReadBank(bankFiles) }

// ReadBank reads bank/modules.json and bank/scenarios.json of a file system. Everything is checked: unknown members, ids
// that stand twice, facets and scenes that do not exist, a text that lacks a language, and a facet without module. The
// error wraps schemas.ErrMalformed and names the entry.
func ReadBank(files fs.FS) (*Bank, error) {
	var m struct {
		Modules []Module `json:"modules"`
	}
	var s struct {
		Scenarios []Scenario `json:"scenarios"`
	}
	if err := readStrict(files, "bank/modules.json", &m); err != nil {
		return nil, err
	}
	if err := readStrict(files, "bank/scenarios.json", &s); err != nil {
		return nil, err
	}
	b := &Bank{modules: m.Modules, scenarios: s.Scenarios, byID: map[ModuleID]int{}}
	if err := b.checkModules(); err != nil {
		return nil, err
	}
	return b, b.checkScenarios()
}

func readStrict(files fs.FS, name string, v any) error {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return fmt.Errorf("exercise bank: %w", err)
	}
	if err := schemas.Decode(data, v); err != nil {
		return fmt.Errorf("exercise bank %s: %w", name, err)
	}
	return nil
}

func (b *Bank) checkModules() error {
	covered := map[string]bool{}
	for i, m := range b.modules {
		fault := moduleFault(m)
		if _, twice := b.byID[m.ID]; twice {
			fault = "stands twice"
		}
		if fault != "" {
			return fmt.Errorf("exercise bank: module %q: %s: %w", m.ID, fault, schemas.ErrMalformed)
		}
		b.byID[m.ID] = i
		covered[m.Facet] = true
	}
	for _, d := range schemas.Dimensions() {
		for _, f := range assessment.Facets(d) {
			if !covered[f.Code] {
				return fmt.Errorf("exercise bank: facet %s has no module: %w", f.Code, schemas.ErrMalformed)
			}
		}
	}
	return nil
}

func moduleFault(m Module) string {
	switch {
	case m.ID == "" || strings.ToLower(string(m.ID)) != string(m.ID):
		return "its id is not in lower case"
	case dimensionOf(m.Facet) == "":
		return "unknown facet " + strconv.Quote(m.Facet)
	case len(m.Exercises) != exercisesPerModule:
		return fmt.Sprintf("it has %d exercises, not %d", len(m.Exercises), exercisesPerModule)
	case slices.ContainsFunc(m.Scenes, func(s string) bool { return !isScene(s) }):
		return "unknown scene"
	case slices.ContainsFunc(append([]Text{m.Title, m.Goal, m.Why, m.Check}, m.Exercises...), func(t Text) bool { return !t.complete() }):
		return "a text lacks a language"
	}
	return ""
}

func (b *Bank) checkScenarios() error {
	seen := map[string]bool{}
	for _, s := range b.scenarios {
		fault := ""
		switch {
		case s.ID == "" || seen[s.ID]:
			fault = "its id is empty or stands twice"
		case dimensionOf(s.Facet) == "":
			fault = "unknown facet"
		case !isScene(s.Scene):
			fault = "unknown scene"
		case s.Difficulty < 1 || s.Difficulty > Difficulties:
			fault = "unknown difficulty"
		case !slices.Contains(schemas.Languages(), s.Origin):
			fault = "unknown origin"
		case !s.Situation.complete() || !s.Message.complete() || !s.Skilful.complete():
			fault = "a text lacks a language"
		}
		if fault != "" {
			return fmt.Errorf("exercise bank: scenario %q: %s: %w", s.ID, fault, schemas.ErrMalformed)
		}
		seen[s.ID] = true
	}
	return nil
}

// Scenes are the kinds of scene in which practice takes place (assessment design, section 2, less assessment and other).
func Scenes() []string {
	return []string{"social", "work", "class", "game", "event", "support", "market"}
}

func isScene(kind string) bool { return slices.Contains(Scenes(), kind) }

// dimensionOf is the dimension of a facet, "" for an unknown one.
func dimensionOf(facet string) schemas.Dimension {
	for _, d := range schemas.Dimensions() {
		for _, f := range assessment.Facets(d) {
			if f.Code == facet {
				return d
			}
		}
	}
	return ""
}

// Modules returns all modules.
func (b *Bank) Modules() []Module { return slices.Clone(b.modules) }

// Module returns the module with the id.
func (b *Bank) Module(id ModuleID) (Module, bool) {
	i, ok := b.byID[id]
	if !ok {
		return Module{}, false
	}
	return b.modules[i], true
}

// Exercise returns the words of an exercise, and false where there is none of that id.
func (b *Bank) Exercise(id ExerciseID) (Text, bool) {
	m, ok := b.Module(id.Module())
	if !ok {
		return Text{}, false
	}
	i := slices.Index(m.ExerciseIDs(), id)
	if i < 0 {
		return Text{}, false
	}
	return m.Exercises[i], true
}

// Scenarios returns the scenarios of a facet and a kind of scene; "" stands for any.
func (b *Bank) Scenarios(facet, scene string) []Scenario {
	var out []Scenario
	for _, s := range b.scenarios {
		if (facet == "" || s.Facet == facet) && (scene == "" || s.Scene == scene) {
			out = append(out, s)
		}
	}
	return out
}

// Scenario returns the scenario with the id.
func (b *Bank) Scenario(id string) (Scenario, bool) {
	i := slices.IndexFunc(b.scenarios, func(s Scenario) bool { return s.ID == id })
	if i < 0 {
		return Scenario{}, false
	}
	return b.scenarios[i], true
}
