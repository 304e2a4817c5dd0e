package login

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"heartmark/internal/fetch"
)

// maxAnswer bounds what a provider may answer: a discovery document, a key set, a token response.
const maxAnswer = 256 << 10

// transport carries the requests of the OpenID Connect library over the guarded client: https to public addresses,
// no redirects, capped sizes and times. An answer other than 200 is an error.
type transport struct{ client *fetch.Client }

var _ http.RoundTripper = transport{}

// RoundTrip implements http.RoundTripper for GET and for POST of forms.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	limits := fetch.Limits{MaxBytes: maxAnswer, Accept: []string{"application/json", "application/jwk-set+json"}}
	var got fetch.Response
	var err error
	switch r.Method {
	case http.MethodGet:
		got, err = t.client.Get(r.Context(), r.URL.String(), limits)
	case http.MethodPost:
		var body []byte
		if body, err = io.ReadAll(io.LimitReader(r.Body, maxAnswer)); err != nil {
			break
		}
		got, err = t.client.Post(r.Context(), r.URL.String(), fetch.Message{
			ContentType: r.Header.Get("Content-Type"), Body: body, Authorization: r.Header.Get("Authorization"),
		}, limits)
	default:
		err = fmt.Errorf("method %s is not used here", r.Method)
	}
	if r.Body != nil {
		_ = r.Body.Close() // it was read or is not wanted
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {got.ContentType}}, Body: io.NopCloser(bytes.NewReader(got.Body)),
		ContentLength: int64(len(got.Body)), Request: r,
	}, nil
}
