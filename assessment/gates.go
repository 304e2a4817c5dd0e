package assessment

import (
	"math"
	"regexp"
	"slices"
)

// How far the gates look, in turns.
const (
	conflictTurns = 5
	effectTurns   = 5
	repairTurns   = 10
	maxPromptUses = 3 // a prompt is retired for a person who has answered it this often
	minRelevance  = 0.3
	negativeTurns = 6 // this message and the last five of the person's own
)

// opening is one gate that stands open for an own turn.
type opening struct {
	value   float64
	trigger int // the turn that opened it; -1 for the own message itself
}

// openings are the gates of one own turn; a value of 0 is closed.
type openings [gateCount]opening

// gatesOf finds the open gates of own turn i. answered holds, per gate, the triggers that an earlier turn has already
// answered: one opportunity is one item.
func (r *run) gatesOf(i int, answered *[gateCount]map[int]bool) openings {
	t := &r.turns[i]
	var open openings
	if p := r.promptBefore(i); p >= 0 {
		g := r.turns[p].prompt.gate
		if id := r.turns[p].prompt.ID; !answered[g][p] && r.promptUses[id] < maxPromptUses {
			r.promptUses[id]++
			answered[g][p] = true
			open[g] = opening{1, p}
		}
		return open
	}
	if t.scene.Kind == "assessment" {
		return open // in a scene only the answers to its prompts count
	}
	for _, c := range t.context {
		o := &r.turns[c]
		if o.self || !o.alone.known || o.prompt != nil {
			continue
		}
		if r.directed(c, i) {
			r.open(&open, answered, gateProvoked, c, hostile(o.alone.hostility))
		}
		r.open(&open, answered, gateDistress, c, o.alone.distress)
		r.open(&open, answered, gateJoy, c, goodNews(o))
		if r.directed(c, i) && reAsked.MatchString(o.text) {
			r.open(&open, answered, gateAsked, c, 1)
		}
	}
	if value, trigger := r.conflict(i); trigger >= 0 {
		r.open(&open, answered, gateConflict, trigger, value)
	}
	// Sorrow in the answer to somebody's sad news is the other's feeling, not an episode of one's own.
	t.empathic = open[gateDistress].value > 0
	// Nor is warmth to somebody: comfort, praise and thanks speak of the other.
	if v := episode(&t.alone) * (1 - t.pair.warm()); v >= gateOpen && !t.empathic {
		open[gateEpisode] = opening{v, -1}
	}
	for g := range open {
		// A message about something else leaves the opportunity open for a later one.
		if g != int(gateEpisode) && !r.besides(t) && open[g].value > 0 {
			answered[g][open[g].trigger] = true
		}
	}
	return open
}

// open keeps the strongest trigger of a gate that has not been answered yet.
func (r *run) open(o *openings, answered *[gateCount]map[int]bool, g gate, trigger int, value float64) {
	if value >= gateOpen && value > o[g].value && !answered[g][trigger] {
		o[g] = opening{value, trigger}
	}
}

// promptBefore returns the npc prompt that own turn i answers: the one it replies to, or the turn just before.
func (r *run) promptBefore(i int) int {
	t := &r.turns[i]
	if len(t.context) == 0 || t.scene.Kind != "assessment" {
		return -1
	}
	if last := t.context[len(t.context)-1]; r.turns[last].prompt != nil {
		return last
	}
	return -1
}

// directed reports whether turn o speaks to the author of own turn i: by address, by reply either way, or because only
// two talk.
func (r *run) directed(o, i int) bool {
	from, t := &r.turns[o], &r.turns[i]
	if len(from.to) > 0 {
		return slices.Contains(from.to, t.actor)
	}
	if t.replyTo != "" && t.replyTo == from.id {
		return true
	}
	for _, c := range from.context {
		if from.replyTo != "" && c == from.context[len(from.context)-1] && r.turns[c].self {
			return true
		}
	}
	return r.twoParty(i)
}

// twoParty reports whether nobody but the subject and one other speaks near turn i.
func (r *run) twoParty(i int) bool {
	const reach = 10
	other := ""
	for j := max(0, i-reach); j < min(len(r.turns), i+reach+1); j++ {
		t := &r.turns[j]
		if !r.sameRoom(i, j) || t.self || t.role == "bot" {
			continue
		}
		if other != "" && t.actor != other {
			return false
		}
		other = t.actor
	}
	return other != ""
}

// conflict returns the strongest hostility of others in the last five turns, unless this person was hostile first.
func (r *run) conflict(i int) (value float64, trigger int) {
	trigger = -1
	for j := max(0, i-conflictTurns); j < i; j++ {
		t := &r.turns[j]
		if !r.sameRoom(i, j) || !t.alone.known {
			continue
		}
		h := hostile(t.alone.hostility)
		if t.self && t.eligible {
			if h = math.Max(h, hostile(t.pair.hostility)); h >= gateOpen && trigger < 0 {
				return 0, -1
			}
			continue
		}
		if !t.self && h >= gateOpen && h > value {
			value, trigger = h, j
		}
	}
	return value, trigger
}

// episode is the probability that the message carries a clear emotion.
func episode(a *aloneScores) float64 {
	if !a.known {
		return 0
	}
	return 1 - a.emotion[emNeutral]
}

// negative is the probability of the strongest unpleasant emotion of the writer's own.
func negative(t *turn) float64 {
	if !t.alone.known || t.empathic {
		return 0
	}
	a := &t.alone
	return max(a.emotion[emAnger], a.emotion[emDisgust], a.emotion[emFear], a.emotion[emSadness], a.emotion[emShame])
}

// Grammar of speaking about oneself and of asking how somebody is: these select situations, they never score.
var (
	reFirstPerson = regexp.MustCompile(`(?i)\b(i|i'm|i’m|i've|i’ve|im|my|me|mine|we|we're|our|us)\b|我|咱|俺`)
	reAsked       = regexp.MustCompile(`(?i)\bhow (are|r) (you|u|ya)\b|\bhow (do|did|does|are|is) (you|that|it|this)( \w+){0,2} feel|\bhow('s| is| has| have) (your day|everything|it going|life|you been)\b|` +
		`\bare (you|u) (ok|okay|alright|all right|upset|angry|mad|sad|worried)\b|\bwhat('s| is) (wrong|the matter|bothering you|on your mind)\b|\bhow('re| are) you (feeling|holding up|doing)\b|` +
		`你还好吗|你还好吧|还好吗|你没事吧|心情(怎么样|如何|怎样|还好)|感觉(怎么样|如何|怎样|还好)|什么感受|什么心情|你怎么了|怎么啦|最近(怎么样|还好|好吗)|你(难过|生气|不开心|担心|紧张)吗`)
	// The same phrases as in the measurement of SA2's error rates.
	reCause = regexp.MustCompile(`(?i)\b(because|since|due to|made me|makes me)\b|因为|因為|我发现|我發現`)
)

// goodNews is the probability that another shares something of their own that went well.
func goodNews(t *turn) float64 {
	v := max(t.alone.emotion[emJoy], t.alone.emotion[emPride], t.alone.emotion[emRelief])
	if !reFirstPerson.MatchString(t.text) {
		return v / 2 // congratulations and small talk are somebody else's news
	}
	return v
}

// besides reports whether the turn does not answer its context.
func (r *run) besides(t *turn) bool {
	return t.pair.withContext && r.heads.has(HeadRelevance) && t.pair.relevance < minRelevance
}
