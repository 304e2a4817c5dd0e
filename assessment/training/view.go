package training

import (
	"heartmark/assessment"
	"heartmark/schemas"
)

// PlanView is a plan as a person reads it, in one language.
type PlanView struct {
	Subject  string            `json:"subject"`
	Language string            `json:"language"`
	Window   assessment.Window `json:"window"`
	Modules  []ModuleView      `json:"modules"`
	Missing  []MissingView     `json:"missing"` // dimensions without a score: which evidence is missing
	Retired  []string          `json:"retired"` // what ended, and why
	Strong   []string          `json:"strong"`  // names of the dimensions where nothing needs closing
}

// ModuleView is one module of a plan with its words.
type ModuleView struct {
	ID        ModuleID          `json:"id"`
	Facet     string            `json:"facet"`
	FacetName string            `json:"facet_name"`
	Dimension schemas.Dimension `json:"dimension"`
	Title     string            `json:"title"`
	Goal      string            `json:"goal"`
	Why       string            `json:"why"`    // why it helps
	Chosen    string            `json:"chosen"` // why it is in this plan
	By        Basis             `json:"by"`
	Since     string            `json:"since"`
	Idle      int               `json:"idle"` // windows without reliable change
	Exercises []ExerciseView    `json:"exercises"`
	Check     string            `json:"check"`
	Scenarios []ScenarioView    `json:"scenarios"`
	Figures   *Figures          `json:"figures,omitempty"` // only where scores may be read
}

// ExerciseView is one exercise.
type ExerciseView struct {
	ID   ExerciseID `json:"id"`
	Text string     `json:"text"`
}

// ScenarioView is one scenario.
type ScenarioView struct {
	ID         string `json:"id"`
	Facet      string `json:"facet"`
	Scene      string `json:"scene"`
	SceneName  string `json:"scene_name"`
	Difficulty int    `json:"difficulty"` // 1 to 3
	Situation  string `json:"situation"`
	Message    string `json:"message"`
	Skilful    string `json:"skilful"` // what a skilful answer does
}

// MissingView is a dimension without score.
type MissingView struct {
	Dimension schemas.Dimension `json:"dimension"`
	Name      string            `json:"name"`
	Reasons   []string          `json:"reasons"`
	Advice    string            `json:"advice"`
}

// scenariosPerModule is how many scenarios a plan shows with a module.
const scenariosPerModule = 2

// View puts the plan into words of lang ("en" or "zh"). Modules that the bank no longer has are left out.
func (b *Bank) View(p Plan, lang string) PlanView {
	v := PlanView{Subject: p.Subject, Language: lang, Window: p.Window, Modules: []ModuleView{}, Missing: []MissingView{}, Retired: []string{}, Strong: []string{}}
	for _, c := range p.Modules {
		if m, ok := b.Module(c.Module); ok {
			v.Modules = append(v.Modules, b.viewModule(m, c, p.Scenes, lang))
		}
	}
	for _, a := range p.Missing {
		m := MissingView{Dimension: a.Dimension, Name: a.Dimension.Name(lang), Reasons: []string{}, Advice: a.Advice.In(lang)}
		for _, r := range a.Reasons {
			m.Reasons = append(m.Reasons, r.In(lang))
		}
		v.Missing = append(v.Missing, m)
	}
	for _, r := range p.Retired {
		v.Retired = append(v.Retired, r.Why.In(lang))
	}
	for _, d := range p.Strong {
		v.Strong = append(v.Strong, d.Name(lang))
	}
	return v
}

func (b *Bank) viewModule(m Module, c Choice, scenes []string, lang string) ModuleView {
	v := ModuleView{
		ID: m.ID, Facet: m.Facet, FacetName: assessment.FacetName(m.Facet, lang), Dimension: c.Dimension, Title: m.Title.In(lang),
		Goal: m.Goal.In(lang), Why: m.Why.In(lang), Chosen: c.Why.In(lang), By: c.By, Since: c.Since, Idle: c.Idle,
		Check: m.Check.In(lang), Scenarios: []ScenarioView{}, Figures: c.Figures,
	}
	for i, id := range m.ExerciseIDs() {
		v.Exercises = append(v.Exercises, ExerciseView{id, m.Exercises[i].In(lang)})
	}
	// Those of the person's own scenes come first, in the order of use.
	for _, scene := range append(append([]string{}, scenes...), "") {
		for _, s := range b.Scenarios(m.Facet, scene) {
			if len(v.Scenarios) < scenariosPerModule && !hasScenario(v.Scenarios, s.ID) {
				v.Scenarios = append(v.Scenarios, s.View(lang))
			}
		}
	}
	return v
}

func hasScenario(list []ScenarioView, id string) bool {
	for _, s := range list {
		if s.ID == id {
			return true
		}
	}
	return false
}

// View puts the scenario into words of lang.
func (s Scenario) View(lang string) ScenarioView {
	return ScenarioView{
		ID: s.ID, Facet: s.Facet, Scene: s.Scene, SceneName: SceneName(s.Scene, lang), Difficulty: s.Difficulty, Situation: s.Situation.In(lang),
		Message: s.Message.In(lang), Skilful: s.Skilful.In(lang),
	}
}

// Page is the plan as the report's page shows it. Progress may be the zero value.
func (v PlanView) Page(p Progress) *assessment.PagePlan {
	out := &assessment.PagePlan{Strong: v.Strong}
	for _, m := range v.Modules {
		module := assessment.PagePlanModule{Title: m.Title, Facet: m.FacetName, Chosen: m.Chosen, Goal: m.Goal, Why: m.Why, Check: m.Check}
		for _, e := range m.Exercises {
			module.Exercises = append(module.Exercises, e.Text)
		}
		for _, s := range m.Scenarios {
			module.Scenarios = append(module.Scenarios, assessment.PagePlanScenario{Scene: s.SceneName, Situation: s.Situation, Message: s.Message, Skilful: s.Skilful})
		}
		out.Modules = append(out.Modules, module)
	}
	for _, m := range v.Missing {
		out.Missing = append(out.Missing, [2]string{m.Name, m.Advice})
	}
	for _, c := range p.Overall {
		out.Progress = append(out.Progress, c.Text.In(v.Language))
	}
	out.Progress = append(out.Progress, v.Retired...)
	return out
}
