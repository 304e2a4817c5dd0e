package assessment

import (
	"math"
	"slices"
	"strconv"
)

// item is one opportunity that the person answered.
type item struct {
	facet       facet
	scene       uint8 // number of the scene kind
	lang        uint8 // 0 en, 1 zh
	assessment  bool  // from an assessment scene
	day         uint16
	cluster     uint32 // conversation part, or one prompt
	counterpart uint32 // noCounterpart: nobody
	turn        int32
	trigger     int32 // turn that opened the gate, -1: the own message
	gate        gate
	y, w        float64
}

const noCounterpart = ^uint32(0)

// buildItems opens the gates of every own turn and scores the facets.
func (r *run) buildItems() {
	var answered [gateCount]map[int]bool
	for g := range answered {
		answered[g] = map[int]bool{}
	}
	var naming []int
	supports := map[int]int{} // own turn to its trigger, for SK4
	var provoked []int        // own turns that answer a provocation, for SM4
	for n, i := range r.own {
		t := &r.turns[i]
		if !t.eligible {
			continue
		}
		open := r.gatesOf(i, &answered)
		if t.alone.selfNaming >= gateOpen && t.scene.Kind != "assessment" {
			naming = append(naming, i)
		}
		for _, o := range r.outcomes(i, n, open) {
			r.add(o)
			if (o.facet == sk1 || o.facet == sk2) && o.trigger >= 0 && !o.assessment {
				supports[i] = int(o.trigger)
			}
			if o.facet == sm1 && !o.assessment {
				provoked = append(provoked, i)
			}
		}
	}
	r.repairs(supports)
	r.effects(supports)
	r.recovery(provoked)
	r.differentiation(naming)
}

// add keeps an item when its heads are sound and it carries weight.
func (r *run) add(it item) {
	if it.w > 0 && r.heads.has(r.a.facets[it.facet].heads...) {
		r.items = append(r.items, it)
	}
}

// base is the part of an item that comes from the own turn.
func (r *run) base(i int, f facet, o opening, g gate) item {
	t := &r.turns[i]
	it := item{facet: f, turn: int32(i), trigger: int32(o.trigger), gate: g, counterpart: noCounterpart, day: dayNumber(t.day)}
	if t.lang == "zh" {
		it.lang = 1
	}
	it.scene = uint8(slices.Index(sceneOrder(), t.scene.Kind) + 1)
	it.w = o.value * t.quality
	if o.trigger >= 0 && r.turns[o.trigger].prompt != nil {
		it.assessment = true
		it.w = t.quality
		it.cluster = r.names.number("prompt\x00" + strconv.Itoa(o.trigger))
		return it
	}
	it.cluster = r.names.number("part\x00" + strconv.Itoa(t.conversation) + "\x00" + strconv.Itoa(t.part))
	switch {
	case o.trigger >= 0:
		it.counterpart = r.names.number("actor\x00" + r.turns[o.trigger].actor)
	default:
		for k := len(t.context) - 1; k >= 0; k-- {
			if c := &r.turns[t.context[k]]; !c.self && c.role != "bot" {
				it.counterpart = r.names.number("actor\x00" + c.actor)
				break
			}
		}
	}
	if o.trigger >= 0 && r.besides(t) {
		it.w = 0
	}
	return it
}

// sceneOrder lists the scene kinds for numbering; 0 is none given.
func sceneOrder() []string {
	return []string{"social", "work", "class", "game", "event", "support", "market", "assessment", "other"}
}

