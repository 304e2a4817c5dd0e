// Package reportpage answers a request for a report in the form that its Accept header asks for: JSON, the self-contained page, or
// PDF, the latter two with the plan that follows from the report and in the caller's language. It decides nothing about who may
// read what: it is given whole reports only.
package reportpage

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/assessment"
	"heartmark/assessment/pdf"
	"heartmark/assessment/training"
)

// The forms.
const (
	JSON = "application/json"
	HTML = "text/html"
	PDF  = "application/pdf"
)

// Form is the form that the request asks for.
func Form(r *http.Request) (string, error) { return edge.Accept(r, JSON, HTML, PDF) }

// Renderer makes pages. It is safe for concurrent use.
type Renderer struct{ bank *training.Bank }

// New reads the bank of exercises.
func New() (*Renderer, error) {
	bank, err := training.Load()
	if err != nil {
		return nil, fmt.Errorf("report pages: %w", err)
	}
	return &Renderer{bank}, nil
}

// Answer writes the report as form, HTML or PDF. full says that the caller may read scores and quotes; without it there is nothing
// that a page could show, and problem.ErrConsent is returned.
func (p *Renderer) Answer(w http.ResponseWriter, r *http.Request, form string, report assessment.Report, full bool) error {
	if !full {
		return fmt.Errorf("scores and quotes: %w", problem.ErrConsent)
	}
	lang := edge.Language(r)
	o := assessment.HTMLOptions{Lang: lang, Contestable: true, Plan: p.bank.View(p.bank.Plan(report), lang).Page(training.Progress{})}
	var out bytes.Buffer
	h := w.Header()
	switch form {
	case PDF:
		if err := pdf.Render(&out, report, o); err != nil {
			return err
		}
		h.Set("Content-Type", PDF)
		h.Set("Content-Disposition", `inline; filename="report.pdf"`)
	default:
		if err := assessment.RenderPage(&out, report, o); err != nil {
			return err
		}
		h.Set("Content-Type", HTML+"; charset=utf-8")
		h.Set("Content-Security-Policy", assessment.PagePolicy())
	}
	h.Set("Vary", "Accept, Accept-Language, Cookie")
	h.Set("Content-Length", strconv.Itoa(out.Len()))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(out.Bytes()) // the client may be gone; there is nobody left to tell
	return nil
}
