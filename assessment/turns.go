package assessment

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"heartmark/assessment/evidence"
	"heartmark/assessment/text"
)

// turn is what one actor wrote without another speaking in between: people split one answer over several lines.
type turn struct {
	id           string // of its first message
	ids          []string
	messages     int
	actor        string
	self         bool
	day          string
	conversation int // number in the name table
	part         int
	text         string
	said         string // of an own turn: what is scored of it, text without the person's stock phrases
	replyTo      string
	to           []string
	hint, lang   string
	voice        bool
	scene        evidence.Scene
	role         string
	prompt       *Prompt // known prompt of an assessment scene
	flags        []string
	reactions    []evidence.Reaction
	care         bool
	repaired     float64

	eligible bool // own and fit to be scored
	empathic bool // answers another's distress: its sorrow is not the writer's own
	needed   bool // another's turn that some context or effect reads
	quality  float64
	context  []int // indices of the turns before, oldest first
	alone    aloneScores
	pair     pairScores
}

// nameTable numbers texts in the order they come.
type nameTable struct {
	index map[string]uint32
	names []string
}

func (t *nameTable) number(s string) uint32 {
	if n, ok := t.index[s]; ok {
		return n
	}
	if t.index == nil {
		t.index = map[string]uint32{}
	}
	n := uint32(len(t.names))
	t.index[s] = n
	t.names = append(t.names, s)
	return n
}

// tally counts what happened to the subject's messages.
type tally struct {
	messages, scored, nearCopies, copied, otherLanguage, own int
	eligible                                                 int
	languages                                                map[string]int
	dropped                                                  map[string]int
	care                                                     bool
}

const maxTurnRunes = 8000

// collect builds the turns of the conversations the subject takes part in.
func (r *run) collect(b evidence.Batch) {
	others := len(b.Messages)
	for _, room := range b.Rooms(r.rec) {
		r.collectConversation(b.Messages[room.Start:room.End])
		others -= room.End - room.Start
	}
	if others > 0 {
		r.stats.dropped["no_consent"] += others
	}
	for i := range r.turns {
		if r.turns[i].self {
			r.own = append(r.own, i)
		}
	}
}

func (r *run) isSelf(m *evidence.Message) bool {
	return m.Actor == r.rec.Subject && (r.rec.Platform == "" || m.Platform == r.rec.Platform)
}

func (r *run) collectConversation(messages []evidence.Message) {
	conv := int(r.names.number(messages[0].Platform + "\x00" + messages[0].Conversation))
	first := len(r.turns)
	for i := range messages {
		m := &messages[i]
		self := r.isSelf(m)
		if self {
			r.stats.messages++
		}
		prompt := r.promptOf(m)
		if len(r.turns) > first && prompt == nil {
			last := &r.turns[len(r.turns)-1]
			if last.actor == m.Actor && last.part == m.Part && last.prompt == nil && last.care == m.Care &&
				(m.ReplyTo == "" || m.ReplyTo == last.replyTo) && slices.Equal(last.flags, m.Flags) && last.scene == m.Scene &&
				last.role == m.Role && utf8.RuneCountInString(last.text)+utf8.RuneCountInString(string(m.Text)) < maxTurnRunes {
				last.text += "\n" + string(m.Text)
				last.messages++
				last.ids = append(last.ids, m.ID)
				last.reactions = append(last.reactions, m.Reactions...)
				last.repaired = math.Max(last.repaired, m.Repaired)
				continue
			}
		}
		r.turns = append(r.turns, turn{
			id: m.ID, ids: []string{m.ID}, messages: 1, actor: m.Actor, self: self, day: m.Day, conversation: conv, part: m.Part, text: string(m.Text),
			replyTo: m.ReplyTo, to: m.To, hint: m.Lang, voice: m.Channel == "voice_transcript", scene: m.Scene, role: m.Role,
			prompt: prompt, flags: m.Flags, reactions: slices.Clone(m.Reactions), care: m.Care, repaired: m.Repaired,
		})
	}
	r.link(first, messages)
}

// promptOf returns the known prompt that an npc of an assessment scene sends, or nil.
func (r *run) promptOf(m *evidence.Message) *Prompt {
	if m.Prompt == "" || m.Role != "npc" || m.Scene.Kind != evidence.SceneAssessment {
		return nil
	}
	p, ok := r.a.bank.byID[m.Prompt]
	if !ok {
		return nil
	}
	return &p
}

// contextTurns is how far back a message's context goes.
const contextTurns = 3

