package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"heartmark/issuer/oid4vci"
)

// OID4VCI checks an oid4vci.Store. open returns an empty one; reopen, if not nil, closes it and opens what it left behind.
func OID4VCI(t *testing.T, open func(t *testing.T) oid4vci.Store, reopen func(t *testing.T, s oid4vci.Store) oid4vci.Store) {
	if reopen == nil {
		reopen = func(_ *testing.T, s oid4vci.Store) oid4vci.Store { return s }
	}
	offer := func(id string, purge time.Time) oid4vci.OfferRecord {
		return oid4vci.OfferRecord{
			ID: id, Tenant: "acme", Configuration: "c", ReportID: "r", Language: "en", State: oid4vci.StateCreated,
			CreatedAt: at(0), ExpiresAt: at(10), PurgeAt: purge, CodeHash: []byte{1, 2, 3},
		}
	}
	t.Run("offers", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		must(t, s.PutOffer(ctx, offer("o1", at(20))))
		if err := s.PutOffer(ctx, offer("o1", at(20))); !errors.Is(err, oid4vci.ErrExists) {
			t.Errorf("second PutOffer: %v, want ErrExists", err)
		}
		wrong := errors.New("wrong code")
		err := s.UpdateOffer(ctx, "o1", func(o *oid4vci.OfferRecord) error { o.WrongTries = 99; return wrong })
		if !errors.Is(err, wrong) {
			t.Errorf("UpdateOffer: %v, want its own error", err)
		}
		must(t, s.UpdateOffer(ctx, "o1", func(o *oid4vci.OfferRecord) error { o.State = oid4vci.StateRedeemed; return nil }))
		s = reopen(t, s)
		got, err := s.Offer(ctx, "o1")
		if err != nil || got.State != oid4vci.StateRedeemed || got.WrongTries != 0 || string(got.CodeHash) != "\x01\x02\x03" || !got.PurgeAt.Equal(at(20)) {
			t.Errorf("Offer = %+v, %v; want it redeemed, and nothing of the failed update", got, err)
		}
		if _, err := s.Offer(ctx, "none"); !errors.Is(err, oid4vci.ErrNoOffer) {
			t.Errorf("Offer of an unknown id: %v, want ErrNoOffer", err)
		}
		err = s.UpdateOffer(ctx, "none", func(*oid4vci.OfferRecord) error { t.Error("change was called"); return nil })
		if !errors.Is(err, oid4vci.ErrNoOffer) {
			t.Errorf("UpdateOffer of an unknown id: %v, want ErrNoOffer", err)
		}
	})
	t.Run("one of many redeems", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		must(t, s.PutOffer(ctx, offer("o1", at(20))))
		late := errors.New("too late")
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				err := s.UpdateOffer(ctx, "o1", func(o *oid4vci.OfferRecord) error {
					if o.State != oid4vci.StateCreated {
						return late
					}
					o.State = oid4vci.StateRedeemed
					return nil
				})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, late) {
					t.Errorf("UpdateOffer: %v", err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d redeemed one offer, want 1", won.Load())
		}
	})
	t.Run("a nonce is used once", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		for n := range 4 {
			hash := [32]byte{byte(n)}
			var won atomic.Int32
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					switch err := s.UseNonce(ctx, hash, at(10)); {
					case err == nil:
						won.Add(1)
					case !errors.Is(err, oid4vci.ErrUsed):
						t.Errorf("UseNonce: %v", err)
					}
				})
			}
			wg.Wait()
			if won.Load() != 1 {
				t.Errorf("nonce %d was used %d times, want 1", n, won.Load())
			}
		}
		s = reopen(t, s)
		if err := s.UseNonce(ctx, [32]byte{2}, at(10)); !errors.Is(err, oid4vci.ErrUsed) {
			t.Errorf("UseNonce after a restart: %v, want ErrUsed", err)
		}
	})
	t.Run("what is past is deleted", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		for n := range 4 {
			must(t, s.PutOffer(ctx, offer(fmt.Sprint("o", n), at(20+n))))
			must(t, s.UseNonce(ctx, [32]byte{byte(n)}, at(20+n)))
		}
		must(t, s.UpdateOffer(ctx, "o0", func(o *oid4vci.OfferRecord) error { o.PurgeAt = at(50); return nil }))
		s = reopen(t, s)
		if n, err := s.DeleteExpired(ctx, at(22), 2); err != nil || n != 2 {
			t.Errorf("DeleteExpired with limit 2 = %d, %v", n, err)
		}
		if n, err := s.DeleteExpired(ctx, at(22), 100); err != nil || n != 1 {
			t.Errorf("DeleteExpired = %d, %v; want the one that is left", n, err)
		}
		for n, want := range []bool{true, false, true, true} { // o0 was moved to later
			if _, err := s.Offer(ctx, fmt.Sprint("o", n)); (err == nil) != want {
				t.Errorf("Offer o%d: %v, want it there: %v", n, err, want)
			}
		}
		for n, want := range []bool{true, true, false, false} {
			if err := s.UseNonce(ctx, [32]byte{byte(n)}, at(60)); (err == nil) != want {
				t.Errorf("UseNonce %d: %v, want it free: %v", n, err, want)
			}
		}
		if n, err := s.DeleteExpired(ctx, at(51), 100); err != nil || n != 5 {
			t.Errorf("DeleteExpired of the rest = %d, %v; want 3 offers and 2 nonces", n, err)
		}
	})
}
