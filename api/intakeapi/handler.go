package intakeapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/api/reportpage"
	"heartmark/api/reviewapi"
	"heartmark/assessment/intake"
	"heartmark/assessment/review"
	"heartmark/assessment/training"

	"github.com/labstack/echo/v4"
)

// Consents are the receipts; *intake.Service has them.
type Consents interface {
	Give(ctx context.Context, c intake.Caller, r intake.GiveRequest) (receipt intake.Receipt, created bool, err error)
	Receipt(ctx context.Context, tenant, id string) (intake.Receipt, error)
	Receipts(ctx context.Context, tenant, subject, cursor string, limit int) ([]intake.Receipt, error)
	Withdraw(ctx context.Context, c intake.Caller, id string) (intake.Receipt, error)
}

// Batches are the evidence batches; *intake.Service has them.
type Batches interface {
	Submit(ctx context.Context, c intake.Caller, r intake.Submission) (b intake.Batch, created bool, err error)
	Begin(ctx context.Context, c intake.Caller, p intake.Params) (b intake.Batch, created bool, err error)
	Append(ctx context.Context, c intake.Caller, id string, offset int64, body io.Reader) (intake.Batch, error)
	Finish(ctx context.Context, c intake.Caller, id string, sig *intake.Signature) (intake.Batch, error)
	Batch(ctx context.Context, tenant, id string) (intake.Batch, error)
	Cancel(ctx context.Context, c intake.Caller, id string) (intake.Batch, error)
}

// Subjects are the rights of subjects; *intake.Service has them.
type Subjects interface {
	Export(ctx context.Context, c intake.Caller, subject, proof string) (intake.Export, error)
	Erase(ctx context.Context, c intake.Caller, subject string) (intake.Erased, error)
	Restrict(ctx context.Context, c intake.Caller, subject, kind string) (intake.Restriction, error)
	Correct(ctx context.Context, c intake.Caller, subject, event string) (intake.Corrected, error)
}

// Switch is the operator's; *intake.Service has it.
type Switch interface {
	Control(ctx context.Context) (intake.Control, error)
	SetControl(ctx context.Context, who intake.Caller, c intake.Control) (intake.Control, error)
}

// Service is the whole intake; *intake.Service is one.
type Service interface {
	Consents
	Batches
	Subjects
	Switch
}

var _ Service = (*intake.Service)(nil)

// Handler serves the routes of this package. Service nil answers 503.
type Handler struct {
	Service Service
	Pages   *reportpage.Renderer
	// Practice and Cases are what other parts keep of a subject; nil where they are absent.
	Practice Practice
	Cases    Cases
	Origin   string
	Now      func() time.Time
}

// Practice reads what is kept of a subject's plan and practice; *training.Trainer is one.
type Practice interface {
	Held(ctx context.Context, tenant, subject string) (training.Held, error)
}

// Cases reads the cases of a report; *review.Service is one.
type Cases interface {
	CasesOf(ctx context.Context, tenant, subject, report string) ([]review.Case, error)
}

var (
	_ Practice = (*training.Trainer)(nil)
	_ Cases    = (*review.Service)(nil)
)

// caller says who asks, and that there is a service to ask.
func (h *Handler) caller(r *http.Request) (intake.Caller, error) {
	who, err := edge.CallerOf(r.Context())
	if err != nil {
		return intake.Caller{}, err
	}
	if h.Service == nil {
		return intake.Caller{}, fmt.Errorf("no intake: %w", problem.ErrUnavailable)
	}
	return intake.Caller{Tenant: who.Tenant, Actor: who.KeyID}, nil
}

// param is a path parameter.
func param(c echo.Context, name string) string { return edge.Param(c.Request(), c.Param(name)) }

// Texts is GET /v1/consents/texts.
func (h *Handler) Texts(c echo.Context) error {
	if _, err := edge.Query(c.Request()); err != nil {
		return err
	}
	texts, err := intake.Texts()
	if err != nil {
		return err
	}
	out := ConsentTexts{Items: []ConsentText{}}
	for _, t := range texts {
		out.Items = append(out.Items, ConsentText{Version: t.Version, Language: t.Language, Digest: t.Digest, Markdown: t.Markdown})
	}
	return edge.JSON(c.Response(), http.StatusOK, out)
}

