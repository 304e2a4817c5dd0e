package api

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"

	"github.com/labstack/echo/v4"
)

// How much is kept of answers for repeated requests, and for how long.
const (
	replayFor   = 24 * time.Hour
	replayCount = 4096
	replayBytes = 64 * mib
	replayOne   = 4 * mib // an answer beyond this is not kept: the request would have to be a new one
)

// replays keeps the answers of creating requests under their Idempotency-Key, in memory. Credentials do not rely on it:
// the issuer keeps their keys durably.
type replays struct {
	now func() time.Time

	mu    sync.Mutex // guards what follows
	known map[string]*list.Element
	order *list.List // of *replay, the oldest in front
	bytes int
}

// replay is one request; answer is nil while it runs.
type replay struct {
	name   string
	digest [sha256.Size]byte
	until  time.Time
	answer *answer
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func newReplays(now func() time.Time) *replays {
	return &replays{now: now, known: map[string]*list.Element{}, order: list.New()}
}

// begin claims a name for a request, or returns the answer that an equal request got.
func (p *replays) begin(name string, digest [sha256.Size]byte) (*answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expire()
	if e, ok := p.known[name]; ok {
		known := e.Value.(*replay)
		switch {
		case known.digest != digest:
			return nil, problem.ErrIdempotencyReuse
		case known.answer == nil:
			return nil, problem.RetryAfter(problem.ErrIdempotencyRunning, 2*time.Second)
		}
		return known.answer, nil
	}
	if p.order.Len() >= replayCount {
		return nil, problem.RetryAfter(problem.ErrBusy, time.Minute)
	}
	p.known[name] = p.order.PushBack(&replay{name: name, digest: digest, until: p.now().Add(replayFor)})
	return nil, nil
}

// end keeps the answer, or frees the name where there is none worth keeping.
func (p *replays) end(name string, a *answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.known[name]
	if !ok {
		return
	}
	if a == nil || len(a.body) > replayOne || p.bytes+len(a.body) > replayBytes {
		p.remove(e)
		return
	}
	e.Value.(*replay).answer = a
	p.bytes += len(a.body)
}

// expire forgets what is past its time, with mu held.
func (p *replays) expire() {
	now := p.now()
	for e := p.order.Front(); e != nil && !now.Before(e.Value.(*replay).until); e = p.order.Front() {
		p.remove(e)
	}
}

func (p *replays) remove(e *list.Element) {
	r := e.Value.(*replay)
	if r.answer != nil {
		p.bytes -= len(r.answer.body)
	}
	delete(p.known, r.name)
	p.order.Remove(e)
}

// idempotent answers a repeated request from what was kept. Only answers of success are kept.
func (s *server) idempotent(route Route, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		key, err := edge.IdempotencyKey(r)
		if err != nil || key == "" {
			if err != nil {
				return err
			}
			return next(c)
		}
		who, err := edge.CallerOf(r.Context())
		if err != nil {
			return err
		}
		body, err := edge.ReadAll(r)
		if err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		hash := sha256.New()
		_, _ = fmt.Fprintf(hash, "%s\x00%s\x00", r.URL.RawQuery, r.Header.Get("Content-Type"))
		hash.Write(body)
		name := who.Tenant + "\x00" + route.Method + " " + route.Path + "\x00" + key
		kept, err := s.replays.begin(name, [sha256.Size]byte(hash.Sum(nil)))
		if err != nil {
			return err
		}
		if kept != nil {
			for field, values := range kept.header {
				c.Response().Header()[field] = values
			}
			c.Response().Header().Set("Idempotency-Replayed", "true")
			c.Response().WriteHeader(kept.status)
			_, _ = c.Response().Write(kept.body)
			return nil
		}
		return s.record(c, name, next)
	}
}

// record runs the handler and keeps its answer.
func (s *server) record(c echo.Context, name string, next echo.HandlerFunc) error {
	var done *answer
	defer func() { s.replays.end(name, done) }()
	copied := &recorder{ResponseWriter: c.Response().Writer}
	c.Response().Writer = copied
	defer func() { c.Response().Writer = copied.ResponseWriter }()
	if err := next(c); err != nil {
		return err
	}
	if status := c.Response().Status; status >= 200 && status < 300 {
		header := http.Header{}
		for _, field := range []string{"Content-Type", "Location"} {
			if v := c.Response().Header().Get(field); v != "" {
				header.Set(field, v)
			}
		}
		done = &answer{status: status, header: header, body: copied.body.Bytes()}
	}
	return nil
}

// recorder copies what is written.
type recorder struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
