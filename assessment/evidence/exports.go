package evidence

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"heartmark/schemas"
)

// exportTime reads the times of exports: RFC 3339, or without offset when Options.Location is set.
func (r *reader) exportTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), true
	}
	if r.opt.Location == nil {
		return time.Time{}, false
	}
	for _, layout := range []string{"2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04", "2006/01/02 15:04:05", "2006/01/02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, r.opt.Location); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// eachElement streams the elements of the JSON array that dec stands before. Elements over MaxLine are bad lines.
func (r *reader) eachElement(dec *json.Decoder, fn func(n int, m map[string]any) (raw, *Issue, bool)) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return refuse(ErrFormat, "expected a JSON array of messages", Issues{})
	}
	for n := 1; dec.More(); n++ {
		var element json.RawMessage
		if err := dec.Decode(&element); err != nil {
			return refuse(ErrBadLines, fmt.Sprintf("message %d is not JSON", n), Issues{})
		}
		r.issues.Lines++
		if len(element) > MaxLine {
			r.bad(n, Issue{Code: CodeTooLong, Expected: fmt.Sprintf("at most %d bytes a message", MaxLine)})
			continue
		}
		m, err := schemas.ParseObject(element)
		if err != nil {
			r.bad(n, *parseIssue(err))
			continue
		}
		e, issue, use := fn(n, m)
		if !use {
			r.counts["system"]++
			continue
		}
		e.line = n
		if err := r.take(e, issue); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return refuse(ErrBadLines, "the array of messages has no end", Issues{})
	}
	return nil
}

// readDiscord reads the JSON of the common Discord exporters: an object with guild, channel and messages.
func (r *reader) readDiscord(br *bufio.Reader) error {
	dec := json.NewDecoder(br)
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return refuse(ErrFormat, "expected a Discord export", Issues{})
	}
	channel := "main"
	found := false
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return refuse(ErrBadLines, "the export is not JSON", Issues{})
		}
		if name == "messages" {
			found = true
			if err := r.eachElement(dec, func(_ int, m map[string]any) (raw, *Issue, bool) { return r.discordMessage(m, channel) }); err != nil {
				return err
			}
			continue
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return refuse(ErrBadLines, "the export is not JSON", Issues{})
		}
		if name == "channel" {
			if m, err := schemas.ParseObject(value); err == nil {
				if id := text(m, "id"); id != "" {
					channel = id
				}
			}
		}
	}
	if !found {
		return refuse(ErrFormat, "the export has no messages", Issues{})
	}
	if _, err := dec.Token(); err != nil {
		return refuse(ErrBadLines, "the export has no end", Issues{})
	}
	return nil
}

func text(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

func object(m map[string]any, name string) map[string]any {
	o, _ := m[name].(map[string]any)
	return o
}

func (r *reader) discordMessage(m map[string]any, channel string) (raw, *Issue, bool) {
	kind := text(m, "type")
	if kind != "" && kind != "Default" && kind != "Reply" {
		return raw{}, nil, false
	}
	author := object(m, "author")
	e := raw{kind: TypeMessage, platform: r.platform(), conversation: channel, name: text(author, "name")}
	f := &fields{m: m}
	e.id = f.str("id", 1, 128)
	e.text = f.str("content", 0, 8000)
	e.actor = r.exportActor(text(author, "id"), e.name, text(author, "nickname"))
	if e.actor == "" {
		f.fail("author/id", CodeMissing, "a string")
	}
	if nick := text(author, "nickname"); nick != "" {
		r.names[nick] = true
	}
	if bot, _ := author["isBot"].(bool); bot {
		e.role = "bot"
	}
	e.replyTo = text(object(m, "reference"), "messageId")
	t, ok := r.exportTime(text(m, "timestamp"))
	if !ok {
		f.fail("timestamp", CodeTime, tsExpected)
	}
	e.ts = t
	return e, f.issue, true
}

// exportActor is the id that stands for an author; the subject is found under any of the author's names.
func (r *reader) exportActor(id string, names ...string) string {
	for _, n := range append(names, id) {
		if n != "" && n == r.opt.Subject {
			return n
		}
	}
	if id == "" {
		for _, n := range names {
			if n != "" {
				return n
			}
		}
	}
	return id
}

// readSlack reads one channel file of a Slack export: an array of messages.
func (r *reader) readSlack(br *bufio.Reader) error {
	dec := json.NewDecoder(br)
	if err := r.eachElement(dec, func(_ int, m map[string]any) (raw, *Issue, bool) { return r.slackMessage(m) }); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return refuse(ErrBadLines, "data after the array of messages", Issues{})
	}
	return nil
}

func (r *reader) slackMessage(m map[string]any) (raw, *Issue, bool) {
	sub := text(m, "subtype")
	if text(m, "type") != "message" || sub != "" && sub != "bot_message" && sub != "thread_broadcast" && sub != "me_message" {
		return raw{}, nil, false
	}
	e := raw{kind: TypeMessage, platform: r.platform(), conversation: "main"}
	profile := object(m, "user_profile")
	e.name = text(profile, "real_name")
	if display := text(profile, "display_name"); display != "" {
		r.names[display] = true
	}
	f := &fields{m: m}
	e.text = slackText(f.str("text", 0, 8000))
	e.actor = r.exportActor(text(m, "user"), e.name, text(profile, "display_name"), text(m, "username"))
	if sub == "bot_message" || text(m, "bot_id") != "" {
		e.role = "bot"
		if e.actor == "" {
			e.actor = "bot"
		}
	}
	if e.actor == "" {
		f.fail("user", CodeMissing, "a string")
	}
	ts := text(m, "ts")
	e.id = ts + "/" + e.actor
	if seconds, err := strconv.ParseFloat(ts, 64); err == nil && seconds > 0 && seconds < 1e11 {
		whole, frac := math.Modf(seconds)
		e.ts = time.Unix(int64(whole), int64(frac*1e9)).UTC()
	} else {
		f.fail("ts", CodeTime, "seconds since 1970 as Slack writes them")
	}
	if thread := text(m, "thread_ts"); thread != "" && thread != ts {
		e.conversation = thread
		e.replyTo = thread + "/" + text(m, "parent_user_id")
	}
	return e, f.issue, true
}

// slackText undoes Slack's escapes and turns its references into plain words that the scrubber knows.
func slackText(s string) string {
	var b strings.Builder
	for s != "" {
		before, rest, found := strings.Cut(s, "<")
		b.WriteString(before)
		if !found {
			break
		}
		inside, after, closed := strings.Cut(rest, ">")
		if !closed {
			b.WriteString("<" + rest)
			break
		}
		switch {
		case strings.HasPrefix(inside, "@"), strings.HasPrefix(inside, "!"):
			b.WriteString(maskHandle)
		case strings.HasPrefix(inside, "#"):
			_, label, _ := strings.Cut(inside, "|")
			b.WriteString("#" + label)
		default:
			link, _, _ := strings.Cut(inside, "|")
			b.WriteString(link)
		}
		s = after
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(b.String())
}

// cutRunes returns at most n characters of s.
func cutRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
