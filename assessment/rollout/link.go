package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"heartmark/schemas"
)

// Bounds of a link that counts as the identity: the same person gets the same score within two points at every cut, the
// bound that the evaluation sets for harmless changes of the text (assessment design, section 10).
const identityPoints = 2.0

// linkResamples is how often the anchor people are drawn again for the standard errors.
const linkResamples = 400

// Linear brings scores of the new model to the scale of the old one, for one dimension: old = Slope × new + Intercept, in points.
type Linear struct {
	People      int     `json:"people"` // anchor people that both models scored
	Slope       float64 `json:"slope"`
	Intercept   float64 `json:"intercept"`
	SlopeSE     float64 `json:"slope_se"`
	InterceptSE float64 `json:"intercept_se"`
	// SE is the standard error of linking: the largest standard error of a linked score at the cuts and at the mean, in points.
	SE float64 `json:"se"`
	// Shift is the mean of new less old score over the anchor people, in points.
	Shift       float64    `json:"shift"`
	Correlation float64    `json:"correlation"`
	New         [2]float64 `json:"new"` // mean and standard deviation of the new model's scores
	Old         [2]float64 `json:"old"`
}

// Link is the record of linking one model with another on the anchor people.
type Link struct {
	Model      Digest                       `json:"model"`
	With       Digest                       `json:"with"`
	At         time.Time                    `json:"at"`
	Anchors    string                       `json:"anchors"` // version of the anchor set and its digest
	People     int                          `json:"people"`
	Seed       uint64                       `json:"seed"`
	Dimensions map[schemas.Dimension]Linear `json:"dimensions"`
	// Unlinked are dimensions that too few anchor people were scored on by both models.
	Unlinked []schemas.Dimension `json:"unlinked,omitempty"`
}

// cuts are where a linked score must hold: the levels' cuts, in points (assessment design, section 7).
func cuts() []float64 { return []float64{40, 60, 78} }

// Identity tells that the old scale can be kept: every dimension is linked, and the linked score is within two points of the
// score itself at every cut, its standard error included.
func (l Link) Identity() bool {
	if len(l.Unlinked) > 0 || len(l.Dimensions) != len(schemas.Dimensions()) {
		return false
	}
	for _, d := range l.Dimensions {
		for _, cut := range cuts() {
			if math.Abs(d.Slope*cut+d.Intercept-cut)+d.SE > identityPoints {
				return false
			}
		}
	}
	return true
}

// OldScale brings a score of the new model, with its standard error of measurement, to the old model's scale. The standard
// error of linking enters the result's. ok is false for a dimension that is not linked.
func (l Link) OldScale(d schemas.Dimension, score, sem float64) (oldScore, oldSEM float64, ok bool) {
	x, ok := l.Dimensions[d]
	if !ok {
		return 0, 0, false
	}
	return min(max(x.Slope*score+x.Intercept, 0), 100), math.Hypot(x.Slope*sem, x.SE), true
}

// FitLinear fits mean-sigma linking: the linked scores have the mean and the standard deviation of the old ones (Kolen and
// Brennan, Test Equating, Scaling, and Linking, 3rd edition, section 2.3). newScores and oldScores are of the same people in
// the same order. Standard errors come from drawing the people again, by seed. ok is false where either side does not vary.
func FitLinear(newScores, oldScores []float64, seed uint64) (fit Linear, ok bool) {
	if len(newScores) != len(oldScores) || len(newScores) < 2 {
		return Linear{}, false
	}
	all := make([]int, len(newScores))
	for i := range all {
		all[i] = i
	}
	m := momentsOf(newScores, oldScores, all)
	slope, intercept, ok := m.line()
	if !ok {
		return Linear{}, false
	}
	fit = Linear{
		People: len(all), Slope: slope, Intercept: intercept, Shift: m.meanNew - m.meanOld,
		New: [2]float64{m.meanNew, m.sdNew}, Old: [2]float64{m.meanOld, m.sdOld}, Correlation: m.cov / (m.sdNew * m.sdOld),
	}
	points := append(cuts(), m.meanNew)
	spread := make([]running, len(points)+2)
	rng := rand.New(rand.NewPCG(seed, uint64(len(all))))
	at := make([]int, len(all))
	for range linkResamples {
		for i := range at {
			at[i] = rng.IntN(len(all))
		}
		a, b, ok := momentsOf(newScores, oldScores, at).line()
		if !ok {
			continue
		}
		for k, x := range points {
			spread[k].add(a*x + b)
		}
		spread[len(points)].add(a)
		spread[len(points)+1].add(b)
	}
	for k := range points {
		fit.SE = max(fit.SE, spread[k].sd())
	}
	fit.SlopeSE, fit.InterceptSE = spread[len(points)].sd(), spread[len(points)+1].sd()
	return fit.rounded(), true
}

// rounded keeps six decimals, so that a record does not depend on the last bits of a processor's arithmetic.
func (l Linear) rounded() Linear {
	for _, x := range []*float64{
		&l.Slope, &l.Intercept, &l.SlopeSE, &l.InterceptSE, &l.SE, &l.Shift, &l.Correlation, &l.New[0], &l.New[1], &l.Old[0], &l.Old[1],
	} {
		*x = math.Round(*x*1e6) / 1e6
	}
	return l
}

// moments of the people at some places.
type moments struct{ meanNew, meanOld, sdNew, sdOld, cov float64 }

func momentsOf(newScores, oldScores []float64, at []int) moments {
	var m moments
	n := float64(len(at))
	for _, i := range at {
		m.meanNew += newScores[i] / n
		m.meanOld += oldScores[i] / n
	}
	for _, i := range at {
		x, y := newScores[i]-m.meanNew, oldScores[i]-m.meanOld
		m.sdNew += x * x / n
		m.sdOld += y * y / n
		m.cov += x * y / n
	}
	m.sdNew, m.sdOld = math.Sqrt(m.sdNew), math.Sqrt(m.sdOld)
	return m
}

func (m moments) line() (slope, intercept float64, ok bool) {
	if m.sdNew < 1e-9 || m.sdOld < 1e-9 {
		return 0, 0, false
	}
	slope = m.sdOld / m.sdNew
	return slope, m.meanOld - slope*m.meanNew, true
}

// running is a mean and a variance that grow by one value at a time (Welford 1962).
type running struct{ n, mean, m2 float64 }

func (r *running) add(x float64) {
	r.n++
	d := x - r.mean
	r.mean += d / r.n
	r.m2 += d * (x - r.mean)
}

func (r *running) sd() float64 {
	if r.n < 2 {
		return 0
	}
	return math.Sqrt(r.m2 / (r.n - 1))
}

// SaveLink stores a linking record.
func (c *Catalogue) SaveLink(ctx context.Context, l Link) error {
	data, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode link: %w", err)
	}
	return c.c.Store.UpdateDocument(ctx, DocumentKey{KindLink, l.Model, string(l.With)}, func([]byte) ([]byte, error) { return data, nil })
}

// Link returns the record of linking a model with another one, or ErrNotFound.
func (c *Catalogue) Link(ctx context.Context, m, with Digest) (Link, error) {
	var l Link
	_, err := c.document(ctx, DocumentKey{KindLink, m, string(with)}, &l)
	return l, err
}
