package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"heartmark/api/assessmentapi"
	"heartmark/api/edge"
	"heartmark/api/intakeapi"
	"heartmark/api/issuerapi"
	"heartmark/api/keysapi"
	"heartmark/api/liveapi"
	"heartmark/api/policyapi"
	"heartmark/api/presentationapi"
	"heartmark/api/problem"
	"heartmark/api/registryapi"
	"heartmark/api/reportpage"
	"heartmark/api/reviewapi"
	"heartmark/api/trainingapi"
	"heartmark/api/ui"
	"heartmark/api/verifierapi"
	"heartmark/api/webhookapi"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// server holds what the routes need.
type server struct {
	c           Config
	problems    *problem.Catalog
	pages       *ui.Pages
	issuing     *issuerapi.Handler
	verifying   *verifierapi.Handler
	registering *registryapi.Handler
	assessments *assessmentapi.Handler
	intake      *intakeapi.Handler
	presenting  *presentationapi.Handler
	policies    *policyapi.Handler
	review      *reviewapi.Handler
	live        *liveapi.Handler
	limits      *limiter
	webhooks    *webhookapi.Handler
	training    *trainingapi.Handler
	keys        *keysapi.Handler
	metrics     metrics
	contract    contract
	dialects    map[string]Dialect // by route path, for answers outside a handler
}

// New checks c and returns the handler of the public listener. It reads nothing and starts nothing.
func New(c Config) (http.Handler, error) {
	s, err := newServer(c)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	return s.router(), nil
}

func newServer(c Config) (*server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &server{c: c, limits: newLimiter(c.RateFactor, c.Now), dialects: map[string]Dialect{}}
	var err error
	if s.problems, err = problem.New(c.Origin); err != nil {
		return nil, err
	}
	if s.contract, err = loadContract(); err != nil {
		return nil, err
	}
	if s.pages, err = ui.New(ui.Config{
		Origin: c.Origin, DID: c.DID, Dev: c.Dev, Problems: s.problems, Verifier: c.Verifier, Asker: c.Presentations,
		Registry: overview{registry: c.Registry, log: c.TransLog, groups: c.Groups, did: c.DID, now: c.Now}, Practice: c.Practice, Now: c.Now,
		Contract: s.contract.json,
	}); err != nil {
		return nil, err
	}
	if s.assessments, err = assessmentapi.New(assessmentapi.Config{
		Assessor: c.Assessor, Reports: c.Reports, Now: c.Now, SaltKey: c.SaltKey, AtOnce: c.AtOnce, Heads: c.Heads,
	}); err != nil {
		return nil, err
	}
	pages, err := reportpage.New()
	if err != nil {
		return nil, err
	}
	s.intake = &intakeapi.Handler{Service: c.Intake, Pages: pages, Origin: c.Origin, Now: c.Now}
	if held, ok := c.Trainer.(intakeapi.Practice); ok {
		s.intake.Practice = held
	}
	if c.Review != nil {
		s.intake.Cases = c.Review
	}
	s.live = &liveapi.Handler{Service: c.Live, Problems: s.problems}
	s.review = &reviewapi.Handler{Service: c.Review}
	s.issuing = &issuerapi.Handler{
		Origin: c.Origin, Issuer: c.Issuer, Status: c.Issuer, Offers: c.Wallets, Wallets: c.Wallets, Holders: c.Wallets, Pages: s.pages,
		Metadata: c.Wallets,
	}
	s.keys = &keysapi.Handler{Store: c.KeyStore, Now: c.Now}
	s.verifying = &verifierapi.Handler{
		Verifier: c.Verifier, Words: s.pages.CheckText, Statements: c.Statements, Problems: s.problems, Now: c.Now,
	}
	s.policies = &policyapi.Handler{Policies: c.Policies}
	s.presenting = presentationapi.New(c.Presentations, s.pages.CheckText)
	s.webhooks = &webhookapi.Handler{Service: c.Webhooks, Cursors: edge.Cursors{Key: c.CursorKey}}
	s.registering = registryapi.New(registryapi.Config{
		Origin: c.Origin, DID: c.DID, Publications: c.Registry, Authorities: c.Registry, Writer: c.Registry, Federation: c.Registry,
		Metadata: c.Wallets, Resolver: c.Resolver, Log: c.TransLog, Events: c.Registry, Stopping: c.Stopping, Cursors: edge.Cursors{Key: c.CursorKey},
	})
	if s.training, err = trainingapi.New(trainingapi.Config{Trainer: c.Trainer, Library: c.Library, Reports: c.Reports}); err != nil {
		return nil, err
	}
	if s.metrics, err = newMetrics(c.Metrics); err != nil {
		return nil, err
	}
	return s, nil
}

