package assessment

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Positions of the common emotion classes, of the dialogue acts and of the ordinal heads.
const (
	emJoy = iota
	emAmusement
	emLove
	emGratitude
	emPride
	emRelief
	emHope
	emInterest
	emAnger
	emDisgust
	emFear
	emSadness
	emShame
	emNeutral
	emotionCount
)

const (
	actComfort = iota
	actApology
	actThanks
	actPraise
	actAgree
	actQuestion
	actOffer
	actSmallTalk
	actDisagree
	actCommand
	actIrony
	actOther
	actCount
)

// knownLabels are the labels that gates and facets read, in the order of the positions above.
func knownLabels() map[string][]string {
	ordinal := []string{"none", "weak", "strong"}
	return map[string][]string{
		HeadEmotion: {
			"joy", "amusement", "love_caring", "gratitude", "pride_admiration", "relief_calm", "hope_desire", "interest_surprise",
			"anger", "disgust_contempt", "fear_worry", "sadness", "shame_guilt", "neutral",
		},
		HeadVA: {"valence"},
		HeadER: ordinal, HeadIP: ordinal, HeadEX: ordinal,
		HeadHostility:  {"none", "mild", "strong", "severe"},
		HeadPoliteness: {"impolite", "neutral", "polite"},
		HeadAct: {
			"comfort", "apology", "thanks", "praise", "agree", "question", "offer_or_coordinate", "small_talk",
			"disagree_or_reject", "command", "irony_or_undervalue", "other",
		},
		HeadCtxIgnore: nil, HeadCtxEscalate: nil, HeadCtxInsult: nil, HeadReappraisal: nil, HeadSelfNaming: nil,
		HeadDistress: nil, HeadRelevance: nil, HeadRealization: nil,
	}
}

// headSet is how this classifier's heads are read.
type headSet struct {
	columns map[string][]int // by head: where each known label stands
	width   map[string]int   // by head: number of outputs
	faulty  map[string]bool  // heads that once answered a value out of range, or not at all
}

// newHeadSet matches the classifier's labels with the known ones. A head whose labels do not cover the known ones
// counts as absent.
func newHeadSet(info ModelInfo) headSet {
	h := headSet{columns: map[string][]int{}, width: map[string]int{}, faulty: map[string]bool{}}
	for head, want := range knownLabels() {
		labels, declared := info.Labels[head]
		if !declared {
			continue
		}
		cols := []int{0}
		if want != nil {
			cols = cols[:0]
			for _, l := range want {
				cols = append(cols, slices.Index(labels, l))
			}
			if slices.Contains(cols, -1) {
				continue
			}
		}
		h.columns[head] = cols
		h.width[head] = max(len(labels), 1)
	}
	return h
}

// has reports whether every head is there and sound.
func (h headSet) has(heads ...string) bool {
	for _, head := range heads {
		if h.columns[head] == nil || h.faulty[head] {
			return false
		}
	}
	return true
}

// read returns the known labels' values of one head. A missing or senseless answer marks the head as faulty: the
// facets that read it get no number anywhere in the report.
func (h headSet) read(s Scores, head string) []float64 {
	cols := h.columns[head]
	if cols == nil {
		return nil
	}
	values := s[head]
	if len(values) != h.width[head] {
		h.faulty[head] = true
		return make([]float64, len(cols))
	}
	low := 0.0
	if head == HeadVA {
		low = -1
	}
	const slack = 1e-4 // rounding of half precision
	out := make([]float64, len(cols))
	for i, c := range cols {
		v := values[c]
		if math.IsNaN(v) || v < low-slack || v > 1+slack {
			h.faulty[head] = true
			continue
		}
		out[i] = math.Min(math.Max(v, low), 1)
	}
	return out
}

func (h headSet) one(s Scores, head string) float64 {
	if v := h.read(s, head); v != nil {
		return v[0]
	}
	return 0
}

// aloneScores are what a message says by itself.
type aloneScores struct {
	emotion     [emotionCount]float64
	valence     float64
	selfNaming  float64
	distress    float64
	realization float64
	hostility   [4]float64
	politeness  [3]float64
	known       bool
}

// pairScores are what a message does as an answer to its context.
type pairScores struct {
	er, ip, ex  [3]float64
	hostility   [4]float64
	act         [actCount]float64
	ctxIgnore   float64
	ctxEscalate float64
	ctxInsult   float64
	reappraisal float64
	relevance   float64
	withContext bool
}

func (h headSet) readAlone(s Scores) aloneScores {
	a := aloneScores{known: true}
	copy(a.emotion[:], h.read(s, HeadEmotion))
	copy(a.hostility[:], h.read(s, HeadHostility))
	copy(a.politeness[:], h.read(s, HeadPoliteness))
	a.valence = h.one(s, HeadVA)
	a.selfNaming = h.one(s, HeadSelfNaming)
	a.distress = h.one(s, HeadDistress)
	a.realization = h.one(s, HeadRealization)
	return a
}

func (h headSet) readPair(s Scores, withContext bool) pairScores {
	p := pairScores{withContext: withContext}
	copy(p.er[:], h.read(s, HeadER))
	copy(p.ip[:], h.read(s, HeadIP))
	copy(p.ex[:], h.read(s, HeadEX))
	copy(p.hostility[:], h.read(s, HeadHostility))
	copy(p.act[:], h.read(s, HeadAct))
	p.ctxIgnore = h.one(s, HeadCtxIgnore)
	p.ctxEscalate = h.one(s, HeadCtxEscalate)
	p.ctxInsult = h.one(s, HeadCtxInsult)
	p.reappraisal = h.one(s, HeadReappraisal)
	p.relevance = h.one(s, HeadRelevance)
	return p
}

