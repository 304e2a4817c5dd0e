package liveapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/assessment/live"
	"heartmark/schemas"

	"github.com/coder/websocket"
	"github.com/labstack/echo/v4"
)

// Handler serves the routes of this package. Service is nil where the classifier is not available.
type Handler struct {
	Service  *live.Service
	Problems *problem.Catalog
}

const (
	maxMessages = 500
	maxFrame    = 256 << 10
	// ping is how often an idle connection is written to, so that proxies keep it.
	ping = 15 * time.Second
	// writing bounds one frame of a socket to a reader that does not read.
	writing = 10 * time.Second
)

func (h *Handler) caller(r *http.Request) (live.Caller, error) {
	who, err := edge.CallerOf(r.Context())
	if err != nil {
		return live.Caller{}, err
	}
	if h.Service == nil {
		return live.Caller{}, fmt.Errorf("no classifier: %w", problem.ErrUnavailable)
	}
	return live.Caller{Tenant: who.Tenant, Actor: who.KeyID}, nil
}

func (h *Handler) feed(c echo.Context) (*live.Feed, error) {
	who, err := h.caller(c.Request())
	if err != nil {
		return nil, err
	}
	return h.Service.Feed(who.Tenant, edge.Param(c.Request(), c.Param("id")))
}

// Open is POST /v1/live/feeds.
func (h *Handler) Open(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	var settings live.Settings
	if err := edge.ReadJSON(c.Request(), &settings); err != nil {
		return err
	}
	f, err := h.Service.Open(c.Request().Context(), who, settings)
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	c.Response().Header().Set("Location", "/v1/live/feeds/"+url.PathEscape(f.ID))
	return edge.JSON(c.Response(), http.StatusCreated, FeedAnswer{ID: f.ID, Settings: f.Settings})
}

// Close is DELETE /v1/live/feeds/{id}.
func (h *Handler) Close(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	h.Service.Close(who.Tenant, edge.Param(c.Request(), c.Param("id")))
	return c.NoContent(http.StatusNoContent)
}

// Add is POST /v1/live/feeds/{id}/messages.
func (h *Handler) Add(c echo.Context) error {
	f, err := h.feed(c)
	if err != nil {
		return err
	}
	var q MessagesRequest
	if err := edge.ReadJSON(c.Request(), &q); err != nil {
		return err
	}
	added, err := add(c.Request().Context(), f, q)
	if err != nil {
		return err
	}
	return edge.JSON(c.Response(), http.StatusAccepted, added)
}

func add(ctx context.Context, f *live.Feed, q MessagesRequest) (live.Added, error) {
	if len(q.Messages) < 1 || len(q.Messages) > maxMessages {
		return live.Added{}, &schemas.FieldError{Pointer: "/messages", Expected: fmt.Sprintf("1 to %d messages", maxMessages), Err: schemas.ErrMalformed}
	}
	added, err := f.Add(ctx, q.Messages)
	if errors.Is(err, live.ErrBusy) {
		err = problem.RetryAfter(err, 2*time.Second)
	}
	if err != nil {
		return added, fmt.Errorf("feed: %w", err)
	}
	return added, nil
}

// Events is GET /v1/live/feeds/{id}/events: server-sent events. Last-Event-ID goes on after an update.
func (h *Handler) Events(c echo.Context) error {
	f, err := h.feed(c)
	if err != nil {
		return err
	}
	after := uint64(0)
	if last := c.Request().Header.Get("Last-Event-ID"); last != "" {
		if after, err = strconv.ParseUint(last, 10, 64); err != nil {
			return fmt.Errorf("header Last-Event-ID: %w", problem.ErrQuery)
		}
	}
	past, next, stop, err := f.Follow(after)
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	defer stop()
	out := edge.NewStream(c.Response())
	if err := out.Write(": here\n\n"); err != nil {
		return nil //nolint:nilerr // the reader is gone, and the answer has begun
	}
	for _, u := range past {
		if event(out, u) != nil {
			return nil
		}
	}
	ticker := time.NewTicker(ping)
	defer ticker.Stop()
	for {
		select {
		case <-c.Request().Context().Done():
			return nil
		case u, ok := <-next:
			if !ok || event(out, u) != nil {
				return nil
			}
		case <-ticker.C:
			if out.Write(": here\n\n") != nil {
				return nil
			}
		}
	}
}

