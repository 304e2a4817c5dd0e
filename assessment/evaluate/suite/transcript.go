package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/schemas"
)

// Names in the transcripts.
const (
	subject  = "subject"
	platform = "suite"
	guide    = "guide" // the npc of assessment scenes
	sceneID  = "scene"
)

// line is one line of a talk.
type line struct {
	self bool
	who  string // "": the one counterpart of the talk
	text string
}

// answer is one reply with what stood before and after it.
type answer struct {
	id, set, lang string
	before        []line // oldest first
	text          string
	after         []line // what others said to it
	// gate makes the last line before a prompt of an assessment scene, so that the situation is given by design; "" is free
	// chat, where the product's gates decide.
	gate      string
	dimension schemas.Dimension // of the prompt
	// good tells for each facet whether annotators' labels say that the skill was shown; a facet without label is absent.
	good map[string]bool
}

// free is the same answer in free chat.
func (a answer) free() answer {
	a.gate = ""
	return a
}

// usable reports whether every line can stand in a batch.
func (a answer) usable() bool {
	const longest = 4000 // characters; a batch takes 8,000
	for _, l := range append(append([]line{{text: a.text}}, a.before...), a.after...) {
		if n := utf8.RuneCountInString(l.text); n == 0 || n > longest {
			return false
		}
	}
	return true
}

// place is where and when a talk is held.
type place struct {
	day          int // from day 0, 2000-01-01
	conversation string
	counterpart  string
	scene        string // kind of free chat; "" is social
}

// transcript collects talks of one subject and has them assessed. The zero value is empty.
type transcript struct {
	lines   bytes.Buffer
	count   int
	prompts []assessment.Prompt
}

// event is a line of a batch, in the form that package evidence reads.
type event struct {
	V        int               `json:"v"`
	Type     string            `json:"type"`
	ID       string            `json:"id"`
	TS       string            `json:"ts"`
	Platform string            `json:"platform"`
	Actor    string            `json:"actor"`
	Purposes []string          `json:"purposes,omitempty"`
	Adult    bool              `json:"adult,omitempty"`
	Policy   string            `json:"policy,omitempty"`
	Expires  string            `json:"expires,omitempty"`
	Room     string            `json:"conversation,omitempty"`
	Text     string            `json:"text,omitempty"`
	To       []string          `json:"to,omitempty"`
	Role     string            `json:"role,omitempty"`
	Prompt   string            `json:"prompt,omitempty"`
	Scene    map[string]string `json:"scene,omitempty"`
}

// epoch is day 0. Ten thousand days fit before the product's own limits.
func epoch() time.Time { return time.Date(2000, 1, 1, 6, 0, 0, 0, time.UTC) }

func (t *transcript) write(e event, day int) {
	t.count++
	e.V, e.Platform, e.ID = 1, platform, "m"+strconv.Itoa(t.count)
	// A little later each line: the lines of a talk stand in order and without pause.
	e.TS = epoch().AddDate(0, 0, day).Add(time.Duration(t.count) * 10 * time.Millisecond).Format(time.RFC3339Nano)
	b, err := json.Marshal(e)
	if err != nil {
		panic("suite: event: " + err.Error())
	}
	t.lines.Write(b)
	t.lines.WriteByte('\n')
}

// talk adds an answer with its lines before and after.
func (t *transcript) talk(p place, a answer) {
	prompt := ""
	if a.gate != "" && len(a.before) > 0 {
		prompt = "p" + strconv.Itoa(len(t.prompts))
		t.prompts = append(t.prompts, assessment.Prompt{
			ID: prompt, Dimension: a.dimension, Gate: a.gate, Difficulty: 1, Language: a.lang, Text: a.before[len(a.before)-1].text,
		})
	}
	for i, l := range a.before {
		id := ""
		if i == len(a.before)-1 {
			id = prompt
		}
		t.say(p, l, a.gate != "", id, "before")
	}
	t.say(p, line{self: true, text: a.text}, a.gate != "", "", "answer")
	for _, l := range a.after {
		t.say(p, l, a.gate != "", "", "answer")
	}
}

