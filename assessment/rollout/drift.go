package rollout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Bounds of the drift watch.
const (
	// DriftAlarm is the population stability index over which a feature alarms (assessment design, section 13).
	DriftAlarm = 0.2

	referenceDays     = 14   // a reference covers at least so many days,
	referenceMessages = 2000 // so many messages
	referencePeople   = 30   // and so many people
	windowMessages    = 500  // a window with fewer is not judged,
	windowPeople      = 20   // nor one of fewer people
	windowDays        = 7
	keptWindows       = 60 // about 13 months
)

// DriftFeature is the stability index of one head, of the languages or of the lengths.
type DriftFeature struct {
	Feature string  `json:"feature"`
	Index   float64 `json:"index"`
	Alarm   bool    `json:"alarm"`
}

// DriftWindow is one week set against the reference.
type DriftWindow struct {
	From     time.Time      `json:"from"`
	To       time.Time      `json:"to"`
	People   uint64         `json:"people"`
	Messages uint64         `json:"messages"`
	Judged   bool           `json:"judged"` // enough messages, and a complete reference
	Features []DriftFeature `json:"features,omitempty"`
}

// Alarms are the features over the bound.
func (w DriftWindow) Alarms() []DriftFeature {
	return slices.DeleteFunc(slices.Clone(w.Features), func(f DriftFeature) bool { return !f.Alarm })
}

// DriftReport is how what a model answers now compares with what it answered in its first weeks.
type DriftReport struct {
	Model     Digest        `json:"model"`
	Reference *DriftWindow  `json:"reference,omitempty"` // nil: nothing was counted yet
	Complete  bool          `json:"complete"`            // of the reference
	Windows   []DriftWindow `json:"windows"`             // the oldest first
}

// Latest is the last judged window, or nil.
func (r DriftReport) Latest() *DriftWindow {
	for n := len(r.Windows) - 1; n >= 0; n-- {
		if r.Windows[n].Judged {
			return &r.Windows[n]
		}
	}
	return nil
}

// Drift compares the windows of a model with its reference.
func (c *Catalogue) Drift(ctx context.Context, m Digest) (DriftReport, error) {
	return drift(ctx, c.c.Store, m)
}

// Rebase ends a model's reference: what is scored from now on becomes the new one. It is for a change of use that the operator
// has looked into; the windows that were counted stay.
func (c *Catalogue) Rebase(ctx context.Context, actor, name, reason string) error {
	if reason == "" {
		return fmt.Errorf("rebase: %w", ErrReason)
	}
	e, err := c.Find(ctx, name)
	if err != nil {
		return err
	}
	err = c.c.Journal(ctx, Event{At: c.c.Now().UTC(), Event: AuditRebase, Actor: actor, Object: e.Name(), Digest: string(e.Digest), Detail: reason})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return c.c.Store.UpdateDocument(ctx, DocumentKey{KindReference, e.Digest, ""}, func([]byte) ([]byte, error) { return nil, nil })
}

func drift(ctx context.Context, s Store, m Digest) (DriftReport, error) {
	r := DriftReport{Model: m}
	reference := newWindow(m)
	if err := readWindow(ctx, s, DocumentKey{KindReference, m, ""}, reference); err != nil {
		if errors.Is(err, ErrNotFound) {
			return r, nil
		}
		return r, err
	}
	r.Complete = reference.Complete
	r.Reference = &DriftWindow{From: reference.From, To: reference.To, People: reference.People, Messages: reference.Messages}
	keys, err := s.Documents(ctx, KindWindow, m, keptWindows+1)
	if err != nil {
		return r, err
	}
	for _, key := range keys {
		live := newWindow(m)
		if err := readWindow(ctx, s, key, live); err != nil {
			return r, err
		}
		w := DriftWindow{From: live.From, To: live.To, People: live.People, Messages: live.Messages}
		if w.Judged = reference.Complete && live.Messages >= windowMessages && live.People >= windowPeople; w.Judged {
			for feature, index := range reference.compare(live) {
				w.Features = append(w.Features, DriftFeature{feature, index, index > DriftAlarm})
			}
			slices.SortFunc(w.Features, func(a, b DriftFeature) int {
				return cmp.Or(cmp.Compare(b.Index, a.Index), cmp.Compare(a.Feature, b.Feature))
			})
		}
		r.Windows = append(r.Windows, w)
	}
	return r, nil
}

func readWindow(ctx context.Context, s Store, key DocumentKey, into *Window) error {
	data, err := s.Document(ctx, key)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, key.Kind, err)
	}
	return nil
}

// addWindow adds counts of ten people or more to the reference while it is not complete, else to the week that they fall in.
func addWindow(ctx context.Context, s Store, o *Window) error {
	if o.People < minGroup {
		panic("rollout: counts of fewer than ten people were to be stored")
	}
	taken := false
	err := s.UpdateDocument(ctx, DocumentKey{KindReference, o.Model, ""}, func(old []byte) ([]byte, error) {
		sum, err := decodeWindow(old, o.Model)
		if err != nil {
			return nil, err
		}
		if taken = !sum.Complete; !taken {
			return old, nil
		}
		sum.merge(o)
		sum.Complete = sum.Messages >= referenceMessages && sum.People >= referencePeople && sum.To.Sub(sum.From) >= (referenceDays-1)*24*time.Hour
		return json.Marshal(sum)
	})
	if err != nil || taken {
		return err
	}
	key := DocumentKey{KindWindow, o.Model, weekOf(o.To)}
	err = s.UpdateDocument(ctx, key, func(old []byte) ([]byte, error) {
		sum, err := decodeWindow(old, o.Model)
		if err != nil {
			return nil, err
		}
		sum.merge(o)
		return json.Marshal(sum)
	})
	if err != nil {
		return err
	}
	return dropOld(ctx, s, o.Model)
}

func decodeWindow(data []byte, m Digest) (*Window, error) {
	w := newWindow(m)
	if data == nil {
		return w, nil
	}
	if err := json.Unmarshal(data, w); err != nil {
		return nil, fmt.Errorf("%w: window: %w", ErrDamaged, err)
	}
	return w, nil
}

// weekOf is the Monday of the week that a day lies in, as a name that sorts by time.
func weekOf(day time.Time) string {
	day = day.UTC()
	back := (int(day.Weekday()) + windowDays - 1) % windowDays
	return day.AddDate(0, 0, -back).Format(time.DateOnly)
}

// dropOld removes the oldest windows over keptWindows.
func dropOld(ctx context.Context, s Store, m Digest) error {
	keys, err := s.Documents(ctx, KindWindow, m, keptWindows+1)
	if err != nil || len(keys) <= keptWindows {
		return err
	}
	return s.UpdateDocument(ctx, keys[0], func([]byte) ([]byte, error) { return nil, nil })
}
