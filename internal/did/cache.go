package did

import (
	"sync"
	"time"
)

// maxEntries bounds a cache. When it is full an arbitrary entry goes, which costs one resolution.
const maxEntries = 10_000

type entry struct {
	doc   Document
	err   error
	since time.Time
	until time.Time
}

// cache keeps answers until their time. The zero value is ready.
type cache struct {
	mu      sync.RWMutex // guards entries
	entries map[string]entry
}

func (c *cache) get(key string, now time.Time) (entry, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.entries[key]
	// since is compared too: a clock that went back must not stretch the life of an entry.
	if !ok || !now.Before(e.until) || now.Before(e.since) {
		return entry{}, false
	}
	return e, true
}

func (c *cache) put(key string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[string]entry{}
	}
	if _, ok := c.entries[key]; !ok && len(c.entries) >= maxEntries {
		for k := range c.entries {
			delete(c.entries, k)
			break
		}
	}
	c.entries[key] = e
}
