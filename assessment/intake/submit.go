package intake

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"heartmark/assessment/evidence"
)

// Bounds of one batch. A longer history is sent in several.
const (
	// MaxUpload is the longest batch in bytes, as sent and as opened.
	MaxUpload = 64 << 20
	// MaxEvents is the most events of a batch.
	MaxEvents = 200_000
	// maxIssues bounds the quarantine list that is kept; the count names all.
	maxIssues = 200
)

// Params say how evidence is to be read.
type Params struct {
	Consent string // id of the receipt
	Format  string // as evidence.Options
	OnError string
	Dates   string // day or month, for text exports
	Gzip    bool   // the content is one gzip member
	// IdempotencyKey is the caller's, "" for none.
	IdempotencyKey string
}

// request identifies the parameters, for idempotency.
func (p Params) request(contentDigest string) string {
	return fmt.Sprintf("%q %q %q %q %t %s", p.Consent, p.Format, p.OnError, p.Dates, p.Gzip, contentDigest)
}

func (p Params) check() error {
	for _, f := range []struct {
		pointer, value string
		allowed        []string
	}{
		{"/format", p.Format, []string{"", evidence.FormatAuto, evidence.FormatJSONL, evidence.FormatCSV, evidence.FormatDiscord, evidence.FormatSlack, evidence.FormatText, evidence.FormatWhatsApp, evidence.FormatWeChat}},
		{"/on_error", p.OnError, []string{"", evidence.OnErrorRefuse, evidence.OnErrorSkip}},
		{"/dates", p.Dates, []string{"", "day", "month"}},
	} {
		if !contains(f.allowed, f.value) {
			return field(f.pointer, "one of the values that the API document lists")
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

// Submission is evidence in one request.
type Submission struct {
	Params
	Body io.Reader
	// Signature is what came with it; nil when nothing did.
	Signature *Signature
}

// Submit reads, checks and seals a batch and puts it into the queue. What is refused leaves nothing. The same content under
// the same receipt, and the same idempotency key, give the batch that is there, with created false.
func (s *Service) Submit(ctx context.Context, c Caller, r Submission) (_ Batch, created bool, err error) {
	if err := r.check(); err != nil {
		return Batch{}, false, err
	}
	receipt, err := s.admit(ctx, c.Tenant, r.Consent)
	if err != nil {
		return Batch{}, false, err
	}
	done, err := s.slot()
	if err != nil {
		return Batch{}, false, err
	}
	defer done()
	content := newContent(r.Body)
	batch, issues, err := s.read(content, receipt, r.Params)
	if err == nil || errors.Is(err, evidence.ErrRefused) {
		err = errors.Join(content.drain(), err) // the digest is over the whole content, also where a line was refused
	}
	if content.tooLong {
		return Batch{}, false, fmt.Errorf("batch: %w", ErrTooLong)
	}
	signed, signErr := s.signedBy(ctx, c.Tenant, r.Consent, r.Signature, content.digest())
	if signErr != nil { // before what is wrong inside: nothing of a forged batch is told
		return Batch{}, false, signErr
	}
	if err != nil {
		return Batch{}, false, s.withdrawnInFeed(ctx, c, r.Consent, err)
	}
	sub, err := s.newSubmission(c.Tenant, batch)
	if err != nil {
		return Batch{}, false, err
	}
	record := s.record(c, receipt, r.Params)
	record.Signed = signed
	record.fill(batch, issues, sub)
	record, created, err = s.c.Store.CreateBatch(ctx, record, s.key("batch", r.IdempotencyKey, r.request(content.hex())))
	if err != nil || !created {
		return record, false, err
	}
	return s.enqueue(ctx, c, record, sub)
}

// admit refuses what is not to be taken at all, before anything of it is read.
func (s *Service) admit(ctx context.Context, tenant, consent string) (Receipt, error) {
	if s.c.Assessor == nil {
		return Receipt{}, fmt.Errorf("no classifier: %w", ErrStopped)
	}
	control, err := s.c.Store.Control(ctx)
	if err != nil {
		return Receipt{}, fmt.Errorf("control: %w", err)
	}
	if control.Stopped && !control.Accept {
		return Receipt{}, fmt.Errorf("intake: %w", ErrStopped)
	}
	receipt, err := s.Receipt(ctx, tenant, consent)
	if err != nil {
		return Receipt{}, err
	}
	if !receipt.Live(s.c.Now()) || receipt.Subject == "" {
		return Receipt{}, fmt.Errorf("receipt %s is %s: %w", consent, receipt.State(s.c.Now()), ErrNotLive)
	}
	restriction, err := s.c.Store.Restriction(ctx, tenant, receipt.Ref)
	if err != nil {
		return Receipt{}, fmt.Errorf("restriction: %w", err)
	}
	if restriction.Kind != "" {
		return Receipt{}, fmt.Errorf("subject: %w", ErrRestricted)
	}
	return receipt, nil
}

// slot bounds how many batches are in memory at once.
func (s *Service) slot() (done func(), err error) {
	select {
	case s.reading <- struct{}{}:
		return func() { <-s.reading }, nil
	default:
		return nil, fmt.Errorf("batches are being read: %w", ErrBusy)
	}
}

// read parses, checks and scrubs.
func (s *Service) read(in io.Reader, receipt Receipt, p Params) (evidence.Batch, evidence.Issues, error) {
	if p.Gzip {
		zip, err := gzip.NewReader(in)
		if err != nil {
			return evidence.Batch{}, evidence.Issues{}, fmt.Errorf("gzip: %w", &evidence.RefusedError{Reason: evidence.ErrFormat, Detail: "expected gzip"})
		}
		in = &capped{in: zip, left: MaxUpload}
	}
	rec := receipt.evidenceReceipt()
	return evidence.Read(in, evidence.Options{
		Format: p.Format, OnError: p.OnError, DayFirst: p.Dates, Subject: rec.Subject, Receipt: &rec, Platform: rec.Platform,
		Voluntary: receipt.Voluntary, SaltKey: []byte(s.c.Sealer.hash("salt", receipt.Tenant, receipt.ID)),
		MaxEvents: MaxEvents, MaxBytes: 2 * MaxUpload, Now: s.c.Now,
	})
}

// withdrawnInFeed takes the receipt back when the feed itself says so.
func (s *Service) withdrawnInFeed(ctx context.Context, c Caller, consent string, why error) error {
	if !errors.Is(why, evidence.ErrWithdrawn) {
		return fmt.Errorf("evidence: %w", why)
	}
	_, err := s.Withdraw(ctx, c, consent)
	return errors.Join(fmt.Errorf("evidence: %w", why), err)
}

// record is a new batch without content.
func (s *Service) record(c Caller, r Receipt, p Params) Batch {
	now := s.c.Now()
	b := Batch{
		ID: s.c.NewID(), Tenant: c.Tenant, Ref: r.Ref, Consent: r.ID, State: StateReceived, Format: p.Format, OnError: p.OnError,
		Dates: p.Dates, Gzip: p.Gzip, Received: now, Deadline: now.Add(textLife),
	}
	if b.Format == "" {
		b.Format = evidence.FormatAuto
	}
	if b.OnError == "" {
		b.OnError = evidence.OnErrorRefuse
	}
	return b
}

// fill writes what was read into the record: counts, places and codes. A place inside a line that could not be parsed may
// name a member that the sender made up, so it is left out.
func (b *Batch) fill(batch evidence.Batch, issues evidence.Issues, sub submission) {
	b.Format, b.Digest, b.Counts = batch.Format, sub.Digest, map[string]int{}
	for name, n := range batch.Counts {
		b.Counts[name] = n
	}
	b.Counts["kept"] = len(sub.Messages)
	for _, m := range sub.Messages {
		if m.Actor == "" {
			b.Counts["own"]++
		}
	}
	b.quarantine(issues)
}

func (b *Batch) quarantine(issues evidence.Issues) {
	b.Lines, b.Bad = issues.Lines, issues.Total
	for _, i := range issues.List[:min(len(issues.List), maxIssues)] {
		if i.Code == evidence.CodeMalformed {
			i.Field = ""
		}
		b.Issues = append(b.Issues, i)
	}
}

// enqueue seals the submission and puts the batch into the queue. Where that fails nothing of the text is left.
func (s *Service) enqueue(ctx context.Context, c Caller, b Batch, sub submission) (_ Batch, created bool, err error) {
	s.erasing.RLock()
	defer s.erasing.RUnlock()
	stored, created, err := s.sealAndQueue(ctx, c, b, sub)
	if err != nil || !created {
		why := WhyDuplicate
		if err != nil {
			why = WhyNotLive
		}
		return stored, false, errors.Join(err, s.destroy(context.WithoutCancel(ctx), b, StateDestroyed, why))
	}
	s.notify()
	return stored, true, nil
}

func (s *Service) sealAndQueue(ctx context.Context, c Caller, b Batch, sub submission) (_ Batch, created bool, err error) {
	if b.Parts, err = s.seal(ctx, b, sub); err != nil {
		return Batch{}, false, err
	}
	s.c.Crash("assess.after_seal")
	if err := s.journal(ctx, c, AuditBatchTaken, b.ID, b.Digest, b.Consent); err != nil {
		return Batch{}, false, err
	}
	policy, err := s.c.Policy(ctx, c.Tenant)
	if err != nil {
		return Batch{}, false, fmt.Errorf("policy: %w", err)
	}
	quota := policy.MaxQueued
	if quota <= 0 {
		quota = DefaultQuota
	}
	b.State, b.Queued = StateQueued, s.c.Now()
	stored, created, err := s.c.Store.Enqueue(ctx, b, quota)
	if err != nil {
		return Batch{}, false, fmt.Errorf("enqueue: %w", err)
	}
	return stored, created, nil
}

// content hashes and bounds what is read through it.
type content struct {
	in      io.Reader
	sum     hash.Hash
	left    int64
	tooLong bool
}

func newContent(in io.Reader) *content { return &content{in: in, sum: sha256.New(), left: MaxUpload} }

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.sum.Write(p[:n])
	if c.left -= int64(n); c.left < 0 {
		c.tooLong = true
		return n, fmt.Errorf("over %d bytes: %w", int64(MaxUpload), ErrTooLong)
	}
	return n, err
}

// drain reads to the end.
func (c *content) drain() error {
	_, err := io.Copy(io.Discard, c)
	return err
}

func (c *content) digest() [sha256.Size]byte { return [sha256.Size]byte(c.sum.Sum(nil)) }

func (c *content) hex() string { return hex.EncodeToString(c.sum.Sum(nil)) }

// capped ends a reader that opens to too much.
type capped struct {
	in   io.Reader
	left int64
}

// Read implements io.Reader.
func (c *capped) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return n, fmt.Errorf("opens to over %d bytes: %w", int64(MaxUpload), ErrTooLong)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, &evidence.RefusedError{Reason: evidence.ErrFormat, Detail: "broken gzip"}
	}
	return n, err
}
