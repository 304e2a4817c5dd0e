package presentationapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/verifier/oid4vp"

	"github.com/labstack/echo/v4"
)

// maxWaiting bounds the streams that one process keeps open.
const maxWaiting = 1000

// quiet is how long a stream says nothing before a comment keeps it alive through proxies.
const quiet = 15 * time.Second

// places is a counting semaphore that refuses instead of waiting.
type places chan struct{}

// Events is GET /v1/presentations/requests/{id}/events: server-sent events, each with the state that the session has reached.
// They tell no result, so the transaction id is enough, which a browser's EventSource can send.
func (h *Handler) Events(c echo.Context) error { return h.stream(c, c.Param("id")) }

// EventsByCookie is Events for the page, whose browser keeps the transaction id in a cookie of that name.
func (h *Handler) EventsByCookie(name string) echo.HandlerFunc {
	return func(c echo.Context) error {
		cookie, err := c.Cookie(name)
		if err != nil {
			return fmt.Errorf("events: %w", problem.ErrNotFound)
		}
		return h.stream(c, cookie.Value)
	}
}

func (h *Handler) stream(c echo.Context, transactionID string) error {
	if err := h.ready(); err != nil {
		return err
	}
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return problem.RetryAfter(problem.ErrBusy, 5*time.Second)
	}
	ctx := c.Request().Context()
	state, err := h.Sessions.Wait(ctx, transactionID, "")
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	out := edge.NewStream(c.Response())
	for {
		if err := out.Write(fmt.Sprintf("event: state\ndata: {\"state\":%q}\n\n", state)); err != nil {
			return nil //nolint:nilerr // the reader has gone; there is nobody left to tell
		}
		if state.Final() || state == oid4vp.StateReceived {
			return nil
		}
		next, done := h.next(ctx, out, transactionID, state)
		if done {
			return nil
		}
		state = next
	}
}

// next waits for another state and says something now and then. done says that the stream is over.
func (h *Handler) next(ctx context.Context, out edge.Stream, transactionID string, last oid4vp.State) (state oid4vp.State, done bool) {
	for {
		waiting, cancel := context.WithTimeout(ctx, quiet)
		state, err := h.Sessions.Wait(waiting, transactionID, last)
		cancel()
		switch {
		case err == nil:
			return state, false
		case !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
			return last, true
		}
		if err := out.Write(": waiting\n\n"); err != nil {
			return last, true
		}
	}
}
