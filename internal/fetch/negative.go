package fetch

import (
	"sync"
	"time"
)

// maxFailures bounds how many failures are remembered; when full, all are forgotten, which costs a retry each.
const maxFailures = 1024

// failures remembers what failed a moment ago, so that a dead host costs one attempt in ten seconds.
type failures struct {
	mu    sync.Mutex // guards known
	known map[string]failure
}

type failure struct {
	err   error
	since time.Time
}

func (f *failures) get(key string, now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, ok := f.known[key]
	if !ok {
		return nil
	}
	// A clock that went back must not keep a failure alive.
	if age := now.Sub(known.since); age < 0 || age >= NegativeCache {
		delete(f.known, key)
		return nil
	}
	return known.err
}

func (f *failures) put(key string, err error, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || len(f.known) >= maxFailures {
		f.known = map[string]failure{}
	}
	f.known[key] = failure{err: err, since: now}
}
