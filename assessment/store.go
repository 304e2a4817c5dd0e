package assessment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Sentinels of Store.
var (
	// ErrNotFound: no such report in this tenant (or it was erased).
	ErrNotFound = errors.New("report not found")
	// ErrConflict: another report has this id. Reports are immutable; take a new id.
	ErrConflict = errors.New("report already exists")
)

// Sealer encrypts what is at rest. The kind, id and tenant are bound to the ciphertext.
type Sealer interface {
	Seal(ctx context.Context, tenant, kind, id string, plaintext []byte) ([]byte, error)
	Open(ctx context.Context, tenant, kind, id string, sealed []byte) ([]byte, error)
}

// SubjectSealer is a Sealer that has keys of each subject's own, which erasure destroys. Where a Store is given one, it seals a
// report and its items under the key of the report's subject.
type SubjectSealer interface {
	Sealer
	// ForSubject returns the sealer under the subject's key, and the keyed hash under which the subject's reports are listed.
	ForSubject(tenant, subject string) (sealer Sealer, ref string)
}

// Kinds under which the store seals.
const (
	SealReport = "assessment_report"
	SealItems  = "assessment_items"
)

// Store keeps reports and items, sealed. Any number of callers may use it at once; what it returns nil for is durable.
type Store interface {
	// SaveReport keeps the report with its provenance and items. Saving the same report again succeeds; another one
	// under the same id gives ErrConflict.
	SaveReport(ctx context.Context, tenant string, r Report) error
	// Report returns the report and its provenance without items, or ErrNotFound.
	Report(ctx context.Context, tenant, id string) (Report, error)
	// Items returns the items of a report, or ErrNotFound.
	Items(ctx context.Context, tenant, id string) ([]Item, error)
	// Reports lists report ids of a tenant in order after cursor, at most limit.
	Reports(ctx context.Context, tenant, cursor string, limit int) (ids []string, err error)
	// Erase removes a report, its items and its cases of review. Erasing what is not there succeeds.
	Erase(ctx context.Context, tenant, id string) error
}

// record is the stored form of a report.
type record struct {
	Report     Report     `json:"report"`
	ID         string     `json:"id"`
	Provenance Provenance `json:"provenance"`
}

// EncodeReport returns the bytes that a Store keeps of a report, without items.
func EncodeReport(r Report) ([]byte, error) {
	b, err := json.Marshal(record{Report: r, ID: r.ID, Provenance: r.Provenance})
	if err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	return b, nil
}

// DecodeReport reads what EncodeReport wrote.
func DecodeReport(b []byte) (Report, error) {
	var rec record
	if err := json.Unmarshal(b, &rec); err != nil {
		return Report{}, fmt.Errorf("decode report: %w", err)
	}
	rec.Report.ID, rec.Report.Provenance = rec.ID, rec.Provenance
	return rec.Report, nil
}
