package evidence

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Shapes of the first line of a message. Groups: date, time, name, text.
var (
	// 31/12/2026, 22:15 - Name: text and 12/31/26, 10:15 PM - Name: text and [31/12/2026, 22:15:03] Name: text
	reWhatsApp = regexp.MustCompile(`^\x{200e}?\[?(\d{1,4}[./\-]\d{1,2}[./\-]\d{1,4}),? +(\d{1,2}:\d{2}(?::\d{2})?(?:[  ]?[APap]\.?[Mm]\.?)?)\]?(?: +- +| +)(.*)$`)
	// 2026-03-01 12:30:15 Name (the text follows on the next lines)
	reWeChat = regexp.MustCompile(`^(\d{4}[./\-]\d{1,2}[./\-]\d{1,2}) +(\d{1,2}:\d{2}(?::\d{2})?) +([^:：]{1,64})$`)
	// Name 2026-03-01 12:30:15 (the text follows on the next lines)
	reWeChatName = regexp.MustCompile(`^([^:：\d][^:：]{0,63}?) +(\d{4}[./\-]\d{1,2}[./\-]\d{1,2}) +(\d{1,2}:\d{2}(?::\d{2})?)$`)
)

func textHeader(line string) bool {
	return reWhatsApp.MatchString(line) || reWeChatName.MatchString(line)
}

// header is the first line of one message of a text export.
type header struct {
	date, clock, name, text string
	system                  bool
}

func parseHeader(line string) (header, bool) {
	if m := reWeChat.FindStringSubmatch(line); m != nil && !strings.HasPrefix(m[3], "- ") {
		return header{date: m[1], clock: m[2], name: strings.TrimSpace(m[3])}, true
	}
	if m := reWhatsApp.FindStringSubmatch(line); m != nil {
		h := header{date: m[1], clock: m[2]}
		rest := strings.TrimPrefix(m[3], "\u200e")
		at := strings.IndexAny(rest, ":：")
		if at <= 0 || utf8.RuneCountInString(rest[:at]) > 64 {
			h.system = true // "Messages are end-to-end encrypted", "You were added"
			return h, true
		}
		_, size := utf8.DecodeRuneInString(rest[at:])
		h.name, h.text = strings.TrimSpace(rest[:at]), strings.TrimSpace(rest[at+size:])
		return h, true
	}
	if m := reWeChatName.FindStringSubmatch(line); m != nil {
		return header{date: m[2], clock: m[3], name: strings.TrimSpace(m[1])}, true
	}
	return header{}, false
}

// entry is one message of a text export before its date is understood.
type entry struct {
	header
	line int
	more []string
	size int
}

// readText reads a text export. The order of day and month is found from the whole file, so entries wait until its end.
func (r *reader) readText(br *bufio.Reader) error {
	var entries []entry
	var total int64
	for n := 1; ; n++ {
		b, tooLong, err := readLine(br)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read line %d: %w", n, err)
		}
		line := strings.TrimRight(string(b), " \t")
		total += int64(len(line)) + 64
		if total > r.opt.MaxBytes || len(entries) > r.opt.MaxEvents {
			return refuse(ErrTooLarge, "split the export by conversation", Issues{})
		}
		switch h, ok := parseHeader(strings.TrimSpace(line)); {
		case tooLong:
			r.issues.Lines++
			r.bad(n, Issue{Code: CodeTooLong, Expected: fmt.Sprintf("at most %d bytes a line", MaxLine)})
		case !utf8.ValidString(line):
			r.issues.Lines++
			r.bad(n, Issue{Code: CodeMalformed, Expected: "UTF-8"})
		case ok:
			entries = append(entries, entry{header: h, line: n})
		case len(entries) > 0:
			if e := &entries[len(entries)-1]; e.size < MaxLine {
				e.more = append(e.more, line)
				e.size += len(line)
			}
		case strings.TrimSpace(line) != "":
			r.issues.Lines++
			r.bad(n, Issue{Code: CodeMalformed, Expected: "date, time and name before the first text"})
		}
		if errors.Is(err, io.EOF) {
			break
		}
	}
	dayFirst, err := r.dateOrder(entries)
	if err != nil {
		return err
	}
	return r.takeEntries(entries, dayFirst)
}

