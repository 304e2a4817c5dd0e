package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"heartmark/api/problem"

	"github.com/labstack/echo/v4"
)

const requestIDHeader = "X-Request-ID"

// identify gives the request its id: the caller's own where that is short and plain, else a new one.
func (s *server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(requestIDHeader)
		if !plainID(id) {
			id = s.c.NewID()
		}
		c.Response().Header().Set(requestIDHeader, id)
		s.commonHeaders(c.Response().Header())
		return next(c)
	}
}

// plainID keeps what a stranger sends from breaking a log line or a header.
func plainID(id string) bool {
	const longest = 64
	return id != "" && len(id) <= longest && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
}

func requestID(c echo.Context) string { return c.Response().Header().Get(requestIDHeader) }

// observe writes one log event a request and measures it. Neither holds the address that was asked for: only the route of
// the table, so that no look-up can be read out of them.
func (s *server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := s.c.Now()
		s.metrics.inFlight.Inc()
		defer s.metrics.inFlight.Dec()
		if err := next(c); err != nil {
			c.Error(err) // so that the status is known here
		}
		took := s.c.Now().Sub(start)
		r := c.Request()
		route := c.Path()
		if _, ok := s.dialects[route]; !ok {
			route = "unmatched"
		}
		method := r.Method
		if !knownMethod(method) {
			method = "other"
		}
		status := c.Response().Status
		s.metrics.seconds.WithLabelValues(method, route, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
		attributes := []slog.Attr{
			slog.String("method", method), slog.String("route", route), slog.Int("status", status),
			slog.Int64("bytes", c.Response().Size), slog.Duration("took", took), slog.String("request_id", requestID(c)),
			slog.String("client_net", shortNet(c.RealIP())),
		}
		if key, ok := c.Get(callerKeyID).(string); ok {
			attributes = append(attributes, slog.String("key_id", key))
		}
		s.c.Logger.LogAttrs(r.Context(), slog.LevelInfo, "request", attributes...)
		return nil
	}
}

func knownMethod(m string) bool {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch:
		return true
	}
	return false
}

// guard turns a panic into an error without details. The log gets where it happened, not the value, which may hold input.
func (s *server) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if aborted, ok := v.(error); ok && errors.Is(aborted, http.ErrAbortHandler) {
				panic(v)
			}
			s.c.Logger.ErrorContext(c.Request().Context(), "handler panicked", slog.String("route", c.Path()),
				slog.String("request_id", requestID(c)), slog.String("kind", fmt.Sprintf("%T", v)), slog.String("stack", string(debug.Stack())))
			err = errors.New("handler panicked")
		}()
		return next(c)
	}
}

// writeGrace is how long an answer may take to go out after the work's time has ended.
const writeGrace = 10 * time.Second

// bound caps the body and the time of a request.
func bound(c echo.Context, route Route) (done func(), err error) {
	r := c.Request()
	switch {
	case route.Body > 0 && r.ContentLength > route.Body:
		return nil, fmt.Errorf("body of %d bytes: %w", r.ContentLength, problem.ErrTooLarge)
	case route.Body == 0 && r.ContentLength > 0:
		return nil, fmt.Errorf("a body where none is read: %w", problem.ErrTooLarge)
	}
	ctx, cancel := context.WithTimeout(r.Context(), route.Time)
	r = r.WithContext(ctx)
	// The connection gets the route's time too: a body that trickles in and a reader that does not read end with it. Where
	// there is no connection (in tests), the context alone bounds the work.
	if deadline, ok := ctx.Deadline(); ok {
		control := http.NewResponseController(c.Response())
		_ = control.SetReadDeadline(deadline)
		_ = control.SetWriteDeadline(deadline.Add(writeGrace))
	}
	r.Body = http.MaxBytesReader(c.Response(), r.Body, route.Body)
	c.SetRequest(r)
	return cancel, nil
}

// The content security policies: pages may use this origin's own files; everything else may do nothing at all.
const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	dataPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
)

// headers sets what every answer of a route carries. Handlers of shared routes set their own Cache-Control.
func (s *server) headers(h http.Header, route Route) {
	if route.Dialect == Pages {
		h.Set("Content-Security-Policy", pagePolicy)
	}
	switch route.Cache {
	case Private:
		h.Set("Cache-Control", "private, no-cache")
	case NoStore, Shared:
		h.Set("Cache-Control", "no-store")
	}
	if route.CORS {
		crossOrigin(h)
	}
}

func (s *server) commonHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Content-Security-Policy", dataPolicy)
	if strings.HasPrefix(s.c.Origin, "https:") {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// crossOrigin lets any page read the answer; never with credentials.
func crossOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "DPoP-Nonce, OAuth-Client-Attestation-Challenge, WWW-Authenticate, Location, ETag, Retry-After, X-Request-ID")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// preflight answers a browser that asks before it sends.
func preflight(methods []string) echo.HandlerFunc {
	allowed := strings.Join(methods, ", ")
	return func(c echo.Context) error {
		h := c.Response().Header()
		crossOrigin(h)
		h.Set("Access-Control-Allow-Methods", allowed)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP, OAuth-Client-Attestation, OAuth-Client-Attestation-PoP, Accept-Language, X-Request-ID")
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(time.Hour.Seconds())))
		h.Set("Allow", allowed+", OPTIONS")
		return c.NoContent(http.StatusNoContent)
	}
}

// extractor finds the client's address: the peer's own, or what trusted proxies say of theirs. A header that a stranger
// sets is never believed.
func (s *server) extractor() echo.IPExtractor {
	if len(s.c.TrustedProxies) == 0 {
		return echo.ExtractIPDirect()
	}
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range s.c.TrustedProxies {
		options = append(options, echo.TrustIPRange(ipNet(p)))
	}
	return echo.ExtractIPFromXFFHeader(options...)
}

func ipNet(p netip.Prefix) *net.IPNet {
	p = p.Masked()
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
