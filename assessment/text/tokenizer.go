package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Ids of the marks, the same in every tokenizer of this project. A person cannot type them: what looks like a mark in a
// text is encoded as ordinary characters.
const (
	IDBegin   = 0 // <s>
	IDPad     = 1 // <pad>
	IDEnd     = 2 // </s>
	IDUnknown = 3 // <unk>
	IDSelf    = 4 // [self]
	IDOther   = 5 // [other]
	marks     = 6
)

// ErrTokenizer is wrapped when a tokenizer.json cannot be used: not JSON, or a kind that this package does not implement.
var ErrTokenizer = errors.New("tokenizer file cannot be used")

// unknownPenalty is what the reference library takes off the lowest piece score for an unknown character.
const unknownPenalty = 10

// Tokenizer cuts text into the pieces of a Unigram vocabulary by the best total score (Viterbi over a trie). It is safe
// for concurrent use.
type Tokenizer struct {
	scores  []float64
	trie    trie
	unknown float64
}

type tokenizerFile struct {
	Normalizer struct {
		Type        string `json:"type"`
		Normalizers []struct {
			Type    string `json:"type"`
			Pattern struct {
				Regex string `json:"Regex"`
			} `json:"pattern"`
			Content string `json:"content"`
		} `json:"normalizers"`
	} `json:"normalizer"`
	PreTokenizer struct {
		Type          string `json:"type"`
		Replacement   string `json:"replacement"`
		PrependScheme string `json:"prepend_scheme"`
	} `json:"pre_tokenizer"`
	AddedTokens []json.RawMessage `json:"added_tokens"`
	Model       struct {
		Type         string               `json:"type"`
		UnknownID    int                  `json:"unk_id"`
		ByteFallback bool                 `json:"byte_fallback"`
		Vocab        [][2]json.RawMessage `json:"vocab"`
	} `json:"model"`
}

// NewTokenizer reads a tokenizer.json: Unigram model, normaliser NFKC then white space to one space, pre-tokenizer
// Metaspace with the mark always in front. Anything else is refused (ErrTokenizer) rather than read approximately.
func NewTokenizer(data []byte) (*Tokenizer, error) {
	var file tokenizerFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTokenizer, err)
	}
	if err := file.check(); err != nil {
		return nil, err
	}
	t := &Tokenizer{scores: make([]float64, len(file.Model.Vocab)), trie: newTrie()}
	lowest := math.Inf(1)
	for id, entry := range file.Model.Vocab {
		var piece string
		if err := json.Unmarshal(entry[0], &piece); err != nil {
			return nil, fmt.Errorf("%w: piece %d: %w", ErrTokenizer, id, err)
		}
		if err := json.Unmarshal(entry[1], &t.scores[id]); err != nil {
			return nil, fmt.Errorf("%w: score of piece %d: %w", ErrTokenizer, id, err)
		}
		lowest = min(lowest, t.scores[id])
		if strings.Contains(piece, " ") != (id < marks) {
			return nil, fmt.Errorf("%w: piece %d %q: the marks, and only they, have a space in their name", ErrTokenizer, id, piece)
		}
		if id >= marks {
			t.trie.add(piece, int32(id))
		}
	}
	t.unknown = lowest - unknownPenalty
	return t, nil
}

func (f *tokenizerFile) check() error {
	n := f.Normalizer.Normalizers
	switch {
	case f.Model.Type != "Unigram" || f.Model.ByteFallback || f.Model.UnknownID != IDUnknown:
		return fmt.Errorf("%w: model is not Unigram with unknown id %d and no byte fallback", ErrTokenizer, IDUnknown)
	case len(f.Model.Vocab) <= marks:
		return fmt.Errorf("%w: vocabulary of %d pieces", ErrTokenizer, len(f.Model.Vocab))
	case f.Normalizer.Type != "Sequence" || len(n) != 2 || n[0].Type != "NFKC" || n[1].Type != "Replace" ||
		n[1].Pattern.Regex != `\s+` || n[1].Content != " ":
		return fmt.Errorf(`%w: normalizer is not NFKC then \s+ to one space`, ErrTokenizer)
	case f.PreTokenizer.Type != "Metaspace" || f.PreTokenizer.Replacement != "▁" || f.PreTokenizer.PrependScheme != "always":
		return fmt.Errorf("%w: pre_tokenizer is not Metaspace with the mark always in front", ErrTokenizer)
	case len(f.AddedTokens) != 0:
		return fmt.Errorf("%w: added_tokens: typed marks must stay plain text", ErrTokenizer)
	}
	return nil
}