// link finds the context of each of the subject's turns from the conversation that starts at turn first.
func (r *run) link(first int, messages []evidence.Message) {
	// A reply names a message; messages of one turn share it.
	at, t := map[string]int{}, first
	left := 0
	if len(r.turns) > first {
		left = r.turns[first].messages
	}
	for i := range messages {
		if left == 0 {
			t++
			left = r.turns[t].messages
		}
		at[messages[i].ID] = t
		left--
	}
	for i := first; i < len(r.turns); i++ {
		t := &r.turns[i]
		if target, ok := at[t.replyTo]; ok && t.replyTo != "" && target < i {
			chain := []int{target}
			for len(chain) < contextTurns {
				next, ok := at[r.turns[chain[0]].replyTo]
				if !ok || r.turns[chain[0]].replyTo == "" || next >= chain[0] {
					break
				}
				chain = append([]int{next}, chain...)
			}
			t.context = chain
			continue
		}
		for j := max(first, i-contextTurns); j < i; j++ {
			if r.turns[j].part == t.part {
				t.context = append(t.context, j)
			}
		}
	}
}

// judgeTurns finds each own turn's language, whether it may be scored, and its quality weight.
func (r *run) judgeTurns() {
	r.stats.languages = map[string]int{}
	copies, phrases := newCopyIndex(), stock{}
	for _, i := range r.own {
		t := &r.turns[i]
		drop := r.judgeTurn(t)
		r.stats.own += t.messages
		if drop != "" {
			if drop == "care_path" {
				r.stats.care = true
			} else {
				r.stats.dropped[drop] += t.messages
			}
			continue
		}
		t.eligible = true
		t.quality = baseQuality(t)
		given := t.quality < 0.3 // pasted or automatic
		var k int
		t.said, k = phrases.take(t.text)
		if k = max(k, copies.add(t.text)); k > 0 {
			// The sum over any number of copies stays under 2.
			t.quality /= float64((1 + k) * (1 + k))
			// Everybody says "ok" and "thanks" again and again: that weighs little and accuses nobody.
			if substantial(t.text) {
				r.stats.nearCopies += t.messages
				given = true
			}
		}
		if given {
			r.stats.copied++
		}
		r.stats.eligible++
		r.stats.scored += t.messages
		r.stats.languages[t.lang] += t.messages
	}
	for i := range r.turns {
		t := &r.turns[i]
		if !t.self && t.lang == "" {
			t.lang, _ = r.language(t)
		}
	}
}

// substantial reports whether a text is longer than the small change of talk.
func substantial(s string) bool { return letters(s) >= 2*minStock }

// letters is the number of letters of a text; an ideograph counts twice.
func letters(s string) int {
	size := 0
	for _, c := range s {
		switch {
		case unicode.Is(unicode.Han, c):
			size += 2
		case unicode.IsLetter(c):
			size++
		}
	}
	return size
}

var (
	reMask   = regexp.MustCompile(`<(?:URL|EMAIL|PHONE|HANDLE|CARD|ID|IP|GEO|NAME)>`)
	reAction = regexp.MustCompile(`\*[^*\n]{1,200}\*`)
)

// judgeTurn returns why the turn is not scored, "" when it is.
func (r *run) judgeTurn(t *turn) string {
	switch {
	case t.care:
		return "care_path"
	case t.role == "bot" || t.role == "npc":
		return "bot"
	case t.repaired > 0.1:
		return "damaged"
	case slices.Contains(t.flags, "in_character"):
		return "role_play"
	}
	words := reMask.ReplaceAllString(t.text, "")
	if text.Clean(words).Wordless {
		return "no_words"
	}
	if !strings.ContainsFunc(reAction.ReplaceAllString(words, ""), unicode.IsLetter) {
		return "role_play"
	}
	lang, ok := r.language(t)
	if !ok {
		r.stats.otherLanguage += t.messages
		return "other_language"
	}
	t.lang = lang
	return ""
}

// language is the language the turn is scored in; ok is false for one that is neither English nor Chinese.
func (r *run) language(t *turn) (lang string, ok bool) {
	lang, confidence := r.a.cfg.Language(reMask.ReplaceAllString(t.text, ""))
	if lang == "en" || lang == "zh" {
		return lang, true
	}
	if confidence >= 0.8 {
		return lang, false
	}
	switch primary, _, _ := strings.Cut(strings.ToLower(t.hint), "-"); primary {
	case "en", "zh":
		return primary, true
	case "":
	default:
		return primary, false
	}
	han, letters := 0, 0
	for _, c := range t.text {
		switch {
		case unicode.Is(unicode.Han, c):
			han++
		case unicode.IsLetter(c):
			letters++
		}
	}
	if han*3 > letters {
		return "zh", true
	}
	return "en", true
}

func baseQuality(t *turn) float64 {
	q := 1.0
	if slices.Contains(t.flags, "pasted") || slices.Contains(t.flags, "macro") {
		q *= 0.2
	}
	if slices.Contains(t.flags, "translated") || t.voice || tooLong(t.text) {
		q *= 0.5
	}
	return q
}

// tooLong estimates whether the classifier cuts the text: over about 96 pieces.
func tooLong(s string) bool {
	pieces := 0.0
	inWord := false
	for _, c := range s {
		switch {
		case unicode.Is(unicode.Han, c):
			pieces += 0.8
			inWord = false
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			if !inWord {
				pieces += 1.25
			}
			inWord = true
		default:
			if !unicode.IsSpace(c) {
				pieces += 0.5
			}
			inWord = false
		}
	}
	return pieces > 96
}
