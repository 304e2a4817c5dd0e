package api

import (
	"container/list"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"

	"golang.org/x/time/rate"
)

// RateClass groups routes that share a caller's allowance. Status data has its own, so that load elsewhere never stops a
// revocation from being read.
type RateClass string

// The classes.
const (
	RatePages    RateClass = "pages"
	RateReads    RateClass = "reads"
	RateStatus   RateClass = "status"
	RateVerify   RateClass = "verify"
	RateWallets  RateClass = "wallets"
	RatePractice RateClass = "practice" // answers that the classifier reads
	RateKeys     RateClass = "keys"     // counted for each API key
	RateRefused  RateClass = "failed"   // requests with a wrong API key, counted for each address
)

// allowance is how much of a class one caller has.
type allowance struct {
	perSecond rate.Limit
	burst     int
}

// allowanceOf returns the allowance of a class for an anonymous caller, or for one with a key.
func allowanceOf(class RateClass, keyed bool) allowance {
	switch class {
	case RatePages:
		return allowance{10, 60}
	case RateReads:
		return allowance{20, 100}
	case RateStatus:
		return allowance{50, 200}
	case RateVerify:
		if keyed {
			return allowance{100, 400}
		}
		return allowance{5, 30}
	case RatePractice:
		return allowance{0.5, 12}
	case RateWallets:
		return allowance{10, 60}
	case RateKeys:
		return allowance{edge.KeyPerSecond, 200}
	case RateRefused:
		return allowance{0.2, 10}
	}
	return allowance{1, 5}
}

// ofKey is the allowance of a key with a limit of its own: what it may do over time, and four seconds of it at once.
func ofKey(perSecond float64) allowance {
	return allowance{rate.Limit(perSecond), max(1, int(4*perSecond))}
}

// maxBuckets bounds how many callers are remembered; beyond it the one seen longest ago is forgotten.
const maxBuckets = 65536

// limiter counts requests of callers. Times come in, so that tests need not wait.
type limiter struct {
	factor float64
	now    func() time.Time

	mu      sync.Mutex // guards what follows
	buckets map[string]*list.Element
	order   *list.List // of *bucket, the caller seen last in front
}

type bucket struct {
	name   string
	tokens *rate.Limiter
}

func newLimiter(factor float64, now func() time.Time) *limiter {
	if factor == 0 {
		factor = 1
	}
	return &limiter{factor: factor, now: now, buckets: map[string]*list.Element{}, order: list.New()}
}

// take counts one request of who in class and returns nil, or problem.ErrRate with the time to wait.
func (l *limiter) take(class RateClass, who string, keyed bool) error {
	return l.count(l.bucket(string(class)+" "+who, allowanceOf(class, keyed)))
}

// takeKey counts one request of a key in class. A key with a limit of its own is held to that alone, over all classes.
func (l *limiter) takeKey(class RateClass, id string, perSecond float64) error {
	if perSecond <= 0 {
		return l.take(class, "key "+id, true)
	}
	return l.count(l.bucket(fmt.Sprintf("own %g %s", perSecond, id), ofKey(perSecond)))
}

func (l *limiter) count(tokens *rate.Limiter) error {
	now := l.now()
	r := tokens.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	r.CancelAt(now)
	return problem.RetryAfter(problem.ErrRate, wait)
}

// spent reports whether who has nothing left in class, without counting.
func (l *limiter) spent(class RateClass, who string) bool {
	return l.bucket(string(class)+" "+who, allowanceOf(class, false)).TokensAt(l.now()) < 1
}

func (l *limiter) bucket(name string, a allowance) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.buckets[name]; ok {
		l.order.MoveToFront(e)
		return e.Value.(*bucket).tokens
	}
	if l.order.Len() >= maxBuckets {
		oldest := l.order.Back()
		delete(l.buckets, oldest.Value.(*bucket).name)
		l.order.Remove(oldest)
	}
	b := &bucket{name: name, tokens: rate.NewLimiter(a.perSecond*rate.Limit(l.factor), max(1, int(float64(a.burst)*l.factor)))}
	l.buckets[name] = l.order.PushFront(b)
	return b.tokens
}

// callerNet is what stands for a client address: IPv4 whole, IPv6 by its /64, since one client has all of that.
func callerNet(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return "unknown"
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, _ := a.Prefix(64)
	return p.String()
}

// shortNet is what the log keeps of a client address: too little to tell one household from the next.
func shortNet(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return "unknown"
	}
	a = a.Unmap().WithZone("")
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, _ := a.Prefix(bits)
	return p.String()
}
