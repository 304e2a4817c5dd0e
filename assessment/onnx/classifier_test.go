//go:build cgo

package onnx_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/model"
	"heartmark/assessment/onnx"
)

// open opens the built-in model, or skips where the library is absent (fails when HEARTMARK_REQUIRE_SHARED is set).
func open(tb testing.TB, change func(*onnx.Config)) *onnx.Classifier {
	tb.Helper()
	m, err := model.Open(model.Embedded())
	if err != nil {
		tb.Fatal(err)
	}
	cfg := onnx.Config{Model: m, Workers: 2}
	if change != nil {
		change(&cfg)
	}
	c, err := onnx.Open(cfg)
	if errors.Is(err, onnx.ErrLibraryMissing) && os.Getenv("HEARTMARK_REQUIRE_SHARED") == "" {
		tb.Skip("ONNX Runtime:", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

func textLog(to *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }

func message(s, lang string) assessment.ClassifierInput {
	return assessment.ClassifierInput{Text: s, Lang: lang}
}

func reply(context, s, lang string) assessment.ClassifierInput {
	return assessment.ClassifierInput{Text: s, Lang: lang, Context: []assessment.Turn{{Text: context}}}
}

// conversation is a mix of lengths, languages and forms.
func conversation(n int) []assessment.ClassifierInput {
	var in []assessment.ClassifierInput
	for i := range n {
		in = append(in,
			message("I'm so sorry. How are you holding up?", "en"),
			reply("My dog passed away this morning.", "I'm so sorry. How are you holding up?", "en"),
			message("你今天辛苦了，要不要休息一下？", "zh"),
			message(strings.Repeat("I keep thinking about the match we lost. ", 1+i%6), "en"),
			reply("我考试没考好，心里很乱。", "没关系，我们一起想办法。", "zh"),
			message("you 1d10t", "en"),
			message(fmt.Sprintf("message number %d 😀", i), "en"),
			message("", "en"),
		)
	}
	return in
}

func TestScoresAreSound(t *testing.T) {
	c := open(t, nil)
	info := c.Info()
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	signed := map[string]bool{} // heads whose values may be negative
	for _, h := range m.Heads {
		signed[h.Name] = h.Kind == model.Value
	}
	in := conversation(2)
	scores, err := c.Classify(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range scores {
		for head, labels := range info.Labels {
			values := s[head]
			if len(values) != len(labels) {
				t.Fatalf("input %d: head %s has %d values for %d labels", i, head, len(values), len(labels))
			}
			for _, v := range values {
				if low := map[bool]float64{true: -1, false: 0}[signed[head]]; !(v >= low && v <= 1) {
					t.Errorf("input %d: head %s has value %v", i, head, v)
				}
			}
		}
	}
}

// The same text gives the same scores alone, among others, and from many goroutines.
func TestScoresDoNotDependOnTheBatch(t *testing.T) {
	c := open(t, nil)
	in := conversation(12)
	together, err := c.Classify(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for i := range in[:24] {
		callers.Go(func() {
			alone, err := c.Classify(t.Context(), in[i:i+1])
			if err != nil {
				t.Error(err)
				return
			}
			if !reflect.DeepEqual(alone[0], together[i]) {
				t.Errorf("input %d: alone %v, together %v", i, alone[0], together[i])
			}
		})
	}
	callers.Wait()
}

func TestTypicalLines(t *testing.T) {
	c := open(t, nil)
	p := func(in assessment.ClassifierInput, head string, label int) float64 {
		s, err := c.Classify(t.Context(), []assessment.ClassifierInput{in})
		if err != nil {
			t.Fatal(err)
		}
		return s[0][head][label]
	}
	dog, cat := "My dog passed away this morning.", "我家猫今天早上走了，心里好难过。"
	cases := []struct {
		name          string
		higher, lower float64
	}{
		{
			"distress en", p(message("I failed again and I feel completely hopeless.", "en"), assessment.HeadDistress, 0),
			p(message("The code for the door is 4711.", "en"), assessment.HeadDistress, 0),
		},
		{
			"distress zh", p(message("我最近压力好大，晚上一直睡不着，很难过。", "zh"), assessment.HeadDistress, 0),
			p(message("会议改到下午三点。", "zh"), assessment.HeadDistress, 0),
		},
		{
			"hostility en", p(message("You are a worthless idiot, get lost.", "en"), assessment.HeadHostility, 0) * -1,
			p(message("Thanks, that was a great help!", "en"), assessment.HeadHostility, 0) * -1,
		},
		{
			"hostility zh", p(message("你这个垃圾，滚远点。", "zh"), assessment.HeadHostility, 0) * -1,
			p(message("谢谢你，帮了我大忙！", "zh"), assessment.HeadHostility, 0) * -1,
		},
		{
			"disguised hostility", p(message("you are an i d i o t", "en"), assessment.HeadHostility, 0) * -1,
			p(message("you are an artist", "en"), assessment.HeadHostility, 0) * -1,
		},
		{
			"self naming en", p(message("I feel ashamed and a bit lonely today.", "en"), assessment.HeadSelfNaming, 0),
			p(message("The raid starts at nine.", "en"), assessment.HeadSelfNaming, 0),
		},
		{
			"self naming zh", p(message("我觉得很委屈，也有点害怕。", "zh"), assessment.HeadSelfNaming, 0),
			p(message("副本九点开。", "zh"), assessment.HeadSelfNaming, 0),
		},
		{
			"emotional reaction", -p(reply(dog, "I'm so sorry for your loss, that must hurt so much.", "en"), assessment.HeadER, 0),
			-p(reply(dog, "Whatever. Are we playing or not?", "en"), assessment.HeadER, 0),
		},
		{
			"comfort zh", p(reply(cat, "别难过，我陪着你，想说什么都可以跟我说。", "zh"), assessment.HeadAct, 0),
			p(reply(cat, "快点开门。", "zh"), assessment.HeadAct, 0),
		},
		{
			"valence", p(message("What a wonderful day, I love it!", "en"), assessment.HeadVA, 0),
			p(message("This is horrible, everything is ruined.", "en"), assessment.HeadVA, 0),
		},
	}
	for _, k := range cases {
		if k.higher <= k.lower {
			t.Errorf("%s: %.3f is not above %.3f", k.name, k.higher, k.lower)
		} else {
			t.Logf("%s: %.3f above %.3f", k.name, k.higher, k.lower)
		}
	}
}

func TestBusyAndCancelled(t *testing.T) {
	c := open(t, func(cfg *onnx.Config) { cfg.MaxCalls, cfg.Workers, cfg.Queue = 1, 1, 1 })
	ctx, cancel := context.WithCancel(t.Context())
	var first sync.WaitGroup
	first.Go(func() {
		err := onnx.ErrBusy
		for errors.Is(err, onnx.ErrBusy) { // the probe below may hold the only place
			_, err = c.Classify(ctx, conversation(40))
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	var busy bool
	for !busy {
		_, err := c.Classify(t.Context(), conversation(1)[:1])
		if busy = errors.Is(err, onnx.ErrBusy); err != nil && !busy {
			t.Fatal(err)
		}
	}
	cancel()
	first.Wait()
	if _, err := c.Classify(t.Context(), conversation(1)[:1]); err != nil {
		t.Errorf("Classify after a cancelled call: %v", err)
	}
}

func TestClosed(t *testing.T) {
	c := open(t, nil)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Classify(t.Context(), conversation(1)); !errors.Is(err, onnx.ErrClosed) {
		t.Errorf("Classify after Close = %v, want ErrClosed", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := onnx.Open(onnx.Config{Model: m, LibraryPath: "/no/such/library.so"}); !errors.Is(err, onnx.ErrLibraryMissing) {
		t.Errorf("Open with a library that is not there = %v, want ErrLibraryMissing", err)
	}
	if _, err := onnx.Open(onnx.Config{}); err == nil {
		t.Error("Open without a model succeeds")
	}
}

// With CUDA asked for and not to be had, the CPU works and the log says why.
func TestProviderIsLogged(t *testing.T) {
	var log strings.Builder
	c := open(t, func(cfg *onnx.Config) {
		cfg.Provider = onnx.ProviderCUDA
		cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	if c.Info().Runtime != onnx.RuntimeCPU {
		t.Skip("CUDA is here")
	}
	for _, want := range []string{"CUDA was asked for", "provider=cpu", "no GPU model is configured", "library="} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %q:\n%s", want, log.String())
		}
	}
}

func BenchmarkClassify(b *testing.B) {
	c := open(b, nil)
	in := benchMessages(256)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Classify(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(in)*b.N)/b.Elapsed().Seconds(), "messages/s")
}

func BenchmarkClassifyOne(b *testing.B) {
	c := open(b, nil)
	in := []assessment.ClassifierInput{message("I keep thinking about the match we lost, and I don't know how to say it to the others without sounding bitter.", "en")}
	for b.Loop() {
		if _, err := c.Classify(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}
