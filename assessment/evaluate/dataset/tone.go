package dataset

import "heartmark/assessment"

type toneLabels struct {
	Class      string   `json:"class"`      // politeness
	Strategies []string `json:"strategies"` // positive_frames
	V          float64  `json:"V"`          // emobank, 1 to 5
	A          float64  `json:"A"`          // emobank, 1 to 5
	Concern    float64  `json:"empathic_concern"`
	Distress   float64  `json:"personal_distress"`
	Emotion    string   `json:"emotion"` // ed_situations
}

func politeness(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := messages(f, SetPoliteness, split, func(m Message[toneLabels]) {
		row := message(SetPoliteness, m)
		row.Tags["domain"] = m.Domain
		row.Gold[assessment.HeadPoliteness] = one(m.Labels.Class)
		out = append(out, row)
	})
	return out, err
}

// frames gives each rewrite after its original, and each original after the one before: both stand behind an own message,
// so that the form says nothing.
func frames(f *Folder, split string) ([]Row, error) {
	var out []Row
	var first, before string
	err := messages(f, SetFrames, split, func(m Message[toneLabels]) {
		if len(m.Context) == 0 {
			return
		}
		rewrite := message(SetFrames, m)
		rewrite.Group = m.ID
		rewrite.Gold[assessment.HeadReappraisal] = truth(assessment.HeadReappraisal, true)
		rewrite.Gold[HeadStrategies] = Target{Labels: m.Labels.Strategies}
		original := rewrite
		original.ID += "-original"
		original.Text = m.Context[len(m.Context)-1].Text
		original.Context = []assessment.Turn{{Self: true, Text: before}}
		original.Gold = map[string]Target{assessment.HeadReappraisal: truth(assessment.HeadReappraisal, false)}
		if before == "" {
			first = original.ID
		}
		before = original.Text
		out = append(out, rewrite, original)
	})
	for i := range out {
		if out[i].ID == first { // nothing came before it: it goes after the last
			out[i].Context = []assessment.Turn{{Self: true, Text: before}}
		}
	}
	return out, err
}

func emobank(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := messages(f, SetEmoBank, split, func(m Message[toneLabels]) {
		row := message(SetEmoBank, m)
		row.Gold[assessment.HeadVA] = Target{
			Labels: []string{"valence", "arousal"},
			Values: []float64{unit(m.Labels.V - 3), unit(m.Labels.A - 3)},
		}
		out = append(out, row)
	})
	return out, err
}

func unit(v float64) float64 { return max(-1, min(1, v)) }

func reactions(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := messages(f, SetReactions, split, func(m Message[toneLabels]) {
		row := message(SetReactions, m)
		row.Group = m.User
		row.Gold[HeadEmpathic] = Target{
			Labels: []string{"concern", "distress"},
			Values: []float64{unit((m.Labels.Concern - 4) / 3), unit((m.Labels.Distress - 4) / 3)},
		}
		out = append(out, row)
	})
	return out, err
}

// situations are told by one emotion each. The distress label is there where it plainly asks for support or plainly does
// not: surprise, nostalgia, sentiment, caring and anticipation say neither. The set is for evaluation only.
func situations(f *Folder, split string) ([]Row, error) {
	if split == Train {
		return nil, ErrTask
	}
	var out []Row
	err := messages(f, SetSituations, split, func(m Message[toneLabels]) {
		row := message(SetSituations, m)
		row.Tags["emotion"] = m.Labels.Emotion
		negative := negativeSituation(m.Labels.Emotion)
		if negative || positiveSituation(m.Labels.Emotion) {
			row.Gold[assessment.HeadDistress] = truth(assessment.HeadDistress, negative)
		}
		if t, ok := common(SetSituations, []string{m.Labels.Emotion}); ok {
			row.Gold[assessment.HeadEmotion] = t
		}
		out = append(out, row)
	})
	return out, err
}

// sites are messages that plainly ask for support or plainly do not, from the sets that the distress head learns from:
// seekers' posts and troubled contexts, statements of one emotion, comments with positive or no emotion.
func sites(f *Folder, split string) ([]Row, error) {
	out, err := personas(f, split)
	if err != nil {
		return nil, err
	}
	comments, err := goemotions(f, split)
	if err != nil {
		return nil, err
	}
	for _, row := range comments {
		if pleasant(row.Gold[assessment.HeadEmotion].Labels) {
			row.Gold = map[string]Target{assessment.HeadDistress: truth(assessment.HeadDistress, false)}
			out = append(out, row)
		}
	}
	posts, err := epitome(f, split)
	if err != nil {
		return nil, err
	}
	troubled, err := diasafety(f, split)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for _, row := range append(posts, troubled...) {
		_, ignores := row.Gold[assessment.HeadCtxIgnore]
		if row.Set == SetDiaSafety && !ignores || len(row.Context) == 0 {
			continue
		}
		asked := row.Context[len(row.Context)-1].Text
		if seen[asked] {
			continue
		}
		seen[asked] = true
		row.ID, row.Text, row.Context, row.Group = row.ID+"-context", asked, nil, ""
		row.Gold = map[string]Target{assessment.HeadDistress: truth(assessment.HeadDistress, true)}
		out = append(out, row)
	}
	return out, nil
}
