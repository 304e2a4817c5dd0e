package suite

import (
	"slices"

	"heartmark/assessment/evaluate/dataset"
	"heartmark/schemas"
)

// personaRow is a record of empathetic_personas.
type personaRow = dataset.Message[struct {
	Empathy int
	Emotion string
}]

// personas have first-person statements of feeling and graded helper lines in both languages. Statements show naming;
// statements of distress with a helper line after them are answered distress, and with a line of other talk after them
// passed over distress; a change from one mood to the other after a helper line is an effect. The pairing is ours.
func (p *pooler) personas() error {
	rows, err := read[personaRow](p.e, dataset.SetPersonas, dataset.Test, nil)
	if err != nil {
		return err
	}
	for _, lang := range languages() {
		var glad, low, helper []personaRow
		for _, r := range rows {
			switch {
			case r.Lang != lang:
			case r.Task == "empathy":
				helper = append(helper, r)
			case r.Task == "emotion" && r.Labels.Emotion == "joy":
				glad = append(glad, r)
			case r.Task == "emotion":
				low = append(low, r)
			}
		}
		if len(glad) == 0 || len(low) == 0 || len(helper) == 0 {
			continue
		}
		if err := p.naming(lang, slices.Concat(glad, low), helper); err != nil {
			return err
		}
		if err := p.support(lang, low, helper); err != nil {
			return err
		}
		p.effect(lang, low, glad, helper)
	}
	return nil
}

func (p *pooler) naming(lang string, told, helper []personaRow) error {
	prompts, err := bankLines(lang, gateAsked, schemas.DimensionSelfAwareness)
	if err != nil {
		return err
	}
	put := func(rows []personaRow, good bool) {
		for i, r := range rows {
			p.add(answer{
				id: r.ID + "/asked", set: dataset.SetPersonas, lang: lang, before: []line{{text: prompts[i%len(prompts)]}}, text: r.Text,
				gate: gateAsked, dimension: schemas.DimensionSelfAwareness, good: map[string]bool{"SA1": good},
			})
		}
	}
	put(told, true)
	put(helper, false)
	return nil
}

func (p *pooler) support(lang string, low, helper []personaRow) error {
	put := func(id, text string, i int, good bool) {
		labels := map[string]bool{"SO3": good, "SK1": good}
		if lang == "zh" { // English has annotators' labels for these two
			labels["SO1"], labels["SO2"] = good, good
		}
		p.add(answer{
			id: id, set: dataset.SetPersonas, lang: lang, before: []line{{text: low[i%len(low)].Text}}, text: text, gate: gateDistress,
			dimension: schemas.DimensionSocialAwareness, good: labels,
		})
	}
	for i, h := range helper {
		if h.Labels.Empathy == 2 {
			put(h.ID+"/support", h.Text, i*7, true)
		}
	}
	talk, err := p.plainTalk(lang)
	if err != nil {
		return err
	}
	for i, text := range thin(talk, len(low)) {
		put(low[i].ID+"/passed-over", text, i, false)
	}
	return nil
}

// plainTalk are test lines of other talks that neither feel nor answer feelings.
func (p *pooler) plainTalk(lang string) ([]string, error) {
	set := dataset.SetCasino
	if lang == "zh" {
		set = dataset.SetCPED
	}
	talks, err := read[dataset.Dialogue](p.e, set, dataset.Test, nil)
	if err != nil {
		return nil, err
	}
	plain := []string{"", "statement-non-opinion", "statement-opinion", "answer", "command", "quotation"}
	var out []string
	for _, d := range talks {
		for _, t := range d.Turns {
			if slices.Contains(plain, t.Act) && t.Sentiment != "negative" && t.Deal == nil {
				out = append(out, t.Text)
			}
		}
	}
	return out, nil
}

// effect has the other's mood change, or turn, after a supportive line.
func (p *pooler) effect(lang string, low, glad, helper []personaRow) {
	var kind []personaRow
	for _, h := range helper {
		if h.Labels.Empathy == 2 {
			kind = append(kind, h)
		}
	}
	if len(kind) == 0 {
		return
	}
	put := func(id, before, after string, i int, good bool) {
		p.add(answer{
			id: id, set: dataset.SetPersonas, lang: lang, before: []line{{text: before}}, text: kind[i%len(kind)].Text,
			after: []line{{text: after}}, good: map[string]bool{"SK4": good},
		})
	}
	for i, l := range low {
		g := glad[i%len(glad)]
		put(l.ID+"/brighter", l.Text, g.Text, i, true)
		put(l.ID+"/darker", g.Text, l.Text, i, false)
	}
}
