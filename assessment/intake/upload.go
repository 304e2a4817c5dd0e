package intake

import (
	"context"
	"errors"
	"fmt"
	"io"

	"heartmark/assessment/evidence"
)

// Begin makes an upload in pieces. Its text waits sealed under the batch's own key until Finish, at most KeepText.
func (s *Service) Begin(ctx context.Context, c Caller, p Params) (_ Batch, created bool, err error) {
	if err := p.check(); err != nil {
		return Batch{}, false, err
	}
	receipt, err := s.admit(ctx, c.Tenant, p.Consent)
	if err != nil {
		return Batch{}, false, err
	}
	b := s.record(c, receipt, p)
	b, created, err = s.c.Store.CreateBatch(ctx, b, s.key("upload", p.IdempotencyKey, p.request("")))
	if err != nil {
		return Batch{}, false, fmt.Errorf("begin upload: %w", err)
	}
	return b, created, nil
}

// Append adds bytes at an offset, which must be the upload's own (ErrOffset). What was stored before the connection broke
// stays: the batch in the answer, and in Batch, tells how far it came.
func (s *Service) Append(ctx context.Context, c Caller, id string, offset int64, body io.Reader) (Batch, error) {
	b, err := s.upload(ctx, c.Tenant, id)
	if err != nil {
		return Batch{}, err
	}
	if b.Offset != offset {
		return b, fmt.Errorf("at %d, the upload is at %d: %w", offset, b.Offset, ErrOffset)
	}
	buffer := make([]byte, partBytes)
	defer clear(buffer)
	for {
		n, readErr := io.ReadFull(body, buffer)
		if n > 0 {
			if b, err = s.piece(ctx, b, buffer[:n]); err != nil {
				return b, err
			}
		}
		switch {
		case errors.Is(readErr, io.EOF), errors.Is(readErr, io.ErrUnexpectedEOF):
			return b, nil
		case readErr != nil:
			return b, fmt.Errorf("append: %w", readErr)
		}
	}
}

func (s *Service) piece(ctx context.Context, b Batch, data []byte) (Batch, error) {
	if b.Offset+int64(len(data)) > MaxUpload {
		return b, fmt.Errorf("upload: %w", ErrTooLong)
	}
	// For one piece only: a sender that trickles must not hold an erasure up.
	s.erasing.RLock()
	defer s.erasing.RUnlock()
	sealed, err := s.c.Vault.Seal(ctx, textPlace(b, sealPiece, b.Pieces), data)
	if err != nil {
		return b, fmt.Errorf("seal piece: %w", err)
	}
	next, err := s.c.Store.AddPiece(ctx, b.Tenant, b.ID, b.Offset, int64(len(data)), sealed)
	if errors.Is(err, ErrState) { // ended meanwhile: the key that sealing made anew opens nothing, and goes
		err = errors.Join(err, s.c.Vault.Destroy(ctx, b.Tenant, b.Ref, keyText+b.ID))
	}
	if err != nil {
		return b, fmt.Errorf("append: %w", err)
	}
	return next, nil
}

// upload returns a batch that takes pieces, under a receipt that is live.
func (s *Service) upload(ctx context.Context, tenant, id string) (Batch, error) {
	b, err := s.Batch(ctx, tenant, id)
	if err != nil {
		return Batch{}, err
	}
	if b.State != StateReceived {
		return b, fmt.Errorf("batch is %s: %w", b.State, ErrState)
	}
	if _, err := s.admit(ctx, tenant, b.Consent); err != nil {
		return b, err
	}
	return b, nil
}

// Finish reads what was uploaded as Submit does. What is no evidence ends the upload in state refused, with the bad lines in
// the error and in the batch; its text is gone then. A batch that is past this step already is returned as it is.
func (s *Service) Finish(ctx context.Context, c Caller, id string, sig *Signature) (Batch, error) {
	b, err := s.Batch(ctx, c.Tenant, id)
	if err != nil {
		return Batch{}, err
	}
	if b.State == StateQueued || b.State == StateScoring || b.State == StateDone {
		return b, nil
	}
	if b, err = s.upload(ctx, c.Tenant, id); err != nil {
		return b, err
	}
	receipt, err := s.Receipt(ctx, c.Tenant, b.Consent)
	if err != nil {
		return b, err
	}
	done, err := s.slot()
	if err != nil {
		return b, err
	}
	defer done()
	content := newContent(&pieceReader{ctx: ctx, s: s, b: b})
	p := Params{Consent: b.Consent, Format: b.Format, OnError: b.OnError, Dates: b.Dates, Gzip: b.Gzip}
	batch, issues, err := s.read(content, receipt, p)
	if err == nil || errors.Is(err, evidence.ErrRefused) {
		err = errors.Join(content.drain(), err)
	}
	signed, signErr := s.signedBy(ctx, c.Tenant, b.Consent, sig, content.digest())
	if signErr != nil {
		return b, signErr // the upload stays: the right signature may follow
	}
	if err != nil {
		return b, s.refuseUpload(ctx, c, b, issues, err)
	}
	sub, err := s.newSubmission(c.Tenant, batch)
	if err != nil {
		return b, s.refuseUpload(ctx, c, b, issues, err)
	}
	b.Signed = signed
	b.fill(batch, issues, sub)
	stored, _, err := s.enqueue(ctx, c, b, sub)
	return stored, err
}

