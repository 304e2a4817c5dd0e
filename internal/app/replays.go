package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"heartmark/api"
)

// replays keeps answers for repeated requests in the store, sealed: an answer may hold the secrets of an offer. What stands
// there as a name is its digest.
type replays struct{ app *App }

var _ api.Replays = replays{}

func replayName(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// ClaimReplay implements api.Replays.
func (r replays) ClaimReplay(ctx context.Context, name string, digest [sha256.Size]byte, now, until time.Time) (bool, [sha256.Size]byte, []byte, error) {
	name = replayName(name)
	taken, other, sealed, err := r.app.Store.ClaimReplay(ctx, name, digest, now, until)
	if err != nil || sealed == nil {
		return taken, other, nil, err
	}
	answer, err := r.app.Keys.Open(ctx, "", "answer", name, sealed)
	return taken, other, answer, err
}

// KeepReplay implements api.Replays.
func (r replays) KeepReplay(ctx context.Context, name string, digest [sha256.Size]byte, answer []byte, until time.Time) error {
	name = replayName(name)
	sealed, err := r.app.Keys.Seal(ctx, "", "answer", name, answer)
	if err != nil {
		return err
	}
	return r.app.Store.KeepReplay(ctx, name, digest, sealed, until)
}

// DropReplay implements api.Replays.
func (r replays) DropReplay(ctx context.Context, name string, digest [sha256.Size]byte) error {
	return r.app.Store.DropReplay(ctx, replayName(name), digest)
}
