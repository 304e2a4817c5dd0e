package rollout_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/model"
	"heartmark/assessment/rollout"
)

// memoryStore is a rollout.Store in memory. It stands for the engine in the tests of this package; the contract suite of
// internal/store/storetest runs on the engine, and on nothing else.
type memoryStore struct {
	mu          sync.Mutex
	transitions []rollout.Transition
	documents   map[rollout.DocumentKey][]byte
	fail        error
}

func newMemoryStore() *memoryStore { return &memoryStore{documents: map[rollout.DocumentKey][]byte{}} }

func (s *memoryStore) Append(_ context.Context, ts []rollout.Transition) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	for n, t := range ts {
		if t.Seq != uint64(len(s.transitions)+n+1) {
			return rollout.ErrStale
		}
	}
	s.transitions = append(s.transitions, ts...)
	return nil
}

func (s *memoryStore) Transitions(context.Context) ([]rollout.Transition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.transitions), nil
}

func (s *memoryStore) Document(_ context.Context, key rollout.DocumentKey) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if data, ok := s.documents[key]; ok {
		return data, nil
	}
	return nil, rollout.ErrNotFound
}

func (s *memoryStore) UpdateDocument(_ context.Context, key rollout.DocumentKey, change func([]byte) ([]byte, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := change(s.documents[key])
	if err != nil {
		return err
	}
	if data == nil {
		delete(s.documents, key)
		return nil
	}
	s.documents[key] = data
	return nil
}

func (s *memoryStore) Documents(_ context.Context, kind string, m rollout.Digest, limit int) ([]rollout.DocumentKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []rollout.DocumentKey
	for key := range s.documents {
		if key.Kind == kind && key.Model == m {
			out = append(out, key)
		}
	}
	slices.SortFunc(out, func(a, b rollout.DocumentKey) int { return strings.Compare(a.Name, b.Name) })
	return out[:min(limit, len(out))], nil
}

// sealer binds what it seals to its place, as the keystore does.
type sealer struct{}

func (sealer) Seal(_ context.Context, tenant, kind, id string, plain []byte) ([]byte, error) {
	return []byte(sum([]byte(tenant+"|"+kind+"|"+id+"|"+string(plain))) + string(plain)), nil
}

func (s sealer) Open(ctx context.Context, tenant, kind, id string, sealed []byte) ([]byte, error) {
	if len(sealed) < 64 {
		return nil, errBroken
	}
	again, _ := s.Seal(ctx, tenant, kind, id, sealed[64:])
	if string(again) != string(sealed) {
		return nil, errBroken
	}
	return sealed[64:], nil
}

// moment is the clock of the tests.
func moment() time.Time { return time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC) }

// world is a catalogue over a store in memory, with its journal.
type world struct {
	*rollout.Catalogue
	store   *memoryStore
	builtIn rollout.Model
	journal []rollout.Event
	refuse  error // of the journal
}

func newWorld(t *testing.T) *world {
	t.Helper()
	builtIn, err := rollout.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: newMemoryStore(), builtIn: builtIn}
	w.Catalogue = w.open(t, builtIn)
	return w
}

