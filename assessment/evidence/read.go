package evidence

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"time"
)

// Formats of Options.Format.
const (
	FormatAuto    = "auto"
	FormatJSONL   = "jsonl"
	FormatCSV     = "csv"
	FormatDiscord = "discord"
	FormatSlack   = "slack"
	// FormatText is a WhatsApp or WeChat style text export; FormatWhatsApp and FormatWeChat are other names for it.
	FormatText     = "text"
	FormatWhatsApp = "whatsapp"
	FormatWeChat   = "wechat"
)

// What Options.OnError may be.
const (
	OnErrorRefuse = "refuse"
	OnErrorSkip   = "skip"
)

// Bounds that Options may lower or raise.
const (
	// MaxLine is the longest line (or exported message) in bytes. It is fixed.
	MaxLine          = 64 << 10
	defaultMaxEvents = 2_000_000
	defaultMaxBytes  = 512 << 20
	// clockSkew is how far ahead of now an event may be dated.
	clockSkew = 10 * time.Minute
	// partGap is the pause after which a conversation starts its next part.
	partGap = 30 * time.Minute
)

// Options tell how to read. The zero value reads any known format, refuses on the first fault and needs consent lines.
type Options struct {
	Format string
	// Subject and Consent name the one to assess and what this person agreed to, for formats without consent lines;
	// the operator vouches for it. Subject is the actor as the file writes it.
	Subject string
	Consent []string
	// Policy is the version of the consent text that goes with Consent; empty reads "operator".
	Policy string
	// Receipt, when set, is a confirmed receipt that came with the submission; it stands in place of consent lines.
	Receipt *Receipt
	OnError string
	// Voluntary documents the person's own voluntary purpose of G3. Without it, scenes of kind work and class are
	// refused.
	Voluntary string
	Roster    []string // further names to mask
	Platform  string   // for exports, which do not say it; empty takes the format's name
	// DayFirst settles dates such as 03/04/2026 of text exports: "day" or "month". Empty finds out from the file and
	// refuses when it cannot.
	DayFirst string
	Location *time.Location // of text exports without offset; nil is UTC
	// MaxEvents and MaxBytes bound what is held in memory; 0 takes two million events and 512 MiB of text.
	MaxEvents int
	MaxBytes  int64
	Now       func() time.Time // nil turns the check against the future and of ended receipts off
	// SaltKey, a secret of the installation, makes the salt a keyed hash of the content: reading the same submission
	// again then gives the same digests and the same report. Without it NewSalt gives the 128-bit salt; nil draws it.
	SaltKey []byte
	NewSalt func() [16]byte
}

// reader is the state of one Read.
type reader struct {
	opt    Options
	now    time.Time
	issues Issues
	counts map[string]int
	events []raw
	seen   map[string]uint64 // platform and id to a hash of the content
	// outside are the messages that the receipt's data classes leave out; edits of them say nothing either.
	outside map[string]bool
	bytes   int64
	format  string
	names   map[string]bool // display names met in exports

	histories map[string]history // by actor, and by platform and actor
}

// Read reads one file or submission. With OnErrorRefuse any bad line refuses the whole; with OnErrorSkip bad lines are
// listed in Issues and left out, unless they are more than one in twenty. A refusal is a *RefusedError.
func Read(in io.Reader, opt Options) (Batch, Issues, error) {
	r := &reader{opt: opt, counts: map[string]int{}, seen: map[string]uint64{}, outside: map[string]bool{}, names: map[string]bool{}}
	if opt.Now != nil {
		r.now = opt.Now()
	}
	if r.opt.MaxEvents == 0 {
		r.opt.MaxEvents = defaultMaxEvents
	}
	if r.opt.MaxBytes == 0 {
		r.opt.MaxBytes = defaultMaxBytes
	}
	if err := opt.validate(); err != nil {
		return Batch{}, Issues{}, err
	}
	br := bufio.NewReaderSize(in, MaxLine+2)
	if head, _ := br.Peek(3); bytes.Equal(head, []byte("\xef\xbb\xbf")) && opt.Format != FormatJSONL {
		// Spreadsheets and phones put a byte order mark before exports; the project's own format never has one.
		if sniffed := sniff(br); sniffed != FormatJSONL {
			_, _ = br.Discard(3)
		}
	}
	r.format = opt.Format
	if r.format == "" || r.format == FormatAuto {
		r.format = sniff(br)
	}
	if err := r.parse(br); err != nil {
		return Batch{}, r.issues, r.attach(err)
	}
	if err := r.judge(); err != nil {
		return Batch{}, r.issues, err
	}
	batch, err := r.assemble()
	if err == nil {
		// Targets that do not exist are found late; they count like any other bad line.
		err = r.judge()
	}
	if err != nil {
		return Batch{}, r.issues, r.attach(err)
	}
	return batch, r.issues, nil
}

// attach gives a refusal the issues known by now.
func (r *reader) attach(err error) error {
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Issues.Total == 0 {
		refused.Issues = r.issues
	}
	return err
}