// router builds the router from the table.
func (s *server) router() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = s.extractor()
	e.HTTPErrorHandler = s.answerError
	// Outermost first: whatever panics below is caught, counted and logged under the request's id.
	e.Use(s.identify, s.observe, s.guard)
	methods := map[string][]string{}
	for _, route := range s.routes() {
		e.Add(route.Method, route.Path, s.wrap(route))
		s.dialects[route.Path] = route.Dialect
		if route.CORS {
			methods[route.Path] = append(methods[route.Path], route.Method)
		}
	}
	for path, allowed := range methods {
		e.OPTIONS(path, preflight(allowed))
	}
	return e
}

// wrap puts the rules of the table around a handler, in the order in which they cost.
func (s *server) wrap(route Route) echo.HandlerFunc {
	handler := route.handler
	if route.Replay {
		handler = s.idempotent(route, handler)
	}
	return func(c echo.Context) error {
		s.headers(c.Response().Header(), route)
		if err := s.admit(c, route); err != nil {
			return err
		}
		done, err := bound(c, route)
		if err != nil {
			return err
		}
		defer done()
		return handler(c)
	}
}

// admit counts the request and lets the caller in.
func (s *server) admit(c echo.Context, route Route) error {
	address := callerNet(c.RealIP())
	if route.Access != WithKey && route.Access != OptionalKey {
		return s.limits.take(route.Rate, address, false)
	}
	// Guessing keys is stopped before the next guess is looked at.
	if s.limits.spent(RateRefused, address) {
		return problem.RetryAfter(problem.ErrRate, 5*time.Second)
	}
	who, given, err := s.caller(c.Request())
	switch {
	case err != nil && errors.Is(err, problem.ErrUnauthenticated):
		if limited := s.limits.take(RateRefused, address, false); limited != nil {
			return limited
		}
		return problem.Challenge(err, `Bearer realm="heartmark", error="invalid_token"`)
	case err != nil:
		return err
	case !given && route.Access == WithKey:
		return problem.Challenge(problem.ErrUnauthenticated, `Bearer realm="heartmark"`)
	case !given:
		return s.limits.take(route.Rate, address, false)
	case !who.Has(route.Scope):
		return problem.Challenge(problem.ErrForbidden, `Bearer realm="heartmark", error="insufficient_scope", scope="`+string(route.Scope)+`"`)
	}
	c.Set(callerKeyID, who.KeyID)
	c.SetRequest(c.Request().WithContext(edge.WithCaller(c.Request().Context(), who)))
	return s.limits.takeKey(route.Rate, who.KeyID, who.PerSecond)
}

// callerKeyID is where the request's log event finds the id of the API key.
const callerKeyID = "heartmark.key"

// answerError is the one place where an error becomes an answer.
func (s *server) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	r := c.Request()
	err = routerError(err)
	id := requestID(c)
	dialect, known := s.dialects[c.Path()]
	if !known {
		dialect = Problems
		if wantsPage(r) {
			dialect = Pages
		}
	}
	var status int
	switch dialect {
	case OAuth:
		status = s.problems.WriteOAuth(c.Response(), err)
	case Pages:
		c.Response().Header().Set("Content-Security-Policy", pagePolicy)
		status = s.pages.Error(c.Response(), r, err, id)
	case Problems:
		status = s.problems.Write(c.Response(), err, edge.Language(r), id)
	}
	if status >= http.StatusInternalServerError {
		s.c.Logger.ErrorContext(r.Context(), "request failed", slog.String("request_id", id), slog.String("route", c.Path()), slog.Any("error", err))
	}
}

// routerError turns the router's own errors into ours.
func routerError(err error) error {
	known, ok := errors.AsType[*echo.HTTPError](err)
	if !ok {
		return err
	}
	switch known.Code {
	case http.StatusNotFound:
		return fmt.Errorf("route: %w", problem.ErrNotFound)
	case http.StatusMethodNotAllowed:
		return fmt.Errorf("route: %w", problem.ErrMethod)
	}
	return err
}

// wantsPage tells a person's browser from a program.
func wantsPage(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") &&
		!slices.ContainsFunc([]string{"/v1/", "/registry/v1/", "/trqp/", "/oid4vci/"}, func(p string) bool { return strings.HasPrefix(r.URL.Path, p) })
}

// metrics are what is counted of requests.
type metrics struct {
	seconds  *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (metrics, error) {
	m := metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "heartmark_http_request_seconds", Help: "Time to answer a request, by route of the table and class of status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300},
		}, []string{"method", "route", "class"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "heartmark_http_requests_in_flight", Help: "Requests that are being answered.",
		}),
	}
	if err := errors.Join(r.Register(m.seconds), r.Register(m.inFlight)); err != nil {
		return metrics{}, fmt.Errorf("metrics: %w", err)
	}
	return m, nil
}
