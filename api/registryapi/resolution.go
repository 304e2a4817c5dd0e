package registryapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"heartmark/api/edge"
	"heartmark/internal/did"
	"heartmark/registry"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Resolver finds DID documents. It returns the errors of package did, and contacts no host that only a stranger named.
type Resolver interface {
	Resolve(ctx context.Context, did string) (did.Document, error)
}

// Media types of the HTTPS binding (DID Resolution 0.3, 10.1), and the profile by which older clients ask.
const (
	mediaResolution  = "application/did-resolution"
	mediaDereference = "application/did-url-dereferencing"
	oldProfile       = "https://w3id.org/did-resolution"
)

// resolution is one question to the endpoint.
type resolution struct {
	did, fragment, service string
	at                     time.Time
	media                  string // what the answer is
	old                    bool
}

// resolutionError is an error of the specification.
type resolutionError struct {
	name   string // after https://www.w3.org/ns/did#
	word   string // what older clients know
	status int
}

func (e resolutionError) Error() string { return e.name }

var (
	errInvalidDID     = resolutionError{"INVALID_DID", "invalidDid", http.StatusBadRequest}
	errInvalidDIDURL  = resolutionError{"INVALID_DID_URL", "invalidDidUrl", http.StatusBadRequest}
	errInvalidOptions = resolutionError{"INVALID_OPTIONS", "invalidOptions", http.StatusBadRequest}
	errDIDNotFound    = resolutionError{"NOT_FOUND", "notFound", http.StatusNotFound}
	errRepresentation = resolutionError{"REPRESENTATION_NOT_SUPPORTED", "representationNotSupported", http.StatusNotAcceptable}
	errMethod         = resolutionError{"METHOD_NOT_SUPPORTED", "methodNotSupported", http.StatusNotImplemented}
	errFeature        = resolutionError{"FEATURE_NOT_SUPPORTED", "featureNotSupported", http.StatusNotImplemented}
)

// Resolve is GET /1.0/identifiers/{did}: DID resolution, and dereferencing of DID URLs (a fragment, or ?service=).
func (h *Handler) Resolve(c echo.Context) error {
	c.Response().Header().Add("Vary", "Accept")
	q, err := readResolution(c)
	if err != nil {
		return h.resolutionFailed(c, q, err)
	}
	document, metadata, deactivated, err := h.resolved(c.Request().Context(), q)
	if err != nil {
		return h.resolutionFailed(c, q, err)
	}
	if q.fragment != "" || q.service != "" || q.media == mediaDereference {
		return h.dereference(c, q, document, metadata)
	}
	status := http.StatusOK
	if deactivated {
		status = http.StatusGone
	}
	if q.media != mediaResolution && !q.old {
		return resolutionBody(c, status, q.media, document)
	}
	answer := map[string]any{
		"didResolutionMetadata": map[string]any{"contentType": q.contentType()}, "didDocument": document, "didDocumentMetadata": metadata,
	}
	if q.old {
		answer["@context"] = "https://w3id.org/did-resolution/v1"
	}
	return resolutionBody(c, status, q.contentType(), answer)
}

func (q resolution) contentType() string {
	if q.old {
		return "application/ld+json"
	}
	return q.media
}

func readResolution(c echo.Context) (q resolution, err error) {
	r := c.Request()
	if q.media, q.old, err = resolutionMedia(r); err != nil {
		return q, err
	}
	options, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, errInvalidOptions
	}
	text := edge.DIDParam(r, c.Param("*"))
	q.did, q.fragment, _ = strings.Cut(text, "#")
	if q.fragment == "" {
		q.did, q.fragment, _ = strings.Cut(text, "%23") // a DID that stood raw, with its fragment escaped
	}
	if base, query, ok := strings.Cut(q.did, "?"); ok {
		q.did = base
		more, err := url.ParseQuery(query)
		if err != nil {
			return q, errInvalidDIDURL
		}
		for name, values := range more {
			options[name] = append(options[name], values...)
		}
	}
	if base, _, ok := strings.Cut(q.did, "/"); ok && base != "" {
		return q, errFeature // no method here gives a path a meaning
	}
	for name, values := range options {
		if len(values) != 1 {
			return q, errInvalidOptions
		}
		switch name {
		case "service":
			q.service = values[0]
		case "versionTime":
			if q.at, err = schemas.ParseTime(values[0]); err != nil {
				return q, errInvalidOptions
			}
		case "accept", "noCache":
		default:
			return q, errFeature
		}
	}
	return q, nil
}

// resolutionMedia is what the answer shall be, by the first media type of Accept that is known here.
func resolutionMedia(r *http.Request) (media string, old bool, err error) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if accept == "" {
		return mediaResolution, false, nil
	}
	for item := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(strings.ToLower(strings.TrimSpace(item)), ";")
		switch strings.TrimSpace(name) {
		case "*/*", "application/*", "application/json", mediaResolution:
			return mediaResolution, false, nil
		case mediaDereference:
			return mediaDereference, false, nil
		case "application/did", "application/did+json", "application/did+ld+json":
			return strings.TrimSpace(name), false, nil
		case "application/ld+json":
			return mediaResolution, strings.Contains(params, oldProfile), nil
		}
	}
	return mediaResolution, false, errRepresentation
}

