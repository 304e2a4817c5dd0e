package suite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"unicode/utf8"

	"heartmark/assessment"
	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/schemas"
)

// Speed times the classifier on messages of about 30 tokens, and the aggregation of very many scored events (assessment
// design, section 10, "Speed"). Memory is that of this process from here on, the evaluation's own included.
func Speed(ctx context.Context, env Env) (Outcome, error) {
	e := env.prepared()
	if e.Now == nil {
		return Outcome{}, errors.New("speed: a clock is required")
	}
	var out Outcome
	debug.FreeOSMemory()
	forgotten := forgetPeak()
	messages, err := ordinary(e)
	if err != nil {
		return Outcome{}, fmt.Errorf("speed: %w", err)
	}
	if err := timeClassifier(ctx, e, messages, &out); err != nil {
		return Outcome{}, fmt.Errorf("speed: %w", err)
	}
	memory := metric.Measure{Suite: metric.SuiteSpeed, Metric: "peak memory while classifying, MiB", Rows: len(messages), Gate: metric.Ceiling(700)}
	if peak, ok := peakMiB(); ok && forgotten {
		memory.Value = peak
		out.add(memory)
	} else {
		out.missing(memory, "this system does not tell the peak of a process")
	}
	start := metric.Measure{Suite: metric.SuiteSpeed, Metric: "start-up, seconds", Rows: 1, Value: e.StartUp.Seconds(), Gate: metric.Ceiling(3)}
	if e.StartUp > 0 {
		out.add(start)
	} else {
		out.missing(start, "the caller did not time it")
	}
	timeAggregation(e, &out)
	return out, nil
}

// ordinary are messages of 25 to 35 tokens by the rule of thumb of 4.2 letters or 1.5 characters a token.
func ordinary(e Env) ([]assessment.ClassifierInput, error) {
	var out []assessment.ClassifierInput
	for _, set := range []struct {
		name      string
		low, high int
		lang      string
	}{{dataset.SetGoemotions, 105, 147, "en"}, {dataset.SetCOLD, 38, 52, "zh"}} {
		rows, err := read(e, set.name, dataset.Test, func(m dataset.Message[struct{}]) bool {
			n := utf8.RuneCountInString(m.Text)
			return n >= set.low && n <= set.high
		})
		if err != nil {
			return nil, err
		}
		for _, r := range thin(rows, e.Sizes.Timed/2) {
			out = append(out, assessment.ClassifierInput{Text: r.Text, Lang: set.lang})
		}
	}
	rand.New(rand.NewPCG(e.Seed, 3)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out, nil
}

func timeClassifier(ctx context.Context, e Env, messages []assessment.ClassifierInput, out *Outcome) error {
	plain := Plain(e.Classifier)
	if _, err := classify(ctx, plain, messages[:min(64, len(messages))]); err != nil { // warm
		return err
	}
	began := e.Now()
	if _, err := classify(ctx, plain, messages); err != nil {
		return err
	}
	seconds := e.Now().Sub(began).Seconds()
	note := fmt.Sprintf("%d processors, %s", runtime.NumCPU(), e.Classifier.Info().Runtime)
	out.add(metric.Measure{
		Suite: metric.SuiteSpeed, Metric: "messages a second in batch", Rows: len(messages), Value: float64(len(messages)) / seconds,
		Gate: metric.Floor(100), Note: note + "; all heads and vectors",
	})
	singles := thin(messages, 200)
	times := make([]float64, len(singles))
	for i := range singles {
		began := e.Now()
		if _, err := plain.Classify(ctx, singles[i:i+1]); err != nil {
			return err
		}
		times[i] = float64(e.Now().Sub(began).Microseconds()) / 1000
	}
	out.add(metric.Measure{
		Suite: metric.SuiteSpeed, Metric: "one message, p95, ms", Rows: len(times), Value: metric.Quantile(times, 0.95), Gate: metric.Ceiling(60), Note: note,
	})
	return nil
}

// timeAggregation puts one dimension of one person together from very many scored answers.
func timeAggregation(e Env, out *Outcome) {
	rng := e.random("aggregation")
	const facets = 5
	info := e.Classifier.Info()
	answers := e.Sizes.Events / facets
	began := e.Now()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	assessment.Aggregate(info, schemas.DimensionSocialSkills, func(yield func([]assessment.Item) bool) {
		items := make([]assessment.Item, facets)
		for n := range answers {
			for k := range items {
				items[k] = assessment.Item{
					Facet: "SK" + strconv.Itoa(k+1), Language: languages()[n%2], Outcome: rng.Float64(), Weight: 0.5 + rng.Float64()/2,
					Day: epoch().AddDate(0, 0, n%365).Format("2006-01-02"), Conversation: strconv.Itoa(n / 8), Counterpart: strconv.Itoa(n / 8 % 50),
					Scene: "social",
				}
			}
			if !yield(items) {
				return
			}
		}
	}, e.Seed)
	runtime.ReadMemStats(&after)
	out.add(metric.Measure{
		Suite: metric.SuiteSpeed, Metric: "aggregating a million scored events, seconds", Rows: answers * facets,
		Value: e.Now().Sub(began).Seconds() * 1e6 / float64(max(answers*facets, 1)), Gate: metric.Ceiling(180),
		Note: fmt.Sprintf("measured on %d events of one person and one dimension; %.0f bytes allocated an event", answers*facets,
			float64(after.TotalAlloc-before.TotalAlloc)/float64(max(answers*facets, 1))),
	})
}

// forgetPeak starts the peak of this process anew, where the system can.
func forgetPeak() bool { return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o200) == nil }

// peakMiB is the largest resident size of this process since forgetPeak.
func peakMiB() (float64, bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	for row := range strings.Lines(string(status)) {
		if fields := strings.Fields(row); len(fields) == 3 && fields[0] == "VmHWM:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib / 1024, err == nil
		}
	}
	return 0, false
}
