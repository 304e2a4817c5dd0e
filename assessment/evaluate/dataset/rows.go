package dataset

import (
	"fmt"
	"slices"
	"strings"

	"heartmark/assessment"
)

// SetShuffled is no folder: true pairs of a context and its answer, and shuffled ones, from all sets of talk. SetSites are
// the sets that distress is learned from.
const (
	SetShuffled = "shuffled_pairs"
	SetSites    = "same_sites"
)

// readers give the rows of a split of each set, every head's labels on each.
func readers() map[string]func(f *Folder, split string) ([]Row, error) {
	return map[string]func(*Folder, string) ([]Row, error){
		SetGoemotions: goemotions,
		SetXED:        xed,
		SetCPED:       cped,
		SetEmory:      emory,
		SetPersonas:   personas,
		SetEpitome:    epitome,
		SetCOLD:       cold,
		SetConvAbuse:  convabuse,
		SetDavidson:   davidson,
		SetHateCheck:  hatecheck,
		SetDiaSafety:  diasafety,
		SetPoliteness: politeness,
		SetFrames:     frames,
		SetCasino:     casino,
		SetEmoBank:    emobank,
		SetReactions:  reactions,
		SetSituations: situations,
		SetShuffled:   shuffled,
		SetSites:      sites,
	}
}

// Rows are the rows of a split that carry gold labels for a task, which is "head/set". The sets of tier E have no train
// rows; those with one file have it as test. Rows without text are
// left out: a classifier is not asked about them. Splits and tasks that do not exist give ErrTask.
func (f *Folder) Rows(task, split string) ([]Row, error) {
	head, set, ok := strings.Cut(task, "/")
	read := readers()[set]
	if !ok || read == nil {
		return nil, fmt.Errorf("%w: %q", ErrTask, task)
	}
	if !slices.Contains([]string{Train, Dev, Test}, split) {
		return nil, fmt.Errorf("%w: %q has no split %q", ErrTask, task, split)
	}
	rows, err := read(f, split)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", task, err)
	}
	rows = slices.DeleteFunc(rows, func(r Row) bool {
		_, gold := r.Gold[head]
		return !gold || strings.TrimSpace(r.Text) == ""
	})
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: %q has no %s rows", ErrTask, task, split)
	}
	for _, r := range rows {
		if slices.Contains(r.Gold[head].Labels, "") {
			return nil, fmt.Errorf("%w: %s: row %s has an unknown label", ErrLine, task, r.ID)
		}
	}
	return rows, nil
}

// Tasks are all tasks that Rows knows.
func Tasks() []string {
	return []string{
		"emotion27/goemotions", "emotion/goemotions", "emotion/xed", "emotion/cped", "emotion/emorynlp",
		"emotion/empathetic_personas", "sentiment/cped", "act19/cped", "act/cped", "act/casino", "er/epitome_reddit",
		"ip/epitome_reddit", "ex/epitome_reddit", "hostility/cold", "hostility/convabuse", "hostility/davidson_offensive",
		"hostility/hatecheck_en_zh", "ctx_ignore/diasafety", "ctx_escalate/diasafety", "ctx_insult/diasafety",
		"politeness/politeness", "reappraisal/positive_frames", "strategies/positive_frames", "negotiation/casino",
		"empathy/empathetic_personas", "va/emobank", "empathic/empathic_reactions", "emotion/ed_situations", "distress/ed_situations",
		"distress/same_sites", "self_naming/empathetic_personas", "relevance/shuffled_pairs", "realization/goemotions",
	}
}

// messages calls add for each message of set/split.
func messages[L any](f *Folder, set, split string, add func(Message[L])) error {
	for m, err := range Lines[Message[L]](f, set, split) {
		if err != nil {
			return err
		}
		add(m)
	}
	return nil
}

// turns calls add for each turn of each dialogue that is text.
func turns(f *Folder, set, split string, add func(d Dialogue, i int)) error {
	for d, err := range Lines[Dialogue](f, set, split) {
		if err != nil {
			return err
		}
		for i, t := range d.Turns {
			if t.Deal == nil {
				add(d, i)
			}
		}
	}
	return nil
}

func message[L any](set string, m Message[L]) Row {
	return Row{Set: set, ID: m.ID, Lang: language(m.Lang), Text: m.Text, Context: context(m.Context), Gold: map[string]Target{}, Tags: map[string]string{}}
}

func turn(set string, d Dialogue, i int) Row {
	return Row{
		Set: set, ID: fmt.Sprintf("%s#%d", d.ID, i), Lang: language(d.Lang), Text: d.Turns[i].Text, Group: d.ID,
		Context: Before(d.Turns, i), Gold: map[string]Target{}, Tags: map[string]string{},
	}
}

func one(label string) Target { return Target{Labels: []string{label}} }

