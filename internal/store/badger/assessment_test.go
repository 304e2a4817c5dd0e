package badger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"heartmark/assessment"
	"heartmark/internal/store/badger"
)

// boundSealer binds tenant, kind and id to what it hides, as the real one does.
type boundSealer struct{}

var errSeal = errors.New("sealed for another place")

func (boundSealer) Seal(_ context.Context, tenant, kind, id string, plain []byte) ([]byte, error) {
	return append([]byte(tenant+"|"+kind+"|"+id+"|"), flip(plain)...), nil
}

func (boundSealer) Open(_ context.Context, tenant, kind, id string, sealed []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(tenant+"|"+kind+"|"+id+"|"))
	if !ok {
		return nil, errSeal
	}
	return flip(rest), nil
}

func flip(b []byte) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = b[i] ^ 0xff
	}
	return out
}

func TestAssessmentStore(t *testing.T) {
	t.Parallel()
	db, err := badger.Open(badger.Config{InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s, ctx := db.Assessments(boundSealer{}), t.Context()
	r := assessment.Report{ID: "r1", Subject: "secret-subject", Provenance: assessment.Provenance{Policy: "1"}}
	for k := range 4500 {
		r.Items = append(r.Items, assessment.Item{Facet: "SO1", Outcome: float64(k), Day: "2026-01-01"})
	}
	if _, err := s.Report(ctx, "t1", "r1"); !errors.Is(err, assessment.ErrNotFound) {
		t.Errorf("before: %v, want ErrNotFound", err)
	}
	for range 2 {
		if err := s.SaveReport(ctx, "t1", r); err != nil {
			t.Fatalf("SaveReport: %v", err)
		}
	}
	other := r
	other.Subject = "somebody else"
	if err := s.SaveReport(ctx, "t1", other); !errors.Is(err, assessment.ErrConflict) {
		t.Errorf("another report under the same id: %v, want ErrConflict", err)
	}
	got, err := s.Report(ctx, "t1", "r1")
	if err != nil || got.Subject != r.Subject || got.ID != "r1" || got.Provenance.Policy != "1" {
		t.Errorf("Report = %+v, %v", got, err)
	}
	items, err := s.Items(ctx, "t1", "r1")
	if err != nil || len(items) != 4500 || items[4499].Outcome != 4499 {
		t.Errorf("Items: %d, %v", len(items), err)
	}
	if _, err := s.Report(ctx, "t2", "r1"); !errors.Is(err, assessment.ErrNotFound) {
		t.Errorf("another tenant: %v, want ErrNotFound", err)
	}
	for k := range 5 {
		if err := s.SaveReport(ctx, "t1", assessment.Report{ID: fmt.Sprintf("s%d", k)}); err != nil {
			t.Fatal(err)
		}
	}
	first, _ := s.Reports(ctx, "t1", "", 4)
	rest, _ := s.Reports(ctx, "t1", first[len(first)-1], 4)
	if want := "r1 s0 s1 s2 s3 s4"; strings.Join(append(first, rest...), " ") != want {
		t.Errorf("Reports = %v then %v", first, rest)
	}
	if err := s.Erase(ctx, "t1", "r1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Items(ctx, "t1", "r1"); !errors.Is(err, assessment.ErrNotFound) {
		t.Errorf("after Erase: %v", err)
	}
}
