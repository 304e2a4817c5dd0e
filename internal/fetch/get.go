package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits say what a caller takes.
type Limits struct {
	// MaxBytes caps the content, as sent and as opened. Required.
	MaxBytes int64
	// Accept lists media types in order of wish, without parameters; an answer of another type is refused. Empty takes any.
	Accept []string
}

// Response is an answer with status 200.
type Response struct {
	Body        []byte
	ContentType string // media type in lower case, without parameters; empty if the answer named none
	FetchedAt   time.Time
	ETag        string
	MaxAge      time.Duration // of Cache-Control, 0 when absent or when the answer forbids keeping it
}

// Message is what Post sends.
type Message struct {
	ContentType   string
	Body          []byte
	Authorization string            // header value for this host only; empty sends none
	Header        map[string]string // further fields, for this host only
}

// maxMaxAge bounds what a foreign cache header can ask for.
const maxMaxAge = 24 * time.Hour

// Get fetches url. Calls for the same url and limits at one time share one exchange, and a failure is repeated from memory
// for ten seconds. The body belongs to all who shared the call: do not change it. Errors wrap ErrUnavailable.
func (c *Client) Get(ctx context.Context, url string, l Limits) (Response, error) {
	t, err := c.parseTarget(url)
	if err != nil {
		return Response{}, fault(ErrBlocked, err)
	}
	if l.MaxBytes <= 0 {
		return Response{}, errors.New("fetch: limits without a size")
	}
	key := fmt.Sprintf("%s\n%d\n%s", url, l.MaxBytes, strings.Join(l.Accept, ","))
	if err := c.negative.get(key, c.now()); err != nil {
		return Response{}, err
	}
	// The shared exchange must not end because the caller that happened to come first went away.
	shared := context.WithoutCancel(ctx)
	result := c.flights.DoChan(key, func() (any, error) {
		r, err := c.exchange(shared, http.MethodGet, t, l, Message{})
		if err != nil {
			c.negative.put(key, err, c.now())
		}
		return r, err
	})
	select {
	case <-ctx.Done():
		return Response{}, fault(ErrTimeout, context.Cause(ctx))
	case r := <-result:
		if r.Err != nil {
			return Response{}, r.Err
		}
		return r.Val.(Response), nil
	}
}

// Post sends m to url and reads the answer like Get, without joining calls or remembering failures.
func (c *Client) Post(ctx context.Context, url string, m Message, l Limits) (Response, error) {
	t, err := c.parseTarget(url)
	if err != nil {
		return Response{}, fault(ErrBlocked, err)
	}
	if l.MaxBytes <= 0 {
		return Response{}, errors.New("fetch: limits without a size")
	}
	return c.exchange(ctx, http.MethodPost, t, l, m)
}

func (c *Client) exchange(ctx context.Context, method string, t target, l Limits, m Message) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	release, err := c.slots(ctx, t.host)
	if err != nil {
		return Response{}, fault(ErrTimeout, err)
	}
	defer release()
	req, err := c.request(ctx, method, t, l, m)
	if err != nil {
		return Response{}, fault(ErrBlocked, err)
	}
	// The transport itself, not a client: it follows no redirect and keeps no cookie.
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return Response{}, exchangeFault(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }() // the content was read or given up; nothing hangs on the close
	out, err := c.read(resp, l)
	if err != nil {
		return Response{}, exchangeFault(ctx, err)
	}
	return out, nil
}

func (c *Client) slots(ctx context.Context, host string) (func(), error) {
	release, err := c.hosts.acquire(ctx, host)
	if err != nil {
		return nil, err
	}
	if err := c.all.Acquire(ctx, 1); err != nil {
		release()
		return nil, err
	}
	return func() { c.all.Release(1); release() }, nil
}

