package issuer

import (
	"context"
	"errors"
	"fmt"
	"math/bits"

	"heartmark/schemas"
)

// FsckReport is what Fsck found.
type FsckReport struct {
	Groups, Credentials int
	// Forms counts the forms of the credentials: each has a signature of its own.
	Forms              int
	Revoked, Suspended int
	// Signatures counts the audit entries "about to sign"; Spent those that led to no credential.
	Signatures, Spent int
	// OpenIntents are those that Recover would settle, or that are being worked on.
	OpenIntents int
	// Problems are what contradicts the promises; none in a sound store. At most 100 are kept.
	Problems []string
}

func (r *FsckReport) problem(format string, args ...any) {
	if len(r.Problems) < 100 {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// Fsck checks the consistency of everything that was issued: each credential opens and has its digest, its own index and
// the bits of its status; no bit is set besides, except for signatures whose credential was never stored; and the audit
// trail has one entry for each signature. It only reads. While others write its counts may be off by what is under way;
// an error means that the check could not be finished.
func (i *Issuer) Fsck(ctx context.Context) (FsckReport, error) {
	var r FsckReport
	trail, err := i.readTrail(ctx, &r)
	if err != nil {
		return r, err
	}
	unstored, after := 0, schemas.ListGroup("")
	tenants := map[string]bool{}
	indexes := map[schemas.ListGroup]map[uint64]Record{}
	groups := map[schemas.ListGroup]Group{}
	for {
		page, err := i.c.Store.Groups(ctx, after, maxPage)
		if err != nil {
			return r, fmt.Errorf("read groups: %w", err)
		}
		for _, g := range page {
			after = g.ID
			tenants[g.Tenant] = true
			groups[g.ID], indexes[g.ID] = g, map[uint64]Record{}
		}
		if len(page) < maxPage {
			break
		}
	}
	r.Groups = len(groups)
	for tenant := range tenants {
		if err := i.fsckTenant(ctx, tenant, groups, indexes, &r); err != nil {
			return r, err
		}
	}
	for id, g := range groups {
		n, err := i.fsckLists(ctx, g, indexes[id], &r)
		if err != nil {
			return r, err
		}
		unstored += n
	}
	if unstored != trail.unstored {
		r.problem("%d revoked indexes have no credential, the audit trail explains %d", unstored, trail.unstored)
	}
	if trail.signed != r.Forms {
		r.problem("%d forms of %d credentials are stored, the audit trail has %d", r.Forms, r.Credentials, trail.signed)
	}
	if r.Signatures != trail.signed+r.Spent || r.Spent < 0 {
		r.problem("%d signatures were announced, %d led to credentials and %d were given up", r.Signatures, trail.signed, r.Spent)
	}
	return r, nil
}

// trail counts what the audit entries that bear on issuing tell: signatures that led to a form of a credential, and
// indexes whose credential was never stored.
type trail struct{ signed, unstored int }

func (i *Issuer) readTrail(ctx context.Context, r *FsckReport) (trail, error) {
	var t trail
	after := ""
	for {
		open, err := i.c.Store.OpenIntents(ctx, after, maxPage)
		if err != nil {
			return t, fmt.Errorf("read open intents: %w", err)
		}
		r.OpenIntents += len(open)
		for _, in := range open {
			after = in.ID
			if in.State == StateSigning {
				r.Spent += max(1, in.Signatures)
			}
		}
		if len(open) < maxPage {
			break
		}
	}
	cursor := ""
	for {
		events, next, err := i.c.Store.Audit(ctx, cursor, maxPage)
		if err != nil {
			return t, fmt.Errorf("read audit trail: %w", err)
		}
		for _, e := range events {
			switch {
			case e.Event == AuditSign:
				r.Signatures++
			case e.Event == AuditSigned:
				t.signed++
			case e.Event == AuditRevoke && e.Intent != "":
				t.unstored++
				r.Spent += max(1, e.Signatures)
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	return t, nil
}

// fsckTenant opens each credential of a tenant and notes its index.
func (i *Issuer) fsckTenant(ctx context.Context, tenant string, groups map[schemas.ListGroup]Group,
	indexes map[schemas.ListGroup]map[uint64]Record, r *FsckReport,
) error {
	cursor := ""
	for {
		page, next, err := i.c.Store.Records(ctx, tenant, cursor, maxPage)
		if err != nil {
			return fmt.Errorf("read credentials of tenant %q: %w", tenant, err)
		}
		for _, rec := range page {
			r.Credentials++
			r.Forms += max(1, len(rec.Forms))
			if _, err := i.Get(ctx, tenant, rec.ID); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				r.problem("%v", err)
			}
			g, known := groups[rec.Group]
			switch {
			case !known || g.Tenant != tenant || rec.Index >= g.Size:
				r.problem("credential %s has index %d of group %s, which does not fit", rec.ID, rec.Index, rec.Group)
				continue
			case indexes[rec.Group][rec.Index].ID != "":
				r.problem("credentials %s and %s share index %d of group %s", rec.ID, indexes[rec.Group][rec.Index].ID, rec.Index, rec.Group)
			}
			indexes[rec.Group][rec.Index] = rec
		}
		if cursor = next; next == "" {
			return nil
		}
	}
}

// fsckLists holds the bits of a group against its records and returns how many revoked indexes have none.
func (i *Issuer) fsckLists(ctx context.Context, g Group, records map[uint64]Record, r *FsckReport) (unstored int, err error) {
	for _, purpose := range g.Purposes {
		_, list, err := i.c.Store.ListState(ctx, g.ID, purpose)
		if errors.Is(err, ErrNotFound) || (err == nil && uint64(len(list))*8 != g.Size) {
			r.problem("list %s/%s is missing or has the wrong length", g.ID, purpose)
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("read list %s/%s: %w", g.ID, purpose, err)
		}
		set, explained := 0, 0
		for _, b := range list {
			set += bits.OnesCount8(b)
		}
		for index, rec := range records {
			on := list[index/8]&(0x80>>(index%8)) != 0
			if on {
				explained++
			}
			if purpose == schemas.PurposeRevocation && on != (rec.Status == StatusRevoked) {
				r.problem("credential %s is %s and its revocation bit is %v", rec.ID, rec.Status, on)
			}
			// A credential that was revoked while suspended keeps that bit.
			if purpose == schemas.PurposeSuspension && rec.Status != StatusRevoked && on != (rec.Status == StatusSuspended) {
				r.problem("credential %s is %s and its suspension bit is %v", rec.ID, rec.Status, on)
			}
		}
		switch {
		case purpose == schemas.PurposeRevocation:
			r.Revoked += set
			unstored += set - explained
		case set != explained:
			r.problem("list %s/%s has %d bits that belong to no credential", g.ID, purpose, set-explained)
		default:
			r.Suspended += set
		}
	}
	return unstored, nil
}