// refuseUpload ends an upload that is no evidence. Another fault, such as a broken store, leaves it for another try.
func (s *Service) refuseUpload(ctx context.Context, c Caller, b Batch, issues evidence.Issues, why error) error {
	reason := ""
	for _, known := range []struct {
		err    error
		reason string
	}{
		{evidence.ErrWithdrawn, WhyWithdrawn},
		{evidence.ErrBadLines, WhyLines},
		{evidence.ErrFormat, WhyFormat},
		{evidence.ErrRefused, WhyUnassessed},
		{ErrNothing, WhyUnassessed},
		{ErrTooLong, WhyFormat},
	} {
		if errors.Is(why, known.err) {
			reason = known.reason
			break
		}
	}
	switch reason {
	case "":
		return fmt.Errorf("evidence: %w", why)
	case WhyWithdrawn:
		return s.withdrawnInFeed(ctx, c, b.Consent, why)
	}
	b.quarantine(issues)
	return errors.Join(fmt.Errorf("evidence: %w", why), s.destroy(ctx, b, StateRefused, reason))
}

// Batch returns the record of a batch, or ErrNotFound.
func (s *Service) Batch(ctx context.Context, tenant, id string) (Batch, error) {
	b, err := s.c.Store.Batch(ctx, tenant, id)
	if err != nil {
		return Batch{}, fmt.Errorf("batch: %w", err)
	}
	return b, nil
}

// Cancel destroys the text of a batch that is not scored yet. A batch that is done stays done: its report is erased by itself.
func (s *Service) Cancel(ctx context.Context, c Caller, id string) (Batch, error) {
	b, err := s.Batch(ctx, c.Tenant, id)
	if err != nil {
		return Batch{}, err
	}
	if err := s.journal(ctx, c, AuditBatchCancelled, id, b.Digest, ""); err != nil {
		return Batch{}, err
	}
	s.interrupt(func(running Batch) bool { return running.Tenant == c.Tenant && running.ID == id })
	if err := s.destroy(ctx, b, StateDestroyed, WhyCancelled); err != nil {
		return Batch{}, err
	}
	return s.Batch(ctx, c.Tenant, id)
}

// destroy ends a batch's text: the key first, then the ciphertext.
func (s *Service) destroy(ctx context.Context, b Batch, state, why string) error {
	if err := s.c.Vault.Destroy(ctx, b.Tenant, b.Ref, keyText+b.ID); err != nil {
		return fmt.Errorf("destroy key of batch %s: %w", b.ID, err)
	}
	s.c.Crash("assess.after_key_destroyed")
	if err := s.c.Store.Shred(ctx, End{
		Tenant: b.Tenant, Batch: b.ID, State: state, Reason: why, At: s.c.Now(), Lines: b.Lines, Bad: b.Bad, Issues: b.Issues,
	}); err != nil {
		return fmt.Errorf("shred batch %s: %w", b.ID, err)
	}
	s.metrics.destroyed(why)
	return nil
}

// pieceReader reads an upload from its sealed pieces.
type pieceReader struct {
	ctx    context.Context // of the one call that reads
	s      *Service
	b      Batch
	number int
	rest   []byte
}

// Read implements io.Reader.
func (r *pieceReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.number == r.b.Pieces {
			return 0, io.EOF
		}
		sealed, err := r.s.c.Store.Piece(r.ctx, r.b.Tenant, r.b.ID, r.number)
		if err != nil {
			return 0, fmt.Errorf("upload: %w", err)
		}
		if r.rest, err = r.s.c.Vault.Open(r.ctx, textPlace(r.b, sealPiece, r.number), sealed); err != nil {
			return 0, fmt.Errorf("open upload: %w", err)
		}
		r.number++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
