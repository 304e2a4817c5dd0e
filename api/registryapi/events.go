package registryapi

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/registry"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Events are what the registry states, as it comes; *registry.Registry has them.
type Events interface {
	Events(ctx context.Context, first uint64, limit int) (page []registry.Event, next uint64, err error)
}

const (
	// eventPoll is how often a stream looks for what is new, eventBeat how often it says that it lives.
	eventPoll = time.Second
	eventBeat = 15 * time.Second
	// maxStreams bounds the streams that are open at once.
	maxStreams = 256
)

// EventList is GET /registry/v1/events: what changed, as a page, or as a stream (Server-Sent Events) to who accepts
// text/event-stream. A stream goes on where the header Last-Event-ID says, or the query's after; else it begins now.
func (h *Handler) EventList(c echo.Context) error {
	c.Response().Header().Add("Vary", "Accept")
	if mentions(strings.ToLower(strings.Join(c.Request().Header.Values("Accept"), ",")), "text/event-stream") {
		return h.eventStream(c)
	}
	_, after, limit, err := h.page(c, "events")
	if err != nil {
		return err
	}
	first := uint64(0)
	if after != "" {
		if first, err = strconv.ParseUint(after, 10, 63); err != nil {
			return fmt.Errorf("cursor: %w: %w", problem.ErrQuery, err)
		}
	}
	found, next, err := h.Events.Events(c.Request().Context(), first, limit)
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	items := make([]EventRecord, 0, len(found))
	for _, e := range found {
		items = append(items, eventRecord(e))
	}
	more := ""
	if next > first {
		more = strconv.FormatUint(next, 10)
	}
	return pageOf(h, c, "events", items, more)
}

func eventRecord(e registry.Event) EventRecord {
	return EventRecord{ID: e.Index, Kind: e.Kind, Subject: e.Subject, At: e.At, Data: e.Data}
}

// eventStream answers until the reader leaves or the time of the route is over; the reader then comes back by itself.
func (h *Handler) eventStream(c echo.Context) error {
	ctx := c.Request().Context()
	first, err := h.streamStart(c)
	if err != nil {
		return err
	}
	select {
	case h.streams <- struct{}{}:
		defer func() { <-h.streams }()
	default:
		return fmt.Errorf("%d streams are open: %w", maxStreams, problem.ErrBusy)
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	s := edge.NewStream(c.Response())
	if err := s.Write("retry: 2000\n\n"); err != nil {
		return nil //nolint:nilerr // the reader is gone; there is nobody left to tell
	}
	poll, beat := time.NewTicker(eventPoll), time.NewTicker(eventBeat)
	defer poll.Stop()
	defer beat.Stop()
	for {
		next, err := h.sendEvents(ctx, s, first)
		if err != nil {
			return nil //nolint:nilerr // the answer has begun: the reader comes back where it was
		}
		if next > first {
			first = next
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-h.Stopping:
			return nil
		case <-poll.C:
		case <-beat.C:
			if s.Write(": still here\n\n") != nil {
				return nil
			}
		}
	}
}

// streamStart is the entry of the log at which a stream begins.
func (h *Handler) streamStart(c echo.Context) (uint64, error) {
	query, err := edge.Query(c.Request(), "after")
	if err != nil {
		return 0, err
	}
	after := query["after"]
	if id := c.Request().Header.Get("Last-Event-ID"); id != "" {
		after = id
	}
	if after != "" {
		n, err := strconv.ParseUint(after, 10, 62)
		if err != nil {
			return 0, fmt.Errorf("last event: %w", problem.ErrQuery)
		}
		return n + 1, nil
	}
	size, err := h.Log.Size(c.Request().Context())
	if err != nil {
		return 0, fmt.Errorf("log size: %w", err)
	}
	return size, nil
}

// sendEvents sends what there is from first on and returns where to go on.
func (h *Handler) sendEvents(ctx context.Context, s edge.Stream, first uint64) (uint64, error) {
	found, next, err := h.Events.Events(ctx, first, maxPage)
	if err != nil {
		return first, err
	}
	for _, e := range found {
		body, err := schemas.Marshal(eventRecord(e))
		if err != nil {
			return first, err
		}
		if err := s.Write(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.Index, e.Kind, body)); err != nil {
			return first, err
		}
	}
	return next, nil
}

var _ Events = (*registry.Registry)(nil)
