package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/model"
	"heartmark/schemas"
)

// minGroup is the smallest number of people that a stored aggregate covers (assessment design, section 12).
const minGroup = 10

// HeadDifference sums up how two models answered for one head in one language.
type HeadDifference struct {
	N      uint64  `json:"n"`       // messages that both scored
	SumAbs float64 `json:"sum_abs"` // of the mean |difference| over the labels
	MaxAbs float64 `json:"max_abs"` // largest |difference| of one label
	Agree  uint64  `json:"agree"`   // messages on which both say the same
}

// MeanAbs is the mean |difference| a label and message.
func (h HeadDifference) MeanAbs() float64 { return share(h.SumAbs, h.N) }

// Agreement is the share of messages on which both models say the same.
func (h HeadDifference) Agreement() float64 { return share(float64(h.Agree), h.N) }

// PersonDifference sums up how far whole assessments lie apart in one dimension, in points, new less current.
type PersonDifference struct {
	N          uint64  `json:"n"` // people whom both models scored
	Sum        float64 `json:"sum"`
	SumAbs     float64 `json:"sum_abs"`
	SumSquares float64 `json:"sum_squares"`
	MaxAbs     float64 `json:"max_abs"`
	SameLevel  uint64  `json:"same_level"`
	OneOnly    uint64  `json:"one_only"` // people whom only one of the models scored
}

// Mean is the mean difference, in points.
func (p PersonDifference) Mean() float64 { return share(p.Sum, p.N) }

// MeanAbs is the mean size of the difference, in points.
func (p PersonDifference) MeanAbs() float64 { return share(p.SumAbs, p.N) }

// SD is the standard deviation of the difference, in points.
func (p PersonDifference) SD() float64 {
	m := p.Mean()
	return math.Sqrt(max(0, share(p.SumSquares, p.N)-m*m))
}

func share(sum float64, n uint64) float64 {
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// Comparison is what a model in the shadow and the current one answered to the same messages: counts and sums, no text, no
// person.
type Comparison struct {
	Shadow  Digest    `json:"shadow"`
	Current Digest    `json:"current"`
	From    time.Time `json:"from,omitzero"`
	To      time.Time `json:"to,omitzero"`

	Messages uint64 `json:"messages"` // scored by both
	People   uint64 `json:"people"`   // assessments that both made
	// Dropped and DroppedPeople count what was sampled and not scored, because the shadow was busy; Failed what it could not
	// score, messages and assessments together.
	Dropped       uint64 `json:"dropped"`
	DroppedPeople uint64 `json:"dropped_people"`
	Failed        uint64 `json:"failed"`

	Languages  map[string]uint64                      `json:"languages"`
	Heads      map[string]map[string]HeadDifference   `json:"heads"` // by head and language
	Dimensions map[schemas.Dimension]PersonDifference `json:"dimensions"`
	OnlyOne    []string                               `json:"only_one,omitempty"` // heads that only one model has
}

func newComparison(shadow, current Digest) *Comparison {
	return &Comparison{
		Shadow: shadow, Current: current, Languages: map[string]uint64{}, Heads: map[string]map[string]HeadDifference{},
		Dimensions: map[schemas.Dimension]PersonDifference{},
	}
}

// empty tells that nothing was counted.
func (c *Comparison) empty() bool {
	return c.Messages == 0 && c.People == 0 && c.Dropped == 0 && c.DroppedPeople == 0 && c.Failed == 0
}

// merge adds o to c.
func (c *Comparison) merge(o *Comparison) {
	if c.From.IsZero() || !o.From.IsZero() && o.From.Before(c.From) {
		c.From = o.From
	}
	if o.To.After(c.To) {
		c.To = o.To
	}
	c.Messages += o.Messages
	c.People += o.People
	c.Dropped += o.Dropped
	c.DroppedPeople += o.DroppedPeople
	c.Failed += o.Failed
	for lang, n := range o.Languages {
		c.Languages[lang] += n
	}
	for head, byLang := range o.Heads {
		if c.Heads[head] == nil {
			c.Heads[head] = map[string]HeadDifference{}
		}
		for lang, d := range byLang {
			h := c.Heads[head][lang]
			h.N, h.SumAbs, h.MaxAbs, h.Agree = h.N+d.N, h.SumAbs+d.SumAbs, max(h.MaxAbs, d.MaxAbs), h.Agree+d.Agree
			c.Heads[head][lang] = h
		}
	}
	for name, d := range o.Dimensions {
		p := c.Dimensions[name]
		p.N, p.Sum, p.SumAbs, p.SumSquares = p.N+d.N, p.Sum+d.Sum, p.SumAbs+d.SumAbs, p.SumSquares+d.SumSquares
		p.MaxAbs, p.SameLevel, p.OneOnly = max(p.MaxAbs, d.MaxAbs), p.SameLevel+d.SameLevel, p.OneOnly+d.OneOnly
		c.Dimensions[name] = p
	}
	for _, head := range o.OnlyOne {
		if !slices.Contains(c.OnlyOne, head) {
			c.OnlyOne = append(c.OnlyOne, head)
		}
	}
	slices.Sort(c.OnlyOne)
}

// valueTolerance is how close two values of a value head are to count as the same answer.
const valueTolerance = 0.1

// message counts one message that both models scored.
func (c *Comparison) message(lang string, kinds map[string]model.Kind, current, shadow assessment.Scores) {
	c.Messages++
	c.Languages[lang]++
	for head, a := range current {
		b := shadow[head]
		if len(a) == 0 || len(a) != len(b) {
			continue
		}
		if c.Heads[head] == nil {
			c.Heads[head] = map[string]HeadDifference{}
		}
		h := c.Heads[head][lang]
		h.N++
		for i := range a {
			d := math.Abs(a[i] - b[i])
			h.SumAbs += d / float64(len(a))
			h.MaxAbs = max(h.MaxAbs, d)
		}
		if sameAnswer(kinds[head], a, b) {
			h.Agree++
		}
		c.Heads[head][lang] = h
	}
}

// sameAnswer compares what the values say: the most likely label of a softmax head, every label's side of one half of a sigmoid
// head, all values within valueTolerance of a value head.
func sameAnswer(kind model.Kind, a, b []float64) bool {
	switch kind {
	case model.Softmax:
		return top(a) == top(b)
	case model.Value:
		for i := range a {
			if math.Abs(a[i]-b[i]) > valueTolerance {
				return false
			}
		}
	default:
		for i := range a {
			if (a[i] >= 0.5) != (b[i] >= 0.5) {
				return false
			}
		}
	}
	return true
}

func top(v []float64) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}

