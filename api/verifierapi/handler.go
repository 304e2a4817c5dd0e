package verifierapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/schemas"
	"heartmark/verifier"
	receipts "heartmark/verifier/receipt"

	"github.com/labstack/echo/v4"
)

// Verifier answers whether a credential is valid; *verifier.Verifier is one.
type Verifier interface {
	Verify(ctx context.Context, in verifier.Input) (verifier.Result, error)
	// Policy returns the policy that a tenant knows under a name, or verifier.ErrUnknownPolicy.
	Policy(ctx context.Context, tenant, name string) (verifier.Policy, error)
}

// Handler serves the routes of this package. All fields are required.
type Handler struct {
	Statements Statements
	Problems   *problem.Catalog
	Now        func() time.Time
	Verifier   Verifier
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
	query, err := edge.Query(r, "lang", "challenge", "domain", "policy", "receipt")
	if err != nil {
		return err
	}
	body, mediaType, err := edge.Read(r, MediaTypes()...)
	if err != nil {
		return err
	}
	in, full, receipt, err := input(body, mediaType)
	if err != nil {
		return err
	}
	if err := exchange(&in, query); err != nil {
		return err
	}
	if text, present := query["receipt"]; present {
		if text != "true" {
			return fmt.Errorf("receipt is true or absent: %w", problem.ErrQuery)
		}
		receipt = true
	}
	if caller, err := edge.CallerOf(r.Context()); err == nil {
		in.Tenant = caller.Tenant
	}
	result, err := h.Verifier.Verify(r.Context(), in)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	answer := VerifyAnswer{}
	if receipt {
		if answer.Receipt, err = h.receipt(r.Context(), in, result); err != nil {
			return err
		}
	}
	lang := edge.Language(r)
	result = h.translated(lang, result)
	if !full {
		result = withoutDocuments(result)
	}
	answer.Result = result
	c.Response().Header().Set("Content-Language", lang)
	c.Response().Header().Add("Vary", "Accept-Language")
	return edge.JSON(c.Response(), http.StatusOK, answer)
}

// receipt signs what came of a verification. It is the tenant's statement, so it needs a key; the digest of an input that came
// inside a request is that of its canonical form.
func (h *Handler) receipt(ctx context.Context, in verifier.Input, r verifier.Result) (string, error) {
	if in.Tenant == "" {
		return "", problem.Challenge(problem.ErrUnauthenticated, `Bearer realm="heartmark"`)
	}
	if r.Digest == "" {
		digest, err := receipts.Digest(in.Document)
		if err != nil {
			return "", err
		}
		r.Digest = digest
	}
	return h.Statements.Receipt(ctx, in.Tenant, r)
}

// translated writes the details in lang; English they are.
func (h *Handler) translated(lang string, r verifier.Result) verifier.Result {
	if lang == schemas.LanguageEnglish {
		return r
	}
	return r.Translated(func(c verifier.Check) string { return h.Words(lang, c) })
}

// input reads the body once. An object with the member credential or presentation is the request form; anything else under
// application/json is the document itself.
func input(body []byte, mediaType string) (in verifier.Input, full, receipt bool, err error) {
	in = verifier.Input{Data: body, MediaType: mediaType}
	if mediaType != "application/json" && mediaType != "application/ld+json" {
		return in, false, false, nil
	}
	doc, err := schemas.ParseObject(body)
	if err != nil {
		return in, false, false, fmt.Errorf("%w: %w", verifier.ErrUnreadable, err)
	}
	_, credential := doc["credential"]
	_, presentation := doc["presentation"]
	if !credential && !presentation {
		in.Data, in.Document = nil, doc
		return in, false, false, nil
	}
	var request VerifyRequest
	if err := schemas.Decode(body, &request); err != nil {
		return in, false, false, err
	}
	if credential == presentation {
		return in, false, false, &schemas.FieldError{Expected: "exactly one of credential and presentation", Err: schemas.ErrMalformed}
	}
	name, kind := "credential", "application/vc"
	if presentation {
		name, kind = "presentation", "application/vp"
	}
	inner, ok := doc[name].(map[string]any)
	if !ok {
		return in, false, false, fmt.Errorf("%w: %w", verifier.ErrUnreadable, &schemas.FieldError{
			Pointer: "/" + name, Expected: "an object", Err: schemas.ErrMalformed,
		})
	}
	return verifier.Input{
		Document: inner, MediaType: kind, Policy: request.Policy, Challenge: request.Challenge, Domain: request.Domain,
		WantLog: request.Log != nil, LogProof: request.Log,
	}, request.ReturnCredential, request.Receipt, nil
}

// exchange takes challenge, domain and policy from the query, unless the body has said them.
func exchange(in *verifier.Input, query map[string]string) error {
	for name, into := range map[string]*string{"challenge": &in.Challenge, "domain": &in.Domain, "policy": &in.Policy} {
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