// Size is the number of ids, marks included.
func (t *Tokenizer) Size() int { return len(t.scores) }

// Encode returns the piece ids of s without any mark around them. Broken UTF-8 is read as U+FFFD.
func (t *Tokenizer) Encode(s string) []int32 {
	s = metaspace(norm.NFKC.String(strings.ToValidUTF8(s, "\uFFFD")))
	ids := make([]int32, 0, len(s)/3+2)
	var room [64]step // longer words are rare: they allocate
	best := room[:]
	for len(s) > 0 {
		end := strings.Index(s[1:], "▁") // a word is a mark and what follows up to the next one
		if end < 0 {
			end = len(s)
		} else {
			end++
		}
		if end >= len(best) {
			best = make([]step, end+1)
		}
		ids = t.word(s[:end], ids, best[:end+1])
		s = s[end:]
	}
	return ids
}

// metaspace turns every run of white space into one mark and puts a mark in front.
func metaspace(s string) string {
	if s == "" {
		return ""
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	if r, _ := utf8.DecodeRuneInString(s); !whiteSpace(r) && r != '▁' {
		b.WriteRune('▁')
	}
	inside := false
	for _, r := range s {
		space := whiteSpace(r)
		if space && !inside {
			b.WriteRune('▁')
		} else if !space {
			b.WriteRune(r)
		}
		inside = space
	}
	return b.String()
}

// whiteSpace is the Unicode property White_Space, which is what \s means to the reference library.
func whiteSpace(r rune) bool {
	switch {
	case r >= 0x09 && r <= 0x0d, r == 0x20, r == 0x85, r == 0xa0, r == 0x1680, r >= 0x2000 && r <= 0x200a,
		r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
		return true
	}
	return false
}

type step struct {
	score float64
	from  int32 // -1: not reached
	id    int32
}

// word appends the ids of the best cut of one word. Neighbouring unknown characters become one unknown id. best is room for
// one step a byte and one more.
func (t *Tokenizer) word(s string, ids []int32, best []step) []int32 {
	best[0] = step{}
	for i := 1; i <= len(s); i++ {
		best[i].from = -1
	}
	for at := 0; at < len(s); {
		_, width := utf8.DecodeRuneInString(s[at:])
		single := false
		node := int32(0)
		for end := at; end < len(s); {
			if node = t.trie.next(node, s[end]); node < 0 {
				break
			}
			end++
			id := t.trie.nodes[node].piece
			if id < 0 {
				continue
			}
			// The order of the additions is the reference's: sums must round alike for ties to fall alike.
			if score := t.scores[id] + best[at].score; best[end].from < 0 || score > best[end].score {
				best[end] = step{score, int32(at), id}
			}
			single = single || end-at == width
		}
		if end := at + width; !single {
			if score := t.unknown + best[at].score; best[end].from < 0 || score > best[end].score {
				best[end] = step{score, int32(at), IDUnknown}
			}
		}
		at += width
	}
	first := len(ids)
	for at := int32(len(s)); at > 0; at = best[at].from {
		if id := best[at].id; id != IDUnknown || len(ids) == first || ids[len(ids)-1] != IDUnknown {
			ids = append(ids, id)
		}
	}
	for i, j := first, len(ids)-1; i < j; i, j = i+1, j-1 {
		ids[i], ids[j] = ids[j], ids[i]
	}
	return ids
}