func (o Options) validate() error {
	switch o.OnError {
	case "", OnErrorRefuse, OnErrorSkip:
	default:
		return fmt.Errorf("on_error %q: expected refuse or skip", o.OnError)
	}
	switch o.DayFirst {
	case "", "day", "month":
	default:
		return fmt.Errorf("date order %q: expected day or month", o.DayFirst)
	}
	if o.Subject != "" && len(o.Consent) == 0 && o.Receipt == nil {
		return refuse(ErrNoConsent, "a subject is named without what this person agreed to (--consent process,score)", Issues{})
	}
	for _, p := range o.Consent {
		if !contains(purposes, p) {
			return fmt.Errorf("consent purpose %q: %w", p, ErrNoConsent)
		}
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (r *reader) parse(br *bufio.Reader) error {
	switch r.format {
	case FormatJSONL:
		return r.readJSONL(br)
	case FormatCSV:
		return r.readCSV(br)
	case FormatDiscord:
		return r.readDiscord(br)
	case FormatSlack:
		return r.readSlack(br)
	case FormatText, FormatWhatsApp, FormatWeChat:
		return r.readText(br)
	}
	return refuse(ErrFormat, "name it: jsonl, csv, discord, slack or text", Issues{})
}

// judge applies the on_error rule to the bad lines so far.
func (r *reader) judge() error {
	if r.issues.Total == 0 {
		return nil
	}
	if r.opt.OnError != OnErrorSkip {
		return refuse(ErrBadLines, fmt.Sprintf("%d of %d, nothing was taken", r.issues.Total, r.issues.Lines), r.issues)
	}
	if r.issues.Total*20 > r.issues.Lines {
		return refuse(ErrBadLines, fmt.Sprintf("%d of %d lines are bad, over 5 %%", r.issues.Total, r.issues.Lines), r.issues)
	}
	return nil
}

func (r *reader) bad(line int, issue Issue) {
	issue.Line = line
	r.issues.add(issue)
}

func (r *reader) readJSONL(br *bufio.Reader) error {
	for number := 1; ; number++ {
		line, tooLong, err := readLine(br)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read line %d: %w", number, err)
		}
		if len(bytes.TrimSpace(line)) > 0 || tooLong {
			r.issues.Lines++
			if tooLong {
				r.bad(number, Issue{Code: CodeTooLong, Expected: fmt.Sprintf("at most %d bytes a line", MaxLine)})
			} else {
				e, issue := decodeLine(line)
				e.line = number
				if err := r.take(e, issue); err != nil {
					return err
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}

// readLine returns the next line without its end. A line over MaxLine is read to its end and reported as too long.
func readLine(br *bufio.Reader) (line []byte, tooLong bool, err error) {
	chunk, err := br.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = br.ReadSlice('\n')
		}
		return nil, true, err
	}
	line = bytes.TrimSuffix(bytes.TrimSuffix(chunk, []byte("\n")), []byte("\r"))
	if len(line) > MaxLine {
		return nil, true, err
	}
	return line, false, err
}

// take checks what all formats share and keeps the event.
func (r *reader) take(e raw, issue *Issue) error {
	if issue == nil {
		issue = r.check(&e)
	}
	if issue != nil {
		r.bad(e.line, *issue)
		return nil
	}
	if e.unknown > 0 {
		r.counts["unknown_fields"] += e.unknown
	}
	if class := e.class(); class != "" && r.opt.Receipt != nil && !r.opt.Receipt.Covers(class) {
		r.counts["outside_consent"]++
		if e.kind == TypeMessage {
			r.outside[Subject(e.platform, e.id)] = true
		}
		return nil
	}
	key := Subject(e.platform, e.id)
	hash := e.contentHash()
	if old, ok := r.seen[key]; ok {
		if old == hash {
			r.counts["duplicate"]++
			return nil
		}
		r.bad(e.line, Issue{Field: "/id", Code: CodeIDConflict, Expected: "an id that no other event of the platform has, or the same content"})
		return nil
	}
	r.seen[key] = hash
	if e.name != "" {
		r.names[e.name] = true
	}
	r.bytes += int64(len(e.text)) + 256
	if len(r.events) >= r.opt.MaxEvents {
		return refuse(ErrTooLarge, fmt.Sprintf("over %d events; split the file by conversation", r.opt.MaxEvents), Issues{})
	}
	if r.bytes > r.opt.MaxBytes {
		return refuse(ErrTooLarge, fmt.Sprintf("over %d bytes; split the file by conversation", r.opt.MaxBytes), Issues{})
	}
	r.events = append(r.events, e)
	return nil
}

var year2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (r *reader) check(e *raw) *Issue {
	if e.ts.Before(year2000) {
		return &Issue{Field: "/ts", Code: CodeTime, Expected: "a time from the year 2000 on"}
	}
	if !r.now.IsZero() && e.ts.After(r.now.Add(clockSkew)) {
		return &Issue{Field: "/ts", Code: CodeTime, Expected: "a time at most 10 minutes ahead"}
	}
	if (e.scene.Kind == SceneWork || e.scene.Kind == SceneClass) && r.opt.Voluntary == "" {
		return &Issue{
			Field: "/scene/kind", Code: CodeScene,
			Expected: "a scene that is neither work nor class, unless a voluntary purpose of the person's own is documented",
		}
	}
	return nil
}

// class is the data class of an event, "" for one that every receipt covers.
func (e *raw) class() string {
	switch {
	case e.kind == TypeReaction:
		return ClassReactions
	case e.kind == TypeMessage && e.scene.Kind == SceneAssessment:
		return ClassExercises
	case e.kind == TypeMessage:
		return ClassMessages
	}
	return ""
}

// contentHash covers every field but the line number.
func (e *raw) contentHash() uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%q %q %q %q %q %q %q %q %q %q %q %q %q %q %q %q %q %v", e.kind, e.actor, e.ts.Format(time.RFC3339Nano), e.conversation,
		e.text, e.replyTo, e.to, e.lang, e.channel, e.scene, e.role, e.prompt, e.flags, e.target, e.symbol, e.policy, e.purposes, e.expires)
	return h.Sum64()
}

func (o Options) salt() [16]byte {
	if o.NewSalt != nil {
		return o.NewSalt()
	}
	var s [16]byte
	_, _ = rand.Read(s[:]) // never fails, by its contract
	return s
}
