package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"heartmark/assessment/evidence"
)

// partBytes is how much of a submission, or of an upload, is sealed at once.
const partBytes = 512 << 10

// submission is what is sealed until the score is final: scrubbed lines of the conversations in which the subject wrote, with
// keyed hashes in place of actors and conversations, and day, part and order in place of times (design.md §9.17).
type submission struct {
	Subject  string    `json:"subject"`
	Platform string    `json:"platform"`
	Purposes []string  `json:"purposes"`
	Policy   string    `json:"policy"`
	Salt     string    `json:"salt"`
	Digest   string    `json:"digest"`
	Messages []message `json:"messages"` // in order
}

// message is one line. Own lines keep their id, by which the report names them; those of others are numbered.
type message struct {
	ID           string          `json:"id"`
	Day          string          `json:"day"`
	Actor        string          `json:"actor,omitempty"` // "": the subject
	Conversation string          `json:"conversation"`
	Part         int             `json:"part"`
	Text         string          `json:"text"`
	ReplyTo      string          `json:"reply_to,omitempty"`
	To           []string        `json:"to,omitempty"`
	Lang         string          `json:"lang,omitempty"`
	Channel      string          `json:"channel"`
	Scene        *evidence.Scene `json:"scene,omitempty"`
	Role         string          `json:"role"`
	Prompt       string          `json:"prompt,omitempty"`
	Flags        []string        `json:"flags,omitempty"`
	Reactions    []reaction      `json:"reactions,omitempty"`
	Care         bool            `json:"care,omitempty"`
	Repaired     float64         `json:"repaired,omitempty"`
}

type reaction struct {
	Actor  string `json:"actor,omitempty"`
	Symbol string `json:"symbol"`
}

// masker replaces what identifies others.
type masker struct {
	hash    func(parts ...string) string
	tenant  string
	subject string
	ids     map[string]string // message ids of the platform to those of the submission
}

// newSubmission takes the subject's conversations out of a batch and masks them. It returns ErrNothing when none of the
// lines is the subject's.
func (s *Service) newSubmission(tenant string, b evidence.Batch) (submission, error) {
	rec := b.Receipts[0]
	out := submission{
		Subject: rec.Subject, Platform: rec.Platform, Purposes: rec.Purposes, Policy: rec.Policy, Salt: b.Salt,
		Digest: b.Digests[evidence.Subject(rec.Platform, rec.Subject)],
	}
	m := masker{hash: s.c.Sealer.hash, tenant: tenant, subject: rec.Subject, ids: map[string]string{}}
	for _, room := range b.Rooms(rec) {
		for i := room.Start; i < room.End; i++ {
			own := b.Messages[i].Actor == rec.Subject
			m.ids[b.Messages[i].ID] = b.Messages[i].ID
			if !own {
				m.ids[b.Messages[i].ID] = "~" + strconv.Itoa(i)
			}
		}
	}
	for _, room := range b.Rooms(rec) {
		for _, line := range b.Messages[room.Start:room.End] {
			out.Messages = append(out.Messages, m.message(line))
		}
	}
	if len(out.Messages) == 0 {
		return submission{}, fmt.Errorf("batch: %w", ErrNothing)
	}
	return out, nil
}

func (m masker) message(line evidence.Message) message {
	out := message{
		ID: m.ids[line.ID], Day: line.Day, Actor: m.actor(line.Platform, line.Actor), Part: line.Part, Text: string(line.Text),
		Conversation: m.hash("conversation", m.tenant, line.Platform, line.Conversation), ReplyTo: m.ids[line.ReplyTo], Lang: line.Lang,
		Channel: line.Channel, Role: line.Role, Prompt: line.Prompt, Flags: line.Flags, Care: line.Care, Repaired: line.Repaired,
	}
	if line.Scene.Kind != "" {
		out.Scene = &evidence.Scene{Kind: line.Scene.Kind}
	}
	for _, to := range line.To {
		masked := m.actor(line.Platform, to)
		if masked == "" {
			masked = self
		}
		out.To = append(out.To, masked)
	}
	for _, r := range line.Reactions {
		out.Reactions = append(out.Reactions, reaction{Actor: m.actor(line.Platform, r.Actor), Symbol: r.Symbol})
	}
	return out
}

