package dataset

import (
	"hash/fnv"
	"math/rand/v2"
	"unicode/utf8"

	"heartmark/assessment"
)

// pair is a context and the message that answers it.
type pair struct {
	row     Row
	context []assessment.Turn
}

const (
	// pairsHeld and pairsTrain are how many true pairs of a set are taken; each gives a shuffled one too.
	pairsHeld, pairsTrain = 300, 1500
	// nearest and farthest are how far in the order of the set a hard wrong answer lies: another conversation, mostly with
	// the same people or topic.
	nearest, farthest = 15, 40
	shortestAnswer    = 3 // characters that an answer has more than
)

// shuffled gives as many true pairs of a context and its answer as wrong ones; half of the wrong answers are hard. The
// draw depends on the split alone.
func shuffled(f *Folder, split string) ([]Row, error) {
	var out []Row
	for _, set := range []string{SetCasino, SetCPED, SetEmory, SetTopical, SetDiaSafety, SetEpitome} {
		pairs, err := pairsOf(f, set, split)
		if err != nil {
			return nil, err
		}
		seed := fnv.New64a()
		_, _ = seed.Write([]byte(set + "/" + split))
		out = append(out, shuffle(pairs, split, rand.New(rand.NewPCG(seed.Sum64(), 7)))...)
	}
	return out, nil
}

func pairsOf(f *Folder, set, split string) ([]pair, error) {
	var out []pair
	add := func(row Row) {
		n := len(row.Context)
		if n == 0 || row.Context[n-1].Self || utf8.RuneCountInString(row.Text) <= shortestAnswer {
			return
		}
		row.Gold = nil
		out = append(out, pair{row, row.Context})
	}
	switch set {
	case SetDiaSafety, SetEpitome:
		err := messages(f, set, split, func(m Message[struct{}]) { add(message(set, m)) })
		return out, err
	default:
		err := turns(f, set, split, func(d Dialogue, i int) { add(turn(set, d, i)) })
		return out, err
	}
}

func shuffle(pairs []pair, split string, pick *rand.Rand) []Row {
	limit := pairsHeld
	if split == Train {
		limit = pairsTrain
	}
	var out []Row
	for _, i := range pick.Perm(len(pairs))[:min(limit, len(pairs))] {
		hard := pick.IntN(2) == 0
		wrong, ok := wrongAnswer(pairs, i, hard, pick)
		if !ok {
			continue
		}
		kind := "random"
		if hard {
			kind = "near"
		}
		right := pairs[i].row
		right.Gold = map[string]Target{assessment.HeadRelevance: truth(assessment.HeadRelevance, true)}
		other := right
		other.ID += "-shuffled"
		other.Text = wrong
		other.Gold = map[string]Target{assessment.HeadRelevance: truth(assessment.HeadRelevance, false)}
		right.Tags = map[string]string{"kind": "true"}
		other.Tags = map[string]string{"kind": kind}
		right.Group, other.Group = right.ID, right.ID
		out = append(out, right, other)
	}
	return out
}

// wrongAnswer draws an answer of another context; ok is false where none is found, as in a set of one conversation.
func wrongAnswer(pairs []pair, i int, hard bool, pick *rand.Rand) (text string, ok bool) {
	for range 20 {
		j := pick.IntN(len(pairs))
		if hard {
			j = i + (nearest+pick.IntN(farthest-nearest+1))*(1-2*pick.IntN(2))
			j = ((j % len(pairs)) + len(pairs)) % len(pairs)
		}
		own, other := pairs[i], pairs[j]
		if other.row.Text != own.row.Text && other.context[len(other.context)-1].Text != own.context[len(own.context)-1].Text {
			return other.row.Text, true
		}
	}
	return "", false
}