// say adds one line. Lines that belong to different stages of a talk get different scene ids, so that two lines of the
// subject that follow each other stay two turns.
func (t *transcript) say(p place, l line, assessed bool, prompt, stage string) {
	e := event{Type: evidence.TypeMessage, Room: p.conversation, Text: l.text, Prompt: prompt}
	kind := p.scene
	if kind == "" {
		kind = "social"
	}
	e.Actor, e.To = p.counterpart, []string{subject}
	if l.who != "" {
		e.Actor, e.To = p.counterpart+"-"+l.who, nil
	}
	if assessed {
		kind = evidence.SceneAssessment
		if !l.self {
			e.Role = "npc"
			if l.who == "" {
				e.Actor = guide
			}
		}
	}
	if l.self {
		e.Actor, e.To = subject, nil
	}
	e.Scene = map[string]string{"id": sceneID + "-" + stage, "kind": kind}
	t.write(e, p.day)
}

// assess reads the transcript and has it assessed.
func (t *transcript) assess(ctx context.Context, e Env) (assessment.Report, error) {
	batch, err := t.batch()
	if err != nil {
		return assessment.Report{}, err
	}
	bank, err := promptBank(t.prompts)
	if err != nil {
		return assessment.Report{}, err
	}
	a, err := assessment.New(assessment.Config{
		Classifier: e.Classifier, Language: e.Language, Seed: e.Seed, Prompts: &bank, NoHighlights: true,
	})
	if err != nil {
		return assessment.Report{}, err
	}
	reports, err := a.Assess(ctx, batch)
	if err != nil {
		return assessment.Report{}, err
	}
	for _, d := range reports[0].Dimensions {
		for _, why := range d.Reasons {
			if why.Code == assessment.ReasonModel {
				return assessment.Report{}, fmt.Errorf("%w: the report is unavailable", assessment.ErrClassifier)
			}
		}
	}
	return reports[0], nil
}

// batch has package evidence read the lines, as it reads a platform's.
func (t *transcript) batch() (evidence.Batch, error) {
	var in transcript
	in.write(event{
		Type: evidence.TypeConsent, Actor: subject, Purposes: []string{"process", "score"}, Adult: true, Policy: "suite",
		Expires: "2100-01-01T00:00:00Z",
	}, 0)
	first := bytes.Replace(in.lines.Bytes(), []byte(`"id":"m1"`), []byte(`"id":"consent"`), 1)
	b, issues, err := evidence.Read(bytes.NewReader(append(first, t.lines.Bytes()...)), evidence.Options{
		Format: evidence.FormatJSONL, NewSalt: func() [16]byte { return [16]byte{1} },
	})
	if err != nil {
		return evidence.Batch{}, fmt.Errorf("transcript: %w (%d issues)", err, issues.Total)
	}
	return b, nil
}

// promptBank publishes prompts in the form that the product reads.
func promptBank(prompts []assessment.Prompt) (assessment.PromptBank, error) {
	type file struct {
		Bank     string              `json:"bank"`
		Version  string              `json:"version"`
		Language string              `json:"language"`
		Prompts  []assessment.Prompt `json:"prompts"`
	}
	folder := memoryFiles{}
	for _, lang := range languages() {
		f := file{Bank: "suite", Version: "1", Language: lang, Prompts: []assessment.Prompt{}}
		for _, p := range prompts {
			if p.Language == lang {
				f.Prompts = append(f.Prompts, p)
			}
		}
		b, err := json.Marshal(f)
		if err != nil {
			return assessment.PromptBank{}, fmt.Errorf("prompt bank: %w", err)
		}
		folder["prompts/"+lang+".json"] = b
	}
	return assessment.ReadPrompts(folder)
}

// memoryFiles is a folder in memory, as much of one as the prompt bank reads.
type memoryFiles map[string][]byte

var (
	_ fs.GlobFS     = memoryFiles{}
	_ fs.ReadFileFS = memoryFiles{}
)

// Open is not needed: files are read whole.
func (memoryFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Glob lists the matching names in order.
func (m memoryFiles) Glob(pattern string) ([]string, error) {
	var out []string
	for name := range m {
		ok, err := path.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// ReadFile returns the file.
func (m memoryFiles) ReadFile(name string) ([]byte, error) {
	b, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return b, nil
}
