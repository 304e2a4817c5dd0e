package rollout

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/schemas"
)

//go:embed anchors/*.json
var anchorFiles embed.FS

// AnchorPeople is the size of the anchor set (assessment design, section 7).
const AnchorPeople = 500

// anchorSeed fixes the anchor set. Another seed is another set: links made with it cannot be compared with older ones.
const anchorSeed = 20261128

// anchorSubject is the name of the person that a batch is about.
const anchorSubject = "anchor"

// reply are the halves of answers: each first half goes with each second half.
type reply struct {
	First  []string `json:"first"`
	Second []string `json:"second"`
}

// anchorBank is one file of lines that were written for the project: what others say, and what a skilful and an unskilful
// person answers, by the gate that the situation opens.
type anchorBank struct {
	Bank      string              `json:"bank"`
	Version   string              `json:"version"`
	Language  string              `json:"language"`
	Openers   map[string][]string `json:"openers"`
	Replies   map[string]levels   `json:"replies"`
	Reactions struct {
		Better []string `json:"better"`
		Worse  []string `json:"worse"`
	} `json:"reactions"`
}

type levels struct {
	Skilled   reply `json:"skilled"`
	Unskilled reply `json:"unskilled"`
}

// Anchors is the fixed set of simulated people that every model is linked on. Each answers all prompts of the published bank
// in assessment scenes, in both languages, and a few friends in free chat. Whether an answer is a skilful one is drawn by the
// person's skill in the prompt's dimension; the same people with the same answers come out on every machine.
type Anchors struct {
	banks   []anchorBank
	prompts []assessment.Prompt
	version string
}

// NewAnchors reads the embedded bank.
func NewAnchors() (*Anchors, error) {
	prompts, err := assessment.Prompts()
	if err != nil {
		return nil, err
	}
	a := &Anchors{prompts: prompts.All("")}
	sum := sha256.New()
	for _, lang := range []string{"en", "zh"} {
		data, err := anchorFiles.ReadFile("anchors/" + lang + ".json")
		if err != nil {
			return nil, fmt.Errorf("anchor bank: %w", err)
		}
		var b anchorBank
		if err := schemas.Decode(data, &b); err != nil {
			return nil, fmt.Errorf("anchor bank %s: %w", lang, err)
		}
		sum.Write(data)
		a.banks, a.version = append(a.banks, b), b.Version
	}
	for _, p := range a.prompts {
		sum.Write([]byte(p.ID + "\x00" + p.Text + "\x00"))
	}
	a.version += "-" + hex.EncodeToString(sum.Sum(nil)[:6])
	return a, nil
}

// Version names the set: lines, prompts and seed.
func (a *Anchors) Version() string { return fmt.Sprintf("%s-%d", a.version, anchorSeed) }

// Person returns the batch of the n-th person of the set, 0-based.
func (a *Anchors) Person(n int) (evidence.Batch, error) {
	p := &person{
		anchors: a, rng: rand.New(rand.NewPCG(anchorSeed, uint64(n))), decks: map[string][]string{},
		at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
	}
	p.draw()
	p.line(event{Type: "consent", Actor: anchorSubject, Purposes: []string{"process", "score"}, Adult: true, Policy: "anchor", Expires: "2099-01-01T00:00:00Z"})
	for _, prompt := range a.prompts {
		p.scene(prompt)
	}
	for b := range a.banks {
		p.chats(&a.banks[b])
	}
	batch, _, err := evidence.Read(&p.lines, evidence.Options{
		Format: evidence.FormatJSONL, NewSalt: func() [16]byte { return sha256Salt(n) },
	})
	if err != nil {
		return evidence.Batch{}, fmt.Errorf("anchor person %d: %w", n, err)
	}
	return batch, nil
}

func sha256Salt(n int) (salt [16]byte) {
	sum := sha256.Sum256(fmt.Appendf(nil, "heartmark/anchor/%d/%d", anchorSeed, n))
	copy(salt[:], sum[:])
	return salt
}

// event is one line of a batch (assessment design, section 2).
type event struct {
	V            int          `json:"v"`
	Type         string       `json:"type"`
	ID           string       `json:"id"`
	TS           string       `json:"ts"`
	Platform     string       `json:"platform"`
	Actor        string       `json:"actor"`
	Conversation string       `json:"conversation,omitempty"`
	Text         string       `json:"text,omitempty"`
	ReplyTo      string       `json:"reply_to,omitempty"`
	To           []string     `json:"to,omitempty"`
	Role         string       `json:"role,omitempty"`
	Prompt       string       `json:"prompt,omitempty"`
	Scene        *anchorScene `json:"scene,omitempty"`
	Purposes     []string     `json:"purposes,omitempty"`
	Adult        bool         `json:"adult,omitempty"`
	Policy       string       `json:"policy,omitempty"`
	Expires      string       `json:"expires,omitempty"`
}

type anchorScene struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
}

