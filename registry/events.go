package registry

import (
	"context"
	"encoding/json"
	"fmt"

	"heartmark/schemas"
)

// Event is a statement of the log as news: an authority, key, schema, context, achievement, framework or status list that
// changed. Issued credentials are none.
type Event struct {
	// Index is the entry's place in the log, which numbers events for good.
	Index   uint64
	Kind    string
	Subject string
	At      string // RFC 3339
	Data    json.RawMessage
}

// maxEventScan bounds how many entries of the log one call reads: commitments of issued credentials lie between.
const maxEventScan = 4096

// Events returns up to limit events (200 at most) among the entries of the log from index first on, and the index from
// which to go on. A page may be empty though more follow: go on while next rises.
func (r *Registry) Events(ctx context.Context, first uint64, limit int) (page []Event, next uint64, err error) {
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	size, err := r.c.Log.Size(ctx)
	if err != nil {
		return nil, first, fmt.Errorf("log size: %w", err)
	}
	for next = first; next < size && next-first < maxEventScan && len(page) < limit; {
		entries, err := r.c.Log.Entries(ctx, next, outboxPage)
		if err != nil {
			return nil, first, fmt.Errorf("log entries from %d: %w", next, err)
		}
		if len(entries) == 0 {
			break
		}
		for _, entry := range entries {
			if len(page) == limit {
				break
			}
			var e schemas.LogEntry
			if err := json.Unmarshal(entry, &e); err != nil {
				return nil, first, fmt.Errorf("log entry %d: %w", next, err)
			}
			if e.Kind != schemas.LogIssued {
				page = append(page, Event{Index: next, Kind: e.Kind, Subject: e.Subject, At: e.At, Data: e.Data})
			}
			next++
		}
	}
	return page, next, nil
}
