package registryapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/registry"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Authorization is POST /trqp/authorization: does authority_id authorise entity_id to take action on resource?
func (h *Handler) Authorization(c echo.Context) error {
	return h.trqp(c, func(r TRQPRequest) string { return r.Action }, func(a *TRQPAnswer, yes bool) { a.Authorized = &yes })
}

// Recognition is POST /trqp/recognition: does authority_id recognise entity_id, another authority, for resource?
func (h *Handler) Recognition(c echo.Context) error {
	return h.trqp(c, func(TRQPRequest) string { return registry.ActionRecognize }, func(a *TRQPAnswer, yes bool) { a.Recognized = &yes })
}

// trqp answers one query: 200 for yes and for no, 404 where one of the four ids is unknown here.
func (h *Handler) trqp(c echo.Context, action func(TRQPRequest) string, set func(*TRQPAnswer, bool)) error {
	var request TRQPRequest
	if err := edge.ReadJSON(c.Request(), &request); err != nil {
		return err
	}
	if err := checkQuery(request); err != nil {
		return err
	}
	query := registry.AuthorityQuery{
		Entity: request.EntityID, Authority: request.AuthorityID, Action: action(request), Resource: request.Resource,
	}
	ignored, err := readContext(request.Context, &query)
	if err != nil {
		return err
	}
	found, err := h.Authorities.Authority(c.Request().Context(), query)
	if err != nil {
		return fmt.Errorf("authority: %w", err)
	}
	known := found.KnownEntity && found.KnownAuthority && found.KnownResource
	if !known || !slices.Contains(registry.Actions(), request.Action) {
		return fmt.Errorf("entity, authority, action or resource is unknown: %w", problem.ErrNotFound)
	}
	lang := edge.Language(c.Request())
	answer := TRQPAnswer{
		EntityID: request.EntityID, AuthorityID: request.AuthorityID, Action: request.Action, Resource: request.Resource,
		TimeEvaluated: instant(found.Evaluated), Message: message(lang, found.State, ignored), Context: request.Context,
	}
	if !query.Time.IsZero() {
		answer.TimeRequested = instant(query.Time)
	}
	set(&answer, found.Authorized)
	c.Response().Header().Set("Content-Language", lang)
	if asksForJWT(c.Request()) {
		return h.signedAnswer(c, answer)
	}
	return edge.JSON(c.Response(), http.StatusOK, answer)
}

// signedAnswer is the same answer as a JWS, so that it can be kept and shown.
func (h *Handler) signedAnswer(c echo.Context, answer TRQPAnswer) error {
	body, err := schemas.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	claims, err := schemas.ParseObject(body)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	token, err := h.Authorities.SignAnswer(c.Request().Context(), "trqp-response+jwt", claims)
	if err != nil {
		return fmt.Errorf("sign answer: %w", err)
	}
	c.Response().Header().Set("Content-Type", "application/jwt")
	c.Response().WriteHeader(http.StatusOK)
	_, _ = c.Response().Write([]byte(token)) // the client may be gone; there is nobody left to tell
	return nil
}

// checkQuery holds the rules of the four ids: RFC 3986 strings, none empty.
func checkQuery(r TRQPRequest) error {
	const longest = 2048
	for _, f := range []struct {
		pointer, value string
		url            bool
	}{
		{"/entity_id", r.EntityID, true}, {"/authority_id", r.AuthorityID, true}, {"/action", r.Action, false}, {"/resource", r.Resource, false},
	} {
		if f.value == "" || len(f.value) > longest || f.url && !schemas.IsURL(f.value) {
			expected := "a value"
			if f.url {
				expected = "a DID or URL"
			}
			return &schemas.FieldError{Pointer: f.pointer, Expected: expected, Err: schemas.ErrMalformed}
		}
	}
	return nil
}

// readContext takes what is understood from the context and returns the names of the rest.
func readContext(context map[string]any, q *registry.AuthorityQuery) (ignored []string, err error) {
	for name, value := range context {
		text, ok := value.(string)
		if !ok {
			return nil, &schemas.FieldError{Pointer: "/context", Expected: "an object of strings", Err: schemas.ErrMalformed}
		}
		if name == "level" {
			n, err := strconv.Atoi(text)
			if level := schemas.Level(n); err != nil || strconv.Itoa(n) != text || !slices.Contains(schemas.Levels(), level) {
				return nil, &schemas.FieldError{Pointer: "/context/level", Expected: "a level from 1 to 4", Err: schemas.ErrMalformed}
			}
			q.Level = schemas.Level(n)
			continue
		}
		if name != "time" {
			ignored = append(ignored, name)
			continue
		}
		// TRQP 2.0 asks for RFC 3339 in UTC.
		at, err := schemas.ParseTime(text)
		if err != nil || !strings.HasSuffix(text, "Z") {
			return nil, &schemas.FieldError{Pointer: "/context/time", Expected: "a date and time with offset", Err: schemas.ErrMalformed}
		}
		q.Time = at
	}
	slices.Sort(ignored)
	return ignored, nil
}

// message says the state in a sentence and names what of the context was not understood.
func message(lang string, state registry.State, ignored []string) string {
	words := map[registry.State][2]string{
		registry.StateInForce:       {"in force", "生效"},
		registry.StateSuspended:     {"suspended at that time", "当时已暂停"},
		registry.StateWithdrawn:     {"withdrawn", "已撤回"},
		registry.StateOutsidePeriod: {"not in force at that time", "当时不在有效期内"},
		registry.StateNotAuthorised: {"known here, but not for this", "已登记，但不包括此项"},
		registry.StateUnknown:       {"unknown here", "未登记"},
	}[state]
	text, also := words[0], "; context not understood: "
	if lang == schemas.LanguageChinese {
		text, also = words[1], "；未理解的 context："
	}
	if len(ignored) > 0 {
		const longest = 200
		names := strings.Join(ignored, ", ")
		text += also + strings.ToValidUTF8(names[:min(len(names), longest)], "")
	}
	return text
}