// truth is the target of a head with one sigmoid label, which bears the head's name.
func truth(head string, is bool) Target {
	if is {
		return Target{Labels: []string{head}}
	}
	return Target{}
}

// common is the emotion target of labels of a set; ok is false where none of them has a common class.
func common(set string, labels []string) (t Target, ok bool) {
	var classes []string
	for _, label := range labels {
		if class := commonEmotion(set, label); class != "" && !slices.Contains(classes, class) {
			classes = append(classes, class)
		}
	}
	return Target{Labels: classes, Known: knownEmotions(set)}, len(classes) > 0
}

type emotionLabels struct {
	Emotions []string `json:"emotions"`
	Emotion  string   `json:"emotion"`
	Empathy  *int     `json:"empathy"`
}

func goemotions(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := messages(f, SetGoemotions, split, func(m Message[emotionLabels]) {
		row := message(SetGoemotions, m)
		row.Gold[HeadEmotion27] = Target{Labels: m.Labels.Emotions}
		row.Gold[assessment.HeadRealization] = truth(assessment.HeadRealization, slices.Contains(m.Labels.Emotions, "realization"))
		if t, ok := common(SetGoemotions, m.Labels.Emotions); ok {
			row.Gold[assessment.HeadEmotion] = t
		}
		out = append(out, row)
	})
	return out, err
}

func xed(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := messages(f, SetXED, split, func(m Message[emotionLabels]) {
		row := message(SetXED, m)
		row.Tags["source"] = m.Source
		if t, ok := common(SetXED, m.Labels.Emotions); ok {
			row.Gold[assessment.HeadEmotion] = t
		}
		out = append(out, row)
	})
	return out, err
}

func cped(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := turns(f, SetCPED, split, func(d Dialogue, i int) {
		row := turn(SetCPED, d, i)
		row.Tags["programme"] = d.TV
		row.Gold[HeadSentiment] = one(d.Turns[i].Sentiment)
		row.Gold[HeadAct19] = one(d.Turns[i].Act)
		row.Gold[assessment.HeadAct] = one(cpedAct(d.Turns[i].Act))
		if t, ok := common(SetCPED, []string{d.Turns[i].Emotion}); ok {
			row.Gold[assessment.HeadEmotion] = t
		}
		out = append(out, row)
	})
	return out, err
}

func emory(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := turns(f, SetEmory, split, func(d Dialogue, i int) {
		row := turn(SetEmory, d, i)
		if t, ok := common(SetEmory, []string{d.Turns[i].Emotion}); ok {
			row.Gold[assessment.HeadEmotion] = t
		}
		out = append(out, row)
	})
	return out, err
}

func casino(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := turns(f, SetCasino, split, func(d Dialogue, i int) {
		strategies := d.Turns[i].Strategies
		if len(strategies) == 0 {
			return // this dialogue was not annotated
		}
		row := turn(SetCasino, d, i)
		row.Gold[HeadNegotiation] = Target{Labels: strategies}
		row.Gold[assessment.HeadAct] = one(casinoAct(strategies))
		out = append(out, row)
	})
	return out, err
}

// personas gives helper lines with their level of empathy, and statements of one emotion. The writers of statements were
// asked for them, so that they count as naming the writer's own feeling.
func personas(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := messages(f, SetPersonas, split, func(m Message[emotionLabels]) {
		row := message(SetPersonas, m)
		row.Group = m.Pair
		row.Tags["task"] = m.Task
		if m.Labels.Empathy != nil {
			row.Gold[HeadEmpathy] = one(strength(*m.Labels.Empathy))
			row.Gold[assessment.HeadSelfNaming] = truth(assessment.HeadSelfNaming, false)
			out = append(out, row)
			return
		}
		t, ok := common(SetPersonas, []string{m.Labels.Emotion})
		if !ok {
			return
		}
		if m.Task == "emotion" {
			row.Gold[assessment.HeadEmotion] = t
		}
		row.Gold[assessment.HeadSelfNaming] = truth(assessment.HeadSelfNaming, true)
		row.Gold[assessment.HeadDistress] = truth(assessment.HeadDistress, m.Labels.Emotion != "joy")
		out = append(out, row)
	})
	return out, err
}

type strengthLabels struct{ ER, IP, EX int }

func epitome(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := messages(f, SetEpitome, split, func(m Message[strengthLabels]) {
		row := message(SetEpitome, m)
		if len(m.Context) > 0 {
			row.Group = m.Context[len(m.Context)-1].Text // answers to one post
		}
		row.Gold[assessment.HeadER] = one(strength(m.Labels.ER))
		row.Gold[assessment.HeadIP] = one(strength(m.Labels.IP))
		row.Gold[assessment.HeadEX] = one(strength(m.Labels.EX))
		out = append(out, row)
	})
	return out, err
}