// person counts one assessment that both models made.
func (c *Comparison) person(current, shadow assessment.Report) {
	c.People++
	for _, name := range schemas.Dimensions() {
		a, b, p := current.Dimensions[name], shadow.Dimensions[name], c.Dimensions[name]
		switch {
		case a.Score != nil && b.Score != nil:
			d := *b.Score - *a.Score
			p.N++
			p.Sum += d
			p.SumAbs += math.Abs(d)
			p.SumSquares += d * d
			p.MaxAbs = max(p.MaxAbs, math.Abs(d))
			if levelOf(a) == levelOf(b) {
				p.SameLevel++
			}
		case a.Score != nil || b.Score != nil:
			p.OneOnly++
		}
		c.Dimensions[name] = p
	}
}

func levelOf(d assessment.DimensionReport) string {
	if d.Level == nil {
		return ""
	}
	return *d.Level
}

// Comparison returns what was counted of a shadow beside a current model; all zero where nothing was.
func (c *Catalogue) Comparison(ctx context.Context, shadow, current Digest) (Comparison, error) {
	out := newComparison(shadow, current)
	_, err := c.document(ctx, DocumentKey{KindComparison, shadow, string(current)}, out)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Comparison{}, err
	}
	return *out, nil
}

// addComparison adds counts to what is stored.
func addComparison(ctx context.Context, s Store, o *Comparison) error {
	return s.UpdateDocument(ctx, DocumentKey{KindComparison, o.Shadow, string(o.Current)}, func(old []byte) ([]byte, error) {
		sum := newComparison(o.Shadow, o.Current)
		if old != nil {
			if err := json.Unmarshal(old, sum); err != nil {
				return nil, fmt.Errorf("%w: comparison: %w", ErrDamaged, err)
			}
		}
		sum.merge(o)
		return json.Marshal(sum)
	})
}
