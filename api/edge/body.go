package edge

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"heartmark/api/problem"
	"heartmark/schemas"
)

// MediaType returns the media type of the request's body in lower case, without parameters. A charset other than UTF-8
// and a header that occurs twice are problem.ErrMediaType.
func MediaType(r *http.Request) (string, error) {
	values := r.Header.Values("Content-Type")
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 {
		return "", fmt.Errorf("content type given twice: %w", problem.ErrMediaType)
	}
	mediaType, params, err := mime.ParseMediaType(values[0])
	if err != nil {
		return "", fmt.Errorf("content type: %w: %w", problem.ErrMediaType, err)
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "", fmt.Errorf("charset %q: %w", charset, problem.ErrMediaType)
	}
	return mediaType, nil
}

// Read returns the whole body and its media type, which must be one of accepted. The router has capped the body already;
// what exceeds the cap is problem.ErrTooLarge.
func Read(r *http.Request, accepted ...string) (body []byte, mediaType string, err error) {
	mediaType, err = MediaType(r)
	if err != nil {
		return nil, "", err
	}
	if !slices.Contains(accepted, mediaType) {
		return nil, "", fmt.Errorf("content type %q: %w", mediaType, problem.ErrMediaType)
	}
	body, err = ReadAll(r)
	return body, mediaType, err
}

// ReadAll returns the whole body, whatever its media type.
func ReadAll(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, BodyError(err)
	}
	return body, nil
}

// BodyError tells a body beyond the cap from a connection that broke.
func BodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fmt.Errorf("%w: %w", problem.ErrTooLarge, err)
	}
	return fmt.Errorf("read body: %w: %w", schemas.ErrMalformed, err)
}

// ReadJSON decodes a JSON body strictly into v: names byte for byte, no unknown and no repeated members.
func ReadJSON(r *http.Request, v any) error {
	body, _, err := Read(r, "application/json", "application/ld+json")
	if err != nil {
		return err
	}
	return schemas.Decode(body, v)
}

// ReadForm reads a form body (application/x-www-form-urlencoded). A parameter must not occur twice (RFC 6749, 3.2), save
// those of repeatable (RFC 8707, 2); two parsers would read it apart.
func ReadForm(r *http.Request, repeatable ...string) (url.Values, error) {
	body, _, err := Read(r, "application/x-www-form-urlencoded")
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(body) {
		return nil, &schemas.FieldError{Expected: "UTF-8", Err: schemas.ErrMalformed}
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &schemas.FieldError{Expected: "a form", Err: fmt.Errorf("%w: %w", schemas.ErrMalformed, err)}
	}
	for name, got := range values {
		if len(got) > 1 && !slices.Contains(repeatable, name) {
			return nil, &schemas.FieldError{Pointer: "/" + clean(name), Expected: "each member once", Err: schemas.ErrMalformed}
		}
		for _, v := range append(got, name) {
			if !utf8.ValidString(v) {
				return nil, &schemas.FieldError{Pointer: "/" + clean(name), Expected: "UTF-8", Err: schemas.ErrMalformed}
			}
		}
	}
	return values, nil
}

// clean makes a stranger's name fit for a pointer in an answer.
func clean(name string) string {
	const longest = 64
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(strings.ToValidUTF8(name[:min(len(name), longest)], ""))
}

// Query returns the query parameters. One that is not known or occurs twice is problem.ErrQuery, so that a misspelt
// filter is never silently no filter.
func Query(r *http.Request, known ...string) (map[string]string, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", problem.ErrQuery, err)
	}
	out := map[string]string{}
	for name, got := range values {
		if !slices.Contains(known, name) || len(got) > 1 {
			return nil, fmt.Errorf("parameter %q: %w", name, problem.ErrQuery)
		}
		if !utf8.ValidString(got[0]) {
			return nil, fmt.Errorf("parameter %q is not UTF-8: %w", name, problem.ErrQuery)
		}
		out[name] = got[0]
	}
	return out, nil
}

// OpenQuery returns those query parameters that are known and leaves the others alone, where a protocol demands that
// (RFC 6749, 3.1). A known one that occurs twice is problem.ErrQuery.
func OpenQuery(r *http.Request, known ...string) (map[string]string, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", problem.ErrQuery, err)
	}
	out := map[string]string{}
	for _, name := range known {
		got := values[name]
		if len(got) > 1 || len(got) == 1 && !utf8.ValidString(got[0]) {
			return nil, fmt.Errorf("parameter %q: %w", name, problem.ErrQuery)
		}
		if len(got) == 1 {
			out[name] = got[0]
		}
	}
	return out, nil
}

// Param returns a path parameter with its escapes resolved once. The router matches on the raw path where a path has
// escapes beyond the plain ones, and hands the parameter out as it stands there.
func Param(r *http.Request, value string) string {
	if r.URL.RawPath == "" {
		return value
	}
	if plain, err := url.PathUnescape(value); err == nil && utf8.ValidString(plain) {
		return plain
	}
	return value
}

// DIDParam returns a DID that stands in the path raw or percent-encoded. A DID may itself hold an escape (the port of
// did:web is "%3A"); one that stands raw must not lose it.
func DIDParam(r *http.Request, value string) string {
	if strings.HasPrefix(value, "did:") && strings.Contains(value, "%") && !strings.Contains(value, "%25") {
		return value
	}
	return Param(r, value)
}

// DefaultLimit and MaxLimit bound a page of a list.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// Limit reads the limit parameter of a list.
func Limit(s string) (int, error) {
	if s == "" {
		return DefaultLimit, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > MaxLimit {
		return 0, fmt.Errorf("limit: %w", problem.ErrQuery)
	}
	return n, nil
}

// IdempotencyKey returns the Idempotency-Key header, empty where there is none.
func IdempotencyKey(r *http.Request) (string, error) {
	const longest = 128
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	if len(values) > 1 || key == "" || len(key) > longest || strings.ContainsFunc(key, func(c rune) bool { return c < '!' || c > '~' }) {
		return "", problem.ErrIdempotencyKey
	}
	return key, nil
}
