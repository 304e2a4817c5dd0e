package did

import (
	"context"
	"crypto"
	"fmt"
)

// In a browser (GOOS=js) there is one reader of DIDs, ours: the second one, which must agree with it elsewhere, would
// double what a visitor has to load. Nothing is fetched there either; what is not derived or at hand is not available.

func agreeOnKey(string, crypto.PublicKey) error { return nil }

func readWeb(_ context.Context, _ Fetcher, id, _ string) (Document, error) {
	return Document{}, fmt.Errorf("%s: nothing is fetched in a browser: %w", id, ErrUnavailable)
}
