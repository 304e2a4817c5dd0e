package registry_test

import (
	"context"
	"testing"
	"time"

	"heartmark/registry"
	"heartmark/schemas"
)

// altered is a store in which somebody changed what was recorded.
type altered struct{ registry.Store }

func (a altered) Authorities(ctx context.Context, entity string) ([]registry.Authority, error) {
	out, err := a.Store.Authorities(ctx, entity)
	for i := range out {
		out[i].Status = registry.Active
	}
	return out, err
}

func (a altered) ListVersion(ctx context.Context, group schemas.ListGroup, purpose string, at time.Time) (registry.ListVersion, error) {
	out, err := a.Store.ListVersion(ctx, group, purpose, at)
	out.Document = append([]byte(" "), out.Document...)
	return out, err
}

func TestFsck(t *testing.T) {
	t.Parallel()
	w, a := snapshotWorld(t)
	report, err := w.Fsck(t.Context())
	must(t, err)
	if len(report.Faults) != 0 || report.Waiting != 0 || report.Authorities != 3 || report.Keys != 1 || report.Artefacts != 1 || report.Lists != 3 {
		t.Errorf("report %+v", report)
	}
	_, err = w.Reinstate(t.Context(), operator(), a.ID, "")
	must(t, err)
	if report, err = w.Fsck(t.Context()); err != nil || report.Waiting != 1 || len(report.Faults) != 0 {
		t.Errorf("with one statement waiting: %+v, %v", report, err)
	}
	w.c.Store = altered{w.c.Store}
	w.restart()
	report, err = w.Fsck(t.Context())
	must(t, err)
	// The suspended version and all lists were changed.
	if len(report.Faults) != 4 {
		t.Errorf("faults %q, want 4", report.Faults)
	}
}
