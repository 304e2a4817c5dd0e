package evidence

import (
	"log/slog"
	"time"
)

// Text is what a person wrote. It never reaches a log: its LogValue hides it.
type Text string

// LogValue hides the text.
func (Text) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Kinds of event.
const (
	TypeMessage  = "message"
	TypeReaction = "reaction"
	TypeEdit     = "edit"
	TypeDelete   = "delete"
	TypeConsent  = "consent"
	TypeWithdraw = "withdraw"
)

// Kinds of scene that rules name.
const (
	SceneWork       = "work"
	SceneClass      = "class"
	SceneAssessment = "assessment"
)

// Scene is where a message was written.
type Scene struct {
	ID   string
	Kind string
}

// Receipt is what a subject agreed to, read from a consent line or given by the caller.
type Receipt struct {
	Subject  string
	Platform string // "" when the receipt covers the one platform of an export
	Purposes []string
	Adult    bool
	Policy   string // version of the consent text
	Expires  time.Time
	// Vouched tells that no subject's own consent line exists and the operator vouches for it (design.md §9.20).
	Vouched bool
	// Classes are the data classes that the receipt covers; nil covers every class. What lies outside is left out.
	Classes []string
	// Given is when the subject agreed: a withdrawal in the feed from before then says nothing about this receipt.
	Given time.Time
}

// Data classes of a receipt (G1).
const (
	ClassMessages  = "messages"  // what was written outside assessment scenes
	ClassReactions = "reactions" // symbols put on messages
	ClassExercises = "exercises" // what was written in assessment scenes
	ClassReport    = "report"    // the platform may read scores, intervals and quotes (design.md §9.19)
)

// Covers reports whether the receipt covers a data class.
func (r Receipt) Covers(class string) bool {
	if r.Classes == nil {
		return true
	}
	for _, c := range r.Classes {
		if c == class {
			return true
		}
	}
	return false
}

// Has reports whether the receipt covers purpose ("process", "score", "issue", "automated", "research", "report").
func (r Receipt) Has(purpose string) bool {
	for _, p := range r.Purposes {
		if p == purpose {
			return true
		}
	}
	return false
}

// Message is one line of a conversation, ready to be assessed: scrubbed, dated to the day, in order.
type Message struct {
	ID           string
	Day          string // 2006-01-02
	Platform     string
	Actor        string
	Conversation string
	Part         int // 0-based: a pause of over 30 minutes starts the next part
	Text         Text
	ReplyTo      string
	To           []string
	Lang         string // the platform's hint, may be empty
	Channel      string // "text" or "voice_transcript"
	Scene        Scene
	Role         string
	Prompt       string
	Flags        []string
	Reactions    []Reaction // in order; those that were taken back are gone
	// Care tells that the words speak of self-harm or a threat to life: not scored, not quoted.
	Care bool
	// Repaired is the share of characters that could not be kept as written (control, NUL, replacement).
	Repaired float64
}

// Flagged reports whether the platform set the flag.
func (m Message) Flagged(flag string) bool {
	for _, f := range m.Flags {
		if f == flag {
			return true
		}
	}
	return false
}

// Reaction is a symbol that somebody put on a message.
type Reaction struct {
	Actor  string
	Symbol string
}

// Batch is the readable evidence of one file or submission.
type Batch struct {
	Receipts []Receipt // live ones, by subject; each gives one report
	Messages []Message // by platform, conversation and order
	Counts   map[string]int
	Salt     string // 128 bits, hex; kept with the report
	// Digests are, by subject, "sha256:" and the hex SHA-256 over the salt and the subject's canonical batch.
	Digests map[string]string
	Format  string // the format that was read

	rooms map[string][]Room // by subject; nil in a Batch that Read did not make
}

// Room is one conversation in Messages, end excluded.
type Room struct{ Start, End int }

// Rooms returns the conversations in which a receipt's subject wrote, in order.
func (b Batch) Rooms(rec Receipt) []Room {
	if b.rooms != nil {
		if rec.Platform != "" {
			return b.rooms[Subject(rec.Platform, rec.Subject)]
		}
		return b.rooms[rec.Subject]
	}
	index := indexRooms(b.Messages)
	b.rooms = index
	return b.Rooms(rec)
}

// indexRooms finds every writer's conversations, under platform and actor and under the actor alone.
func indexRooms(messages []Message) map[string][]Room {
	index := map[string][]Room{}
	for start := 0; start < len(messages); {
		end := start
		here := map[string]bool{}
		for ; end < len(messages) && messages[end].Platform == messages[start].Platform && messages[end].Conversation == messages[start].Conversation; end++ {
			here[messages[end].Actor] = true
		}
		for actor := range here {
			for _, key := range []string{actor, Subject(messages[start].Platform, actor)} {
				index[key] = append(index[key], Room{start, end})
			}
		}
		start = end
	}
	return index
}

// Subject names the receipt's subject within the batch: platform and actor.
func Subject(platform, actor string) string { return platform + "\x00" + actor }
