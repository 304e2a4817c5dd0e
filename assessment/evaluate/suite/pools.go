package suite

import (
	"fmt"
	"slices"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/schemas"
)

// The gates of assessment scenes that pools use.
const (
	gateAsked    = "asked"
	gateProvoked = "provoked"
	gateDistress = "distress"
	gateJoy      = "joy"
	gateConflict = "conflict"
	gateRepair   = "owes_repair"
	gateEpisode  = "episode"
)

// pools reads the labelled answers of the test rows. Which labels count as the skill is the same as for the error rates of
// the model (assessment/model/train/measure.py).
func pools(e Env) ([]answer, error) {
	p := pooler{e: e}
	for _, make := range []func() error{p.epitome, p.diasafety, p.convabuse, p.cold, p.cped, p.personas, p.frames} {
		if err := make(); err != nil {
			return nil, fmt.Errorf("pools: %w", err)
		}
	}
	return slices.DeleteFunc(p.out, func(a answer) bool { return !a.usable() }), nil
}

// pooler collects answers set by set.
type pooler struct {
	e   Env
	out []answer
}

func (p *pooler) add(a answer) { p.out = append(p.out, a) }

// read takes at most Pool records of a test split, evenly spread.
func read[T any](e Env, set, split string, keep func(T) bool) ([]T, error) {
	var out []T
	for r, err := range dataset.Lines[T](e.Folder, set, split) {
		if err != nil {
			return nil, err
		}
		if keep == nil || keep(r) {
			out = append(out, r)
		}
	}
	return out, nil
}

// contextOf turns the context of a record into lines; all others are one counterpart.
func contextOf(turns []dataset.Turn) []line {
	out := make([]line, 0, len(turns))
	for _, t := range turns[max(0, len(turns)-3):] {
		out = append(out, line{self: t.Speaker == "self", text: t.Text})
	}
	return out
}

func (p *pooler) epitome() error {
	rows, err := read[dataset.Message[struct{ ER, IP, EX int }]](p.e, dataset.SetEpitome, dataset.Test, nil)
	if err != nil {
		return err
	}
	for _, r := range thin(rows, p.e.Sizes.Pool) {
		reacts, explores := r.Labels.ER > 0, r.Labels.EX > 0
		good := map[string]bool{"SO1": r.Labels.IP > 0, "SO2": reacts || explores}
		if reacts || r.Labels.IP == 0 && !explores {
			good["SK1"] = reacts
		}
		p.add(answer{
			id: r.ID, set: dataset.SetEpitome, lang: "en", before: contextOf(r.Context), text: r.Text, gate: gateDistress,
			dimension: schemas.DimensionSocialAwareness, good: good,
		})
	}
	return nil
}

func (p *pooler) diasafety() error {
	type labels struct {
		Category string
		Unsafe   int
	}
	rows, err := read[dataset.Message[labels]](p.e, dataset.SetDiaSafety, dataset.Test, nil)
	if err != nil {
		return err
	}
	for _, r := range rows {
		a := answer{id: r.ID, set: dataset.SetDiaSafety, lang: "en", before: contextOf(r.Context), text: r.Text}
		ok := r.Labels.Unsafe == 0
		switch r.Labels.Category {
		case "Risk Ignorance":
			a.gate, a.dimension, a.good = gateDistress, schemas.DimensionSocialAwareness, map[string]bool{"SO3": ok}
			if !ok {
				a.good["SK1"] = false
			}
		case "Toxicity Agreement":
			a.gate, a.dimension, a.good = gateConflict, schemas.DimensionSocialSkills, map[string]bool{"SK2": ok}
		case "Offending User":
			a.gate, a.dimension, a.good = gateProvoked, schemas.DimensionSelfManagement, map[string]bool{"SM1": ok, "SM2": ok}
			p.civility(a, ok)
		default:
			continue
		}
		p.add(a)
	}
	return nil
}

// civility adds the answer once more in free chat, the only place where civility is scored.
func (p *pooler) civility(a answer, ok bool) {
	a.gate, a.id, a.good = "", a.id+"/free", map[string]bool{"SK5": ok}
	p.add(a)
}

func (p *pooler) convabuse() error {
	rows, err := read[dataset.Message[struct{ Abusive int }]](p.e, dataset.SetConvAbuse, dataset.Test, nil)
	if err != nil {
		return err
	}
	for _, r := range thin(rows, p.e.Sizes.Pool) {
		ok := r.Labels.Abusive == 0
		a := answer{
			id: r.ID, set: dataset.SetConvAbuse, lang: "en", before: contextOf(r.Context), text: r.Text, gate: gateProvoked,
			dimension: schemas.DimensionSelfManagement, good: map[string]bool{"SM1": ok},
		}
		p.add(a)
		p.civility(a, ok)
	}
	return nil
}

