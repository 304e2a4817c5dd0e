package rollout_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/assessment/rollout"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	currentModel = rollout.Digest("aa")
	shadowModel  = rollout.Digest("bb")
	canary       = "canary-7431"
)

// batch is a short talk of one subject with a text of their own in it.
func batch(t *testing.T, subject string, lines int) evidence.Batch {
	t.Helper()
	var b bytes.Buffer
	put := func(v map[string]any) {
		v["v"], v["platform"], v["ts"] = 1, "plaza", "2026-05-01T10:00:00Z"
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(data, '\n'))
	}
	put(map[string]any{"type": "consent", "id": "c", "actor": subject, "purposes": []string{"process", "score"}, "adult": true, "policy": "1", "expires": "2099-01-01T00:00:00Z"})
	for n := range lines {
		put(map[string]any{"type": "message", "id": fmt.Sprint("f", n), "actor": "friend", "conversation": fmt.Sprint("r", n), "text": fmt.Sprintf("My dog passed away this morning, number %d.", n)})
		put(map[string]any{"type": "message", "id": fmt.Sprint("m", n), "actor": subject, "conversation": fmt.Sprint("r", n), "text": fmt.Sprintf("I'm so sorry, how are you holding up? %s %s %d", canary, subject, n)})
	}
	got, issues, err := evidence.Read(&b, evidence.Options{Format: evidence.FormatJSONL, NewSalt: func() [16]byte { return [16]byte{1} }})
	if err != nil {
		t.Fatalf("%v: %v", err, issues)
	}
	return got
}

type watched struct {
	store   *memoryStore
	monitor *rollout.Monitor
	shadow  *rollout.Shadow
	current *fakeClassifier
	second  *fakeClassifier
	log     *bytes.Buffer
	now     time.Time
}

type watchOptions struct {
	share float64
	queue int
}

func watch(t *testing.T, o watchOptions, second *fakeClassifier) *watched {
	t.Helper()
	w := &watched{store: newMemoryStore(), current: newFake(t), second: second, log: &bytes.Buffer{}, now: moment()}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	now := func() time.Time { return w.now }
	var err error
	if second != nil {
		w.shadow, err = rollout.NewShadow(rollout.ShadowConfig{
			Model: shadowModel, Current: currentModel, Assessor: assessment.Config{Classifier: second}, Kinds: w.current.kind, Share: o.share,
			Key: []byte("k"), Queue: o.queue, Store: w.store, Now: now, Log: log,
		}, w.current.Info())
		if err != nil {
			t.Fatal(err)
		}
	}
	w.monitor, err = rollout.NewMonitor(rollout.MonitorConfig{
		Model: currentModel, Assessor: assessment.Config{Classifier: w.current}, Kinds: w.current.kind, Shadow: w.shadow, Key: []byte("k"),
		Store: w.store, Now: now, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watched) comparison(t *testing.T) rollout.Comparison {
	t.Helper()
	builtIn, err := rollout.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	c, err := rollout.New(rollout.Config{
		Store: w.store, BuiltIn: builtIn, Sealer: sealer{}, Now: moment, Journal: func(context.Context, rollout.Event) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Comparison(t.Context(), shadowModel, currentModel)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The monitor gives what a plain assessor gives, byte by byte, highlights included.
func TestMonitorChangesNothing(t *testing.T) {
	t.Parallel()
	w := watch(t, watchOptions{share: 1}, newFake(t))
	plain, err := assessment.New(assessment.Config{Classifier: newFake(t)})
	if err != nil {
		t.Fatal(err)
	}
	b := batch(t, "u1", 30)
	want, err := plain.Assess(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.monitor.Assess(t.Context(), b)
	if err != nil || len(got) != 1 || len(want) != 1 {
		t.Fatalf("Assess: %d reports, %v", len(got), err)
	}
	a, _ := want[0].JSON()
	c, _ := got[0].JSON()
	if !bytes.Equal(a, c) || got[0].ID != want[0].ID {
		t.Errorf("the monitor's report differs:\n%s\n%s", a, c)
	}
	if _, err := w.monitor.Assess(t.Context(), evidence.Batch{}); err == nil {
		t.Error("a batch without receipts was assessed")
	}
}

func TestShadowComparesAndKeepsNoText(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		second := newFake(t)
		second.bend = func(head string, v []float64) {
			if head == assessment.HeadDistress {
				v[0] = 1 - v[0]
			}
		}
		w := watch(t, watchOptions{share: 1, queue: 4096}, second)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = w.monitor.Run(ctx) })
		for n := range 9 {
			if _, err := w.monitor.Assess(ctx, batch(t, fmt.Sprint("user", n), 5)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := len(w.store.documents); n != 0 {
			t.Errorf("%d records of nine people were stored, want none before the tenth", n)
		}
		if _, err := w.monitor.Assess(ctx, batch(t, "user9", 5)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		cancel()
		running.Wait()
		c := w.comparison(t)
		// Five answers alone and in context, the four that open with a phrase said before also whole (for hostility),
		// and five messages of the friend, for each of ten people.
		if c.Messages != 190 || c.People != 10 || c.Dropped != 0 || c.Failed != 0 || c.Languages["en"] != 190 {
			t.Errorf("comparison %+v", c)
		}
		if h := c.Heads[assessment.HeadDistress]["en"]; h.N != 190 || h.Agreement() != 0 || h.MeanAbs() < 0.5 {
			t.Errorf("distress: %+v, want no agreement", h)
		}
		if h := c.Heads[assessment.HeadHostility]["en"]; h.N != 190 || h.Agreement() != 1 || h.MeanAbs() != 0 {
			t.Errorf("hostility: %+v, want full agreement", h)
		}
		for key, data := range w.store.documents {
			if bytes.Contains(data, []byte(canary)) || bytes.Contains(data, []byte("user")) || bytes.Contains(data, []byte("holding")) {
				t.Errorf("record %v tells of a text or a person", key)
			}
		}
		if strings.Contains(w.log.String(), canary) {
			t.Error("the log has a text")
		}
	})
}

func TestShadowNeverDelays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		second := newFake(t)
		second.wait = make(chan struct{}) // never answers
		w := watch(t, watchOptions{share: 1, queue: 8}, second)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = w.monitor.Run(ctx) })
		start := time.Now()
		for n := range 12 {
			if _, err := w.monitor.Assess(ctx, batch(t, fmt.Sprint("user", n), 5)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("assessments waited %v for the shadow", took)
		}
		registry := prometheus.NewRegistry()
		registry.MustRegister(w.monitor)
		if got := gather(t, registry, "heartmark_shadow_messages_total", "dropped"); got < 12*15-8-32-4-12 {
			t.Errorf("%v dropped, want nearly all of 180", got)
		}
		cancel()
		running.Wait()
	})
}

func gather(t *testing.T, r *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && m.GetLabel()[0].GetValue() == label {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return -1
}

func TestShadowFaultsDoNotReachPeople(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		second := newFake(t)
		second.fail = errBroken
		w := watch(t, watchOptions{share: 1, queue: 4096}, second)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = w.monitor.Run(ctx) })
		for n := range 3 {
			reports, err := w.monitor.Assess(ctx, batch(t, fmt.Sprint("user", n), 5))
			if err != nil || len(reports) != 1 {
				t.Errorf("Assess beside a broken shadow: %v", err)
			}
		}
		synctest.Wait()
		cancel()
		running.Wait()
		if n := strings.Count(w.log.String(), "gives no answer"); n != 1 {
			t.Errorf("the fault is told %d times, want once: %s", n, w.log)
		}
	})
}

