package dataset

import (
	"encoding/json"

	"heartmark/assessment"
)

// Target is what annotators decided of one row for one head.
type Target struct {
	// Labels of a softmax head are those of which any may be right; of a sigmoid head those that are true; of a value head
	// the names of Values.
	Labels []string
	// Known are the labels of a sigmoid head that the annotators of the set could choose; nil: all labels of the head.
	Known  []string
	Values []float64 // of a value head, in [-1, 1]
}

// Row is one labelled message.
type Row struct {
	Set  string
	ID   string // unique in the set and split; the turns of a dialogue are "dialogue#turn"
	Lang string // "en" or "zh"
	Text string
	// Group joins rows that resemble each other (a conversation, a writer, a translated pair, a template); "" stands alone.
	Group   string
	Context []assessment.Turn // turns before it, oldest first; a head that does not read context is given none
	Gold    map[string]Target // by head
	Tags    map[string]string // what a report may be split by, such as "domain" or "functionality"
}

// Turn is one turn of a dialogue, with the labels that its set has.
type Turn struct {
	Speaker       string          `json:"speaker"`
	Text          string          `json:"text"`
	Emotion       string          `json:"emotion"`
	Sentiment     string          `json:"sentiment"`
	Act           string          `json:"act"`
	Strategies    []string        `json:"strategies"`
	Deal          json.RawMessage `json:"deal"` // casino: a deal action, which is no text
	SelfEmotion   string          `json:"self_emotion"`
	PartnerRating string          `json:"partner_rating"`
}

// Dialogue is a record of casino, cped, emorynlp or topical_chat.
type Dialogue struct {
	ID    string `json:"id"`
	Lang  string `json:"lang"`
	TV    string `json:"tv"` // cped: the programme
	Turns []Turn `json:"turns"`
}

// Message is a record of the other sets; L are its labels.
type Message[L any] struct {
	ID      string `json:"id"`
	Lang    string `json:"lang"`
	Text    string `json:"text"`
	Context []Turn `json:"context"` // only speaker and text; "self" wrote the message too
	Labels  L      `json:"labels"`

	Task          string `json:"task"`          // empathetic_personas: empathy, emotion, emotion_native, …
	Pair          string `json:"pair"`          // empathetic_personas: joins translations
	Domain        string `json:"domain"`        // politeness
	Source        string `json:"source"`        // xed
	Functionality string `json:"functionality"` // hatecheck_en_zh
	Target        string `json:"target"`        // hatecheck_en_zh
	Template      string `json:"templ"`         // hatecheck_en_zh
	Conversation  string `json:"conv"`          // convabuse
	User          string `json:"user"`          // empathic_reactions
	Topic         string `json:"topic"`         // cold
}

// contextTurns is how many turns before a message go with it (assessment design, section 3).
const contextTurns = 3

// Before are the up to three turns before turn i of a dialogue, as the writer of that turn sees them. Deal actions count
// as turns but are left out.
func Before(turns []Turn, i int) []assessment.Turn {
	var out []assessment.Turn
	for _, t := range turns[max(0, i-contextTurns):i] {
		if t.Deal == nil {
			out = append(out, assessment.Turn{Self: t.Speaker == turns[i].Speaker, Text: t.Text})
		}
	}
	return out
}

// context is the context of a single message, its last three turns.
func context(turns []Turn) []assessment.Turn {
	var out []assessment.Turn
	for _, t := range turns[max(0, len(turns)-contextTurns):] {
		out = append(out, assessment.Turn{Self: t.Speaker == "self", Text: t.Text})
	}
	return out
}

// language folds the language tags of the sets to those of the calibration: the scripts of Chinese, and talk that mixes
// Chinese with English, count as Chinese.
func language(tag string) string {
	if tag == "en" {
		return "en"
	}
	return "zh"
}