// person is one simulated person while its batch is written.
type person struct {
	anchors *Anchors
	rng     *rand.Rand
	skill   map[schemas.Dimension]float64
	decks   map[string][]string // answers that are left, by language, gate and level
	lines   bytes.Buffer
	at      time.Time
	count   int
	rooms   int
}

// draw gives the person a skill for each dimension around one of their own.
func (p *person) draw() {
	common := 0.1 + 0.85*p.rng.Float64()
	p.skill = map[schemas.Dimension]float64{}
	for _, d := range schemas.Dimensions() {
		p.skill[d] = min(max(common+0.12*p.rng.NormFloat64(), 0.03), 0.97)
	}
}

// line writes an event and returns its id.
func (p *person) line(e event) string {
	p.count++
	p.at = p.at.Add(time.Minute)
	e.V, e.ID, e.Platform, e.TS = 1, fmt.Sprintf("a%04d", p.count), "anchor", p.at.Format(time.RFC3339)
	data, err := json.Marshal(e)
	if err != nil {
		panic("rollout: an anchor event cannot be encoded: " + err.Error()) // strings and numbers only
	}
	p.lines.Write(append(data, '\n'))
	return e.ID
}

// room opens a conversation of its own, four a day.
func (p *person) room(kind string) (string, *anchorScene) {
	p.rooms++
	if p.rooms%4 == 0 {
		p.at = p.at.Truncate(24 * time.Hour).Add(33 * time.Hour)
	}
	name := fmt.Sprintf("room-%03d", p.rooms)
	return name, &anchorScene{ID: kind, Kind: kind}
}

// scene answers one prompt of the published bank.
func (p *person) scene(prompt assessment.Prompt) {
	room, scene := p.room(evidence.SceneAssessment)
	asked := p.line(event{
		Type: "message", Actor: "guide", Role: "npc", Conversation: room, Text: prompt.Text, Prompt: prompt.ID, To: []string{anchorSubject}, Scene: scene,
	})
	answer, _ := p.answer(prompt.Language, prompt.Gate, prompt.Dimension)
	p.line(event{Type: "message", Actor: anchorSubject, Conversation: room, Text: answer, ReplyTo: asked, To: []string{"guide"}, Scene: scene})
}

// chats answers friends in free chat; who was in need lets hear whether it helped.
func (p *person) chats(b *anchorBank) {
	for _, gate := range []string{"asked", "provoked", "distress", "joy"} {
		for n, text := range b.Openers[gate] {
			friend := fmt.Sprintf("friend%d", p.rng.IntN(6))
			room, scene := p.room("social")
			said := p.line(event{Type: "message", Actor: friend, Conversation: room, Text: text, To: []string{anchorSubject}, Scene: scene})
			answer, skilful := p.answer(b.Language, gate, dimensionOf(gate, n))
			replied := p.line(event{Type: "message", Actor: anchorSubject, Conversation: room, Text: answer, ReplyTo: said, To: []string{friend}, Scene: scene})
			if gate == "distress" {
				reactions := b.Reactions.Worse
				if skilful {
					reactions = b.Reactions.Better
				}
				p.line(event{
					Type: "message", Actor: friend, Conversation: room, Text: reactions[p.rng.IntN(len(reactions))],
					ReplyTo: replied, To: []string{anchorSubject}, Scene: scene,
				})
			}
		}
	}
}

// dimensionOf is the dimension whose skill decides the n-th chat of a gate.
func dimensionOf(gate string, n int) schemas.Dimension {
	switch {
	case gate == "asked":
		return schemas.DimensionSelfAwareness
	case gate == "provoked":
		return schemas.DimensionSelfManagement
	case gate == "distress" && n%2 == 1:
		return schemas.DimensionSocialSkills
	default:
		return schemas.DimensionSocialAwareness
	}
}

// answer draws an answer that this person has not given yet.
func (p *person) answer(lang, gate string, d schemas.Dimension) (text string, skilful bool) {
	skilful = p.rng.Float64() < p.skill[d]
	key := fmt.Sprint(lang, gate, skilful)
	if len(p.decks[key]) == 0 {
		p.decks[key] = p.deck(lang, gate, skilful)
	}
	text = p.decks[key][0]
	p.decks[key] = p.decks[key][1:]
	return text, skilful
}

// deck shuffles all answers of a gate and a level.
func (p *person) deck(lang, gate string, skilful bool) []string {
	var out []string
	for b := range p.anchors.banks {
		bank := &p.anchors.banks[b]
		if bank.Language != lang {
			continue
		}
		r, space := bank.Replies[gate].Unskilled, " "
		if skilful {
			r = bank.Replies[gate].Skilled
		}
		if lang == "zh" {
			space = ""
		}
		for _, first := range r.First {
			for _, second := range r.Second {
				out = append(out, first+space+second)
			}
		}
	}
	if len(out) == 0 {
		panic("rollout: the anchor bank has no " + lang + " answers for the gate " + gate) // a test walks all prompts
	}
	p.rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
