package training

import (
	"cmp"
	"math"
	"slices"

	"heartmark/assessment"
	"heartmark/schemas"
)

// PlanSchema names the form of Plan's JSON.
const PlanSchema = "dei-plan/1"

// maxModules is how many modules a plan has at most (assessment design, section 9).
const maxModules = 3

// leastRoom is the room of a module that fits none of the person's scenes: its exercises can still be written down apart.
const leastRoom = 0.25

// Figures are the numbers by which a module was chosen. They tell of scores: whoever may not read those gets none.
type Figures struct {
	Gap      float64 `json:"gap"`      // (next cut - facet) / SEM of the facet
	Share    float64 `json:"share"`    // of the facet in its dimension
	Room     float64 `json:"room"`     // for practice in this person's scenes, leastRoom to 1
	Priority float64 `json:"priority"` // the product
}

// Choice is one module of a plan.
type Choice struct {
	Module    ModuleID          `json:"module"`
	Facet     string            `json:"facet"`
	Dimension schemas.Dimension `json:"dimension"`
	// Towards is the level at the next cut of the dimension.
	Towards string   `json:"towards"`
	Figures *Figures `json:"figures,omitempty"`
	Why     Text     `json:"why"`
	By      Basis    `json:"by"`
	// Since is the last day of the report that brought the module in; Baseline what its dimension was then.
	Since    string  `json:"since"`
	Baseline *Figure `json:"baseline,omitempty"`
	// Idle counts the windows since then without reliable change for the better.
	Idle int `json:"idle"`
}

// Advice says of a dimension without score which evidence is missing.
type Advice struct {
	Dimension schemas.Dimension `json:"dimension"`
	Reasons   []Text            `json:"reasons"`
	Advice    Text              `json:"advice"`
}

// Retired is a module that was dropped, or changed for another one of its facet, after two windows without reliable change.
type Retired struct {
	Module ModuleID `json:"module"`
	On     string   `json:"on"`            // last day of the report that ended it
	For    ModuleID `json:"for,omitempty"` // the module in its place, if any
	Why    Text     `json:"why"`
}

// Plan is what a subject practises until the next report.
type Plan struct {
	Schema  string            `json:"schema"`
	Subject string            `json:"subject"`
	Report  string            `json:"report,omitempty"` // id of the report, where it is known
	Window  assessment.Window `json:"window"`
	Modules []Choice          `json:"modules"`
	Missing []Advice          `json:"missing"`
	Retired []Retired         `json:"retired"`
	// Scenes are the kinds of scene seen, the most frequent first.
	Scenes []string `json:"scenes"`
	// Strong are dimensions at the highest level: nothing there needs closing.
	Strong []schemas.Dimension `json:"strong"`
	// Seen are the reports that the plan has counted, so that none counts twice.
	Seen []string `json:"seen"`
	// Disclosed tells that the consent behind the latest report lets a platform read scores (its purpose "report").
	Disclosed bool `json:"disclosed"`
	// Revision counts how often the plan was stored; 0 before the first time.
	Revision uint64 `json:"-"`
}

// Plan chooses modules from one report. It is deterministic: for each facet that counts in a scored dimension, priority =
// (next cut - facet) / SEM x share x room (assessment design, section 9), with the cut above the dimension's level and mean
// and SEM of the facet's posterior; at most three modules, no two of one facet, ties in the order of the facets.
func (b *Bank) Plan(r assessment.Report) Plan {
	p := b.frame(r)
	p.Modules = pick(nil, b.candidates(r, nil))
	return p
}

// frame is the plan of r without modules.
func (b *Bank) frame(r assessment.Report) Plan {
	p := Plan{
		Schema: PlanSchema, Subject: r.Subject, Report: r.ID, Window: r.Window, Modules: []Choice{}, Missing: []Advice{},
		Retired: []Retired{}, Scenes: scenesByUse(r.Quality.Scenes), Strong: []schemas.Dimension{}, Seen: []string{reportKey(r)},
		Disclosed: slices.Contains(r.Provenance.Purposes, "report"),
	}
	for _, d := range schemas.Dimensions() {
		rep := r.Dimensions[d]
		if !scored(rep) {
			p.Missing = append(p.Missing, advise(d, rep))
		} else if _, _, ok := nextCut(rep); !ok {
			p.Strong = append(p.Strong, d)
		}
	}
	return p
}

