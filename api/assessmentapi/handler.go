package assessmentapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/api/reportpage"
	"heartmark/assessment"
	"heartmark/assessment/evidence"

	"github.com/labstack/echo/v4"
)

// Assessor scores a batch; *assessment.Assessor is one.
type Assessor interface {
	Assess(ctx context.Context, b evidence.Batch) ([]assessment.Report, error)
}

// Reports keeps reports; an assessment.Store is one.
type Reports interface {
	SaveReport(ctx context.Context, tenant string, r assessment.Report) error
	Report(ctx context.Context, tenant, id string) (assessment.Report, error)
	Reports(ctx context.Context, tenant, cursor string, limit int) (ids []string, err error)
	Erase(ctx context.Context, tenant, id string) error
}

// Config is what New needs.
type Config struct {
	// Assessor may be nil where the classifier is not available: then submitting answers 503.
	Assessor Assessor
	Reports  Reports
	Now      func() time.Time
	// SaltKey, a secret of the installation, makes a submission that is repeated the same report. Empty makes it a new one.
	SaltKey []byte
	// Heads are the operator's own heads by name. nil where the classifier is not available: then labelling answers 503.
	Heads map[string]Labeller
	// AtOnce is how many submissions are scored at once; 0 reads 2. More are answered 503 with Retry-After.
	AtOnce int
}

// Handler serves the routes of this package.
type Handler struct {
	c     Config
	pages *reportpage.Renderer
	slots chan struct{} // one token for each submission that is being scored
	calls chan struct{} // one token for each call of a head
}

// New returns a Handler, or an error that names what is missing.
func New(c Config) (*Handler, error) {
	if c.Reports == nil || c.Now == nil {
		return nil, errors.New("assessment routes: a field of the configuration is missing")
	}
	if c.AtOnce <= 0 {
		c.AtOnce = 2
	}
	pages, err := reportpage.New()
	if err != nil {
		return nil, err
	}
	return &Handler{c: c, pages: pages, slots: make(chan struct{}, c.AtOnce), calls: make(chan struct{}, headCalls)}, nil
}

// MediaTypes are the media types of evidence. The parameter format says what is inside.
func MediaTypes() []string {
	return []string{"application/jsonl", "application/x-ndjson", "application/json", "text/csv", "text/plain"}
}

// viewFull is the view of one who may read scores and quotes.
const viewFull = "full"

// purposeReport is the purpose of a consent that lets a platform read the whole report.
const purposeReport = "report"

// Submit is POST /v1/assessments.
func (h *Handler) Submit(c echo.Context) error {
	r := c.Request()
	who, err := edge.CallerOf(r.Context())
	if err != nil {
		return err
	}
	options, err := h.options(r)
	if err != nil {
		return err
	}
	mediaType, err := edge.MediaType(r)
	if err != nil {
		return err
	}
	if !slices.Contains(MediaTypes(), mediaType) {
		return fmt.Errorf("content type %q: %w", mediaType, problem.ErrMediaType)
	}
	if h.c.Assessor == nil {
		return fmt.Errorf("no classifier: %w", problem.ErrUnavailable)
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		return problem.RetryAfter(problem.ErrBusy, 10*time.Second)
	}
	batch, issues, err := evidence.Read(r.Body, options)
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return fmt.Errorf("%w: %w", problem.ErrTooLarge, err)
		}
		return fmt.Errorf("evidence: %w", err)
	}
	reports, err := h.c.Assessor.Assess(r.Context(), batch)
	if err != nil {
		return fmt.Errorf("assess: %w", err)
	}
	answer := AssessmentAnswer{Reports: make([]ReportAnswer, 0, len(reports))}
	for _, report := range reports {
		// The same batch under the same model gives the same report and id: a retry stores nothing twice.
		if err := h.c.Reports.SaveReport(r.Context(), who.Tenant, report); err != nil {
			return fmt.Errorf("store report: %w", err)
		}
		answer.Reports = append(answer.Reports, view(report))
	}
	if issues.Total > 0 {
		answer.Issues = &IssueList{Total: issues.Total, Lines: issues.Lines, Items: issues.List}
	}
	if len(reports) == 1 {
		c.Response().Header().Set("Location", "/v1/assessments/"+url.PathEscape(reports[0].ID))
	}
	return edge.JSON(c.Response(), http.StatusCreated, answer)
}