// The same messages are in the sample each time, and about as many as the share says.
func TestShadowSample(t *testing.T) {
	t.Parallel()
	sample := func(share float64) int {
		second := newFake(t)
		synctest.Test(t, func(t *testing.T) {
			w := watch(t, watchOptions{share: share, queue: 4096}, second)
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { _ = w.shadow.Run(ctx) })
			in := make([]assessment.ClassifierInput, 2000)
			scores := make([]assessment.Scores, len(in))
			for n := range in {
				in[n] = assessment.ClassifierInput{Text: fmt.Sprint("message ", n), Lang: "en"}
				scores[n] = assessment.Scores{}
			}
			w.shadow.Offer(1, in, scores)
			synctest.Wait()
			cancel()
			running.Wait()
		})
		return second.rows
	}
	tenth := sample(0.1)
	if tenth < 140 || tenth > 260 {
		t.Errorf("a tenth of 2,000 messages is %d", tenth)
	}
	if again := sample(0.1); again != tenth {
		t.Errorf("the sample changes from %d to %d", tenth, again)
	}
	if all := sample(1); all != 2000 {
		t.Errorf("all of 2,000 messages are %d", all)
	}
}

func TestDriftWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, watchOptions{}, nil)
		registry := prometheus.NewRegistry()
		registry.MustRegister(w.monitor)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = w.monitor.Run(ctx) })
		rng := rand.New(rand.NewPCG(1, 1))
		spread := func(shift float64) func(string, []float64) {
			return func(head string, v []float64) {
				if head == assessment.HeadDistress {
					v[0] = min(max(0.5+shift+0.15*rng.NormFloat64(), 0), 1)
				}
			}
		}
		week := func(people int) {
			for n := range people {
				if _, err := w.monitor.Assess(ctx, batch(t, fmt.Sprint("user", n), 20)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			w.now = w.now.AddDate(0, 0, 7)
		}
		w.current.bend = spread(0)
		for range 3 {
			week(40)
		}
		week(30) // the first week after the reference, nothing changed
		if strings.Contains(w.log.String(), "drift") {
			t.Errorf("an alarm without drift: %s", w.log)
		}
		if got := gather(t, registry, "heartmark_model_drift_index", assessment.HeadDistress); got < 0 || got > 0.1 {
			t.Errorf("index of distress %v without drift", got)
		}
		w.current.bend = spread(0.2)
		week(30)
		if got := gather(t, registry, "heartmark_model_drift_index", assessment.HeadDistress); got <= rollout.DriftAlarm {
			t.Errorf("index of distress %v after a shift, want over %v", got, rollout.DriftAlarm)
		}
		if n := strings.Count(w.log.String(), "feature=distress"); n != 1 {
			t.Errorf("the alarm is told %d times, want once: %s", n, w.log)
		}
		if strings.Contains(w.log.String(), "feature=hostility") {
			t.Errorf("hostility did not drift: %s", w.log)
		}
		cancel()
		running.Wait()
	})
}