// pick fills chosen up to three from candidates, in their order, no two of one facet.
func pick(chosen, candidates []Choice) []Choice {
	out := append([]Choice{}, chosen...)
	for _, c := range candidates {
		if len(out) >= maxModules {
			break
		}
		if !slices.ContainsFunc(out, func(o Choice) bool { return o.Facet == c.Facet }) {
			out = append(out, c)
		}
	}
	return out
}

// candidates returns a choice for every module of a facet with a gap, less those in tired, the largest priority first.
func (b *Bank) candidates(r assessment.Report, tired map[ModuleID]bool) []Choice {
	out := []Choice{}
	for _, d := range schemas.Dimensions() {
		rep := r.Dimensions[d]
		if !scored(rep) {
			continue
		}
		cut, level, ok := nextCut(rep)
		if !ok {
			continue
		}
		for _, f := range assessment.Facets(d) {
			facet, seen := rep.Facets[f.Code]
			if gap := facetGap(cut, facet); seen && facet.Counted() && gap > 0 {
				out = append(out, b.choices(r, d, f, gap, level, tired)...)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Choice) int { return cmp.Compare(b.Figures.Priority, a.Figures.Priority) })
	return out
}

// choices are the modules of one facet.
func (b *Bank) choices(r assessment.Report, d schemas.Dimension, f assessment.Facet, gap float64, towards schemas.Level, tired map[ModuleID]bool) []Choice {
	var out []Choice
	for _, m := range b.modules {
		if m.Facet != f.Code || tired[m.ID] {
			continue
		}
		room := roomFor(m, r.Quality.Scenes)
		out = append(out, Choice{
			Module: m.ID, Facet: f.Code, Dimension: d, Towards: towards.Code(),
			Figures: &Figures{Gap: round(gap), Share: f.Share, Room: round(room), Priority: round(gap * f.Share * room)},
			Why:     whyChosen(d, f.Code, towards, m, r.Quality.Scenes), Since: r.Window.To, Baseline: figureOf(r, d), By: ByRules,
		})
	}
	return out
}

// scored reports whether the dimension has a score that can be compared.
func scored(rep assessment.DimensionReport) bool {
	return rep.Status == assessment.StatusScored && rep.Score != nil && rep.SEM != nil
}

// nextCut is where the level above the one shown begins, and that level; false at the highest. A score may lie beyond the
// cut and the level be lower, as a level takes probability: the sides of the skill that still lie below it are then what
// is missing. Where no level is shown the lowest cut above the score counts, or the highest cut.
func nextCut(rep assessment.DimensionReport) (cut float64, level schemas.Level, ok bool) {
	cuts := assessment.Cuts()
	for i, c := range cuts {
		begins := schemas.LevelDeveloping + schemas.Level(i)
		if rep.Level == nil {
			if *rep.Score < c || i == len(cuts)-1 {
				return c, begins, true
			}
			continue
		}
		if shown, err := schemas.ParseLevel(*rep.Level); err == nil && shown < begins {
			return c, begins, true
		}
	}
	return 0, 0, false
}

// leastSEM, in points, keeps a facet that was nearly always met, or never, from looking certain beyond reason.
const leastSEM = 1

func facetGap(cut float64, f assessment.FacetReport) float64 {
	return (cut - 100*f.Mean) / math.Max(f.SEM(), leastSEM)
}

// roomFor is the share of the person's answered opportunities that lie in scenes where the module can be practised, drawn
// up to leastRoom; 1 where no scene is known or the module fits all.
func roomFor(m Module, scenes map[string]int) float64 {
	fits, all := 0, 0
	for kind, n := range scenes {
		all += n
		if slices.Contains(m.Scenes, kind) {
			fits += n
		}
	}
	if all == 0 || len(m.Scenes) == 0 {
		return 1
	}
	return leastRoom + (1-leastRoom)*float64(fits)/float64(all)
}

// scenesByUse lists kinds of scene, the most frequent first.
func scenesByUse(scenes map[string]int) []string {
	out := []string{}
	for kind := range scenes {
		out = append(out, kind)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(scenes[b], scenes[a]), cmp.Compare(a, b)) })
	return out
}

// reportKey tells reports apart. Files hold no id; there the window and the model do.
func reportKey(r assessment.Report) string {
	if r.ID != "" {
		return r.ID
	}
	return r.Window.From + "/" + r.Window.To + "/" + r.Model.SHA256
}

// round cuts noise off figures that are stored and shown.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// Public returns the plan without what tells of scores, for a platform whose consent does not cover the report.
func (p Plan) Public() Plan {
	p.Modules = slices.Clone(p.Modules)
	for i := range p.Modules {
		p.Modules[i].Figures, p.Modules[i].Baseline = nil, nil
	}
	return p
}
