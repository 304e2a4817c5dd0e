package verifierapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/verifier"
	"heartmark/verifier/bulk"

	"github.com/labstack/echo/v4"
)

// Statements signs what a tenant says of its verifications.
type Statements interface {
	// Receipt returns the receipt of a result as vc+jwt.
	Receipt(ctx context.Context, tenant string, r verifier.Result) (string, error)
	// Report returns the summary of a bulk verification as a JWS.
	Report(ctx context.Context, tenant string, s bulk.Summary) (string, error)
	// Known returns an error that stands in the problem table for a tenant that is not there.
	Known(ctx context.Context, tenant string) error
}

// BulkReport is the last line of a bulk verification.
type BulkReport struct {
	Summary *bulk.Summary `json:"summary,omitempty"`
	// Report is the summary signed by the tenant, a JWS of typ heartmark-bulk-report+jwt.
	Report string `json:"report,omitempty"`
	// Error says that the stream ended before its end: what came before stands, the rest was not judged, and nothing is signed.
	Error *problem.Document `json:"error,omitempty"`
}

// BulkRow is one line before it.
type BulkRow = bulk.Row

// BulkMediaTypes are the media types that POST /v1/verify/bulk reads.
func BulkMediaTypes() map[string]bulk.Format {
	return map[string]bulk.Format{
		"application/jsonl": bulk.JSONL, "application/x-ndjson": bulk.JSONL, "text/csv": bulk.CSV,
	}
}

// Bulk is POST /v1/verify/bulk: verdicts go out while rows come in.
func (h *Handler) Bulk(c echo.Context) error {
	r := c.Request()
	caller, err := edge.CallerOf(r.Context())
	if err != nil {
		return err
	}
	query, err := edge.Query(r, "policy")
	if err != nil {
		return err
	}
	mediaType, err := edge.MediaType(r)
	if err != nil {
		return err
	}
	format, known := BulkMediaTypes()[mediaType]
	if !known {
		return fmt.Errorf("content type %q: %w", mediaType, problem.ErrMediaType)
	}
	// Without this the server would read the whole body before the first verdict could go out.
	_ = http.NewResponseController(c.Response()).EnableFullDuplex()
	out := &stream{c: c}
	summary, err := bulk.Run(r.Context(), h.Verifier, body{r.Body}, format, bulk.Options{
		Terms: verifier.Input{Policy: query["policy"], Tenant: caller.Tenant}, Now: h.Now,
	}, out.write)
	if err != nil {
		if !out.begun {
			return err
		}
		document := h.Problems.Document(err, edge.Language(r), "")
		return out.end(BulkReport{Error: &document})
	}
	signed, err := h.Statements.Report(r.Context(), caller.Tenant, summary)
	if err != nil {
		document := h.Problems.Document(err, edge.Language(r), "")
		return out.end(BulkReport{Summary: &summary, Error: &document})
	}
	return out.end(BulkReport{Summary: &summary, Report: signed})
}

// body tells a body that is too large from other faults of reading.
type body struct{ r io.Reader }

func (b body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = edge.BodyError(err)
	}
	return n, err
}

// stream writes lines as they come.
type stream struct {
	c     echo.Context
	begun bool
	since int
}

// flushEvery is how many lines go out together at most.
const flushEvery = 64

func (s *stream) write(line []byte) error {
	if !s.begun {
		s.begun = true
		s.c.Response().Header().Set("Content-Type", "application/jsonl")
		s.c.Response().WriteHeader(http.StatusOK)
	}
	if _, err := s.c.Response().Write(line); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if s.since++; s.since >= flushEvery {
		s.since = 0
		s.c.Response().Flush()
	}
	return nil
}

func (s *stream) end(last BulkReport) error {
	line, err := json.Marshal(last)
	if err != nil {
		return err
	}
	return s.write(append(line, '\n'))
}
