package suite

import (
	"context"
	"errors"
	"strconv"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/schemas"
)

// speaker is one person of a recorded talk, with what the product's items say of the person without any minimum.
type speaker struct {
	dialogue, name string
	score          map[schemas.Dimension]float64 // posterior means in [0, 1]; only dimensions with an item, civility too
}

// withoutMinimum explains a number that the product would not show.
const withoutMinimum = "posterior means without the minimum of evidence: a talk gives a person too few answers for a score"

// seen is a dialogue as one of its speakers.
type seen struct {
	dialogue dataset.Dialogue
	name     string
}

// eachSpeaker lists the speakers of dialogues in the order in which they speak.
func eachSpeaker(dialogues []dataset.Dialogue) []seen {
	var out []seen
	for _, d := range dialogues {
		met := map[string]bool{}
		for _, t := range d.Turns {
			if t.Speaker != "" && !met[t.Speaker] {
				met[t.Speaker] = true
				out = append(out, seen{d, t.Speaker})
			}
		}
	}
	return out
}

// speakers has the product assess every speaker of the dialogues in free chat.
func assessSpeakers(ctx context.Context, e Env, dialogues []dataset.Dialogue) ([]speaker, error) {
	all := eachSpeaker(dialogues)
	out := make([]speaker, len(all))
	faults := make([]error, len(all))
	info := e.Classifier.Info()
	parallel(len(all), func(i int) {
		items, err := all[i].items(ctx, e)
		out[i], faults[i] = speaker{all[i].dialogue.ID, all[i].name, map[schemas.Dimension]float64{}}, err
		for _, d := range schemas.Dimensions() {
			if p := posterior(info, d, items, e.Seed); p.Info > 0 {
				out[i].score[d] = p.Mean
			}
		}
	})
	return out, errors.Join(faults...)
}

// items are those of one speaker's part of the dialogue. Who speaks to whom is not recorded: everybody is in the room.
func (s seen) items(ctx context.Context, e Env) ([]assessment.Item, error) {
	others := map[string]string{}
	var t transcript
	for _, turn := range s.dialogue.Turns {
		if turn.Deal != nil || turn.Text == "" {
			continue
		}
		l := line{self: turn.Speaker == s.name, text: turn.Text}
		if !l.self {
			if others[turn.Speaker] == "" {
				others[turn.Speaker] = strconv.Itoa(len(others) + 1)
			}
			if len(others) > 1 {
				l.who = others[turn.Speaker]
			}
		}
		t.say(place{conversation: s.dialogue.ID, counterpart: "other"}, l, false, "", "talk")
	}
	r, err := t.assess(ctx, e)
	return r.Items, err
}

// dialogues reads at most limit dialogues, the test part first, then dev, then train.
func dialogues(e Env, set string, limit int) ([]dataset.Dialogue, error) {
	var out []dataset.Dialogue
	for _, split := range []string{dataset.Test, dataset.Dev, dataset.Train} {
		for d, err := range dataset.Lines[dataset.Dialogue](e.Folder, set, split) {
			if err != nil {
				return nil, err
			}
			if len(out) < limit {
				out = append(out, d)
			}
		}
	}
	return out, nil
}
