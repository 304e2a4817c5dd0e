package badger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	badgerdb "github.com/dgraph-io/badger/v4"
)

// The engine flushes once for each transaction, one after the other. So writes that come while a flush is under way are
// brought together: whoever comes first runs them all in one transaction and flushes once. Each write stays an atomic
// unit, because the whole transaction is one; and as all writes go this way, they do not collide.

// maxGroup bounds how many units go into one transaction.
const maxGroup = 128

// maxTries bounds how often a transaction that collides is run.
const maxTries = 24

// unit is one caller's write.
type unit struct {
	ctx  context.Context // the unit is not begun when its caller is gone
	fn   func(txn *badgerdb.Txn) error
	turn chan bool // true: lead the next group; false: done

	err   error
	panic any
}

// writers are those who wait to write.
type writers struct {
	mu      sync.Mutex // guards waiting and leading
	waiting []*unit
	leading bool
}

// update runs fn in a read-write transaction and commits it: durable on return, all of it or nothing. fn may be run more
// than once, and in another goroutine while the caller waits: it must not change anything outside the transaction that a
// second run would not set right, and not call update itself. When fn returns an error nothing of it is written. update
// returns fn's error, or ErrBusy, ErrTooBig, ErrClosed; an error of the commit leaves open whether it happened.
func (db *DB) update(ctx context.Context, fn func(txn *badgerdb.Txn) error) error {
	u := &unit{ctx: ctx, fn: fn, turn: make(chan bool, 1)}
	w := &db.writers
	w.mu.Lock()
	w.waiting = append(w.waiting, u)
	lead := !w.leading
	w.leading = true
	w.mu.Unlock()
	if lead || <-u.turn {
		db.lead()
	}
	if u.panic != nil {
		panic(u.panic)
	}
	return engineError(u.err)
}

// lead commits what waits, the leader's own unit first among it, and hands the lead to the first who came meanwhile.
func (db *DB) lead() {
	w := &db.writers
	w.mu.Lock()
	n := min(len(w.waiting), maxGroup)
	group := w.waiting[:n:n]
	w.waiting = w.waiting[n:]
	w.mu.Unlock()

	db.commit(group)

	for _, u := range group[1:] {
		u.turn <- false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		w.waiting, w.leading = nil, false
		return
	}
	w.waiting[0].turn <- true
}

// commit runs a group in one transaction. A unit that fails is left out and the others are run anew, so that nothing of
// it is written.
func (db *DB) commit(group []*unit) {
	live := make([]*unit, 0, len(group))
	for _, u := range group {
		if u.err = u.ctx.Err(); u.err == nil {
			live = append(live, u)
		}
	}
	for try := 0; len(live) > 0; {
		bad, err := db.runAll(live)
		switch {
		case bad >= 0 && errors.Is(live[bad].err, badgerdb.ErrTxnTooBig) && len(live) > 1:
			for _, u := range live {
				u.err = nil
				db.commit([]*unit{u})
			}
			return
		case bad >= 0:
			live = append(live[:bad:bad], live[bad+1:]...)
		case errors.Is(err, badgerdb.ErrConflict) && try < maxTries:
			wait(try)
			try++
		default:
			if errors.Is(err, badgerdb.ErrConflict) {
				err = ErrBusy
			}
			for _, u := range live {
				u.err = err
			}
			return
		}
	}
}

// runAll runs units one after the other in one transaction and commits it. bad is the one that failed, or -1 when all ran
// and err is the commit's.
func (db *DB) runAll(units []*unit) (bad int, err error) {
	if db.db.IsClosed() {
		return -1, ErrClosed
	}
	txn := db.db.NewTransaction(true)
	defer txn.Discard()
	for n, u := range units {
		if u.run(txn); u.err != nil {
			return n, nil
		}
	}
	return -1, txn.Commit()
}

// run runs the unit. A panic is kept for its own caller.
func (u *unit) run(txn *badgerdb.Txn) {
	defer func() {
		if r := recover(); r != nil {
			u.panic = r
			u.err = fmt.Errorf("transaction: %v", r)
		}
	}()
	u.err = u.fn(txn)
}

// wait sleeps between tries: up to 0.2 ms after the first, doubling, at most 20 ms, with full jitter.
func wait(try int) {
	limit := min(200*time.Microsecond<<min(try, 10), 20*time.Millisecond)
	timer := time.NewTimer(rand.N(limit) + time.Microsecond)
	defer timer.Stop()
	<-timer.C
}
