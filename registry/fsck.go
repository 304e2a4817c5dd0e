package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"heartmark/schemas"
	"heartmark/schemas/trust"
)

// FsckReport says what Fsck looked at.
type FsckReport struct {
	Authorities int `json:"authorities"` // versions
	Keys        int `json:"keys"`        // versions
	Artefacts   int `json:"artefacts"`
	Lists       int `json:"lists"` // newest versions
	// Waiting is the number of statements that are not in the log yet.
	Waiting int `json:"waiting"`
	// Faults name the records that are not what the log says of them.
	Faults []string `json:"faults"`
}

// Fsck compares the store with the log: each statement gives the entry that it was recorded with, and that entry stands
// in the log at its index; what is published has the digest on record. Whether the log is whole is the log's own check.
// An error means that the comparison could not be made; faults are in the report.
func (r *Registry) Fsck(ctx context.Context) (FsckReport, error) {
	f := fsck{r: r}
	for _, check := range []func(context.Context) error{f.authorities, f.keys, f.artefacts, f.lists} {
		if err := check(ctx); err != nil {
			return f.report, fmt.Errorf("check registry: %w", err)
		}
	}
	return f.report, nil
}

type fsck struct {
	r      *Registry
	report FsckReport
}

func (f *fsck) fault(format string, args ...any) {
	f.report.Faults = append(f.report.Faults, fmt.Sprintf(format, args...))
}

// statement checks one record: what it should be in the log, and whether that is there.
func (f *fsck) statement(ctx context.Context, what, leaf string, p Pending, err error) error {
	if err != nil {
		return err
	}
	if p.Leaf != leaf {
		f.fault("%s was changed after it was recorded", what)
		return nil
	}
	index, err := f.r.logIndex(ctx, leaf)
	if err != nil {
		return err
	}
	if index == nil {
		f.report.Waiting++
		return nil
	}
	entries, err := f.r.c.Log.Entries(ctx, *index, 1)
	if err != nil {
		return err
	}
	if len(entries) != 1 || sha256Hex(entries[0]) != leaf {
		f.fault("%s is not in the log at %d", what, *index)
	}
	return nil
}

func (f *fsck) authorities(ctx context.Context) error {
	list := func(after string, limit int) ([]string, error) { return f.r.c.Store.Entities(ctx, after, limit) }
	return pages(list, func(entity string) error {
		records, err := f.r.c.Store.Authorities(ctx, entity)
		if err != nil {
			return err
		}
		for _, versions := range trust.ByID(records) {
			for n, a := range versions {
				f.report.Authorities++
				what := fmt.Sprintf("authority %s version %d", a.ID, a.Version)
				if a.Version != uint64(n+1) {
					f.fault("%s: version %d is missing", what, n+1)
				}
				p, err := authorityEntry(a)
				if err := f.statement(ctx, what, a.Leaf, p, err); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (f *fsck) keys(ctx context.Context) error {
	list := func(after string, limit int) ([]string, error) { return f.r.c.Store.KeyDIDs(ctx, after, limit) }
	return pages(list, func(id string) error {
		all, err := f.r.c.Store.Keys(ctx, id)
		if err != nil {
			return err
		}
		for _, k := range all {
			f.report.Keys++
			p, err := keyEntry(k)
			if err := f.statement(ctx, fmt.Sprintf("key %s version %d", k.Method, k.Version), k.Leaf, p, err); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *fsck) artefacts(ctx context.Context) error {
	for _, kind := range Kinds() {
		list := func(after string, limit int) ([]string, error) {
			page, err := f.r.c.Store.Artefacts(ctx, kind, after, limit)
			names := make([]string, len(page))
			for i, a := range page {
				names[i] = a.Name
			}
			return names, err
		}
		err := pages(list, func(name string) error {
			a, err := f.r.c.Store.Artefact(ctx, kind, name)
			if err != nil {
				return err
			}
			f.report.Artefacts++
			what := string(kind) + "/" + name
			if a.SHA256 != sha256Hex(a.Data) || a.SRI != schemas.DigestSRI(a.Data) {
				f.fault("%s does not have its digest", what)
			}
			p, err := f.r.artefactEntry(a)
			return f.statement(ctx, what, a.Leaf, p, err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *fsck) lists(ctx context.Context) error {
	groups, err := f.r.c.Lists.Groups(ctx)
	if err != nil {
		return err
	}
	for _, l := range groups {
		for _, purpose := range l.published() {
			v, err := f.r.c.Store.ListVersion(ctx, l.Group, purpose, time.Time{})
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			f.report.Lists++
			what := fmt.Sprintf("status list %s/%s version %d", l.Group, purpose, v.Version)
			if v.SHA256 != sha256Hex(v.Document) {
				f.fault("%s does not have its digest", what)
			}
			p, err := f.r.listEntry(v)
			if err := f.statement(ctx, what, v.Leaf, p, err); err != nil {
				return err
			}
		}
	}
	return nil
}
