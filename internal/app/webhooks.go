package app

import (
	"context"
	"crypto"
	"errors"
	"net/http"

	"heartmark/internal/fetch"
	"heartmark/registry/webhooks"
)

// maxWebhookAnswer bounds what is read of a receiver's answer, which nobody looks at.
const maxWebhookAnswer = 64 << 10

// webhookSender sends through the guarded client.
type webhookSender struct{ client *fetch.Client }

var _ webhooks.Sender = webhookSender{}

// Check implements webhooks.Sender.
func (w webhookSender) Check(url string) error { return w.client.Check(url) }

// Send implements webhooks.Sender.
func (w webhookSender) Send(ctx context.Context, m webhooks.Message) (int, error) {
	_, err := w.client.Post(ctx, m.URL, fetch.Message{ContentType: m.ContentType, Body: m.Body, Header: m.Header}, fetch.Limits{MaxBytes: maxWebhookAnswer})
	if fault, ok := errors.AsType[*fetch.Error](err); ok && fault.Status != 0 {
		return fault.Status, nil // it answered, with another status than 200
	}
	if errors.Is(err, fetch.ErrTooLarge) || errors.Is(err, fetch.ErrContent) {
		return http.StatusOK, nil // the status was read before; nobody looks at the rest
	}
	if err != nil {
		return 0, err
	}
	return http.StatusOK, nil
}

// openWebhooks makes the service that tells subscribers what the registry states.
func (a *App) openWebhooks(_ context.Context, _ Options) error {
	client, err := fetch.New(fetch.Config{Now: a.now, AllowLoopbackOrigins: a.developmentOrigins()})
	if err != nil {
		return err
	}
	const kind = "webhook"
	a.Webhooks, err = webhooks.New(webhooks.Config{
		DID: a.DID(), Store: a.Store.Webhooks(), Events: a.Registry, Size: a.Log.Size, Sender: webhookSender{client},
		Tenants: func(ctx context.Context) ([]string, error) {
			records, err := a.Store.Tenants(ctx)
			var out []string
			for _, t := range records {
				if !t.Disabled {
					out = append(out, t.ID)
				}
			}
			return out, err
		},
		Seal: func(ctx context.Context, tenant, id string, secret []byte) ([]byte, error) {
			return a.Keys.Seal(ctx, tenant, kind, id, secret)
		},
		Open: func(ctx context.Context, tenant, id string, sealed []byte) ([]byte, error) {
			return a.Keys.Open(ctx, tenant, kind, id, sealed)
		},
		Signer: func(ctx context.Context) (crypto.Signer, string, error) {
			return signers{a.Keys, a.DID()}.StatementSigner(ctx, a.DID())
		},
		Now: a.now, NewID: a.newID, Log: a.log,
	})
	return err
}