// options reads the parameters of a submission.
func (h *Handler) options(r *http.Request) (evidence.Options, error) {
	query, err := edge.Query(r, "format", "subject", "consent", "on_error", "platform", "dates")
	if err != nil {
		return evidence.Options{}, err
	}
	const longest = 256
	for name, value := range query {
		if len(value) > longest {
			return evidence.Options{}, fmt.Errorf("parameter %q is too long: %w", name, problem.ErrQuery)
		}
	}
	o := evidence.Options{
		Format: query["format"], Subject: query["subject"], OnError: query["on_error"], Platform: query["platform"],
		DayFirst: query["dates"], SaltKey: h.c.SaltKey, Now: h.c.Now,
	}
	if query["consent"] != "" {
		o.Consent = strings.Split(query["consent"], ",")
	}
	if (o.Subject == "") != (len(o.Consent) == 0) {
		return evidence.Options{}, fmt.Errorf("subject and consent come together: %w", problem.ErrQuery)
	}
	return o, nil
}

// view is what a platform may read of a report.
func view(r assessment.Report) ReportAnswer {
	if slices.Contains(r.Provenance.Purposes, purposeReport) {
		return ReportAnswer{ID: r.ID, View: viewFull, Report: r}
	}
	return ReportAnswer{ID: r.ID, View: "platform", Report: r.PlatformView()}
}

// Get is GET /v1/assessments/{id}: JSON, or the whole report as a page or PDF where the Accept header asks for it.
func (h *Handler) Get(c echo.Context) error {
	who, err := edge.CallerOf(c.Request().Context())
	if err != nil {
		return err
	}
	form, err := reportpage.Form(c.Request())
	if err != nil {
		return err
	}
	r, err := h.c.Reports.Report(c.Request().Context(), who.Tenant, edge.Param(c.Request(), c.Param("id")))
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	answer := view(r)
	if form != reportpage.JSON {
		return h.pages.Answer(c.Response(), c.Request(), form, answer.Report, answer.View == viewFull)
	}
	return edge.JSON(c.Response(), http.StatusOK, answer)
}

// List is GET /v1/assessments: ids only.
func (h *Handler) List(c echo.Context) error {
	who, err := edge.CallerOf(c.Request().Context())
	if err != nil {
		return err
	}
	query, err := edge.Query(c.Request(), "cursor", "limit")
	if err != nil {
		return err
	}
	limit, err := edge.Limit(query["limit"])
	if err != nil {
		return err
	}
	ids, err := h.c.Reports.Reports(c.Request().Context(), who.Tenant, query["cursor"], limit)
	if err != nil {
		return fmt.Errorf("reports: %w", err)
	}
	page := ReportPage{Items: append([]string{}, ids...)}
	if len(ids) == limit {
		page.Next = ids[limit-1]
	}
	return edge.JSON(c.Response(), http.StatusOK, page)
}

// Erase is DELETE /v1/assessments/{id}. Erasing what is not there succeeds.
func (h *Handler) Erase(c echo.Context) error {
	who, err := edge.CallerOf(c.Request().Context())
	if err != nil {
		return err
	}
	if err := h.c.Reports.Erase(c.Request().Context(), who.Tenant, edge.Param(c.Request(), c.Param("id"))); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	return c.NoContent(http.StatusNoContent)
}

var (
	_ Assessor = (*assessment.Assessor)(nil)
	_ Reports  = assessment.Store(nil)
)
