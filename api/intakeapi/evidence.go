package intakeapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/assessment/evidence"
	"heartmark/assessment/intake"

	"github.com/labstack/echo/v4"
)

// HeaderJWS carries a detached JWS over the batch.
const HeaderJWS = "Heartmark-Signature"

// MediaTypes of evidence, each with the format that it names; "" leaves it to the parameter format, or to the content.
func MediaTypes() map[string]string {
	return map[string]string{
		"application/jsonl": evidence.FormatJSONL, "application/x-ndjson": evidence.FormatJSONL, "text/csv": evidence.FormatCSV,
		"application/json": "", "text/plain": "",
	}
}

// MediaTypePiece is the media type of a piece of an upload, as tus has it.
const MediaTypePiece = "application/offset+octet-stream"

// params reads what both ways of sending have in common.
func params(r *http.Request) (intake.Params, error) {
	query, err := edge.Query(r, "consent", "format", "on_error", "dates")
	if err != nil {
		return intake.Params{}, err
	}
	if query["consent"] == "" {
		return intake.Params{}, fmt.Errorf("parameter consent: %w", problem.ErrQuery)
	}
	key, err := edge.IdempotencyKey(r)
	if err != nil {
		return intake.Params{}, err
	}
	p := intake.Params{
		Consent: query["consent"], Format: query["format"], OnError: query["on_error"], Dates: query["dates"], IdempotencyKey: key,
	}
	encoding, err := single(r, "Content-Encoding")
	switch {
	case err != nil:
		return intake.Params{}, err
	case encoding == "gzip":
		p.Gzip = true
	case encoding != "" && encoding != "identity":
		return intake.Params{}, fmt.Errorf("content encoding %q: %w", encoding, problem.ErrMediaType)
	}
	return p, nil
}

// Submit is POST /v1/evidence.
func (h *Handler) Submit(c echo.Context) error {
	r := c.Request()
	who, err := h.caller(r)
	if err != nil {
		return err
	}
	p, err := params(r)
	if err != nil {
		return err
	}
	mediaType, err := edge.MediaType(r)
	if err != nil {
		return err
	}
	format, known := MediaTypes()[mediaType]
	if !known || format != "" && p.Format != "" && p.Format != evidence.FormatAuto && p.Format != format {
		return fmt.Errorf("content type %q: %w", mediaType, problem.ErrMediaType)
	}
	if p.Format == "" || p.Format == evidence.FormatAuto {
		p.Format = format
	}
	sig, err := h.signature(r)
	if err != nil {
		return err
	}
	b, created, err := h.Service.Submit(r.Context(), who, intake.Submission{Params: p, Body: r.Body, Signature: sig})
	if err != nil {
		return bodyFault(err)
	}
	return h.taken(c, b, created, http.StatusAccepted)
}

// taken answers with a batch.
func (h *Handler) taken(c echo.Context, b intake.Batch, created bool, fresh int) error {
	header := c.Response().Header()
	header.Set("Location", "/v1/evidence/"+url.PathEscape(b.ID))
	header.Set("Upload-Offset", strconv.FormatInt(b.Offset, 10))
	return edge.JSON(c.Response(), status(created, fresh), batch(b))
}

// bodyFault tells a body beyond the cap from other faults.
func bodyFault(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fmt.Errorf("%w: %w", problem.ErrTooLarge, err)
	}
	return patience(fmt.Errorf("evidence: %w", err))
}

// signature reads what the platform signed with.
func (h *Handler) signature(r *http.Request) (*intake.Signature, error) {
	var sig intake.Signature
	for name, target := range map[string]*string{
		"Content-Digest": &sig.Digest, "Signature-Input": &sig.Input, "Signature": &sig.Value, HeaderJWS: &sig.JWS,
	} {
		var err error
		if *target, err = single(r, name); err != nil {
			return nil, err
		}
	}
	sig.Component = func(name string) (string, bool) { return h.component(r, name) }
	return &sig, nil
}