// resolved returns the document as JSON and what is known about it.
func (h *Handler) resolved(ctx context.Context, q resolution) (document json.RawMessage, metadata map[string]any, deactivated bool, err error) {
	metadata = map[string]any{}
	if _, err := did.Parse(q.did); err != nil {
		return nil, metadata, false, errInvalidDID
	}
	state, err := h.Publications.DIDAt(ctx, q.did, q.at)
	if err == nil {
		metadata["created"], metadata["updated"] = instant(state.Created), instant(state.Updated)
		if state.Deactivated {
			metadata["deactivated"] = true
		}
		return state.Document, metadata, state.Deactivated, nil
	}
	if !errors.Is(err, registry.ErrNotFound) {
		return nil, metadata, false, err
	}
	found, err := h.Resolver.Resolve(ctx, q.did)
	switch {
	case errors.Is(err, did.ErrMethodNotSupported):
		return nil, metadata, false, errMethod
	case errors.Is(err, did.ErrNotFound), errors.Is(err, did.ErrOffline), errors.Is(err, did.ErrUnavailable):
		return nil, metadata, false, errDIDNotFound
	case errors.Is(err, did.ErrInvalid):
		return nil, metadata, false, errInvalidDID
	case err != nil:
		return nil, metadata, false, err
	case !q.at.IsZero() && found.Source == "store":
		return nil, metadata, false, errDIDNotFound // ours, but not yet then
	case !q.at.IsZero() && len(found.Raw) > 0:
		return nil, metadata, false, errFeature // what others publish has no history here
	}
	document, err = found.JSON()
	return document, metadata, false, err
}

// resolutionFailed answers an error in the form that was asked for.
func (h *Handler) resolutionFailed(c echo.Context, q resolution, err error) error {
	known, ok := errors.AsType[resolutionError](err)
	if !ok {
		return fmt.Errorf("resolve: %w", err)
	}
	failure := map[string]any{"type": "https://www.w3.org/ns/did#" + known.name, "title": known.word}
	if q.old {
		answer := map[string]any{
			"@context": "https://w3id.org/did-resolution/v1", "didDocument": map[string]any{}, "didDocumentMetadata": map[string]any{},
			"didResolutionMetadata": map[string]any{"error": known.word, "contentType": "application/ld+json"},
		}
		if q.fragment != "" || q.service != "" {
			answer["didDereferencingMetadata"] = map[string]any{"error": known.word}
		}
		return resolutionBody(c, known.status, "application/ld+json", answer)
	}
	if q.media == mediaDereference {
		return resolutionBody(c, known.status, mediaDereference, map[string]any{
			"dereferencingMetadata": map[string]any{"error": failure}, "contentStream": nil, "contentMetadata": map[string]any{},
		})
	}
	return resolutionBody(c, known.status, mediaResolution, map[string]any{
		"didResolutionMetadata": map[string]any{"error": failure}, "didDocument": nil, "didDocumentMetadata": map[string]any{},
	})
}

// dereference answers with the part of a document that a DID URL names; a service with its address.
func (h *Handler) dereference(c echo.Context, q resolution, document json.RawMessage, metadata map[string]any) error {
	doc, err := schemas.ParseObject(document)
	if err != nil {
		return fmt.Errorf("dereference: %w", err)
	}
	var content any = doc
	if q.service != "" {
		part := member(doc, q.did, q.service, "service")
		endpoint, ok := part["serviceEndpoint"].(string)
		if !ok {
			return h.resolutionFailed(c, q, errDIDNotFound)
		}
		c.Response().Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(readAge.Seconds())))
		c.Response().Header().Set("Location", endpoint)
		c.Response().WriteHeader(http.StatusSeeOther)
		return nil
	}
	if q.fragment != "" {
		part := member(doc, q.did, q.fragment, "verificationMethod", "service", "assertionMethod", "authentication", "keyAgreement")
		if part == nil {
			return h.resolutionFailed(c, q, errDIDNotFound)
		}
		content = part
	}
	switch {
	case q.old:
		return resolutionBody(c, http.StatusOK, "application/ld+json", map[string]any{
			"@context": "https://w3id.org/did-resolution/v1", "didDereferencingMetadata": map[string]any{"contentType": "application/ld+json"},
			"contentStream": content, "contentMetadata": metadata,
		})
	case q.media == mediaDereference:
		return resolutionBody(c, http.StatusOK, mediaDereference, map[string]any{
			"dereferencingMetadata": map[string]any{"contentType": mediaDereference}, "contentStream": content, "contentMetadata": metadata,
		})
	case q.media == mediaResolution:
		return resolutionBody(c, http.StatusOK, "application/did", content)
	}
	return resolutionBody(c, http.StatusOK, q.media, content)
}

// member returns the object of a document with the id, absolute or as a fragment.
func member(doc map[string]any, id, fragment string, lists ...string) map[string]any {
	for _, name := range lists {
		list, _ := doc[name].([]any)
		for _, item := range list {
			m, _ := item.(map[string]any)
			if m["id"] == id+"#"+fragment || m["id"] == "#"+fragment {
				return m
			}
		}
	}
	return nil
}

// resolutionBody answers v under the status; good answers may be kept like DID documents.
func resolutionBody(c echo.Context, status int, mediaType string, v any) error {
	body, err := schemas.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	if status == http.StatusOK {
		return serve(c, edge.Public{Body: body, MediaType: mediaType, MaxAge: readAge})
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	c.Response().Header().Set("Content-Type", mediaType)
	c.Response().WriteHeader(status)
	if c.Request().Method != http.MethodHead {
		_, _ = c.Response().Write(body) // the client may be gone; there is nobody left to tell
	}
	return nil
}

var _ Resolver = (*did.Resolver)(nil)
