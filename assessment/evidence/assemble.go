package evidence

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// assemble turns the events into a Batch: consent, edits and deletions, order, parts, days, masks.
func (r *reader) assemble() (Batch, error) {
	slices.SortStableFunc(r.events, func(a, b raw) int {
		return cmp.Or(a.ts.Compare(b.ts), cmp.Compare(a.platform, b.platform), cmp.Compare(a.id, b.id))
	})
	receipts, err := r.gate()
	if err != nil {
		return Batch{}, err
	}
	messages, reactions := r.resolve()
	batch := Batch{Receipts: receipts, Counts: r.counts, Format: r.format, Digests: map[string]string{}}
	batch.Messages = r.finish(messages, reactions)
	batch.rooms = indexRooms(batch.Messages)
	if err := r.seal(&batch); err != nil {
		return Batch{}, err
	}
	return batch, nil
}

// seal draws the salt and computes the digests.
func (r *reader) seal(batch *Batch) error {
	var salt [16]byte
	if len(r.opt.SaltKey) > 0 {
		// The same content gives the same salt, so that a retry gives the same report; without the key it is random.
		mac := hmac.New(sha256.New, r.opt.SaltKey)
		for _, rec := range batch.Receipts {
			d, err := digest(salt, rec, *batch)
			if err != nil {
				return err
			}
			mac.Write([]byte(d))
		}
		copy(salt[:], mac.Sum(nil))
	} else {
		salt = r.opt.salt()
	}
	batch.Salt = hex.EncodeToString(salt[:])
	for _, rec := range batch.Receipts {
		d, err := digest(salt, rec, *batch)
		if err != nil {
			return err
		}
		batch.Digests[Subject(rec.Platform, rec.Subject)] = d
	}
	return nil
}

// gate finds the live receipts (G1, G2, G16). Nobody's words are kept past it unless there is one.
func (r *reader) gate() ([]Receipt, error) {
	var found []Receipt
	switch {
	case r.opt.Receipt != nil:
		found = []Receipt{*r.opt.Receipt}
	case r.opt.Subject != "":
		found = []Receipt{r.vouched()}
	default:
		found = r.consentLines()
	}
	if len(found) == 0 {
		return nil, refuse(ErrNoConsent, "no consent line; without one name --subject and --consent", Issues{})
	}
	var live []Receipt
	var last error
	for _, rec := range found {
		if err := r.live(rec); err != nil {
			last = err
			r.counts["receipt_refused"]++
			continue
		}
		live = append(live, rec)
	}
	if len(live) == 0 {
		return nil, last
	}
	slices.SortFunc(live, func(a, b Receipt) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Platform, b.Platform))
	})
	return live, nil
}

// vouched is the receipt of a file without consent lines. The operator's word covers age too.
func (r *reader) vouched() Receipt {
	policy := r.opt.Policy
	if policy == "" {
		policy = "operator"
	}
	rec := Receipt{Subject: r.opt.Subject, Purposes: slices.Clone(r.opt.Consent), Adult: true, Policy: policy, Vouched: true}
	for i := range r.events {
		if r.events[i].actor == rec.Subject {
			rec.Platform = r.events[i].platform
			break
		}
	}
	return rec
}

// consentLines takes the last consent line of each actor.
func (r *reader) consentLines() []Receipt {
	byActor := map[string]Receipt{}
	for i := range r.events {
		e := &r.events[i]
		if e.kind != TypeConsent {
			continue
		}
		byActor[Subject(e.platform, e.actor)] = Receipt{
			Subject: e.actor, Platform: e.platform, Purposes: e.purposes, Adult: e.adult, Policy: e.policy, Expires: e.expires,
		}
	}
	out := make([]Receipt, 0, len(byActor))
	for _, rec := range byActor {
		out = append(out, rec)
	}
	// The order decides which refusal is told when none is live.
	slices.SortFunc(out, func(a, b Receipt) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Platform, b.Platform))
	})
	return out
}

// history is what one actor said about consent, and whether the actor wrote at all.
type history struct {
	given, taken time.Time
	present      bool
}

// said looks an actor up; the table is built once.
func (r *reader) said(rec Receipt) history {
	if r.histories == nil {
		r.histories = map[string]history{}
		for i := range r.events {
			e := &r.events[i]
			for _, key := range []string{e.actor, Subject(e.platform, e.actor)} {
				h := r.histories[key]
				switch e.kind {
				case TypeWithdraw:
					h.taken = e.ts
				case TypeConsent:
					h.given = e.ts
				case TypeMessage:
					h.present = true
				default:
					continue
				}
				r.histories[key] = h
			}
		}
	}
	if rec.Platform == "" {
		return r.histories[rec.Subject]
	}
	return r.histories[Subject(rec.Platform, rec.Subject)]
}