// self stands for the subject in lists, where an empty text would be lost.
const self = "self"

func (m masker) actor(platform, actor string) string {
	if actor == m.subject {
		return ""
	}
	return "x" + m.hash("actor", m.tenant, platform, actor)
}

// batch turns the submission back into what the assessor reads.
func (s submission) batch() evidence.Batch {
	rec := evidence.Receipt{Subject: s.Subject, Platform: s.Platform, Purposes: s.Purposes, Adult: true, Policy: s.Policy}
	b := evidence.Batch{
		Receipts: []evidence.Receipt{rec}, Salt: s.Salt, Digests: map[string]string{evidence.Subject(s.Platform, s.Subject): s.Digest},
		Messages: make([]evidence.Message, 0, len(s.Messages)), Counts: map[string]int{},
	}
	actor := func(a string) string {
		if a == "" || a == self {
			return s.Subject
		}
		return a
	}
	for _, m := range s.Messages {
		line := evidence.Message{
			ID: m.ID, Day: m.Day, Platform: s.Platform, Actor: actor(m.Actor), Conversation: m.Conversation, Part: m.Part,
			Text: evidence.Text(m.Text), ReplyTo: m.ReplyTo, Lang: m.Lang, Channel: m.Channel, Role: m.Role, Prompt: m.Prompt,
			Flags: m.Flags, Care: m.Care, Repaired: m.Repaired,
		}
		if m.Scene != nil {
			line.Scene = *m.Scene
		}
		for _, to := range m.To {
			line.To = append(line.To, actor(to))
		}
		for _, r := range m.Reactions {
			line.Reactions = append(line.Reactions, evidence.Reaction{Actor: actor(r.Actor), Symbol: r.Symbol})
		}
		b.Messages = append(b.Messages, line)
	}
	return b
}

// seal stores the submission in parts under the batch's own key and returns their number.
func (s *Service) seal(ctx context.Context, b Batch, sub submission) (parts int, err error) {
	plain, err := json.Marshal(sub)
	if err != nil {
		return 0, fmt.Errorf("encode submission: %w", err)
	}
	defer clear(plain)
	for piece := range slices.Chunk(plain, partBytes) {
		sealed, err := s.c.Vault.Seal(ctx, textPlace(b, sealPart, parts), piece)
		if err != nil {
			return 0, fmt.Errorf("seal submission: %w", err)
		}
		if err := s.c.Store.PutPart(ctx, b.Tenant, b.ID, parts, sealed); err != nil {
			return 0, fmt.Errorf("store submission: %w", err)
		}
		parts++
	}
	return parts, nil
}

// open reads a sealed submission.
func (s *Service) open(ctx context.Context, b Batch) (submission, error) {
	var plain []byte
	defer func() { clear(plain) }()
	for n := range b.Parts {
		sealed, err := s.c.Store.Part(ctx, b.Tenant, b.ID, n)
		if err != nil {
			return submission{}, fmt.Errorf("submission: %w", err)
		}
		piece, err := s.c.Vault.Open(ctx, textPlace(b, sealPart, n), sealed)
		if err != nil {
			return submission{}, fmt.Errorf("open submission: %w", err)
		}
		plain = append(plain, piece...)
		clear(piece)
	}
	var sub submission
	if err := json.Unmarshal(plain, &sub); err != nil {
		return submission{}, fmt.Errorf("decode submission: %w", err)
	}
	return sub, nil
}

// textPlace is where a piece of a batch's text is sealed; batch and number are bound to it.
func textPlace(b Batch, kind string, number int) Place {
	return Place{b.Tenant, b.Ref, keyText + b.ID, kind, b.ID + "#" + strconv.Itoa(number)}
}