// event writes one update; its name is window or alert.
func event(out edge.Stream, u live.Update) error {
	data, err := json.Marshal(u)
	if err != nil {
		return err
	}
	name := "window"
	if u.Alert != nil {
		name = "alert"
	}
	return out.Write(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", u.Number, name, data))
}

// Socket is GET /v1/live/feeds/{id}/socket: messages in, what became of them and updates out.
func (h *Handler) Socket(c echo.Context) error {
	f, err := h.feed(c)
	if err != nil {
		return err
	}
	past, next, stop, err := f.Follow(0)
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	defer stop()
	conn, ctx, done, err := accept(c)
	if err != nil {
		return nil //nolint:nilerr // Accept has answered
	}
	defer done()
	frames := make(chan FeedFrame)
	go h.readFeed(ctx, done, conn, f, frames, edge.Language(c.Request()))
	for _, u := range past {
		if send(ctx, conn, FeedFrame{Update: &u}) != nil {
			return nil
		}
	}
	for {
		var frame FeedFrame
		select {
		case <-ctx.Done():
			return nil
		case frame = <-frames:
		case u, ok := <-next:
			if !ok {
				_ = conn.Close(websocket.StatusGoingAway, "the feed has ended, or this reader did not keep up")
				return nil
			}
			frame.Update = &u
		}
		if send(ctx, conn, frame) != nil {
			return nil
		}
	}
}

// readFeed hands in messages until the client ends. The next one is read when the last was taken: a client that sends faster than
// can be scored waits.
func (h *Handler) readFeed(ctx context.Context, done func(), conn *websocket.Conn, f *live.Feed, out chan<- FeedFrame, lang string) {
	defer done()
	for {
		var q MessagesRequest
		frame := FeedFrame{}
		err := receive(ctx, conn, &q)
		if err != nil && !errors.Is(err, schemas.ErrMalformed) {
			return
		}
		if err == nil {
			var added live.Added
			added, err = add(ctx, f, q)
			frame.Added = &added
		}
		if err != nil {
			document := h.Problems.Document(err, lang, "")
			frame = FeedFrame{Error: &document}
		}
		select {
		case out <- frame:
		case <-ctx.Done():
			return
		}
	}
}

// Practice is GET /v1/live/practice: a line in, a reading of it out, for the person who writes and under their receipt.
func (h *Handler) Practice(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	query, err := edge.Query(c.Request(), "consent", "lang")
	if err != nil {
		return err
	}
	if query["consent"] == "" {
		return fmt.Errorf("parameter consent: %w", problem.ErrQuery)
	}
	lang := edge.Language(c.Request())
	conn, ctx, done, err := accept(c)
	if err != nil {
		return nil //nolint:nilerr // Accept has answered
	}
	defer done()
	for {
		var l PracticeLine
		err := receive(ctx, conn, &l)
		if err != nil && !errors.Is(err, schemas.ErrMalformed) {
			return nil
		}
		frame := PracticeFrame{Seq: l.Seq}
		if err == nil {
			var r live.Reading
			if r, err = h.Service.Practise(ctx, who.Tenant, query["consent"], live.Line{Text: l.Text, Context: l.Context}); err == nil {
				frame.Signals, frame.Hints = r.Signals, hints(r, lang)
			}
		}
		if err != nil {
			document := h.Problems.Document(err, lang, "")
			frame.Error = &document
		}
		if send(ctx, conn, frame) != nil {
			return nil
		}
		if errors.Is(err, live.ErrConsent) {
			_ = conn.Close(websocket.StatusPolicyViolation, "no live consent")
			return nil
		}
	}
}

func hints(r live.Reading, lang string) []PracticeHint {
	words := live.Hints()
	out := []PracticeHint{}
	for _, code := range r.Hints {
		text := words[code].EN
		if lang == schemas.LanguageChinese {
			text = words[code].ZH
		}
		out = append(out, PracticeHint{Code: code, Text: text})
	}
	return out
}

// accept makes a request a socket. A browser's page of another origin is refused. done closes it and ends ctx.
func accept(c echo.Context) (*websocket.Conn, context.Context, func(), error) {
	conn, err := websocket.Accept(c.Response(), c.Request(), nil)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("websocket: %w", err)
	}
	conn.SetReadLimit(maxFrame)
	ctx, cancel := context.WithCancel(c.Request().Context())
	return conn, ctx, func() { cancel(); _ = conn.CloseNow() }, nil
}

// receive reads one JSON frame. A frame that is no such JSON is schemas.ErrMalformed; anything else ends the socket.
func receive(ctx context.Context, conn *websocket.Conn, v any) error {
	kind, data, err := conn.Read(ctx)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if kind != websocket.MessageText {
		return &schemas.FieldError{Expected: "a text frame", Err: schemas.ErrMalformed}
	}
	if err := schemas.Decode(data, v); err != nil {
		if _, ok := errors.AsType[*schemas.FieldError](err); ok || errors.Is(err, schemas.ErrMalformed) {
			return err
		}
		return &schemas.FieldError{Expected: "JSON", Err: fmt.Errorf("%w: %w", schemas.ErrMalformed, err)}
	}
	return nil
}

func send(ctx context.Context, conn *websocket.Conn, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writing)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, data)
}