func (w *world) open(t *testing.T, builtIn rollout.Model) *rollout.Catalogue {
	t.Helper()
	c, err := rollout.New(rollout.Config{
		Store: w.store, BuiltIn: builtIn, Sealer: sealer{}, Now: moment, Policy: rollout.Policy{MinShadowed: 100},
		Journal: func(_ context.Context, e rollout.Event) error {
			w.journal = append(w.journal, e)
			return w.refuse
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// variant is how a second model differs from the built-in one.
type variant struct {
	version string
	scale   string
	edit    func(name string, data []byte) []byte // before the list of digests is written
}

var (
	versionOf = regexp.MustCompile(`"version": "[^"]*"`)
	scaleOf   = regexp.MustCompile(`"scale": "[^"]*"`)
	titleOf   = regexp.MustCompile(`(?m)^# Model card: (\S+) \S+`)
	graphOf   = regexp.MustCompile(`SHA-256 [0-9a-f]{64}`)
)

// second writes a second model into a temporary folder: the built-in files with another version, a card that fits, and digests
// of its own.
func second(t *testing.T, v variant) (folder string, digest rollout.Digest) {
	t.Helper()
	folder = t.TempDir()
	files := map[string][]byte{}
	for _, name := range []string{
		model.FileModel, model.FileTokenizer, model.FileHeads, model.FileCalibration, model.FileErrorRates, model.FileCard,
	} {
		data, err := fs.ReadFile(model.Embedded(), name)
		if err != nil {
			t.Fatal(err)
		}
		switch name {
		case model.FileHeads:
			data = versionOf.ReplaceAll(data, fmt.Appendf(nil, `"version": %q`, v.version))
			if v.scale != "" {
				data = scaleOf.ReplaceAll(data, fmt.Appendf(nil, `"scale": %q`, v.scale))
			}
		case model.FileCard:
			data = titleOf.ReplaceAll(data, []byte("# Model card: $1 "+v.version))
			data = graphOf.ReplaceAll(data, []byte("SHA-256 "+sum(files[model.FileModel])))
		}
		if v.edit != nil {
			data = v.edit(name, data)
		}
		files[name] = data
	}
	var list strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&list, "%s  %s\n", sum(files[name]), name)
		if err := os.WriteFile(filepath.Join(folder, name), files[name], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, model.FileSums), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder, rollout.Digest(sum([]byte(list.String())))
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// fakeClassifier answers by a hash of the words, around what the anchor bank's words plainly show. bend changes its answers.
type fakeClassifier struct {
	kind   map[string]model.Kind
	labels map[string][]string
	bend   func(head string, values []float64)
	wait   <-chan struct{} // when set, each call waits for it
	fail   error

	mu    sync.Mutex
	calls int
	rows  int
}

func newFake(t testing.TB) *fakeClassifier {
	t.Helper()
	m, err := model.Open(model.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeClassifier{kind: map[string]model.Kind{}, labels: m.Labels()}
	for _, h := range m.Heads {
		f.kind[h.Name] = h.Kind
	}
	return f
}

func (f *fakeClassifier) Info() assessment.ModelInfo {
	info := assessment.ModelInfo{
		ID: "fake", SHA256: strings.Repeat("ab", 32), Runtime: "test", Scale: "v0-provisional", Labels: f.labels,
		ErrorRates: map[string]map[string][2]float64{},
	}
	for _, facet := range []string{"SA1", "SA2", "SA3", "SM1", "SM2", "SM3", "SM4", "SO1", "SO2", "SO3", "SK1", "SK2", "SK3", "SK4", "SK5"} {
		info.ErrorRates[facet] = map[string][2]float64{"en": {0.88, 0.12}, "zh": {0.88, 0.12}}
	}
	return info
}

func (f *fakeClassifier) Classify(ctx context.Context, in []assessment.ClassifierInput) ([]assessment.Scores, error) {
	f.mu.Lock()
	f.calls++
	f.rows += len(in)
	f.mu.Unlock()
	if f.wait != nil {
		select {
		case <-f.wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if f.fail != nil {
		return nil, f.fail
	}
	out := make([]assessment.Scores, len(in))
	for i := range in {
		out[i] = f.score(in[i].Text)
	}
	return out, nil
}

// marks are words of the anchor bank that show plainly what a text does.
func marks() map[string][]string {
	return map[string][]string{
		"hostile":  {"idiot", "shut up", "loser", "moron", "pathetic", "useless", "hate you", "trash", "白痴", "闭嘴", "废物", "蠢", "可悲", "滚"},
		"distress": {"passed away", "lost my job", "lonely", "anxious", "狗今天", "丢了工作", "孤单", "焦虑"},
		"warm":     {"sorry", "hear", "heavy", "must hurt", "holding up", "here for you", "company", "congratulations", "happy for you", "proud of you", "难过", "不容易", "抱歉", "恭喜", "陪", "高兴", "骄傲"},
		"joy":      {"got the job", "won the cup", "拿到那份工作", "拿了冠军", "congratulations", "恭喜"},
		"naming":   {"i feel", "i am a bit sad", "i notice", "i was angry", "失落", "难过又", "紧张", "疲惫", "生气，现在"},
		"reframe":  {"learned", "gives me time", "grateful", "chance", "go faster", "学到", "正好", "感谢", "机会", "更快"},
		"up":       {"helps", "better now", "smile", "帮助", "好一点", "让我笑"},
		"down":     {"even worse", "cry.", "cruel", "更难过", "说哭", "狠心"},
	}
}

func (f *fakeClassifier) score(text string) assessment.Scores {
	text = strings.ToLower(text)
	shows := map[string]bool{}
	for mark, words := range marks() {
		shows[mark] = slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	noise := fnv.New64a()
	_, _ = noise.Write([]byte(text))
	s := assessment.Scores{}
	for head, labels := range f.labels {
		v := make([]float64, len(labels))
		strong := 0.85 + 0.1*float64(noise.Sum64()%997)/997
		set := func(on string, yes bool) {
			for i, l := range labels {
				switch {
				case l == on && yes || len(labels) == 1 && yes:
					v[i] = strong
				case f.kind[head] == model.Softmax:
					v[i] = (1 - strong) / float64(len(labels)-1)
				default:
					v[i] = 1 - strong
				}
			}
		}
		switch head {
		case assessment.HeadHostility:
			set(map[bool]string{true: "severe", false: "none"}[shows["hostile"]], true)
		case assessment.HeadER, assessment.HeadIP, assessment.HeadEX:
			set(map[bool]string{true: "strong", false: "none"}[shows["warm"]], true)
		case assessment.HeadPoliteness:
			set("neutral", true)
		case assessment.HeadAct:
			set(map[bool]string{true: "comfort", false: "other"}[shows["warm"]], true)
		case assessment.HeadEmotion:
			set(map[bool]string{true: "joy", false: "neutral"}[shows["joy"]], true)
			if shows["distress"] || shows["naming"] {
				set("sadness", true)
			}
		case assessment.HeadVA:
			v[0] = map[bool]float64{true: 0.6, false: 0}[shows["up"]] - map[bool]float64{true: 0.6, false: 0}[shows["down"] || shows["distress"]]
		case assessment.HeadRelevance:
			set("", true)
		case assessment.HeadSelfNaming:
			set("", shows["naming"])
		case assessment.HeadDistress:
			set("", shows["distress"])
		case assessment.HeadReappraisal:
			set("", shows["reframe"])
		default:
			set("", false)
		}
		if f.bend != nil {
			f.bend(head, v)
		}
		s[head] = v
	}
	return s
}

// evaluation is a report of `heartmark evaluate` on a model; failed gates are added to one that is met.
func evaluation(t *testing.T, m rollout.Model, failed int) *rollout.Evaluation {
	t.Helper()
	e, err := rollout.ReadEvaluation(evaluationReport(t, m, failed))
	if err != nil {
		t.Fatal(err)
	}
	return &e
}

func evaluationReport(t *testing.T, m rollout.Model, failed int) []byte {
	t.Helper()
	measures := []map[string]any{{"suite": "heads", "head": "er", "metric": "macro-F1", "rows": 300, "value": 0.8, "gate": map[string]any{"at_least": 0.74}}}
	for n := range failed {
		measures = append(measures, map[string]any{
			"suite": "fairness", "set": fmt.Sprint("swap", n), "metric": "gap", "rows": 10, "value": 0.9, "gate": map[string]any{"at_most": 0.1},
		})
	}
	data, err := json.Marshal(map[string]any{
		"schema": "dei-evaluation/1", "model": map[string]any{"id": m.ID, "sha256": m.SHA256}, "measures": measures, "rows": 0,
		"suites": []string{"heads", "contrast", "simulated", "calibration", "robustness", "fairness", "gaming", "validity", "equivalence", "speed"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var errBroken = errors.New("broken on purpose")

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }
