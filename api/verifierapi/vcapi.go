package verifierapi

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/schemas"
	"heartmark/verifier"

	"github.com/labstack/echo/v4"
)

// typeUnknownOption is VCALM's problem type for options that are not known.
const typeUnknownOption = "https://w3id.org/vc/vcalm#UNKNOWN_OPTION_PROVIDED"

// VCAPIResult is the answer of the VC API's verify routes (VCALM 3.3). Where the verdict is not valid, Type, Title, Status and
// Detail make it a problem document.
type VCAPIResult struct {
	Type   string `json:"type,omitempty"`
	Title  string `json:"title,omitempty"`
	Status int    `json:"status,omitempty"`
	Detail string `json:"detail,omitempty"`

	Verified       bool           `json:"verified"`
	Credential     any            `json:"credential,omitempty"`
	Presentation   any            `json:"verifiablePresentation,omitempty"`
	ProblemDetails []VCAPIProblem `json:"problemDetails"`
	Results        map[string]any `json:"results,omitempty"`
}

// VCAPIProblem is one entry of problemDetails.
type VCAPIProblem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
}

// vcOptions are the options of both routes. checks is what test runners send; it takes no check away.
type vcOptions struct {
	Challenge            string
	Domain               string
	ReturnDocument       bool
	ReturnResults        bool
	ReturnProblemDetails bool
}

// VerifyCredential is POST /vc/{issuer}/credentials/verify.
func (h *Handler) VerifyCredential(c echo.Context) error {
	return h.vcAPI(c, "verifiableCredential", []string{"verifiableCredential"}, envelope{"EnvelopedVerifiableCredential", "vc+jwt", "application/vc"})
}

// VerifyPresentation is POST /vc/{issuer}/presentations/verify.
func (h *Handler) VerifyPresentation(c echo.Context) error {
	return h.vcAPI(c, "verifiablePresentation", []string{"verifiablePresentation", "presentation"}, envelope{"EnvelopedVerifiablePresentation", "vp+jwt", "application/vp"})
}

// envelope is how a token stands in JSON (VC Data Model 2.0, 4.13), and the media type of what is none.
type envelope struct{ typ, token, plain string }

func (h *Handler) vcAPI(c echo.Context, kind string, members []string, e envelope) error {
	r := c.Request()
	if err := h.Statements.Known(r.Context(), c.Param("issuer")); err != nil {
		return err
	}
	raw, _, err := edge.Read(r, "application/json", "application/ld+json")
	if err != nil {
		return err
	}
	m, err := schemas.ParseObject(raw)
	if err != nil {
		return fmt.Errorf("%w: %w", verifier.ErrUnreadable, err)
	}
	in, err := vcInput(m, members, e)
	if err != nil {
		return err
	}
	options, err := readVCOptions(m, kind)
	if err != nil {
		return err
	}
	in.Challenge, in.Domain, in.Tenant = options.Challenge, options.Domain, c.Param("issuer")
	result, err := h.Verifier.Verify(r.Context(), in)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	answer := vcResult(h.translated(edge.Language(r), result), options, kind)
	c.Response().Header().Set("Content-Language", edge.Language(r))
	if answer.Verified {
		return edge.JSON(c.Response(), http.StatusOK, answer)
	}
	// The suites ask for 400 where VCALM answers 200 (design, section 9.13).
	first := VCAPIProblem{Type: "about:blank", Title: "not verified"}
	if found := problemsOf(result); len(found) > 0 {
		first = found[0]
	}
	answer.Type, answer.Title, answer.Detail, answer.Status = first.Type, first.Title, first.Detail, http.StatusBadRequest
	return edge.JSONAs(c.Response(), http.StatusBadRequest, "application/problem+json", answer)
}

// vcInput takes the one document of the body, opening an envelope.
func vcInput(m map[string]any, members []string, e envelope) (verifier.Input, error) {
	for name := range m {
		if name != "options" && !slices.Contains(members, name) {
			return verifier.Input{}, &schemas.FieldError{Pointer: "/" + name, Expected: "no such member", Err: schemas.ErrUnknownMember}
		}
	}
	var name string
	for _, candidate := range members {
		if _, present := m[candidate]; present {
			if name != "" {
				return verifier.Input{}, &schemas.FieldError{Pointer: "/" + candidate, Expected: "one document", Err: schemas.ErrMalformed}
			}
			name = candidate
		}
	}
	doc, isObject := m[name].(map[string]any)
	if !isObject {
		return verifier.Input{}, fmt.Errorf("%w: %w", verifier.ErrUnreadable, &schemas.FieldError{Pointer: "/" + members[0], Expected: "an object", Err: schemas.ErrMalformed})
	}
	if doc["type"] != e.typ {
		return verifier.Input{Document: doc, MediaType: e.plain}, nil
	}
	id, _ := doc["id"].(string)
	token, isData := strings.CutPrefix(id, "data:application/"+e.token+",")
	contexts := doc["@context"]
	if list, isList := contexts.([]any); isList && len(list) == 1 {
		contexts = list[0]
	}
	if !isData || contexts != schemas.ContextV2 {
		return verifier.Input{}, fmt.Errorf("%w: %w", verifier.ErrUnreadable, &schemas.FieldError{
			Pointer: "/" + name, Expected: "an envelope with the v2 context and a data: URL of application/" + e.token, Err: schemas.ErrMalformed,
		})
	}
	return verifier.Input{Data: []byte(token), MediaType: "application/" + e.token}, nil
}

// readVCOptions reads options strictly: one that is not known is an error (VCALM 2.4; security case SEC-138).
func readVCOptions(m map[string]any, kind string) (vcOptions, error) {
	out := vcOptions{ReturnResults: true, ReturnProblemDetails: true}
	value, present := m["options"]
	if !present {
		return out, nil
	}
	given, isObject := value.(map[string]any)
	if !isObject {
		return out, &schemas.FieldError{Pointer: "/options", Expected: "an object", Err: schemas.ErrMalformed}
	}
	texts := map[string]*string{"challenge": &out.Challenge, "domain": &out.Domain}
	flags := map[string]*bool{"returnResults": &out.ReturnResults, "returnProblemDetails": &out.ReturnProblemDetails, "returnCredential": &out.ReturnDocument}
	if kind == "verifiablePresentation" {
		delete(flags, "returnCredential")
		flags["returnPresentation"] = &out.ReturnDocument
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		at := "/options/" + name
		var ok bool
		switch {
		case texts[name] != nil:
			*texts[name], ok = given[name].(string)
			ok = ok && *texts[name] != ""
		case flags[name] != nil:
			*flags[name], ok = given[name].(bool)
		case name == "checks":
			ok = knownChecks(given[name])
		default:
			return out, problem.Typed(&schemas.FieldError{Pointer: at, Expected: "no such option", Err: schemas.ErrUnknownMember}, typeUnknownOption)
		}
		if !ok {
			return out, &schemas.FieldError{Pointer: at, Expected: "a value of its kind", Err: schemas.ErrMalformed}
		}
	}
	return out, nil
}

func knownChecks(v any) bool {
	list, isList := v.([]any)
	return isList && !slices.ContainsFunc(list, func(c any) bool { return c != "proof" && c != "credentialStatus" })
}

