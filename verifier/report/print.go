package report

import (
	"io"
	"strconv"
	"strings"
	"time"

	"heartmark/verifier"
	"heartmark/verifier/offline"
)

// oldEnough is the age from which an answer says how old what it rests on is.
const oldEnough = time.Minute

// Printer writes answers in one language.
type Printer struct {
	texts   texts
	details map[string]string // English text of each code, which particulars follow
}

// NewPrinter returns a printer for one of Languages.
func NewPrinter(language string) (*Printer, error) {
	t, err := load(language)
	if err != nil {
		return nil, err
	}
	p := &Printer{texts: t, details: map[string]string{}}
	for _, info := range verifier.Codes() {
		p.details[info.Code] = info.Detail
	}
	return p, nil
}

// Write writes all answers, then once what they rested on.
func (p *Printer) Write(w io.Writer, all []Checked) error {
	var b strings.Builder
	for _, c := range all {
		p.one(&b, c)
	}
	if len(all) > 0 {
		p.basis(&b, all[0])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *Printer) one(b *strings.Builder, c Checked) {
	word := p.word(c.Verdict())
	if c.Result == nil {
		line(b, "", p.texts.fill("line.unreadable", "file", c.File, "word", word, "reason", c.Error))
		return
	}
	line(b, "", p.texts.fill("line.verdict", "file", c.File, "word", word, "policy", c.Result.Policy))
	p.result(b, "  ", *c.Result)
}

func (p *Printer) word(v verifier.Verdict) string { return p.texts["word."+string(v)] }

// result writes what a document says of itself, then every check that applies, then what lies inside.
func (p *Printer) result(b *strings.Builder, indent string, r verifier.Result) {
	p.summary(b, indent, r.Summary)
	for _, c := range r.Checks {
		if c.Outcome != verifier.NotApplicable {
			p.check(b, indent, c, r.CheckedAt)
		}
	}
	for i, inner := range r.Inner {
		line(b, indent, p.texts.fill("line.inside", "n", strconv.Itoa(i+1), "word", p.word(inner.Verdict)))
		p.result(b, indent+"  ", inner)
	}
}

func (p *Printer) summary(b *strings.Builder, indent string, s verifier.Summary) {
	if s.IssuerID == "" {
		return
	}
	if s.Name != "" {
		line(b, indent, Printable(s.Name))
	}
	until := s.ValidUntil
	if until == "" {
		until = p.texts["open"]
	}
	line(b, indent, p.texts.fill("line.issuer", "name", s.IssuerName, "id", s.IssuerID, "from", s.ValidFrom, "until", until))
	for _, l := range s.Levels {
		line(b, indent, p.texts.fill("line.level", "name", l.Name, "level", l.LevelName, "number", l.Level, "confidence", l.Confidence))
	}
}

func (p *Printer) check(b *strings.Builder, indent string, c verifier.Check, now time.Time) {
	text := p.texts.fill("line.check",
		"outcome", p.texts["outcome."+string(c.Outcome)], "check", p.texts.name(c), "sentence", p.texts.sentence(c, p.details))
	if e := c.Evidence; e != nil && !e.FetchedAt.IsZero() && now.Sub(e.FetchedAt) >= oldEnough {
		text += " " + p.texts.fill("line.age", "age", p.texts.age(now.Sub(e.FetchedAt)))
	}
	line(b, indent, text)
}

// basis says once, for all files, what the answers rested on and as of when they were made.
func (p *Printer) basis(b *strings.Builder, c Checked) {
	if !c.AsOf.IsZero() {
		line(b, "", p.texts.fill("line.asof", "time", formatTime(c.AsOf)))
	}
	s := c.Snapshot
	if s == nil {
		return
	}
	if s.State == offline.Absent {
		line(b, "", p.texts["basis.absent"])
		return
	}
	line(b, "", p.texts.fill("basis."+string(s.State),
		"registry", s.Registry, "created", formatTime(s.Created), "expires", formatTime(s.Expires), "key", s.SignedBy,
		"age", p.texts.age(time.Duration(s.AgeSeconds)*time.Second), "sequence", strconv.FormatUint(s.Sequence, 10)))
}

func line(b *strings.Builder, indent, text string) { b.WriteString(indent + text + "\n") }
