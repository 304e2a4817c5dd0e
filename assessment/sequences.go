package assessment

import (
	"math"
	"slices"
	"strings"
)

// repairs builds SK3: this person was hostile, the target answers, and then comes (or does not come) an apology or a
// polite agreement within ten turns. Each slip is one opportunity, scored by the best of the later turns.
func (r *run) repairs(supports map[int]int) {
	for _, i := range r.own {
		t := &r.turns[i]
		if !t.eligible || t.scene.Kind == "assessment" {
			continue
		}
		h := math.Max(hostile(t.alone.hostility), hostile(t.pair.hostility))
		if h < gateOpen {
			continue
		}
		target := r.targetOf(i)
		answered, best, bestTurn := -1, -1.0, -1
		for j := i + 1; j < len(r.turns) && j <= i+repairTurns && r.sameRoom(i, j); j++ {
			u := &r.turns[j]
			if !u.self && (target == "" || u.actor == target) && answered < 0 {
				answered = j
			}
			if !u.self || !u.eligible || answered < 0 {
				continue
			}
			if y := r.outcome(sk3, gateRepair, u, &u.alone, &u.pair, nil); y > best {
				best, bestTurn = y, j
			}
		}
		if bestTurn < 0 {
			continue // never answered, or the person wrote no more: no evidence
		}
		it := r.base(bestTurn, sk3, opening{h, answered}, gateRepair)
		it.w = h * r.turns[bestTurn].quality
		it.y = best
		r.add(it)
		if _, ok := supports[bestTurn]; !ok {
			supports[bestTurn] = answered
		}
	}
}

// targetOf is who turn i speaks to, "" when unknown.
func (r *run) targetOf(i int) string {
	t := &r.turns[i]
	if len(t.to) > 0 {
		return t.to[0]
	}
	for k := len(t.context) - 1; k >= 0; k-- {
		if c := &r.turns[t.context[k]]; !c.self {
			return c.actor
		}
	}
	return ""
}

// effects builds SK4: did the other person's wording brighten or cool down after the support.
func (r *run) effects(supports map[int]int) {
	order := make([]int, 0, len(supports))
	for i := range supports {
		order = append(order, i)
	}
	slices.Sort(order)
	for _, i := range order {
		before := &r.turns[supports[i]]
		y, found := 0.5, false
		for j := i + 1; j < len(r.turns) && j <= i+effectTurns && r.sameRoom(i, j); j++ {
			after := &r.turns[j]
			if after.actor != before.actor || !after.alone.known {
				continue
			}
			found = true
			up := after.alone.valence - before.alone.valence
			cooled := hostile(before.alone.hostility) - hostile(after.alone.hostility)
			switch {
			case up >= 0.3 || cooled >= 0.3:
				y = 1
			case up <= -0.3 || cooled <= -0.3:
				y = 0
			}
			break
		}
		if r.warmReaction(i) {
			y, found = 1, true
		}
		if !found {
			continue
		}
		it := r.base(i, sk4, opening{1, supports[i]}, gateDistress)
		it.w = r.turns[i].quality
		it.y = y
		r.add(it)
	}
}

// warmReaction reports whether somebody else put a friendly symbol on the turn.
func (r *run) warmReaction(i int) bool {
	warm := []string{
		"👍", "❤", "🧡", "💛", "💚", "💙", "💜", "🙏", "🤗", "😊", "🥰", "😍", "🎉", "👏", "💪", "😄", "😀", "🫶",
		"+1", "thumbsup", "heart", "pray", "hugs", "hugging_face", "blush", "smile", "clap", "tada", "raised_hands", "muscle",
	}
	for _, x := range r.turns[i].reactions {
		symbol := strings.Trim(strings.TrimSuffix(x.Symbol, "\ufe0f"), ":")
		if x.Actor != r.turns[i].actor && slices.Contains(warm, symbol) {
			return true
		}
	}
	return false
}

// maxRecovery is after how many own messages a recovery is no longer looked for.
const maxRecovery = 10

// recovery builds SM4: how many of the person's own messages it takes until the tone is near the person's usual one.
// It counts messages, never minutes.
func (r *run) recovery(provoked []int) {
	var values []float64
	for _, i := range r.own {
		if r.turns[i].eligible {
			values = append(values, r.turns[i].alone.valence)
		}
	}
	if len(values) < 10 {
		return // no usual tone to speak of
	}
	slices.Sort(values)
	median := values[len(values)/2]
	spread := (values[len(values)*3/4] - values[len(values)/4]) / 1.349
	near := func(i int) bool {
		return math.Abs(r.turns[i].alone.valence-median) <= math.Max(spread, 0.1)/2
	}
	until := -1 // end of the last recovery; a spell is one opportunity
	for n, i := range r.own {
		t := &r.turns[i]
		if !t.eligible || i <= until || t.scene.Kind == "assessment" {
			continue
		}
		value, trigger := 0.0, -1
		if _, ok := slices.BinarySearch(provoked, i); ok {
			value = 1
		} else if v := negative(t); v >= gateOpen {
			value = v
		}
		if value == 0 {
			continue
		}
		k := 0
		for m := n; m < len(r.own) && k <= maxRecovery; m++ {
			j := r.own[m]
			if r.turns[j].conversation != t.conversation {
				break
			}
			if !r.turns[j].eligible {
				continue
			}
			if near(j) {
				it := r.base(i, sm4, opening{value, trigger}, gateEpisode)
				it.y = 1 / (1 + float64(k)/3)
				r.add(it)
				until = j
				break
			}
			k++
		}
	}
}

// minNaming is from how many naming messages on their variety is looked at.
const minNaming = 12

// differentiation builds SA3: evenness of the feelings named, corrected by split halves.
func (r *run) differentiation(naming []int) {
	if len(naming) < minNaming {
		return
	}
	var all, odd, even [emNeutral]float64
	for n, i := range naming {
		e := r.turns[i].alone.emotion
		best := 0
		for c := range emNeutral {
			if e[c] > e[best] {
				best = c
			}
		}
		all[best]++
		if n%2 == 0 {
			even[best]++
		} else {
			odd[best]++
		}
	}
	// Small samples look less varied than they are; the halves show by how much.
	y := clamp01(2*evenness(all) - (evenness(odd)+evenness(even))/2)
	it := r.base(naming[len(naming)-1], sa3, opening{1, -1}, gateEpisode)
	it.y, it.w = y, 0.5
	r.add(it)
}

// evenness is the exponential of the entropy over the number of classes.
func evenness(counts [emNeutral]float64) float64 {
	sum := 0.0
	for _, c := range counts {
		sum += c
	}
	if sum == 0 {
		return 0
	}
	entropy := 0.0
	for _, c := range counts {
		if c > 0 {
			entropy -= c / sum * math.Log(c/sum)
		}
	}
	return math.Exp(entropy) / float64(len(counts))
}