func vcResult(r verifier.Result, o vcOptions, kind string) VCAPIResult {
	out := VCAPIResult{Verified: r.Verdict == verifier.Valid, ProblemDetails: []VCAPIProblem{}}
	if o.ReturnProblemDetails {
		out.ProblemDetails = append(out.ProblemDetails, problemsOf(r)...)
	}
	credential := kind == "verifiableCredential"
	if o.ReturnDocument && credential {
		out.Credential = r.Credential
	} else if o.ReturnDocument {
		out.Presentation = r.Credential
	}
	if !o.ReturnResults {
		return out
	}
	if credential {
		out.Results = credentialResults(r)
		return out
	}
	inside := make([]any, len(r.Inner))
	for i, inner := range r.Inner {
		one := vcResult(inner, vcOptions{ReturnResults: true, ReturnProblemDetails: o.ReturnProblemDetails}, "verifiableCredential")
		inside[i] = one
	}
	replay, holder := r.Outcome(verifier.CheckReplay), r.Outcome(verifier.CheckHolderBinding)
	presentation := map[string]any{"proof": proofResults(r), "holder": item(holder == verifier.Pass, r.Credential["holder"])}
	for name, input := range map[string]string{"challenge": o.Challenge, "domain": o.Domain} {
		if input != "" {
			presentation[name] = item(replay == verifier.Pass, input)
		}
	}
	out.Results = map[string]any{"presentation": presentation, "credentials": inside}
	return out
}

func item(verified bool, input any) map[string]any {
	return map[string]any{"verified": verified, "input": input}
}

func credentialResults(r verifier.Result) map[string]any {
	out := map[string]any{"proof": proofResults(r)}
	period := r.Outcome(verifier.CheckPeriod) == verifier.Pass
	for _, name := range []string{"validFrom", "validUntil"} {
		if value, present := r.Credential[name]; present {
			out[name] = item(period, value)
		}
	}
	var schemaItems, statusItems []any
	for _, c := range r.Find(verifier.CheckSchema) {
		if input, found := at(r.Credential, c.Pointer); found && strings.HasPrefix(c.Pointer, "/credentialSchema") {
			schemaItems = append(schemaItems, item(c.Outcome == verifier.Pass, input))
		}
	}
	for _, c := range r.Find(verifier.CheckStatus) {
		input, found := at(r.Credential, c.Pointer)
		if !found || !strings.HasPrefix(c.Pointer, "/credentialStatus") {
			continue
		}
		// verified says that the check worked, value what it found.
		set := c.Code == "status_revoked" || c.Code == "status_suspended"
		entry := item(c.Outcome == verifier.Pass || set, input)
		if c.Outcome == verifier.Pass {
			entry["value"] = 0
		} else if set {
			entry["value"] = 1
		}
		statusItems = append(statusItems, entry)
	}
	if schemaItems != nil {
		out["credentialSchema"] = schemaItems
	}
	if statusItems != nil {
		out["credentialStatus"] = statusItems
	}
	return out
}

func proofResults(r verifier.Result) []any {
	out := []any{}
	for _, c := range r.Find(verifier.CheckProof) {
		input, _ := at(r.Credential, c.Pointer)
		out = append(out, item(c.Outcome == verifier.Pass, input))
	}
	return out
}

// at follows a JSON Pointer of a check; its deeper steps, which name a member at fault, are cut to the entry.
func at(doc map[string]any, pointer string) (any, bool) {
	steps := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	if pointer == "" || len(steps) == 0 {
		return nil, false
	}
	value, present := doc[steps[0]]
	if list, isList := value.([]any); isList && len(steps) > 1 {
		i, err := strconv.Atoi(steps[1])
		if err != nil || i < 0 || i >= len(list) {
			return nil, false
		}
		return list[i], true
	}
	return value, present
}

// problemsOf lists what stands against a result: what failed, could not be decided or was not done.
func problemsOf(r verifier.Result) []VCAPIProblem {
	var out []VCAPIProblem
	for _, outcome := range []verifier.Outcome{verifier.Fail, verifier.NotDetermined, verifier.Skipped} {
		for _, c := range r.Checks {
			if c.Outcome == outcome && c.Type != "" {
				out = append(out, VCAPIProblem{Type: c.Type, Title: strings.ReplaceAll(c.Code, "_", " "), Detail: c.Detail})
			}
		}
	}
	for _, inner := range r.Inner {
		out = append(out, problemsOf(inner)...)
	}
	return out
}
