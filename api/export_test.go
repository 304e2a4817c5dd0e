package api

import (
	"time"

	"github.com/labstack/echo/v4"
)

// TableAndRouter returns the table of routes and what the router serves for it.
func TableAndRouter(c Config) (table []Route, served []*echo.Route, err error) {
	s, err := newServer(c)
	if err != nil {
		return nil, nil, err
	}
	return s.routes(), s.router().Routes(), nil
}

// NewLimiter and Take open the rate limiter.
func NewLimiter(now func() time.Time) *limiter { return newLimiter(1, now) }

func (l *limiter) Take(class RateClass, who string) error { return l.take(class, who, false) }

func (l *limiter) Known() int { return len(l.buckets) }

// MaxBuckets is how many callers a limiter remembers.
const MaxBuckets = maxBuckets

var (
	CallerNet = callerNet
	ShortNet  = shortNet
)
