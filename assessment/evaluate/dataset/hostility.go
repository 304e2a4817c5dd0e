package dataset

import "heartmark/assessment"

// Levels of the hostility head: mild is rude or curt, strong an insult to a person or a group, severe a threat or hate.
const (
	levelNone   = "none"
	levelMild   = "mild"
	levelStrong = "strong"
	levelSevere = "severe"
)

// hostile is the target of a set that marks hostility without grading it: any level above none may be right.
func hostile(is bool) Target {
	if is {
		return Target{Labels: []string{levelStrong, levelSevere}}
	}
	return one(levelNone)
}

type hostilityLabels struct {
	Offensive int     `json:"offensive"` // cold
	Abusive   int     `json:"abusive"`   // convabuse
	Severity  float64 `json:"severity"`  // convabuse, 1 (harmless) to -3
	Class     string  `json:"class"`     // davidson
	Hateful   int     `json:"hateful"`   // hatecheck
	Category  string  `json:"category"`  // diasafety
	Unsafe    int     `json:"unsafe"`    // diasafety
}

func cold(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := messages(f, SetCOLD, split, func(m Message[hostilityLabels]) {
		row := message(SetCOLD, m)
		row.Tags["topic"] = m.Topic
		row.Gold[assessment.HeadHostility] = hostile(m.Labels.Offensive == 1)
		out = append(out, row)
	})
	return out, err
}

func convabuse(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := messages(f, SetConvAbuse, split, func(m Message[hostilityLabels]) {
		row := message(SetConvAbuse, m)
		row.Group = m.Conversation
		row.Gold[assessment.HeadHostility] = one(severity(m.Labels))
		out = append(out, row)
	})
	return out, err
}

func severity(l hostilityLabels) string {
	switch {
	case l.Abusive == 0:
		return levelNone
	case l.Severity > -1.5:
		return levelMild
	case l.Severity > -2.5:
		return levelStrong
	default:
		return levelSevere
	}
}

func davidson(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := messages(f, SetDavidson, split, func(m Message[hostilityLabels]) {
		row := message(SetDavidson, m)
		row.Tags["class"] = m.Labels.Class
		switch m.Labels.Class {
		case "hate":
			row.Gold[assessment.HeadHostility] = hostile(true)
		case "offensive":
			row.Gold[assessment.HeadHostility] = Target{Labels: []string{levelMild, levelStrong}}
		default:
			row.Gold[assessment.HeadHostility] = one(levelNone)
		}
		out = append(out, row)
	})
	return out, err
}

// hatecheck has one file, which is for evaluation only: there are test rows and no others.
func hatecheck(f *Folder, split string) ([]Row, error) {
	if split != Test {
		return nil, ErrTask
	}
	var out []Row
	err := messages(f, SetHateCheck, Eval, func(m Message[hostilityLabels]) {
		row := message(SetHateCheck, m)
		row.Group = m.Template
		row.Tags["functionality"], row.Tags["target"] = m.Functionality, m.Target
		row.Gold[assessment.HeadHostility] = hostile(m.Labels.Hateful == 1)
		out = append(out, row)
	})
	return out, err
}

func diasafety(f *Folder, split string) ([]Row, error) {
	var out []Row
	err := messages(f, SetDiaSafety, split, func(m Message[hostilityLabels]) {
		head := contextHead(m.Labels.Category)
		if head == "" {
			return
		}
		row := message(SetDiaSafety, m)
		row.Gold[head] = truth(head, m.Labels.Unsafe == 1)
		out = append(out, row)
	})
	return out, err
}
