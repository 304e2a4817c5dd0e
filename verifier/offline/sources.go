package offline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"heartmark/internal/did"
	"heartmark/schemas"
	"heartmark/schemas/jsonschema"
	"heartmark/schemas/trust"
	"heartmark/verifier"
	"heartmark/verifier/sources"
)

// documents answers for the DIDs that the registry serves.
type documents struct{ snapshot *trust.Snapshot }

var _ did.LocalSource = documents{}

// DIDDocument implements did.LocalSource.
func (d documents) DIDDocument(_ context.Context, id string) ([]byte, bool, error) {
	document, ok := d.snapshot.DIDDocument(id)
	return document, ok, nil
}

// evidence is what every answer out of the snapshot rests on.
func (b *Bundle) evidence() verifier.Evidence {
	return verifier.Evidence{
		Source: b.snapshot.Origin() + "/registry/v1/export", FetchedAt: b.snapshot.Created(), ExpiresAt: b.snapshot.Expires(),
	}
}

// usable returns an error while the snapshot may not be relied on, which makes the check that asked undetermined.
func (b *Bundle) usable() error {
	if state := b.state(); state != Current {
		return fmt.Errorf("the registry snapshot of %s is %s", schemas.FormatTime(b.snapshot.Created()), state)
	}
	return nil
}

type bundleKeys struct{ *Bundle }

var _ verifier.KeyResolver = bundleKeys{}

// Key implements verifier.KeyResolver. A key that follows from its DID is as good as ever; any other is as old as the
// snapshot, and the evidence says so.
func (k bundleKeys) Key(ctx context.Context, q verifier.KeyQuery) (verifier.Key, error) {
	key, err := sources.Keys{Resolver: k.resolver}.Key(ctx, q)
	if q.Network && errors.Is(err, verifier.ErrOffline) {
		// The owner is known here and looking further was allowed: it is the snapshot that lacks the document.
		return verifier.Key{}, fmt.Errorf("there is no DID document of %s at hand", q.Controller)
	}
	if err != nil || k.snapshot == nil {
		return key, err
	}
	if _, served := k.snapshot.DIDDocument(q.Controller); served {
		digest := key.Evidence.Digest
		key.Evidence = k.evidence()
		key.Evidence.Digest = digest
	}
	return key, nil
}

type authorities struct{ *Bundle }

var _ verifier.AuthoritySource = authorities{}

// Authority implements verifier.AuthoritySource.
func (a authorities) Authority(_ context.Context, q verifier.AuthorityQuery) (verifier.AuthorityAnswer, error) {
	if err := a.usable(); err != nil {
		return verifier.AuthorityAnswer{}, err
	}
	answer, err := sources.Authority(q, func(tq trust.AuthorityQuery) (trust.AuthorityAnswer, error) {
		return a.snapshot.Authority(tq), nil
	})
	answer.Evidence = a.evidence()
	return answer, err
}

type intervals struct{ *Bundle }

var _ verifier.KeyIntervalSource = intervals{}

// KeyIntervals implements verifier.KeyIntervalSource.
func (i intervals) KeyIntervals(_ context.Context, id string) ([]verifier.KeyInterval, verifier.Evidence, error) {
	if err := i.usable(); err != nil {
		return nil, i.evidence(), err
	}
	return sources.Intervals(i.snapshot.KeyIntervals(id, time.Time{})), i.evidence(), nil
}

type lists struct{ *Bundle }

var _ verifier.StatusSource = lists{}

// StatusList implements verifier.StatusSource. A list is as old as the snapshot; the policy says how old is too old.
func (l lists) StatusList(_ context.Context, url string) (verifier.StatusDocument, error) {
	if l.state() == Ahead {
		return verifier.StatusDocument{}, l.usable()
	}
	data, ok := l.snapshot.StatusList(url)
	if !ok {
		return verifier.StatusDocument{}, fmt.Errorf("%s is not in the snapshot: %w", url, verifier.ErrOffline)
	}
	evidence := l.evidence()
	evidence.Source, evidence.ExpiresAt = url, time.Time{}
	return verifier.StatusDocument{Data: data, AsOf: l.snapshot.Created(), Evidence: evidence}, nil
}

// published checks against the schemas that are built in, and else against those in the snapshot.
type published struct {
	builtin *jsonschema.Validator
	byURL   map[string][]byte
}

var _ verifier.SchemaSource = published{}

func newPublished(s *trust.Snapshot, builtin *jsonschema.Validator) published {
	p := published{builtin: builtin, byURL: map[string][]byte{}}
	for _, a := range s.Artefacts() {
		if a.Kind == trust.KindSchemas && len(a.Data) > 0 {
			p.byURL[s.Origin()+"/"+string(a.Kind)+"/"+a.Name] = a.Data
		}
	}
	return p
}

// CheckEntry implements verifier.SchemaSource. The digest that a credential pins is compared with that of the bytes before
// they are read.
func (p published) CheckEntry(entry, doc map[string]any) error {
	id, _ := entry["id"].(string)
	data, ok := p.byURL[id]
	if _, known := p.builtin.Name(id); known || !ok || entry["type"] != schemas.TypeJSONSchema {
		return p.builtin.CheckEntry(entry, doc)
	}
	if digest, pinned := entry["digestSRI"]; pinned && digest != schemas.DigestSRI(data) {
		return fmt.Errorf("%s: %w", id, jsonschema.ErrDigest)
	}
	compiled, err := jsonschema.Compile(id, data)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", id, jsonschema.ErrUnknownSchema, err)
	}
	return compiled.Validate(doc)
}
