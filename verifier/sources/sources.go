// Package sources puts the verifier's questions to DID documents and to the statements of a registry. The running server
// and the off-line verifier ask through it, so that both read an answer in the same way. It fetches nothing by itself: what
// a resolver may do is decided by whoever made it.
package sources

import (
	"context"
	"errors"
	"fmt"

	"heartmark/internal/did"
	"heartmark/schemas"
	"heartmark/schemas/trust"
	"heartmark/verifier"
)

// Keys answers verifier.KeyResolver from DID documents.
type Keys struct{ Resolver *did.Resolver }

var _ verifier.KeyResolver = Keys{}

// Key implements verifier.KeyResolver.
func (k Keys) Key(ctx context.Context, q verifier.KeyQuery) (verifier.Key, error) {
	resolve := k.Resolver.Resolve
	if !q.Network {
		resolve = k.Resolver.ResolveOffline
	}
	document, err := resolve(ctx, q.Controller)
	if err != nil {
		return verifier.Key{}, keyError(err)
	}
	method, err := document.Method(q.Method, q.Purpose)
	if err != nil {
		return verifier.Key{}, keyError(err)
	}
	return verifier.Key{Public: method.Key, Evidence: verifier.Evidence{
		Source: document.Source, FetchedAt: document.FetchedAt, ExpiresAt: document.ExpiresAt, FromCache: document.FromCache,
		Digest: document.Digest,
	}}, nil
}

func keyError(err error) error {
	for sentinel, own := range map[error]error{
		did.ErrOffline: verifier.ErrOffline, did.ErrMethodNotFound: verifier.ErrKeyNotFound,
		did.ErrPurpose: verifier.ErrKeyPurpose, did.ErrController: verifier.ErrKeyController,
	} {
		if errors.Is(err, sentinel) {
			return fmt.Errorf("%w: %w", own, err)
		}
	}
	return err
}

// Authority asks once for each level that the credential states, since an authority may be limited to some, and gives the
// first answer that is not yes. The evidence is the caller's to set.
func Authority(q verifier.AuthorityQuery, ask func(trust.AuthorityQuery) (trust.AuthorityAnswer, error)) (verifier.AuthorityAnswer, error) {
	levels := q.Levels
	if len(levels) == 0 {
		levels = []schemas.Level{0}
	}
	var out verifier.AuthorityAnswer
	for _, level := range levels {
		answer, err := ask(trust.AuthorityQuery{Entity: q.Entity, Action: q.Action, Resource: q.Resource, Level: level, Time: q.Time})
		if err != nil {
			return verifier.AuthorityAnswer{}, err
		}
		if out = authorityAnswer(answer); out.State != verifier.AuthorityActive {
			break
		}
	}
	return out, nil
}

func authorityAnswer(answer trust.AuthorityAnswer) verifier.AuthorityAnswer {
	out := verifier.AuthorityAnswer{State: verifier.AuthorityInactive, Evidence: verifier.Evidence{Source: "registry", FetchedAt: answer.Evaluated}}
	switch answer.State {
	case trust.StateInForce:
		out.State = verifier.AuthorityActive
	case trust.StateNotAuthorised:
		out.State = verifier.AuthorityNone
	case trust.StateUnknown:
		out.State = verifier.AuthorityNoEntity
	case trust.StateSuspended, trust.StateWithdrawn, trust.StateOutsidePeriod:
	}
	if answer.Record != nil {
		out.Framework = answer.Record.Framework
	}
	return out
}

// Intervals are the verifier's form of what a registry states of keys, which holds for both names of a key.
func Intervals(found []trust.KeyInterval) []verifier.KeyInterval {
	out := make([]verifier.KeyInterval, 0, 2*len(found))
	for _, k := range found {
		for _, method := range []string{k.Method, trust.JWKMethod(k.Method)} {
			out = append(out, verifier.KeyInterval{Method: method, From: k.From, Until: k.Until, Revoked: k.Revoked})
		}
	}
	return out
}
