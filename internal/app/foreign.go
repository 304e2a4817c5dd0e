package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/fetch"
	"heartmark/registry"
	"heartmark/registry/translog/inclusion"
	"heartmark/schemas"
	"heartmark/schemas/trust"
	"heartmark/verifier"
	"heartmark/verifier/offline"
	"heartmark/verifier/sources"
)

const (
	// foreignEvery is how old the snapshot of a recognised registry may be before a newer one is asked for.
	foreignEvery = time.Minute
	// foreignRetry is how long a registry that did not answer is left alone.
	foreignRetry = 10 * time.Second
	// maxRecognised bounds the registries that one question is put to.
	maxRecognised = 50
)

// foreign asks the registries that ours recognises, for what they are recognised for and no more. It knows each by its
// signed snapshot: no question about an issuer or a credential leaves this installation, a snapshot that goes back is
// refused, and one that is at hand answers while its registry does not, until it expires.
type foreign struct {
	registry    *registry.Registry
	client      *fetch.Client
	development []string
	now         func() time.Time
	log         *slog.Logger

	mu    sync.Mutex // guards known
	known map[string]*foreignRegistry
}

// foreignRegistry is one recognised registry. mu is held while its snapshot is fetched, so that one fetch serves all.
type foreignRegistry struct {
	mu       sync.Mutex // guards the rest
	snapshot *trust.Snapshot
	asked    time.Time
	err      error
}

// recognised returns the DIDs of the registries that ours recognises now for the resource ("": for any) and level (0: any).
func (f *foreign) recognised(ctx context.Context, resource string, level schemas.Level) ([]string, error) {
	var out []string
	for after := ""; ; {
		page, next, err := f.registry.Issuers(ctx, registry.IssuerQuery{
			Action: registry.ActionRecognize, Resource: resource, Level: level, Authority: f.registry.DID(), After: after,
		})
		if err != nil {
			return nil, err
		}
		for _, i := range page {
			if len(out) == maxRecognised {
				return nil, fmt.Errorf("more than %d recognised registries", maxRecognised)
			}
			out = append(out, i.DID)
		}
		if next == "" {
			return out, nil
		}
		after = next
	}
}

// at returns the newest snapshot of a registry that can be had.
func (f *foreign) at(ctx context.Context, id string) (*trust.Snapshot, error) {
	f.mu.Lock()
	r := f.known[id]
	if r == nil {
		r = &foreignRegistry{}
		f.known[id] = r
	}
	f.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	now := f.now()
	wait := foreignEvery
	if r.err != nil {
		wait = foreignRetry
	}
	if age := now.Sub(r.asked); r.asked.IsZero() || age < 0 || age >= wait {
		// The answer is everybody's, and its failure too: it must not depend on whether the one who asked first stays.
		fresh, err := f.fetch(context.WithoutCancel(ctx), id)
		if err == nil && r.snapshot != nil && fresh.Sequence() < r.snapshot.Sequence() {
			err = fmt.Errorf("snapshot %d after %d goes back", fresh.Sequence(), r.snapshot.Sequence())
		}
		r.asked, r.err = now, err
		if err == nil {
			r.snapshot = fresh
		} else {
			f.log.WarnContext(ctx, "a recognised registry gave no snapshot", slog.String("registry", id), slog.Any("error", err))
		}
	}
	switch {
	case r.snapshot == nil:
		return nil, fmt.Errorf("registry %s: %w", id, r.err)
	case !now.Before(r.snapshot.Expires()):
		return nil, fmt.Errorf("registry %s: its last snapshot has expired", id)
	}
	return r.snapshot, nil
}

func (f *foreign) fetch(ctx context.Context, id string) (*trust.Snapshot, error) {
	address, err := did.WebURL(id, f.development)
	if err != nil {
		return nil, err
	}
	origin, ok := strings.CutSuffix(address, "/.well-known/did.json")
	if !ok {
		return nil, errors.New("a registry's DID is that of a host")
	}
	snapshot, err := fetchSnapshot(ctx, f.client, origin, f.development, f.now)
	if err != nil {
		return nil, err
	}
	if _, err := offline.FromSnapshot(snapshot, f.now); err != nil {
		return nil, err
	}
	if snapshot.Origin() != origin {
		return nil, fmt.Errorf("its snapshot is of %s", snapshot.Origin())
	}
	return snapshot, nil
}