// Give is POST /v1/consents.
func (h *Handler) Give(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	key, err := edge.IdempotencyKey(c.Request())
	if err != nil {
		return err
	}
	var q ConsentRequest
	if err := edge.ReadJSON(c.Request(), &q); err != nil {
		return err
	}
	receipt, created, err := h.Service.Give(c.Request().Context(), who, intake.GiveRequest{
		Terms: q.Terms, JWS: q.Confirmation.JWS, Account: q.Confirmation.Account, IdempotencyKey: key,
	})
	if err != nil {
		return fmt.Errorf("consent: %w", err)
	}
	c.Response().Header().Set("Location", "/v1/consents/"+url.PathEscape(receipt.ID))
	return edge.JSON(c.Response(), status(created, http.StatusCreated), h.receipt(receipt))
}

// status is the one for a new object, or 200 where it was there.
func status(created bool, fresh int) int {
	if created {
		return fresh
	}
	return http.StatusOK
}

func (h *Handler) receipt(r intake.Receipt) ConsentAnswer {
	return ConsentAnswer{
		ID: r.ID, State: r.State(h.Now()), Subject: r.Subject, Platform: r.Platform, Purposes: r.Purposes, DataClasses: r.DataClasses,
		From: r.From, Until: r.Until, Text: r.Text, Setting: r.Setting, Confirmed: r.Method, Holder: r.Holder, JWS: r.JWS, Voluntary: r.Voluntary, TermsDigest: r.Terms,
		GivenAt: r.Given, WithdrawnAt: r.Withdrawn,
	}
}

