package verifierapi

import (
	"context"
	"fmt"
	"net/http"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/schemas"
	"heartmark/verifier"

	"github.com/labstack/echo/v4"
)

// Verifier answers whether a credential is valid; *verifier.Verifier is one.
type Verifier interface {
	Verify(ctx context.Context, in verifier.Input) (verifier.Result, error)
}

// Handler serves the route of this package. All fields are required.
type Handler struct {
	Verifier Verifier
	// Words says in a language what came out of a check.
	Words func(lang string, c verifier.Check) string
}

// MediaTypes are the media types that POST /v1/verify reads.
func MediaTypes() []string {
	return []string{
		"application/json", "application/ld+json", "application/vc", "application/vp",
		"application/vc+ld+json", "application/vp+ld+json",
		"application/vc+jwt", "application/vp+jwt", "application/dc+sd-jwt", "application/vc+sd-jwt",
	}
}

// Verify is POST /v1/verify. A token is the whole body, so what its presenter was given comes as query parameters; the
// JSON form has members for it.
func (h *Handler) Verify(c echo.Context) error {
	r := c.Request()
	query, err := edge.Query(r, "lang", "challenge", "domain")
	if err != nil {
		return err
	}
	body, mediaType, err := edge.Read(r, MediaTypes()...)
	if err != nil {
		return err
	}
	in, full, err := input(body, mediaType)
	if err != nil {
		return err
	}
	if err := exchange(&in, query); err != nil {
		return err
	}
	result, err := h.Verifier.Verify(r.Context(), in)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	lang := edge.Language(r)
	if lang != schemas.LanguageEnglish {
		result = h.translate(lang, result)
	}
	if !full {
		result = withoutDocuments(result)
	}
	c.Response().Header().Set("Content-Language", lang)
	c.Response().Header().Add("Vary", "Accept-Language")
	return edge.JSON(c.Response(), http.StatusOK, result)
}

// input reads the body once. An object with the member credential or presentation is the request form; anything else under
// application/json is the document itself.
func input(body []byte, mediaType string) (in verifier.Input, full bool, err error) {
	in = verifier.Input{Data: body, MediaType: mediaType}
	if mediaType != "application/json" && mediaType != "application/ld+json" {
		return in, false, nil
	}
	doc, err := schemas.ParseObject(body)
	if err != nil {
		return in, false, fmt.Errorf("%w: %w", verifier.ErrUnreadable, err)
	}
	_, credential := doc["credential"]
	_, presentation := doc["presentation"]
	if !credential && !presentation {
		in.Data, in.Document = nil, doc
		return in, false, nil
	}
	var request VerifyRequest
	if err := schemas.Decode(body, &request); err != nil {
		return in, false, err
	}
	if credential == presentation {
		return in, false, &schemas.FieldError{Expected: "exactly one of credential and presentation", Err: schemas.ErrMalformed}
	}
	name, kind := "credential", "application/vc"
	if presentation {
		name, kind = "presentation", "application/vp"
	}
	inner, ok := doc[name].(map[string]any)
	if !ok {
		return in, false, fmt.Errorf("%w: %w", verifier.ErrUnreadable, &schemas.FieldError{
			Pointer: "/" + name, Expected: "an object", Err: schemas.ErrMalformed,
		})
	}
	return verifier.Input{
		Document: inner, MediaType: kind, Policy: request.Policy, Challenge: request.Challenge, Domain: request.Domain,
		WantLog: request.Log != nil, LogProof: request.Log,
	}, request.ReturnCredential, nil
}

// exchange takes challenge and domain from the query, unless the body has said them.
func exchange(in *verifier.Input, query map[string]string) error {
	for name, into := range map[string]*string{"challenge": &in.Challenge, "domain": &in.Domain} {
		value, present := query[name]
		if !present {
			continue
		}
		if *into != "" {
			return fmt.Errorf("%s stands in the body too: %w", name, problem.ErrQuery)
		}
		*into = value
	}
	return nil
}

// translate writes the details in lang.
func (h *Handler) translate(lang string, r verifier.Result) verifier.Result {
	checks := make([]verifier.Check, len(r.Checks))
	for i, c := range r.Checks {
		if words := h.Words(lang, c); words != "" {
			c.Detail = words
		}
		checks[i] = c
	}
	r.Checks = checks
	inner := make([]verifier.Result, len(r.Inner))
	for i := range r.Inner {
		inner[i] = h.translate(lang, r.Inner[i])
	}
	r.Inner = inner
	return r
}

// withoutDocuments leaves out what the caller has already.
func withoutDocuments(r verifier.Result) verifier.Result {
	r.Credential = nil
	inner := make([]verifier.Result, len(r.Inner))
	for i := range r.Inner {
		inner[i] = withoutDocuments(r.Inner[i])
	}
	r.Inner = inner
	return r
}

var _ Verifier = (*verifier.Verifier)(nil)
