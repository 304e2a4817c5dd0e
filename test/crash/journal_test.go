//go:build crashpoints && unix

package crash_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// journal is the driver's own record of what it asked and what was answered, one JSON object a line. What was asked is
// written before it is sent.
type journal struct {
	mu   sync.Mutex // guards file
	file *os.File
}

type entry struct {
	N      uint64          `json:"n"`
	At     time.Time       `json:"at"`
	Event  string          `json:"event"` // ask, answer, lost, round
	What   string          `json:"what,omitempty"`
	Key    string          `json:"key,omitempty"`
	Status int             `json:"status,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
}

func newJournal(t *testing.T, dir string) *journal {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return &journal{file: f}
}

func (j *journal) write(e entry) error {
	e.At = time.Now().UTC()
	if !json.Valid(e.Body) {
		e.Body = nil
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, err = j.file.Write(append(line, '\n'))
	return err
}

// tail is the end of the journal, each line cut, for the report of a failure.
func (j *journal) tail() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	data, err := os.ReadFile(j.file.Name())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	lines = lines[max(0, len(lines)-40):]
	for n, line := range lines {
		lines[n] = line[:min(len(line), 240)]
	}
	return strings.Join(lines, "\n")
}

// client sends the driver's requests and writes them down.
type client struct {
	s       *installation
	journal *journal
	n       atomic.Uint64
}

// call is one request of the driver.
type call struct {
	method, path string
	body         any    // JSON, or form for a text
	key          string // idempotency key
	token        string // a wallet's; "" takes an API key of the tenant, publicly calls without
	public       bool
}

// maxWait bounds how long the driver waits for its rate limit.
const maxWait = 5 * time.Second

// errLost says that no answer came: nobody knows whether the request was carried out.
var errLost = errors.New("no answer")

// do sends c and returns the answer. A request that the rate limit turned away is sent again when it says so.
func (c *client) do(ctx context.Context, q call) (int, []byte, error) {
	n := c.n.Add(1)
	payload, mediaType, err := q.payload()
	if err != nil {
		return 0, nil, err
	}
	if err := c.journal.write(entry{N: n, Event: "ask", What: q.method + " " + q.path, Key: q.key, Body: payload}); err != nil {
		return 0, nil, err
	}
	for {
		status, body, wait, err := c.send(ctx, q, payload, mediaType, n)
		if err != nil {
			return 0, nil, errors.Join(fmt.Errorf("%s %s: %w: %w", q.method, q.path, errLost, err), c.journal.write(entry{N: n, Event: "lost"}))
		}
		if status != http.StatusTooManyRequests {
			return status, body, c.journal.write(entry{N: n, Event: "answer", Status: status, Body: body})
		}
		if err := pause(ctx, wait); err != nil {
			return 0, nil, fmt.Errorf("%s %s: %w: %w", q.method, q.path, errLost, err)
		}
	}
}

func (q call) payload() (data []byte, mediaType string, err error) {
	switch body := q.body.(type) {
	case nil:
		return nil, "", nil
	case string:
		return []byte(body), "application/x-www-form-urlencoded", nil
	}
	data, err = json.Marshal(q.body)
	return data, "application/json", err
}

func (c *client) send(ctx context.Context, q call, payload []byte, mediaType string, n uint64) (status int, body []byte, wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, q.method, "http://"+c.s.config.Listen+q.path, bytes.NewReader(payload))
	if err != nil {
		return 0, nil, 0, err
	}
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	if q.key != "" {
		request.Header.Set("Idempotency-Key", q.key)
	}
	switch {
	case q.token != "":
		request.Header.Set("Authorization", "Bearer "+q.token)
	case !q.public:
		request.Header.Set("Authorization", "Bearer "+c.s.apiKeys[n%uint64(len(c.s.apiKeys))])
	}
	answer, err := c.s.client.Do(request)
	if err != nil {
		return 0, nil, 0, err
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		return 0, nil, 0, err
	}
	seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil {
		seconds = 1
	}
	return answer.StatusCode, body, min(time.Duration(seconds)*time.Second, maxWait), nil
}

// want sends q and reads the answer into the value; any other status is an error.
func (c *client) want(ctx context.Context, q call, status int, into any) error {
	got, body, err := c.do(ctx, q)
	if err != nil {
		return err
	}
	if got != status {
		return fmt.Errorf("%s %s answered %d, want %d: %s", q.method, q.path, got, status, bytes.TrimSpace(body))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}
