package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
)

// Limits of security.md §3; a Config may only go down.
const (
	MaxTimeout        = 5 * time.Second
	MaxConnectTimeout = 2 * time.Second
	NegativeCache     = 10 * time.Second
	maxHeaderBytes    = 64 << 10
	maxConcurrent     = 64
	maxPerHost        = 8
)

// Resolver turns a name into addresses; net.DefaultResolver serves behind it when none is given.
type Resolver interface {
	// LookupNetIP returns the addresses of host; network is "ip".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Config says how far the client may reach. Only Now is required.
type Config struct {
	// Now is the clock.
	Now func() time.Time
	// AllowLoopbackOrigins names development origins one by one, exactly as scheme://host[:port], host being localhost or a
	// loopback literal; only these may use http. Empty in production.
	AllowLoopbackOrigins []string
	// Ports are allowed beside 443.
	Ports []int
	// Timeout caps the whole exchange, ConnectTimeout its connection; zero means the maximum.
	Timeout, ConnectTimeout time.Duration
	// Resolver and Dial replace the system's in tests. Dial is called with an address literal that was checked.
	Resolver Resolver
	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	// RootCAs replaces the system's certificate authorities.
	RootCAs *x509.CertPool
	// UserAgent is sent with each request; empty means "heartmark".
	UserAgent string
}

// Validate reports every fault of the configuration at once.
func (c Config) Validate() error {
	var faults []error
	if c.Now == nil {
		faults = append(faults, errors.New("now is not set"))
	}
	for _, o := range c.AllowLoopbackOrigins {
		if err := loopbackOrigin(o); err != nil {
			faults = append(faults, fmt.Errorf("loopback origin %q: %w", o, err))
		}
	}
	for _, p := range c.Ports {
		if p < 1 || p > 65535 {
			faults = append(faults, fmt.Errorf("port %d is out of range", p))
		}
	}
	if c.Timeout < 0 || c.Timeout > MaxTimeout {
		faults = append(faults, fmt.Errorf("time-out %s is above %s", c.Timeout, MaxTimeout))
	}
	if c.ConnectTimeout < 0 || c.ConnectTimeout > MaxConnectTimeout {
		faults = append(faults, fmt.Errorf("connect time-out %s is above %s", c.ConnectTimeout, MaxConnectTimeout))
	}
	return errors.Join(faults...)
}

// Client fetches. It may be used by many goroutines at once.
type Client struct {
	now       func() time.Time
	loopback  map[string]struct{}
	ports     map[string]struct{}
	timeout   time.Duration
	connect   time.Duration
	resolver  Resolver
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	userAgent string
	transport *http.Transport
	flights   singleflight.Group
	negative  failures
	all       *semaphore.Weighted
	hosts     hostLimits
}

// New returns a client for c.
func New(c Config) (*Client, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("fetch configuration: %w", err)
	}
	client := &Client{
		now: c.Now, loopback: map[string]struct{}{}, ports: map[string]struct{}{"443": {}},
		timeout: c.Timeout, connect: c.ConnectTimeout, resolver: c.Resolver, dial: c.Dial, userAgent: c.UserAgent,
		all: semaphore.NewWeighted(maxConcurrent),
	}
	for _, o := range c.AllowLoopbackOrigins {
		client.loopback[o] = struct{}{}
	}
	for _, p := range c.Ports {
		client.ports[strconv.Itoa(p)] = struct{}{}
	}
	if client.timeout == 0 {
		client.timeout = MaxTimeout
	}
	if client.connect == 0 {
		client.connect = MaxConnectTimeout
	}
	if client.resolver == nil {
		client.resolver = systemResolver{}
	}
	if client.dial == nil {
		client.dial = (&net.Dialer{}).DialContext
	}
	if client.userAgent == "" {
		client.userAgent = "heartmark"
	}
	client.transport = &http.Transport{
		Proxy:                  nil, // never from the environment
		DialContext:            client.dialChecked,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.RootCAs},
		DisableCompression:     true, // opened here, under the cap
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
	return client, nil
}

// Check reports whether raw is an address that Get and Post would try: everything but name resolution. Use it where an
// address is stored for later; every call checks again.
func (c *Client) Check(raw string) error {
	if _, err := c.parseTarget(raw); err != nil {
		return fault(ErrBlocked, err)
	}
	return nil
}

type systemResolver struct{}

// LookupNetIP gives IPv4 addresses in their own form: the system's call hands them out mapped into IPv6.
func (systemResolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, err
}