func (c *Client) request(ctx context.Context, method string, t target, l Limits, m Message) (*http.Request, error) {
	var body io.Reader
	if method == http.MethodPost {
		body = bytes.NewReader(m.Body)
	}
	req, err := http.NewRequestWithContext(context.WithValue(ctx, targetKey{}, t), method, t.url.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("Accept-Encoding", "gzip")
	if len(l.Accept) > 0 {
		req.Header.Set("Accept", strings.Join(l.Accept, ", "))
	}
	if m.ContentType != "" {
		req.Header.Set("Content-Type", m.ContentType)
	}
	for name, value := range m.Header {
		req.Header.Set(name, value)
	}
	if m.Authorization != "" {
		req.Header.Set("Authorization", m.Authorization)
	}
	return req, nil
}

// exchangeFault keeps a reason that was already given and names the time when that is what ran out.
func exchangeFault(ctx context.Context, err error) error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if ctx.Err() != nil {
		return fault(ErrTimeout, err)
	}
	return fault(ErrConnect, err)
}

func (c *Client) read(resp *http.Response, l Limits) (Response, error) {
	if resp.StatusCode != http.StatusOK {
		e := fault(ErrStatus, nil)
		e.Status = resp.StatusCode
		return Response{}, e
	}
	mediaType, err := contentType(resp.Header, l.Accept)
	if err != nil {
		return Response{}, fault(ErrContent, err)
	}
	body, err := readBody(resp, l.MaxBytes)
	if err != nil {
		return Response{}, err
	}
	return Response{
		Body: body, ContentType: mediaType, FetchedAt: c.now().UTC(),
		ETag: resp.Header.Get("ETag"), MaxAge: maxAge(resp.Header.Values("Cache-Control")),
	}, nil
}

func contentType(h http.Header, accept []string) (string, error) {
	values := h.Values("Content-Type")
	if len(values) > 1 {
		return "", errors.New("more than one content type")
	}
	mediaType := ""
	if len(values) == 1 && values[0] != "" {
		m, _, err := mime.ParseMediaType(values[0])
		if err != nil {
			return "", err
		}
		mediaType = m
	}
	if len(accept) > 0 && !slices.Contains(accept, mediaType) {
		return "", fmt.Errorf("content type %q was not asked for", mediaType)
	}
	return mediaType, nil
}

func readBody(resp *http.Response, limit int64) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, fault(ErrTooLarge, nil)
	}
	packed, err := readCapped(resp.Body, limit)
	if err != nil {
		return nil, err
	}
	switch encodings := resp.Header.Values("Content-Encoding"); {
	case len(encodings) == 0, len(encodings) == 1 && strings.EqualFold(encodings[0], "identity"):
		return packed, nil
	case len(encodings) == 1 && strings.EqualFold(encodings[0], "gzip"):
		return gunzip(packed, limit)
	default:
		return nil, fault(ErrContent, errors.New("unknown content encoding"))
	}
}

// gunzip opens exactly one member, and nothing may follow it.
func gunzip(packed []byte, limit int64) ([]byte, error) {
	src := bytes.NewReader(packed)
	z, err := gzip.NewReader(src)
	if err != nil {
		return nil, fault(ErrContent, err)
	}
	z.Multistream(false)
	out, err := readCapped(z, limit)
	if err != nil {
		if _, ok := errors.AsType[*Error](err); ok {
			return nil, err
		}
		return nil, fault(ErrContent, err)
	}
	if src.Len() != 0 {
		return nil, fault(ErrContent, errors.New("bytes after the compressed content"))
	}
	return out, nil
}

func readCapped(r io.Reader, limit int64) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(out)) > limit {
		return nil, fault(ErrTooLarge, nil)
	}
	return out, nil
}

func maxAge(values []string) time.Duration {
	age := time.Duration(0)
	for _, directive := range strings.Split(strings.Join(values, ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(strings.ToLower(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err != nil {
				return 0
			}
			age = min(time.Duration(n)*time.Second, maxMaxAge)
		}
	}
	return age
}
