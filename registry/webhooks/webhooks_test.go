package webhooks_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/internal/store/badger"
	"heartmark/internal/testkit"
	"heartmark/registry"
	"heartmark/registry/webhooks"
	"heartmark/schemas"
)

var errNoHost = errors.New("no such host")

// world is a service over a real store, with a log of events and a receiver that a test sets.
type world struct {
	*webhooks.Service
	t      *testing.T
	clock  *testkit.Clock
	key    ed25519.PrivateKey
	events []registry.Event

	mu     sync.Mutex // guards the rest
	got    []webhooks.Message
	answer func(m webhooks.Message) (int, error)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := badger.Open(badger.Config{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{
		t: t, clock: testkit.NewClock(time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)), key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, 32)),
		answer: func(webhooks.Message) (int, error) { return 204, nil },
	}
	ids := 0
	w.Service, err = webhooks.New(webhooks.Config{
		DID: "did:web:r.example", Store: db.Webhooks(), Events: w, Sender: w, Log: slog.New(slog.DiscardHandler), Now: w.clock.Now,
		Size:    func(context.Context) (uint64, error) { return uint64(len(w.events)), nil },
		Tenants: func(context.Context) ([]string, error) { return []string{"acme", "beta"}, nil },
		Seal: func(_ context.Context, tenant, id string, secret []byte) ([]byte, error) {
			return append([]byte(tenant+id), secret...), nil
		},
		Open: func(_ context.Context, tenant, id string, sealed []byte) ([]byte, error) {
			return bytes.TrimPrefix(sealed, []byte(tenant+id)), nil
		},
		Signer: func(context.Context) (crypto.Signer, string, error) { return w.key, "did:web:r.example#s", nil },
		NewID:  func() string { ids++; return fmt.Sprintf("id-%03d", ids) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) Events(_ context.Context, first uint64, limit int) ([]registry.Event, uint64, error) {
	size := uint64(len(w.events))
	if first >= size {
		return nil, first, nil
	}
	next := min(first+uint64(limit), size)
	return w.events[first:next], next, nil
}

func (w *world) happens(kind string) {
	n := uint64(len(w.events))
	w.events = append(w.events, registry.Event{Index: n, Kind: kind, Subject: fmt.Sprint("s", n), At: "2026-01-10T09:00:00Z", Data: json.RawMessage(`{"n":1}`)})
}

func (w *world) Check(url string) error {
	if !strings.HasPrefix(url, "https://") || strings.Contains(url, "127.0.0.1") {
		return errors.New("blocked")
	}
	return nil
}

func (w *world) Send(_ context.Context, m webhooks.Message) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.got = append(w.got, m)
	return w.answer(m)
}

// delivered runs one round and returns the ids of the events that were sent, in order.
func (w *world) delivered() string {
	w.t.Helper()
	w.mu.Lock()
	w.got = nil
	w.mu.Unlock()
	if err := w.Deliver(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for _, m := range w.got {
		ids = append(ids, m.Header["Heartmark-Event"])
	}
	return strings.Join(ids, " ")
}

func (w *world) create(tenant string, kinds ...string) (webhooks.Subscription, string) {
	w.t.Helper()
	sub, secret, err := w.Create(w.t.Context(), tenant, "https://a.example/hook", kinds)
	if err != nil {
		w.t.Fatal(err)
	}
	return sub, secret
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.happens("key") // before the subscription: not sent
	sub, secret := w.create("acme", "authority", "status_list")
	for _, kind := range []string{"authority", "key", "status_list"} {
		w.happens(kind)
	}
	if got := w.delivered(); got != "1 3" {
		t.Fatalf("sent %q, want 1 3", got)
	}
	m := w.got[0]
	if m.URL != sub.URL || !strings.Contains(string(m.Body), `"registry":"did:web:r.example"`) || !strings.Contains(string(m.Body), `"kind":"authority"`) {
		t.Errorf("message %s %s", m.URL, m.Body)
	}
	w.checkSignatures(m, secret)
	if got := w.delivered(); got != "" {
		t.Errorf("sent again: %q", got)
	}
	if _, err := w.Replay(t.Context(), "acme", sub.ID, 0); err != nil {
		t.Fatal(err)
	}
	if got := w.delivered(); got != "1 3" {
		t.Errorf("replay sent %q, want 1 3", got)
	}
}

// A receiver that takes its time gives others their turn, and goes on where it was.
func TestSlowReceiver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("acme")
	for range 4 {
		w.happens("key")
	}
	w.answer = func(webhooks.Message) (int, error) { w.clock.Advance(6 * time.Second); return 200, nil }
	for _, want := range []string{"0 1", "2 3", ""} {
		if got := w.delivered(); got != want {
			t.Errorf("one round sent %q, want %q", got, want)
		}
	}
}

// What is signed is the address of the request that arrives: with a path, and escaped.
func TestSignedAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://a.example": "https://a.example/", "https://a.example?k=1": "https://a.example/?k=1",
		"https://a.example/a|b?k=|": "https://a.example/a%7Cb?k=|",
	} {
		w := newWorld(t)
		_, secret, err := w.Create(t.Context(), "acme", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.happens("key")
		w.delivered()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.got[0].URL, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		m := w.got[0]
		if m.URL = "https://" + r.URL.Host + r.URL.RequestURI(); m.URL != want {
			t.Errorf("%s arrives at %s, want %s", address, m.URL, want)
		}
		w.checkSignatures(m, secret)
	}
}

