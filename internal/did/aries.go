//go:build !js

package did

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"heartmark/internal/fetch"
	"heartmark/schemas"

	vdrapi "github.com/hyperledger/aries-framework-go/pkg/framework/aries/api/vdr"
	"github.com/hyperledger/aries-framework-go/pkg/vdr/key"
	"github.com/hyperledger/aries-framework-go/pkg/vdr/web"
)

// agreeOnKey has the aries did:key resolver expand id and compares the key it finds with ours.
func agreeOnKey(id string, pub crypto.PublicKey) error {
	res, err := key.New().Read(id)
	if err != nil {
		return fmt.Errorf("did:key: %w: %w", ErrInvalid, err)
	}
	methods := res.DIDDocument.VerificationMethod
	if res.DIDDocument.ID != id || len(methods) != 1 {
		return fmt.Errorf("did:key: expanded to another document: %w", ErrInvalid)
	}
	var found crypto.PublicKey = ed25519.PublicKey(methods[0].Value)
	if jwk := methods[0].JSONWebKey(); jwk != nil && jwk.Key != nil {
		found = jwk.Key
		if k, ok := found.(ecdsa.PublicKey); ok {
			found = &k
		}
	}
	if !sameKey(pub, found) {
		return fmt.Errorf("did:key: two readers found different keys: %w", ErrInvalid)
	}
	return nil
}

// readWeb resolves a did:web with the aries resolver. Its network is a round tripper that knows one address, the one our
// rules made of the name, and goes through the guarded client; the bytes are read strictly before aries sees them, and
// aries gets them reduced to what was understood.
func readWeb(ctx context.Context, f Fetcher, id, address string) (Document, error) {
	trip := &guardedTrip{fetch: f, id: id, address: address}
	options := []vdrapi.DIDMethodOption{vdrapi.WithOption(web.HTTPClientOpt, &http.Client{Transport: withContext{ctx, trip}})}
	if strings.HasPrefix(address, "http://") {
		options = append(options, vdrapi.WithOption(web.UseHTTPOpt, true))
	}
	res, err := web.New().Read(id, options...)
	if trip.err != nil {
		return Document{}, trip.err
	}
	if err != nil {
		return Document{}, fmt.Errorf("did:web: %w: %w", ErrInvalid, err)
	}
	if err := agreeOnDocument(res.DIDDocument, trip.doc); err != nil {
		return Document{}, err
	}
	return trip.doc, nil
}

// withContext ties the resolver's request, which knows no context, to the caller's.
type withContext struct {
	ctx  context.Context // of the one request that this value lives for: the library takes none
	next *guardedTrip
}

// RoundTrip implements http.RoundTripper.
func (w withContext) RoundTrip(r *http.Request) (*http.Response, error) {
	return w.next.roundTrip(w.ctx, r)
}

type guardedTrip struct {
	fetch       Fetcher
	id, address string
	doc         Document
	err         error
}

func (g *guardedTrip) roundTrip(ctx context.Context, r *http.Request) (*http.Response, error) {
	if g.doc.ID != "" || r.Method != http.MethodGet || r.URL.String() != g.address {
		g.err = fmt.Errorf("did:web: name was read as another address: %w", ErrInvalid)
		return nil, g.err
	}
	res, err := g.fetch.Get(ctx, g.address, fetch.Limits{MaxBytes: MaxDocument, Accept: []string{
		"application/did+json", "application/did+ld+json", "application/did", "application/json", "application/ld+json",
	}})
	if err != nil {
		g.err = webFault(err)
		return nil, g.err
	}
	doc, err := ParseDocument(g.id, res.Body)
	if err != nil {
		g.err = err
		return nil, err
	}
	doc.Source, doc.FetchedAt = g.address, res.FetchedAt
	reduced, err := schemas.Marshal(reduce(doc))
	if err != nil {
		g.err = fmt.Errorf("did:web: %w: %w", ErrInvalid, err)
		return nil, g.err
	}
	g.doc = doc
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(bytes.NewReader(reduced)),
	}, nil
}

func webFault(err error) error {
	if e, ok := errors.AsType[*fetch.Error](err); ok && (e.Status == http.StatusNotFound || e.Status == http.StatusGone) {
		return fmt.Errorf("did:web: %w", ErrNotFound)
	}
	return fmt.Errorf("did:web: %w: %w", ErrUnavailable, err)
}