// readPair reads the pair form; the hostility comes from the form that the head was trained on. The message alone goes
// to the classifier first.
func (r *run) readPair(h headSet, s Scores, alone *aloneScores, withContext bool) pairScores {
	p := h.readPair(s, withContext)
	if !r.info.HostilityReadsContext {
		p.hostility = alone.hostility
	}
	return p
}

// warm is the probability of an act that gives something to the other: comfort, an offer, thanks or praise.
func (p *pairScores) warm() float64 {
	return clamp01(p.act[actComfort] + p.act[actOffer] + p.act[actThanks] + p.act[actPraise])
}

// plainStatement is how much a statement that is no act of its own counts against a constructive one. It was chosen on dev
// rows: with 1, so many answers are plain statements that skilful and unskilful ones lie close together.
const plainStatement = 0.3

// constructive is how far the answer goes on with the other (a question, agreement, an apology, an offer) rather than
// against them (irony, a command, rejection): the former's share of both.
func (p *pairScores) constructive() float64 {
	with := p.act[actQuestion] + p.act[actAgree] + p.act[actApology] + p.act[actOffer]
	against := p.act[actIrony] + p.act[actCommand] + p.act[actDisagree]
	return with / (with + against + plainStatement*p.act[actOther] + 1e-6)
}

// hostile is the probability of at least mild hostility.
func hostile(h [4]float64) float64 { return clamp01(h[1] + h[2] + h[3]) }

func clamp01(x float64) float64 { return math.Min(math.Max(x, 0), 1) }

// request is one input on its way to the classifier.
type request struct {
	turn  int
	pair  bool
	whole bool // for the hostility alone: of a turn with stock phrases, the words that are not scored
	input ClassifierInput
}

// classify runs the classifier over the subject's turns and over those of others that they need.
func (r *run) classify(ctx context.Context) error {
	r.heads = newHeadSet(r.info)
	r.markNeeded()
	var queue []request
	total := 0
	for i := range r.turns {
		if r.turns[i].needed {
			total++
		}
		if r.turns[i].eligible {
			total += 2
			if r.turns[i].said != r.turns[i].text {
				total++
			}
		}
	}
	done := 0
	flush := func() error {
		n := len(queue)
		if err := r.send(ctx, queue); err != nil {
			return err
		}
		queue = queue[:0]
		done += n
		if r.a.cfg.Progress != nil {
			r.a.cfg.Progress(done, total)
		}
		return nil
	}
	for i := range r.turns {
		t := &r.turns[i]
		switch {
		case t.eligible:
			queue = append(queue, request{turn: i, input: ClassifierInput{Text: t.said, Lang: t.lang}})
			if t.said != t.text { // an insult counts however often it was used
				queue = append(queue, request{turn: i, whole: true, input: ClassifierInput{Text: t.text, Lang: t.lang}})
			}
			queue = append(queue, request{turn: i, pair: true, input: r.pairInput(t, t.said)})
		case t.needed:
			queue = append(queue, request{turn: i, input: ClassifierInput{Text: t.text, Lang: t.lang}})
		}
		if len(queue) >= r.a.cfg.MaxBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// pairInput is a text in the context of turn t.
func (r *run) pairInput(t *turn, text string) ClassifierInput {
	in := ClassifierInput{Text: text, Lang: t.lang}
	for _, c := range t.context {
		in.Context = append(in.Context, Turn{Self: r.turns[c].actor == t.actor, Text: r.turns[c].text})
	}
	return in
}

func (r *run) send(ctx context.Context, queue []request) error {
	if len(queue) == 0 {
		return nil
	}
	in := make([]ClassifierInput, len(queue))
	for i := range queue {
		in[i] = queue[i].input
	}
	scores, err := r.a.cfg.Classifier.Classify(ctx, in)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrClassifier, err)
	}
	if len(scores) != len(in) {
		return fmt.Errorf("%w: %d answers to %d messages", ErrClassifier, len(scores), len(in))
	}
	for i, q := range queue {
		t := &r.turns[q.turn]
		switch {
		case q.pair:
			t.pair = r.readPair(r.heads, scores[i], &t.alone, len(q.input.Context) > 0)
		case q.whole:
			if h := r.heads.readAlone(scores[i]).hostility; hostile(h) > hostile(t.alone.hostility) {
				t.alone.hostility = h
			}
		default:
			t.alone = r.heads.readAlone(scores[i])
		}
	}
	return nil
}

// markNeeded marks the turns of others that gates and effects read: the context, five turns before and five after.
func (r *run) markNeeded() {
	for _, i := range r.own {
		t := &r.turns[i]
		if !t.eligible {
			continue
		}
		for _, c := range t.context {
			r.need(c)
		}
		for j := i - 1; j >= 0 && j >= i-conflictTurns && r.sameRoom(i, j); j-- {
			r.need(j)
		}
		for j := i + 1; j < len(r.turns) && j <= i+effectTurns && r.sameRoom(i, j); j++ {
			r.need(j)
		}
	}
	for i := range r.turns {
		if t := &r.turns[i]; !t.self && !t.needed && t.prompt == nil {
			r.stats.dropped["no_consent"] += t.messages
		}
	}
}

func (r *run) need(i int) {
	// What another wrote in a third language still is context, but nothing is read from it.
	if t := &r.turns[i]; !t.self && (t.lang == "en" || t.lang == "zh") {
		t.needed = true
	}
}

// sameRoom reports whether two turns stand in the same part of the same conversation.
func (r *run) sameRoom(i, j int) bool {
	return r.turns[i].conversation == r.turns[j].conversation && r.turns[i].part == r.turns[j].part
}