func (r *reader) live(rec Receipt) error {
	if !rec.Adult {
		return refuse(ErrUnderage, rec.Subject, Issues{})
	}
	for _, need := range []string{"process", "score"} {
		if !rec.Has(need) {
			return refuse(ErrNoConsent, fmt.Sprintf("%s did not agree to %q", rec.Subject, need), Issues{})
		}
	}
	if !r.now.IsZero() && !rec.Expires.IsZero() && !r.now.Before(rec.Expires) {
		return refuse(ErrNoConsent, fmt.Sprintf("the receipt of %s ended %s", rec.Subject, rec.Expires.Format(time.RFC3339)), Issues{})
	}
	said := r.said(rec)
	if rec.Given.After(said.given) {
		said.given = rec.Given
	}
	// Consent given anew after a withdrawal stands; in the same instant the withdrawal wins.
	if !said.taken.IsZero() && !said.given.After(said.taken) {
		return refuse(ErrWithdrawn, rec.Subject, Issues{})
	}
	if !said.present && r.opt.Receipt == nil && rec.Vouched {
		return refuse(ErrNoConsent, fmt.Sprintf("no message by %q; --subject takes the actor as the file writes it", rec.Subject), Issues{})
	}
	return nil
}

// resolve applies edits, deletions and reactions; events are in time order.
func (r *reader) resolve() (messages []raw, reactions map[string][]Reaction) {
	index := map[string]int{}
	var live []raw
	for _, e := range r.events {
		if e.kind == TypeMessage {
			index[Subject(e.platform, e.id)] = len(live)
			live = append(live, e)
		}
	}
	gone := make([]bool, len(live))
	reactions = map[string][]Reaction{}
	reacted := map[string]string{} // reaction event to its target
	for _, e := range r.events {
		key := Subject(e.platform, e.target)
		i, ok := index[key]
		if r.outside[key] {
			continue
		}
		switch e.kind {
		case TypeEdit:
			if !ok || live[i].actor != e.actor {
				r.bad(e.line, Issue{Field: "/target", Code: CodeUnknownTarget, Expected: "the id of a message of the same actor"})
				continue
			}
			live[i].text = e.text
			r.counts["edited"]++
		case TypeDelete:
			if target, isReaction := reacted[key]; isReaction {
				reactions[target] = slices.DeleteFunc(reactions[target], func(x Reaction) bool { return x.Actor == e.actor })
				continue
			}
			if !ok || live[i].actor != e.actor && e.role != "moderator" {
				r.bad(e.line, Issue{Field: "/target", Code: CodeUnknownTarget, Expected: "the id of a message of the same actor"})
				continue
			}
			gone[i] = true
			r.counts["deleted"]++
		case TypeReaction:
			if ok { // a reaction to a message outside the batch says nothing
				reactions[key] = append(reactions[key], Reaction{Actor: e.actor, Symbol: e.symbol})
				reacted[Subject(e.platform, e.id)] = key
			}
		}
	}
	for i := range live {
		if !gone[i] {
			messages = append(messages, live[i])
		}
	}
	return messages, reactions
}

// finish orders, parts, dates and scrubs.
func (r *reader) finish(events []raw, reactions map[string][]Reaction) []Message {
	slices.SortStableFunc(events, func(a, b raw) int {
		return cmp.Or(cmp.Compare(a.platform, b.platform), cmp.Compare(a.conversation, b.conversation),
			a.ts.Compare(b.ts), cmp.Compare(a.id, b.id))
	})
	names := slices.Collect(func(yield func(string) bool) {
		for n := range r.names {
			if !yield(n) {
				return
			}
		}
	})
	scrub := NewScrubber(append(names, r.opt.Roster...))
	out := make([]Message, 0, len(events))
	part := 0
	for i, e := range events {
		if i > 0 {
			p := &events[i-1]
			switch {
			case p.platform != e.platform || p.conversation != e.conversation:
				part = 0
			case e.ts.Sub(p.ts) > partGap:
				part++
			}
		}
		m := Message{
			ID: e.id, Day: e.ts.Format(time.DateOnly), Platform: e.platform, Actor: e.actor, Conversation: e.conversation, Part: part,
			ReplyTo: e.replyTo, To: e.to, Lang: e.lang, Channel: cmp.Or(e.channel, "text"), Scene: e.scene,
			Role: cmp.Or(e.role, "member"), Prompt: e.prompt, Flags: e.flags, Reactions: reactions[Subject(e.platform, e.id)],
			Care: needsCare(e.text), Repaired: damage(e.text),
		}
		own := dropQuotes(e.text)
		if own != e.text {
			r.counts["quoted"]++
		}
		masked := scrub.Scrub(own)
		if masked != own {
			r.counts["scrubbed"]++
		}
		m.Text = Text(masked)
		if m.Repaired > 0 {
			r.counts["repaired"]++
		}
		out = append(out, m)
	}
	return out
}

// damage is the share of characters that the model view replaces: NUL, controls, replacement characters.
func damage(text string) float64 {
	total, bad := 0, 0
	for _, c := range text {
		total++
		if c == utf8.RuneError || unicode.IsControl(c) && !strings.ContainsRune("\n\r\t", c) {
			bad++
		}
	}
	if total == 0 {
		return 0
	}
	return float64(bad) / float64(total)
}

// dropQuotes takes out lines that quote somebody else ("> so they wrote"): only the writer's own words may be scored
// and shown.
func dropQuotes(text string) string {
	if !strings.Contains(text, "> ") {
		return text
	}
	lines := strings.Split(text, "\n")
	kept := slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(strings.TrimSpace(l), "> ") })
	return strings.TrimSpace(strings.Join(kept, "\n"))
}