// component is the value of a component that a message signature covers (RFC 9421, 2.1 and 2.2). The origin comes from the
// configuration, never from the request.
func (h *Handler) component(r *http.Request, name string) (string, bool) {
	scheme, authority, _ := strings.Cut(h.Origin, "://")
	switch name {
	case "@method":
		return r.Method, true
	case "@path":
		return r.URL.EscapedPath(), true
	case "@query":
		return "?" + r.URL.RawQuery, true
	case "@scheme":
		return scheme, true
	case "@authority":
		return authority, true
	case "@target-uri":
		return h.Origin + r.URL.RequestURI(), true
	}
	if !slices.Contains([]string{"content-type", "content-encoding", "content-length", "idempotency-key", "date"}, name) {
		return "", false
	}
	values := r.Header.Values(name)
	if len(values) != 1 {
		return "", false
	}
	return strings.TrimSpace(values[0]), true
}

// Begin is POST /v1/evidence/uploads.
func (h *Handler) Begin(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	p, err := params(c.Request())
	if err != nil {
		return err
	}
	b, created, err := h.Service.Begin(c.Request().Context(), who, p)
	if err != nil {
		return patience(fmt.Errorf("upload: %w", err))
	}
	return h.taken(c, b, created, http.StatusCreated)
}

// Append is PATCH /v1/evidence/{id}, with Upload-Offset.
func (h *Handler) Append(c echo.Context) error {
	r := c.Request()
	who, err := h.caller(r)
	if err != nil {
		return err
	}
	mediaType, err := edge.MediaType(r)
	if err != nil {
		return err
	}
	if mediaType != MediaTypePiece {
		return fmt.Errorf("content type %q: %w", mediaType, problem.ErrMediaType)
	}
	at, err := single(r, "Upload-Offset")
	if err != nil {
		return err
	}
	offset, err := ParseOffset(at)
	if err != nil {
		return err
	}
	b, err := h.Service.Append(r.Context(), who, param(c, "id"), offset, r.Body)
	if err != nil {
		return bodyFault(err)
	}
	c.Response().Header().Set("Upload-Offset", strconv.FormatInt(b.Offset, 10))
	return c.NoContent(http.StatusNoContent)
}

// ParseOffset reads an Upload-Offset: decimal digits, in their one spelling.
func ParseOffset(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, fmt.Errorf("header Upload-Offset: %w", problem.ErrQuery)
	}
	return n, nil
}

// Finish is POST /v1/evidence/{id}/finish.
func (h *Handler) Finish(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	var q FinishRequest
	if err := edge.ReadJSON(c.Request(), &q); err != nil {
		return err
	}
	b, err := h.Service.Finish(c.Request().Context(), who, param(c, "id"), &intake.Signature{Digest: q.ContentDigest, JWS: q.JWS})
	if err != nil {
		return patience(fmt.Errorf("upload: %w", err))
	}
	return h.taken(c, b, true, http.StatusAccepted)
}

// Batch is GET /v1/evidence/{id}.
func (h *Handler) Batch(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	b, err := h.Service.Batch(c.Request().Context(), who.Tenant, param(c, "id"))
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	c.Response().Header().Set("Upload-Offset", strconv.FormatInt(b.Offset, 10))
	return edge.JSON(c.Response(), http.StatusOK, batch(b))
}

// Cancel is DELETE /v1/evidence/{id}.
func (h *Handler) Cancel(c echo.Context) error {
	who, err := h.caller(c.Request())
	if err != nil {
		return err
	}
	b, err := h.Service.Cancel(c.Request().Context(), who, param(c, "id"))
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	return edge.JSON(c.Response(), http.StatusOK, batch(b))
}

func batch(b intake.Batch) BatchAnswer {
	out := BatchAnswer{
		ID: b.ID, State: b.State, Reason: b.Reason, Consent: b.Consent, Digest: b.Digest, Format: b.Format, Offset: b.Offset, Lines: b.Lines,
		Counts: b.Counts, Signed: b.Signed, Report: b.Report, ReceivedAt: b.Received, QueuedAt: b.Queued, DoneAt: b.Done, DestroyedAt: b.DestroyedAt,
	}
	if b.Bad > 0 {
		out.Quarantine = &Quarantine{Total: b.Bad, Items: append([]evidence.Issue{}, b.Issues...)}
	}
	return out
}