func (r *reader) takeEntries(entries []entry, dayFirst bool) error {
	for _, t := range entries {
		if t.system {
			r.counts["system"]++
			continue
		}
		body := strings.TrimSpace(strings.Join(append([]string{t.text}, t.more...), "\n"))
		if isPlaceholder(body) {
			r.counts["media"]++
			continue
		}
		r.issues.Lines++
		e := raw{kind: TypeMessage, line: t.line, platform: r.platform(), conversation: "main", text: cutRunes(body, 8000), name: t.name}
		e.actor = r.pseudonym(t.name)
		// Minutes are the finest time many exports give, so the line keeps the order within one.
		e.id = fmt.Sprintf("line%08d", t.line)
		var issue *Issue
		ts, ok := r.textTime(t.date, t.clock, dayFirst)
		if !ok {
			issue = &Issue{Field: "date", Code: CodeTime, Expected: "a date and a time of the same style as the other lines"}
		}
		e.ts = ts
		if err := r.take(e, issue); err != nil {
			return err
		}
	}
	return nil
}

// pseudonym keeps the subject as named and turns everybody else's name into a short digest.
func (r *reader) pseudonym(name string) string {
	if name == r.opt.Subject || r.opt.Receipt != nil && name == r.opt.Receipt.Subject {
		return name
	}
	sum := sha256.Sum256([]byte("heartmark/actor\x00" + name))
	return "p-" + hex.EncodeToString(sum[:6])
}

func isPlaceholder(s string) bool {
	switch strings.Trim(s, "\u200e ") {
	case "<Media omitted>", "image omitted", "video omitted", "audio omitted", "sticker omitted", "GIF omitted", "document omitted",
		"This message was deleted", "You deleted this message", "[图片]", "[视频]", "[语音]", "[表情]", "[动画表情]", "[文件]", "[链接]", "<媒体已省略>":
		return true
	}
	return false
}

// dateParts splits 31/12/2026 into its three numbers.
func dateParts(s string) (a, b, c int, ok bool) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' || r == '.' || r == '-' })
	if len(parts) != 3 {
		return 0, 0, 0, false
	}
	var n [3]int
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil {
			return 0, 0, 0, false
		}
		n[i] = v
	}
	return n[0], n[1], n[2], true
}

// dateOrder finds out whether the day comes first: a number over 12 settles it, otherwise the order that never runs
// backwards, otherwise Options.DayFirst.
func (r *reader) dateOrder(entries []entry) (dayFirst bool, err error) {
	if r.opt.DayFirst != "" {
		return r.opt.DayFirst == "day", nil
	}
	needed := false
	var first, second bool
	for _, e := range entries {
		a, b, _, ok := dateParts(e.date)
		if !ok || a > 31 {
			continue
		}
		needed = needed || a != b
		first = first || a > 12
		second = second || b > 12
	}
	switch {
	case !needed || first && !second:
		return true, nil
	case second && !first:
		return false, nil
	case first && second:
		return false, refuse(ErrFormat, "the export mixes day/month and month/day", Issues{})
	}
	day, month := r.backwards(entries, true), r.backwards(entries, false)
	if day != month {
		return !day, nil
	}
	return false, refuse(ErrFormat, "dates such as 03/04 can be read two ways; say --date-order day or month", Issues{})
}

func (r *reader) backwards(entries []entry, dayFirst bool) bool {
	var last time.Time
	for _, e := range entries {
		t, ok := r.textTime(e.date, e.clock, dayFirst)
		if !ok || t.Before(last) {
			return true
		}
		last = t
	}
	return false
}

func (r *reader) textTime(date, clock string, dayFirst bool) (time.Time, bool) {
	a, b, c, ok := dateParts(date)
	if !ok {
		return time.Time{}, false
	}
	year, month, day := c, a, b
	switch {
	case a > 31:
		year, month, day = a, b, c
	case dayFirst:
		month, day = b, a
	}
	if year < 100 {
		year += 2000
	}
	loc := r.opt.Location
	if loc == nil {
		loc = time.UTC
	}
	upper := strings.ToUpper(strings.NewReplacer(".", "", " ", "", " ", "", " ", "").Replace(clock))
	for _, layout := range []string{"15:04:05", "15:04", "3:04:05PM", "3:04PM"} {
		t, err := time.Parse(layout, upper)
		if err != nil {
			continue
		}
		full := time.Date(year, time.Month(month), day, t.Hour(), t.Minute(), t.Second(), 0, loc)
		if full.Month() != time.Month(month) || full.Day() != day {
			return time.Time{}, false
		}
		return full.UTC(), true
	}
	return time.Time{}, false
}