// bankLines are the texts of the published prompts of a dimension with a gate.
func bankLines(lang, gate string, d schemas.Dimension) ([]string, error) {
	bank, err := assessment.Prompts()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, prompt := range bank.All(lang) {
		if prompt.Gate == gate && prompt.Dimension == d {
			out = append(out, prompt.Text)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the prompt bank has no %q in %s", gate, lang)
	}
	return out, nil
}

// cold comments have no context of their own: they answer provocations of the published bank.
func (p *pooler) cold() error {
	prompts, err := bankLines("zh", gateProvoked, schemas.DimensionSelfManagement)
	if err != nil {
		return err
	}
	rows, err := read[dataset.Message[struct{ Offensive int }]](p.e, dataset.SetCOLD, dataset.Test, nil)
	if err != nil {
		return err
	}
	for i, r := range thin(rows, p.e.Sizes.Pool) {
		ok := r.Labels.Offensive == 0
		a := answer{
			id: r.ID, set: dataset.SetCOLD, lang: "zh", before: []line{{text: prompts[i%len(prompts)]}}, text: r.Text, gate: gateProvoked,
			dimension: schemas.DimensionSelfManagement, good: map[string]bool{"SM1": ok},
		}
		p.add(a)
		p.civility(a, ok)
	}
	return nil
}

// cped turns have dialogue acts, which stand in for labels of reply, de-escalation and repair in Chinese.
func (p *pooler) cped() error {
	scenes, err := read[dataset.Dialogue](p.e, dataset.SetCPED, dataset.Test, nil)
	if err != nil {
		return err
	}
	kind, other := map[string]bool{"agreement": true, "acknowledge": true, "apology": true, "question": true}, []string{"irony", "command", "reject", "disagreement"}
	var found []answer
	for _, s := range scenes {
		for i, t := range s.Turns {
			before := speakers(s.Turns, i)
			if len(before) == 0 || before[len(before)-1].self {
				continue
			}
			harsh := slices.Contains(other, t.Act)
			if !kind[t.Act] && !harsh {
				continue
			}
			good := map[string]bool{"SM2": kind[t.Act], "SK2": kind[t.Act]}
			if t.Act == "apology" || harsh {
				good["SK3"] = t.Act == "apology"
			}
			found = append(found, answer{
				id: fmt.Sprintf("%s#%d", s.ID, i), set: dataset.SetCPED, lang: "zh", before: before, text: t.Text, good: good,
			})
		}
	}
	for _, a := range thin(found, p.e.Sizes.Pool) {
		good := a.good
		for _, as := range []struct {
			facet, gate string
			dimension   schemas.Dimension
		}{
			{"SM2", gateProvoked, schemas.DimensionSelfManagement},
			{"SK2", gateConflict, schemas.DimensionSocialSkills},
			{"SK3", gateRepair, schemas.DimensionSocialSkills},
		} {
			if ok, labelled := good[as.facet]; labelled {
				a.gate, a.dimension, a.good = as.gate, as.dimension, map[string]bool{as.facet: ok}
				p.add(a)
			}
		}
	}
	return nil
}

// speakers are up to three lines before turn i as its writer sees them; all others count as one counterpart.
func speakers(turns []dataset.Turn, i int) []line {
	var out []line
	for _, t := range dataset.Before(turns, i) {
		out = append(out, line{self: t.Self, text: t.Text})
	}
	return out
}

// frames are statements of stress and their positive reframings, in answer to a prompt of the bank that asks about trouble:
// in free chat the situation would rest on the emotion head's view of tweets.
func (p *pooler) frames() error {
	prompts, err := bankLines("en", gateEpisode, schemas.DimensionSelfManagement)
	if err != nil {
		return err
	}
	rows, err := read[dataset.Message[struct{}]](p.e, dataset.SetFrames, dataset.Test, nil)
	if err != nil {
		return err
	}
	for i, r := range thin(rows, p.e.Sizes.Pool) {
		own := contextOf(r.Context)
		prompt := line{text: prompts[i%len(prompts)]}
		a := answer{
			set: dataset.SetFrames, lang: "en", gate: gateEpisode, dimension: schemas.DimensionSelfManagement,
			id: r.ID + "/reframed", before: append(own, prompt), text: r.Text, good: map[string]bool{"SM3": true},
		}
		p.add(a)
		a.id, a.before, a.text, a.good = r.ID+"/plain", []line{prompt}, own[len(own)-1].text, map[string]bool{"SM3": false}
		p.add(a)
	}
	return nil
}