// outcomes scores the facets of one own turn that need no later turn. n is its place among the own turns.
func (r *run) outcomes(i, n int, open openings) []item {
	t := &r.turns[i]
	var out []item
	put := func(f facet, g gate, scale float64) {
		it := r.base(i, f, open[g], g)
		var trigger *turn
		if open[g].trigger >= 0 {
			trigger = &r.turns[open[g].trigger]
		}
		it.y = r.outcome(f, g, t, &t.alone, &t.pair, trigger)
		it.w *= scale
		out = append(out, it)
	}
	feeling := gateEpisode
	if open[gateAsked].value > 0 {
		feeling = gateAsked
	}
	inScene := t.scene.Kind == "assessment"
	if open[feeling].value > 0 && (!inScene || r.promptFor(open[feeling], 0)) {
		put(sa1, feeling, 1)
		if t.alone.selfNaming >= gateOpen {
			put(sa2, feeling, 0.5)
		}
	}
	if open[gateProvoked].value > 0 {
		put(sm1, gateProvoked, 1)
		put(sm2, gateProvoked, 1)
	}
	if inScene && open[gateEpisode].value > 0 && r.promptFor(open[gateEpisode], 1) {
		put(sm3, gateEpisode, 1)
	} else if v := r.recentNegative(n); v >= gateOpen && !inScene {
		open[gateEpisode] = opening{v, -1}
		put(sm3, gateEpisode, 1)
	}
	for _, g := range []gate{gateDistress, gateJoy} {
		if open[g].value == 0 {
			continue
		}
		put(so1, g, 1)
		put(so2, g, 1)
		if g == gateDistress {
			put(so3, g, 1)
		}
		put(sk1, g, 1)
	}
	if open[gateConflict].value > 0 {
		put(sk2, gateConflict, 1)
	}
	if inScene && open[gateRepair].value > 0 {
		put(sk3, gateRepair, 1)
	}
	if !inScene && len(t.context) > 0 {
		it := r.base(i, sk5, opening{1, -1}, gateEpisode)
		it.y = r.outcome(sk5, gateEpisode, t, &t.alone, &t.pair, nil)
		it.w *= 0.1
		out = append(out, it)
	}
	return out
}

// promptFor reports whether an opening does not come from a prompt of another dimension.
func (r *run) promptFor(o opening, dimension int) bool {
	return o.trigger >= 0 && r.turns[o.trigger].prompt != nil && dimensionIndex(r.turns[o.trigger].prompt.Dimension) == dimension
}

// recentNegative is the strongest unpleasant episode of this and the last five own messages of the conversation.
func (r *run) recentNegative(n int) float64 {
	i := r.own[n]
	best := 0.0
	for k := n; k >= 0 && k > n-negativeTurns; k-- {
		j := r.own[k]
		if !r.sameRoom(i, j) {
			break
		}
		best = math.Max(best, negative(&r.turns[j]))
	}
	return best
}

// outcome is the facet's y of one answer. The scores are given apart from the turn, so that the same words with one
// left out can be scored too. trigger is nil when the own message opened the gate. Relevance is no factor here: an
// irrelevant answer has no weight at all, and a factor besides would pull every relevant one to the middle.
func (r *run) outcome(f facet, g gate, t *turn, a *aloneScores, p *pairScores, trigger *turn) float64 {
	switch f {
	case sa1:
		return a.selfNaming * (1 - hostile(a.hostility))
	case sa2:
		if reCause.MatchString(t.said) {
			return 1
		}
		return a.realization
	case sm1:
		// Not one minus the expected severity: a mildly hostile answer would keep two thirds of the outcome, and labelled
		// hostile and composed answers then lie too close together to tell apart.
		return 1 - hostile(p.hostility)
	case sm2:
		// Politeness is no factor: its annotators saw requests only, and any plain chat line reads as impolite to it.
		return p.constructive() * (1 - hostile(p.hostility))
	case sm3:
		return p.reappraisal
	case so1:
		y := clamp01(p.ip[1] + p.ip[2])
		if r.info.RatesWithNamedEmotion {
			y = math.Max(y, fittingEmotion(a, p, trigger))
		}
		return y
	case so2:
		if g == gateJoy {
			return max(a.emotion[emJoy], a.emotion[emLove], a.emotion[emPride], p.act[actPraise])
		}
		return 1 - p.er[0]*p.ex[0]
	case so3:
		return 1 - math.Max(p.ctxIgnore, a.emotion[emJoy])
	case sk1:
		return p.warm()
	case sk2:
		return p.constructive() * (1 - p.ctxEscalate) * (1 - hostile(p.hostility))
	case sk3:
		return math.Max(p.act[actApology], p.act[actAgree]*a.politeness[2])
	case sk5:
		return 1 - math.Max(hostile(p.hostility), p.act[actIrony])
	default: // the others follow from several messages: see sequences.go
		return 0
	}
}

// fittingEmotion is the probability that the reply puts the other's feeling, not the writer's own, into words.
func fittingEmotion(a *aloneScores, p *pairScores, trigger *turn) float64 {
	if trigger == nil || !trigger.alone.known {
		return 0
	}
	best := 0.0
	for c := range emNeutral {
		best = math.Max(best, trigger.alone.emotion[c]*a.emotion[c])
	}
	return best * (1 - a.selfNaming) * p.relevance
}
