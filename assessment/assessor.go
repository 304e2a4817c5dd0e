package assessment

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"heartmark/assessment/evidence"
	"heartmark/assessment/text"
)

// Config is what an Assessor is built from.
type Config struct {
	Classifier Classifier
	// Language returns the language ("en", "zh", or another tag) of a text and how sure it is; nil takes text.Language.
	Language func(text string) (lang string, confidence float64)
	// Seed fixes the draws; 0 reads 1.
	Seed uint64
	// HashKey keys the hashes that stand for conversations and counterparts in stored items. Empty uses the batch's
	// own salt. Destroying the key makes the items anonymous.
	HashKey []byte
	// Prompts is the published prompt bank; nil takes the embedded one.
	Prompts *PromptBank
	// MaxBatch is how many inputs go to the classifier at once; 0 reads 256.
	MaxBatch int
	// Progress, when set, hears how many of how many inputs have been classified.
	Progress func(done, total int)
	// NoHighlights leaves out the word highlights, which cost up to a few hundred classifications a report.
	NoHighlights bool
	// NewID names reports ("urn:uuid:…" or any unique text). Nil derives the id from the batch digest and the model.
	NewID func() string
}

// Assessor assesses batches. It is safe for concurrent use when its Classifier is.
type Assessor struct {
	cfg    Config
	bank   PromptBank
	facets [facetCount]facetInfo
}

// New returns an Assessor, or an error that names what the configuration lacks.
func New(cfg Config) (*Assessor, error) {
	if cfg.Classifier == nil {
		return nil, errors.New("assessment: a classifier is required")
	}
	if cfg.Language == nil {
		cfg.Language = text.Language
	}
	if cfg.Seed == 0 {
		cfg.Seed = 1
	}
	if cfg.MaxBatch <= 0 {
		cfg.MaxBatch = 256
	}
	a := &Assessor{cfg: cfg, facets: facetTable()}
	if cfg.Prompts != nil {
		a.bank = *cfg.Prompts
		return a, nil
	}
	bank, err := Prompts()
	if err != nil {
		return nil, err
	}
	a.bank = bank
	return a, nil
}

// Assess returns one report for each live receipt of the batch, in the order of the receipts. A fault of the
// classifier gives reports that are unavailable; only a done context and a batch without receipts are errors.
func (a *Assessor) Assess(ctx context.Context, b evidence.Batch) ([]Report, error) {
	if len(b.Receipts) == 0 {
		return nil, fmt.Errorf("assess: %w", evidence.ErrNoConsent)
	}
	reports := make([]Report, 0, len(b.Receipts))
	for _, rec := range b.Receipts {
		if !rec.Adult {
			return nil, fmt.Errorf("assess %s: %w", rec.Subject, evidence.ErrUnderage)
		}
		if !rec.Has("process") || !rec.Has("score") {
			return nil, fmt.Errorf("assess %s: %w", rec.Subject, evidence.ErrNoConsent)
		}
		r, err := a.assessOne(ctx, b, rec)
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return reports, nil
}

// run is the state of assessing one subject.
type run struct {
	a          *Assessor
	rec        evidence.Receipt
	info       ModelInfo
	turns      []turn
	own        []int // indices of the subject's turns
	heads      headSet
	items      []item
	stats      tally
	salt       string
	names      nameTable
	promptUses map[string]int // answers so far, by prompt
	shown      [4][]item      // items behind the evidence, by dimension
}

func (a *Assessor) assessOne(ctx context.Context, b evidence.Batch, rec evidence.Receipt) (Report, error) {
	r := &run{a: a, rec: rec, info: a.cfg.Classifier.Info(), salt: b.Salt, promptUses: map[string]int{}}
	r.stats.dropped = map[string]int{}
	r.collect(b)
	r.judgeTurns()
	fault := r.classify(ctx)
	if fault != nil {
		if ctx.Err() != nil {
			return Report{}, fmt.Errorf("assess %s: %w", rec.Subject, ctx.Err())
		}
	} else {
		r.buildItems()
	}
	report := r.report(b)
	if fault != nil {
		report.unavailable()
	} else if !a.cfg.NoHighlights {
		if err := r.highlight(ctx, &report); err != nil && ctx.Err() != nil {
			return Report{}, fmt.Errorf("assess %s: %w", rec.Subject, ctx.Err())
		}
	}
	report.ID = a.reportID(report)
	return report, nil
}

func (a *Assessor) reportID(r Report) string {
	if a.cfg.NewID != nil {
		return a.cfg.NewID()
	}
	sum := sha256.Sum256([]byte("heartmark/report/v1\x00" + r.Provenance.BatchDigests[0] + "\x00" + r.Model.SHA256 + "\x00" + r.Subject))
	// The first 128 bits in the shape of a version 8 UUID (RFC 9562, 5.8).
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	h := hex.EncodeToString(sum[:16])
	return "urn:uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// keyed is the keyed hash that stands for a conversation or a counterpart.
func (r *run) keyed(kind, value string) string {
	key := r.a.cfg.HashKey
	if len(key) == 0 {
		key = []byte(r.salt)
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(kind + "\x00" + value))
	return hex.EncodeToString(m.Sum(nil)[:16])
}