// checkSignatures verifies both signatures as a receiver does.
func (w *world) checkSignatures(m webhooks.Message, secret string) {
	w.t.Helper()
	key, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil || len(key) != 32 {
		w.t.Fatalf("secret %q: %v", secret, err)
	}
	stamp, mac, _ := strings.Cut(strings.TrimPrefix(m.Header["Heartmark-Webhook"], "t="), ",v1=")
	want := hmac.New(sha256.New, key)
	want.Write([]byte(stamp + "." + string(m.Body)))
	if mac != hex.EncodeToString(want.Sum(nil)) {
		w.t.Errorf("HMAC %s", m.Header["Heartmark-Webhook"])
	}
	digest := sha256.Sum256(m.Body)
	if m.Header["Content-Digest"] != "sha-256=:"+base64.StdEncoding.EncodeToString(digest[:])+":" {
		w.t.Errorf("digest %s", m.Header["Content-Digest"])
	}
	params := strings.TrimPrefix(m.Header["Signature-Input"], "sig1=")
	if !strings.Contains(params, `;keyid="did:web:r.example#s";alg="ed25519"`) {
		w.t.Errorf("parameters %s", params)
	}
	base := "\"@method\": POST\n\"@target-uri\": " + m.URL + "\n\"content-type\": application/json\n\"content-digest\": " + m.Header["Content-Digest"] +
		"\n\"heartmark-event\": " + m.Header["Heartmark-Event"] + "\n\"@signature-params\": " + params
	signature, err := base64.StdEncoding.DecodeString(strings.Trim(strings.TrimPrefix(m.Header["Signature"], "sig1="), ":"))
	if err != nil || !ed25519.Verify(w.key.Public().(ed25519.PublicKey), []byte(base), signature) {
		w.t.Errorf("message signature %s: %v", m.Header["Signature"], err)
	}
}

// A failing receiver is tried with growing pauses, holds back what comes after, and after the last try the event is a dead
// letter and the next one has its turn. Nothing of this depends on the process that began it.
func TestBackOffAndDeadLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	sub, _ := w.create("acme")
	w.happens("key")
	w.happens("authority")
	w.answer = func(m webhooks.Message) (int, error) {
		if m.Header["Heartmark-Event"] == "0" {
			return 0, errNoHost
		}
		return 200, nil
	}
	tries := 0
	pauses := []time.Duration{2 * time.Second, 6 * time.Second, 18 * time.Second}
	for range 100 {
		got := w.delivered()
		if got == "0" {
			tries++
			state, err := w.Get(ctx, "acme", sub.ID)
			if err != nil || state.Attempts != tries || state.LastError != "no answer" || strings.Contains(state.LastError, errNoHost.Error()) {
				t.Fatalf("after try %d: %+v, %v", tries, state, err)
			}
			if tries <= len(pauses) && state.RetryAt.Sub(w.clock.Now()) != pauses[tries-1] {
				t.Errorf("pause after try %d is %s, want %s", tries, state.RetryAt.Sub(w.clock.Now()), pauses[tries-1])
			}
			if again := w.delivered(); again != "" {
				t.Errorf("sent before its time: %q", again)
			}
			w.clock.Advance(state.RetryAt.Sub(w.clock.Now()))
			continue
		}
		if got != "0 1" {
			t.Fatalf("after %d tries: %q, want the last try and the next event", tries, got)
		}
		tries++
		break
	}
	dead, err := w.DeadLetters(ctx, "acme", sub.ID, 0, 10)
	if err != nil || tries != 10 || len(dead) != 1 || dead[0].Event != 0 || dead[0].Attempts != 10 || dead[0].Kind != "key" {
		t.Fatalf("%d tries, dead letters %+v, %v", tries, dead, err)
	}
	w.answer = func(webhooks.Message) (int, error) { return 200, nil }
	if _, err := w.Replay(ctx, "acme", sub.ID, dead[0].Event); err != nil {
		t.Fatal(err)
	}
	if got := w.delivered(); got != "0 1" {
		t.Errorf("replay sent %q", got)
	}
	if dead, err = w.DeadLetters(ctx, "acme", sub.ID, 0, 10); err != nil || len(dead) != 0 {
		t.Errorf("dead letters after delivery: %+v, %v", dead, err)
	}
}