// authority answers for an entity that our registry does not know: yes where a registry that ours recognises for the
// resource and level now says so, as of the time of the question; what it says of the time before it was recognised counts too. A
// registry that cannot be asked makes it an error, unless another says yes.
func (f *foreign) authority(ctx context.Context, q registry.AuthorityQuery) (registry.AuthorityAnswer, string, error) {
	none := registry.AuthorityAnswer{State: registry.StateUnknown, StateNow: registry.StateUnknown, Asked: q.Time, Evaluated: f.now()}
	if q.Action != registry.ActionIssue {
		return none, "", nil // recognition is of whom they let issue
	}
	ids, err := f.recognised(ctx, q.Resource, q.Level)
	if err != nil {
		return none, "", err
	}
	var faults []error
	best, source := none, ""
	for _, id := range ids {
		snapshot, err := f.at(ctx, id)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		answer := snapshot.Authority(q)
		if answer.Authorized {
			return answer, snapshot.Origin(), nil
		}
		if answer.State != registry.StateUnknown && best.State == registry.StateUnknown {
			best, source = answer, snapshot.Origin()
		}
	}
	return best, source, errors.Join(faults...)
}

// keyIntervals returns the life of a DID's keys as the recognised registry that serves the DID states it.
func (f *foreign) keyIntervals(ctx context.Context, id string) ([]registry.KeyInterval, string, error) {
	ids, err := f.recognised(ctx, "", 0)
	if err != nil {
		return nil, "", err
	}
	for _, host := range ids {
		if id != host && !strings.HasPrefix(id, host+":") {
			continue
		}
		snapshot, err := f.at(ctx, host)
		if err != nil {
			return nil, "", err
		}
		return snapshot.KeyIntervals(id, time.Time{}), snapshot.Origin(), nil
	}
	return nil, "", nil
}

// verifyInclusion checks a log proof with the log's keys of the recognised registry whose log it names. A registry that
// cannot be asked makes it another error than one of package inclusion, unless the log is that of another.
func (f *foreign) verifyInclusion(ctx context.Context, leaf []byte, proof schemas.LogProof) error {
	ids, err := f.recognised(ctx, "", 0)
	if err != nil {
		return err
	}
	var faults []error
	for _, id := range ids {
		snapshot, err := f.at(ctx, id)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		_, keys := snapshot.Checkpoint()
		if err := inclusion.Verify(leaf, proof, keys...); !errors.Is(err, inclusion.ErrCheckpoint) {
			return err
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	return inclusion.ErrCheckpoint
}

// recognisedAuthorities answers the verifier from our registry, and from those it recognises for whom ours does not know.
type recognisedAuthorities struct {
	own     authorities
	foreign *foreign
}

var _ verifier.AuthoritySource = recognisedAuthorities{}

// Authority implements verifier.AuthoritySource.
func (a recognisedAuthorities) Authority(ctx context.Context, q verifier.AuthorityQuery) (verifier.AuthorityAnswer, error) {
	answer, err := a.own.Authority(ctx, q)
	if err != nil || answer.State != verifier.AuthorityNoEntity {
		return answer, err
	}
	source := ""
	answer, err = sources.Authority(q, func(rq registry.AuthorityQuery) (registry.AuthorityAnswer, error) {
		found, origin, err := a.foreign.authority(ctx, rq)
		source = origin
		return found, err
	})
	if source != "" {
		answer.Evidence.Source = source + "/registry/v1/export"
	}
	return answer, err
}

// recognisedIntervals likewise.
type recognisedIntervals struct {
	own     intervals
	foreign *foreign
}

var _ verifier.KeyIntervalSource = recognisedIntervals{}

// KeyIntervals implements verifier.KeyIntervalSource.
func (i recognisedIntervals) KeyIntervals(ctx context.Context, id string) ([]verifier.KeyInterval, verifier.Evidence, error) {
	found, evidence, err := i.own.KeyIntervals(ctx, id)
	if err != nil || len(found) > 0 {
		return found, evidence, err
	}
	others, origin, err := i.foreign.keyIntervals(ctx, id)
	if origin != "" {
		evidence.Source = origin + "/registry/v1/export"
	}
	return sources.Intervals(others), evidence, err
}

// recognisedLogs likewise.
type recognisedLogs struct {
	own     logSource
	foreign *foreign
}

var _ verifier.LogSource = recognisedLogs{}

// VerifyInclusion implements verifier.LogSource.
func (l recognisedLogs) VerifyInclusion(ctx context.Context, leaf []byte, proof schemas.LogProof) (verifier.Evidence, error) {
	evidence, err := l.own.VerifyInclusion(ctx, leaf, proof)
	if !errors.Is(err, inclusion.ErrCheckpoint) {
		return evidence, err
	}
	err = l.foreign.verifyInclusion(ctx, leaf, proof)
	if errors.Is(err, inclusion.ErrCheckpoint) || errors.Is(err, inclusion.ErrProof) {
		return verifier.Evidence{}, fmt.Errorf("%w: %w", verifier.ErrLogMismatch, err)
	}
	if err != nil {
		return verifier.Evidence{}, err
	}
	return verifier.Evidence{Source: "log", FetchedAt: l.foreign.now()}, nil
}
