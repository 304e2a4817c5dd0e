package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"

	"github.com/labstack/echo/v4"
)

// How long answers for repeated requests are kept, and how long a request may hold its name without one: longer than any
// route may work, so that only a process that died frees a name in this way.
const (
	replayFor   = 24 * time.Hour
	replayClaim = long + time.Minute
	replayOne   = 2 * mib // an answer beyond this is not kept: the request would have to be a new one
)

// Replays keeps the answers of creating requests under their Idempotency-Key. What it writes is durable on return and shared by all
// processes; its methods may be called at once. Answers may hold secrets and personal data: whoever implements it seals them.
// Credentials do not rely on it: the issuer keeps their keys with its intents.
type Replays interface {
	// ClaimReplay claims a name for a request from now until the given instant; of several calls at once one succeeds. Where the
	// name is taken at now, taken is true, and other and answer are the digest and the answer of the request that has it;
	// answer is nil while that one runs.
	ClaimReplay(ctx context.Context, name string, digest [sha256.Size]byte, now, until time.Time) (taken bool, other [sha256.Size]byte, answer []byte, err error)
	// KeepReplay stores the answer of the request that claimed a name, until the given instant. It does nothing where the name
	// belongs to another request by now, or has an answer.
	KeepReplay(ctx context.Context, name string, digest [sha256.Size]byte, answer []byte, until time.Time) error
	// DropReplay frees a name whose request gave nothing to keep; it does nothing where KeepReplay would not.
	DropReplay(ctx context.Context, name string, digest [sha256.Size]byte) error
}

// answer is what was sent.
type answer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
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
		digest := [sha256.Size]byte(hash.Sum(nil))
		// The key's own: another one of the tenant may have fewer rights than the answer gives.
		name := who.Tenant + "\x00" + who.KeyID + "\x00" + route.Method + " " + route.Path + "\x00" + key
		now := s.c.Now()
		taken, other, kept, err := s.c.Replays.ClaimReplay(r.Context(), name, digest, now, now.Add(replayClaim))
		switch {
		case err != nil:
			return fmt.Errorf("idempotency: %w", err)
		case !taken:
			return s.record(c, name, digest, next)
		case other != digest:
			return problem.ErrIdempotencyReuse
		case kept == nil:
			return problem.RetryAfter(problem.ErrIdempotencyRunning, 2*time.Second)
		}
		return repeat(c, kept)
	}
}

// repeat sends an answer again.
func repeat(c echo.Context, kept []byte) error {
	var a answer
	if err := json.Unmarshal(kept, &a); err != nil {
		return fmt.Errorf("kept answer: %w", err)
	}
	for field, values := range a.Header {
		c.Response().Header()[field] = values
	}
	c.Response().Header().Set("Idempotency-Replayed", "true")
	c.Response().WriteHeader(a.Status)
	_, _ = c.Response().Write(a.Body)
	return nil
}

// record runs the handler, keeps its answer, and then sends it: who has an answer can have it again. The context of the
// request may have ended by then; keeping goes on without it.
func (s *server) record(c echo.Context, name string, digest [sha256.Size]byte, next echo.HandlerFunc) error {
	held := &recorder{ResponseWriter: c.Response().Writer, status: http.StatusOK}
	c.Response().Writer = held
	ctx := context.WithoutCancel(c.Request().Context())
	kept := false
	defer func() {
		c.Response().Writer = held.ResponseWriter
		if kept {
			return
		}
		if err := s.c.Replays.DropReplay(ctx, name, digest); err != nil { // also after a panic
			s.c.Logger.ErrorContext(ctx, "answer for repeated requests", slog.String("request_id", requestID(c)), slog.Any("error", err))
		}
	}()
	if err := next(c); err != nil {
		return err
	}
	if held.status >= 200 && held.status < 300 && held.body.Len() <= replayOne {
		data, err := json.Marshal(answer{Status: held.status, Header: keptHeaders(c.Response().Header()), Body: held.body.Bytes()})
		if err == nil {
			err = s.c.Replays.KeepReplay(ctx, name, digest, data, s.c.Now().Add(replayFor))
		}
		if err != nil {
			c.Response().Committed = false // nothing was sent yet
			return fmt.Errorf("keep answer: %w", err)
		}
		kept = true
	}
	held.ResponseWriter.WriteHeader(held.status)
	_, _ = held.ResponseWriter.Write(held.body.Bytes()) // the client may be gone; there is nobody left to tell
	return nil
}

func keptHeaders(from http.Header) http.Header {
	header := http.Header{}
	for _, field := range []string{"Content-Type", "Location"} {
		if v := from.Get(field); v != "" {
			header.Set(field, v)
		}
	}
	return header
}

// recorder holds back what is written.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