// SEC-096: a receiver that answers with a redirect has failed; the request with its signatures goes nowhere else.
func TestSEC_096_AnswersThatFail(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{302: "answered with 302", 307: "answered with 307", 404: "answered with 404", 500: "answered with 500", 199: "answered with 199"} {
		w := newWorld(t)
		sub, _ := w.create("acme")
		w.happens("key")
		w.answer = func(webhooks.Message) (int, error) { return status, nil }
		w.delivered()
		if len(w.got) != 1 {
			t.Errorf("%d: %d requests", status, len(w.got))
		}
		if state, err := w.Get(t.Context(), "acme", sub.ID); err != nil || state.LastError != want || state.Next != 0 {
			t.Errorf("%d: %+v, %v", status, state, err)
		}
	}
	w := newWorld(t)
	sub, _ := w.create("acme")
	w.happens("key")
	w.answer = func(webhooks.Message) (int, error) { return http.StatusGone, nil }
	w.delivered()
	w.clock.Advance(24 * time.Hour)
	if got := w.delivered(); got != "" {
		t.Errorf("a receiver that is gone got %q", got)
	}
	w.answer = func(webhooks.Message) (int, error) { return 200, nil }
	if _, err := w.Replay(t.Context(), "acme", sub.ID, 0); err != nil {
		t.Fatal(err)
	}
	if got := w.delivered(); got != "0" {
		t.Errorf("after a replay it got %q", got)
	}
}

// SEC-099, SEC-156: addresses inside are refused at once; nobody reaches another tenant's webhook.
func TestSEC_099_Refusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	for _, url := range []string{"http://a.example/", "https://127.0.0.1/", ""} {
		if _, _, err := w.Create(ctx, "acme", url, nil); !errors.Is(err, webhooks.ErrTarget) {
			t.Errorf("Create(%q): %v, want ErrTarget", url, err)
		}
	}
	for _, kinds := range [][]string{{"issued"}, {"key", "key"}, {""}} {
		if _, _, err := w.Create(ctx, "acme", "https://a.example/", kinds); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("kinds %q: %v, want ErrMalformed", kinds, err)
		}
	}
	sub, _ := w.create("acme")
	for name, err := range map[string]error{
		"get": second(w.Get(ctx, "beta", sub.ID)), "delete": w.Delete(ctx, "beta", sub.ID), "replay": second(w.Replay(ctx, "beta", sub.ID, 0)),
		"dead": second(w.DeadLetters(ctx, "beta", sub.ID, 0, 1)),
	} {
		if !errors.Is(err, webhooks.ErrNotFound) {
			t.Errorf("%s by another tenant: %v, want ErrNotFound", name, err)
		}
	}
	for range 19 {
		w.create("acme")
	}
	if _, _, err := w.Create(ctx, "acme", "https://a.example/", nil); !errors.Is(err, webhooks.ErrTooMany) {
		t.Errorf("one more: %v, want ErrTooMany", err)
	}
	if err := w.Delete(ctx, "acme", sub.ID); err != nil {
		t.Fatal(err)
	}
	w.happens("key")
	if got := strings.Fields(w.delivered()); len(got) != 19 {
		t.Errorf("%d requests after a deletion, want 19", len(got))
	}
}

func second[T any](_ T, err error) error { return err }
