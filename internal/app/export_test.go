package app

import (
	"context"
	"log/slog"
	"time"

	"heartmark/internal/fetch"
	"heartmark/registry"
	"heartmark/registry/webhooks"
	"heartmark/schemas"
	"heartmark/schemas/trust"
	"heartmark/verifier"
)

// Recognised asks the registries that an installation's recognises, by the snapshots that a test gives.
type Recognised struct{ logs recognisedLogs }

// Recognising returns what an installation knows of others; a registry without a snapshot cannot be reached.
func Recognising(a *App, snapshots map[string]*trust.Snapshot) Recognised {
	f := &foreign{registry: a.Registry, now: a.now, log: slog.New(slog.DiscardHandler), known: map[string]*foreignRegistry{}}
	for id, s := range snapshots {
		f.known[id] = &foreignRegistry{snapshot: s, asked: a.now()}
	}
	return Recognised{recognisedLogs{own: logSource{keys: func() []string { return nil }, now: a.now}, foreign: f}}
}

// Reach gets the snapshot of a registry below one of the development origins.
func Reach(ctx context.Context, id string, now func() time.Time, origins ...string) error {
	client, err := fetch.New(fetch.Config{Now: now, AllowLoopbackOrigins: origins})
	if err != nil {
		return err
	}
	f := &foreign{client: client, development: origins, now: now, log: slog.New(slog.DiscardHandler), known: map[string]*foreignRegistry{}}
	_, err = f.at(ctx, id)
	return err
}

// Authority asks whether an entity may do something.
func (r Recognised) Authority(ctx context.Context, q registry.AuthorityQuery) (registry.AuthorityAnswer, error) {
	answer, _, err := r.logs.foreign.authority(ctx, q)
	return answer, err
}

// VerifyInclusion checks a log proof.
func (r Recognised) VerifyInclusion(ctx context.Context, leaf []byte, proof schemas.LogProof) (verifier.Evidence, error) {
	return r.logs.VerifyInclusion(ctx, leaf, proof)
}

// WebhookSender sends to the development origins.
func WebhookSender(origins ...string) (webhooks.Sender, error) {
	client, err := fetch.New(fetch.Config{Now: time.Now, AllowLoopbackOrigins: origins})
	return webhookSender{client}, err
}