// Consent is GET /v1/consents/{id}.
func (h *Handler) Consent(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	receipt, err := h.Service.Receipt(c.Request().Context(), who.Tenant, param(c, "id"))
	if err != nil {
		return fmt.Errorf("consent: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, h.receipt(receipt))
}

// ListConsents is GET /v1/consents?subject=….
func (h *Handler) ListConsents(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	query, err := edge.Query(c.Request(), "subject", "cursor", "limit")
	if err != nil {
		return err
	}
	limit, err := edge.Limit(query["limit"])
	if err != nil {
		return err
	}
	if query["subject"] == "" { // never a list of all subjects (G14)
		return fmt.Errorf("parameter subject: %w", problem.ErrQuery)
	}
	found, err := h.Service.Receipts(c.Request().Context(), who.Tenant, query["subject"], query["cursor"], limit)
	if err != nil {
		return fmt.Errorf("consents: %w", err)
	}
	page := ConsentPage{Items: []ConsentAnswer{}}
	for _, r := range found {
		page.Items = append(page.Items, h.receipt(r))
	}
	if len(found) == limit {
		page.Next = found[limit-1].ID
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}

// Withdraw is POST /v1/consents/{id}/withdraw.
func (h *Handler) Withdraw(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	receipt, err := h.Service.Withdraw(c.Request().Context(), who, param(c, "id"))
	if err != nil {
		return fmt.Errorf("consent: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, h.receipt(receipt))
}

// Export is GET /v1/subjects/{id}. The header Heartmark-Proof carries the subject's own signature.
func (h *Handler) Export(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	proof, err := single(c.Request(), "Heartmark-Proof")
	if err != nil {
		return err
	}
	e, err := h.Service.Export(c.Request().Context(), who, param(c, "id"), proof)
	if err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	out := SubjectExport{
		Schema: "heartmark-subject/1", Subject: e.Subject, At: e.At, View: view(e.Full), Consents: []ConsentAnswer{},
		Batches: []BatchAnswer{}, Reports: []SubjectReport{},
	}
	if e.Restriction.Kind != "" {
		out.Restriction = &RestrictionAnswer{Kind: e.Restriction.Kind, At: e.Restriction.At}
	}
	for _, r := range e.Receipts {
		out.Consents = append(out.Consents, h.receipt(r))
	}
	for _, b := range e.Batches {
		out.Batches = append(out.Batches, batch(b))
	}
	if err := h.others(c.Request().Context(), who.Tenant, e, &out); err != nil {
		return err
	}
	for _, r := range e.Reports {
		out.Reports = append(out.Reports, SubjectReport{
			ID: r.Report.ID, View: view(r.Full), Consent: r.Consent, Batch: r.Batch, Report: r.Report, Items: r.Items,
		})
	}
	return edge.JSON(c.Response(), http.StatusOK, out)
}

// others adds what other parts keep of the subject. A plan holds figures: it goes with them.
func (h *Handler) others(ctx context.Context, tenant string, e intake.Export, out *SubjectExport) error {
	if h.Practice != nil {
		held, err := h.Practice.Held(ctx, tenant, e.Subject)
		if err != nil {
			return fmt.Errorf("practice: %w", err)
		}
		if !e.Full {
			held.Plan = nil
		}
		if held.Plan != nil || len(held.Completions) > 0 {
			out.Practice = &held
		}
	}
	if h.Cases == nil {
		return nil
	}
	for _, r := range e.Reports {
		cases, err := h.Cases.CasesOf(ctx, tenant, e.Subject, r.Report.ID)
		if err != nil {
			return fmt.Errorf("cases: %w", err)
		}
		out.Cases = append(out.Cases, reviewapi.ForSubject(cases)...)
	}
	return nil
}

func view(full bool) string {
	if full {
		return "full"
	}
	return "platform"
}

// Report is GET /v1/subjects/{id}/reports/{report}: one report for the subject, as JSON, a page or PDF (G10). The header
// Heartmark-Proof is as with Export; without it the report must have the data class report.
func (h *Handler) Report(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	form, err := reportpage.Form(c.Request())
	if err != nil {
		return err
	}
	proof, err := single(c.Request(), "Heartmark-Proof")
	if err != nil {
		return err
	}
	e, err := h.Service.Export(c.Request().Context(), who, param(c, "id"), proof)
	if err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	for _, r := range e.Reports {
		if r.Report.ID != param(c, "report") {
			continue
		}
		if form != reportpage.JSON {
			return h.Pages.Answer(c.Response(), c.Request(), form, r.Report, r.Full)
		}
		return edge.JSON(c.Response(), http.StatusOK, SubjectReport{
			ID: r.Report.ID, View: view(r.Full), Consent: r.Consent, Batch: r.Batch, Report: r.Report, Items: r.Items,
		})
	}
	return fmt.Errorf("report: %w", problem.ErrNotFound)
}

// Erase is DELETE /v1/subjects/{id}.
func (h *Handler) Erase(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	e, err := h.Service.Erase(c.Request().Context(), who, param(c, "id"))
	if err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, ErasureAnswer{ErasedAt: e.At, Consents: e.Receipts, Batches: e.Batches, Reports: e.Reports})
}

// Restrict is PUT /v1/subjects/{id}/restriction.
func (h *Handler) Restrict(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	var q RestrictionRequest
	if err := edge.ReadJSON(c.Request(), &q); err != nil {
		return err
	}
	r, err := h.Service.Restrict(c.Request().Context(), who, param(c, "id"), q.Kind)
	if err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, RestrictionAnswer{Kind: r.Kind, At: r.At})
}

// Correct is DELETE /v1/subjects/{id}/events/{event}.
func (h *Handler) Correct(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	done, err := h.Service.Correct(c.Request().Context(), who, param(c, "id"), param(c, "event"))
	if err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, CorrectionAnswer{Reports: done.Reports, Items: done.Items, Quotes: done.Quotes})
}

// Scoring is GET /v1/scoring.
func (h *Handler) Scoring(c echo.Context) error {
	if _, err := h.caller(c.Request()); err != nil {
		return err
	}
	control, err := h.Service.Control(c.Request().Context())
	if err != nil {
		return err
	}
	return edge.JSON(c.Response(), http.StatusOK, scoring(control))
}

// SetScoring is PUT /v1/scoring: the kill switch.
func (h *Handler) SetScoring(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	var q ScoringRequest
	if err := edge.ReadJSON(c.Request(), &q); err != nil {
		return err
	}
	const longest = 500
	if len(q.Reason) > longest {
		return fmt.Errorf("reason: %w", problem.ErrTooLarge)
	}
	control, err := h.Service.SetControl(c.Request().Context(), who, intake.Control{Stopped: q.Stopped, Accept: q.Accept, Reason: q.Reason})
	if err != nil {
		return err
	}
	return edge.JSON(c.Response(), http.StatusOK, scoring(control))
}

func scoring(c intake.Control) ScoringAnswer {
	return ScoringAnswer{Stopped: c.Stopped, Accept: c.Accept, Reason: c.Reason, By: c.By, At: c.At}
}

// single returns a header that must not occur twice: two readers would read it apart.
func single(r *http.Request, name string) (string, error) {
	values := r.Header.Values(name)
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", fmt.Errorf("header %s twice: %w", name, problem.ErrQuery)
}

// patience is how long a client should wait before it asks again.
func patience(err error) error {
	switch {
	case errors.Is(err, intake.ErrQuota), errors.Is(err, intake.ErrStopped):
		return problem.RetryAfter(err, time.Minute)
	case errors.Is(err, intake.ErrBusy):
		return problem.RetryAfter(err, 10*time.Second)
	}
	return err
}
