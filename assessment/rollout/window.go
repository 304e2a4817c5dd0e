package rollout

import (
	"math"
	"time"
	"unicode/utf8"

	"heartmark/assessment"
	"heartmark/assessment/model"
)

// lengthBounds part messages by their number of characters.
func lengthBounds() []int { return []int{10, 20, 40, 80, 160, 320, 640} }

// Window counts what a model answered over some days: how often each value of each label was seen, in which languages, how
// long the messages were. It covers ten people or more and holds nothing else of them.
type Window struct {
	Model     Digest                 `json:"model"`
	From      time.Time              `json:"from"` // first day, UTC
	To        time.Time              `json:"to"`   // last day
	People    uint64                 `json:"people"`
	Messages  uint64                 `json:"messages"`
	Heads     map[string][]histogram `json:"heads"` // by head, in label order
	Languages map[string]uint64      `json:"languages"`
	Lengths   []uint64               `json:"lengths"`
	// Complete tells of a reference that no more is added to.
	Complete bool `json:"complete,omitempty"`
}

func newWindow(m Digest) *Window {
	return &Window{Model: m, Heads: map[string][]histogram{}, Languages: map[string]uint64{}, Lengths: make([]uint64, len(lengthBounds())+1)}
}

// message counts one message. in is a message alone, so that a message that is also scored in its context counts once in
// language and length; heads that read the context are counted by pair.
func (w *Window) message(in assessment.ClassifierInput, s assessment.Scores, kinds map[string]model.Kind) {
	if in.Context == nil {
		w.Messages++
		w.Languages[languageOf(in.Lang)]++
		n, place := utf8.RuneCountInString(in.Text), 0
		for _, bound := range lengthBounds() {
			if n > bound {
				place++
			}
		}
		w.Lengths[place]++
	}
	for head, values := range s {
		if len(values) == 0 {
			continue
		}
		have := w.Heads[head]
		if len(have) != len(values) {
			have = make([]histogram, len(values))
			w.Heads[head] = have
		}
		low := 0.0
		if kinds[head] == model.Value {
			low = -1
		}
		for i, v := range values {
			have[i].add(v, low)
		}
	}
}

// languageOf keeps the set of languages closed.
func languageOf(lang string) string {
	if lang == "en" || lang == "zh" {
		return lang
	}
	return "other"
}

// merge adds o to w.
func (w *Window) merge(o *Window) {
	if w.From.IsZero() || !o.From.IsZero() && o.From.Before(w.From) {
		w.From = o.From
	}
	if o.To.After(w.To) {
		w.To = o.To
	}
	w.People += o.People
	w.Messages += o.Messages
	for lang, n := range o.Languages {
		w.Languages[lang] += n
	}
	for i := range min(len(w.Lengths), len(o.Lengths)) {
		w.Lengths[i] += o.Lengths[i]
	}
	for head, labels := range o.Heads {
		have := w.Heads[head]
		if len(have) != len(labels) {
			have = make([]histogram, len(labels))
			w.Heads[head] = have
		}
		for i := range labels {
			for b, n := range labels[i] {
				have[i][b] += n
			}
		}
	}
}

// Features of a drift report beside the heads.
const (
	FeatureLanguages = "languages"
	FeatureLengths   = "lengths"
)

// compare gives the stability index by feature: of a head the largest of its labels, of languages and lengths over all.
func (w *Window) compare(live *Window) map[string]float64 {
	out := map[string]float64{}
	for head, labels := range w.Heads {
		now := live.Heads[head]
		if len(now) != len(labels) {
			continue
		}
		worst := 0.0
		for i := range labels {
			worst = max(worst, psiOf(&labels[i], &now[i]))
		}
		out[head] = math.Round(worst*1e4) / 1e4
	}
	var ref, now []uint64
	for _, lang := range []string{"en", "zh", "other"} {
		ref, now = append(ref, w.Languages[lang]), append(now, live.Languages[lang])
	}
	out[FeatureLanguages] = math.Round(psi(ref, now)*1e4) / 1e4
	out[FeatureLengths] = math.Round(psi(w.Lengths, live.Lengths)*1e4) / 1e4
	return out
}
