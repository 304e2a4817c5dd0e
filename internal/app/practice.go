package app

import (
	"context"
	"time"

	"heartmark/api/problem"
	"heartmark/api/ui"
	"heartmark/assessment"
	"heartmark/assessment/training"

	"github.com/prometheus/client_golang/prometheus"
)

// practisedAtOnce is how many answers are read at once; more are asked to come again, so that practice never holds up
// assessments.
const practisedAtOnce = 2

// practice is what the practice page needs.
type practice struct {
	bank       *training.Bank
	classifier assessment.Classifier // nil: no feedback
	places     chan struct{}
	marks      *prometheus.CounterVec
}

var _ ui.Practice = (*practice)(nil)

// practice joins the page to the scenarios and the classifier; s is nil without one.
func (a *App) practice(s *scoring) (*practice, error) {
	bank, err := training.Load()
	if err != nil {
		return nil, err
	}
	p := &practice{
		bank: bank, places: make(chan struct{}, practisedAtOnce),
		marks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "heartmark_practice_marks_total", Help: "Marks of feedback on practice answers, by scenario.",
		}, []string{"scenario", "mark"}),
	}
	if s != nil {
		p.classifier = s.classifier
	}
	return p, a.metrics.Register(p.marks)
}

// Scenarios implements ui.Practice.
func (p *practice) Scenarios() []training.Scenario { return p.bank.Scenarios("", "") }

// Available implements ui.Practice.
func (p *practice) Available() bool { return p.classifier != nil }

// Practise implements ui.Practice.
func (p *practice) Practise(ctx context.Context, x assessment.Exchange) (assessment.Practised, error) {
	if p.classifier == nil {
		return assessment.Practised{}, problem.ErrUnavailable
	}
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	default:
		return assessment.Practised{}, problem.RetryAfter(problem.ErrBusy, time.Second)
	}
	return assessment.Practise(ctx, p.classifier, x)
}

// Mark implements ui.Practice.
func (p *practice) Mark(scenario string, m ui.FeedbackMark) {
	p.marks.WithLabelValues(scenario, string(m)).Inc()
}
